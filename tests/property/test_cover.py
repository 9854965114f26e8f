"""Arithmetic that no luck may break: cover is what the broker would close, and no step sells a share twice."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, strategies as st

from engine.model.bracket import Bracket
from engine.model.order import Order
from engine.model.words import COVERING, CoverKind, OrderClass, OrderRole, OrderStatus, OrderType, Side
from engine.protection.ledger import cover_of
from engine.protection.steps import AttachExits, Cancel, Close, MoveTarget, Rest, next_step
from tests.unit.builders import T0, after, make_bracket, make_exit, make_order, replace

S = OrderStatus
STATUSES = st.sampled_from(list(S))


@st.composite
def order_sets(draw: st.DrawFn) -> tuple[Bracket, list[Order]]:
    """One entry and up to five exits of any kind and status, in groups or alone."""
    side = draw(st.sampled_from(Side))
    entry = with_status(draw, make_order(side=side))
    orders = [entry]
    for number in range(draw(st.integers(0, 5))):
        role = draw(st.sampled_from([OrderRole.TAKE_PROFIT, OrderRole.STOP_LOSS, OrderRole.EXIT]))
        exits = [order.id for order in orders[1:]]
        order = make_exit(
            role,
            f"exit-{number}",
            side=side.opposite,
            qty=Decimal(draw(st.integers(1, 12))),
            parent_id=draw(st.sampled_from([None, entry.id, *exits])),
            order_class=draw(st.sampled_from(OrderClass)),
            unresolved_since=draw(st.sampled_from([None, None, None, T0])),
            cancel_requested_at=draw(st.sampled_from([None, T0])),
        )
        if role is OrderRole.STOP_LOSS and draw(st.booleans()):
            order = replace(order, type=OrderType.STOP_LIMIT)
        orders.append(with_status(draw, order))
    bracket = make_bracket(
        side=side,
        adjusted_qty=Decimal(draw(st.integers(-3, 3))),
        naked_since=draw(st.sampled_from([None, T0])),
        gave_up_at=draw(st.sampled_from([None, None, T0])),
        exit_requested_at=draw(st.sampled_from([None, T0])),
    )
    return bracket, orders


def with_status(draw: st.DrawFn, order: Order) -> Order:
    status = draw(STATUSES)
    done = order.qty if status is S.FILLED else Decimal(draw(st.integers(0, int(order.qty) - 1)))
    sent = status is S.SENDING
    return replace(
        order,
        status=status,
        filled_qty=Decimal(0) if sent else done,
        broker_id=None if sent else order.broker_id or "broker-entry",
    )


def would_close(orders: list[Order]) -> Decimal:
    """The shares that the broker's own stops would close at a trigger, by its rules."""
    by_id = {order.id: order for order in orders}
    total = Decimal(0)
    for order in orders:
        if order.role is not OrderRole.STOP_LOSS or order.status not in COVERING or order.unresolved_since is not None:
            continue
        parent = by_id.get(order.parent_id or "")
        if parent is not None and parent.role is OrderRole.ENTRY and parent.status is not S.FILLED:
            continue  # armed only by a completely filled entry
        total += order.qty - order.filled_qty
    return total


@given(order_sets())
def test_cover_is_what_is_held_and_really_closed_and_never_more(trade: tuple[Bracket, list[Order]]) -> None:
    bracket, orders = trade
    cover = cover_of(bracket, orders)
    assert cover.covered == min(cover.held, would_close(orders))
    assert cover.naked + cover.covered == cover.held
    assert min(cover.naked, cover.covered, cover.held, cover.over) >= 0
    assert (cover.kind is CoverKind.NONE) is (cover.covered == 0)
    if cover.kind is CoverKind.HARD:
        assert cover.stop is not None
        assert (cover.stop.side, cover.stop.type) == (Side.SELL, OrderType.STOP)


@given(order_sets(), st.sampled_from([None, Decimal(180), Decimal(187), Decimal(195)]), st.floats(0, 30))
def test_no_step_closes_more_than_is_held_or_acts_beside_an_unknown_exit(
    trade: tuple[Bracket, list[Order]], mark: Decimal | None, now_s: float
) -> None:
    bracket, orders = trade
    cover = cover_of(bracket, orders)
    step = next_step(
        bracket,
        orders,
        cover,
        mark=mark,
        now=after(now_s),
        partial_rescue_after_s=5.0,
        stop_through="exit",
    )
    unknown = [o for o in orders if o.unresolved_since is not None and o.is_open and o.role is not OrderRole.ENTRY]
    if unknown:
        assert isinstance(step, Rest)
    match step:
        case AttachExits(qty=qty):
            assert 0 < qty <= cover.held - would_close(orders)
            assert not cover.entry_open
        case Close(qty=qty):
            assert 0 < qty <= cover.held
            assert not cover.orders_open, "nothing else may sell these shares"
        case MoveTarget(target_id=target_id, limit_price=price):
            assert cover.target is not None
            assert target_id == cover.target.id
            assert price > 0
        case Cancel(order_ids=named):
            by_id = {order.id: order for order in orders}
            assert named
            assert len(set(named)) == len(named)
            assert all(by_id[name].is_open and by_id[name].broker_id is not None for name in named)
        case Rest(after_s=after_s):
            assert after_s is None or after_s > 0
