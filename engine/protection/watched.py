"""Exits that the desk itself holds against live quotes, because none stands at the broker.

A watched stop protects only while this desk runs and its quotes are live, so it is counted as uncovered and shown in
its own colour with its heartbeat. It strikes when two distinct quotes in a row lie beyond it: one alone may be a bad
print. That it is watched is a fact in the journal: a restart watches on, and counts its quotes anew.

A watched target stands beside a plain stop. When its price is seen, the stop is canceled and the shares are closed at
the market: they are uncovered only from the cancel's confirmation to the close, while the price is at its best.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from engine.clock import Clock
from engine.market.quotes import QuoteView
from engine.model.bracket import Bracket
from engine.model.money import plain
from engine.model.words import Session, Side
from engine.protection.case import Case, Rest, Step, Watch, is_beyond

AGREEING: Final = 2
"""Distinct quotes in a row."""
TARGET_GRACE_S: Final = 2.0
"""A target that has just gone may take its stop along, or be told as replaced, a moment later."""


# --- rows of the decision --------------------------------------------------------------------------------------------


def why_watch(case: Case) -> str | None:
    """Why no stop at the broker can cover the uncovered shares now; None when one can."""
    if case.session is Session.EXTENDED:
        return "no stop works at the broker outside the core session"
    if case.bracket.gave_up_at is not None:
        return "the broker does not take the exits"
    return None


def watch_target(case: Case) -> Step | None:
    """A stop stands and its target is gone: leave the stop, and wait for the target's price here."""
    bracket, cover = case.bracket, case.cover
    if cover.naked > 0 or bracket.take_profit_price is None or cover.is_target_live:
        return None
    if bracket.watch_target_since is not None or (cover.target is not None and cover.target.is_open):
        return None
    left_s = TARGET_GRACE_S - case.age_s(case.changed_at)
    if left_s > 0:
        return Rest("the target's end may take the stop along", left_s)
    return Watch(target=True, why="no target stands at the broker beside the stop")


# --- counting prints -------------------------------------------------------------------------------------------------


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A watched exit whose price has been seen."""

    target: bool
    price: Decimal
    mark: Decimal

    @property
    def sentence(self) -> str:
        what = "target" if self.target else "stop"
        return f"the watched {what} {plain(self.price)} was reached: {AGREEING} quotes, the last {plain(self.mark)}"


class _Count(msgspec.Struct):
    prints: int = 0
    newest: datetime | None = None
    price: Decimal | None = None


class Watcher:
    """Counts agreeing quotes for each watched exit, and remembers when it last saw a live one."""

    def __init__(self, clock: Clock, quote_max_age_s: float) -> None:
        self._clock = clock
        self._quote_max_age_s = quote_max_age_s
        self._counts: dict[tuple[str, bool], _Count] = {}
        self._seen_at: dict[str, datetime] = {}

    def look(self, bracket: Bracket, quote: QuoteView | None) -> Hit | None:
        """Hold the trade's watched exits against the newest quote; the exit that it strikes, or None."""
        if bracket.watch_stop_since is None and bracket.watch_target_since is None:
            self.forget(bracket.id)
            return None
        mark = quote.mark(bracket.side.sign) if quote is not None else None
        if quote is None or mark is None or quote.age_s > self._quote_max_age_s:
            return None
        self._seen_at[bracket.id] = self._clock.now()
        quoted_at = quote.quoted_at or quote.at
        if bracket.watch_stop_since is not None:
            beyond = is_beyond(bracket.side, mark, bracket.stop_price)
            if self._count((bracket.id, False), bracket.stop_price, quoted_at, beyond) >= AGREEING:
                return Hit(target=False, price=bracket.stop_price, mark=mark)
        price = bracket.take_profit_price
        if bracket.watch_target_since is not None and price is not None:
            reached = mark >= price if bracket.side is Side.BUY else mark <= price
            if self._count((bracket.id, True), price, quoted_at, reached) >= AGREEING:
                return Hit(target=True, price=price, mark=mark)
        return None

    def _count(self, key: tuple[str, bool], price: Decimal, quoted_at: datetime, agrees: bool) -> int:
        count = self._counts.setdefault(key, _Count())
        if not agrees or count.price != price:
            count.prints, count.newest, count.price = 0, None, price
        if agrees and quoted_at != count.newest:
            count.prints += 1
            count.newest = quoted_at
        return count.prints

    def prints(self, bracket_id: str, *, target: bool = False) -> int:
        """Agreeing quotes so far."""
        count = self._counts.get((bracket_id, target))
        return count.prints if count is not None else 0

    def heartbeat(self, bracket_id: str) -> datetime | None:
        """When a live quote was last held against the trade's watched exits."""
        return self._seen_at.get(bracket_id)

    def forget(self, bracket_id: str) -> None:
        self._seen_at.pop(bracket_id, None)
        self._counts.pop((bracket_id, False), None)
        self._counts.pop((bracket_id, True), None)
