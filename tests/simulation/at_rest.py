"""What must be true at rest, after quiet time without faults; each yields what it found wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from engine.book import Book
from engine.exchange.orders import Order as BrokerOrder
from engine.journal.reader import read_all, verify
from engine.model.incident import Priority
from engine.model.order import Order
from engine.model.words import DeskState, OrderStatus, SignalStatus
from tests.simulation.hand import is_by_hand
from tests.simulation.machines import KEY_ID, SECRET_KEY
from tests.simulation.whose import bracket_of, enters, is_foreign

if TYPE_CHECKING:
    from tests.simulation.world import World

ZERO: Final = Decimal(0)
A_MOMENT: Final = timedelta(seconds=1)
COVERING: Final = frozenset({"new", "held", "accepted", "partially_filled", "pending_replace"})


def held_shares_are_covered(world: World) -> Iterator[str]:
    """Every held share is covered by a live stop, or an open incident of priority 1 says why it cannot be."""
    floor, book = world.broker.exchange.floor, world.book
    for symbol, position in floor.account.positions.items():
        stops = sum((_covers(world, order) for order in floor.orders.live_in(symbol)), ZERO)
        if stops >= abs(position.qty):
            continue
        short = f"{abs(position.qty) - stops} of {position.qty} {symbol} have no live stop"
        if symbol in world.touched and _is_told(world, symbol):
            continue
        told = [
            incident
            for key in book.open_incidents.values()
            if (incident := book.incidents[key]).symbol == symbol and incident.priority is Priority.NOW
        ]
        if not told:
            yield f"{short}, and no incident says so"
        elif not _is_hindered(book, symbol) and not _is_blocked_by_hand(world, symbol):
            yield f"{short}; it is told ({told[0].cause}), but nothing stands in the way"


def _covers(world: World, order: BrokerOrder) -> Decimal:
    if order.type not in ("stop", "stop_limit") or order.status not in COVERING or enters(order):
        return ZERO
    parent = world.broker.exchange.floor.orders.get(order.parent_id or "")
    return ZERO if parent is not None and not order.armed else order.leaves_qty


def _is_hindered(book: Book, symbol: str) -> bool:
    """The desk gave up and waits for Retry, or an order of unknown fate may hold the shares."""
    gave_up = any(bracket.gave_up_at is not None for bracket in book.open_brackets_of(symbol))
    orders = [book.orders[key] for key in book.open_orders]
    return gave_up or any(order.symbol == symbol and order.unresolved_since is not None for order in orders)


def _is_blocked_by_hand(world: World, symbol: str) -> bool:
    """A resting order of another hand in the symbol: the broker refuses a close as a possible wash trade."""
    return any(
        is_by_hand(order.client_order_id) and order.role == "simple"
        for order in world.broker.exchange.floor.orders.live_in(symbol)
    )


def _is_unknown(book: Book, order: Order) -> bool:
    """Its fate, or that of the group it belongs to, is not settled: a person has to."""
    parent = book.orders.get(order.parent_id or "")
    return order.unresolved_since is not None or (parent is not None and parent.unresolved_since is not None)


def the_book_is_the_brokers(world: World) -> Iterator[str]:
    """Status and filled quantity of every order, and every position, are in the book as they are at the broker."""
    floor, book = world.broker.exchange.floor, world.book
    for order in floor.orders.oldest_first():
        known = book.orders.get(book.order_of_broker_id.get(order.id, ""))
        name = f"{order.role} {order.client_order_id} of {order.symbol}"
        if known is None:
            is_done_by_hand = not order.is_live and is_by_hand(order.client_order_id)  # its shares are explained below
            if (order.is_live or order.filled_qty > 0) and not is_done_by_hand and not is_foreign(world, order):
                yield f"the book does not know {name}, {order.status} at the broker"
        elif (known.status.value, known.filled_qty) != (order.status, order.filled_qty):
            yield (
                f"{known.id} ({name}) is {known.status.value} with {known.filled_qty} filled in the book, "
                f"{order.status} with {order.filled_qty} at the broker"
            )
    for order_id in book.open_orders:
        known = book.orders[order_id]
        if known.broker_id is None and not _is_unknown(book, known):
            yield f"{order_id} is {known.status.value} in the book, and unknown to the broker"
    for symbol in sorted(set(book.positions) | set(floor.account.positions)):
        ours = book.positions[symbol].qty if symbol in book.positions else ZERO
        theirs = floor.account.qty(symbol)
        if ours != theirs:
            yield f"{ours} {symbol} are in the book, {theirs} at the broker"


def trades_explain_positions(world: World) -> Iterator[str]:
    """The trades of the book together hold what the broker holds, and nothing locks the start gate."""
    book, floor = world.book, world.broker.exchange.floor
    for symbol in sorted(set(book.brackets_of_symbol) | set(floor.account.positions)):
        held = _explained(book, symbol)
        if held != floor.account.qty(symbol) and not (symbol in world.touched and _is_told(world, symbol)):
            yield f"the trades hold {held} {symbol}, the broker {floor.account.qty(symbol)}"
    locked = world.desk._world.gate_locked_by
    if locked is not None and not any(each.symbol in world.touched for each in world.desk.differences()):
        yield f"the start gate is locked: {locked}"


def _explained(book: Book, symbol: str) -> Decimal:
    """What the trades say is held; shares of a flip, whose close is of unknown fate, are held the other way."""
    covers = ((book.cover(each.id), each.side.sign) for each in book.open_brackets_of(symbol))
    return sum(((cover.held - cover.flipped) * sign for cover, sign in covers), ZERO)


def who_asked_out_is_out(world: World) -> Iterator[str]:
    """A trade that was to be closed is closed, unless an order of unknown fate in its symbol forbids it."""
    book = world.book
    for bracket_id in book.open_brackets:
        bracket = book.brackets[bracket_id]
        asked = bracket.exit_requested_at
        if asked is None or (world.desk._clock.now() - asked).total_seconds() < world.patience_s:
            continue
        is_unknown = any(
            _is_unknown(book, o) for o in map(book.orders.__getitem__, book.open_orders) if o.symbol == bracket.symbol
        )
        if not is_unknown and not _is_blocked_by_hand(world, bracket.symbol):
            orders = [(order.id, order.status.value) for order in book.orders_of(bracket_id) if order.is_open]
            yield f"{bracket_id} ({bracket.symbol}) was asked out at {asked:%T} and still is open: {orders}"


def no_entry_works_where_none_may(world: World) -> Iterator[str]:
    """Desk, strategy or symbol are reducing or halted: the broker has no live entry of ours in them."""
    book = world.book
    for order in world.broker.exchange.floor.orders.live():
        bracket = book.brackets.get(bracket_of(order.client_order_id))
        if order.role != "entry" or bracket is None:
            continue
        for scope in ("desk", f"symbol:{order.symbol}", f"strategy:{bracket.strategy}"):
            if book.state_of(scope) in (DeskState.REDUCING, DeskState.HALTED):
                yield f"{order.client_order_id} works while {scope} is {book.state_of(scope).value}"


def nothing_is_stuck(world: World) -> Iterator[str]:
    """No approval waits for ever, no order stays half sent, nothing unknown stays untold, both streams stand."""
    book = world.book
    for signal_id in book.approved:
        bracket_id = book.signals[signal_id].bracket_id or ""
        orders = book.orders_of(bracket_id) if bracket_id in book.brackets else []
        if not any(_is_unknown(book, order) for order in orders):
            yield f"{signal_id} is approved, and nothing happens"
    for signal_id, record in book.signals.items():
        if record.status is SignalStatus.PENDING and record.signal.expires_at + A_MOMENT < world.desk._clock.now():
            yield f"{signal_id} is pending after its time"
    for order_id in book.open_orders:
        order = book.orders[order_id]
        if order.status is OrderStatus.SENDING and not _is_unknown(book, order):
            yield f"{order_id} is still being sent"
        if order.unresolved_since is not None and f"unknown:{order_id}" not in book.open_incidents:
            yield f"{order_id} is of unknown fate, and no incident says so"
        unknown = world.desk.order(order_id).unknown
        if unknown is not None and unknown.looks == 0:
            yield f"{order_id} is of unknown fate, and nobody has asked the broker about it"
        if order.cancel_requested_at is not None:
            yield f"{order_id} was to be canceled at {order.cancel_requested_at:%T} and is {order.status.value}"
    for link in (world.desk._world.stream, world.desk._world.rest, world.desk._world.quotes):
        if not link.up:
            yield f"{link.name} is down: {link.why}"


def replay_gives_the_same_book(world: World) -> Iterator[str]:
    """Folding the journal from disk gives the book that the desk lives with."""
    replayed = Book()
    for recorded in read_all(world.machine.life.journal):
        replayed.apply(recorded)
    for name in ("signals", "orders", "brackets", "positions", "incidents", "open_orders", "open_brackets", "states"):
        lived, read = getattr(world.book, name), getattr(replayed, name)
        if lived != read:
            different = [key for key in lived.keys() | read.keys() if lived.get(key) != read.get(key)]
            yield f"{name} differ after replay: {sorted(different)}"
    checked = verify(world.machine.life.journal)
    if not checked.ok:
        yield f"the journal's chain is broken: {checked.why}"


def no_secret_is_written_down(world: World) -> Iterator[str]:
    """Neither key stands in a journal, a log line or an answer of the desk."""
    for life in world.machine.lives:
        for file in sorted(life.folder.iterdir()):
            content = file.read_bytes()
            if KEY_ID.encode() in content or SECRET_KEY.encode() in content:
                yield f"a key stands in {file.name} of {life.machine}"
    desk = world.desk
    answers = [desk.view(), desk.health(), desk.account(), desk.activity(), desk.signals(), desk.orders("all")]
    shown = repr([*answers, desk.brackets("all"), desk.incidents("all"), desk.latency()])
    for where, texts in (("an answer", [shown]), ("a log line", world.log_lines), ("a refusal", world.refusals)):
        if any(KEY_ID in text or SECRET_KEY in text for text in texts):
            yield f"a key stands in {where}"


def _is_told(world: World, symbol: str) -> bool:
    """That the desk cannot explain what is held.

    An open difference says so, or one that a person has settled; or an order of unknown fate leaves it open.
    """
    book = world.book
    held = _explained(book, symbol)
    gap = world.broker.exchange.floor.account.qty(symbol) - held
    is_open = any(each.kind == "position" and each.symbol == symbol for each in world.desk.differences())
    is_settled = f"position:{symbol}:{gap.normalize():f}" in book.settled
    is_unknown = any(
        _is_unknown(book, book.orders[each]) for each in book.open_orders if book.orders[each].symbol == symbol
    )
    return is_open or is_unknown or is_settled


AT_REST: Final[tuple[Callable[[World], Iterable[str]], ...]] = (
    held_shares_are_covered,
    the_book_is_the_brokers,
    trades_explain_positions,
    who_asked_out_is_out,
    nothing_is_stuck,
    no_entry_works_where_none_may,
    replay_gives_the_same_book,
    no_secret_is_written_down,
)
