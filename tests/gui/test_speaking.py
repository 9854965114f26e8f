"""What is spoken: the cause of what needs a hand now, once, after its sound, in words for the ear."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.views import IncidentView
from gui.app import show_window
from gui.hearing import SpokenWords
from gui.sounds.sounding import VOLUMES
from gui.sounds.speaking import TRIAL, Speaking, words_of
from gui.sounds.tones import RATE, Samples, at_volume, sound_of
from gui.sounds.voice import COMMANDS, FILE, Voice
from tests.gui import scenery as make
from tests.gui.conftest import Screen, until
from tests.gui.scenes import SceneDesk, replace
from tests.gui.stage import desk_of
from tests.gui.test_palette import enter, open_palette
from tests.gui.test_sounds import Player

SPEAKS = """
import sys, wave
words = sys.stdin.read()
with wave.open(sys.argv[1], "wb") as file:
    file.setparams((1, 2, 22050, 0, "NONE", ""))
    file.writeframes(b"\\1\\0" * 22050 * len(words.split()))
"""
"""A program for speech: a second of sound for each word, at half our rate."""


def program(tmp_path: Path, source: str) -> tuple[str, ...]:
    file = tmp_path / "speaks.py"
    file.write_text(source)
    return sys.executable, str(file), FILE


def naked(ident: str, cause: str = "40 TSLA naked: 3 placements failed", **changes: Any) -> IncidentView:
    return replace(make.incident(ident, 1, cause, "consequence", "action"), symbol="TSLA", **changes)


class Told:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.played = 0
        self.is_free = True
        self.made: Samples | None = None
        self.speaking = Speaking(self._begin, self._take, self._play)
        self.speaking.is_on = True

    def _begin(self, words: str) -> bool:
        self.begun.append(words)
        self.made = sound_of(3)
        return True

    def _take(self) -> Samples | None:
        made, self.made = self.made, None
        return made

    def _play(self, samples: Samples) -> bool:
        self.played += self.is_free
        return self.is_free

    def beats(self, count: int, *, is_silent: bool = False) -> None:
        for _ in range(count):
            self.speaking.beat(is_silent=is_silent)


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("40 TSLA naked: 3 placements of exits failed", "40 T S L A naked"),
        ("40 TSLA naked on the way out: the cancel of gl-1-2 hangs", "40 T S L A naked on the way out"),
        ("TSLA: stops for 5 more than is held", "T S L A, stops for 5 more than is held"),
        ("TSLA: nobody knows if the broker has gl-85-0936-entry-1", "T S L A, nobody knows if the broker has an order"),
        ("40 TSLA are beyond their stop at 131.50", "40 T S L A are beyond their stop at 131.50"),
        ("The day's loss reached $1,000.00.", "The day's loss reached $1,000.00"),
    ],
)
def test_words_are_for_the_ear(cause: str, words: str) -> None:
    assert words_of([naked("a", cause)]) == words


# --- when ------------------------------------------------------------------------------------------------------------


def test_what_begins_is_spoken_once() -> None:
    told = Told()
    told.speaking.take([naked("a")], [])
    told.beats(20)
    told.speaking.take([naked("a", count=4)], [])
    told.beats(20)
    assert (told.begun, told.played) == (["40 T S L A naked"], 1)
    told.speaking.take([], ["a"])
    told.speaking.take([naked("a")], [])
    told.beats(20)
    assert told.played == 2, "what comes back is told again"


def test_several_that_begin_together_are_a_number_and_the_newest() -> None:
    told = Told()
    told.speaking.take([naked("a"), naked("b", "TSLA has flipped: 3 shares")], [])
    told.beats(20)
    assert told.begun == ["2 need a hand now. The newest: T S L A has flipped"]


@pytest.mark.parametrize("over", [{"cleared_at": make.NOW}, {"acked_at": make.NOW}, {"shelved_until": make.NOW}])
def test_what_is_over_before_its_words_come_is_not_told(over: dict[str, Any]) -> None:
    told = Told()
    told.is_free = False
    told.speaking.take([naked("a")], [])
    told.beats(3)
    assert told.begun
    told.speaking.take([naked("a", **over)], [])
    told.is_free = True
    told.beats(3)
    assert told.played == 0


def test_words_wait_for_the_sound_before_them() -> None:
    told = Told()
    told.is_free = False
    told.speaking.take([naked("a")], [])
    told.beats(5)
    told.is_free = True
    told.beats(1)
    assert (told.played, len(told.begun)) == (1, 1)


def test_muted_off_and_less_urgent_are_not_told_not_even_later() -> None:
    told = Told()
    told.speaking.take([replace(naked("a"), priority=2)], [])
    told.beats(5)
    told.speaking.take([naked("b")], [])
    told.beats(5, is_silent=True)
    told.speaking.is_on = False
    told.speaking.take([naked("c")], [])
    told.beats(5)
    told.speaking.is_on = True
    told.beats(5)
    assert told.begun == []
    told.speaking.take([replace(naked("a"), priority=1)], [])
    told.beats(5)
    assert len(told.begun) == 1, "what becomes urgent is"


# --- the program -----------------------------------------------------------------------------------------------------


async def test_words_go_in_as_they_are_and_come_out_at_our_rate(tmp_path: Path) -> None:
    voice = Voice(program(tmp_path, SPEAKS))
    try:
        assert voice.begin("--version; $(halt) 'two' \"three\"")
        assert not voice.begin("another"), "one at a time"
        made: list[Samples] = []

        def is_made() -> bool:
            if (samples := voice.take()) is not None:
                made.append(samples)
            return bool(made)

        await until(is_made, 10.0)
        assert abs(len(made[0]) / RATE - 4) < 0.1
        assert voice.failure is None
        assert voice.take() is None
    finally:
        voice.close()


async def test_a_program_that_fails_is_said_in_its_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    voice = Voice(program(tmp_path, "import sys; sys.exit('no voice of that name')"))
    try:
        for _ in range(2):
            assert voice.begin("hello")

            def is_over() -> bool:
                return voice.take() is not None or voice.failure is not None

            await until(is_over, 10.0)
            await until(lambda: voice.take() is None and voice._made is None, 10.0)
        assert voice.failure is not None
        assert voice.failure.endswith("no voice of that name")
        assert len([record for record in caplog.records if "no voice:" in record.message]) == 1
    finally:
        voice.close()


def test_every_system_writes_a_file_and_reads_its_words() -> None:
    for commands in COMMANDS.values():
        for command in commands:
            assert FILE in " ".join(command)
    assert not Voice(()).is_there
    assert not Voice(()).begin("hello")


# --- in the window ---------------------------------------------------------------------------------------------------


class Words:
    failure: str | None = None
    is_there = True

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self._made: Samples | None = None

    def begin(self, words: str) -> bool:
        self.spoken.append(words)
        self._made = np.full(10, 1_000, dtype=np.int16)
        return True

    def take(self) -> Samples | None:
        made, self._made = self._made, None
        return made


@asynccontextmanager
async def opened(desk: SceneDesk, folder: Path, player: Player, voice: SpokenWords) -> AsyncIterator[Screen]:
    async with show_window(
        desk, layout_file=folder / "layout.ini", on_close=lambda: None, clock=desk.clock, speaker=player, voice=voice
    ) as window:
        window.resize(1366, 768)
        window.activateWindow()
        await asyncio.sleep(0.02)
        yield Screen(desk, window, [])


async def test_the_switch_speaks_is_tried_and_remembered(qapp: Any, tmp_path: Path) -> None:
    desk, player, words = desk_of("empty"), Player(), Words()
    async with opened(desk, tmp_path, player, words) as screen:
        open_palette(screen, "sounds")
        enter(screen)
        screen.click("sound-1-low")
        screen.click("sound-try-spoken")
        await until(lambda: bool(player.played))
        assert words.spoken == [TRIAL]
        assert np.array_equal(player.played[-1], at_volume(np.full(10, 1_000, dtype=np.int16), VOLUMES["low"]))
        assert screen.find("sound-spoken").accessibleName() == "Spoken off"
        screen.find("sound-spoken").setFocus()
        QTest.keyClick(screen.find("sound-spoken"), Qt.Key.Key_Space)
        assert screen.find("sound-spoken").accessibleName() == "Spoken on"
        words.failure = "espeak-ng failed: no such voice"
        await until(lambda: screen.text("sound-said") == "Nothing is spoken: espeak-ng failed: no such voice.")
        desk.put(naked("i-new"))
        await until(lambda: words.spoken[1:] == ["40 T S L A naked"])
    async with opened(desk, tmp_path, player, words) as screen:
        open_palette(screen, "sounds")
        enter(screen)
        assert screen.find("sound-spoken").accessibleName() == "Spoken on"
        await until(lambda: words.spoken[2:] == ["40 T S L A naked"])


async def test_without_a_program_the_sheet_says_so(qapp: Any, tmp_path: Path) -> None:
    desk = desk_of("empty")
    async with opened(desk, tmp_path, Player(), Voice(())) as screen:
        open_palette(screen, "sounds")
        enter(screen)
        assert "espeak-ng" in screen.text("sound-spoken-words")
        assert not screen.find("sound-spoken").isEnabled()
        assert not screen.find("sound-try-spoken").isEnabled()
        await asyncio.sleep(0.6)
        assert screen.find("sound-said").isHidden(), "nobody asked for it: it is no trouble"
