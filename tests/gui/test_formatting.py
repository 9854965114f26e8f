"""Numbers and names as the window writes them; contrast and coverage of what it is written in."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QRawFont
from PySide6.QtWidgets import QApplication

from engine.model.words import BracketStatus, OrderStatus, SignalStatus
from gui import formatting as say, theme
from gui.status_words import BRACKET_FACES, ORDER_FACES, SIGNAL_FACES


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (say.price(Decimal("1234.5")), "1,234.50"),
        (say.price(Decimal("0.1234")), "0.1234"),
        (say.price(None), "–"),
        (say.qty(Decimal("100.000")), "100"),
        (say.qty(Decimal("0.250")), "0.25"),
        (say.qty(Decimal(-50)), "−50"),
        (say.money(Decimal("-44.80"), signed=True), "−$44.80"),
        (say.money(Decimal("114.20"), signed=True), "+$114"),
        (say.money(Decimal("0.00"), signed=True), "$0"),
        (say.money(Decimal("98690.40")), "$98,690"),
        (say.signed(Decimal("0.001")), "0.00"),
        (say.signed(Decimal("-0.13")), "−0.13"),
        (say.ms(0.42), "0.4 ms"),
        (say.ms(84.4), "84 ms"),
        (say.ms(3_200), "3.2 s"),
        (say.seconds(16.2), "16 s"),
        (say.seconds(72), "1:12"),
        (say.countdown(7013), "1:56:53"),
        (say.plural(1, "rule"), "1 rule"),
    ],
)
def test_values_are_written_one_way(made: str, said: str) -> None:
    assert made == said


def test_every_status_has_a_face() -> None:
    assert set(ORDER_FACES) == set(OrderStatus)
    assert set(BRACKET_FACES) == set(BracketStatus)
    assert set(SIGNAL_FACES) == set(SignalStatus)
    words = {face.word for faces in (ORDER_FACES, BRACKET_FACES, SIGNAL_FACES) for face in faces.values()}
    assert not words & {"OK", "SAFE"}


def luminance(value: str) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    ink = QColor(value)
    return 0.2126 * linear(ink.redF()) + 0.7152 * linear(ink.greenF()) + 0.0722 * linear(ink.blueF())


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


EVERY_PALETTE = [theme.palette_of(name, sides) for sides in theme.SIDES for name in theme.PALETTES]


@pytest.mark.parametrize("palette", EVERY_PALETTE, ids=lambda palette: f"{palette.name}-{palette.buy}")
@pytest.mark.parametrize("ink", ["high", "mid", "low", "buy", "sell", "p1_text", "p2_text"])
@pytest.mark.parametrize("plane", ["plane1", "plane2", "p1_wash"])
def test_text_can_be_read_on_every_plane(palette: theme.Palette, ink: str, plane: str) -> None:
    assert contrast(getattr(palette, ink), getattr(palette, plane)) >= 4.5


@pytest.mark.parametrize("palette", EVERY_PALETTE, ids=lambda palette: f"{palette.name}-{palette.buy}")
@pytest.mark.parametrize(
    ("ink", "fill"), [("p2_ink", "p2"), ("go_ink", "go"), ("side_ink", "buy"), ("side_ink", "sell")]
)
def test_text_can_be_read_on_fills(palette: theme.Palette, ink: str, fill: str) -> None:
    assert contrast(getattr(palette, ink), getattr(palette, fill)) >= 4.5


def test_both_palettes_name_real_colours() -> None:
    for palette in EVERY_PALETTE:
        assert all(QColor(getattr(palette, f.name)).isValid() for f in fields(palette) if f.name != "name")


def test_the_fonts_have_every_sign_the_window_types(qapp: QApplication) -> None:
    signs = {
        sign
        for path in Path(theme.__file__).parent.rglob("*.py")
        for sign in path.read_text(encoding="utf-8")
        if ord(sign) > 126
    }
    inter = QRawFont(str(theme.RESOURCES / "fonts" / "Inter-Regular.otf"), 12)
    missing = {sign for sign in signs if not inter.supportsCharacter(ord(sign))}
    assert not missing
