"""Mandates as a person meets them: seen, revoked by a click, granted by holding, and never by Enter."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget

from engine.model.mandate import MandateTerms
from engine.model.words import Side
from gui.dialogs.mandate_sheet import GUARD_MS
from tests.gui.conftest import Screen, hold, until
from tests.gui.scene_mandates import FORM, mandate, standing
from tests.gui.scenes import replace


def give(screen: Screen, *shown: Any) -> None:
    screen.desk.given.shown = list(shown) or standing(screen.desk.clock.now())
    screen.desk.put(replace(screen.desk.view(), mandates=len(screen.desk.given.shown)))


def row(screen: Screen, mandate_id: str) -> QWidget:
    return screen.find(f"mandate-{mandate_id}")


def type_in(screen: Screen, name: str, text: str) -> QLineEdit:
    field = screen.find(f"mandate-{name}")
    assert isinstance(field, QLineEdit)
    field.clear()
    QTest.keyClicks(field, text)
    return field


async def test_the_count_in_the_state_bar_opens_what_is_burned_of_each(opened: Any) -> None:
    async with opened("busy") as screen:
        give(screen)
        await until(lambda: screen.text("mandates") == "Auto: 3 mandates")
        screen.click("mandates")
        first = row(screen, "m0001")
        assert screen.text("burn-day-words", first) == "Today $12,400 of $20,000"
        assert screen.text("burn-count-words", first) == "Approvals 3 of 10"
        assert screen.text("burn-loss-words", first) == "Lost and at risk $120 of $300"
        assert screen.text("mandate-scope", first).startswith("Longs in NVDA, AMD, AVGO · at most $5,000 each · until")
        assert "$6,308.40 exceed" in screen.text("mandate-refusal", first)
        assert screen.find("burn-loss", row(screen, "m0002")).isHidden(), "it has no such bound"
        screen.press(Qt.Key.Key_Escape)
        assert screen.find("mandate-sheet").isHidden()
        screen.press(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
        assert screen.find("mandate-sheet").isVisible()


async def test_a_burn_moves_while_the_sheet_is_open(opened: Any) -> None:
    async with opened("busy") as screen:
        give(screen, mandate(screen.desk.clock.now()))
        screen.press(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
        give(screen, mandate(screen.desk.clock.now(), notional_today=Decimal(17_000), count=4))
        await until(lambda: screen.text("burn-day-words", row(screen, "m0001")) == "Today $17,000 of $20,000")


async def test_revoking_is_one_click_and_a_double_click_does_not_reach_the_next(opened: Any) -> None:
    async with opened("busy") as screen:
        give(screen)
        screen.press(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
        button = screen.find("mandate-revoke", row(screen, "m0001"))
        QTest.mouseDClick(button, Qt.MouseButton.LeftButton)
        screen.click("mandate-revoke", row(screen, "m0001"))
        await until(lambda: screen.window.findChild(QWidget, "mandate-m0001") is None)
        screen.click("mandate-revoke", row(screen, "m0002"))
        assert screen.desk.commands == [("revoke", "m0001")]
        await asyncio.sleep(GUARD_MS / 1_000 + 0.1)
        screen.click("mandate-revoke", row(screen, "m0002"))
        assert (await screen.commands(2))[1] == ("revoke", "m0002")


async def test_an_unconfirmed_one_says_so_and_is_confirmed(opened: Any) -> None:
    async with opened("busy") as screen:
        give(screen)
        screen.press(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
        second = row(screen, "m0002")
        assert "approves nothing until you confirm it" in screen.text("mandate-status", second)
        screen.click("mandate-confirm", second)
        assert await screen.commands() == [("confirm", "m0002")]
        await until(lambda: screen.text("mandate-status", second) == "live")
        assert screen.find("mandate-confirm", second).isHidden()


async def test_all_are_revoked_at_once(opened: Any) -> None:
    async with opened("busy") as screen:
        give(screen)
        screen.press(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
        screen.click("mandate-revoke-all")
        assert await screen.commands() == [("revoke_all",)]
        await until(lambda: screen.find("mandate-none").isVisible())


async def test_a_form_reads_itself_back_and_is_granted_by_holding_alone(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.press(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
        screen.click("mandate-new")
        button = screen.find("mandate-hold")
        assert not button.isEnabled()
        for name, text in FORM.items():
            type_in(screen, name, text)
        said = screen.text("mandate-sentence")
        assert said.startswith("PAPER: approves without you orb-15's longs in NVDA, AMD · at most $5,000 each"), said
        assert "$20,000 a day, 20 approvals in all" in said
        QTest.keyClick(screen.find("mandate-until"), Qt.Key.Key_Return)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await asyncio.sleep(0.05)
        assert not screen.desk.commands
        await hold(button)
        ((what, terms),) = await screen.commands()
        assert what == "grant"
        assert isinstance(terms, MandateTerms)
        assert (terms.strategy, terms.symbols, terms.sides) == ("orb-15", ("NVDA", "AMD"), (Side.BUY,))
        assert (terms.max_notional_each, terms.max_notional_day) == (Decimal(5_000), Decimal(20_000))
        assert (terms.max_count, terms.max_loss_day, terms.days) == (20, None, 0)
        await until(lambda: screen.find("mandate-form").isHidden())
        assert screen.text("mandate-head", row(screen, "m0001")) == "orb-15 · m0001"


async def test_what_is_wrong_is_marked_and_said_and_keeps_the_button_shut(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.press(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
        screen.click("mandate-new")
        for name, text in FORM.items():
            type_in(screen, name, text)
        wrong = type_in(screen, "max_notional_each", "5k")
        assert wrong.property("wrong")
        assert "The amount of each must be a number, not '5k'" in screen.text("mandate-sentence")
        assert not screen.find("mandate-hold").isEnabled()
        type_in(screen, "max_notional_each", "5,000")
        assert not wrong.property("wrong")
        screen.click("mandate-side-buy")
        assert "The choice of longs or shorts is missing" in screen.text("mandate-sentence")
        screen.click("mandate-side-sell")
        assert "shorts in NVDA" in screen.text("mandate-sentence")


async def test_the_desks_no_is_said_in_the_form_which_keeps_what_was_typed(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.refuse("grant", "OUT_OF_RANGE", "max_notional_each is more than max_notional_day allows.")
        screen.press(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
        screen.click("mandate-new")
        for name, text in FORM.items():
            type_in(screen, name, text)
        await hold(screen.find("mandate-hold"))
        await until(lambda: "more than the amount of a day allows" in screen.text("mandate-sentence"))
        assert screen.find("mandate-form").isVisible()
        assert screen.find("toast").isHidden()
