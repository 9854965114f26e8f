"""The journal as CSV: signals, orders, fills, brackets and latencies, for spreadsheets and notebooks.

Folded by the same book that the desk lives on, so the files say what the desk says. Times are RFC 3339 UTC, prices and
quantities plain digits, absent is empty. A fill is an order's report that raised its filled quantity; without an
execution of its own its price is worked out from the averages before and after.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.book import Book
from engine.errors import EngineError
from engine.journal.reader import read_all
from engine.model.bracket import Bracket
from engine.model.events import ExecutionsTakenBack, OrderReported, Recorded, StageMeasured
from engine.model.money import MAX_DECIMAL_PLACES, ZERO, plain
from engine.model.order import Order, OrderReport
from engine.model.signal import ExitSpec, SignalRecord
from engine.model.words import OrderRole

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
Row = dict[str, Any]


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    """When the desk heard of it."""
    order_id: str
    bracket_id: str | None
    symbol: str
    side: str
    role: OrderRole
    qty: Decimal
    price: Decimal | None
    execution_id: str | None
    evidence_source: str
    evidence_id: str | None


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    signal_id: str
    symbol: str
    stage: str
    ms: float
    started_at: datetime


def export(path: Path, to: Path) -> Mapping[str, int]:
    """Writes five files into the folder ``to`` and returns the number of rows by file name.

    Only reads the journal; works beside a running desk.

    Raises:
        EngineError: the journal cannot be read, or the folder cannot be written.
    """
    book = Book()
    fills: list[Fill] = []
    latencies: list[Latency] = []
    for recorded in read_all(path):
        event = recorded.event
        before = book.orders.get(event.order_id) if isinstance(event, OrderReported | ExecutionsTakenBack) else None
        book.apply(recorded)
        if isinstance(event, OrderReported | ExecutionsTakenBack):
            fills.extend(_fills(recorded, event, before, book.orders[event.order_id]))
        elif isinstance(event, StageMeasured):
            latencies.append(_latency(recorded, event, book))
    traded = _Traded(fills)
    tables: dict[str, Iterable[Row]] = {
        "signals.csv": map(_signal_row, book.signals.values()),
        "orders.csv": map(_order_row, book.orders.values()),
        "fills.csv": map(msgspec.structs.asdict, fills),
        "brackets.csv": (_bracket_row(bracket, traded) for bracket in book.brackets.values()),
        "latencies.csv": map(msgspec.structs.asdict, latencies),
    }
    try:
        to.mkdir(parents=True, exist_ok=True)
        return {name: _write(to / name, _COLUMNS[name], rows) for name, rows in tables.items()}
    except OSError as error:
        raise EngineError(f"the files cannot be written to {to}: {error}") from error


def _fills(
    recorded: Recorded, event: OrderReported | ExecutionsTakenBack, before: Order | None, after: Order
) -> Iterator[Fill]:
    """What an order has executed by this; with a minus what the venue took back."""
    filled_before = before.filled_qty if before is not None else ZERO
    qty = after.filled_qty - filled_before
    if qty == 0:
        return
    report = event.report
    yield Fill(
        at=recorded.at,
        order_id=after.id,
        bracket_id=after.bracket_id,
        symbol=after.symbol,
        side=after.side,
        role=after.role,
        qty=qty,
        price=_fill_price(report, before, after, qty),
        execution_id=report.execution_id,
        evidence_source=report.evidence.source,
        evidence_id=report.evidence.id,
    )


def _fill_price(report: OrderReport, before: Order | None, after: Order, qty: Decimal) -> Decimal | None:
    if report.last_price is not None and report.last_qty == abs(qty):
        return report.last_price
    if after.filled_qty == 0:
        return before.filled_avg_price if before is not None else None
    if after.filled_avg_price is None:
        return None
    known = ZERO
    if before is not None and before.filled_qty > 0:
        if before.filled_avg_price is None:
            return None
        known = before.filled_qty * before.filled_avg_price
    price = (after.filled_qty * after.filled_avg_price - known) / qty
    return round(price, MAX_DECIMAL_PLACES).normalize()


def _latency(recorded: Recorded, event: StageMeasured, book: Book) -> Latency:
    record = book.signals.get(event.signal_id)
    return Latency(
        at=recorded.at,
        signal_id=event.signal_id,
        symbol=record.signal.symbol if record is not None else "",
        stage=event.stage,
        ms=event.ms,
        started_at=event.started_at,
    )


class _Traded:
    """Quantity and average price per bracket, entries and exits apart."""

    def __init__(self, fills: Iterable[Fill]) -> None:
        self._sums: dict[tuple[str | None, bool], tuple[Decimal, Decimal]] = {}
        for fill in fills:
            key = (fill.bracket_id, fill.role is OrderRole.ENTRY)
            qty, money = self._sums.get(key, (ZERO, ZERO))
            self._sums[key] = (qty + fill.qty, money + fill.qty * (fill.price or ZERO))

    def of(self, bracket_id: str, *, entries: bool) -> tuple[Decimal, Decimal | None]:
        qty, money = self._sums.get((bracket_id, entries), (ZERO, ZERO))
        return qty, round(money / qty, MAX_DECIMAL_PLACES).normalize() if qty else None


def _signal_row(record: SignalRecord) -> Row:
    signal, approval = record.signal, record.approval
    return {
        **{name: getattr(signal, name) for name in _SIGNAL_FIELDS},
        "size_unit": signal.size.unit if signal.size is not None else None,
        "size": signal.size.value if signal.size is not None else None,
        "entry_type": signal.entry.type,
        "limit_price": signal.entry.limit_price,
        "entry_stop_price": signal.entry.stop_price,
        "time_in_force": signal.entry.time_in_force,
        **_exit_columns("stop_loss", signal.stop_loss),
        **_exit_columns("take_profit", signal.take_profit),
        "status": record.status,
        "decided_at": record.decided_at,
        "decided_by": record.decided_by,
        "decision_note": record.decision_note,
        "approved_qty": approval.qty if approval is not None else None,
        "approved_limit_price": approval.limit_price if approval is not None else None,
        "approved_stop_price": approval.stop_price if approval is not None else None,
        "approved_take_profit_price": approval.take_profit_price if approval is not None else None,
        "bracket_id": record.bracket_id,
    }


def _exit_columns(name: str, spec: ExitSpec | None) -> Row:
    return {f"{name}_unit": spec.unit if spec else None, f"{name}_value": spec.value if spec else None}


def _order_row(order: Order) -> Row:
    return {name: getattr(order, name) for name in _COLUMNS["orders.csv"]}


def _bracket_row(bracket: Bracket, traded: _Traded) -> Row:
    entered, entry_price = traded.of(bracket.id, entries=True)
    left, exit_price = traded.of(bracket.id, entries=False)
    realized = None
    if entry_price is not None and exit_price is not None:
        realized = bracket.side.sign * left * (exit_price - entry_price)
    return {
        **{name: getattr(bracket, name) for name in _BRACKET_FIELDS},
        "entered_qty": entered,
        "entry_price": entry_price,
        "left_qty": left,
        "exit_price": exit_price,
        "realized_pl": realized,
        "orders": " ".join(bracket.order_ids),
    }


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row[name]) for name in columns])
            count += 1
    return count


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return plain(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case str() if value.startswith(_FORMULA_STARTS):
            # Senders write these texts, and spreadsheets run what begins like a formula.
            return f"'{value}"
        case _:
            return str(value)


_SIGNAL_FIELDS: Final = (
    *("id", "source", "source_id", "strategy", "symbol", "side", "intent", "reference_price"),
    *("made_at", "received_at", "expires_at", "confidence", "note"),
)
_BRACKET_FIELDS: Final = (
    *(
        "id",
        "signal_id",
        "strategy",
        "symbol",
        "side",
        "qty",
        "stop_price",
        "take_profit_price",
        "opened_at",
        "closed_at",
    ),
    *(
        "attempts",
        "gave_up_at",
        "exit_requested_at",
        "exit_reason",
        "last_error",
        "adjusted_qty",
        "naked_s",
        "naked_share_s",
    ),
)
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "signals.csv": (
        *_SIGNAL_FIELDS,
        *("size_unit", "size", "entry_type", "limit_price", "entry_stop_price", "time_in_force"),
        *("stop_loss_unit", "stop_loss_value", "take_profit_unit", "take_profit_value"),
        *("status", "decided_at", "decided_by", "decision_note", "approved_qty", "approved_limit_price"),
        *("approved_stop_price", "approved_take_profit_price", "bracket_id"),
    ),
    "orders.csv": (
        *(
            "id",
            "client_order_id",
            "broker_id",
            "symbol",
            "side",
            "type",
            "order_class",
            "role",
            "status",
            "raw_status",
        ),
        *(
            "qty",
            "filled_qty",
            "filled_avg_price",
            "busted_qty",
            "limit_price",
            "stop_price",
            "time_in_force",
            "bracket_id",
            "parent_id",
        ),
        *("replaces", "replaced_by", "created_at", "status_since", "updated_at", "unresolved_since", "last_error"),
    ),
    "fills.csv": Fill.__struct_fields__,
    "brackets.csv": (
        *_BRACKET_FIELDS,
        *("entered_qty", "entry_price", "left_qty", "exit_price", "realized_pl", "orders"),
    ),
    "latencies.csv": Latency.__struct_fields__,
}
