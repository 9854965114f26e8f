"""What must be true after a desk was killed and has come back, asked over the API and at the exchange."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from engine.journal.reader import verify
from tests.nightly.processes import Client, DeskProcess

ZERO: Final = Decimal(0)
LIVE: Final = frozenset({"new", "held", "accepted", "partially_filled", "pending_new", "pending_replace"})
ENTRY: Final = "-entry-"


class Books(NamedTuple):
    """Both sides, as of one moment."""

    orders: list[dict[str, Any]]
    """At the exchange, groups nested."""
    positions: dict[str, Decimal]
    """At the exchange."""
    signals: list[dict[str, Any]]
    brackets: list[dict[str, Any]]
    """All of the desk's."""
    held: dict[str, Decimal]
    """Positions as the desk shows them."""
    incidents: list[dict[str, Any]]


async def read(exchange: Client, desk: DeskProcess) -> Books:
    orders = await exchange.ask("GET", "/v2/orders?status=all&nested=true&limit=500")
    positions = await exchange.ask("GET", "/v2/positions")
    shown = (await desk.api.ask("GET", "/v1/positions"))["positions"]
    return Books(
        orders=orders,
        positions={position["symbol"]: Decimal(position["qty"]) for position in positions},
        signals=(await desk.api.ask("GET", "/v1/signals?limit=2000"))["signals"],
        brackets=(await desk.api.ask("GET", "/v1/brackets?status=all&limit=2000"))["brackets"],
        held={position["symbol"]: Decimal(position["qty"]) for position in shown},
        incidents=(await desk.api.ask("GET", "/v1/incidents"))["incidents"],
    )


def wrong(books: Books) -> Iterator[str]:
    """Each thing that is wrong, in one sentence; nothing when all is well."""
    yield from _entries_are_single(books)
    yield from _books_agree(books)
    yield from _shares_are_covered(books)
    yield from _nothing_hangs(books)


def _entries_are_single(books: Books) -> Iterator[str]:
    """One approval, one entry group; none without an approval."""
    ours = [order["client_order_id"] for order in books.orders if ENTRY in order["client_order_id"]]
    for client_order_id, count in Counter(ours).items():
        if count > 1:
            yield f"{client_order_id} exists {count} times"
    for trade, count in Counter(key.rpartition(ENTRY)[0] for key in ours).items():
        if count > 1:
            yield f"{trade} was entered {count} times"
    numbers = {signal["id"].removeprefix("s") for signal in books.signals}
    for key in ours:
        number = key.split("-")[2].partition("r")[0]
        if number not in numbers:
            yield f"{key} belongs to no signal"


def _books_agree(books: Books) -> Iterator[str]:
    if books.positions != books.held:
        yield f"the exchange holds {books.positions}, the desk shows {books.held}"
    explained: dict[str, Decimal] = {}
    for bracket in books.brackets:
        sign = 1 if bracket["side"] == "buy" else -1
        held = sign * Decimal(bracket["held_qty"])
        if held:
            explained[bracket["symbol"]] = explained.get(bracket["symbol"], ZERO) + held
    if explained != books.positions:
        yield f"the trades hold {explained}, the exchange {books.positions}"


def _shares_are_covered(books: Books) -> Iterator[str]:
    """By live stops at the exchange, and never by more closing orders than shares."""
    for symbol, qty in books.positions.items():
        live = [order for order in _flat(books.orders) if order["symbol"] == symbol and order["status"] in LIVE]
        stops = sum((_leaves(order) for order in live if order["type"] in ("stop", "stop_limit")), ZERO)
        told = any(incident["symbol"] == symbol and incident["priority"] == 1 for incident in books.incidents)
        if stops < abs(qty) and not told:
            yield f"{qty} {symbol} are held, {stops} have a stop, and no incident says so"
        if stops > abs(qty):
            yield f"{qty} {symbol} are held, and stops would close {stops}"


def _nothing_hangs(books: Books) -> Iterator[str]:
    for signal in books.signals:
        if signal["status"] == "approved":
            yield f"{signal['id']} is approved, and nothing happens"


def _flat(orders: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Groups and their legs; legs of an entry that has not filled cover nothing yet."""
    for order in orders:
        yield order
        is_waiting = ENTRY in order["client_order_id"] and order["status"] != "filled"
        if not is_waiting:
            yield from order["legs"] or []


def _leaves(order: dict[str, Any]) -> Decimal:
    return Decimal(order["qty"] or 0) - Decimal(order["filled_qty"])


def journal_is_whole(desk: DeskProcess) -> Iterator[str]:
    """The hash chain of what the killed process left behind."""
    for journal in desk.data_dir.glob("paper-*/journal.db"):
        checked = verify(journal)
        if not checked.ok:
            yield f"the journal's chain is broken: {checked.why}"
