"""Incidents as a list: cause, consequence, action and buttons, painted, each as high as its words need."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem

from engine.views import IncidentView
from gui import formatting as say
from gui.actions import ACTOR
from gui.tables.row_model import ROW_ROLE, RowModel
from gui.theme import Type, font, tone
from gui.widgets.alarm_chip import PRIORITY_GLYPHS, PRIORITY_TONES
from gui.widgets.glyph import paint_glyph

_LEFT: Final = 34
_PAD: Final = 10
_NARROW: Final = 400
_BUTTON_ROW: Final = 27
_BUTTONS: Final = {
    "retry": "Retry",
    "reprice": "Reprice",
    "protect": "Protect",
    "flatten": "Flatten",
    "lookup": "Look up",
    "poll": "Poll orders",
    "show": "Show",
    "shelve": "Shelve",
    "unshelve": "Take back",
    "ack": "Ack",
}
_QUIET: Final = frozenset({"ack", "shelve"})
_TIPS: Final = {
    "retry": "Place the exits again, now",
    "reprice": "Take the new shares into the trade and place its exits anew",
    "protect": "End the unprotected run now: the desk places exits again",
    "flatten": "Close the position; asks once",
    "lookup": "Ask the broker now",
    "poll": "Read orders every 2 s until the order stream is back; entries stay denied",
    "show": "Show what it is about",
    "shelve": "Out of sight for a while, with a reason; it stands under Shelf meanwhile",
    "unshelve": "Back among the incidents, now",
    "ack": "Seen: it stays until it is over, without asking for your eye",
}

MOST_COVERED: Final = 3
"""Causes named of those that one incident stands for."""

type Index = QModelIndex | QPersistentModelIndex


def buttons_of(incident: IncidentView) -> list[str]:
    if incident.shelved_until is not None:
        return ["unshelve"]
    if incident.cleared_at is not None:
        return ["ack"]
    known = [name for name in incident.buttons if name in _BUTTONS]
    known += ["shelve"] if incident.can_shelve else []
    return known if incident.acked_at is not None else [*known, "ack"]


def time_words(incident: IncidentView, now: datetime) -> str:
    """How long there is to act, or how late it is, while nobody has acknowledged it; empty without a deadline."""
    if incident.deadline_at is None or incident.acked_at is not None or incident.cleared_at is not None:
        return ""
    left_s = (incident.deadline_at - now).total_seconds()
    return f"{say.countdown(left_s)} left" if left_s > 0 else f"{say.countdown(-left_s)} late"


def body_of(incident: IncidentView) -> str:
    if incident.cleared_at is not None:
        lasted = say.span((incident.cleared_at - incident.raised_at).total_seconds())
        return f"Over since {say.clock(incident.cleared_at)}, after {lasted}. Nobody had acknowledged it."
    words = f"{incident.consequence} {incident.action}".strip()
    if incident.covers:
        words += f" Stands for {len(incident.covers)} more: {'; '.join(incident.covers[:MOST_COVERED])}."
    if incident.shelved_until is not None:
        who = "you" if incident.shelved_by == ACTOR else incident.shelved_by
        words += f" On the shelf until {say.clock(incident.shelved_until)} by {who}: {incident.shelved_why}."
    return words


class IncidentDelegate(QStyledItemDelegate):
    def __init__(self, view: IncidentList) -> None:
        super().__init__(view)
        self._view = view

    def _is_narrow(self) -> bool:
        """Buttons then stand under the words instead of beside them."""
        return self._view.viewport().width() < _NARROW

    def _text_width(self, incident: IncidentView) -> int:
        room = self._view.viewport().width() - _LEFT - 2 * _PAD
        return room if self._is_narrow() else room - self.buttons_width(incident)

    def buttons_width(self, incident: IncidentView) -> int:
        metrics = QFontMetrics(font(Type.SMALL_STRONG))
        return sum(metrics.horizontalAdvance(_BUTTONS[name]) + 21 for name in buttons_of(incident))

    def _body_rect(self, width: int, text: str) -> QRect:
        flags = int(Qt.TextFlag.TextWordWrap)
        return QFontMetrics(font(Type.SMALL)).boundingRect(QRect(0, 0, max(width, 60), 1_000), flags, text)

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        incident = index.data(ROW_ROLE)
        body = self._body_rect(self._text_width(incident), body_of(incident))
        buttons = _BUTTON_ROW if self._is_narrow() and buttons_of(incident) else 0
        return QSize(100, max(_PAD + 17 + body.height() + _PAD + buttons, 44))

    def button_rects(self, rect: QRect, incident: IncidentView) -> list[tuple[QRect, str]]:
        metrics = QFontMetrics(font(Type.SMALL_STRONG))
        right, top = rect.right() - _PAD, rect.top() + _PAD - 1
        if self._is_narrow():
            right, top = rect.left() + _LEFT + self.buttons_width(incident) - 5, rect.bottom() - _BUTTON_ROW - 1
        placed = []
        for name in reversed(buttons_of(incident)):
            width = metrics.horizontalAdvance(_BUTTONS[name]) + 16
            placed.append((QRect(right - width, top, width, 21), name))
            right -= width + 5
        return placed

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        incident: IncidentView = index.data(ROW_ROLE)
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        over = incident.cleared_at is not None
        seen = incident.acked_at is not None or over
        calls = incident.priority == 1 and not seen
        if incident.priority == 1 and not over:
            painter.fillRect(rect, tone("p1_wash"))
        if incident.id == self._view.current_id:
            if incident.priority != 1 or over:
                painter.fillRect(rect, tone("selected"))
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height() - 1), tone("mid"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), tone("line"))
        glyph = PRIORITY_GLYPHS.get(incident.priority, PRIORITY_GLYPHS[3])
        center = QPointF(rect.left() + 19, rect.top() + _PAD + 8)
        ink = "low" if over else PRIORITY_TONES.get(incident.priority, "mid")
        if calls and self._view.is_lit:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tone("p1"))
            painter.drawRoundedRect(QRectF(center.x() - 9.5, center.y() - 9.5, 19, 19), 4, 4)
            ink = "p1_ink"
        paint_glyph(painter, center, 12, glyph, tone(ink))
        width = self._text_width(incident)
        painter.setFont(font(Type.STRONG))
        painter.setPen(tone("mid" if over or (seen and incident.priority > 1) else "high"))
        title = incident.cause + (f"  ×{incident.count}" if incident.count > 1 else "")
        time_left = time_words(incident, self._view.now) if self._view.now is not None else ""
        taken = QFontMetrics(font(Type.SMALL_STRONG)).horizontalAdvance(time_left) + 12 if time_left else 0
        title = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, width - taken)
        line = QPointF(rect.left() + _LEFT, rect.top() + _PAD + 12)
        painter.drawText(line, title)
        if time_left:
            line += QPointF(painter.fontMetrics().horizontalAdvance(title) + 10, 0)
            painter.setFont(font(Type.SMALL_STRONG))
            painter.setPen(tone("p1_text" if time_left.endswith("late") else "mid"))
            painter.drawText(line, time_left)
        painter.setFont(font(Type.SMALL))
        painter.setPen(tone("mid"))
        body = QRect(rect.left() + _LEFT, rect.top() + _PAD + 18, width, rect.height())
        painter.drawText(body, int(Qt.TextFlag.TextWordWrap), body_of(incident))
        painter.setFont(font(Type.SMALL_STRONG))
        for box, name in self.button_rects(rect, incident):
            self._paint_button(painter, box, name, incident)
        painter.restore()

    def _paint_button(self, painter: QPainter, box: QRect, name: str, incident: IncidentView) -> None:
        hot = self._view.hot == (incident.id, name)
        urgent = name == "retry" and incident.priority == 1
        if name not in _QUIET or hot:
            painter.setPen(QPen(tone("p1_text" if urgent else "low" if hot else "line_strong"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush if urgent and not hot else tone("plane3"))
            painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(tone("p1_text" if urgent else "mid" if name in _QUIET else "high"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, _BUTTONS[name])


class IncidentList(QListView):
    pressed = Signal(str, object)
    """Name of the button clicked, and the ``IncidentView``."""
    chosen = Signal(object)
    """The ``IncidentView`` that a person has moved to."""

    def __init__(self, model: RowModel[IncidentView], *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.rows = model
        self.hot: tuple[str, str] | None = None
        self.current_id: str | None = None
        self.now: datetime | None = None
        self.is_lit = True
        """Half of the time: what is urgent and unacknowledged flashes."""
        self._beats = 0
        self.setModel(model)
        self._paints = IncidentDelegate(self)
        self.setItemDelegate(self._paints)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("background: transparent;")
        self.setMouseTracking(True)
        self.setSelectionMode(QListView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def button_rect(self, incident_id: str, name: str) -> QRect:
        index = self.rows.index_of(incident_id)
        row = index.data(ROW_ROLE)
        hits = self._paints.button_rects(self.visualRect(index), row) if row is not None else []
        return next((box for box, each in hits if each == name), QRect())

    def show_time(self, now: datetime) -> None:
        self.now = now
        self._beats += 1
        self.is_lit = self._beats % 4 < 2
        rows = self.rows.rows()
        if any(row.acked_at is None and (row.priority == 1 or row.deadline_at is not None) for row in rows):
            self.viewport().update()

    # --- what the keys act on --------------------------------------------------------------------------------

    def current_row(self) -> IncidentView | None:
        """None when nobody has moved to one, or it has gone."""
        key = self.current_id
        return self.rows.row(key) if key is not None and self.rows.index_of(key).isValid() else None

    def step(self, by: int) -> None:
        """Up or down by so many; to the first one from none."""
        rows = self.rows.rows()
        current = self.current_row()
        at = rows.index(current) + by if current is not None else 0
        if rows:
            self.choose(rows[min(max(at, 0), len(rows) - 1)].id)

    def choose(self, incident_id: str) -> None:
        self.current_id = incident_id
        self.scrollTo(self.rows.index_of(incident_id))
        self.viewport().update()
        self.chosen.emit(self.current_row())

    # --- pointer ---------------------------------------------------------------------------------------------

    def _hit(self, at: QPoint) -> tuple[IncidentView, str] | None:
        index = self.indexAt(at)
        row: Any = index.data(ROW_ROLE)
        if row is None:
            return None
        for box, name in self._paints.button_rects(self.visualRect(index), row):
            if box.contains(at):
                return row, name
        return None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hit = self._hit(event.position().toPoint())
        hot = (hit[0].id, hit[1]) if hit else None
        if hot != self.hot:
            self.hot = hot
            self.viewport().setToolTip(_TIPS[hot[1]] if hot else "")
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if hot else Qt.CursorShape.ArrowCursor)
            self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        at = event.position().toPoint()
        hit = self._hit(at)
        row = self.indexAt(at).data(ROW_ROLE)
        if row is not None:
            self.choose(row.id)
        if hit is not None:
            self.pressed.emit(hit[1], hit[0])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()


def tip_of(incident: IncidentView) -> str:
    seen = f"\nSeen by {incident.acked_by} {say.stamp(incident.acked_at)}" if incident.acked_at else ""
    return f"{incident.cause}\n{body_of(incident)}\nRaised {say.stamp(incident.raised_at)}{seen}"
