"""Releasing a desk that tripped: what is asked, what is typed, what is told."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from engine.model.commands import Agreement
from engine.model.words import DeskState
from gui.widgets.state_switch import StateSwitch
from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace
from tests.gui.stage import LOSS


def ask(screen: Screen, state: DeskState) -> None:
    switch = screen.find("desk-state")
    assert isinstance(switch, StateSwitch)
    QTest.mouseClick(switch, Qt.MouseButton.LeftButton, pos=switch.segment(state).center().toPoint())


async def test_a_trip_that_stands_is_named_and_forced_by_its_words_alone(opened: Any) -> None:
    async with opened("tripped") as screen:
        assert screen.text("state-cause") == LOSS.cause
        assert "$1,031.40, limit $1,000.00" in screen.find("state-cause").toolTip()
        ask(screen, DeskState.ACTIVE)
        yes, typed = screen.find("brackets-confirm-yes"), screen.find("brackets-confirm-typed")
        assert "still stands" in screen.text("brackets-confirm-sentence")
        assert LOSS.cause in screen.text("brackets-confirm-consequence")
        QTest.keyClicks(typed, "RELEASE")
        assert not yes.isEnabled()
        QTest.keyClicks(typed, " ANYWAY")
        screen.click("brackets-confirm-yes")
        assert await screen.commands() == [("set_state", DeskState.ACTIVE, "RELEASE ANYWAY")]
        await until(lambda: screen.find("state-cause").isHidden())


async def test_a_trip_whose_cause_is_over_takes_the_plain_word(opened: Any) -> None:
    async with opened("tripped") as screen:
        over = replace(LOSS, stands=False, release="Its cause is over: type RELEASE.")
        screen.desk.put(replace(screen.desk.view(), trips=(over,)))
        screen.click_row("incident-list", "i-trip", "show")
        QTest.keyClicks(screen.find("brackets-confirm-typed"), "RELEASE")
        screen.click("brackets-confirm-yes")
        assert await screen.commands() == [("set_state", DeskState.ACTIVE, "RELEASE")]


async def test_more_caution_is_never_asked_about(opened: Any) -> None:
    async with opened("tripped") as screen:
        ask(screen, DeskState.REDUCING)
        assert await screen.commands() == [("set_state", DeskState.REDUCING, None)]


async def test_a_cause_that_came_back_meanwhile_asks_again_in_the_desks_words(opened: Any) -> None:
    async with opened("tripped") as screen:
        screen.desk.put(replace(screen.desk.view(), trips=(replace(LOSS, stands=False),)))
        ask(screen, DeskState.ACTIVE)
        QTest.keyClicks(screen.find("brackets-confirm-typed"), "RELEASE")
        screen.desk.put(replace(screen.desk.view(), trips=(LOSS,)))
        screen.click("brackets-confirm-yes")
        await until(lambda: "It still stands." in screen.text("brackets-confirm-consequence"))
        assert not screen.find("brackets-confirm").isHidden()
        assert screen.desk.view().health.desk_state is DeskState.PAUSED


async def test_a_halt_that_cools_off_asks_for_no_word_that_would_not_help(opened: Any) -> None:
    """The desk refuses, and says for how long."""
    async with opened("halted") as screen:
        screen.desk.halt.shown = replace(screen.desk.halt.shown, cooling_s=41.0)
        screen.desk.refuse("set_state", "COOLING_OFF", "The halt cools off: it can be left in 41 s.")
        ask(screen, DeskState.ACTIVE)
        await until(lambda: "it can be left in 41 s" in screen.text("toast-text"))
        assert not screen.find("brackets-confirm-yes").isVisible()


async def test_a_halt_of_two_asks_for_the_second_persons_name_and_word(opened: Any) -> None:
    async with opened("halted") as screen:
        screen.desk.halt.shown = replace(screen.desk.halt.shown, second_persons=("ben", "cid"))
        ask(screen, DeskState.ACTIVE)
        yes, typed = screen.find("brackets-confirm-yes"), screen.find("brackets-confirm-typed")
        name, word = screen.find("brackets-confirm-second"), screen.find("brackets-confirm-word")
        assert "ben or cid has to agree" in screen.text("brackets-confirm-consequence")
        QTest.keyClicks(typed, "RELEASE")
        QTest.keyClicks(name, "ben")
        assert not yes.isEnabled()
        QTest.keyClicks(word, "nine green bottles")
        assert isinstance(word, QLineEdit)
        assert "bottles" not in word.displayText(), "nobody reads over a shoulder"
        screen.desk.refuse("set_state", "WRONG_WORD", "That is not the word of this second person: the halt stands.")
        screen.click("brackets-confirm-yes")
        await until(lambda: "the halt stands" in screen.text("brackets-confirm-consequence"))
        assert (word.text(), yes.isEnabled()) == ("", False)
        QTest.keyClicks(typed, "RELEASE")
        QTest.keyClicks(name, "ben")
        QTest.keyClicks(word, "nine green bottles")
        screen.click("brackets-confirm-yes")
        agreement = Agreement("ben", "nine green bottles")
        assert (await screen.commands())[-1] == ("set_state", DeskState.ACTIVE, "RELEASE", agreement)


async def test_a_halt_of_one_asks_for_no_second_person(opened: Any) -> None:
    async with opened("halted") as screen:
        ask(screen, DeskState.ACTIVE)
        assert screen.find("brackets-confirm-typed").isVisible()
        assert not screen.find("brackets-confirm-second").isVisible()
        assert not screen.find("brackets-confirm-word").isVisible()
