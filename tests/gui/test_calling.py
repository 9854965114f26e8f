"""Who looks elsewhere is called: once for each thing that needs a hand now, and not about what they have seen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from engine.model.words import DeskState, Mode
from engine.views import IncidentView
from gui.alerts import MOST_AT_ONCE, Alerts
from gui.calling import Calling
from gui.tray import Tray, face_of, words_of
from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace
from tests.gui.stage import desk_of


class Called:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.is_watched = False
        self.alerts = Alerts(Mode.PAPER, lambda title, text: self.told.append((title, text)), lambda: self.is_watched)

    def take(self, *incidents: IncidentView, gone: tuple[str, ...] = ()) -> list[str]:
        """Titles of what it was called for."""
        before = len(self.told)
        self.alerts.take(incidents, gone)
        return [title for title, _ in self.told[before:]]


@pytest.fixture
def called() -> Called:
    return Called()


@pytest.fixture
def naked() -> IncidentView:
    """Priority 1."""
    return next(incident for incident in desk_of("trouble").incidents() if incident.priority == 1)


def expiring(naked: IncidentView) -> IncidentView:
    return replace(
        naked, id="i-x", priority=3, subject_kind="signal", cause="NVDA signal is about to expire",
        deadline_at=naked.raised_at + timedelta(seconds=15),
    )  # fmt: skip


def test_what_needs_a_hand_now_calls_once(called: Called, naked: IncidentView) -> None:
    assert called.take(naked) == [f"PAPER: {naked.cause}"]
    assert called.told[0][1] == naked.action
    assert called.take(replace(naked, count=9, cause="still naked")) == []
    assert called.take(replace(naked, cleared_at=naked.raised_at)) == []
    assert called.take(naked) == [f"PAPER: {naked.cause}"], "it has come back"


def test_a_signal_about_to_expire_calls_and_the_rest_does_not(called: Called, naked: IncidentView) -> None:
    assert called.take(expiring(naked)) == ["PAPER: NVDA signal is about to expire"]
    assert called.take(replace(naked, id="i2", priority=2), replace(naked, id="i3", priority=3)) == []


def test_who_is_watching_or_has_seen_it_or_wants_quiet_is_not_called(called: Called, naked: IncidentView) -> None:
    called.is_watched = True
    assert called.take(naked) == []
    called.is_watched = False
    assert called.take(naked) == [], "it was on the screen that somebody looked at"
    acked = replace(naked, id="i2", acked_at=naked.raised_at)
    shelved = replace(naked, id="i3", shelved_until=naked.raised_at + timedelta(minutes=5))
    assert called.take(acked, shelved) == []
    assert called.take(replace(shelved, shelved_until=None)) == [f"PAPER: {naked.cause}"], "it came off the shelf"
    called.alerts.is_on = False
    assert called.take(replace(naked, id="i4")) == []


def test_a_storm_calls_a_few_times_with_the_worst_first(called: Called, naked: IncidentView) -> None:
    many = [replace(naked, id=f"i{number}", cause=f"cause {number}") for number in range(20)]
    told = called.take(expiring(naked), *many)
    assert len(told) == MOST_AT_ONCE + 1
    assert told[0] == "PAPER: cause 0"
    assert told[-1] == f"PAPER: {21 - MOST_AT_ONCE} more need a hand"


def test_the_icon_shows_what_is_worst_and_says_it() -> None:
    trouble, busy = desk_of("trouble").view(), desk_of("busy").view()
    assert face_of(trouble) == "naked"
    assert "TSLA naked" in words_of(Mode.SIM, trouble)
    assert face_of(busy) == "well"
    paused = replace(busy, health=replace(busy.health, desk_state=DeskState.PAUSED))
    assert (face_of(paused), "paused" in words_of(Mode.PAPER, paused)) == ("stopped", True)
    assert face_of(replace(busy, health=replace(busy.health, status="degraded"))) == "wrong"


async def test_without_a_tray_the_system_is_told_beside_the_loop(qapp: Any) -> None:
    told: list[tuple[str, str]] = []
    with ThreadPoolExecutor(1) as pool:
        tray = Tray(Mode.SIM, pool, lambda title, text: told.append((title, text)))
        tray.show_desk(desk_of("trouble").view())
        tray.notify("title", "text")
        await until(lambda: told == [("title", "text")])
        tray.put_away()


def calling(screen: Screen) -> Calling:
    found = screen.window.findChild(Calling)
    assert isinstance(found, Calling)
    return found


async def test_the_switch_in_the_menu_is_remembered(opened: Any, tmp_path: Any) -> None:
    file = tmp_path / "remembered.ini"
    for is_on in (True, False):
        async with opened("busy", file) as screen:
            (switch,) = [each for each in screen.window.state_bar.menu.actions() if each.text() == "Notifications"]
            assert calling(screen).alerts.is_on is switch.isChecked() is is_on
            switch.trigger()
            assert calling(screen).alerts.is_on is not is_on


async def test_the_tray_brings_the_window(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window.showMinimized()
        calling(screen).tray.asked.emit()
        assert not screen.window.isMinimized()
        assert screen.window.isVisible()
