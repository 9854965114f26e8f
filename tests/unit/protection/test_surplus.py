"""Exits for more than is held: cut at once, unless the broker is about to cut them by itself."""

from __future__ import annotations

from decimal import Decimal

from engine.protection.steps import ReadAgain, Truth
from tests.unit.builders import after, filled, replace
from tests.unit.protection.deciding import ENTRY, STOP, TARGET, canceled_by, rest_of, step

ENTERED = replace(filled(ENTRY), status_since=after(9.9))
READ = Truth(qty=Decimal(4), available=Decimal(0), read_at=after(9.95))


def test_a_stop_is_left_to_the_broker_for_a_moment_after_its_target_has_filled_in_part() -> None:
    sold = replace(filled(TARGET, 4), status_since=after(9.9))
    assert rest_of(step(filled(ENTRY), sold, STOP, truth=READ)) == 1.9


def test_a_stop_for_shares_that_cancelled_out_with_another_trade_goes_at_once() -> None:
    """The broker knows of no such thing: a price that jumps meanwhile would sell what is not there."""
    assert canceled_by(step(ENTERED, TARGET, STOP, truth=READ, adjusted_qty=Decimal(-6))) == (STOP.id,)


def test_a_stop_for_shares_that_the_venue_took_back_goes_at_once() -> None:
    busted = replace(ENTERED, filled_qty=Decimal(4), busted_qty=Decimal(6))
    assert canceled_by(step(busted, TARGET, STOP, truth=READ)) == (STOP.id,)


def test_nothing_goes_before_the_position_was_read() -> None:
    unread = replace(READ, read_at=after(9.8))
    assert isinstance(step(ENTERED, TARGET, STOP, truth=unread, adjusted_qty=Decimal(-6)), ReadAgain)


def test_exits_of_shares_that_are_all_gone_go_at_once_unless_a_sibling_has_executed() -> None:
    assert canceled_by(step(ENTERED, TARGET, STOP, adjusted_qty=Decimal(-10))) == (TARGET.id,)
    sold = replace(filled(TARGET), status_since=after(9.9))
    assert rest_of(step(filled(ENTRY), sold, STOP)) == 1.9
