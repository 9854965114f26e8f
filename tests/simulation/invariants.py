"""What must be true, each as one small function with its sentence.

Three kinds, by when they are asked: when a write arrives at the broker, when the broker has taken an order or executed
one, and at rest, after quiet time without faults. Each yields what it found wrong; a sound desk yields nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from engine.book import Book
from engine.exchange.floor import Execution
from engine.exchange.orders import Order as BrokerOrder
from engine.journal.reader import read_all, verify
from engine.model.ids import bracket_id_of
from engine.model.incident import Priority
from engine.model.order import Order
from engine.model.words import DeskState, OrderRole, OrderStatus, SignalStatus
from engine.protection.ledger import sleeps
from tests.simulation.hand import is_by_hand
from tests.simulation.machines import BROKER, KEY_ID, SECRET_KEY
from tests.simulation.witness import Arrival

if TYPE_CHECKING:
    from tests.simulation.world import World

ZERO: Final = Decimal(0)
PRICES_MOVE: Final = Decimal("1.3")
"""Between the verdict and the broker's word a shock may move the price; a second entry would double the exposure."""
A_MOMENT: Final = timedelta(seconds=1)
OURS: Final = "gl-"
"""How every client order id of this desk begins."""
COVERING: Final = frozenset({"new", "held", "accepted", "partially_filled", "pending_replace"})

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
    elif _is_entry(arrival.client_order_id) and not life.is_killed:
        bracket_id = _bracket_of(arrival.client_order_id)
        if not life.has_on_disk("order_intended", arrival.client_order_id):
            yield f"the entry {arrival.client_order_id} arrived before its intent was on disk"
        if not life.has_on_disk("signal_approved", "s" + bracket_id.partition("r")[0][1:]):
            yield f"the entry {arrival.client_order_id} arrived before its approval was on disk"


HEARD_AFTER_S: Final = 0.02
"""A packet of the broker's and one of the desk's may cross for so long."""


def no_more_is_closed_than_held(world: World, arrival: Arrival) -> Iterator[str]:
    """Live plus unknown closing quantity, as our own book knows it, never exceeds what is held."""
    life = world.life_of(arrival.machine)
    if not life.is_running or life.desk is None or arrival.method != "POST" or _is_entry(arrival.client_order_id):
        return
    book = life.desk._book
    order = book.orders.get(arrival.client_order_id)
    if order is None:
        return
    closing = _closing(book, order.symbol, world.clock.now())
    position = book.positions.get(order.symbol)
    held = sum((book.cover(bracket.id).held for bracket in book.open_brackets_of(order.symbol)), ZERO)
    known = max(held, abs(position.qty) if position is not None else ZERO)
    if closing > known:
        yield f"with {order.id} our orders would close {closing} {order.symbol}, while {known} are held"


def _closing(book: Book, symbol: str, now: datetime) -> Decimal:
    """Both exits of a group close the same shares, and a replacement those of its predecessor.

    One that the broker refused and then shows all the same counts from when its word can have been heeded.
    """
    groups: dict[str, Decimal] = {}
    for order_id in book.open_orders:
        order = book.orders[order_id]
        revived_at = book.orders.get(order.parent_id or "", order).revived_at
        is_news = revived_at is not None and (now - revived_at).total_seconds() < HEARD_AFTER_S
        is_exit = order.role not in (OrderRole.ENTRY, OrderRole.FOREIGN)
        if order.symbol == symbol and is_exit and not sleeps(order, book.orders) and not is_news:
            root = _root(book, order)
            groups[root] = max(groups.get(root, ZERO), order.leaves_qty)
    return sum(groups.values(), ZERO)


def _root(book: Book, order: Order) -> str:
    while order.replaces is not None and order.replaces in book.orders:
        order = book.orders[order.replaces]
    return order.parent_id or order.id


AT_ARRIVAL: Final = (one_id_one_body, the_intent_comes_first, no_more_is_closed_than_held)

# --- when the broker has taken an order, or executed one -------------------------------------------------------------


def one_entry_per_approval(world: World, order: BrokerOrder) -> Iterator[str]:
    """At most one entry group stands at the broker for each approval, and none without."""
    if order.role != "entry" or order.replaces is not None:
        return
    bracket_id = _bracket_of(order.client_order_id)
    if bracket_id not in world.approvals:
        yield f"the broker took {order.client_order_id}, which nobody approved"
    entries = [known for known in world.entries if _bracket_of(known.client_order_id) == bracket_id]
    if len(entries) > 1:
        yield f"{len(entries)} entries stand for the approval of {bracket_id}"
    number = bracket_id.partition("r")[0]
    alive = [e for e in world.entries if _bracket_of(e.client_order_id).partition("r")[0] == number]
    if sum(1 for e in alive if e.is_live or e.filled_qty > 0) > 1:
        yield f"{[e.client_order_id for e in alive]} were all made for one signal"


def limits_hold_together(world: World, order: BrokerOrder) -> Iterator[str]:
    """Entries that come together never exceed a limit together: open positions, and a symbol's exposure.

    Shares that another hand brought count from the moment at which the desk has read them.
    """
    if order.role != "entry":
        return
    floor, limits = world.broker.exchange.floor, world.config.limits
    entering = [o for o in floor.orders.live() if o.role == "entry"]
    desk = world.machine.life.desk
    read = desk._book.positions if desk is not None else {}
    positions = {symbol for symbol in floor.account.positions if symbol not in world.touched or symbol in read}
    symbols = positions | {o.symbol for o in entering}
    if limits.max_open_positions is not None and len(symbols) > limits.max_open_positions:
        yield f"{sorted(symbols)} are held or being entered, {limits.max_open_positions} are allowed"
    mark = floor.mark(order.symbol)
    making_way = {o.replaces for o in entering}
    own = (o.leaves_qty for o in entering if o.symbol == order.symbol and o.id not in making_way)
    shares = sum(own, abs(floor.account.qty(order.symbol)))
    allowed = floor.account.equity * Decimal(str(limits.max_symbol_exposure_pct)) / 100 * PRICES_MOVE
    if shares * mark > allowed:
        yield f"{shares} {order.symbol} at {mark} are more than {allowed:.0f}"


def _enters(order: BrokerOrder) -> bool:
    """The parent of a group, or an entry of ours that goes alone: the broker tells them apart by nothing but our id."""
    return order.role == "entry" or "-entry-" in order.client_order_id


def exits_stay_within_the_position(world: World, order: BrokerOrder) -> Iterator[str]:
    """What the broker would execute against a position is never more than the position."""
    if _enters(order) or order.parent_id is not None or order.replaces is not None or _is_foreign(world, order):
        return
    floor = world.broker.exchange.floor
    groups: dict[str, Decimal] = {}
    for other in floor.orders.live_in(order.symbol):
        parent = floor.orders.get(other.parent_id or "")
        if (
            _enters(other)
            or _is_foreign(world, other)
            or (parent is not None and parent.role == "entry" and not other.armed)
        ):
            continue
        root = other.replaces or other.parent_id or other.id
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
    if order.symbol in world.touched | world.turned_by_broker:
        return
    if before * after < 0:
        yield f"{order.client_order_id} turned {before} {order.symbol} into {after}"
    elif not _enters(order) and abs(after) > abs(before):
        yield f"the exit {order.client_order_id} made {before} {order.symbol} into {after}"


AT_EXECUTION: Final = (no_exit_opens_a_position,)

# --- at rest ---------------------------------------------------------------------------------------------------------


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
    if order.type not in ("stop", "stop_limit") or order.status not in COVERING or _enters(order):
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
            if (order.is_live or order.filled_qty > 0) and not is_done_by_hand and not _is_foreign(world, order):
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
        held = sum((book.cover(b.id).held * b.side.sign for b in book.open_brackets_of(symbol)), ZERO)
        if held != floor.account.qty(symbol) and not (symbol in world.touched and _is_told(world, symbol)):
            yield f"the trades hold {held} {symbol}, the broker {floor.account.qty(symbol)}"
    locked = world.desk._world.gate_locked_by
    if locked is not None and not any(each.symbol in world.touched for each in world.desk.differences()):
        yield f"the start gate is locked: {locked}"


def who_asked_out_is_out(world: World) -> Iterator[str]:
    """A trade that was to be closed is closed, unless an order of unknown fate forbids it."""
    book = world.book
    for bracket_id in book.open_brackets:
        bracket = book.brackets[bracket_id]
        asked = bracket.exit_requested_at
        if asked is None or (world.desk._clock.now() - asked).total_seconds() < world.patience_s:
            continue
        is_unknown = any(order.unresolved_since is not None for order in book.orders_of(bracket_id))
        if not is_unknown and not _is_blocked_by_hand(world, bracket.symbol):
            orders = [(order.id, order.status.value) for order in book.orders_of(bracket_id) if order.is_open]
            yield f"{bracket_id} ({bracket.symbol}) was asked out at {asked:%T} and still is open: {orders}"


def no_entry_works_where_none_may(world: World) -> Iterator[str]:
    """Desk, strategy or symbol are reducing or halted: the broker has no live entry of ours in them."""
    book = world.book
    for order in world.broker.exchange.floor.orders.live():
        bracket = book.brackets.get(_bracket_of(order.client_order_id))
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


def _is_foreign(world: World, order: BrokerOrder) -> bool:
    """Not made by us: neither it, nor its group's parent, nor what it replaces, carries an id of ours."""
    orders = world.broker.exchange.floor.orders
    while not order.client_order_id.startswith(OURS):
        earlier = orders.get(order.replaces or order.parent_id or "")
        if earlier is None:
            return True
        order = earlier
    return False


def _is_told(world: World, symbol: str) -> bool:
    """That the desk cannot explain what is held.

    An open difference says so, or one that a person has settled; or an order of unknown fate leaves it open.
    """
    book = world.book
    held = sum((book.cover(b.id).held * b.side.sign for b in book.open_brackets_of(symbol)), ZERO)
    gap = world.broker.exchange.floor.account.qty(symbol) - held
    is_open = any(each.kind == "position" and each.symbol == symbol for each in world.desk.differences())
    is_settled = f"position:{symbol}:{gap.normalize():f}" in book.settled
    is_unknown = any(
        _is_unknown(book, book.orders[each]) for each in book.open_orders if book.orders[each].symbol == symbol
    )
    return is_open or is_unknown or is_settled


def _is_entry(client_order_id: str) -> bool:
    return "-entry-" in client_order_id


def _bracket_of(client_order_id: str) -> str:
    """``gl-7f3a2c-000017r2-entry-1`` belongs to ``b000017r2``."""
    parts = client_order_id.split("-")
    return bracket_id_of("s" + parts[2]) if len(parts) == 5 else client_order_id


__all__ = ["AT_ARRIVAL", "AT_EXECUTION", "AT_ORDER", "AT_REST", "BROKER"]
