"""The queue of approvals, as a person meets it."""

from __future__ import annotations

import asyncio
from typing import Any

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from engine.model.words import Side, SignalStatus
from gui.widgets.button import Button
from tests.gui import scenery as make
from tests.gui.conftest import Screen, until
from tests.gui.scene_gate import BETA, SAME_BET
from tests.gui.scenes import replace


def approve_button(screen: Screen) -> Button:
    return next(b for b in screen.window.findChildren(Button, "approve") if b.isVisible())


async def ready(screen: Screen) -> Button:
    """The armed card's button, once its guard is over."""
    await until(lambda: approve_button(screen).isEnabled())
    return approve_button(screen)


async def moved_to(screen: Screen) -> Button:
    """The top card, moved to by a key: its button, once its guard is over."""
    await until(lambda: screen.window.signals.current is not None)
    screen.press(Qt.Key.Key_Up)
    return await ready(screen)


def symbols_top_down(screen: Screen) -> list[str]:
    cards = [card for card in screen.window.findChildren(QWidget) if card.objectName().startswith("card-s-")]
    return [c.objectName().removeprefix("card-s-") for c in sorted(cards, key=lambda card: card.y())]


async def test_the_soonest_deadline_stands_on_top_and_is_armed(opened: Any) -> None:
    async with opened("trouble") as screen:
        assert symbols_top_down(screen) == ["NVDA", "META", "XLE", "AMD"]
        card = screen.find("card-s-NVDA")
        assert "Buy 120 NVDA" in screen.text("card-sentence", card)
        assert screen.text("risk", card) == "$276"
        assert screen.text("reward-risk", card) == "2.1"
        assert screen.text("reward-risk-remark", card) == "sent 2.3"
        assert screen.text("drift", card) == "+0.30 R"
        assert screen.text("card-passes", card) == "19 rules pass"


async def test_a_preview_tells_the_same_bet_before_and_after_and_what_was_not_measured(opened: Any) -> None:
    cluster, beta = replace(SAME_BET, unknown=("NEWCO",)), replace(BETA, unknown=("NEWCO",))
    async with opened("trouble") as screen:
        card = screen.find("card-s-NVDA")
        assert screen.find("same-bet", card).isHidden()
        button = await ready(screen)
        nvda = screen.desk.signal("s-NVDA")
        fresh = replace(nvda.preview, preview_id="p-NVDA-2", cluster=cluster, beta=beta)
        screen.desk.put(replace(nvda, preview=fresh))
        screen.desk.refuse("approve", "CHANGED_SINCE_SHOWN", "The same bet grew.")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await until(screen.find("same-bet", card).isVisible)
        assert screen.text("same-bet", card) == (
            "Same bet: 2 → 3 of 4 trades · 41 % → 52 % of equity, limit 60 % · with AMD, SMH"
            " · book beta +0.92 → +1.05 · not measured: NEWCO"
        )


async def test_a_click_approves_exactly_the_numbers_shown(opened: Any) -> None:
    async with opened("trouble") as screen:
        button = await ready(screen)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert await screen.commands() == [("approve", "s-NVDA", "p-NVDA-1")]


async def test_a_double_click_makes_one_command(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.desk.hold("approve")
        button = await ready(screen)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        QTest.mouseDClick(button, Qt.MouseButton.LeftButton)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await screen.commands()
        assert not button.isEnabled()
        screen.desk.release("approve")
        await asyncio.sleep(0.1)
        assert screen.desk.commands == [("approve", "s-NVDA", "p-NVDA-1")]


async def test_two_quick_presses_of_a_do_not_reach_the_next_signal(opened: Any) -> None:
    async with opened("trouble") as screen:
        await moved_to(screen)
        screen.press(Qt.Key.Key_A)
        await screen.commands()
        await until(lambda: screen.window.signals.current.signal.id == "s-META")
        screen.press(Qt.Key.Key_A)
        await asyncio.sleep(0.05)
        assert screen.desk.commands == [("approve", "s-NVDA", "p-NVDA-1")]
        await ready(screen)
        screen.press(Qt.Key.Key_A)
        screen.press(Qt.Key.Key_A)
        assert (await screen.commands(2))[1] == ("approve", "s-META", "p-META-1")


async def test_a_card_that_the_queue_opens_by_itself_takes_two_presses(opened: Any) -> None:
    async with opened("trouble") as screen:
        await ready(screen)
        card = screen.find("card-s-NVDA")
        assert screen.text("card-state", card) == "A arms it"
        assert approve_button(screen).shown_key == "A A", "said where the narrowest card says it too"
        screen.choose("bracket-table", "b-TSLA")  # the keys are armed, for another row
        screen.press(Qt.Key.Key_A)
        await asyncio.sleep(0.05)
        assert not screen.desk.commands, "nobody has moved to it"
        assert screen.text("card-state", card) == "armed"
        assert approve_button(screen).shown_key == "A"
        screen.press(Qt.Key.Key_A)
        assert await screen.commands() == [("approve", "s-NVDA", "p-NVDA-1")]


async def test_the_signal_that_takes_the_place_of_an_expired_one_is_not_approved_by_the_key_meant_for_it(
    opened: Any,
) -> None:
    async with opened("trouble") as screen:
        await moved_to(screen)
        nvda = screen.desk.signal("s-NVDA")
        screen.desk.put(replace(nvda, status=SignalStatus.EXPIRED, preview=None))
        await until(lambda: screen.window.signals.current.signal.id == "s-META")
        await ready(screen)
        screen.press(Qt.Key.Key_A)
        await asyncio.sleep(0.05)
        assert not screen.desk.commands


async def test_a_click_on_the_open_card_moves_to_it(opened: Any) -> None:
    async with opened("trouble") as screen:
        await ready(screen)
        QTest.mouseClick(screen.find("card-symbol", screen.find("card-s-NVDA")), Qt.MouseButton.LeftButton)
        assert screen.text("card-state", screen.find("card-s-NVDA")) == "armed"


async def test_a_key_that_approves_nothing_says_why(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.window.signals.choose("s-AMD")
        screen.press(Qt.Key.Key_A)
        await until(lambda: "just come or changed" in screen.text("toast-text"))
        await asyncio.sleep(0.4)
        screen.press(Qt.Key.Key_A)
        await until(lambda: "1.1 R" in screen.text("toast-text"))
        assert screen.text("toast-code") == "NOT_APPROVED"
        assert not screen.desk.commands
    async with opened("empty") as screen:
        screen.press(Qt.Key.Key_A)
        await until(lambda: "No signal waits" in screen.text("toast-text"))


async def test_a_denied_card_follows_at_once_and_a_yes_that_becomes_possible_waits_for_the_eye(opened: Any) -> None:
    """Only numbers that can be approved hold still; those that have just become so are looked at first."""
    async with opened("trouble") as screen:
        screen.window.signals.choose("s-AMD")
        await asyncio.sleep(0.4)
        amd = screen.desk.signal("s-AMD")
        sound = replace(amd.preview, preview_id="p-AMD-2", approvable=True, blocked_by=None)
        screen.desk.put(replace(amd, preview=sound))
        card = screen.window.signals.current
        await until(lambda: card.shown.preview_id == "p-AMD-2", timeout_s=2.0)
        screen.press(Qt.Key.Key_A)
        await asyncio.sleep(0.05)
        assert not screen.desk.commands
        await ready(screen)
        screen.press(Qt.Key.Key_A)
        assert await screen.commands() == [("approve", "s-AMD", "p-AMD-2")]


async def test_enter_never_sends(opened: Any) -> None:
    async with opened("trouble") as screen:
        button = await ready(screen)
        button.setFocus()
        QTest.keyClick(button, Qt.Key.Key_Return)
        QTest.keyClick(button, Qt.Key.Key_Enter)
        await asyncio.sleep(0.05)
        assert not screen.desk.commands


async def test_a_denied_signal_cannot_be_approved_and_says_why(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.window.signals.choose("s-AMD")
        await asyncio.sleep(0.4)
        button = approve_button(screen)
        assert not button.isEnabled()
        assert "1.1 R" in button.toolTip()
        assert screen.text("card-state", screen.find("card-s-AMD")) == "blocked"


async def test_the_armed_numbers_hold_still_while_others_follow_the_price(opened: Any) -> None:
    async with opened("trouble") as screen:
        for ident in ("s-NVDA", "s-META"):
            signal = screen.desk.signal(ident)
            moved = replace(signal.preview, preview_id=f"{ident}-2", risk=replace(signal.preview.risk, usd=300))
            screen.desk.put(replace(signal, preview=moved))
        await until(lambda: "$300" in screen.text("card-foot", screen.find("card-s-META")))
        assert screen.text("risk", screen.find("card-s-NVDA")) == "$276"
        QTest.mouseClick(await ready(screen), Qt.MouseButton.LeftButton)
        assert await screen.commands() == [("approve", "s-NVDA", "p-NVDA-1")]


async def test_a_refusal_because_it_changed_shows_what_changed_with_the_new_numbers(opened: Any) -> None:
    async with opened("trouble") as screen:
        button = await ready(screen)
        signal = screen.desk.signal("s-NVDA")
        moved = replace(signal.preview, preview_id="p-NVDA-2", risk=replace(signal.preview.risk, usd=310))
        screen.desk.put(replace(signal, preview=moved))
        screen.desk.refuse("approve", "CHANGED_SINCE_SHOWN", "Risk rose from $276 to $310.")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        card = screen.find("card-s-NVDA")
        await until(lambda: "$276 → $310" in screen.text("card-changed", card))
        assert screen.text("risk", card) == "$310"
        assert screen.text("toast-code") == "CHANGED_SINCE_SHOWN"
        QTest.mouseClick(await ready(screen), Qt.MouseButton.LeftButton)
        assert (await screen.commands(2))[1] == ("approve", "s-NVDA", "p-NVDA-2")


async def test_r_and_a_digit_reject_with_the_usual_reason(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.press(Qt.Key.Key_3)
        screen.press(Qt.Key.Key_R)
        await asyncio.sleep(0.02)
        assert not screen.desk.commands
        screen.press(Qt.Key.Key_3)
        assert await screen.commands() == [("reject", "s-NVDA", 3)]


async def test_r_twice_rejects_without_a_reason(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.press(Qt.Key.Key_R)
        screen.press(Qt.Key.Key_R)
        assert await screen.commands() == [("reject", "s-NVDA", None)]


async def test_a_decided_card_says_how_it_ended_and_goes_to_the_history(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.press(Qt.Key.Key_R)
        screen.press(Qt.Key.Key_2)
        card = screen.find("card-s-NVDA")
        await until(lambda: screen.text("card-outcome", card) == "Rejected")
        assert screen.row("signal-history", "s-NVDA")[:4] == ["REJECTED", "NVDA", "B", "too much risk"]


async def test_cards_stay_where_they_are_under_the_pointer(opened: Any) -> None:
    async with opened("trouble") as screen:
        area = screen.window.signals.body.findChild(QScrollArea)
        here = QPointF(20, 20)
        QApplication.sendEvent(area, QEnterEvent(here, here, here))
        area.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, True)
        sooner = make.preview(
            "IWM",
            Side.BUY,
            "10",
            entry="220.10",
            stop="219.00",
            target=None,
            price="220",
            risk="11",
            pct="0.01",
            rr=None,
        )
        screen.desk.put(make.signal("s-IWM", "IWM", Side.BUY, shown=sooner, left_s=5))
        await until(lambda: screen.window.findChild(QWidget, "card-s-IWM") is not None)
        await asyncio.sleep(0.05)
        assert symbols_top_down(screen) == ["NVDA", "META", "XLE", "AMD", "IWM"]
        area.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
        QApplication.sendEvent(area, QEvent(QEvent.Type.Leave))
        await until(lambda: symbols_top_down(screen)[0] == "IWM")


async def test_arrows_move_through_the_queue(opened: Any) -> None:
    async with opened("trouble") as screen:
        for wanted in ("s-META", "s-XLE"):
            screen.press(Qt.Key.Key_Down)
            assert screen.window.signals.current.signal.id == wanted
        screen.press(Qt.Key.Key_Up)
        assert screen.window.signals.current.signal.id == "s-META"


async def test_an_empty_queue_says_what_will_happen(opened: Any) -> None:
    async with opened("empty") as screen:
        assert "demo strategy proposes one every 10–30 s" in screen.text("signals-empty-0", screen.window.signals.body)
        screen.desk.put(replace(screen.desk.view(), demo_on=False))
        await until(lambda: "Switch the demo strategy on" in screen.text("signals-empty-0", screen.window.signals.body))
