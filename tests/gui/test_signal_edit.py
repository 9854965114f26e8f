"""Changing numbers before the yes: what is typed is what is previewed, and what is previewed is what is sent."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from engine.model.commands import Edits
from tests.gui.conftest import Screen, until
from tests.gui.test_signals import approve_button, ready


async def editing(screen: Screen) -> QLineEdit:
    """The quantity field of the armed card, open."""
    await ready(screen)
    screen.press(Qt.Key.Key_E)
    return screen.find("edit-qty")


def type_over(field: QLineEdit, text: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


async def test_the_fields_open_with_what_was_proposed(opened: Any) -> None:
    async with opened("trouble") as screen:
        field = await editing(screen)
        assert field.text() == "120"
        assert screen.find("edit-limit_price").text() == "131.20"
        assert screen.find("edit-stop_price").text() == "128.90"
        assert screen.find("edit-take_profit_price").text() == "136.40"


async def test_every_keystroke_is_previewed_and_the_click_sends_exactly_that(opened: Any) -> None:
    async with opened("trouble") as screen:
        type_over(await editing(screen), "80")
        card = screen.find("card-s-NVDA")
        assert "Edited: qty=80" in screen.text("card-sentence", card)
        assert screen.text("edit-qty-was", card) == "was 120"
        assert screen.text("card-state", card) == "edited"
        button = await ready(screen)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        sent = await screen.commands()
        assert sent == [("approve", "s-NVDA", "p-NVDA-1 qty=80", Edits(qty=Decimal(80)))]


async def test_letters_and_digits_typed_in_a_field_are_no_commands(opened: Any) -> None:
    async with opened("trouble") as screen:
        type_over(await editing(screen), "1a2r")
        await asyncio.sleep(0.05)
        assert not screen.desk.commands


async def test_what_is_no_number_is_marked_and_cannot_be_approved(opened: Any) -> None:
    async with opened("trouble") as screen:
        field = await editing(screen)
        for wrong in ("x", "-5", "0", "1e999", "NaN", ""):
            field.clear()
            type_over(field, wrong or " ")
            assert not approve_button(screen).isEnabled(), wrong
        assert approve_button(screen).toolTip() == "A field holds no number"


async def test_escape_goes_back_to_what_was_proposed(opened: Any) -> None:
    async with opened("trouble") as screen:
        field = await editing(screen)
        type_over(field, "80")
        QTest.keyClick(field, Qt.Key.Key_Escape)
        card = screen.find("card-s-NVDA")
        assert "Buy 120 NVDA" in screen.text("card-sentence", card)
        QTest.mouseClick(await ready(screen), Qt.MouseButton.LeftButton)
        assert await screen.commands() == [("approve", "s-NVDA", "p-NVDA-1")]


async def test_enter_in_a_field_never_sends(opened: Any) -> None:
    async with opened("trouble") as screen:
        field = await editing(screen)
        type_over(field, "80")
        QTest.keyClick(field, Qt.Key.Key_Return)
        await asyncio.sleep(0.05)
        assert not screen.desk.commands


async def test_moving_to_another_card_forgets_the_changes(opened: Any) -> None:
    async with opened("trouble") as screen:
        type_over(await editing(screen), "80")
        screen.window.signals.choose("s-META")
        screen.window.signals.choose("s-NVDA")
        await until(lambda: approve_button(screen).isEnabled())
        QTest.mouseClick(approve_button(screen), Qt.MouseButton.LeftButton)
        assert await screen.commands() == [("approve", "s-NVDA", "p-NVDA-1")]
