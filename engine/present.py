"""Builds the pictures of ``views.py`` from the book: plain functions of what is true now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from engine.book import Book
from engine.market.quotes import QuoteBoard, QuoteView
from engine.model.bracket import Bracket
from engine.model.incident import Incident, Priority
from engine.model.money import ZERO, plain, signed_usd
from engine.model.order import Evidence, Order
from engine.model.signal import Approval, SignalRecord
from engine.model.words import (
    OrderRole,
    OrderStatus,
    SignalStatus,
)
from engine.order_notes import nothing_entered, order_note
from engine.pipeline.resolve import LookUp, unknown_view
from engine.protection.ledger import Cover, is_armed, parent_of, plan_of, status_of
from engine.protection.result import realized_pl
from engine.protection.watched import Watcher
from engine.views import (
    BracketView,
    EditView,
    EntryView,
    IncidentView,
    LegsView,
    OrderView,
    PositionView,
    PreviewView,
    SignalView,
    StopView,
    TargetView,
    WatchView,
)

HUNDREDTH: Final = Decimal("0.01")


class Presenter:
    def __init__(
        self,
        book: Book,
        quotes: QuoteBoard,
        verified: Mapping[str, Evidence],
        now: Callable[[], datetime],
        watcher: Watcher | None = None,
        trip_s: Callable[[], float] = lambda: 0.1,
        look_ups: Mapping[str, LookUp] = MappingProxyType({}),
        trusted_since: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        """``trip_s`` is what a round trip to the broker takes now; sentences about naked time are estimated by it.
        What was proved before ``trusted_since`` counts for nothing.
        """
        self._trusted_since = trusted_since
        self._look_ups = look_ups
        self._watcher = watcher
        self._trip_s = trip_s
        self._book = book
        self._quotes = quotes
        self._verified = verified
        self._now = now

    # --- signals -------------------------------------------------------------------------------------------------

    def signal(self, record: SignalRecord, preview: PreviewView | None) -> SignalView:
        signal, approval = record.signal, record.approval
        stop, target = signal.stop_loss, signal.take_profit
        stop_price = stop.value if stop is not None and stop.unit == "price" else None
        target_price = target.value if target is not None and target.unit == "price" else None
        qty = signal.size.value if signal.size is not None and signal.size.unit == "qty" else None
        limit_price = signal.entry.limit_price
        if approval is not None:
            qty, limit_price = approval.qty, approval.limit_price
            stop_price, target_price = approval.stop_price, approval.take_profit_price
        elif preview is not None:
            qty, stop_price, target_price = preview.qty, preview.stop_price, preview.take_profit_price
        bracket = self._book.brackets.get(record.bracket_id or "")
        reasons = record.reasons or (preview.verdicts if preview is not None else ())
        return SignalView(
            id=signal.id,
            source=signal.source,
            strategy=signal.strategy,
            symbol=signal.symbol,
            side=signal.side,
            status=record.status,
            qty=qty,
            entry=EntryView(
                type=signal.entry.type,
                limit_price=limit_price,
                stop_price=signal.entry.stop_price,
                time_in_force=signal.entry.time_in_force,
            ),
            stop_loss=None
            if stop is None and stop_price is None
            else StopView(stop_price=stop_price, limit_price=stop.limit_price if stop is not None else None),
            take_profit=None if target is None and target_price is None else TargetView(limit_price=target_price),
            reasons=reasons,
            preview=preview,
            created_at=signal.made_at,
            received_at=signal.received_at,
            expires_at=signal.expires_at,
            order_ids=bracket.order_ids if bracket is not None else (),
            bracket_id=bracket.id if bracket is not None else None,
            source_id=signal.source_id,
            intent=signal.intent.value if signal.intent is not None else None,
            reference_price=signal.reference_price,
            confidence=signal.confidence,
            note=signal.note,
            decided_at=record.decided_at,
            decided_by=record.decided_by,
            decision_note=record.decision_note,
            trigger_price=record.held.trigger_price
            if record.held is not None and signal.id in self._book.held_entries
            else None,
            decision_code=record.decision_code,
            edits=_edits(approval),
            approve_reason=approval.reason if approval is not None else "",
            undo_until=_undo_until(record, self._now()),
            **self._what_became(bracket),
        )

    def _what_became(self, bracket: Bracket | None) -> dict[str, Any]:
        """Of a signal that was approved: its fill and its result, for the history."""
        if bracket is None:
            return {}
        cover = self._book.cover(bracket.id)
        entry_price = _entry_price(cover)
        if cover.entry_filled == 0 or entry_price is None:
            return {"outcome": nothing_entered(self._book.orders_of(bracket.id), bracket.closed_at is not None)}
        realized = _realized(self._book.orders_of(bracket.id), entry_price, bracket.side.sign)
        filled = f"{plain(cover.entry_filled)} @ {plain(entry_price)}"
        if bracket.closed_at is None or realized is None:
            return {"outcome": filled, "realized_pl": realized}
        return {"outcome": f"{filled}, closed for {signed_usd(realized)}", "realized_pl": realized}

    # --- orders --------------------------------------------------------------------------------------------------

    def order(self, order: Order) -> OrderView:
        parent = self._parent_of(order)
        armed = is_armed(order, parent)
        return OrderView(
            id=order.id,
            client_order_id=order.client_order_id,
            broker_id=order.broker_id,
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            status=order.status,
            qty=order.qty,
            filled_qty=order.filled_qty,
            filled_avg_price=order.filled_avg_price,
            limit_price=order.limit_price,
            stop_price=order.stop_price,
            order_class=order.order_class,
            role=order.role,
            bracket_id=order.bracket_id,
            unresolved_since=order.unresolved_since,
            parent_id=order.parent_id,
            time_in_force=order.time_in_force,
            raw_status=order.raw_status,
            created_at=order.created_at,
            status_since=order.status_since,
            updated_at=order.updated_at,
            cancel_requested_at=order.cancel_requested_at,
            is_armed=armed,
            note=order_note(order, parent, armed),
            last_error=order.last_error,
            evidence=_newer(order.evidence, self._verified.get(order.id)),
            can_cancel=order.is_open and order.broker_id is not None and order.status is not OrderStatus.PENDING_CANCEL,
            cancel_consequence=self._cancel_consequence(order, armed),
            busted_qty=order.busted_qty,
            unknown=unknown_view(order, self._look_ups.get(order.id), self._now()),
        )

    def proofs(self) -> dict[str, Evidence]:
        """Of each open order the newest reading that showed it as the book has it."""
        return {key: self._verified[key] for key in self._book.open_orders if key in self._verified}

    def _parent_of(self, order: Order) -> Order | None:
        if order.parent_id is None or order.bracket_id is None:
            return None
        return parent_of(order, {other.id: other for other in self._book.orders_of(order.bracket_id)})

    def _cancel_consequence(self, order: Order, armed: bool) -> str | None:
        if order.bracket_id is None or not order.is_open:
            return None
        cover = self._book.cover(order.bracket_id)
        soon = f" (about {3 * self._trip_s():.1f} s)"
        if armed and order.role is OrderRole.TAKE_PROFIT:
            return f"leaves {plain(cover.held)} {order.symbol} naked until the stop is back{soon}, without a target"
        if armed and order.role is OrderRole.STOP_LOSS:
            return f"leaves {plain(cover.held)} {order.symbol} naked until the desk has replaced both exits{soon}"
        if order.role is OrderRole.ENTRY and cover.held > 0:
            return (
                f"{plain(cover.naked)} {order.symbol} are held and get exits of their own: "
                f"naked about {3 * self._trip_s():.1f} s, longer if the cancel sticks"
            )
        return None

    # --- brackets ------------------------------------------------------------------------------------------------

    def bracket(self, bracket_id: str) -> BracketView:
        bracket, cover = self._book.brackets[bracket_id], self._book.cover(bracket_id)
        orders, now = self._book.orders_of(bracket_id), self._now()
        verified = self._verified.get(cover.stop.id) if cover.stop is not None else None
        evidence = _newer(cover.evidence, verified)
        status = status_of(bracket, cover, now, evidence.at if evidence is not None else None, self._trusted_since())
        quote = self._quotes.get(bracket.symbol)
        mark = _mark(quote, bracket.side.sign)
        entry_price = _entry_price(cover)
        stop_price = _live_price(cover.stop, bracket.stop_price, lambda order: order.stop_price)
        target_price = _live_price(cover.target, bracket.take_profit_price, lambda order: order.limit_price)
        running_s = (now - bracket.naked_since).total_seconds() if bracket.naked_since is not None else 0.0
        carriers = [order for order in orders if order.role is not OrderRole.ENTRY and order.parent_id is None]
        return BracketView(
            id=bracket.id,
            signal_id=bracket.signal_id,
            symbol=bracket.symbol,
            side=bracket.side,
            status=status,
            qty=bracket.qty,
            held_qty=cover.held,
            covered_qty=cover.covered,
            cover_kind=cover.kind,
            naked_qty=cover.naked,
            naked_s=round(bracket.naked_s + max(0.0, running_s), 3),
            plan=plan_of(cover, orders),
            legs=LegsView(
                entry=self._leg(cover.entry), take_profit=self._leg(cover.target), stop_loss=self._leg(cover.stop)
            ),
            attempts=bracket.attempts,
            last_error=bracket.last_error,
            evidence=evidence,
            strategy=bracket.strategy,
            entry_price=entry_price,
            stop_price=stop_price,
            take_profit_price=target_price,
            exits_confirmed=cover.held > 0 and cover.naked == 0 and bracket.moves_asked_at is None,
            market_price=mark,
            quote_age_s=round(quote.age_s, 1) if quote is not None else None,
            unrealized_pl=_profit(cover.held, entry_price, mark, bracket.side.sign),
            realized_pl=_realized(orders, entry_price, bracket.side.sign),
            r_multiple=_r_multiple(entry_price, bracket.stop_price, mark, bracket.side.sign) if cover.held else None,
            naked_since=bracket.naked_since,
            gave_up=bracket.gave_up_at is not None,
            can_retry=cover.naked > 0 and not cover.entry_open and bracket.exit_requested_at is None,
            can_flatten=bracket.closed_at is None and bracket.exit_requested_at is None,
            plan_id=carriers[-1].id if carriers else None,
            opened_at=bracket.opened_at,
            closed_at=bracket.closed_at,
            orders=tuple(self.order(order) for order in orders),
            targets=bracket.targets,
            trail=bracket.trail,
            high_water=bracket.high_water,
            follows_fill=bracket.follow is not None and bracket.followed_at is None and not cover.entry_filled,
            naked_share_s=self._naked_share_s(bracket, cover, now),
            flipped_qty=cover.flipped,
            verified_at=evidence.at if evidence is not None and cover.covered > 0 else None,
            watch=self._watch(bracket, now),
            unprotected_until=bracket.unprotected_until,
            wanted_stop_price=bracket.wanted_stop_price,
            wanted_take_profit_price=bracket.wanted_take_profit_price,
            move_refused=bracket.move_refused,
            exit_when=bracket.exit_when.value,
            repair=bracket.repair.kind if bracket.repair is not None else None,
        )

    @staticmethod
    def _naked_share_s(bracket: Bracket, cover: Cover, now: datetime) -> float:
        counted = bracket.naked_counted_at
        running_s = max(0.0, (now - counted).total_seconds()) if counted is not None else 0.0
        return round(bracket.naked_share_s + running_s * float(cover.exposed), 3)

    def _watch(self, bracket: Bracket, now: datetime) -> WatchView | None:
        stop_since, target_since = bracket.watch_stop_since, bracket.watch_target_since
        since = stop_since or target_since
        if since is None or bracket.closed_at is not None:
            return None
        beat = self._watcher.heartbeat(bracket.id) if self._watcher is not None else None
        return WatchView(
            stop_price=bracket.stop_price if stop_since is not None else None,
            take_profit_price=bracket.take_profit_price if target_since is not None else None,
            since=since,
            why=bracket.watch_why,
            heartbeat_at=beat,
            heartbeat_age_s=None if beat is None else round(max(0.0, (now - beat).total_seconds()), 1),
            prints=self._watcher.prints(bracket.id) if self._watcher is not None else 0,
        )

    def _leg(self, order: Order | None) -> OrderView | None:
        return None if order is None else self.order(order)

    # --- positions and incidents ---------------------------------------------------------------------------------

    def positions(self) -> list[PositionView]:
        symbols = dict.fromkeys([*self._book.positions, *(s for s, b in self._book.brackets_of_symbol.items() if b)])
        views = (self.position(symbol) for symbol in symbols)
        return [view for view in views if view is not None]

    def position(self, symbol: str) -> PositionView | None:
        """What the broker says is held; None when nothing is."""
        known = self._book.positions.get(symbol)
        trades = list(self._book.open_brackets_of(symbol))
        covers = [self._book.cover(trade.id) for trade in trades]
        if known is not None:
            qty, average = known.qty, known.avg_entry_price
        else:
            qty = sum((c.held * t.side.sign for c, t in zip(covers, trades, strict=True)), ZERO)
            average = _entry_price(covers[0]) if covers else None
        if qty == 0:
            return None
        sign = 1 if qty > 0 else -1
        quote = self._quotes.get(symbol)
        mark = _mark(quote, sign)
        covered = min(abs(qty), sum((cover.covered for cover in covers), ZERO))
        return PositionView(
            symbol=symbol,
            qty=qty,
            avg_entry_price=average,
            market_price=mark,
            unrealized_pl=_profit(abs(qty), average, mark, sign),
            covered_qty=covered,
            naked_qty=abs(qty) - covered,
            strategy=trades[0].strategy if trades else None,
            market_value=None if mark is None else (qty * mark).quantize(HUNDREDTH),
            quote_age_s=round(quote.age_s, 1) if quote is not None else None,
            evidence=known.evidence if known is not None else None,
            naked_share_s=round(
                sum(self._naked_share_s(t, c, self._now()) for t, c in zip(trades, covers, strict=True)), 3
            ),
        )

    def naked_symbols(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys(
                self._book.brackets[b].symbol for b in self._book.open_brackets if self._book.cover(b).naked > 0
            )
        )

    @staticmethod
    def incident(incident: Incident) -> IncidentView:
        return IncidentView(
            id=incident.id,
            key=incident.key,
            priority=int(incident.priority),
            cause=incident.cause,
            consequence=incident.consequence,
            action=incident.action,
            subject_kind=incident.subject_kind,
            subject_id=incident.subject_id,
            symbol=incident.symbol,
            raised_at=incident.raised_at,
            deadline_at=incident.deadline_at,
            buttons=incident.buttons,
            count=incident.count,
            acked_at=incident.acked_at,
            acked_by=incident.acked_by,
            cleared_at=incident.cleared_at,
            covers=incident.covers,
            shelved_until=incident.shelved_until,
            shelved_by=incident.shelved_by,
            shelved_why=incident.shelved_why,
            can_shelve=incident.priority is not Priority.NOW
            and incident.cleared_at is None
            and not incident.is_shelved,
        )


def _edits(approval: Approval | None) -> tuple[EditView, ...]:
    if approval is None or approval.proposed is None:
        return ()
    return tuple(
        EditView(name=name, proposed=getattr(approval.proposed, name), approved=getattr(approval, name))
        for name in approval.edited
    )


def _undo_until(record: SignalRecord, now: datetime) -> datetime | None:
    until = record.approval.undo_until if record.approval is not None else None
    can = record.status is SignalStatus.APPROVED and until is not None and now < until
    return until if can else None


def _newer(first: Evidence | None, second: Evidence | None) -> Evidence | None:
    if first is None or second is None:
        return first or second
    return second if second.at > first.at else first


def _mark(quote: QuoteView | None, sign: int) -> Decimal | None:
    return None if quote is None else quote.mark(sign)


def _entry_price(cover: Cover) -> Decimal | None:
    """The average of what was bought, else the intended price."""
    if cover.entry is None:
        return None
    return cover.avg_entry_price or cover.entry.limit_price


def _live_price(
    order: Order | None, approved: Decimal | None, price_of: Callable[[Order], Decimal | None]
) -> Decimal | None:
    """The broker's price while the order lives, else the approved one."""
    live = price_of(order) if order is not None and order.is_open else None
    return approved if live is None else live


def _profit(qty: Decimal, entry: Decimal | None, mark: Decimal | None, sign: int) -> Decimal | None:
    if entry is None or mark is None or qty == 0:
        return None
    return ((mark - entry) * qty * sign).quantize(HUNDREDTH)


def _realized(orders: Sequence[Order], entry: Decimal | None, sign: int) -> Decimal | None:
    if not any(order.role is not OrderRole.ENTRY and order.filled_qty > 0 for order in orders):
        return None
    return realized_pl(orders, entry, sign).quantize(HUNDREDTH)


def _r_multiple(entry: Decimal | None, stop: Decimal, mark: Decimal | None, sign: int) -> Decimal | None:
    if entry is None or mark is None or entry == stop:
        return None
    return ((mark - entry) * sign / abs(entry - stop)).quantize(HUNDREDTH)
