"""What must be true, each as one small function with its sentence.

By when they are asked: when a write arrives at the broker, when the broker has taken an order or executed one; and at
rest, after quiet time without faults (``at_rest.py``). Each yields what it found wrong; a sound desk yields nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from engine.book import Book
from engine.exchange.floor import Execution
from engine.exchange.orders import Order as BrokerOrder
from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus, Verdict
from engine.protection.ledger import sleeps
from tests.simulation.whose import bracket_of, enters, group_of, is_entry, is_foreign
from tests.simulation.witness import Arrival

if TYPE_CHECKING:
    from tests.simulation.world import World

ZERO: Final = Decimal(0)
PRICES_MOVE: Final = Decimal("1.3")
"""Between the verdict and the broker's word a shock may move the price; a second entry would double the exposure."""

# --- when a write arrives --------------------------------------------------------------------------------------------


def one_id_one_body(world: World, arrival: Arrival) -> Iterator[str]:
    """No client order id is ever sent with two different bodies."""
    if arrival.client_order_id:
        first = world.bodies.setdefault(arrival.client_order_id, arrival.raw)
        if first != arrival.raw:
            yield f"{arrival.client_order_id} was sent as {first!r} and as {arrival.raw!r}"


def the_intent_comes_first(world: World, arrival: Arrival) -> Iterator[str]:
    """The intent of every write is in the journal before the request arrives; that of an entry is on disk."""
    life = world.life_of(arrival.machine)
    if arrival.method == "DELETE":
        assert life.desk is not None
        order_id = life.desk._book.order_of_broker_id.get(arrival.order_id)
        if order_id not in life.cancels:
            yield f"a cancel of {order_id or arrival.order_id} arrived that no journal line intends"
        return
    intended = life.intents.get(arrival.client_order_id)
    if intended is None:
        yield f"{arrival.method} {arrival.client_order_id} arrived that no journal line intends"
    elif intended != arrival.body:
        yield f"{arrival.client_order_id} arrived as {arrival.body}, its intent was {intended}"
    elif is_entry(arrival.client_order_id) and not life.is_killed:
        bracket_id = bracket_of(arrival.client_order_id)
        if not life.has_on_disk("order_intended", arrival.client_order_id):
            yield f"the entry {arrival.client_order_id} arrived before its intent was on disk"
        if not life.has_on_disk("signal_approved", "s" + bracket_id.partition("r")[0][1:]):
            yield f"the entry {arrival.client_order_id} arrived before its approval was on disk"


HEARD_AFTER_S: Final = 0.02
"""A packet of the broker's and one of the desk's may cross for so long."""


def no_entry_goes_without_a_yes(world: World, arrival: Arrival) -> Iterator[str]:
    """Every rule let an entry pass that is sent, and rules of the operator's own have answered."""
    if arrival.method != "POST" or not is_entry(arrival.client_order_id):
        return
    reasons = world.verdicts.get(bracket_of(arrival.client_order_id), ())
    for reason in reasons:
        if reason.verdict is Verdict.DENY:
            yield f"{arrival.client_order_id} was sent although {reason.code} denies it: {reason.text}"
    if world.weather.odd_rules and not any(reason.code.startswith("USER_") for reason in reasons):
        yield f"{arrival.client_order_id} was sent, and nobody asked the operator's own rules"


def no_more_is_closed_than_held(world: World, arrival: Arrival) -> Iterator[str]:
    """Live plus unknown closing quantity, as our own book knows it, never exceeds what is held."""
    life = world.life_of(arrival.machine)
    if not life.is_running or life.desk is None or arrival.method != "POST" or is_entry(arrival.client_order_id):
        return
    book = life.desk._book
    order = book.orders.get(arrival.client_order_id)
    if order is None or order.symbol in world.shrunk_by_broker:
        return
    closing = _closing(book, order.symbol, world.clock.now())
    position = book.positions.get(order.symbol)
    covers = (book.cover(bracket.id) for bracket in book.open_brackets_of(order.symbol))
    held = sum((cover.held + cover.flipped for cover in covers), ZERO)
    known = max(held, abs(position.qty) if position is not None else ZERO)
    if closing > known:
        yield f"with {order.id} our orders would close {closing} {order.symbol}, while {known} are held"


def _closing(book: Book, symbol: str, now: datetime) -> Decimal:
    """Both exits of a group close the same shares, and a replacement those of its predecessor.

    What a partly filled target leaves is what its stop will close too, which the broker reduces a moment later; and
    when one exit has executed whole, the broker ends the other, whoever is told of it. An order that the broker refused
    and then shows all the same counts from when its word can have been heeded.
    """
    executed = {
        order.parent_id or order.id
        for bracket in book.open_brackets_of(symbol)
        for order in book.orders_of(bracket.id)
        if order.role is not OrderRole.ENTRY and order.status is OrderStatus.FILLED and order.busted_qty == 0
    }
    groups: dict[str, Decimal] = {}
    targets: dict[str, Decimal] = {}
    for order_id in book.open_orders:
        order = book.orders[order_id]
        revived_at = book.orders.get(order.parent_id or "", order).revived_at
        is_news = revived_at is not None and (now - revived_at).total_seconds() < HEARD_AFTER_S
        is_exit = order.role not in (OrderRole.ENTRY, OrderRole.FOREIGN)
        if order.symbol == symbol and is_exit and not sleeps(order, book.orders) and not is_news:
            root = _root(book, order)
            if root in executed:
                continue
            groups[root] = max(groups.get(root, ZERO), order.leaves_qty)
            if order.role is OrderRole.TAKE_PROFIT and order.filled_qty > 0:
                targets[root] = order.leaves_qty
    return sum((groups | targets).values(), ZERO)


def _root(book: Book, order: Order) -> str:
    while order.replaces is not None and order.replaces in book.orders:
        order = book.orders[order.replaces]
    return order.parent_id or order.id


AT_ARRIVAL: Final = (
    one_id_one_body,
    the_intent_comes_first,
    no_entry_goes_without_a_yes,
    no_more_is_closed_than_held,
)

# --- when the broker has taken an order, or executed one -------------------------------------------------------------


def one_entry_per_approval(world: World, order: BrokerOrder) -> Iterator[str]:
    """At most one entry group stands at the broker for each approval, and none without."""
    if order.role != "entry" or order.replaces is not None:
        return
    bracket_id = bracket_of(order.client_order_id)
    if bracket_id not in world.approvals:
        yield f"the broker took {order.client_order_id}, which nobody approved"
    entries = [known for known in world.entries if bracket_of(known.client_order_id) == bracket_id]
    if len(entries) > 1:
        yield f"{len(entries)} entries stand for the approval of {bracket_id}"
    number = bracket_id.partition("r")[0]
    alive = [e for e in world.entries if bracket_of(e.client_order_id).partition("r")[0] == number]
    if sum(1 for e in alive if e.is_live or e.filled_qty > 0) > 1:
        yield f"{[e.client_order_id for e in alive]} were all made for one signal"


def limits_hold_together(world: World, order: BrokerOrder) -> Iterator[str]:
    """Entries that come together never exceed a limit together: open positions, and a symbol's exposure.

    Shares that another hand brought count from the moment at which the desk has read them, and so do those of an entry
    that the broker refused and has all the same. Those that a bust brought back may come between a verdict and the
    broker's word.
    """
    if order.role != "entry":
        return
    floor, limits = world.broker.exchange.floor, world.config.limits
    entering = [o for o in floor.orders.live() if o.role == "entry"]
    desk = world.machine.life.desk
    read = desk._book.positions if desk is not None else {}
    known = {symbol for symbol in floor.account.positions if symbol not in world.touched or symbol in read}
    symbols = (known - world.busted | {o.symbol for o in entering}) - _refused_in_vain(world)
    if limits.max_open_positions is not None and len(symbols) > limits.max_open_positions:
        yield f"{sorted(symbols)} are held or being entered, {limits.max_open_positions} are allowed"
    mark = floor.mark(order.symbol)
    making_way = {o.replaces for o in entering}
    own = (o.leaves_qty for o in entering if o.symbol == order.symbol and o.id not in making_way)
    shares = sum(own, abs(floor.account.qty(order.symbol)))
    allowed = floor.account.equity * Decimal(str(limits.max_symbol_exposure_pct)) / 100 * PRICES_MOVE
    if shares * mark > allowed and order.symbol not in world.busted:
        yield f"{shares} {order.symbol} at {mark} are more than {allowed:.0f}"


def _refused_in_vain(world: World) -> set[str]:
    """Symbols of orders that the desk still believes refused, by the broker's own word."""
    desk = world.machine.life.desk
    orders = desk._book.orders if desk is not None else {}
    return {
        order.symbol
        for order in world.entries
        if (ours := orders.get(order.client_order_id)) is not None and ours.status is OrderStatus.REJECTED
    }


def exits_stay_within_the_position(world: World, order: BrokerOrder) -> Iterator[str]:
    """What the broker would execute against a position is never more than the position."""
    if enters(order) or order.parent_id is not None or order.replaces is not None or is_foreign(world, order):
        return
    if order.symbol in world.shrunk_by_broker:
        return  # exits that were right stand beside those that are, until they are cut
    floor = world.broker.exchange.floor
    groups: dict[str, Decimal] = {}
    for other in floor.orders.live_in(order.symbol):
        parent = floor.orders.get(other.parent_id or "")
        if (
            enters(other)
            or is_foreign(world, other)
            or (parent is not None and parent.role == "entry" and not other.armed)
        ):
            continue
        root = group_of(world, other)
        groups[root] = max(groups.get(root, ZERO), other.leaves_qty)
    closing, held = sum(groups.values(), ZERO), abs(floor.account.qty(order.symbol))
    if closing > held:
        yield f"{closing} {order.symbol} would be closed, {held} are held ({order.client_order_id} was one too many)"


AT_ORDER: Final = (one_entry_per_approval, limits_hold_together, exits_stay_within_the_position)


def no_exit_opens_a_position(world: World, order: BrokerOrder, execution: Execution) -> Iterator[str]:
    """A position never changes its sign, and never grows, by an exit of ours."""
    before = world.held.get(order.symbol, ZERO)
    signed = execution.qty if execution.side == "buy" else -execution.qty
    after = world.held[order.symbol] = before + signed
    if order.symbol in world.touched | world.turned_by_broker | world.shrunk_by_broker:
        return
    if order.symbol in world.busted and (enters(order) or _has_unknown(world, order.symbol)):
        # An entry had rested since before the bust that turned the position. And while the fate of an order is open,
        # nobody knows what two trades that a bust has set against each other still hold.
        return
    if _is_the_venues_race(world, order):
        return
    if before * after < 0:
        yield f"{order.client_order_id} turned {before} {order.symbol} into {after}"
    elif not enters(order) and abs(after) > abs(before):
        yield f"the exit {order.client_order_id} made {before} {order.symbol} into {after}"


def _is_the_venues_race(world: World, order: BrokerOrder) -> bool:
    """The other exit of the group has executed whole, and the price came before the venue's own cancel of this one."""
    floor = world.broker.exchange.floor
    within_ns = 1.3 * floor.settings.venue_ms * 1_000_000  # its longest delay
    return any(
        sibling.status == "filled" and sibling.filled_at is not None and floor.now_ns() - sibling.filled_at <= within_ns
        for sibling in floor.orders.siblings(order)
    )


def _has_unknown(world: World, symbol: str) -> bool:
    desk = world.machine.life.desk
    orders = [desk._book.orders[key] for key in desk._book.open_orders] if desk is not None else []
    return any(order.symbol == symbol and order.unresolved_since is not None for order in orders)


AT_EXECUTION: Final = (no_exit_opens_a_position,)
