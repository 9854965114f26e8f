"""The facts of a trade: requests and replies from the journal, found, copied, and refused in words."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit

from engine.views_truth import FactView
from gui.dialogs.facts_sheet import subjects_of
from tests.gui import scenery as make
from tests.gui.conftest import Screen, until

FACTS = [
    FactView(seq=7, at=make.ago(9), kind="order_intended", subject="b-AAPL", payload='{\n  "qty": "100"\n}'),
    FactView(seq=9, at=make.ago(8), kind="order_reported", subject="b-AAPL.sl", payload='{\n  "status": "held"\n}'),
]


def text(screen: Screen) -> str:
    found = screen.find("facts-text")
    assert isinstance(found, QPlainTextEdit)
    return found.toPlainText()


async def opened_facts(screen: Screen) -> None:
    screen.choose("bracket-table", "b-AAPL")
    screen.window.detail.header.tabs.choose(1)
    screen.click("detail-facts")


async def test_requests_and_replies_are_read_for_the_trade_and_all_its_orders(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.facts = FACTS
        await opened_facts(screen)
        (_, asked), *_ = await screen.commands()
        assert {"s-AAPL", "b-AAPL", "b-AAPL.tp", "b-AAPL.sl"} == set(asked)
        await until(lambda: '"qty": "100"' in text(screen))
        assert "7   order_intended   b-AAPL" in text(screen)
        assert screen.text("facts-count").startswith("2 facts")
        find = screen.find("facts-find")
        assert isinstance(find, QLineEdit)
        find.setText("HELD")
        assert "order_intended" not in text(screen)
        screen.click("facts-copy")
        assert QGuiApplication.clipboard().text() == text(screen)


async def test_a_journal_that_cannot_be_read_is_said_in_the_sheet(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.refuse("facts_about", "JOURNAL_UNAVAILABLE", "The journal cannot be read: no.")
        await opened_facts(screen)
        await until(lambda: "cannot be read" in screen.text("facts-count"))
        assert not screen.find("toast").isVisible()


def test_what_the_journal_does_not_file_has_no_facts() -> None:
    assert subjects_of(None) == []
