"""A yes although a rule warns: the card, several at once and the ticket ask why, and take no yes without it."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget

from gui.widgets.reason_field import LACKING
from tests.gui.conftest import Screen, until
from tests.gui.scene_ticket import FORM
from tests.gui.scenes import replace


async def warned(screen: Screen) -> QLineEdit:
    """The first signal wants a reason from now on, and its card is open."""
    first = screen.window.signals.pending_ids()[0]
    signal = screen.desk.signal(first)
    screen.desk.put(replace(signal, preview=msgspec.structs.replace(signal.preview, wants_reason=True)))
    card = screen.window.signals.current
    assert card is not None
    await until(lambda: card.signal.preview.wants_reason)
    card.arm(card.signal.preview)
    card.move_to()
    await until(lambda: not card._guard.isActive())
    return field(screen, "approve-reason", card)


def field(screen: Screen, name: str, within: QWidget | None = None) -> QLineEdit:
    found = screen.find(name, within)
    assert isinstance(found, QLineEdit)
    return found


async def test_the_card_takes_no_yes_without_a_reason_and_sends_it_along(opened: Any) -> None:
    async with opened("busy") as screen:
        await until(lambda: screen.window.signals.current is not None)
        why = await warned(screen)
        card = screen.window.signals.current
        assert why.isVisible()
        assert not screen.find("approve", card).isEnabled()
        screen.press(Qt.Key.Key_A)
        assert screen.text("toast-text").endswith(LACKING)
        assert screen.window.focusWidget() is why, "the key leads to the field"
        QTest.keyClicks(why, "earnings are out")
        QTest.keyClick(why, Qt.Key.Key_Return)
        assert not screen.desk.commands, "Enter does nothing"
        screen.click("approve", card)
        (command,) = await screen.commands()
        assert (command[0], command[-1]) == ("approve", "earnings are out")


async def test_a_reason_of_blanks_is_none_and_escape_leaves_the_field(opened: Any) -> None:
    async with opened("busy") as screen:
        await until(lambda: screen.window.signals.current is not None)
        why = await warned(screen)
        why.setFocus()
        QTest.keyClicks(why, "   ")
        assert not screen.find("approve", screen.window.signals.current).isEnabled()
        QTest.keyClick(why, Qt.Key.Key_Escape)
        assert (why.text(), why.hasFocus()) == ("", False)


async def test_where_none_is_wanted_none_is_shown(opened: Any) -> None:
    async with opened("busy") as screen:
        await until(lambda: screen.window.signals.current is not None)
        assert field(screen, "approve-reason", screen.window.signals.current).isHidden()


async def test_several_at_once_share_one_reason(opened: Any) -> None:
    async with opened("busy") as screen:
        await until(lambda: screen.window.signals.current is not None)
        await warned(screen)
        screen.window.signals.select.click()
        screen.press(Qt.Key.Key_Space)
        why = field(screen, "batch-reason")
        await until(why.isVisible)
        assert not screen.find("batch-approve").isEnabled()
        QTest.keyClicks(why, "before the open")
        await until(lambda: screen.find("batch-approve").isEnabled())
        screen.click("batch-approve")
        (command,) = await screen.commands()
        assert (command[0], command[-1]) == ("approve_batch", "before the open")


async def test_the_ticket_asks_too_and_nothing_of_it_is_kept(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.ticket.wants_reason = True
        screen.press(Qt.Key.Key_T)
        for name, text in FORM.items():
            field(screen, f"ticket-{name}").setText(text)
        why = field(screen, "ticket-reason")
        await until(why.isVisible)
        assert not screen.find("ticket-send").isEnabled()
        QTest.keyClicks(why, "by hand")
        await until(lambda: screen.find("ticket-send").isEnabled())
        screen.click("ticket-send")
        await until(lambda: [each[-1] for each in screen.desk.commands if each[0] == "send"] == ["by hand"])
        screen.press(Qt.Key.Key_T)
        assert why.text() == ""
