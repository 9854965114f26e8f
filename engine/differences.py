"""What the broker shows and the book does not explain, and the start gate that it locks.

A person settles each difference; one look proves none of a position, since an execution may fall between two reads.
What is settled about a position is its quantity: another quantity is a new difference, and a settlement whose shares
have gone lapses, so that the same number of shares asks again when it comes back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Final

import msgspec

from engine.alpaca import wire
from engine.alpaca.vocabulary import TERMINAL_STATUSES
from engine.book import Book
from engine.clock import Clock
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.ids import desk_of
from engine.model.money import ZERO, plain
from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus
from engine.recorder import Recorder
from engine.surroundings import World

log = logging.getLogger(__name__)

CONFIRM_AFTER_S: Final = 2.0
"""A gap between book and broker that looks the same for this long is real."""
AT_REST: Final = frozenset({OrderStatus.HELD, OrderStatus.NEW, OrderStatus.ACCEPTED})


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something at the broker that the book does not explain."""

    id: str
    kind: str
    """``order``, ``position``, ``missing`` (an order of ours that the broker does not know), ``desk`` (another one)."""
    symbol: str
    text: str
    settlements: tuple[str, ...]
    subject: str = ""
    """The broker's id of an order that is not ours; our id of a missing one; the other desk's id."""
    qty: Decimal = ZERO
    """Shares that no trade explains; minus is short."""


SETTLEMENTS: Final = {
    "order": ("watch", "cancel", "ignore"),
    "position": ("adopt", "watch", "ignore"),
    "missing": ("adopt",),
    "desk": ("ignore",),
}


class Differences:
    def __init__(self, recorder: Recorder, book: Book, world: World, clock: Clock) -> None:
        self._recorder = recorder
        self._book = book
        self._world = world
        self._clock = clock
        self.open: dict[str, Difference] = {}
        """By id."""
        self.suspects: dict[str, tuple[Decimal, Decimal, float]] = {}
        """Symbol -> what trades explain, what the broker holds, and since when they differ in just this way."""
        self._held_up: dict[str, tuple[Decimal, Decimal]] = {}
        """The same two of symbols in which an order of unknown fate leaves open whether they differ."""
        self._missing: dict[str, float] = {}
        """Order id -> since when the broker does not know it, in the loop's seconds."""
        self._unreadable: dict[str, str] = {}
        """``orders`` or ``positions`` -> what of the newest list could not be read."""

    @property
    def unexplained(self) -> set[str]:
        """Symbols whose position is a difference, open or settled: when it goes away, that must be seen too."""
        settled = {key.split(":")[1] for key in self._book.settled if key.startswith("position:")}
        return settled | {found.symbol for found in self.open.values() if found.kind == "position"}

    def compare(self, orders: list[wire.Order], symbols: Iterable[str]) -> None:
        for order in orders:
            if order.status not in TERMINAL_STATUSES and self._is_foreign(order):
                desk = desk_of(order.client_order_id)
                whose = f"desk {desk}" if desk else "another program or by hand"
                text = f"an order of {order.symbol} was made by {whose}: {_told(order)}"
                self._differ("order", order.id, order.symbol, text, subject=order.id)
            else:
                self.open.pop(f"order:{order.id}", None)  # it has ended, or is explained by now
        for symbol in set(symbols):
            self._compare_position(symbol)
        for symbol in [key for key in self._held_up if not self._book.brackets_of_symbol.get(key)]:
            del self._held_up[symbol]  # the order was settled, and its trade with it
        self._compare_desks(orders)
        for found in [found for found in self.open.values() if found.kind == "missing"]:
            if self._book.orders[found.subject].is_terminal:
                del self.open[found.id]
        for order_id in [each for each in self._missing if self._book.orders[each].is_terminal]:
            del self._missing[order_id]

    def _is_foreign(self, order: wire.Order) -> bool:
        return (
            order.client_order_id not in self._book.order_of_client_id and order.id not in self._book.order_of_broker_id
        )

    def _compare_position(self, symbol: str) -> None:
        brackets = list(self._book.open_brackets_of(symbol))
        position = self._book.positions.get(symbol)
        actual = position.qty if position is not None else ZERO
        explained = sum((self._signed(bracket) for bracket in brackets), ZERO)
        settled = self._settled_of(symbol)
        self._held_up.pop(symbol, None)
        moving = [order for bracket in brackets for order in self._moving(bracket.id)]
        if moving:
            seen = self.suspects.get(symbol)
            if seen is not None and seen[:2] != (explained, actual):
                del self.suspects[symbol]  # it was an execution under way; the next one may be as well
            is_gap = actual != explained and actual - explained not in settled
            if is_gap and all(self._is_unresolved(order) for order in moving):
                self._held_up[symbol] = (explained, actual)
            return
        if actual == explained or actual - explained in settled:
            self._net_out(symbol, brackets, beside=actual - explained)
            explained = sum((self._signed(bracket) for bracket in brackets), ZERO)
        if actual - explained in settled or (actual == explained and not settled):
            self._forget_position(symbol)
            self.suspects.pop(symbol, None)
            return
        if not self._is_confirmed(symbol, explained, actual):
            return
        for bracket in brackets:
            cover, sign = self._book.cover(bracket.id), bracket.side.sign
            gone = min(cover.held, max(ZERO, (explained - actual) * sign))
            if bracket is brackets[-1] and cover.held > 0 and actual * sign < 0:
                # Beyond the position: a hand at the broker has turned it round, and the protection closes the rest.
                gone = (explained - actual) * sign
            if gone > 0:
                # Less at the broker than the trades say: another hand closed it. Covering or selling it would flip.
                why = f"{plain(gone)} {symbol} were closed at the broker by another hand."
                self._recorder.record(ev.BracketAdjusted(bracket_id=bracket.id, qty=-gone, why=why))
                explained -= gone * sign
            back = min(cover.flipped, max(ZERO, (actual - explained) * sign))
            if back > 0:
                why = f"{plain(back)} {symbol} of the flip were closed at the broker by another hand."
                self._recorder.record(ev.BracketAdjusted(bracket_id=bracket.id, qty=back, why=why))
                explained += back * sign
        extra = actual - explained
        self._forget_position(symbol)
        for qty, difference_id in settled.items():
            if qty != extra:
                now = f"{plain(extra)} {symbol} are" if extra else f"no {symbol} is"
                why = f"{plain(qty)} {symbol} were settled, and {now} held beyond the trades now."
                self._recorder.record(ev.DifferenceLapsed(difference_id=difference_id, why=why))
        if extra:
            key, text = _position_key(symbol, extra), f"{plain(extra)} {symbol} are held that no trade explains"
            self._differ("position", key, symbol, text, qty=extra)

    def _net_out(self, symbol: str, brackets: Sequence[Bracket], *, beside: Decimal) -> None:
        """Shares that one trade holds and another has the other way: an account holds only what is left of both.

        Each would keep the other from being closed, since the broker lets no more be closed than it holds. ``beside``
        are shares of no trade, which a person has settled: they count as well, and what is left of them asks again.
        """
        for one, other in combinations(brackets, 2):
            qty = _common(self._signed(one), self._signed(other))
            if qty:
                why = f"{plain(qty)} {symbol} of {one.id} and of {other.id} cancel out: the account holds neither."
                self._recorder.record(*(self._without(trade, qty, why) for trade in (one, other)))
        for trade in brackets:
            signed = self._signed(trade)
            qty = _common(signed, beside)
            if qty:
                why = f"{plain(qty)} {symbol} of {trade.id} and of the settled ones cancel out: neither is held."
                self._recorder.record(self._without(trade, qty, why))
                beside += qty if signed > 0 else -qty

    def _without(self, trade: Bracket, qty: Decimal, why: str) -> ev.BracketAdjusted:
        is_held = self._signed(trade) * trade.side.sign > 0
        return ev.BracketAdjusted(bracket_id=trade.id, qty=-qty if is_held else qty, why=why)

    def _settled_of(self, symbol: str) -> dict[Decimal, str]:
        """Quantities of this symbol that the operator has settled, each with its difference's id."""
        start = f"position:{symbol}:"
        return {Decimal(key.removeprefix(start)): key for key in self._book.settled if key.startswith(start)}

    def _forget_position(self, symbol: str) -> None:
        for found in [found for found in self.open.values() if found.kind == "position" and found.symbol == symbol]:
            del self.open[found.id]

    def _signed(self, bracket: Bracket) -> Decimal:
        """What this trade says is held, with its sign; flipped shares are held the other way."""
        return self._book.cover(bracket.id).signed(bracket.side)

    def _is_confirmed(self, symbol: str, explained: Decimal, actual: Decimal) -> bool:
        """One look proves nothing: an execution may fall between reading the orders and reading the position."""
        now_s = self._clock.monotonic_s()
        seen = self.suspects.get(symbol)
        if seen is None or seen[:2] != (explained, actual):
            self.suspects[symbol] = (explained, actual, now_s)
            return False
        if now_s - seen[2] < CONFIRM_AFTER_S:
            return False
        del self.suspects[symbol]
        return True

    def _moving(self, bracket_id: str) -> Iterable[Order]:
        """Orders of which an execution may be under way whose report and whose position do not agree yet."""
        return (
            order
            for order in self._book.orders_of(bracket_id)
            if order.is_open and (order.role is OrderRole.EXIT or order.status not in AT_REST)
        )

    def _is_unresolved(self, order: Order) -> bool:
        """Of a group whose request has an unknown fate no leg has moved by itself."""
        parent = self._book.orders.get(order.parent_id or "")
        return order.unresolved_since is not None or (parent is not None and parent.unresolved_since is not None)

    def _differ(self, kind: str, key: str, symbol: str, text: str, *, subject: str = "", qty: Decimal = ZERO) -> None:
        difference_id = f"{kind}:{key}"
        if self._book.settled.get(difference_id) is None and difference_id not in self.open:
            self.open[difference_id] = Difference(
                id=difference_id,
                kind=kind,
                symbol=symbol,
                text=text,
                settlements=SETTLEMENTS[kind],
                subject=subject,
                qty=qty,
            )

    def gaps(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Symbols whose position the trades do not explain: what they do, and what is held, as last seen."""
        return self._held_up | {symbol: seen[:2] for symbol, seen in self.suspects.items()}

    def unexplained_qty(self, symbol: str) -> Decimal:
        """What the broker holds beyond the trades, as last read."""
        position = self._book.positions.get(symbol)
        actual = position.qty if position is not None else ZERO
        return actual - sum((self._signed(each) for each in self._book.open_brackets_of(symbol)), ZERO)

    def _seen_once(self) -> list[Order]:
        """Orders of ours that the broker did not know at one look."""
        known = (self._book.orders[key] for key in self._missing if f"missing:{key}" not in self.open)
        return [order for order in known if order.is_open]

    @property
    def doubtful(self) -> set[str]:
        """Symbols that a second look is owed to, soon."""
        return {*self.suspects, *(order.symbol for order in self._seen_once())}

    def note_missing(self, order: Order, is_missing: bool) -> None:
        """An order of ours that is open here and unknown to the broker: one look may be a slip, a second one is not."""
        now_s, key = self._clock.monotonic_s(), f"missing:{order.id}"
        if not is_missing:
            self._missing.pop(order.id, None)
            self.open.pop(key, None)
        elif now_s - self._missing.setdefault(order.id, now_s) >= CONFIRM_AFTER_S:
            text = f"{order.id} of {order.symbol} is {order.status.value} here, and the broker does not know it"
            self._differ("missing", order.id, order.symbol, text, subject=order.id)

    def _compare_desks(self, orders: Iterable[wire.Order]) -> None:
        """One desk an account: another one's recent orders keep the gate locked until somebody says that it is gone."""
        newest: dict[str, wire.Order] = {}
        for order in orders:
            desk = desk_of(order.client_order_id)
            if desk is None or desk == self._book.desk_id or order.submitted_at is None:
                continue
            known = newest.get(desk)
            if known is None or known.submitted_at is None or order.submitted_at > known.submitted_at:
                newest[desk] = order
        for desk, order in newest.items():
            assert order.submitted_at is not None
            at = order.submitted_at.isoformat(timespec="seconds")
            for stale in [found.id for found in self.open.values() if found.kind == "desk" and found.subject == desk]:
                if stale != f"desk:{desk}:{at}":
                    del self.open[stale]
            text = f"desk {desk} works on this account too, its newest order is of {at}: one desk an account"
            self._differ("desk", f"{desk}:{at}", order.symbol, text, subject=desk)

    def settle(self, difference_id: str, settlement: str, actor: str) -> None:
        difference = self.open.pop(difference_id)
        if difference.kind == "missing":
            self._missing.pop(difference.subject, None)
        self._recorder.record(
            ev.DifferenceSettled(difference_id=difference_id, settlement=settlement, actor=actor, text=difference.text)
        )

    def lock_or_open(self) -> None:
        if self.open:
            self._world.gate_locked_by = _sentence(self.open.values())
        elif self.suspects:
            self._world.gate_locked_by = f"the position of {', '.join(sorted(self.suspects))} is read once more"
        elif unknown := self._seen_once():
            self._world.gate_locked_by = f"{', '.join(order.id for order in unknown)} is asked for once more"
        else:
            self._world.gate_locked_by = next(iter(self._unreadable.values()), None)
        self._world.has_differences = bool(self.open)
        self._world.has_unexplained_shares = any(found.kind == "position" for found in self.open.values())

    def note_unreadable(self, what: str, rows: Sequence[wire.Unreadable]) -> None:
        """Nothing that the broker says may be lost in silence: until it can be read, the start gate is locked."""
        before = self._unreadable.pop(what, None)
        if rows:
            more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
            self._unreadable[what] = f"the broker's {what} cannot all be read: {rows[0].why}{more}"
            if before != self._unreadable[what]:
                log.warning("%s: %s", self._unreadable[what], rows[0].raw)


def _common(one: Decimal, other: Decimal) -> Decimal:
    """How many shares two quantities of different sign have in common."""
    return min(abs(one), abs(other)) if one * other < 0 else ZERO


def _position_key(symbol: str, qty: Decimal) -> str:
    """What a settlement names: so many shares of this symbol, and no others."""
    return f"{symbol}:{plain(qty.normalize())}"


def _told(order: wire.Order) -> str:
    price = order.stop_price if order.stop_price is not None else order.limit_price
    qty = plain(order.qty) if order.qty is not None else f"${plain(order.notional or ZERO)}"
    return f"{order.side} {qty} {order.type}{f' at {plain(price)}' if price is not None else ''}, {order.status}"


def _sentence(differences: Iterable[Difference]) -> str:
    texts = [difference.text for difference in differences]
    return texts[0] if len(texts) == 1 else f"{texts[0]} (and {len(texts) - 1} more)"
