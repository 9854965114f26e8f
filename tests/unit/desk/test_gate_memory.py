"""What the book remembers for the gate: losses that cool down, and entries that the broker refused in a row."""

from __future__ import annotations

import pytest

from engine.model import events as ev
from engine.model.words import DeskState, OrderStatus
from tests.unit.builders import ENTRY_ID, Story, after

S = OrderStatus


def closed_at(price: str) -> Story:
    """Ten AAPL bought at 187.20, sold by the stop at ``price``, ninety seconds after the first fact."""
    story = Story()
    story.is_protected()
    story.report(f"{ENTRY_ID}.tp", S.CANCELED, 89)
    story.report(f"{ENTRY_ID}.sl", S.FILLED, 90, filled=10, price=price, execution_id="x2")
    assert not story.book.open_brackets
    return story


def test_a_trade_that_lost_is_remembered_by_symbol_and_strategy() -> None:
    story = closed_at("187.19")
    assert story.book.lost_at == {"symbol:AAPL": after(90), "strategy:breakout": after(90)}
    assert story.replayed().lost_at == story.book.lost_at


@pytest.mark.parametrize("price", ["187.20", "187.21"])
def test_one_that_did_not_lose_is_not(price: str) -> None:
    assert closed_at(price).book.lost_at == {}


def refuse(story: Story, *, at_venue: bool) -> None:
    story.approve()
    story.enter()
    if at_venue:
        story.report(ENTRY_ID, S.ACCEPTED)
        story.report(ENTRY_ID, S.REJECTED, 1, updated_at=after(1))
    else:
        story.tell(ev.OrderRefused(order_id=ENTRY_ID, text="no", code=40310000, request_id=None))


@pytest.mark.parametrize("at_venue", [False, True])
def test_an_entry_that_was_refused_counts_by_answer_and_at_the_venue(at_venue: bool) -> None:
    story = Story()
    refuse(story, at_venue=at_venue)
    assert story.book.rejects_in_a_row == 1


def test_an_entry_that_stands_at_the_broker_begins_the_count_anew() -> None:
    story = Story()
    story.book.rejects_in_a_row = 4
    story.approve()
    story.enter()
    story.report(ENTRY_ID, S.ACCEPTED)
    assert story.book.rejects_in_a_row == 4, "the venue may refuse it still"
    story.report(ENTRY_ID, S.NEW, 1, updated_at=after(1))
    assert story.book.rejects_in_a_row == 0


@pytest.mark.parametrize(
    ("scope", "state", "left"),
    [("desk", DeskState.ACTIVE, 0), ("desk", DeskState.PAUSED, 1), ("symbol:AAPL", DeskState.ACTIVE, 1)],
)
def test_a_person_who_sets_the_desk_active_begins_it_anew_too(scope: str, state: DeskState, left: int) -> None:
    story = Story()
    refuse(story, at_venue=False)
    story.tell(ev.DeskStateSet(scope=scope, state=state, actor="ann", cause=""))
    assert story.book.rejects_in_a_row == left
