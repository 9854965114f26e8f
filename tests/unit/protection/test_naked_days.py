"""Naked share-seconds by the trading day, split at New York's midnight and the same after a replay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.model.words import OrderStatus
from engine.protection.naked_days import KEPT_DAYS, add_span, of_day, running_today
from tests.unit.builders import ENTRY_ID, Story, after

MIDNIGHT = datetime(2026, 8, 22, 4, 0, tzinfo=UTC)
"""In New York."""


def test_a_span_counts_shares_times_seconds_on_its_day() -> None:
    days: dict[str, float] = {}
    add_span(days, MIDNIGHT - timedelta(hours=2), MIDNIGHT - timedelta(hours=2, seconds=-5), Decimal(10))
    assert days == {"2026-08-21": 50.0}


def test_a_span_over_midnight_is_split() -> None:
    days: dict[str, float] = {}
    add_span(days, MIDNIGHT - timedelta(seconds=3), MIDNIGHT + timedelta(seconds=2), Decimal(4))
    assert days == {"2026-08-21": 12.0, "2026-08-22": 8.0}
    assert (of_day(days, MIDNIGHT), of_day(days, MIDNIGHT - timedelta(seconds=1))) == (8.0, 12.0)


def test_what_still_runs_counts_from_midnight_on() -> None:
    now = MIDNIGHT + timedelta(seconds=7)
    assert running_today(MIDNIGHT - timedelta(hours=1), now, Decimal(2)) == 14.0
    assert running_today(None, now, Decimal(2)) == 0.0


@pytest.mark.parametrize(("began", "shares"), [(None, Decimal(5)), (MIDNIGHT, Decimal(0))])
def test_nothing_uncovered_counts_nothing(began: datetime | None, shares: Decimal) -> None:
    days: dict[str, float] = {}
    add_span(days, began, MIDNIGHT + timedelta(seconds=9), shares)
    assert days == {}


def test_old_days_are_forgotten() -> None:
    days: dict[str, float] = {}
    for day in range(KEPT_DAYS + 5):
        at = MIDNIGHT + timedelta(days=day)
        add_span(days, at, at + timedelta(seconds=1), Decimal(1))
    assert len(days) == KEPT_DAYS


def test_the_book_counts_the_naked_span_of_a_trade_and_a_replay_counts_the_same() -> None:
    story = Story()
    story.approve()
    story.enter()
    story.answer()
    story.report(ENTRY_ID, OrderStatus.PARTIALLY_FILLED, 1, filled=4, execution_id="x1")
    story.report(ENTRY_ID, OrderStatus.FILLED, 3.5, filled=10, execution_id="x2")
    assert of_day(story.book.naked_days, after(10)) == 10.0  # four shares for two and a half seconds
    assert story.book.brackets["b000001"].naked_share_s == 10.0
    assert story.replayed().naked_days == story.book.naked_days
