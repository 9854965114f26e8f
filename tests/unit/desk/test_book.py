"""The fold: what facts, told one after the other, make of signals, orders, trades and incidents."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.approval import bracket_for
from engine.errors import IllegalTransition, InvariantViolated
from engine.model import events as ev
from engine.model.signal import Reason
from engine.model.words import OrderRole, OrderStatus, Purpose, Side, SignalStatus, Verdict
from tests.unit.builders import (
    DESK_ID,
    ENTRY_ID,
    Story,
    after,
    make_approval,
    make_bracket,
    make_exit,
    make_order,
    make_signal,
    oco_of,
    replace,
    state_of,
)

S = OrderStatus
TARGET_ID, STOP_ID = f"{ENTRY_ID}.tp", f"{ENTRY_ID}.sl"


@pytest.fixture
def story() -> Story:
    return Story()


def status(story: Story, signal_id: str = "s000001") -> SignalStatus:
    return story.book.signals[signal_id].status


# --- life of a signal ------------------------------------------------------------------------------------------------


def test_a_signal_is_pending_until_somebody_decides(story: Story) -> None:
    story.tell(ev.SignalReceived(signal=make_signal()))
    assert status(story) is SignalStatus.PENDING
    assert list(story.book.pending) == ["s000001"]
    assert story.book.signals_of_source["breakout"]["breakout-000123"] == "s000001"
    assert story.book.next_signal_number() == 2


def test_a_signal_goes_from_pending_over_approved_working_and_filled_to_closed(story: Story) -> None:
    seen = []
    story.tell(ev.SignalReceived(signal=make_signal()))
    seen.append(status(story))
    story.approve(at_s=1)
    seen.append(status(story))
    assert (list(story.book.pending), list(story.book.approved)) == ([], ["s000001"])
    story.enter(2)
    assert status(story) is SignalStatus.APPROVED, "an intent is not at the broker yet"
    story.answer(3)
    seen.append(status(story))
    assert not story.book.approved
    story.report(ENTRY_ID, S.PARTIALLY_FILLED, 4, filled=4, execution_id="x1")
    assert status(story) is SignalStatus.WORKING
    story.report(ENTRY_ID, S.FILLED, 5, filled=10, execution_id="x2")
    seen.append(status(story))
    story.report(TARGET_ID, S.FILLED, 6, filled=10, price="191.80")
    assert status(story) is SignalStatus.FILLED, "the stop still stands"
    story.report(STOP_ID, S.CANCELED, 7)
    seen.append(status(story))
    assert [word.value for word in seen] == ["pending", "approved", "working", "filled", "closed"]


def test_a_rejection_keeps_who_and_why(story: Story) -> None:
    story.tell(ev.SignalReceived(signal=make_signal()))
    story.tell(ev.SignalRejected(signal_id="s000001", actor="window", reason="earnings"), 4)
    record = story.book.signals["s000001"]
    assert (record.status, record.decided_by, record.decision_note) == (SignalStatus.REJECTED, "window", "earnings")
    assert record.decided_at == after(4)
    assert not story.book.pending


def test_an_expired_signal_is_decided_by_nobody(story: Story) -> None:
    story.tell(ev.SignalReceived(signal=make_signal()))
    story.tell(ev.SignalExpired(signal_id="s000001"), 60)
    assert (status(story), story.book.signals["s000001"].decided_by) == (SignalStatus.EXPIRED, None)
    assert not story.book.pending


def test_a_deny_after_the_approval_leaves_nothing_in_flight(story: Story) -> None:
    story.approve()
    reason = Reason(code="PRICE_DRIFT", text="The price moved.", verdict=Verdict.DENY)
    story.tell(ev.SignalDenied(signal_id="s000001", reasons=(reason,)), 1)
    record = story.book.signals["s000001"]
    assert (record.status, record.decision_note, record.bracket_id) == (SignalStatus.DENIED, "The price moved.", None)
    assert not story.book.approved
    assert not story.book.pending


def test_a_returned_signal_is_pending_again_without_its_approval(story: Story) -> None:
    story.approve()
    story.tell(ev.SignalReturned(signal_id="s000001", why="approved, never reached the broker"), 9)
    record = story.book.signals["s000001"]
    assert (record.status, record.approval, record.bracket_id) == (SignalStatus.PENDING, None, None)
    assert record.decision_note == "approved, never reached the broker"
    assert (list(story.book.pending), list(story.book.approved)) == (["s000001"], [])


def test_the_trade_of_a_signal_approved_again_gets_an_id_of_its_own(story: Story) -> None:
    assert bracket_for("s000001", story.book) == "b000001"
    story.approve()
    story.enter()
    assert bracket_for("s000001", story.book) == "b000001r2"
    story.tell(ev.BracketOpened(bracket=make_bracket(id="b000001r2")))
    assert bracket_for("s000001", story.book) == "b000001r3"


def test_an_entry_that_the_broker_refused_fails_its_signal_and_says_why(story: Story) -> None:
    story.approve()
    story.enter()
    story.tell(ev.OrderRefused(order_id=ENTRY_ID, text="Not enough buying power.", status_code=403), 1)
    record = story.book.signals["s000001"]
    assert (record.status, record.decision_note) == (SignalStatus.FAILED, "Not enough buying power.")
    assert not story.book.open_orders
    assert not story.book.open_brackets
    assert story.book.orders[STOP_ID].status is S.NEVER_REACHED, "the legs end with the entry that never was"


def test_an_entry_that_never_reached_the_broker_fails_its_signal(story: Story) -> None:
    story.approve()
    story.enter()
    story.tell(ev.OrderUnresolved(order_id=ENTRY_ID, text="No answer."), 1)
    assert story.book.orders[ENTRY_ID].unresolved_since == after(1)
    story.tell(ev.OrderUnresolved(order_id=ENTRY_ID, text="Still none."), 2)
    assert story.book.orders[ENTRY_ID].unresolved_since == after(1), "since the first doubt"
    story.tell(ev.OrderNeverReached(order_id=ENTRY_ID, why="Attested by window."), 3)
    assert status(story) is SignalStatus.FAILED
    assert story.book.orders[ENTRY_ID].unresolved_since is None


def test_an_entry_canceled_without_a_fill_closes_its_signal(story: Story) -> None:
    story.approve()
    story.enter()
    story.answer()
    story.report(ENTRY_ID, S.CANCELED, 1)
    for order_id in (TARGET_ID, STOP_ID):
        story.report(order_id, S.CANCELED, 1)
    record = story.book.signals["s000001"]
    assert (record.status, record.decision_note) == (SignalStatus.CLOSED, "entry canceled without a fill")


def test_a_closing_signal_works_while_the_trade_is_on_its_way_out_and_ends_with_it(story: Story) -> None:
    story.is_protected()
    closing = make_signal(id="s000002", source_id="2", side=Side.SELL, intent=None)
    story.tell(ev.SignalReceived(signal=closing), 1)
    story.tell(ev.SignalApproved(signal_id="s000002", bracket_id=None, approval=make_approval(after(2))), 2)
    asked = ev.ExitRequested(bracket_id="b000001", actor="window", reason="breakout closes", signal_id="s000002")
    story.tell(asked, 2)
    assert status(story, "s000002") is SignalStatus.WORKING
    assert not story.book.approved
    story.report(STOP_ID, S.CANCELED, 3)
    story.report(TARGET_ID, S.FILLED, 3, filled=10, price="187.00")
    assert status(story, "s000002") is SignalStatus.CLOSED
    assert status(story) is SignalStatus.CLOSED


def test_a_closing_signal_that_ends_two_trades_is_closed_with_the_last_of_them(story: Story) -> None:
    story.tell(ev.SignalReceived(signal=make_signal(id="s000009", source_id="9", side=Side.SELL)))
    story.tell(ev.SignalApproved(signal_id="s000009", bracket_id=None, approval=make_approval()))
    for number in (1, 2):
        bracket_id, entry_id = f"b00000{number}", f"entry-{number}"
        story.tell(ev.BracketOpened(bracket=make_bracket(id=bracket_id)))
        entry = make_order(id=entry_id, client_order_id=entry_id, bracket_id=bracket_id)
        story.tell(ev.OrderIntended(order=entry, body={}, purpose=Purpose.ENTRY))
        story.tell(ev.ExitRequested(bracket_id=bracket_id, actor="window", reason="closes", signal_id="s000009"))
    story.report("entry-1", S.CANCELED, 1)
    assert status(story, "s000009") is SignalStatus.WORKING
    story.report("entry-2", S.CANCELED, 2)
    assert status(story, "s000009") is SignalStatus.CLOSED


# --- naked seconds ---------------------------------------------------------------------------------------------------


def test_a_fill_in_one_execution_is_never_naked(story: Story) -> None:
    story.is_protected()
    bracket = story.book.brackets["b000001"]
    assert (bracket.naked_s, bracket.naked_since, bracket.naked_share_s) == (0, None, 0)


def test_naked_time_runs_from_the_first_uncovered_share_to_the_last_one_covered(story: Story) -> None:
    story.approve()
    story.enter()
    story.answer()
    story.report(ENTRY_ID, S.PARTIALLY_FILLED, 10, filled=4, execution_id="x1")
    assert story.book.brackets["b000001"].naked_since == after(10)
    story.report(ENTRY_ID, S.PARTIALLY_FILLED, 12, filled=6, execution_id="x2")
    assert story.book.brackets["b000001"].naked_since == after(10), "the span goes on"
    story.report(ENTRY_ID, S.FILLED, 15, filled=10, execution_id="x3")
    bracket = story.book.brackets["b000001"]
    # 4 shares from 10 to 12, 6 shares from 12 to 15: 5 seconds, 4 x 2 + 6 x 3 = 26 share-seconds.
    assert (bracket.naked_s, bracket.naked_share_s, bracket.naked_since) == (5.0, 26.0, None)


def test_two_naked_spans_are_added_up(story: Story) -> None:
    story.is_protected()
    story.report(STOP_ID, S.REJECTED, 20)
    assert story.book.brackets["b000001"].naked_since == after(20)
    story.report(TARGET_ID, S.CANCELED, 21)
    target, stop = oco_of(status=S.SENDING, broker_id=None, evidence=None)
    story.tell(ev.OrderIntended(order=target, body={}, purpose=Purpose.PROTECT, legs=(stop,)), 21.5)
    story.report(target.id, S.NEW, 22)
    story.report(stop.id, S.HELD, 22)
    story.report(stop.id, S.CANCELED, 30)
    story.report(target.id, S.FILLED, 31.5, filled=10, price="191.80")
    bracket = story.book.brackets["b000001"]
    # From 20 to 22 while the OCO was placed, and from 30 to 31.5 until the target had sold everything.
    assert bracket.naked_s == 3.5
    assert bracket.naked_share_s == 35.0
    assert bracket.closed_at == after(31.5)


def test_cover_that_came_back_forgets_the_failed_placements(story: Story) -> None:
    story.is_protected()
    story.report(STOP_ID, S.CANCELED, 1)
    story.report(TARGET_ID, S.CANCELED, 1)
    story.tell(ev.ProtectionFailed(bracket_id="b000001", text="refused"), 2)
    story.tell(ev.ProtectionFailed(bracket_id="b000001", text="refused again"), 3)
    story.tell(ev.ProtectionGaveUp(bracket_id="b000001", text="refused again"), 3)
    bracket = story.book.brackets["b000001"]
    assert (bracket.attempts, bracket.gave_up_at, bracket.last_error) == (2, after(3), "refused again")
    stop = make_exit(OrderRole.STOP_LOSS, f"gl-{DESK_ID}-000001-stop-1", status=S.SENDING, broker_id=None)
    story.tell(ev.OrderIntended(order=stop, body={}, purpose=Purpose.PROTECT), 4)
    story.report(stop.id, S.NEW, 5)
    bracket = story.book.brackets["b000001"]
    assert (bracket.attempts, bracket.gave_up_at, bracket.last_error) == (0, None, None)


def test_exits_that_never_woke_were_naked_since_the_fill(story: Story) -> None:
    story.enter()
    story.answer(0)
    story.report(TARGET_ID, S.HELD, 1)
    story.report(STOP_ID, S.HELD, 1)
    story.report(ENTRY_ID, S.FILLED, 2, filled=10)
    assert story.book.cover("b000001").covered == 10
    story.tell(ev.ExitsAsleep(bracket_id="b000001", order_ids=(TARGET_ID, STOP_ID), text="held after the fill"), 8)
    bracket = story.book.brackets["b000001"]
    assert (story.book.cover("b000001").naked, bracket.naked_since) == (10, after(2))
    assert (bracket.naked_share_s, bracket.last_error) == (60.0, "held after the fill")  # 10 shares for 6 seconds
    story.report(TARGET_ID, S.CANCELED, 9)
    assert story.book.orders[STOP_ID].asleep_since is not None, "its sibling's end wakes no stop"


def test_a_target_that_comes_to_life_after_all_brings_its_stop_back(story: Story) -> None:
    story.enter()
    story.answer(0)
    story.report(TARGET_ID, S.HELD, 1)
    story.report(STOP_ID, S.HELD, 1)
    story.report(ENTRY_ID, S.FILLED, 2, filled=10)
    story.tell(ev.ExitsAsleep(bracket_id="b000001", order_ids=(TARGET_ID, STOP_ID), text="held after the fill"), 8)
    story.report(TARGET_ID, S.NEW, 9)
    assert (story.book.cover("b000001").covered, story.book.brackets["b000001"].naked_s) == (10, 7.0)


def test_retry_counts_placements_anew(story: Story) -> None:
    story.is_protected()
    story.report(STOP_ID, S.CANCELED, 1)
    story.tell(ev.ProtectionFailed(bracket_id="b000001", text="refused"), 2)
    story.tell(ev.ProtectionGaveUp(bracket_id="b000001", text="refused"), 3)
    story.tell(ev.ProtectionRearmed(bracket_id="b000001", actor="window"), 4)
    bracket = story.book.brackets["b000001"]
    assert (bracket.attempts, bracket.gave_up_at) == (0, None)


# --- closing and coming back -----------------------------------------------------------------------------------------


def test_cover_is_kept_while_a_trade_is_open_and_told_of_a_closed_one_all_the_same(story: Story) -> None:
    story.is_protected()
    assert story.book.cover("b000001") is story.book.cover("b000001")
    story.report(STOP_ID, S.CANCELED, 20)
    story.report(TARGET_ID, S.FILLED, 21, filled=10, price="191.80")
    first, second = story.book.cover("b000001"), story.book.cover("b000001")
    assert first == second
    assert first is not second
    assert (first.entry_filled, first.exit_filled, first.held) == (10, 10, 0)


def test_a_late_fill_reopens_a_closed_trade(story: Story) -> None:
    story.approve()
    story.enter()
    story.answer()
    story.report(ENTRY_ID, S.CANCELED, 1)
    for order_id in (TARGET_ID, STOP_ID):
        story.report(order_id, S.CANCELED, 1)
    assert story.book.brackets["b000001"].closed_at == after(1)
    assert not list(story.book.open_brackets_of("AAPL"))
    story.report(ENTRY_ID, S.PARTIALLY_FILLED, 2, filled=3, execution_id="x1")
    bracket = story.book.brackets["b000001"]
    assert bracket.closed_at is None
    assert bracket.naked_since == after(2)
    assert list(story.book.open_brackets_of("AAPL")) == [bracket]
    assert status(story) is SignalStatus.FILLED


def test_shares_taken_by_another_hand_close_the_trade_when_nothing_else_is_open(story: Story) -> None:
    story.is_protected()
    for order_id in (TARGET_ID, STOP_ID):
        story.report(order_id, S.CANCELED, 1)
    adjusted = ev.BracketAdjusted(bracket_id="b000001", qty=Decimal(-10), why="closed at the broker by hand")
    story.tell(adjusted, 2)
    bracket = story.book.brackets["b000001"]
    assert (bracket.closed_at, bracket.adjusted_qty, bracket.last_error) == (after(2), -10, adjusted.why)


def test_moved_exits_are_what_is_placed_from_here_on(story: Story) -> None:
    story.is_protected()
    moved = ev.ExitsChanged(bracket_id="b000001", stop_price=Decimal("186.00"), take_profit_price=None, actor="window")
    story.tell(moved, 1)
    bracket = story.book.brackets["b000001"]
    assert (bracket.stop_price, bracket.take_profit_price) == (Decimal("186.00"), None)


# --- orders ----------------------------------------------------------------------------------------------------------


def test_orders_are_found_by_our_id_and_by_the_brokers(story: Story) -> None:
    story.approve()
    story.enter()
    assert story.book.order_of_client_id[ENTRY_ID] == ENTRY_ID
    story.answer()
    assert story.book.order_of_broker_id[f"broker-{STOP_ID}"] == STOP_ID
    assert [order.id for order in story.book.orders_of("b000001")] == [ENTRY_ID, TARGET_ID, STOP_ID]


def test_the_same_order_is_never_made_twice(story: Story) -> None:
    story.approve()
    story.enter()
    with pytest.raises(InvariantViolated, match="was made twice"):
        story.tell(ev.OrderAdopted(order=make_order()))


def test_a_report_that_cannot_be_true_leaves_the_book_as_it_was(story: Story) -> None:
    story.is_protected()
    before = state_of(story.replayed())
    with pytest.raises(IllegalTransition):
        story.report(ENTRY_ID, S.CANCELED, 9)
    assert state_of(story.book) == before


def test_a_replacement_is_linked_both_ways(story: Story) -> None:
    story.is_protected()
    story.report(TARGET_ID, S.NEW, 1)
    target = story.book.orders[TARGET_ID]
    patch_id = f"gl-{DESK_ID}-000001-patch-1"
    patch = replace(
        target,
        id=patch_id,
        client_order_id=patch_id,
        broker_id=None,
        status=S.SENDING,
        evidence=None,
        replaces=TARGET_ID,
    )
    story.tell(ev.ReplaceIntended(order_id=TARGET_ID, order=patch, body={}, purpose=Purpose.CLOSE, actor="desk"), 2)
    story.report(patch_id, S.NEW, 3, broker_id="b9", replaces=f"broker-{TARGET_ID}")
    story.report(TARGET_ID, S.REPLACED, 3, replaced_by="b9")
    assert story.book.orders[TARGET_ID].replaced_by == patch_id
    assert story.book.orders[patch_id].replaces == TARGET_ID
    assert TARGET_ID not in story.book.open_orders


def test_a_refused_cancel_takes_the_wish_back(story: Story) -> None:
    story.is_protected()
    story.tell(ev.CancelIntended(order_id=STOP_ID, actor="window"), 1)
    assert story.book.orders[STOP_ID].cancel_requested_at == after(1)
    story.tell(ev.CancelRefused(order_id=STOP_ID, text="not cancelable"), 2)
    stop = story.book.orders[STOP_ID]
    assert (stop.cancel_requested_at, stop.last_error) == (None, "not cancelable")


def test_who_asked_for_a_cancel_stays_known_when_the_desk_repeats_it(story: Story) -> None:
    """An exit that a person took away is not put back; one that the desk alone canceled is."""
    story.is_protected()
    story.tell(ev.CancelIntended(order_id=TARGET_ID, actor="window"), 1)
    story.tell(ev.CancelIntended(order_id=TARGET_ID, actor="desk"), 5)
    target = story.book.orders[TARGET_ID]
    assert (target.cancel_actor, target.cancel_since, target.cancel_requested_at) == ("window", after(1), after(5))
    story.tell(ev.CancelRefused(order_id=TARGET_ID, text="not cancelable"), 6)
    story.tell(ev.CancelIntended(order_id=TARGET_ID, actor="desk"), 7)
    assert story.book.orders[TARGET_ID].cancel_actor == "desk"


def test_an_adopted_order_without_a_trade_is_open_and_in_no_trade(story: Story) -> None:
    story.tell(ev.OrderAdopted(order=make_order(id="foreign", bracket_id=None, status=S.NEW, broker_id="b7")))
    assert list(story.book.open_orders) == ["foreign"]
    assert not story.book.brackets
