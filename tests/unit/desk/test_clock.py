"""The desk's clock goes on, whatever somebody does to the wall clock of its machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.clock import SLOWED, SteadyClock

NOON = datetime(2026, 8, 21, 12, 0, tzinfo=UTC)


class SetClock:
    """A wall clock that can be set, and goes on."""

    def __init__(self) -> None:
        self.wall = NOON
        self.at_s = 100.0

    def now(self) -> datetime:
        return self.wall

    def monotonic_s(self) -> float:
        return self.at_s

    def pass_s(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.at_s += seconds

    async def sleep(self, seconds: float) -> None:
        self.pass_s(seconds)


@pytest.fixture
def wall() -> SetClock:
    return SetClock()


def test_it_is_the_wall_clock_as_long_as_that_goes_on(wall: SetClock) -> None:
    steady = SteadyClock(wall)
    wall.pass_s(12.5)
    assert steady.now() == wall.now()


def test_a_step_forward_is_followed_at_once(wall: SetClock) -> None:
    steady = SteadyClock(wall)
    wall.wall += timedelta(hours=8)
    assert steady.now() == wall.now()


def test_where_the_wall_clock_was_set_back_time_goes_on(wall: SetClock) -> None:
    steady = SteadyClock(wall)
    before = steady.now()
    wall.wall -= timedelta(hours=1)
    wall.pass_s(10)
    assert steady.now() - before == timedelta(seconds=10 * SLOWED)


def test_it_is_the_wall_clock_again_when_that_has_caught_up(wall: SetClock) -> None:
    steady = SteadyClock(wall)
    wall.wall -= timedelta(seconds=5)
    wall.pass_s(60)
    assert steady.now() == wall.now()


def test_what_an_earlier_process_wrote_down_is_past(wall: SetClock) -> None:
    steady = SteadyClock(wall)
    steady.not_before(NOON + timedelta(hours=1))
    wall.pass_s(10)
    assert steady.now() == NOON + timedelta(hours=1, milliseconds=1, seconds=10 * SLOWED)
