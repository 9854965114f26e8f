"""The window on a day that is over: the same panels, a bar to move in time, and no way to change anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence, QPainter, QPaintEvent, QShortcut

from engine.views import DeskView
from gui import theme
from gui.actions import Actions
from gui.bridge import Bridge
from gui.door import PastDoor
from gui.panel_set import PanelSet
from gui.panels.past_bar import PastBar
from gui.widgets.mode import paint_frame
from gui.window import MainWindow

TICK_MS: Final = 100
type Spawn = Callable[[str, object], object]


class PastWindow(MainWindow):
    def __init__(
        self,
        past: PastDoor,
        panels: PanelSet,
        bridge: Bridge,
        actions: Actions,
        *,
        layout_file: Path,
        on_close: Callable[[], None],
    ) -> None:
        super().__init__(
            past.mode,
            panels,
            bridge,
            actions,
            now=lambda: past.at,
            layout_file=layout_file,
            on_close=on_close,
        )
        self._past = past
        self._wanted: datetime | None = None
        """Where the hand is, while the book is still on its way there."""
        self._going = asyncio.Event()
        self.bar = PastBar(past.day.began_at, past.day.ended_at, past.marks)
        self.top.addWidget(self.bar)
        self.state_bar.only_look()
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._play_on)
        self.bar.play_asked.connect(self.toggle)
        self.bar.slider.asked.connect(self.go)
        self.bar.mark_asked.connect(self.go_to_mark)
        for keys, act in (
            ("K", self.toggle),
            (",", lambda: self.go_to_mark(-1)),
            (".", lambda: self.go_to_mark(1)),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(act)
        self._show_moment()

    # --- moving in time --------------------------------------------------------------------------------------

    @property
    def is_playing(self) -> bool:
        return self._tick.isActive()

    def toggle(self) -> None:
        """Go on at the chosen speed, or stand still. At its end a day begins anew."""
        if self.is_playing:
            self._tick.stop()
        else:
            if self._past.at >= self._past.day.ended_at:
                self.go(self._past.day.began_at)
            self._tick.start()
        self.bar.show_playing(self.is_playing)

    def go(self, at: datetime) -> None:
        """The newest wish counts: what was wished on the way there is let go."""
        day = self._past.day
        self._wanted = min(max(at, day.began_at), day.ended_at)
        self.bar.slider.show_at(self._wanted)
        self._going.set()

    def go_to_mark(self, direction: int) -> None:
        here, marks = self._wanted or self._past.at, [mark.at for mark in self._past.marks]
        day = self._past.day
        if direction > 0:
            self.go(next((at for at in marks if at > here), day.ended_at))
        else:
            self.go(next((at for at in reversed(marks) if at < here), day.began_at))

    async def follow(self) -> None:
        """For as long as the window stands: bring the book to where the hand is."""
        while True:
            await self._going.wait()
            self._going.clear()
            if self._wanted is None:
                continue
            wanted = self._wanted
            if await self._past.go(wanted):
                self.bridge.rewind()
            if self._wanted == wanted:
                self._wanted = None
            self._show_moment()

    def _play_on(self) -> None:
        if self._wanted is not None:
            return  # the book is still on its way
        if self._past.at >= self._past.day.ended_at:
            self.toggle()
            return
        self.go(self._past.at + timedelta(milliseconds=TICK_MS * int(self.bar.speed.value)))

    def _show_moment(self) -> None:
        self.bar.show_moment(self._wanted or self._past.at, has_tape=self._past.has_tape)

    # --- what is not as on a desk ----------------------------------------------------------------------------

    def headline(self, desk: DeskView) -> str:
        day = self._past.day.date.isoformat()
        account = f" · {desk.health.account}" if desk.health.account else ""
        return f"REPLAY {day} · Greenlight · {self.mode.value.upper()}{account}"

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nothing is at work here: there is nothing to ask."""
        event.ignore()
        self._tick.stop()
        self._on_close()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.tone("plane0"))
        paint_frame(painter, self.width(), self.height(), "past")
        painter.end()
