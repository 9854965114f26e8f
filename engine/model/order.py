"""An order, and the one table that says which report may follow which status.

The broker's reports come by three ways (the answer of a request, the stream, a REST read), may be doubled, late or out
of order. ``apply_report`` folds one into an order:

* an execution already counted, or a report older than what is known, changes nothing: the same object comes back;
* ``filled_qty`` never falls, whatever a report says: executions that the venue takes back are a fact of their own
  (``take_back``), and a report from before it brings none of them back;
* a status that the table does not allow raises ``IllegalTransition`` and nothing moves. The reader of the stream is the
  one place that catches it: it keeps the raw message, tells the operator, and asks the broker for the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from engine.errors import IllegalTransition, InvariantViolated
from engine.model.money import ZERO
from engine.model.words import TERMINAL, OrderClass, OrderRole, OrderStatus, OrderType, Side, Source, TimeInForce

S = OrderStatus

_BEFORE_THE_BOOK: Final = frozenset({S.PENDING_NEW, S.ACCEPTED, S.ACCEPTED_FOR_BIDDING, S.NEW, S.HELD})
_LIVE: Final = frozenset({S.NEW, S.PARTIALLY_FILLED, S.FILLED, S.DONE_FOR_DAY, S.STOPPED, S.SUSPENDED, S.CALCULATED})
_ENDS: Final = frozenset({S.FILLED, S.CANCELED, S.EXPIRED, S.REPLACED, S.REJECTED})
_PENDING: Final = frozenset({S.PENDING_CANCEL, S.PENDING_REPLACE})

ORDER_TRANSITIONS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = MappingProxyType(
    {
        # A fill, a cancel by hand and even an expiry may overtake the answer of the submit.
        S.SENDING: _BEFORE_THE_BOOK | _LIVE | _ENDS | _PENDING,
        S.PENDING_NEW: _BEFORE_THE_BOOK | _LIVE | _ENDS | _PENDING,
        S.ACCEPTED: (_BEFORE_THE_BOOK - {S.PENDING_NEW}) | _LIVE | _ENDS | _PENDING,
        S.ACCEPTED_FOR_BIDDING: (_BEFORE_THE_BOOK - {S.PENDING_NEW}) | _LIVE | _ENDS | _PENDING,
        # A leg waits as held; a bracket's stop stays held for life and may fill from there.
        S.HELD: frozenset({S.HELD, S.PENDING_NEW, S.ACCEPTED}) | _LIVE | _ENDS | _PENDING,
        # Alpaca reports a leg held again when its sibling is patched.
        S.NEW: frozenset({S.HELD, S.ACCEPTED}) | _LIVE | _ENDS | _PENDING,
        S.PARTIALLY_FILLED: frozenset({S.NEW}) | (_LIVE - {S.NEW}) | _ENDS | _PENDING,
        S.DONE_FOR_DAY: _BEFORE_THE_BOOK | _LIVE | _ENDS | _PENDING,
        S.STOPPED: _LIVE | _ENDS | _PENDING,
        S.SUSPENDED: _BEFORE_THE_BOOK | _LIVE | _ENDS | _PENDING,
        S.CALCULATED: _LIVE | _ENDS | _PENDING,
        # A cancel or a replace that the venue refused puts the order back where it was.
        S.PENDING_CANCEL: _BEFORE_THE_BOOK | _LIVE | _ENDS | _PENDING,
        S.PENDING_REPLACE: _BEFORE_THE_BOOK | _LIVE | _ENDS | _PENDING,
        S.UNRECOGNISED: _BEFORE_THE_BOOK | _LIVE | _ENDS | _PENDING,
        S.FILLED: frozenset({S.FILLED}),
        # The fill raced our cancel: filled_qty still grows, and may reach the whole.
        S.CANCELED: frozenset({S.CANCELED, S.PARTIALLY_FILLED, S.FILLED}),
        S.EXPIRED: frozenset({S.EXPIRED, S.CANCELED, S.PARTIALLY_FILLED, S.FILLED}),
        # The old order may fill before its replacement reaches the venue.
        S.REPLACED: frozenset({S.REPLACED, S.PARTIALLY_FILLED, S.FILLED}),
        S.REJECTED: frozenset({S.REJECTED}),
        # A person or the look-ups were wrong: the broker had it after all.
        S.NEVER_REACHED: _BEFORE_THE_BOOK | _LIVE | _ENDS | _PENDING,
    }
)

REFUSED_IN_ITS_ANSWER: Final = _BEFORE_THE_BOOK | _LIVE | _ENDS | _PENDING
"""What the broker may show of an order that it refused in its answer to us, and has all the same: anything.

Alpaca has refused replacements that went through. Stream and REST win over such an answer. An order that the broker
itself reports as rejected has a broker id, stays under its row of the table, and never comes back.
"""

_AWAKE: Final = frozenset({S.NEW, S.ACCEPTED, S.PARTIALLY_FILLED, S.FILLED})
"""A leg reported so is at the venue, whatever was believed of it."""
_LATE_FILL_KEEPS: Final = frozenset({S.CANCELED, S.EXPIRED, S.REPLACED})
"""A partial fill reported after one of these raises ``filled_qty`` and leaves the status."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What proves a claim: a request id, or an execution id or message of the stream."""

    source: Source
    id: str | None
    at: datetime


class OrderReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker said of an order, once."""

    broker_id: str
    status: OrderStatus
    evidence: Evidence
    raw_status: str | None = None
    """The broker's own word when ``status`` is ``unrecognised``."""
    event: str | None = None
    """The stream's word (``new``, ``fill``, ...), None for answers and reads."""
    client_order_id: str | None = None
    filled_qty: Decimal = ZERO
    filled_avg_price: Decimal | None = None
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    updated_at: datetime | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    execution_id: str | None = None
    last_qty: Decimal | None = None
    last_price: Decimal | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order at the broker, or on its way there."""

    id: str
    """Ours: the client order id of what we sent; of a leg, the parent's with ``.tp`` or ``.sl`` behind it."""
    client_order_id: str | None
    symbol: str
    side: Side
    type: OrderType
    order_class: OrderClass
    role: OrderRole
    qty: Decimal
    bracket_id: str | None = None
    parent_id: str | None = None
    """Our id of the group's parent; None of a parent or a single order."""
    time_in_force: TimeInForce = TimeInForce.DAY
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    broker_id: str | None = None
    status: OrderStatus = OrderStatus.SENDING
    raw_status: str | None = None
    filled_qty: Decimal = ZERO
    """Executed and not taken back, as the broker counts."""
    filled_avg_price: Decimal | None = None
    """Of those shares; None when there are none."""
    busted_qty: Decimal = ZERO
    """Executed once and taken back by the venue since."""
    busted_ids: tuple[str, ...] = ()
    """Executions taken back, as far as their ids were told."""
    busted_at: datetime | None = None
    """The broker's own stamp of the newest word that took some back."""
    created_at: datetime
    status_since: datetime
    known_since: datetime | None = None
    """When the broker first showed it, in an answer, on the stream or in a read."""
    updated_at: datetime | None = None
    """The broker's own stamp of the newest report folded in."""
    unresolved_since: datetime | None = None
    """Set while the fate of the submit at the broker is not settled."""
    cancel_requested_at: datetime | None = None
    cancel_since: datetime | None = None
    """The first ask of its cancel, kept after its end; ``cancel_requested_at`` is the newest while it is under way."""
    cancel_actor: str | None = None
    """Who of this desk last asked for its cancel, kept after its end: without one it was another hand's doing.

    A person whose wish the desk only repeats stays the one who asked.
    """
    asleep_since: datetime | None = None
    """An exit that the broker did not arm although its entry has filled: no cover until it is reported otherwise."""
    replaces: str | None = None
    replaced_by: str | None = None
    """Both are ids of ours."""
    refused_at: datetime | None = None
    """The answer to its submit or replace was a no. It is kept when the broker shows the order all the same."""
    revived_at: datetime | None = None
    """When the broker showed it although it was over here, as refused or as never arrived."""
    last_error: str | None = None
    evidence: Evidence | None = None
    execution_ids: tuple[str, ...] = ()

    @property
    def leaves_qty(self) -> Decimal:
        """What may still execute: 0 once terminal."""
        return ZERO if self.status in TERMINAL else self.qty - self.filled_qty

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def is_open(self) -> bool:
        return self.status not in TERMINAL

    @property
    def was_unknown_to_broker(self) -> bool:
        """Ended here without the broker ever having shown it: only the broker's own word can revive it."""
        return self.status is S.NEVER_REACHED or self.was_refused_in_its_answer

    @property
    def was_refused_in_its_answer(self) -> bool:
        """Only an answer says that it does not exist; the broker has never shown it."""
        return self.status is S.REJECTED and self.broker_id is None

    @property
    def was_refused_in_vain(self) -> bool:
        """The broker refused it in its answer, and has it all the same."""
        return self.refused_at is not None and self.broker_id is not None and self.status is not S.REJECTED


def apply_report(order: Order, report: OrderReport, at: datetime) -> Order:
    """``order`` after ``report``, or ``order`` itself when the report says nothing new.

    Raises:
        IllegalTransition: the table does not allow it; the order is untouched.
        InvariantViolated: the broker claims to have filled more than was ordered.
    """
    if report.execution_id is not None and report.execution_id in order.execution_ids + order.busted_ids:
        return order
    if _is_stale(order, report):
        return order
    filled_qty = max(order.filled_qty, report.filled_qty)
    qty = report.qty if report.qty is not None else order.qty
    if filled_qty > qty:
        raise InvariantViolated(f"{order.id}: {filled_qty} filled of {qty} ordered")
    status = _next_status(order, report, filled_qty, qty)
    executions = order.execution_ids
    if report.execution_id is not None:
        executions = (*executions, report.execution_id)
    return msgspec.structs.replace(
        order,
        broker_id=report.broker_id,
        client_order_id=order.client_order_id or report.client_order_id,
        status=status,
        raw_status=report.raw_status,
        status_since=order.status_since if status is order.status else at,
        known_since=order.known_since or at,
        revived_at=at if order.was_unknown_to_broker and status is not S.REJECTED else order.revived_at,
        qty=qty,
        filled_qty=filled_qty,
        filled_avg_price=report.filled_avg_price if report.filled_avg_price is not None else order.filled_avg_price,
        limit_price=report.limit_price if report.limit_price is not None else order.limit_price,
        stop_price=report.stop_price if report.stop_price is not None else order.stop_price,
        updated_at=_later(order.updated_at, report.updated_at),
        unresolved_since=None,
        cancel_requested_at=None if status in TERMINAL else order.cancel_requested_at,
        asleep_since=None if status in _AWAKE else order.asleep_since,
        evidence=report.evidence,
        execution_ids=executions,
    )


def take_back(order: Order, report: OrderReport, qty: Decimal, at: datetime) -> Order:
    """``order`` after the venue took back executions of ``qty`` shares; ``report`` shows what stands from here on.

    What was executed is taken back; a status that the table does not know from there leaves the order as it was.
    """
    ids = (report.execution_id,) if report.execution_id is not None else ()
    without = msgspec.structs.replace(
        order,
        filled_qty=report.filled_qty,
        filled_avg_price=report.filled_avg_price if report.filled_qty else None,
        busted_qty=order.busted_qty + qty,
        busted_ids=(*order.busted_ids, *ids),
        busted_at=report.updated_at,
        evidence=report.evidence,
    )
    try:
        return apply_report(without, msgspec.structs.replace(report, execution_id=None), at)
    except (IllegalTransition, InvariantViolated):
        return without


def taken_back(order: Order, shown: OrderReport) -> Decimal:
    """Shares of executions that the venue has taken back since the book last heard of any, if ``shown`` is true.

    A filled order has executed all of its shares once, whether this desk heard of it or not.
    """
    known = order.filled_qty + order.busted_qty
    once = order.qty if shown.qty is None else shown.qty
    executed = max(known, once) if shown.status is S.FILLED else known
    return max(ZERO, executed - shown.filled_qty - order.busted_qty)


def _is_stale(order: Order, report: OrderReport) -> bool:
    if report.filled_qty > order.filled_qty:
        return order.busted_at is not None and report.updated_at is not None and report.updated_at < order.busted_at
    if order.updated_at is not None and report.updated_at is not None and report.updated_at < order.updated_at:
        return True
    # The stream doubles whole sequences (new, fill, new, fill) without moving the stamp.
    return order.is_terminal and report.status not in TERMINAL and not order.was_unknown_to_broker


def _next_status(order: Order, report: OrderReport, filled_qty: Decimal, qty: Decimal) -> OrderStatus:
    reported = report.status
    if reported is S.UNRECOGNISED:
        return order.status if order.is_terminal and not order.was_unknown_to_broker else reported
    allowed = REFUSED_IN_ITS_ANSWER if order.was_refused_in_its_answer else ORDER_TRANSITIONS[order.status]
    if reported not in allowed:
        raise IllegalTransition("order", order.status, reported)
    if order.status in _LATE_FILL_KEEPS and reported is S.PARTIALLY_FILLED:
        return order.status
    if reported is S.FILLED and filled_qty + order.busted_qty < qty:
        raise IllegalTransition("order", f"{order.status} with {filled_qty} of {qty} filled", reported)
    if reported in (S.NEW, S.ACCEPTED) and ZERO < filled_qty < qty:
        return S.PARTIALLY_FILLED
    return reported


def _later(known: datetime | None, reported: datetime | None) -> datetime | None:
    if known is None or reported is None:
        return reported or known
    return max(known, reported)
