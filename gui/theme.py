"""Colours, type, spacing: the only place that names any of them.

Two palettes share one set of tokens. Painted widgets ask ``tokens()`` while they paint, styled ones follow the sheet
that ``use`` makes, so changing the palette repaints everything and rebuilds nothing. Grey is normal: ``go``, ``p1``
and ``p2`` are each kept for one meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QPalette, QStaticText, QTransform
from PySide6.QtWidgets import QApplication

RESOURCES: Final = Path(__file__).resolve().parent.parent / "resources"

# Pixels, on a grid of four.
GRID: Final = 4
GAP: Final = 6
RADIUS: Final = 6
CONTROL_RADIUS: Final = 5
ROW: Final = 26
LEG_ROW: Final = 23
HEADER: Final = 32
COLUMN_HEAD: Final = 26
FILTER_ROW: Final = 26
STATE_BAR: Final = 44
FRAME: Final = 4
CARD_PAD: Final = 12


@dataclass(frozen=True, slots=True)
class Palette:
    """One set of colours, ``#rrggbb``. Text on planes has at least 4.5:1; ``faint`` has less and carries no meaning."""

    name: str
    plane0: str
    plane1: str
    plane2: str
    plane3: str
    line: str
    line_strong: str
    high: str
    mid: str
    low: str
    faint: str
    buy: str
    sell: str
    side_ink: str
    go: str
    go_ink: str
    covered: str
    uncovered: str
    stop: str
    target: str
    entry: str
    p1: str
    p1_ink: str
    p1_text: str
    p1_wash: str
    p2: str
    p2_ink: str
    p2_text: str
    selected: str
    flash: str
    sim: str
    paper: str
    live: str
    past: str
    candle: str
    candle_hollow: str


DARK: Final = Palette(
    name="dark",
    plane0="#0d1014",
    plane1="#14181e",
    plane2="#1a2027",
    plane3="#222a33",
    line="#262e38",
    line_strong="#3a4552",
    high="#e8ecf1",
    mid="#9ba7b5",
    low="#7d8998",
    faint="#4b5663",
    buy="#62b5f0",
    sell="#e59a5c",
    side_ink="#0d1014",
    go="#3ecf8e",
    go_ink="#06130d",
    covered="#49a58a",
    uncovered="#4a2218",
    stop="#d8683f",
    target="#49a58a",
    entry="#62b5f0",
    p1="#e0481f",
    p1_ink="#ffffff",
    p1_text="#ff7a52",
    p1_wash="#26150f",
    p2="#f0d83c",
    p2_ink="#1a1700",
    p2_text="#f0d83c",
    selected="#1d2630",
    flash="#31404f",
    sim="#5b6673",
    paper="#4f7396",
    live="#e0481f",
    past="#a58af0",
    candle="#b4bfcb",
    candle_hollow="#14181e",
)

LIGHT: Final = Palette(
    name="light",
    plane0="#e6e9ed",
    plane1="#fafbfc",
    plane2="#f0f2f5",
    plane3="#e3e7ec",
    line="#d6dbe1",
    line_strong="#aeb8c3",
    high="#151b22",
    mid="#465361",
    low="#5d6a78",
    faint="#9aa5b1",
    buy="#0b66a8",
    sell="#9c4d10",
    side_ink="#ffffff",
    go="#0b7a4b",
    go_ink="#ffffff",
    covered="#2f8b70",
    uncovered="#f2c4b4",
    stop="#b4431c",
    target="#1f7a60",
    entry="#0b66a8",
    p1="#d13c14",
    p1_ink="#ffffff",
    p1_text="#b32f0b",
    p1_wash="#fdebe5",
    p2="#f0d83c",
    p2_ink="#1a1700",
    p2_text="#6f5e00",
    selected="#e3ecf5",
    flash="#c3d4e6",
    sim="#8692a0",
    paper="#4f7396",
    live="#d13c14",
    past="#6b46c1",
    candle="#46525f",
    candle_hollow="#fafbfc",
)

TEXT_TONES: Final = (
    "high", "mid", "low", "faint", "buy", "sell", "go", "covered", "stop", "p1_text", "p2_text", "past",
)  # fmt: skip
"""What a label may have."""

PALETTES: Final = {palette.name: palette for palette in (DARK, LIGHT)}

SIDES: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Blue buys, orange sells": {each.name: (each.buy, each.sell) for each in (DARK, LIGHT)},
    "Blue buys, red sells": {"dark": ("#62b5f0", "#f2788a"), "light": ("#0b66a8", "#b3263e")},
    "Green buys, red sells": {"dark": ("#57bd7c", "#f2788a"), "light": ("#17713f", "#b3263e")},
    "Red buys, green sells": {"dark": ("#f2788a", "#57bd7c"), "light": ("#b3263e", "#17713f")},
}
"""What buys and sells may look like, as each market is used to it: by palette. The letter says it in any case."""
FOR_EVERY_EYE: Final = frozenset({"Blue buys, orange sells", "Blue buys, red sells"})
"""Pairs that eyes without red, green or blue cones tell apart at a glance."""

_in_use = DARK
_sides = next(iter(SIDES))


def tokens() -> Palette:
    """The palette in use."""
    return _in_use


@cache
def color(value: str, alpha: int = 255) -> QColor:
    """``#rrggbb`` as a QColor; cached, because painting asks for the same few thousands of times."""
    made = QColor(value)
    made.setAlpha(alpha)
    return made


def tone(name: str) -> QColor:
    """The colour of a token of the palette in use (``tone("mid")``)."""
    return color(getattr(_in_use, name))


class Type(Enum):
    """Every size of text in the window: family, pixels, weight."""

    BODY = ("Inter", 12, 400)
    MEDIUM = ("Inter", 12, 500)
    STRONG = ("Inter", 12, 600)
    SENTENCE = ("Inter", 13, 400)
    FIGURE = ("Inter", 13, 600)
    BIG = ("Inter", 16, 600)
    SYMBOL = ("Inter", 15, 600)
    SMALL = ("Inter", 11, 400)
    SMALL_STRONG = ("Inter", 11, 600)
    TINY = ("Inter", 10, 500)
    BADGE = ("Inter", 10, 700)
    MONO = ("JetBrains Mono", 11, 400)
    MONO_STRONG = ("JetBrains Mono", 11, 600)


# Digits of one width, a zero with a slash, punctuation lifted to capitals: numbers line up and cannot be misread.
_FEATURES: Final = {"Inter": ("tnum", "zero", "case"), "JetBrains Mono": ("zero",)}


@cache
def font(kind: Type) -> QFont:
    family, pixels, weight = kind.value
    made = QFont(family)
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight(weight))
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    for feature in _FEATURES[family]:
        made.setFeature(QFont.Tag(feature), 1)
    return made


@cache
def metrics(kind: Type) -> QFontMetrics:
    return QFontMetrics(font(kind))


@lru_cache(maxsize=8_192)
def text_width(text: str, kind: Type) -> int:
    """Pixels of ``text``; remembered, because tables ask for the same words at every paint."""
    return metrics(kind).horizontalAdvance(text)


@cache
def line_height(kind: Type) -> int:
    return metrics(kind).height()


@lru_cache(maxsize=8_192)
def laid_out(text: str, kind: Type) -> QStaticText:
    """``text`` as glyphs in their places: laying it out anew costs three times as much as drawing it."""
    made = QStaticText(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
    made.prepare(QTransform(), font(kind))
    return made


def load_fonts() -> None:
    """Register the bundled fonts.

    Raises:
        RuntimeError: a file is missing or broken; the window would otherwise show whatever the machine has.
    """
    for path in sorted((RESOURCES / "fonts").glob("*.[ot]tf")):
        if QFontDatabase.addApplicationFont(str(path)) < 0:
            raise RuntimeError(f"The font {path} cannot be read: restore the resources folder.")
    missing = {kind.value[0] for kind in Type} - set(QFontDatabase.families())
    if missing:
        raise RuntimeError(f"Fonts missing in {RESOURCES / 'fonts'}: {', '.join(sorted(missing))}.")


def sides() -> str:
    """Name of the colours of buys and sells in use."""
    return _sides


def palette_of(name: str, of_sides: str) -> Palette:
    """``dark`` or ``light`` with the colours of buys and sells of one of ``SIDES``."""
    palette, (buy, sell) = PALETTES[name], SIDES[of_sides][name]
    return palette if (palette.buy, palette.sell) == (buy, sell) else replace(palette, buy=buy, sell=sell)


def use(app: QApplication, name: str, of_sides: str | None = None) -> None:
    """Make ``name`` (``dark`` or ``light``) the palette of the whole application; buys and sells stay as they are."""
    global _in_use, _sides
    _sides = of_sides or _sides
    _in_use = palette_of(name, _sides)
    app.setFont(font(Type.BODY))
    app.setPalette(_qt_palette(_in_use))
    app.setStyleSheet(style_sheet(_in_use))
    for widget in app.allWidgets():
        widget.update()


def _qt_palette(p: Palette) -> QPalette:
    made = QPalette()
    role = QPalette.ColorRole
    for which, value in (
        (role.Window, p.plane0),
        (role.WindowText, p.high),
        (role.Base, p.plane1),
        (role.AlternateBase, p.plane2),
        (role.Text, p.high),
        (role.PlaceholderText, p.low),
        (role.Button, p.plane2),
        (role.ButtonText, p.high),
        (role.ToolTipBase, p.plane3),
        (role.ToolTipText, p.high),
        (role.Highlight, p.entry),
        (role.HighlightedText, p.side_ink),
    ):
        made.setColor(which, QColor(value))
    return made


def style_sheet(p: Palette) -> str:
    tones = "\n".join(
        f'QLabel[tone="{name}"] {{ color: {getattr(p, name)}; }}'
        for name in (
            "high",
            "mid",
            "low",
            "faint",
            "buy",
            "sell",
            "go",
            "covered",
            "stop",
            "p1_text",
            "p2_text",
            "past",
        )
    )
    return f"""
{tones}
QLabel {{ background: transparent; }}
QMainWindow, QWidget#root {{ background: {p.plane0}; }}
QMainWindow::separator {{ background: {p.plane0}; width: {GAP}px; height: {GAP}px; }}
QMainWindow::separator:hover {{ background: {p.line_strong}; }}
QToolTip {{ background: {p.plane3}; color: {p.high}; border: 1px solid {p.line_strong}; padding: 4px 6px; }}

QWidget[part="header"] {{ background: {p.plane1}; border: 1px solid {p.line}; border-bottom: none;
    border-top-left-radius: {RADIUS}px; border-top-right-radius: {RADIUS}px; }}
QWidget[part="body"] {{ background: {p.plane1}; border: 1px solid {p.line};
    border-bottom-left-radius: {RADIUS}px; border-bottom-right-radius: {RADIUS}px; }}
QWidget[part="bar"] {{ background: {p.plane1}; border: 1px solid {p.line}; border-radius: {RADIUS}px; }}
QWidget[part="section"] {{ border-top: 1px solid {p.line}; }}
QWidget[part="rule"] {{ background: {p.line}; }}

QFrame[part="card"] {{ background: {p.plane2}; border: 1px solid {p.line}; border-radius: {RADIUS}px; }}
QFrame[part="card"]:hover {{ border-color: {p.line_strong}; }}
QFrame[part="card"][chosen="true"] {{ border-color: {p.faint}; }}
QFrame[part="card"][gone="true"] {{ background: {p.plane1}; }}
QFrame[part="strip"] {{ background: {p.plane3}; border: 1px solid {p.line_strong}; border-radius: {RADIUS}px; }}
QFrame[part="strip"][level="p1"] {{ border: 1px solid {p.p1}; }}
QFrame[part="sheet"] {{ background: {p.plane2}; border: 1px solid {p.line_strong}; border-radius: {RADIUS}px; }}

QPushButton {{ background: {p.plane3}; color: {p.high}; border: 1px solid {p.line_strong};
    border-radius: {CONTROL_RADIUS}px; padding: 0 10px; min-height: 24px; }}
QPushButton:hover {{ border-color: {p.low}; }}
QPushButton:pressed {{ background: {p.plane2}; }}
QPushButton:focus {{ border-color: {p.mid}; }}
QPushButton:disabled {{ background: {p.plane2}; color: {p.low}; border-color: {p.line}; }}
QPushButton[kind="go"] {{ background: {p.go}; color: {p.go_ink}; border-color: {p.go}; }}
QPushButton[kind="go"]:hover {{ border-color: {p.high}; }}
QPushButton[kind="go"]:disabled {{ background: {p.plane2}; color: {p.low}; border-color: {p.line}; }}
QPushButton[kind="danger"] {{ background: transparent; color: {p.p1_text}; border-color: {p.p1_text}; }}
QPushButton[kind="danger"]:disabled {{ color: {p.low}; border-color: {p.line}; }}
QPushButton[kind="quiet"] {{ background: transparent; border-color: transparent; color: {p.mid}; padding: 0 6px; }}
QPushButton[kind="quiet"]:hover {{ color: {p.high}; }}
QPushButton[kind="quiet"]:checked {{ color: {p.high}; }}
QPushButton[kind="quiet"]:disabled {{ color: {p.low}; }}
QPushButton[kind="link"] {{ background: transparent; border: none; color: {p.low}; padding: 0; min-height: 16px;
    text-align: left; }}
QPushButton[kind="link"]:hover, QPushButton[kind="link"]:checked {{ color: {p.high}; }}
QPushButton[kind="notice"] {{ background: transparent; border: none; color: {p.p2_text}; padding: 0;
    min-height: 16px; }}
QPushButton[kind="notice"]:hover, QPushButton[kind="notice"]:focus {{ color: {p.high}; text-decoration: underline; }}
QPushButton:checked {{ border-color: {p.high}; color: {p.high}; }}
QPushButton[tint="buy"]:checked {{ background: {p.buy}; border-color: {p.buy}; color: {p.side_ink}; }}
QPushButton[tint="sell"]:checked {{ background: {p.sell}; border-color: {p.sell}; color: {p.side_ink}; }}
QPushButton[kind="quiet"]::menu-indicator {{ width: 0; }}

QMenu {{ background: {p.plane3}; color: {p.high}; border: 1px solid {p.line_strong}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 22px; border-radius: 4px; }}
QMenu::item:selected {{ background: {p.line_strong}; }}
QMenu::item:disabled {{ color: {p.low}; }}
QMenu::separator {{ height: 1px; background: {p.line}; margin: 4px 6px; }}

QLineEdit {{ background: {p.plane2}; color: {p.high}; border: 1px solid {p.line}; border-radius: {CONTROL_RADIUS}px;
    padding: 0 6px; min-height: 20px; selection-background-color: {p.entry}; selection-color: {p.side_ink}; }}
QLineEdit:focus {{ border-color: {p.mid}; }}
QHeaderView QLineEdit {{ padding: 0 4px; min-height: 18px; }}
QLineEdit[wrong="true"] {{ border-color: {p.p1_text}; color: {p.p1_text}; }}

QPlainTextEdit {{ background: {p.plane1}; color: {p.high}; border: 1px solid {p.line}; padding: 4px;
    border-radius: {CONTROL_RADIUS}px; selection-background-color: {p.entry}; selection-color: {p.side_ink}; }}
QTreeView {{ background: transparent; border: none; outline: none; }}
QTreeView::branch {{ background: transparent; border-image: none; image: none; }}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{ background: transparent; border: none; border-bottom: 1px solid {p.line}; }}
QScrollArea, QScrollArea > QWidget > QWidget#cards {{ background: transparent; border: none; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 9px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 9px; margin: 0; }}
QScrollBar::handle {{ background: {p.line_strong}; border-radius: 3px; margin: 1px 2px;
    min-height: 24px; min-width: 24px; }}
QScrollBar::handle:hover {{ background: {p.low}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""
