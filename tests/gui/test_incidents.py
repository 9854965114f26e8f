"""Incidents on the shelf and back, and their figures; the log leads to what it speaks of; the account."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from engine.model.words import OrderStatus
from gui.panels.brackets import ACCOUNT_TAB
from gui.panels.incident_list import IncidentList, body_of, buttons_of, time_words
from gui.panels.incidents import FIGURES_TAB, INCIDENTS_TAB, SHELF_TAB
from gui.tables.blotter import Blotter
from tests.gui import scenery as make
from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace
from tests.gui.stage import desk_of

STUCK = make.incident("i-stuck", 2, "A cancel is stuck", "It may still fill.", "Ask the broker.", can_shelve=True)


def why(screen: Screen) -> QLineEdit:
    found = screen.find("shelf-why")
    assert isinstance(found, QLineEdit)
    return found


async def shown(screen: Screen) -> None:
    """The incident of this file is there, and its list in sight."""
    screen.desk.put(STUCK)
    panel = screen.window.incidents
    await until(lambda: panel.model.row("i-stuck") is not None)
    view = screen.find("incident-list")
    assert isinstance(view, IncidentList)
    view.scrollTo(view.rows.index_of("i-stuck"))
    await until(lambda: not view.button_rect("i-stuck", "shelve").isEmpty())


async def test_an_incident_goes_on_the_shelf_with_a_time_and_a_reason_and_comes_back(opened: Any) -> None:
    async with opened("busy") as screen:
        await shown(screen)
        panel = screen.window.incidents
        screen.click_row("incident-list", "i-stuck", "shelve")
        assert screen.find("shelf-strip").isVisible()
        assert not screen.find("shelf-do").isEnabled(), "a reason is needed"
        screen.click("shelf-time-60")
        QTest.keyClicks(why(screen), "the broker looks into it")
        QTest.keyClick(why(screen), Qt.Key.Key_Return)
        assert screen.desk.commands == [], "Enter does nothing"
        screen.click("shelf-do")
        assert await screen.commands() == [("shelve", "i-stuck", 60, "the broker looks into it")]
        await until(lambda: [row.id for row in panel.shelf.rows()] == ["i-stuck"])
        assert "i-stuck" not in {row.id for row in panel.model.rows()}
        panel.header.tabs.choose(SHELF_TAB)
        body = body_of(panel.shelf.rows()[0])
        assert "On the shelf until" in body
        assert "by you: the broker looks into it." in body
        view = screen.find("shelf-list")
        assert isinstance(view, IncidentList)
        await until(lambda: not view.button_rect("i-stuck", "unshelve").isEmpty())
        screen.click_row("shelf-list", "i-stuck", "unshelve")
        await until(lambda: panel.shelf.rowCount() == 0)
        panel.header.tabs.choose(INCIDENTS_TAB)
        await until(lambda: "i-stuck" in {row.id for row in panel.model.rows()})


async def test_what_needs_a_hand_now_has_no_shelf_button(opened: Any) -> None:
    async with opened("trouble") as screen:
        naked = next(row for row in screen.window.incidents.model.rows() if row.priority == 1)
        assert "shelve" not in buttons_of(naked)
        assert "shelve" in buttons_of(STUCK)
        assert buttons_of(replace(STUCK, shelved_until=make.NOW)) == ["unshelve"]


async def test_a_question_about_an_incident_that_is_over_goes_with_it(opened: Any) -> None:
    async with opened("busy") as screen:
        await shown(screen)
        screen.click_row("incident-list", "i-stuck", "shelve")
        QTest.keyClicks(why(screen), "late")
        screen.desk.put(replace(STUCK, cleared_at=make.NOW))
        await until(lambda: not screen.find("shelf-strip").isVisible())
        assert screen.desk.commands == []


async def test_the_figures_say_how_good_the_alarms_are(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window.incidents.header.tabs.choose(FIGURES_TAB)
        assert screen.text("figure-hour") == "7"
        assert screen.text("figure-shares") == "7 · 20 · 73 %"
        assert "p90 31 s · 93 % of all" in screen.text("figure-ack-note")
        assert screen.text("figure-overdue") == "1"
        assert screen.text("figure-again") == "Comes back again and again: The order stream is down ×4"
        screen.desk.alarms.shown = replace(screen.desk.alarms.shown, is_flood=True, last_10_min=23)
        screen.desk.put(STUCK)
        await until(lambda: screen.text("figure-flood") == "23")
        assert "flood" in screen.text("figure-flood-note")


# --- seen, unseen, over ----------------------------------------------------------------------------------------------

NAKED = make.incident(
    "i-naked",
    1,
    "40 TSLA are naked",
    "They can fall.",
    "Retry or flatten.",
    key="naked:b-X",
    subject_kind="bracket",
    subject_id="b-X",
)


def pictures(screen: Screen) -> set[bytes]:
    """How the list looks with time going on."""
    found = set()
    for _ in range(4):
        screen.window.incidents.show_time(make.NOW)
        image = screen.find("incident-list").grab().toImage()
        found.add(bytes(image.constBits()))
    return found


async def test_what_is_urgent_flashes_until_somebody_has_acknowledged_it(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.put(NAKED)
        await until(lambda: screen.window.incidents.model.row("i-naked") is not None)
        screen.window.bridge.stop()
        assert len(pictures(screen)) == 2
        screen.window.incidents.take([replace(NAKED, acked_at=make.NOW, acked_by="window")], [])
        assert len(pictures(screen)) == 1


async def test_an_urgent_one_that_ended_unseen_stays_until_somebody_has_seen_it(opened: Any) -> None:
    async with opened("busy") as screen:
        panel = screen.window.incidents
        screen.desk.put(NAKED)
        over = replace(NAKED, cleared_at=NAKED.raised_at + timedelta(seconds=30))
        screen.desk.put(over)
        await until(lambda: panel.model.row("i-naked") == over)
        assert panel.model.rows()[-1] is panel.model.row("i-naked"), "beneath what stands"
        assert body_of(over) == "Over since 14:02:57, after 30 s. Nobody had acknowledged it."
        assert buttons_of(over) == ["ack"]
        view = screen.find("incident-list")
        assert isinstance(view, IncidentList)
        await until(lambda: not view.button_rect("i-naked", "ack").isEmpty())
        screen.click_row("incident-list", "i-naked", "ack")
        assert [command[:2] for command in await screen.commands()] == [("ack_incident", "i-naked")]
        screen.desk.put(replace(over, acked_at=make.NOW, acked_by="window"))
        await until(lambda: "i-naked" not in {row.id for row in panel.model.rows()})


async def test_one_that_comes_and_goes_stays_once(opened: Any) -> None:
    async with opened("busy") as screen:
        panel = screen.window.incidents
        for number in range(5):
            raised = make.NOW - timedelta(seconds=100 - number)
            again = replace(NAKED, id=f"i-{number}", raised_at=raised, cleared_at=raised + timedelta(seconds=1))
            panel.take([again], [])
        assert [row.id for row in panel.model.rows()] == ["i-4"]
        panel.take([replace(NAKED, id="i-5", raised_at=make.NOW)], [])
        assert [row.id for row in panel.model.rows()] == ["i-5"], "it stands again"
        old = replace(NAKED, id="i-old", key="naked:b-Y", subject_id="b-Y", cleared_at=make.NOW - timedelta(days=2))
        panel.take([old], [])
        assert [row.id for row in panel.model.rows()] == ["i-5"], "of other days the log tells"


async def test_another_incident_of_the_same_trade_hides_nothing_that_nobody_has_seen(opened: Any) -> None:
    async with opened("busy") as screen:
        panel = screen.window.incidents
        panel.take([replace(NAKED, cleared_at=make.NOW - timedelta(seconds=5))], [])
        stalled = replace(NAKED, id="i-stalled", key="stalled:b-X", priority=3, raised_at=make.NOW)
        panel.take([stalled], [])
        assert [row.id for row in panel.model.rows()] == ["i-stalled", "i-naked"]


async def test_a_window_that_is_started_anew_still_tells_what_ended_unseen(opened: Any) -> None:
    desk = desk_of("busy")
    desk.put(replace(NAKED, cleared_at=make.NOW))
    async with opened(desk) as screen:
        await until(lambda: screen.window.incidents.model.row("i-naked") is not None)


def test_the_time_to_act_is_said_while_nobody_has_acknowledged_it() -> None:
    due = replace(NAKED, deadline_at=make.NOW + timedelta(seconds=42))
    assert time_words(due, make.NOW) == "0:42 left"
    assert time_words(due, make.NOW + timedelta(seconds=112)) == "1:10 late"
    assert time_words(replace(due, acked_at=make.NOW), make.NOW) == ""
    assert time_words(NAKED, make.NOW) == ""


def test_what_one_incident_stands_for_is_named() -> None:
    body = body_of(replace(STUCK, covers=("a", "b", "c", "d")))
    assert body.endswith("Stands for 4 more: a; b; c.")


# --- the log leads there ---------------------------------------------------------------------------------------------


def open_line(screen: Screen, seq: int) -> None:
    view = screen.find("activity-table")
    assert isinstance(view, Blotter)
    at = view.cell_rect(str(seq), "text").center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


@pytest.mark.parametrize(
    ("subject", "symbol", "table", "row"),
    [
        ("b-MSFT", "MSFT", "bracket-table", "b-MSFT"),
        ("b-AAPL.sl", "AAPL", "order-table", "b-AAPL.sl"),
        ("b-COIN", "COIN", "bracket-table", "b-COIN"),
        ("gone", "SPY", "bracket-table", "b-SPY"),
    ],
)
async def test_a_line_of_the_log_leads_to_what_it_is_about(
    opened: Any, subject: str, symbol: str, table: str, row: str
) -> None:
    async with opened("busy") as screen:
        line = replace(make.line(9_000, 1, symbol, "something happened"), subject=subject)
        screen.window.activity.take([line])
        open_line(screen, 9_000)
        view = screen.find(table)
        assert isinstance(view, Blotter)
        assert view.rows.key_of(view.current_row()) == row


async def test_an_order_that_is_over_is_brought_into_sight(opened: Any) -> None:
    async with opened("busy") as screen:
        over = replace(screen.desk.order("b-AAPL.tp"), status=OrderStatus.CANCELED)
        screen.desk.put(over)
        orders = screen.window.orders
        await until(lambda: not orders.model.index_of(over.id).isValid())
        orders.filter.setText("MSFT")
        line = replace(make.line(9_000, 1, "AAPL", "target canceled"), subject=over.id)
        screen.window.activity.take([line])
        open_line(screen, 9_000)
        assert orders.view.current_row().id == over.id


async def test_a_signal_that_was_decided_is_found_in_the_history(opened: Any) -> None:
    async with opened("busy") as screen:
        decided = screen.window.signals.history.rows()[0]
        line = replace(make.line(9_000, 1, decided.symbol, "rejected"), subject=decided.id)
        screen.window.activity.take([line])
        open_line(screen, 9_000)
        assert screen.window.signals.history_view.isVisible()


# --- the account -----------------------------------------------------------------------------------------------------


async def test_the_account_stands_with_what_is_promised_and_when_it_was_read(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window.brackets.header.tabs.choose(ACCOUNT_TAB)
        assert screen.find("account-page").isVisible()
        desk = screen.desk.view()
        account = replace(
            desk.account, equity=Decimal(101_500), last_equity=Decimal(100_000), day_pl=Decimal(1_500),
            reserved=Decimal(2_450), blocked="trading_blocked",
        )  # fmt: skip
        screen.desk.put(replace(desk, account=account))
        await until(lambda: screen.text("account-day") == "+$1,500")
        assert screen.text("account-day-note") == "+1.50 % of $100,000"
        assert screen.text("account-reserved") == "$2,450"
        assert screen.text("account-status-note") == "trading_blocked"
        assert screen.text("account-read-note").startswith("request ")
        screen.press(Qt.Key.Key_X)
        assert screen.desk.commands == [], "no row is in sight to act on"
