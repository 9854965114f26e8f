"""Each rule's headroom: now, if this trade stops out, and if everything at risk does with it. Pure arithmetic.

Reaching a floor is a breach: headroom has to stay above zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from engine.model.money import ZERO, plain, usd
from engine.model.words import Verdict
from engine.prop.days import is_inside
from engine.prop.ledger import PropDay, PropLedger
from engine.prop.preset import DailyLoss, Drawdown, Preset, Size, Window

TENTH: Final = Decimal("0.1")
DRAWDOWN: Final = "Maximum drawdown"
DAILY_LOSS: Final = "Daily loss"


class PropFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules look at, as of one moment. Amounts in account currency."""

    preset: Preset
    ledger: PropLedger
    equity: Decimal | None
    """Of the account as last read, marked from quotes."""
    balance: Decimal | None
    """Equity without the open positions' profit."""
    open_risk: Decimal
    """What held, working and approved trades would still lose, from now to their stops."""
    unstopped: tuple[str, ...]
    """Symbols held without a stop of this desk: their risk is in no number here."""
    exposure: Decimal
    """Unsigned value of all positions and entries."""
    symbols: frozenset[str]
    """Held or being entered."""
    warn_within_pct: Decimal
    now: datetime


class PropTrade(msgspec.Struct, frozen=True, kw_only=True):
    """The entry that is asked about; None where it is not known yet."""

    symbol: str
    qty: Decimal
    notional: Decimal | None
    risk: Decimal | None


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, measured."""

    code: str
    name: str
    verdict: Verdict
    text: str
    unit: str
    """``usd``, ``shares``, ``positions``, ``pct``, ``days`` or ``time``."""
    limit: Decimal | None = None
    floor: Decimal | None = None
    """The equity at which the rule breaks; None of rules that are no floor."""
    now: Decimal | None = None
    """Headroom."""
    after_stop: Decimal | None = None
    """Headroom once this trade has stopped out."""
    after_all_stops: Decimal | None = None
    """Headroom once this trade and everything at risk has."""


class Rooms(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules leave for another entry, in account currency."""

    floors: tuple[tuple[str, Decimal], ...]
    """Each floor's name, and what may still be lost once everything at risk has stopped out; may be negative."""
    exposure: Decimal | None
    """None when the preset limits none."""


def rooms(facts: PropFacts) -> Rooms:
    """The headroom that sizes are cut to: the numbers of ``meters`` without an entry, and none of their words."""
    preset, ledger, day = facts.preset, facts.ledger, facts.ledger.day
    floors = []
    if facts.equity is not None and day is not None:
        left = facts.equity - facts.open_risk
        if preset.drawdown is not None:
            floors.append((DRAWDOWN, left - drawdown_floor(preset.drawdown, ledger)))
        if preset.daily_loss is not None:
            floors.append((DAILY_LOSS, left - daily_floor(preset.daily_loss, ledger.size, day)))
    most = None if preset.size is None else _most_exposure(preset.size, ledger)
    return Rooms(floors=tuple(floors), exposure=None if most is None else most - facts.exposure)


def meters(facts: PropFacts, trade: PropTrade | None) -> tuple[Meter, ...]:
    """All rules of the preset; ``trade`` None measures the account as it is."""
    return tuple(_measured(facts, trade))


def _measured(facts: PropFacts, trade: PropTrade | None) -> Iterator[Meter]:
    preset, ledger, day = facts.preset, facts.ledger, facts.ledger.day
    if preset.drawdown is not None and day is not None:
        floor = drawdown_floor(preset.drawdown, ledger)
        amount = preset.drawdown.of(ledger.size)
        yield _floor_meter("PROP_DRAWDOWN", DRAWDOWN, facts, trade, amount, floor)
    if preset.daily_loss is not None and day is not None:
        floor = daily_floor(preset.daily_loss, ledger.size, day)
        amount = preset.daily_loss.of(ledger.size)
        yield _floor_meter("PROP_DAILY_LOSS", DAILY_LOSS, facts, trade, amount, floor)
    if preset.size is not None:
        yield from _sizes(facts, preset.size, trade)
    if preset.window is not None:
        yield _window(preset.window, facts.now)
    yield from _progress(facts)


def drawdown_floor(rule: Drawdown, ledger: PropLedger) -> Decimal:
    amount = rule.of(ledger.size)
    if rule.kind == "static":
        return ledger.size - amount
    high = ledger.high_equity if rule.kind == "trailing_intraday" else ledger.high_close
    floor = high - amount
    return floor if rule.lock_in_usd is None else min(floor, ledger.size + Decimal(str(rule.lock_in_usd)))


def daily_floor(rule: DailyLoss, size: Decimal, day: PropDay) -> Decimal:
    match rule.basis:
        case "balance":
            start = day.start_balance
        case "equity":
            start = day.start_equity
        case "higher":
            start = max(day.start_balance, day.start_equity)
    return start - rule.of(size)


def _floor_meter(
    code: str, name: str, facts: PropFacts, trade: PropTrade | None, amount: Decimal, floor: Decimal
) -> Meter:
    if facts.equity is None:
        text = f"{name}: the equity is not known yet."
        return Meter(code=code, name=name, verdict=Verdict.DENY, text=text, unit="usd", limit=amount, floor=floor)
    now = facts.equity - floor
    risk = trade.risk if trade is not None and trade.risk is not None else ZERO
    after, after_all = now - risk, now - risk - facts.open_risk
    margin = amount * facts.warn_within_pct / 100
    if after_all <= 0:
        verdict = Verdict.DENY
        what = "this stop-out" if after <= 0 else "this stop-out with those of the open trades"
        text = f"{name}: {usd(now)} are left, {what} would break it."
        if now <= 0:
            text = f"{name}: equity {usd(facts.equity)} is at or below the floor of {usd(floor)}."
        elif risk == 0:
            text = f"{name}: {usd(now)} are left, the open trades' stop-outs would break it."
    elif after_all < margin:
        verdict, text = Verdict.WARN, f"{name}: only {usd(after_all)} would be left after the stop-outs."
    else:
        verdict, text = Verdict.PASS, f"{name}: {usd(now)} are left, {usd(after_all)} after the stop-outs."
    return Meter(
        code=code,
        name=name,
        verdict=verdict,
        text=text,
        unit="usd",
        limit=amount,
        floor=floor,
        now=now,
        after_stop=after,
        after_all_stops=after_all,
    )


def _sizes(facts: PropFacts, rule: Size, trade: PropTrade | None) -> Iterator[Meter]:
    if rule.max_positions is not None:
        count = len(facts.symbols | ({trade.symbol} if trade is not None else frozenset()))
        text = f"Positions: {count} of {rule.max_positions}."
        yield _counted(
            "PROP_POSITIONS", "Positions", text, "positions", rule.max_positions, len(facts.symbols), Decimal(count)
        )
    if rule.max_order_qty is not None and trade is not None:
        text = f"Order size: {plain(trade.qty)} of {rule.max_order_qty} shares."
        yield _counted("PROP_ORDER_QTY", "Order size", text, "shares", rule.max_order_qty, 0, trade.qty)
    limit = _most_exposure(rule, facts.ledger)
    if limit is not None:
        after = facts.exposure + (trade.notional or ZERO if trade is not None else ZERO)
        text = f"Exposure: {usd(after)} of {usd(limit)}."
        yield _counted("PROP_EXPOSURE", "Exposure", text, "usd", limit, facts.exposure, after)


def _most_exposure(rule: Size, ledger: PropLedger) -> Decimal | None:
    if rule.max_exposure_pct is None:
        return None
    return (ledger.size * Decimal(str(rule.max_exposure_pct)) / 100).quantize(Decimal("0.01"))


def _counted(
    code: str, name: str, text: str, unit: str, limit: Decimal | int, now: Decimal | int, after: Decimal
) -> Meter:
    most = Decimal(limit)
    return Meter(
        code=code,
        name=name,
        verdict=Verdict.DENY if after > most else Verdict.PASS,
        text=text,
        unit=unit,
        limit=most,
        now=most - now,
        after_stop=most - after,
        after_all_stops=most - after,
    )


def _window(rule: Window, now: datetime) -> Meter:
    inside = is_inside(rule, now)
    hours = f"{rule.opens} to {rule.flat_by or rule.closes} {rule.zone}, {', '.join(rule.days)}"
    return Meter(
        code="PROP_WINDOW",
        name="Trading hours",
        verdict=Verdict.PASS if inside else Verdict.DENY,
        text=f"Entries are allowed from {hours}.",
        unit="time",
    )


def _progress(facts: PropFacts) -> Iterator[Meter]:
    """Rules that no stop-out breaks: how far the account is."""
    preset, ledger = facts.preset, facts.ledger
    if facts.balance is None:
        return
    profit = facts.balance - ledger.size
    if preset.profit_target is not None:
        target = preset.profit_target.of(ledger.size)
        is_reached = profit >= target
        stop = is_reached and preset.profit_target.stop_at_target
        text = f"Profit target: {usd(profit)} of {usd(target)}{', reached' if is_reached else ''}."
        yield Meter(
            code="PROP_TARGET",
            name="Profit target",
            verdict=Verdict.DENY if stop else Verdict.PASS,
            text=text,
            unit="usd",
            limit=target,
            now=target - profit,
        )
    if preset.consistency is not None:
        yield _consistency(facts, Decimal(str(preset.consistency.max_day_share_pct)), facts.balance)
    if preset.minimum_days is not None:
        done, wanted = ledger.traded_days, preset.minimum_days.days
        yield Meter(
            code="PROP_MINIMUM_DAYS",
            name="Minimum days",
            verdict=Verdict.PASS,
            text=f"Trading days: {done} of at least {wanted}.",
            unit="days",
            limit=Decimal(wanted),
            now=Decimal(max(0, wanted - done)),
        )


def _consistency(facts: PropFacts, most_pct: Decimal, balance: Decimal) -> Meter:
    """The best day's part in all profit. It warns: a payout is at stake, not the account."""
    gains = [day.balance - day.start_balance for day in facts.ledger.closed]
    if facts.ledger.day is not None:
        gains.append(balance - facts.ledger.day.start_balance)
    best, total = max(gains, default=ZERO), balance - facts.ledger.size
    share = best / total * 100 if total > 0 and best > 0 else None
    over = share is not None and share > most_pct
    if share is None:
        text = f"Consistency: no profit yet to share; the best day may be {plain(most_pct.normalize())} % of it."
    else:
        text = f"Consistency: the best day is {share.quantize(TENTH)} % of all profit, at most {most_pct:f} %."
    return Meter(
        code="PROP_CONSISTENCY",
        name="Consistency",
        verdict=Verdict.WARN if over else Verdict.PASS,
        text=text,
        unit="pct",
        limit=most_pct,
        now=None if share is None else (most_pct - share).quantize(TENTH),
    )
