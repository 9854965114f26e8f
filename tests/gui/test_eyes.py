"""Every colour that means something is told apart by eyes without red, green or blue, and in grey."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from gui.theme import DARK, FOR_EVERY_EYE, PALETTES, SIDES, palette_of
from tests.gui.eyes import PAIRS, VISIONS, distance, picture_seen, seen, too_close


@pytest.mark.parametrize("name", PALETTES)
def test_what_means_different_things_is_told_apart(name: str) -> None:
    assert too_close(PALETTES[name]) == []


def test_only_sides_that_every_eye_tells_apart_are_named_without_a_caution() -> None:
    clear = {sides for sides in SIDES if not any(too_close(palette_of(name, sides)) for name in PALETTES)}
    assert clear == FOR_EVERY_EYE


def test_red_and_green_of_one_brightness_are_found_out() -> None:
    blind = replace(DARK, stop="#b05050", target="#5c8a3c")
    assert ("stop", "target") in {pair[:2] for pair in too_close(blind)}
    assert "no green (deutan)" in {pair[2] for pair in too_close(blind)}


def test_grey_is_grey_and_all_cones_change_nothing() -> None:
    colour = np.array([0.8, 0.3, 0.1])
    assert np.allclose(seen(colour, "all cones"), colour, atol=1e-6)
    grey = seen(colour, "grey")
    assert np.allclose(grey, grey[0])
    assert all(distance("#777777", "#777777", vision) == 0 for vision in VISIONS)
    assert len(PAIRS) >= 8


def test_a_picture_is_seen_so(qapp: object) -> None:
    picture = QImage(5, 3, QImage.Format.Format_RGB32)
    picture.fill(QColor("#d8683f"))
    changed = picture_seen(picture, "grey")
    pixel = changed.pixelColor(4, 2)
    assert (changed.width(), changed.height()) == (5, 3)
    assert pixel.red() == pixel.green() == pixel.blue() != 0
