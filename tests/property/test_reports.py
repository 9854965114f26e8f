"""The life of an order, told badly: doubled, late, out of order, with gaps. The book still ends at the truth."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, strategies as st

from engine.book import Book
from engine.errors import IllegalTransition, InvariantViolated
from engine.model import events as ev
from engine.model.order import OrderReport, apply_report
from engine.model.words import TERMINAL, OrderStatus
from engine.protection.ledger import cover_of, is_finished
from tests.unit.builders import ENTRY_ID, Story, after, make_order, make_report, proof, replace, state_of

S = OrderStatus
QTY = 10


@st.composite
def order_lives(draw: st.DrawFn, broker_id: str = "broker-entry") -> list[OrderReport]:
    """What really happened to an order of ten shares, oldest first: each report with a later stamp."""
    openings = [status for status in (S.PENDING_NEW, S.ACCEPTED, S.HELD) if draw(st.booleans())]
    words: list[tuple[OrderStatus, int, str | None]] = [(status, 0, None) for status in (*openings, S.NEW)]
    done = 0
    for number, size in enumerate(draw(st.lists(st.integers(1, 4), max_size=4))):
        if done + size < QTY:
            done += size
            words.append((S.PARTIALLY_FILLED, done, f"{broker_id}-x{number}"))
    end = draw(st.sampled_from([None, S.FILLED, S.CANCELED, S.EXPIRED, S.REPLACED]))
    if end is S.FILLED:
        words.append((S.FILLED, QTY, f"{broker_id}-last"))
    elif end is not None:
        if end is S.CANCELED and draw(st.booleans()):
            words.append((S.PENDING_CANCEL, done, None))
        words.append((end, done, None))
        if done and draw(st.booleans()):
            # The fill raced the cancel and is reported after it.
            words.append((end, min(QTY, done + 1), None))
    return [
        make_report(
            status,
            broker_id=broker_id,
            filled_qty=Decimal(filled),
            filled_avg_price=Decimal("187.20") if filled else None,
            execution_id=execution,
            updated_at=after(number),
            evidence=proof(after(number)),
        )
        for number, (status, filled, execution) in enumerate(words)
    ]


@st.composite
def tellings(draw: st.DrawFn, life: list[OrderReport]) -> list[OrderReport]:
    """The reports as they arrive: some never, some twice, in any order; the last one at least once."""
    arrived = [report for report in life[:-1] for _ in range(draw(st.integers(0, 2)))] + [life[-1]]
    return draw(st.permutations(arrived))


@given(st.data())
def test_an_order_ends_as_it_really_did_however_its_reports_arrive(data: st.DataObject) -> None:
    life = data.draw(order_lives())
    order = make_order()
    for report in data.draw(tellings(life)):
        known = order
        order = apply_report(order, report, report.evidence.at)
        assert known.filled_qty <= order.filled_qty <= QTY
        assert not (known.is_terminal and order.is_open)
    assert order.status is life[-1].status
    assert order.filled_qty == life[-1].filled_qty
    assert len(set(order.execution_ids)) == len(order.execution_ids)


@given(st.data())
def test_a_report_already_told_says_nothing_new(data: st.DataObject) -> None:
    life = data.draw(order_lives())
    order = make_order()
    for report in life:
        order = apply_report(order, report, report.evidence.at)
        if report.execution_id is not None or order.is_terminal:
            again = apply_report(order, report, after(99))
            assert replace(again, evidence=order.evidence) == order


def assert_consistent(book: Book) -> None:
    """The indexes say what the records say, and the kept cover is the computed one."""
    assert set(book.open_orders) == {order.id for order in book.orders.values() if order.is_open}
    assert set(book.open_brackets) == {b.id for b in book.brackets.values() if b.closed_at is None}
    by_symbol = {bracket_id for ids in book.brackets_of_symbol.values() for bracket_id in ids}
    assert by_symbol == set(book.open_brackets)
    assert set(book.pending) == {r.signal.id for r in book.signals.values() if r.status == "pending"}
    assert set(book.approved) == {r.signal.id for r in book.signals.values() if r.status == "approved"}
    for broker_id, order_id in book.order_of_broker_id.items():
        assert book.orders[order_id].broker_id == broker_id
    for bracket_id, bracket in book.brackets.items():
        cover = book.cover(bracket_id)
        assert cover == cover_of(bracket, book.orders_of(bracket_id))
        assert is_finished(cover) is (bracket.closed_at is not None)
        assert (cover.exposed > 0) is (bracket.naked_since is not None)
        assert bracket.naked_s >= 0
        assert bracket.naked_share_s >= 0


def tell_as_the_tracker_does(story: Story, order_id: str, report: OrderReport, at_s: float) -> None:
    """What says nothing new, or cannot be true, never reaches the journal."""
    try:
        if apply_report(story.book.orders[order_id], report, after(at_s)) is story.book.orders[order_id]:
            return
    except (IllegalTransition, InvariantViolated):
        return
    story.tell(ev.OrderReported(order_id=order_id, report=report), at_s)


@given(st.data())
def test_a_trade_told_in_any_order_keeps_the_book_true(data: st.DataObject) -> None:
    ids = (ENTRY_ID, f"{ENTRY_ID}.tp", f"{ENTRY_ID}.sl")
    arrivals = []
    lives = {}
    for order_id in ids:
        lives[order_id] = data.draw(order_lives(broker_id=f"broker-{order_id}"))
        arrivals += [(order_id, report) for report in data.draw(tellings(lives[order_id]))]
    story = Story()
    story.approve()
    story.enter()
    for number, (order_id, report) in enumerate(data.draw(st.permutations(arrivals))):
        tell_as_the_tracker_does(story, order_id, report, number + 1.0)
        assert_consistent(story.book)
    for order_id, life in lives.items():
        known = story.book.orders[order_id]
        unborn = known.status is S.NEVER_REACHED and life[-1].status not in TERMINAL
        assert unborn or (known.status, known.filled_qty) == (life[-1].status, life[-1].filled_qty)
    assert state_of(story.replayed()) == state_of(story.book)


@given(st.data())
def test_a_journal_folded_again_from_scratch_gives_an_equal_book(data: st.DataObject) -> None:
    story = Story()
    story.is_protected()
    for number in range(data.draw(st.integers(0, 6))):
        at_s = number + 1.0
        event = data.draw(
            st.sampled_from(
                [
                    ev.ProtectionFailed(bracket_id="b000001", text="refused"),
                    ev.ProtectionGaveUp(bracket_id="b000001", text="refused"),
                    ev.ProtectionRearmed(bracket_id="b000001", actor="window"),
                    ev.ExitRequested(bracket_id="b000001", actor="window", reason="flatten"),
                    ev.CancelIntended(order_id=f"{ENTRY_ID}.sl", actor="window"),
                    ev.BracketAdjusted(bracket_id="b000001", qty=Decimal(-2), why="by hand"),
                    ev.ExitsChanged(
                        bracket_id="b000001", stop_price=Decimal(185), take_profit_price=None, actor="window"
                    ),
                ]
            )
        )
        story.tell(event, at_s)
        assert_consistent(story.book)
    assert state_of(story.replayed()) == state_of(story.book)
