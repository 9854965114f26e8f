"""What is heard: one sound a priority, the most urgent first and until it is acknowledged; mute and volumes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import miniaudio
import numpy as np
import pytest

from engine.model.words import SignalStatus
from engine.views import IncidentView
from gui.app import show_window
from gui.sounds.sounding import REPEAT_S, VOLUMES, Sounding
from gui.sounds.speaker import Speaker
from gui.sounds.tones import RATE, Samples, at_volume, seconds_of, sound_of
from gui.widgets.segments import Segments
from tests.gui import scenery as make
from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace
from tests.gui.stage import desk_of
from tests.gui.test_palette import enter, open_palette


def incident(ident: str, priority: int, **changes: Any) -> IncidentView:
    return make.incident(ident, priority, "cause", "consequence", "action", **changes)


class Heard:
    def __init__(self) -> None:
        self.played: list[tuple[int, float]] = []
        self.is_free = True
        self.sounding = Sounding(self._play)
        self.now_s = 100.0

    def _play(self, priority: int, volume: float) -> bool:
        if self.is_free:
            self.played.append((priority, volume))
        return self.is_free

    def after(self, seconds: float) -> list[int]:
        """Priorities heard in that time, four beats a second."""
        before = len(self.played)
        for _ in range(int(seconds * 4)):
            self.now_s += 0.25
            self.sounding.beat(self.now_s)
        return [priority for priority, _ in self.played[before:]]


@pytest.fixture
def heard() -> Heard:
    return Heard()


# --- tones -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("priority", [1, 2, 3])
def test_a_sound_is_short_does_not_click_and_is_not_clipped(priority: int) -> None:
    samples = sound_of(priority)
    assert 0.1 < seconds_of(priority) <= 1.5
    assert np.abs(samples).max() < np.iinfo(np.int16).max
    assert abs(int(samples[0])) < 200
    assert abs(int(samples[-1])) < 200


def test_priorities_are_told_apart_by_rhythm_and_pitch() -> None:
    lengths = {round(seconds_of(priority), 2) for priority in (1, 2, 3)}
    assert len(lengths) == 3

    def knocks(samples: Samples) -> int:
        loud = np.convolve(np.abs(samples.astype(float)), np.ones(200) / 200, "same") > 1_000
        return int(np.count_nonzero(np.diff(loud.astype(int)) == 1)) + int(loud[0])

    assert [knocks(sound_of(priority)) for priority in (1, 2, 3)] == [4, 2, 1]


def test_volume_goes_from_nothing_to_all() -> None:
    whole = sound_of(1)
    assert at_volume(whole, 0).max() == 0
    assert np.array_equal(at_volume(whole, 1), whole)
    assert np.array_equal(at_volume(whole, 7), whole)
    assert 0 < at_volume(whole, 0.5).max() < whole.max() / 3


# --- when ------------------------------------------------------------------------------------------------------------


def test_what_begins_is_heard_once_and_priority_1_until_it_is_acknowledged(heard: Heard) -> None:
    heard.sounding.take([incident("a", 2)], [])
    assert heard.after(20) == [2]
    naked = incident("b", 1)
    heard.sounding.take([naked], [])
    assert heard.after(3 * REPEAT_S - 1) == [1, 1, 1]
    heard.sounding.take([replace(naked, count=5)], [])
    assert heard.after(REPEAT_S) == [1], "the same trouble again is not louder"
    heard.sounding.take([replace(naked, acked_at=make.NOW)], [])
    assert heard.after(20) == []


def test_the_most_urgent_of_several_is_heard_and_is_not_drowned_by_the_rest(heard: Heard) -> None:
    heard.sounding.take([incident("a", 3), incident("b", 1), incident("c", 2)], [])
    assert heard.after(1) == [1]


@pytest.mark.parametrize("over", [{"cleared_at": make.NOW}, {"shelved_until": make.NOW}, {"acked_at": make.NOW}])
def test_what_is_over_shelved_or_acknowledged_is_quiet_and_may_come_back(heard: Heard, over: dict[str, Any]) -> None:
    trouble = incident("a", 1)
    heard.sounding.take([trouble], [])
    assert heard.after(1) == [1]
    heard.sounding.take([replace(trouble, **over)], [])
    assert heard.after(20) == []
    heard.sounding.take([trouble], [])
    assert heard.after(1) == [1]
    heard.sounding.take([], ["a"])
    assert heard.after(20) == []


def test_what_becomes_more_urgent_is_heard_anew(heard: Heard) -> None:
    heard.sounding.take([incident("a", 2)], [])
    assert heard.after(1) == [2]
    heard.sounding.take([incident("a", 1)], [])
    assert heard.after(1) == [1]


def test_a_sound_waits_for_the_one_before_it_unless_its_cause_is_over(heard: Heard) -> None:
    heard.is_free = False
    heard.sounding.take([incident("a", 2), incident("b", 3)], [])
    assert heard.after(1) == []
    heard.sounding.take([], ["a"])
    heard.is_free = True
    assert heard.after(1) == [3]


def test_muted_and_off_are_silent_and_what_stands_is_heard_when_it_is_over(heard: Heard) -> None:
    heard.sounding.is_muted = True
    heard.sounding.take([incident("a", 1)], [])
    assert heard.after(20) == []
    heard.sounding.is_muted = False
    assert heard.after(REPEAT_S + 1)[0] == 1
    heard.sounding.volumes[1] = "off"
    assert heard.after(20) == []
    heard.sounding.volumes[1] = "low"
    heard.after(REPEAT_S + 1)
    assert heard.played[-1] == (1, VOLUMES["low"])


# --- the loudspeaker -------------------------------------------------------------------------------------------------


def null_device() -> Any:
    """miniaudio's own device without a loudspeaker: it takes samples at the pace of a real one."""
    return miniaudio.PlaybackDevice(
        output_format=miniaudio.SampleFormat.SIGNED16,
        nchannels=1,
        sample_rate=RATE,
        buffersize_msec=20,
        backends=[miniaudio.Backend.NULL],
    )


async def test_a_sound_is_played_to_its_end_and_another_waits() -> None:
    speaker = Speaker(null_device)
    try:
        assert speaker.play(sound_of(3))
        assert not speaker.play(sound_of(1)), "one at a time"
        await until(lambda: not speaker.is_busy, 5.0)
        assert speaker.failure is None
        assert speaker.play(sound_of(3))
        await until(lambda: not speaker.is_busy, 5.0)
    finally:
        speaker.close()


async def test_a_machine_without_a_loudspeaker_is_said_once_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    broken = True

    def device() -> Any:
        if broken:
            raise miniaudio.MiniaudioError("failed to init device", -401)
        return null_device()

    speaker = Speaker(device)
    try:
        for _ in range(3):
            speaker.play(sound_of(3))
            await until(lambda: not speaker.is_busy, 5.0)
        assert speaker.failure == "failed to init device"
        assert len([record for record in caplog.records if "no sound" in record.message]) == 1
        broken = False
        speaker.play(sound_of(3))
        await until(lambda: not speaker.is_busy, 5.0)
        assert speaker.failure is None
    finally:
        speaker.close()


# --- in the window ---------------------------------------------------------------------------------------------------


class Player:
    def __init__(self) -> None:
        self.played: list[Samples] = []
        self.failure: str | None = None

    def play(self, samples: Samples) -> bool:
        self.played.append(samples)
        return True


@asynccontextmanager
async def opened(folder: Path, scene: str) -> AsyncIterator[tuple[Screen, Player]]:
    desk, player = desk_of(scene), Player()
    async with show_window(
        desk, layout_file=folder / "layout.ini", on_close=lambda: None, clock=desk.clock, speaker=player
    ) as window:
        window.resize(1366, 768)
        window.activateWindow()
        await asyncio.sleep(0.02)
        yield Screen(desk, window, []), player


async def test_trouble_is_heard_muted_shown_and_heard_again(qapp: Any, tmp_path: Path) -> None:
    async with opened(tmp_path, "trouble") as (screen, player):
        await until(lambda: bool(player.played))
        assert np.array_equal(player.played[0], sound_of(1))
        open_palette(screen, "sounds")
        enter(screen)
        assert screen.find("sound-sheet").isVisible()
        assert not screen.find("muted-chip").isVisible()
        screen.click("sound-mute")
        assert screen.find("muted-chip").isVisible()
        screen.click("muted-chip")
        assert not screen.find("muted-chip").isVisible()


async def test_a_volume_is_tried_and_remembered(qapp: Any, tmp_path: Path) -> None:
    async with opened(tmp_path, "empty") as (screen, player):
        open_palette(screen, "sounds")
        enter(screen)
        volume = screen.find("sound-2")
        assert isinstance(volume, Segments)
        screen.click("sound-2-low")
        screen.click("sound-try-2")
        assert np.array_equal(player.played[-1], at_volume(sound_of(2), VOLUMES["low"]))
        player.failure = "failed to init device"
        await until(lambda: screen.text("sound-said") == "Nothing is heard: failed to init device.")
    async with opened(tmp_path, "empty") as (screen, _):
        open_palette(screen, "sounds")
        enter(screen)
        volume = screen.find("sound-2")
        assert isinstance(volume, Segments)
        assert volume.value == "low"


async def test_a_calm_desk_is_silent(qapp: Any, tmp_path: Path) -> None:
    async with opened(tmp_path, "busy") as (screen, player):
        assert screen.desk.signals(SignalStatus.PENDING)
        await asyncio.sleep(0.6)
        assert player.played == []
