"""The sounds in the window: what begins is heard and told, the sheet sets how, the state bar shows a mute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from PySide6.QtCore import QObject

from engine.model.incident import Priority
from gui.bridge import Bridge
from gui.dialogs.sheet import Later
from gui.dialogs.sound_sheet import SoundSheet
from gui.sounds.sounding import VOLUMES, Sounding
from gui.sounds.speaking import TRIAL, Speaking
from gui.sounds.tones import Samples, at_volume, sound_of
from gui.window import MainWindow

_KEPT: Final = "sound"
_NOW: Final = int(Priority.NOW)


class Player(Protocol):
    @property
    def failure(self) -> str | None: ...
    def play(self, samples: Samples) -> bool: ...


class SpokenWords(Protocol):
    @property
    def failure(self) -> str | None: ...
    @property
    def is_there(self) -> bool: ...
    def begin(self, words: str) -> bool: ...
    def take(self) -> Samples | None: ...


class Hearing(QObject):
    def __init__(
        self, window: MainWindow, bridge: Bridge, player: Player, voice: SpokenWords, now_s: Callable[[], float]
    ) -> None:
        super().__init__(window)
        self._player = player
        self._voice = voice
        self._settings = window.settings
        self._bar = window.state_bar
        self._now_s = now_s
        self.sounding = Sounding(self._play)
        self.speaking = Speaking(voice.begin, voice.take, self._say)
        self.speaking.is_on = voice.is_there and self._settings.value(f"{_KEPT}/spoken", False, type=bool) is True
        for priority in self.sounding.volumes:
            word = str(self._settings.value(f"{_KEPT}/{priority}", self.sounding.volumes[priority]))
            if word in VOLUMES:
                self.sounding.volumes[priority] = word
        self._window = window
        self._sheet = Later(self._make_sheet)
        self._bar.unmute_clicked.connect(lambda: self.mute(False))
        self._bar.menu.addAction("Sounds", lambda: self._sheet().ask())
        bridge.incidents_changed.connect(self.sounding.take)
        bridge.incidents_changed.connect(self.speaking.take)
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
        sheet.show_spoken(self.speaking.is_on, can=self._voice.is_there)
        sheet.spoken.connect(self._speak)
        sheet.try_spoken.connect(lambda: self._voice.begin(TRIAL))
        sheet.chosen.connect(self._choose)
        sheet.muted.connect(self.mute)
        return sheet

    def _beat(self) -> None:
        self.sounding.beat(self._now_s())
        self.speaking.beat(is_silent=self.sounding.is_muted)
        sheet = self._sheet.made
        if sheet is not None and not sheet.isHidden():
            sheet.show_failure(self._player.failure, self._voice.failure)

    def _play(self, priority: int, volume: float) -> bool:
        return self._player.play(at_volume(sound_of(priority), volume))

    def _say(self, samples: Samples) -> bool:
        """As loud as what it is about sounds."""
        return self._player.play(at_volume(samples, VOLUMES[self.sounding.volumes[_NOW]]))

    def _speak(self, on: bool) -> None:
        self.speaking.is_on = on
        self._settings.setValue(f"{_KEPT}/spoken", on)
        self._sheet().show_spoken(on, can=self._voice.is_there)

    def _try(self, priority: int) -> None:
        """As loud as it would be, muted or not."""
        self._play(priority, VOLUMES[self.sounding.volumes[priority]])

    def _choose(self, priority: int, word: str) -> None:
        self.sounding.volumes[priority] = word
        self._settings.setValue(f"{_KEPT}/{priority}", word)
