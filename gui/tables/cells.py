"""How a cell paints.

The delegate fills the row's ground first, then hands each cell the painter, its rectangle and the row; a cell draws
and keeps nothing. Cells that have something to click say where, through ``hits``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from engine.model.words import Side
from gui.formatting import side_letter
from gui.status_words import Face
from gui.theme import Type, font, laid_out, line_height, metrics, text_width, tone
from gui.widgets.glyph import Glyph, paint_glyph

PAD: Final = 8


@dataclass(slots=True)
class Paint:
    """What a cell is given: where, what it says, and what the pointer is on. One is reused for a whole row."""

    painter: QPainter
    rect: QRect
    text: str
    right: bool
    pressed: str | None
    """Name of the button under the pointer in this row, if any."""


@dataclass(frozen=True, slots=True)
class RowButton:
    name: str
    text: str
    kind: Literal["plain", "danger", "quiet"] = "plain"
    enabled: bool = True
    tip: str = ""


class Cell:
    """Base: draws nothing, offers nothing to click."""

    says_text: ClassVar[bool] = False
    """Whether ``paint`` reads the column's text; it is not made for those that do not."""

    def paint(self, _on: Paint, _row: Any) -> None:
        return None

    def face(self, _text: str, _row: Any) -> object:
        """All that ``paint`` shows, for comparison: a cell with the face that it was painted with is left as it is.

        Unless a cell says so, no two are alike.
        """
        return object()

    def hits(self, _rect: QRect, _row: Any) -> list[tuple[QRect, RowButton]]:
        return []


def draw_text(on: Paint, text: str, kind: Type, color: str, *, inset: int = 0) -> None:
    """Text in the cell's own alignment, cut with an ellipsis when it does not fit."""
    if not text:
        return
    rect = on.rect
    left, room = rect.left() + PAD + inset, rect.width() - 2 * PAD - inset
    width = text_width(text, kind)
    if width > room:
        text = metrics(kind).elidedText(text, Qt.TextElideMode.ElideRight, room)
        width = text_width(text, kind)
    on.painter.setPen(tone(color))
    draw_line(on.painter, left + room - width if on.right else left, rect, text, kind)


def draw_line(painter: QPainter, x: int, rect: QRect, text: str, kind: Type) -> None:
    """One line of text from ``x`` on, in the middle of the height of ``rect``, with the painter's pen."""
    painter.setFont(font(kind))
    painter.drawStaticText(x, rect.top() + (rect.height() - line_height(kind)) // 2, laid_out(text, kind))


class TextCell(Cell):
    """Plain text; ``color`` and ``kind`` may depend on the row."""

    says_text = True

    def __init__(self, color: str | Callable[[Any], str] = "high", kind: Type = Type.BODY, *, inset: int = 0) -> None:
        self._color = color
        self._kind = kind
        self._inset = inset

    def paint(self, on: Paint, row: Any) -> None:
        color = self._color if isinstance(self._color, str) else self._color(row)
        draw_text(on, on.text, self._kind, color, inset=self._inset)

    def face(self, text: str, row: Any) -> object:
        return text if isinstance(self._color, str) else (text, self._color(row))


class HollowCell(Cell):
    """Text that is framed and pale while ``is_hollow`` says that it is not so yet."""

    says_text = True

    def __init__(self, is_hollow: Callable[[Any], bool], kind: Type = Type.BODY) -> None:
        self._is_hollow = is_hollow
        self._kind = kind

    def paint(self, on: Paint, row: Any) -> None:
        if not self._is_hollow(row) or not any(letter.isdigit() for letter in on.text):
            draw_text(on, on.text, self._kind, "high")
            return
        width = min(text_width(on.text, self._kind), on.rect.width() - 2 * PAD)
        left = on.rect.right() + 1 - PAD - width if on.right else on.rect.left() + PAD
        on.painter.setPen(QPen(tone("low"), 1, Qt.PenStyle.DashLine))
        on.painter.setBrush(Qt.BrushStyle.NoBrush)
        on.painter.drawRoundedRect(QRectF(left - 4.5, on.rect.top() + 3.5, width + 8, on.rect.height() - 7), 3, 3)
        draw_text(on, on.text, self._kind, "mid")

    def face(self, text: str, row: Any) -> object:
        return text, self._is_hollow(row)


class StatusCell(Cell):
    """Glyph and word; a filled pill when the status is an alarm."""

    says_text = True

    def __init__(self, face: Callable[[Any], Face], *, inset: int = 0, arrow: bool = False) -> None:
        self._face = face
        self._inset = inset
        self._arrow = arrow
        """Leaves room for the arrow that opens the lines beneath."""

    def paint(self, on: Paint, row: Any) -> None:
        face = self._face(row)
        inset = self._inset + (15 if self._arrow else 0)
        left, middle = on.rect.left() + PAD + inset, on.rect.center().y() + 0.5
        word = Type.SMALL_STRONG if face.fill else Type.BODY
        ink = tone(f"{face.fill}_ink") if face.fill else tone(face.tone)
        if face.fill:
            width = text_width(on.text, word) + 28
            pill = QRectF(left - 2, middle - 9.5, min(width, on.rect.right() - left), 19)
            on.painter.setPen(Qt.PenStyle.NoPen)
            on.painter.setBrush(tone(face.fill))
            on.painter.drawRoundedRect(pill, 4, 4)
        glyph_color = ink if face.fill or face.tone != "mid" else tone("low")
        paint_glyph(on.painter, QPointF(left + 6, middle), 12, face.glyph, glyph_color)
        on.painter.setPen(ink)
        text, room = on.text, on.rect.right() - left - 19
        if text_width(text, word) > room:
            text = metrics(word).elidedText(text, Qt.TextElideMode.ElideRight, room)
        draw_line(on.painter, left + 17, on.rect, text, word)

    def face(self, text: str, row: Any) -> object:
        return text, self._face(row)


class SideCell(Cell):
    def __init__(self, side: Callable[[Any], Side]) -> None:
        self._side = side

    def paint(self, on: Paint, row: Any) -> None:
        paint_badge(on.painter, QPointF(on.rect.left() + PAD + 8, on.rect.center().y() + 0.5), self._side(row))

    def face(self, _text: str, row: Any) -> object:
        return self._side(row)


def paint_badge(painter: QPainter, center: QPointF, side: Side, size: float = 15) -> None:
    """The letter of the side on its colour."""
    box = QRectF(center.x() - size / 2, center.y() - size / 2, size, size)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tone("buy" if side is Side.BUY else "sell"))
    painter.drawRoundedRect(box, 3, 3)
    painter.setFont(font(Type.BADGE))
    painter.setPen(tone("side_ink"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, side_letter(side))


class CoverCell(Cell):
    """Covered against held: a bar whose missing part is the uncovered colour."""

    def __init__(self, share: Callable[[Any], float | None], *, limited: Callable[[Any], bool]) -> None:
        self._share = share
        self._limited = limited

    def paint(self, on: Paint, row: Any) -> None:
        bar = QRectF(on.rect.left() + PAD, on.rect.center().y() - 2, on.rect.width() - 2 * PAD, 5)
        share = self._share(row)
        painter = on.painter
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone("plane3" if share is None else "uncovered"))
        painter.drawRoundedRect(bar, 2.5, 2.5)
        if share:
            done = QRectF(bar.left(), bar.top(), bar.width() * min(share, 1.0), bar.height())
            painter.setBrush(tone("covered"))
            painter.drawRoundedRect(done, 2.5, 2.5)
            if self._limited(row):  # a gap can jump this cover: notched, not solid
                painter.setPen(QPen(tone("plane1"), 1.5))
                x = done.left() + 6
                while x < done.right() - 2:
                    painter.drawLine(QPointF(x, done.top()), QPointF(x, done.bottom()))
                    x += 6

    def face(self, _text: str, row: Any) -> object:
        return self._share(row), self._limited(row)


class ButtonsCell(Cell):
    """Buttons at the right end of a row."""

    def __init__(self, buttons: Callable[[Any], Sequence[RowButton]]) -> None:
        self._buttons = buttons

    def hits(self, rect: QRect, row: Any) -> list[tuple[QRect, RowButton]]:
        placed: list[tuple[QRect, RowButton]] = []
        right = rect.right() - 4
        for button in reversed(self._buttons(row)):
            width = text_width(button.text, Type.SMALL_STRONG) + 16
            placed.append((QRect(right - width, rect.center().y() - 9, width, 20), button))
            right -= width + 5
        return placed

    def paint(self, on: Paint, row: Any) -> None:
        painter = on.painter
        painter.setFont(font(Type.SMALL_STRONG))
        for box, button in self.hits(on.rect, row):
            hot = button.enabled and on.pressed == button.name
            edge, ink = ("p1_text", "p1_text") if button.kind == "danger" else ("line_strong", "high")
            if not button.enabled:
                edge, ink = "line", "faint"
            painter.setPen(QPen(tone("low" if hot and button.kind != "danger" else edge), 1))
            if button.kind == "quiet" and not hot:
                ink = "low" if button.enabled else "faint"
            else:
                hollow = button.kind == "danger" and not hot
                painter.setBrush(Qt.BrushStyle.NoBrush if hollow else tone("plane3" if button.enabled else "plane1"))
                painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            painter.setPen(tone(ink))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, button.text)

    def face(self, _text: str, row: Any) -> object:
        return tuple(self._buttons(row))


def paint_arrow(painter: QPainter, rect: QRect, opened: bool) -> None:
    """The arrow before a row that has lines beneath it."""
    at = QPointF(rect.left() + PAD + 4, rect.center().y() + 0.5)
    paint_glyph(painter, at, 11, Glyph.OPENED if opened else Glyph.SHUT, tone("low"))
