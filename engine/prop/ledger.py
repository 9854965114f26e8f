"""What the firm's rules are measured against, folded from the journal: the same facts make the same ledger.

A fold never adds: it compares and keeps the higher, so that a fact told twice counts once.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

replace = msgspec.structs.replace


class PropDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the firm's, in account currency."""

    day: str
    """The date it goes by, ISO."""
    began_at: datetime
    start_balance: Decimal
    start_equity: Decimal
    high_equity: Decimal
    balance: Decimal
    """As last marked; of a closed day, at its end."""
    equity: Decimal
    is_late: bool = False
    """The desk did not run at the reset: the start is its best knowledge, not the firm's number."""
    traded: bool = False
    """At least one entry was filled."""
    corrected_by: str | None = None


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    rule: str
    day: str
    text: str
    at: datetime


class PropLedger(msgspec.Struct, frozen=True, kw_only=True):
    preset: str = ""
    size: Decimal = Decimal(0)
    """What percentages and a static floor are counted from."""
    high_equity: Decimal = Decimal(0)
    """The highest equity ever seen, never below the size."""
    high_close: Decimal = Decimal(0)
    """The highest balance at the end of a day, never below the size."""
    day: PropDay | None = None
    """The running one."""
    closed: tuple[PropDay, ...] = ()
    breaches: tuple[Breach, ...] = ()

    @property
    def days(self) -> tuple[PropDay, ...]:
        return (*self.closed, self.day) if self.day is not None else self.closed

    @property
    def traded_days(self) -> int:
        return sum(1 for day in self.days if day.traded)

    def standing(self) -> tuple[Breach, ...]:
        """A daily limit binds for its day, every other one for ever."""
        today = self.day.day if self.day is not None else None
        return tuple(b for b in self.breaches if b.rule != "PROP_DAILY_LOSS" or b.day == today)


def opened(
    ledger: PropLedger,
    preset: str,
    size: Decimal,
    day: str,
    at: datetime,
    balance: Decimal,
    equity: Decimal,
    is_late: bool,
) -> PropLedger:
    """A new day. Another preset begins a new ledger."""
    if ledger.preset != preset:
        ledger = PropLedger(preset=preset, size=size, high_equity=size, high_close=size)
    if day in {known.day for known in ledger.days}:
        return ledger
    fresh = PropDay(
        day=day,
        began_at=at,
        start_balance=balance,
        start_equity=equity,
        high_equity=equity,
        balance=balance,
        equity=equity,
        is_late=is_late,
    )
    return replace(ledger, day=fresh, high_equity=max(ledger.high_equity, equity))


def marked(ledger: PropLedger, balance: Decimal, equity: Decimal) -> PropLedger:
    if ledger.day is None:
        return ledger
    high = max(ledger.day.high_equity, equity)
    day = replace(ledger.day, balance=balance, equity=equity, high_equity=high)
    return replace(ledger, day=day, high_equity=max(ledger.high_equity, equity))


def closed(ledger: PropLedger, day: str, balance: Decimal, equity: Decimal) -> PropLedger:
    if ledger.day is None or ledger.day.day != day:
        return ledger
    done = replace(ledger.day, balance=balance, equity=equity)
    return replace(ledger, day=None, closed=(*ledger.closed, done), high_close=max(ledger.high_close, balance))


def filled(ledger: PropLedger) -> PropLedger:
    """An entry was executed: today counts as a trading day."""
    if ledger.day is None or ledger.day.traded:
        return ledger
    return replace(ledger, day=replace(ledger.day, traded=True))


def breached(ledger: PropLedger, rule: str, text: str, at: datetime) -> PropLedger:
    day = ledger.day.day if ledger.day is not None else ""
    if any(known.rule == rule and known.day == day for known in ledger.breaches):
        return ledger
    return replace(ledger, breaches=(*ledger.breaches, Breach(rule=rule, day=day, text=text, at=at)))


def corrected(
    ledger: PropLedger,
    actor: str,
    start_balance: Decimal | None,
    start_equity: Decimal | None,
    high_equity: Decimal | None,
    high_close: Decimal | None,
) -> PropLedger:
    """The firm's own numbers, typed by a person; None leaves one as it is."""
    if ledger.day is None:
        return ledger
    day = replace(
        ledger.day,
        start_balance=ledger.day.start_balance if start_balance is None else start_balance,
        start_equity=ledger.day.start_equity if start_equity is None else start_equity,
        is_late=False,
        corrected_by=actor,
    )
    return replace(
        ledger,
        day=day,
        high_equity=ledger.high_equity if high_equity is None else high_equity,
        high_close=ledger.high_close if high_close is None else high_close,
    )
