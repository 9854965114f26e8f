"""The activity log: one sentence a fact, for those facts that a person wants to read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from engine.book import Book
from engine.folds.signals import waits
from engine.model import events as ev
from engine.model.money import plain, usd
from engine.model.order import Order, OrderReport
from engine.model.words import OrderRole, OrderStatus, Stage
from engine.protection import told
from engine.views import ActivityLine

KEPT: Final = 5000
ALWAYS_TOLD: Final = ("signal_received", "signal_approved", "order_intended", "cancel_intended")
"""Kinds of facts that always make a line: behind the newest ``KEPT`` of them nothing older is of use to the log."""

_ROLE: Final = {
    OrderRole.ENTRY: "entry",
    OrderRole.TAKE_PROFIT: "target",
    OrderRole.STOP_LOSS: "stop",
    OrderRole.EXIT: "close",
    OrderRole.FOREIGN: "another's order",
}
_LOUD: Final = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
        OrderStatus.SUSPENDED,
        OrderStatus.UNRECOGNISED,
    }
)

type Line = tuple[str, str | None, str]
"""Level, symbol, text."""


class ActivityLog:
    """The newest lines, folded from the facts as they are recorded."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._lines: deque[ActivityLine] = deque(maxlen=KEPT)

    def fold(self, records: Iterable[ev.Recorded]) -> None:
        for recorded in records:
            tell = _TELLERS.get(type(recorded.event))
            line = tell(recorded.event, self._book) if tell is not None else None
            if line is not None:
                level, symbol, text = line
                self._lines.append(
                    ActivityLine(
                        seq=recorded.seq,
                        at=recorded.at,
                        level=level,
                        symbol=symbol,
                        text=text,
                        subject=recorded.event.subject,
                    )
                )

    def lines(self) -> tuple[ActivityLine, ...]:
        """All that are kept, oldest first."""
        return tuple(self._lines)

    def take_back(self, lines: Iterable[ActivityLine]) -> None:
        """What an earlier process had kept."""
        self._lines.extend(lines)

    def newest(self, limit: int) -> list[ActivityLine]:
        """Newest first."""
        return [self._lines[-1 - i] for i in range(min(limit, len(self._lines)))]


def _signal_symbol(book: Book, signal_id: str) -> str | None:
    record = book.signals.get(signal_id)
    return record.signal.symbol if record is not None else None


def _bracket_symbol(book: Book, bracket_id: str) -> str:
    return book.brackets[bracket_id].symbol


def _received(event: ev.SignalReceived, book: Book) -> Line:
    signal = event.signal
    return "info", signal.symbol, f"signal {signal.id} received · {signal.side.value} · {signal.strategy}"


def _refused(event: ev.SignalRefused, book: Book) -> Line:
    where = f" in {event.field}" if event.field else ""
    return "warn", None, f"signal from {event.source} refused · {event.code}{where} · {event.text}"


def _approved(event: ev.SignalApproved, book: Book) -> Line:
    record = book.signals[event.signal_id]
    waited_s = (event.approval.at - record.signal.received_at).total_seconds()
    who = "you" if event.approval.actor == "window" else event.approval.actor
    why = f" although a rule warns · {event.approval.reason}" if event.approval.reason else ""
    return "info", record.signal.symbol, f"{event.signal_id} approved by {who} after {waited_s:.1f} s{why}"


def _rejected(event: ev.SignalRejected, book: Book) -> Line:
    who = "you" if event.actor == "window" else event.actor
    why = f" · {event.reason}" if event.reason else ""
    return "info", _signal_symbol(book, event.signal_id), f"{event.signal_id} rejected by {who}{why}"


def _expired(event: ev.SignalExpired, book: Book) -> Line:
    return "info", _signal_symbol(book, event.signal_id), f"{event.signal_id} expired undecided"


def _denied(event: ev.SignalDenied, book: Book) -> Line:
    why = next((reason.text for reason in event.reasons), "")
    return "warn", _signal_symbol(book, event.signal_id), f"{event.signal_id} denied · {why}"


def _returned(event: ev.SignalReturned, book: Book) -> Line:
    level = "warn" if event.actor == "desk" else "info"
    return level, _signal_symbol(book, event.signal_id), f"{event.signal_id} is pending again · {event.why}"


def _held(event: ev.EntryHeld, book: Book) -> Line:
    return "info", _signal_symbol(book, event.signal_id), f"{event.signal_id} held · {waits(event.held)}"


def _released(event: ev.EntryReleased, book: Book) -> Line:
    return "info", _signal_symbol(book, event.signal_id), f"{event.signal_id} released · {event.why}"


def _intended(event: ev.OrderIntended, book: Book) -> Line:
    order = event.order
    return "info", order.symbol, f"{_ROLE[order.role]} {_words(order)} sent as {order.order_class.value}"


def _words(order: Order) -> str:
    price = order.limit_price or order.stop_price
    return f"{order.side.value} {plain(order.qty)}" + (f" at {plain(price)}" if price is not None else "")


def _reported(event: ev.OrderReported, book: Book) -> Line | None:
    order, report = book.orders[event.order_id], event.report
    role = _ROLE[order.role]
    if report.status in _LOUD or report.event in ("fill", "partial_fill"):
        return _loud_report(order, report, role)
    if report.event is None and order.parent_id is None:
        return "info", order.symbol, f"{role} acknowledged as {report.status.value}"
    return None


def _loud_report(order: Order, report: OrderReport, role: str) -> Line:
    if report.last_qty is not None and report.last_price is not None:
        progress = f"{plain(order.filled_qty)}/{plain(order.qty)}"
        return "good", order.symbol, f"{role} filled {plain(report.last_qty)} @ {plain(report.last_price)} · {progress}"
    if report.status is OrderStatus.FILLED and report.filled_avg_price is not None:
        return "good", order.symbol, f"{role} filled {plain(report.filled_qty)} @ {plain(report.filled_avg_price)}"
    bad = report.status in (OrderStatus.REJECTED, OrderStatus.UNRECOGNISED)
    return "bad" if bad else "info", order.symbol, f"{role} {report.raw_status or report.status.value}"


def _taken_back(event: ev.ExecutionsTakenBack, book: Book) -> Line:
    order = book.orders[event.order_id]
    what = f"{plain(event.qty)} executed shares of the {_ROLE[order.role]}"
    return "bad", order.symbol, f"the venue took back {what} · {plain(order.filled_qty)}/{plain(order.qty)} stand"


def _order_refused(event: ev.OrderRefused, book: Book) -> Line:
    order = book.orders[event.order_id]
    code = f" · {event.code}" if event.code else ""
    return "bad", order.symbol, f"{_ROLE[order.role]} refused{code} · {event.text}"


def _unresolved(event: ev.OrderUnresolved, book: Book) -> Line:
    order = book.orders[event.order_id]
    return "bad", order.symbol, f"{_ROLE[order.role]} UNKNOWN · {event.text}"


def _never_reached(event: ev.OrderNeverReached, book: Book) -> Line:
    order = book.orders[event.order_id]
    return "warn", order.symbol, f"{_ROLE[order.role]} never reached the broker · {event.why}"


def _lookup(event: ev.LookupAsked, book: Book) -> Line:
    who = "you" if event.actor == "window" else event.actor
    return "info", book.orders[event.order_id].symbol, f"look-up of {event.order_id} asked by {who}"


def _cancel(event: ev.CancelIntended, book: Book) -> Line:
    order = book.orders[event.order_id]
    who = {"window": "you", "desk": "the desk"}.get(event.actor, event.actor)
    why = f" · {event.reason}" if event.reason else ""
    return "info", order.symbol, f"{_ROLE[order.role]} cancel asked by {who}{why}"


def _cancel_refused(event: ev.CancelRefused, book: Book) -> Line:
    order = book.orders[event.order_id]
    return "warn", order.symbol, f"{_ROLE[order.role]} cancel · {event.text}"


def _replace(event: ev.ReplaceIntended, book: Book) -> Line:
    order = event.order
    return (
        "info",
        order.symbol,
        f"{_ROLE[order.role]} moved to {plain(order.limit_price or order.stop_price or order.qty)}",
    )


def _protection_failed(event: ev.ProtectionFailed, book: Book) -> Line:
    bracket = book.brackets[event.bracket_id]
    return "bad", bracket.symbol, f"exits not placed, try {bracket.attempts} · {event.text}"


def _asleep(event: ev.ExitsAsleep, book: Book) -> Line:
    return "bad", _bracket_symbol(book, event.bracket_id), f"exits do not act · {event.text}"


def _gave_up(event: ev.ProtectionGaveUp, book: Book) -> Line:
    return "bad", _bracket_symbol(book, event.bracket_id), "NAKED, the desk gave up · press Retry or Flatten"


def _rearmed(event: ev.ProtectionRearmed, book: Book) -> Line:
    who = "you" if event.actor == "window" else event.actor
    return "info", _bracket_symbol(book, event.bracket_id), f"retry of the exits asked by {who}"


def _exit(event: ev.ExitRequested, book: Book) -> Line:
    who = {"window": "you", "desk": "the desk"}.get(event.actor, event.actor)
    return "info", _bracket_symbol(book, event.bracket_id), f"flatten asked by {who} · {event.reason}"


def _exits_changed(event: ev.ExitsChanged, book: Book) -> Line:
    target = f"target {plain(event.take_profit_price)}" if event.take_profit_price is not None else "no target"
    return "info", _bracket_symbol(book, event.bracket_id), f"exits are now stop {plain(event.stop_price)} · {target}"


def _adjusted(event: ev.BracketAdjusted, book: Book) -> Line:
    return "warn", _bracket_symbol(book, event.bracket_id), event.why


def _state(event: ev.DeskStateSet, book: Book) -> Line:
    who = "you" if event.actor == "window" else event.actor
    scope = "" if event.scope == "desk" else f" {event.scope}"
    agreed = f", {event.agreed_by} agreed" if event.agreed_by else ""
    cause = f" · {event.cause}" if event.cause else ""
    return "warn", None, f"desk{scope} {event.state.value} by {who}{agreed}{cause}"


def _stalled(event: ev.LoopStalled, book: Book) -> Line:
    return "bad", None, f"the desk stood still for {event.lasted_s:g} s" + (f" · {event.file}" if event.file else "")


def _woke(event: ev.DeskWoke, book: Book) -> Line:
    return "warn", None, f"{event.why} · everything is read again"


def _flat_proved(event: ev.FlatProved, book: Book) -> Line:
    return "info", None, f"flat, proved by REST · 0 orders, 0 positions · request {event.proof.positions.id}"


def _suspension_asked(event: ev.SuspensionAsked, book: Book) -> Line:
    who = "you" if event.actor == "window" else event.actor
    return "warn", None, f"trading at the broker to be {'suspended' if event.suspended else 'resumed'} by {who}"


def _suspension_refused(event: ev.SuspensionRefused, book: Book) -> Line:
    return "bad", None, f"trading was not {'suspended' if event.suspended else 'resumed'} · {event.text}"


def _suspension_seen(event: ev.SuspensionSeen, book: Book) -> Line:
    says = "takes no orders of this account" if event.suspended else "takes orders of this account"
    return ("warn" if event.suspended else "info"), None, f"the broker {says}"


def _link(event: ev.LinkChanged, book: Book) -> Line:
    return (
        ("info" if event.up else "warn"),
        None,
        f"{event.link} {'up' if event.up else 'down'}" + (f" · {event.why}" if event.why and not event.up else ""),
    )


def _incident(event: ev.IncidentRaised, book: Book) -> Line | None:
    incident = event.incident
    level = "bad" if incident.priority == 1 else "warn"
    return level, incident.symbol, f"incident P{int(incident.priority)} · {incident.cause}"


def _shelved(event: ev.IncidentShelved, book: Book) -> Line:
    incident = book.incidents[event.incident_id]
    who = "you" if event.actor == "window" else event.actor
    return (
        "info",
        incident.symbol,
        f"shelved by {who} until {event.until:%H:%M} UTC · {incident.cause} · {event.reason}",
    )


def _unshelved(event: ev.IncidentUnshelved, book: Book) -> Line:
    incident = book.incidents[event.incident_id]
    return "warn", incident.symbol, f"off the shelf: {event.why} · {incident.cause}"


def _measured(event: ev.StageMeasured, book: Book) -> Line | None:
    if event.stage is not Stage.TOTAL:
        return None
    return "good", _signal_symbol(book, event.signal_id), f"protected · {event.ms:.0f} ms from the click, market aside"


def _started(event: ev.DeskStarted, book: Book) -> Line:
    rules = f" · {event.rules_file} {(event.rules_sha256 or 'unreadable')[:12]}" if event.rules_file else ""
    return "info", None, f"desk started · version {event.version}{rules}"


def _settled(event: ev.DifferenceSettled, book: Book) -> Line:
    return "info", None, f"difference settled: {event.settlement} · {event.text}"


def _lapsed(event: ev.DifferenceLapsed, book: Book) -> Line:
    return "warn", None, f"settlement over: {event.why}"


def _demo(event: ev.DemoSwitched, book: Book) -> Line:
    return "info", None, f"demo strategy {'on' if event.on else 'off'}"


def _prop_day(event: ev.PropDayOpened, book: Book) -> Line:
    late = " · the desk was not there when it began" if event.is_late else ""
    return ("warn" if event.is_late else "info"), None, f"prop-firm day {event.day} · equity {usd(event.equity)}{late}"


def _prop_breached(event: ev.PropBreached, book: Book) -> Line:
    return "bad", None, event.text


def _prop_corrected(event: ev.PropDayCorrected, book: Book) -> Line:
    return "warn", None, f"prop-firm day {event.day} corrected by {event.actor}"


def _tripped(event: ev.DeskTripped, book: Book) -> Line:
    return "bad", None, f"tripped · {event.trip.cause}"


def _trip_released(event: ev.TripReleased, book: Book) -> Line:
    how = " while its cause stood" if event.is_forced else ""
    return "warn", None, f"{event.code} released by {event.actor}{how}"


def _mandate(event: ev.MandateGranted, book: Book) -> Line:
    mandate = event.mandate
    names = ", ".join(mandate.symbols) or "every symbol"
    bounds = f"{usd(mandate.max_notional_each)} each, {usd(mandate.max_notional_day)} a day"
    return "warn", None, f"{mandate.id} given by {mandate.created_by} · {mandate.strategy} · {names} · {bounds}"


def _mandate_confirmed(event: ev.MandateConfirmed, book: Book) -> Line:
    return "warn", None, f"{event.mandate_id} confirmed by {event.actor}"


def _mandate_revoked(event: ev.MandateRevoked, book: Book) -> Line:
    return "info", None, f"{event.mandate_id} revoked by {event.actor}"


_TELLERS: Final[Mapping[type, Callable[[Any, Book], Line | None]]] = {
    ev.SignalReceived: _received,
    ev.SignalRefused: _refused,
    ev.SignalApproved: _approved,
    ev.SignalRejected: _rejected,
    ev.SignalExpired: _expired,
    ev.SignalDenied: _denied,
    ev.SignalReturned: _returned,
    ev.EntryHeld: _held,
    ev.EntryReleased: _released,
    ev.OrderIntended: _intended,
    ev.OrderReported: _reported,
    ev.ExecutionsTakenBack: _taken_back,
    ev.OrderRefused: _order_refused,
    ev.OrderUnresolved: _unresolved,
    ev.OrderNeverReached: _never_reached,
    ev.LookupAsked: _lookup,
    ev.CancelIntended: _cancel,
    ev.CancelRefused: _cancel_refused,
    ev.ReplaceIntended: _replace,
    ev.ProtectionFailed: _protection_failed,
    ev.ExitsAsleep: _asleep,
    ev.ProtectionGaveUp: _gave_up,
    ev.ProtectionRearmed: _rearmed,
    ev.ExitRequested: _exit,
    ev.ExitsChanged: _exits_changed,
    ev.BracketAdjusted: _adjusted,
    ev.DeskStateSet: _state,
    ev.DeskWoke: _woke,
    ev.LoopStalled: _stalled,
    ev.FlatProved: _flat_proved,
    ev.SuspensionAsked: _suspension_asked,
    ev.SuspensionRefused: _suspension_refused,
    ev.SuspensionSeen: _suspension_seen,
    ev.LinkChanged: _link,
    ev.IncidentRaised: _incident,
    ev.IncidentShelved: _shelved,
    ev.IncidentUnshelved: _unshelved,
    ev.StageMeasured: _measured,
    ev.DeskStarted: _started,
    ev.DifferenceSettled: _settled,
    ev.DifferenceLapsed: _lapsed,
    ev.DemoSwitched: _demo,
    ev.PropDayOpened: _prop_day,
    ev.PropBreached: _prop_breached,
    ev.PropDayCorrected: _prop_corrected,
    ev.DeskTripped: _tripped,
    ev.TripReleased: _trip_released,
    **told.TELLERS,
    ev.MandateGranted: _mandate,
    ev.MandateConfirmed: _mandate_confirmed,
    ev.MandateRevoked: _mandate_revoked,
}
