"""Exits that the broker does not wake after the fill: read, doubted, cleared away."""

from __future__ import annotations

from decimal import Decimal

from engine.model.words import OrderClass, Session
from engine.protection.steps import (
    AttachExits,
    DoubtExits,
    ReadAgain,
    Rest,
    Truth,
)
from tests.unit.builders import (
    after,
    filled,
    replace,
)
from tests.unit.protection.deciding import ENTRY, STOP, TARGET, S, canceled_by, step

ASLEEP = replace(TARGET, status=S.HELD), STOP
READ_SINCE = Truth(qty=Decimal(10), available=Decimal(10), read_at=after(6))


def test_a_group_whose_exits_all_stay_held_after_the_fill_is_read_and_then_doubted() -> None:
    """The entry filled at second 0; its exits have until second 5."""
    assert step(filled(ENTRY), *ASLEEP, now_s=4.9) == Rest("covered")
    assert isinstance(step(filled(ENTRY), *ASLEEP), ReadAgain)
    too_early = replace(READ_SINCE, read_at=after(4))
    assert isinstance(step(filled(ENTRY), *ASLEEP, truth=too_early), ReadAgain)
    doubt = step(filled(ENTRY), *ASLEEP, truth=READ_SINCE)
    assert isinstance(doubt, DoubtExits)
    assert doubt.order_ids == (TARGET.id, STOP.id)


def test_the_only_stop_of_an_oto_is_doubted_too() -> None:
    entry = replace(filled(ENTRY), order_class=OrderClass.OTO)
    assert isinstance(step(entry, STOP, truth=READ_SINCE, take_profit_price=None), DoubtExits)


def test_a_held_stop_beside_an_armed_or_a_gone_target_is_believed() -> None:
    gone = replace(TARGET, status=S.CANCELED)
    assert step(filled(ENTRY), TARGET, STOP, truth=READ_SINCE) == Rest("covered")
    assert not isinstance(step(filled(ENTRY), gone, STOP, truth=READ_SINCE), DoubtExits | ReadAgain)


def test_what_waits_for_the_opening_is_not_doubted() -> None:
    assert step(filled(ENTRY), *ASLEEP, truth=READ_SINCE, session=Session.CLOSED) == Rest("covered")
    assert step(filled(ENTRY), *ASLEEP, truth=READ_SINCE, halted=True) == Rest("covered")


def test_a_group_that_was_changed_is_doubted_only_when_nothing_is_reserved_for_it() -> None:
    """A PATCH of one leg shows the other as held again for a while."""
    old = replace(STOP, status=S.REPLACED)
    moved = replace(STOP, id="moved", broker_id="moved", replaces=old.id, parent_id=ENTRY.id)
    orders = (filled(ENTRY), ASLEEP[0], old, moved)
    reserved = replace(READ_SINCE, available=Decimal(0))
    assert step(*orders, truth=reserved) == Rest("covered")
    assert isinstance(step(*orders, truth=READ_SINCE), DoubtExits)


def test_doubted_exits_are_cleared_before_others_come() -> None:
    target, stop = (replace(order, asleep_since=after(7)) for order in ASLEEP)
    assert canceled_by(step(filled(ENTRY), target, stop, truth=READ_SINCE)) == (target.id,)
    ended = [replace(order, status=S.CANCELED) for order in (target, stop)]
    assert step(filled(ENTRY), *ended, truth=READ_SINCE) == AttachExits(Decimal(10))
