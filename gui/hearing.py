"""The sounds in the window: what begins is heard, the sheet sets how loud, the state bar shows a mute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from PySide6.QtCore import QObject

from gui.bridge import Bridge
from gui.dialogs.sheet import Later
from gui.dialogs.sound_sheet import SoundSheet
from gui.sounds.sounding import VOLUMES, Sounding
from gui.sounds.tones import Samples, at_volume, sound_of
from gui.window import MainWindow

_KEPT: Final = "sound"


class Player(Protocol):
    @property
    def failure(self) -> str | None: ...
    def play(self, samples: Samples) -> bool: ...


class Hearing(QObject):
    def __init__(self, window: MainWindow, bridge: Bridge, player: Player, now_s: Callable[[], float]) -> None:
        super().__init__(window)
        self._player = player
        self._settings = window.settings
        self._bar = window.state_bar
        self._now_s = now_s
        self.sounding = Sounding(self._play)
        for priority in self.sounding.volumes:
            word = str(self._settings.value(f"{_KEPT}/{priority}", self.sounding.volumes[priority]))
            if word in VOLUMES:
                self.sounding.volumes[priority] = word
        self._window = window
        self._sheet = Later(self._make_sheet)
        self._bar.unmute_clicked.connect(lambda: self.mute(False))
        self._bar.menu.addAction("Sounds", lambda: self._sheet().ask())
        bridge.incidents_changed.connect(self.sounding.take)
        bridge.each_beat(self._beat)

    def mute(self, muted: bool) -> None:
        self.sounding.is_muted = muted
        if self._sheet.made is not None:
            self._sheet.made.show_muted(muted)
        self._bar.show_muted(muted)

    def _make_sheet(self) -> SoundSheet:
        sheet = SoundSheet(self._window, self._try)
        sheet.show_volumes(self.sounding.volumes)
        sheet.show_muted(self.sounding.is_muted)
        sheet.chosen.connect(self._choose)
        sheet.muted.connect(self.mute)
        return sheet

    def _beat(self) -> None:
        self.sounding.beat(self._now_s())
        sheet = self._sheet.made
        if sheet is not None and not sheet.isHidden():
            sheet.show_failure(self._player.failure)

    def _play(self, priority: int, volume: float) -> bool:
        return self._player.play(at_volume(sound_of(priority), volume))

    def _try(self, priority: int) -> None:
        """As loud as it would be, muted or not."""
        self._play(priority, VOLUMES[self.sounding.volumes[priority]])

    def _choose(self, priority: int, word: str) -> None:
        self.sounding.volumes[priority] = word
        self._settings.setValue(f"{_KEPT}/{priority}", word)
