"""Share by share: what a trade holds, and how much of it live, broker-confirmed stops would close.

Pure functions of the trade's record and its orders. Everything that speaks of cover (book, supervisor, views, tests)
asks here, so that no two parts of the desk can disagree about who is naked.

Alpaca arms the exits of a native bracket only when the entry is *completely* filled, and then leaves the stop ``held``:
the same word means "waits, protects nothing" before that moment and "armed" after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from engine.model.bracket import Bracket
from engine.model.money import ZERO
from engine.model.order import Evidence, Order
from engine.model.words import (
    COVERING,
    TERMINAL,
    BracketStatus,
    CoverKind,
    OrderClass,
    OrderRole,
    OrderStatus,
    OrderType,
    Side,
)

_ENTRY: Final = OrderRole.ENTRY
_STOP: Final = OrderRole.STOP_LOSS
_TARGET: Final = OrderRole.TAKE_PROFIT
_ARMED_BY_FILL: Final = frozenset({OrderClass.BRACKET, OrderClass.OTO})
EVIDENCE_FRESH_S: Final = 60.0
"""Cover that nobody has confirmed for longer is shown as ``unverified``."""
EXIT_STALL_S: Final = 2.0
"""A closing order that has not filled for longer is ``exit_stalled``."""


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """Unsigned share counts of one trade."""

    entry_filled: Decimal
    exit_filled: Decimal
    held: Decimal
    covered: Decimal
    """Never more than a broker would really close of ``held``."""
    over: Decimal
    """Live stop shares beyond what is held: they would open a position the other way."""
    flipped: Decimal
    """Shares closed beyond what was held: an open position the other way, which no order of the trade covers."""
    kind: CoverKind
    entry_open: bool
    """The entry may still buy more."""
    orders_open: bool
    """Any order of the trade may still execute."""
    closing: bool
    """A closing order (not a resting exit) is on its way."""
    closing_since: datetime | None
    stop: Order | None
    """The stop that covers, or the newest one that tried to."""
    target: Order | None
    is_target_live: bool
    """A target stands armed at the broker."""
    entry: Order | None
    evidence: Evidence | None
    entry_leaves: Decimal = ZERO
    """What the entries may still buy."""
    avg_entry_price: Decimal | None = None
    """Average of all shares entered."""

    @property
    def naked(self) -> Decimal:
        return self.held - self.covered

    def signed(self, side: Side) -> Decimal:
        """What a trade entered on ``side`` says is held, with its sign; flipped shares are held the other way."""
        return (self.held - self.flipped) * side.sign

    @property
    def exposed(self) -> Decimal:
        """What the naked clock counts: held shares without cover, and shares held the wrong way."""
        return self.naked + self.flipped


def parent_of(order: Order, by_id: Mapping[str, Order]) -> Order | None:
    """The group's parent as it stands now: a replaced entry hands its exits on to the order that replaced it."""
    parent = by_id.get(order.parent_id or "")
    while parent is not None and parent.status is OrderStatus.REPLACED and parent.role is OrderRole.ENTRY:
        heir = next((other for other in by_id.values() if other.replaces == parent.id), None)
        if heir is None:
            return parent
        parent = heir
    return parent


def executed(orders: Iterable[Order]) -> list[Order]:
    """Orders whose executions count. A replacement carries on what its predecessor has filled: the largest counts."""
    newest: dict[str, Order] = {}
    roots: dict[str, str] = {}
    for order in orders:
        root = roots[order.id] = roots.get(order.replaces or "", order.id)
        known = newest.get(root)
        if known is None or order.filled_qty >= known.filled_qty:
            newest[root] = order
    return list(newest.values())


def is_armed(order: Order, parent: Order | None) -> bool:
    """Whether this exit really protects now. ``parent`` is the group's parent, None for a single order."""
    if order.role not in (OrderRole.STOP_LOSS, OrderRole.TAKE_PROFIT) or order.status not in COVERING:
        return False
    if order.unresolved_since is not None or order.broker_id is None or order.asleep_since is not None:
        return False
    if parent is not None and parent.role is OrderRole.ENTRY:
        return parent.status is OrderStatus.FILLED
    return True


def sleeps(order: Order, by_id: Mapping[str, Order]) -> bool:
    """A leg of an entry that is not complete: it reserves nothing and protects nothing."""
    parent = parent_of(order, by_id) if order.parent_id is not None else None
    return parent is not None and parent.role is OrderRole.ENTRY and not is_armed(order, parent)


def cover_of(bracket: Bracket, orders: Iterable[Order]) -> Cover:
    """The trade's cover; ``orders`` are all its orders, oldest first.

    Computed at every report about an order, and for a whole history at a start: what only a replacement or a partly
    filled target asks for is left out where there is none.
    """
    all_orders = list(orders)
    by_id = {order.id: order for order in all_orders}
    was_replaced = part_left = False
    for order in all_orders:
        if order.replaces is not None:
            was_replaced = True
        if order.filled_qty and order.role is _TARGET:
            part_left = True
    entry_filled = exit_filled = stops = certain = limited = ZERO
    entry = stop = target = armed_stop = armed_target = None
    entry_open = orders_open = False
    entry_leaves = ZERO
    bought: list[Order] = []
    closing_since: datetime | None = None
    leaves_of_group = _leaves_of_groups(by_id) if part_left else {}
    for order in executed(all_orders) if was_replaced else all_orders:
        if not order.filled_qty:
            continue
        if order.role is _ENTRY:
            entry_filled += order.filled_qty
            bought.append(order)
        else:
            # An order on the entry's side closes what a flip has opened the other way.
            exit_filled += order.filled_qty if order.side is not bracket.side else -order.filled_qty
    for order in all_orders:
        is_open = order.status not in TERMINAL
        if is_open:
            orders_open = True
        if order.role is _ENTRY:
            if is_open:
                entry_open = True
                entry_leaves += order.qty - order.filled_qty
            entry = order if entry is None or not order.was_unknown_to_broker else entry
            continue
        armed = is_open and is_armed(order, parent_of(order, by_id) if order.parent_id else None)
        if armed and was_replaced and _waits_for_predecessor(order, by_id):
            continue
        if order.role is _STOP:
            stop = order
            if armed:
                armed_stop = order
                leaves = closes = order.qty - order.filled_qty
                if part_left:
                    closes = min(leaves, leaves_of_group.get(order.parent_id or "", leaves))
                stops += leaves
                certain += closes
                if order.type is OrderType.STOP_LIMIT or order.side is Side.BUY:
                    limited += closes
        elif order.role is _TARGET:
            target = order
            if armed:
                armed_target = order
        elif is_open:
            closing_since = closing_since or order.created_at
    left = entry_filled - exit_filled + bracket.adjusted_qty
    held = left if left > 0 else ZERO
    # Either way the worse is believed: the fewer shares for cover, the more for what may be too many.
    covered = min(held, certain) if certain else ZERO
    stop = armed_stop or stop
    kind = CoverKind.NONE if covered == 0 else CoverKind.LIMITED if limited else CoverKind.HARD
    return Cover(
        entry_filled=entry_filled,
        exit_filled=exit_filled,
        held=held,
        covered=covered,
        over=max(ZERO, stops - held) if not entry_open else ZERO,
        # While the entry is open, an exit's fill has only been told before the entry's own.
        flipped=max(ZERO, -left) if not entry_open and entry is not None else ZERO,
        kind=kind,
        entry_open=entry_open,
        orders_open=orders_open,
        closing=closing_since is not None,
        closing_since=closing_since,
        stop=stop,
        target=armed_target or target,
        is_target_live=armed_target is not None,
        entry=entry,
        evidence=_evidence(entry, armed_stop),
        entry_leaves=entry_leaves,
        avg_entry_price=_average(bought),
    )


def _leaves_of_groups(by_id: Mapping[str, Order]) -> dict[str, Decimal]:
    """By the group's parent: what a partly filled target leaves for its stop, which the broker reduces with it.

    The stop's own smaller size is told later, or by a reading only.
    """
    left: dict[str, Decimal] = {}
    for order in by_id.values():
        if order.role is OrderRole.TAKE_PROFIT and order.filled_qty > 0 and order.status is not OrderStatus.REPLACED:
            group = order.parent_id or _first_of(order, by_id).id
            left[group] = min(order.leaves_qty, left.get(group, order.leaves_qty))
    return left


def _first_of(order: Order, by_id: Mapping[str, Order]) -> Order:
    """What a chain of replacements began with."""
    while (before := by_id.get(order.replaces or "")) is not None:
        order = before
    return order


def _average(bought: list[Order]) -> Decimal | None:
    """Of one entry its own price; of several to four places, as Alpaca gives averages."""
    if len(bought) == 1:
        return bought[0].filled_avg_price
    priced = [(order.filled_qty, order.filled_avg_price) for order in bought if order.filled_avg_price is not None]
    shares = sum((qty for qty, _ in priced), ZERO)
    if shares == 0:
        return None
    return (sum((qty * price for qty, price in priced), ZERO) / shares).quantize(Decimal("0.0001"))


def _waits_for_predecessor(order: Order, by_id: dict[str, Order]) -> bool:
    """A replacement counts from the moment at which the order that it replaces is over: never both, never neither."""
    replaced = by_id.get(order.replaces or "")
    return replaced is not None and replaced.is_open and replaced.status in COVERING


def _evidence(entry: Order | None, armed_stop: Order | None) -> Evidence | None:
    """What proves the cover: the newest word about the stop, or the fill that armed it."""
    filled = entry.evidence if entry is not None else None
    if armed_stop is None:
        return filled
    told = armed_stop.evidence
    if filled is None or armed_stop.order_class not in _ARMED_BY_FILL:
        return told
    return filled if told is None or filled.at > told.at else told


def status_of(
    bracket: Bracket,
    cover: Cover,
    now: datetime,
    verified_at: datetime | None,
    trusted_since: datetime | None = None,
) -> BracketStatus:
    """One word for the whole trade.

    ``verified_at`` is when the broker last confirmed its stop; what is older than ``trusted_since`` counts for nothing.
    """
    if bracket.closed_at is not None:
        return BracketStatus.CLOSED
    if cover.flipped > 0:
        return BracketStatus.REPAIRING
    if cover.closing_since is not None:
        stalled = (now - cover.closing_since).total_seconds() > EXIT_STALL_S
        return BracketStatus.EXIT_STALLED if stalled else BracketStatus.EXITING
    if cover.held == 0:
        if cover.entry_filled == 0:
            return BracketStatus.ARMING
        return BracketStatus.OVER_PROTECTED if cover.over > 0 else BracketStatus.EXITING
    if bracket.exit_requested_at is not None:
        return BracketStatus.EXITING
    if cover.naked > 0 and bracket.gave_up_at is None and bracket.watch_stop_since is not None:
        return BracketStatus.WATCHED
    if cover.naked > 0 and bracket.repair is not None:
        return BracketStatus.REPAIRING
    if cover.covered == 0:
        return BracketStatus.NAKED
    if cover.over > 0:
        return BracketStatus.OVER_PROTECTED
    if cover.covered < cover.held:
        return BracketStatus.PART_PROTECTED
    if is_unverified(verified_at, now, trusted_since):
        return BracketStatus.UNVERIFIED
    return BracketStatus.PROTECTED


def is_unverified(verified_at: datetime | None, now: datetime, trusted_since: datetime | None) -> bool:
    """Whether the newest proof is too old, or from before something after which nothing is taken on trust."""
    if verified_at is None:
        return False
    is_old = (now - verified_at).total_seconds() > EVIDENCE_FRESH_S
    return is_old or (trusted_since is not None and verified_at < trusted_since)


def plan_of(cover: Cover, orders: Iterable[Order]) -> str:
    """How the exits are realised, in one word."""
    if cover.closing:
        return "closing"
    if cover.stop is None:
        return "none"
    if cover.stop.order_class is OrderClass.SIMPLE:
        return "stop"
    return cover.stop.order_class.value if any(order.id == cover.stop.id for order in orders) else "none"


def is_finished(cover: Cover) -> bool:
    """Nothing is held, either way, and nothing can change that any more."""
    return cover.held == 0 and cover.flipped == 0 and not cover.orders_open and cover.entry is not None


def count_naked(bracket: Bracket, before: Cover | None, cover: Cover, at: datetime) -> Bracket:
    """The naked clock: runs from the first uncovered share to the last one covered."""
    is_exposed = cover.exposed > 0
    if not is_exposed and bracket.naked_since is None and bracket.naked_counted_at is None:
        return bracket
    if before is not None and before.exposed > 0 and bracket.naked_counted_at is not None:
        span_s = max(0.0, (at - bracket.naked_counted_at).total_seconds())
        bracket = msgspec.structs.replace(bracket, naked_share_s=bracket.naked_share_s + span_s * float(before.exposed))
    if is_exposed:
        return msgspec.structs.replace(bracket, naked_since=bracket.naked_since or at, naked_counted_at=at)
    if bracket.naked_since is not None:
        span_s = max(0.0, (at - bracket.naked_since).total_seconds())
        bracket = msgspec.structs.replace(
            bracket, naked_since=None, naked_counted_at=None, naked_s=bracket.naked_s + span_s
        )
    return bracket
