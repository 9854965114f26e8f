"""The icon in the tray: the desk's state as a coloured shape, in words on hovering; a click brings the window."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from engine.model.words import DeskState, Mode
from engine.views import DeskView
from gui import formatting as say
from gui.theme import tone
from gui.widgets.glyph import Glyph, paint_glyph

_SIZE: Final = 64
_SHOWN_MS: Final = 10_000
_FACES: Final = {
    "naked": (Glyph.DIAMOND, "p1"),
    "wrong": (Glyph.WARNING, "p2"),
    "stopped": (Glyph.SQUARE, "mid"),
    "well": (Glyph.DISC, "go"),
}


def face_of(desk: DeskView) -> str:
    """The one word for how the desk is: what is worst counts."""
    if desk.naked_symbols or desk.incidents[0]:
        return "naked"
    if desk.health.status != "ok" or desk.incidents[1]:
        return "wrong"
    return "well" if desk.health.desk_state is DeskState.ACTIVE else "stopped"


def words_of(mode: Mode, desk: DeskView) -> str:
    parts = [f"Greenlight {mode.value.upper()}", desk.health.desk_state.value]
    if desk.naked_symbols:
        parts.append(f"{say.qty(desk.naked_qty)} {', '.join(desk.naked_symbols)} naked")
    if desk.pending:
        parts.append(say.plural(desk.pending, "signal"))
    if any(desk.incidents):
        parts.append(say.plural(sum(desk.incidents), "incident"))
    return " · ".join(parts)


class Tray(QObject):
    asked = Signal()
    """The window is wanted."""

    def __init__(self, mode: Mode, pool: Executor, aside: Callable[[str, str], object]) -> None:
        """``aside`` raises a notification where there is no tray; it may block, and runs in ``pool``."""
        super().__init__()
        self._mode = mode
        self._pool = pool
        self._aside = aside
        self._face = ""
        self._menu = QMenu()
        self._menu.addAction("Show Greenlight", self.asked.emit)
        self._icon = QSystemTrayIcon(self) if QSystemTrayIcon.isSystemTrayAvailable() else None
        if self._icon is not None:
            self._icon.setContextMenu(self._menu)
            self._icon.activated.connect(self._activated)
            self._icon.messageClicked.connect(self.asked)

    def show_desk(self, desk: DeskView) -> None:
        if self._icon is None:
            return
        face = face_of(desk)
        if face != self._face:
            self._face = face
            self._icon.setIcon(_icon(*_FACES[face]))
            self._icon.show()
        self._icon.setToolTip(words_of(self._mode, desk))

    def notify(self, title: str, text: str) -> None:
        if self._icon is not None and QSystemTrayIcon.supportsMessages():
            self._icon.showMessage(title, text, self._icon.icon(), _SHOWN_MS)
        else:
            self._pool.submit(self._aside, title, text)

    def put_away(self) -> None:
        if self._icon is not None:
            self._icon.hide()
        self._menu.deleteLater()
        self.deleteLater()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is not QSystemTrayIcon.ActivationReason.Context:
            self.asked.emit()


def _icon(glyph: Glyph, ink: str) -> QIcon:
    picture = QPixmap(_SIZE, _SIZE)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint_glyph(painter, QPointF(_SIZE / 2, _SIZE / 2), _SIZE * 0.8, glyph, tone(ink))
    painter.end()
    return QIcon(picture)
