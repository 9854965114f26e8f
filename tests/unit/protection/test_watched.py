"""Watched exits: when the desk begins to hold one itself, and when it strikes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from engine.market.quotes import QuoteView
from engine.model.bracket import Bracket
from engine.model.words import BracketStatus, OrderStatus, Session, Side
from engine.protection.case import AttachExits, Rest, Watch
from engine.protection.ledger import cover_of, status_of
from engine.protection.watched import Watcher
from tests.unit.builders import T0, after, filled, make_bracket, make_order, make_quote, replace
from tests.unit.desk.desk_parts import HandClock
from tests.unit.protection.test_steps import step

S = OrderStatus
ENTRY = make_order()
LONG = make_bracket(watch_stop_since=T0)
SHORT = make_bracket(side=Side.SELL, stop_price=Decimal("190.00"), watch_stop_since=T0)
TARGET = make_bracket(watch_target_since=T0)


def quote(bid: str, ask: str, at_s: float, *, age_s: float = 0.0) -> QuoteView:
    return replace(make_quote(bid, ask, age_s=age_s), at=after(at_s), quoted_at=after(at_s))


def watcher() -> Watcher:
    return Watcher(HandClock(), 15.0)  # type: ignore[arg-type]


# --- counting quotes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bracket", "beyond", "price"),
    [
        (LONG, ("184.90", "184.95"), "184.90"),
        (SHORT, ("189.95", "190.00"), "190.00"),
        (TARGET, ("191.80", "191.85"), "191.80"),
        (replace(TARGET, side=Side.SELL, take_profit_price=Decimal("180.00")), ("179.95", "180.00"), "180.00"),
    ],
)
def test_two_distinct_quotes_beyond_it_strike(bracket: Bracket, beyond: tuple[str, str], price: str) -> None:
    watch = watcher()
    assert watch.look(bracket, quote(*beyond, 1)) is None
    hit = watch.look(bracket, quote(*beyond, 2))
    assert hit is not None
    assert hit.price == Decimal(price)
    assert price in hit.sentence


def test_the_same_quote_seen_twice_is_one_print() -> None:
    watch = watcher()
    for _ in range(5):
        assert watch.look(LONG, quote("184.00", "184.05", 1)) is None
    assert watch.prints(LONG.id) == 1


def test_a_trade_makes_the_picture_younger_and_is_no_new_print() -> None:
    watch = watcher()
    watch.look(LONG, quote("184.00", "184.05", 1))
    traded = replace(quote("184.00", "184.05", 1), at=after(2), last=Decimal("184.00"))
    assert watch.look(LONG, traded) is None


def test_a_quote_on_the_right_side_between_them_begins_the_count_anew() -> None:
    watch = watcher()
    watch.look(LONG, quote("184.00", "184.05", 1))
    watch.look(LONG, quote("185.00", "185.05", 2))
    assert watch.look(LONG, quote("184.00", "184.05", 3)) is None
    assert watch.look(LONG, quote("183.90", "183.95", 4)) is not None


def test_a_moved_stop_begins_the_count_anew() -> None:
    watch = watcher()
    watch.look(LONG, quote("184.00", "184.05", 1))
    moved = replace(LONG, stop_price=Decimal("184.50"))
    assert watch.look(moved, quote("184.00", "184.05", 2)) is None
    assert watch.look(moved, quote("184.00", "184.05", 3)) is not None


def test_a_stale_quote_and_none_at_all_neither_count_nor_beat() -> None:
    watch = watcher()
    for late in (quote("184.00", "184.05", 1, age_s=15.1), None, replace(quote("1", "2", 1), bid=None, last=None)):
        assert watch.look(LONG, late) is None
    assert (watch.prints(LONG.id), watch.heartbeat(LONG.id)) == (0, None)


def test_every_live_quote_is_a_heartbeat_and_the_end_of_the_watch_forgets_it() -> None:
    watch = watcher()
    watch.look(LONG, quote("187.00", "187.05", 1))
    assert watch.heartbeat(LONG.id) == T0
    watch.look(make_bracket(), quote("187.00", "187.05", 2))
    assert watch.heartbeat(LONG.id) is None


# --- when it begins --------------------------------------------------------------------------------------------------


def test_in_extended_hours_uncovered_shares_are_watched_and_no_exits_are_placed() -> None:
    found = step(filled(ENTRY), naked_since=T0, session=Session.EXTENDED)
    assert found == Watch(target=False, why="no stop works at the broker outside the core session")
    assert step(filled(ENTRY), naked_since=T0, session=Session.EXTENDED, watch_stop_since=after(9)) == Rest(
        "the desk watches the stop"
    )


@pytest.mark.parametrize("session", [Session.CORE, Session.CLOSED])
def test_when_the_extended_session_is_over_the_broker_gets_the_exits(session: Session) -> None:
    """At night they stand for the next open."""
    assert step(filled(ENTRY), naked_since=T0, session=session, watch_stop_since=after(9)) == AttachExits(Decimal(10))


def test_whole_shares_are_covered_first_and_the_part_that_is_left_by_itself() -> None:
    assert step(filled(replace(ENTRY, qty=Decimal("3.4"))), naked_since=T0) == AttachExits(Decimal(3))
    part = filled(replace(ENTRY, qty=Decimal("0.4")))
    assert step(part, naked_since=T0, qty=Decimal("0.4")) == AttachExits(Decimal("0.4"))
    found = step(part, naked_since=T0, qty=Decimal("0.4"), session=Session.EXTENDED)
    assert isinstance(found, Watch)
    assert step(part, naked_since=T0, qty=Decimal("0.4"), session=Session.CLOSED) == AttachExits(Decimal("0.4")), (
        "for the next day"
    )


def test_a_watched_stop_needs_its_two_prints_also_when_one_price_is_beyond() -> None:
    found = step(filled(ENTRY), mark=Decimal("184.00"), session=Session.EXTENDED, watch_stop_since=T0, naked_since=T0)
    assert found == Rest("the desk watches the stop")


# --- what it is called -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"watch_stop_since": T0}, BracketStatus.WATCHED),
        ({"watch_stop_since": T0, "gave_up_at": T0}, BracketStatus.NAKED),
        ({}, BracketStatus.NAKED),
    ],
)
def test_watched_shares_are_uncovered_and_have_a_word_of_their_own(
    changes: dict[str, datetime], expected: BracketStatus
) -> None:
    trade = make_bracket(**changes)
    cover = cover_of(trade, [filled(ENTRY)])
    assert (cover.covered, cover.naked) == (0, 10)
    assert status_of(trade, cover, after(5), None) is expected
