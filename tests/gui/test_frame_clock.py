"""Frames: many changes make one, they come more rarely when they cost much, and let orders go first."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.frame_clock import LONGEST_MS, MOST_HELD_MS, SHARE, FrameClock, Pace, RightOfWay


class Stopwatch:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


def test_the_first_frame_waits_for_nothing(watch: Stopwatch) -> None:
    assert Pace(watch).wait_ms() == 0


def test_after_a_frame_of_ten_milliseconds_the_loop_has_its_time_for_itself(watch: Stopwatch) -> None:
    pace = Pace(watch)
    pace.begin()
    for _ in range(2):
        with pace.spending():
            watch.now_s += 0.005
        watch.now_s += 0.001
    rest_ms = 10 / SHARE - 12
    assert pace.wait_ms() == round(rest_ms)
    watch.now_s += rest_ms / 1000
    assert pace.wait_ms() == 0


def test_a_frame_that_costs_next_to_nothing_holds_up_none(watch: Stopwatch) -> None:
    pace = Pace(watch)
    pace.begin()
    with pace.spending():
        watch.now_s += 0.001
    watch.now_s += 0.08
    assert pace.wait_ms() == 0


def test_however_much_a_frame_costs_the_next_one_comes(watch: Stopwatch) -> None:
    pace = Pace(watch)
    pace.begin()
    with pace.spending():
        watch.now_s += 0.2
    assert pace.wait_ms() == LONGEST_MS - 200
    pace.begin()
    assert pace.wait_ms() == 0, "what the frame before has cost is forgotten"


def test_many_requests_make_one_frame_and_the_next_request_another(qtbot: QtBot, qapp: QApplication) -> None:
    clock = FrameClock(qapp, frame_ms=1)
    frames = []
    clock.frame.connect(lambda: frames.append(1))
    for _ in range(2):
        with qtbot.waitSignal(clock.frame):
            for _ in range(1000):
                clock.request()
    assert len(frames) == 2
    clock.stop()


def test_a_frame_that_is_put_off_comes_all_the_same(qtbot: QtBot, qapp: QApplication) -> None:
    clock = FrameClock(qapp, frame_ms=1)
    watch = Stopwatch()
    clock.pace = Pace(watch)
    clock.pace.begin()
    with clock.pace.spending():
        watch.now_s += 0.010
    frames = []
    clock.frame.connect(lambda: frames.append(watch.now_s))
    clock.request()
    qtbot.wait(5)
    assert frames == [], "it is not its turn yet"
    watch.now_s += 1.0
    qtbot.waitUntil(lambda: bool(frames))
    clock.stop()


def test_a_frame_waits_for_what_is_being_sent_but_not_for_ever(watch: Stopwatch) -> None:
    sending = [True]
    road = RightOfWay(lambda: sending[0], watch)
    assert road.is_taken()
    watch.now_s += (MOST_HELD_MS - 1) / 1000
    assert road.is_taken()
    watch.now_s += 0.002
    assert not road.is_taken(), "a disk that stands still must not stop the screen"
    assert not road.is_taken(), "nor hold up the next step of the frame"
    sending[0] = False
    assert not road.is_taken()
    sending[0] = True
    assert road.is_taken(), "the next order goes first again"
