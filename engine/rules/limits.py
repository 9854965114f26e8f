"""The limits of the configuration file: how much, how many, how often."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from engine.model.money import plain, usd
from engine.model.signal import Reason
from engine.model.symbols import COIN_LEAST_USD, is_coin
from engine.model.words import Verdict
from engine.rules.facts import Case, denied, passed, shown_pct

TENTH: Final = Decimal("0.1")
HUNDREDTH: Final = Decimal("0.01")


def quantity(case: Case) -> Reason:
    qty, unit = case.plan.qty, "coins" if is_coin(case.signal.symbol) else "shares"
    if qty <= 0:
        return denied("QTY_BELOW_MINIMUM", f"Nothing to send: {case.plan.size_reason}.", plain(qty), "1")
    value = case.plan.notional
    if is_coin(case.signal.symbol) and value is not None and value < COIN_LEAST_USD:
        text = f"{usd(value)} are less than the {usd(COIN_LEAST_USD)} that the broker takes of a coin."
        return denied("QTY_BELOW_MINIMUM", text, usd(value), usd(COIN_LEAST_USD))
    limit = case.facts.config.limits.max_order_qty
    if limit is not None and qty > limit:
        return denied("ORDER_QTY", f"{plain(qty)} {unit} exceed the limit of {limit}.", plain(qty), limit)
    return passed(
        "ORDER_QTY",
        f"{plain(qty)} {unit}: {case.plan.size_reason}.",
        plain(qty),
        limit,
    )


def notional(case: Case) -> Reason | None:
    limit = case.facts.config.limits.max_order_notional
    value = case.plan.notional
    if limit is None or value is None:
        return None
    allowed = Decimal(str(limit))
    if value > allowed:
        return denied("ORDER_NOTIONAL", f"{usd(value)} exceed the limit of {usd(allowed)}.", usd(value), usd(allowed))
    return passed("ORDER_NOTIONAL", f"{usd(value)} are within the limit.", usd(value), usd(allowed))


def share_of_volume(case: Case) -> Reason | None:
    """An order that is a large part of a day's trade moves the price against itself, and so will its exit."""
    limit, volume = case.facts.config.limits.max_adv_pct, case.facts.average_volume
    if limit is None:
        return None
    if not volume:
        text = f"The average volume of {case.signal.symbol} is not known."
        return denied("ADV_SHARE", text, None, f"{limit} %")
    allowed = Decimal(str(limit))
    exact = case.plan.qty / volume * 100
    shown = shown_pct(exact, allowed, HUNDREDTH)
    text = f"{plain(case.plan.qty)} shares are {shown} % of an average day's volume."
    verdict = denied if exact > allowed else passed
    return verdict("ADV_SHARE", text, f"{shown} %", f"{limit} %")


def buying_power(case: Case) -> Reason | None:
    account, value = case.facts.account, case.plan.notional
    if account is None or value is None:
        return None
    free = account.buying_power - case.facts.reserved
    if value > free:
        return denied(
            "BUYING_POWER", f"{usd(value)} exceed the free buying power of {usd(free)}.", usd(value), usd(free)
        )
    return passed("BUYING_POWER", f"Leaves {usd(free - value)} of buying power.", usd(value), usd(free))


def open_positions(case: Case) -> Reason | None:
    limit = case.facts.config.limits.max_open_positions
    if limit is None:
        return None
    symbols = case.facts.exposures.symbols | {case.signal.symbol}
    if len(symbols) > limit:
        return denied("OPEN_POSITIONS", f"This would be position {len(symbols)} of {limit}.", len(symbols), limit)
    return passed("OPEN_POSITIONS", f"Position {len(symbols)} of {limit}.", len(symbols), limit)


def symbol_exposure(case: Case) -> Reason | None:
    return _exposure_pct(
        case,
        "SYMBOL_EXPOSURE",
        case.facts.exposures.of_symbol(case.signal.symbol),
        Decimal(str(case.facts.config.limits.max_symbol_exposure_pct)),
        f"{case.signal.symbol} would be",
    )


def gross_exposure(case: Case) -> Reason | None:
    limit = case.facts.config.limits.max_gross_exposure_pct
    if limit is None:
        return None
    return _exposure_pct(
        case, "GROSS_EXPOSURE", case.facts.exposures.gross, Decimal(str(limit)), "All positions would be"
    )


def _exposure_pct(case: Case, code: str, others: Decimal, limit: Decimal, what: str) -> Reason | None:
    account, value = case.facts.account, case.plan.notional
    if account is None or value is None:
        return None
    if account.equity <= 0:
        return _of_nothing(code, account.equity, limit)
    exact = (others + value) / account.equity * 100
    pct = shown_pct(exact, limit, TENTH)
    text = f"{what} {pct} % of equity, limit {plain(limit.normalize())} %."
    verdict = denied if exact > limit else passed
    return verdict(code, text, f"{pct} %", f"{plain(limit.normalize())} %")


def _of_nothing(code: str, equity: Decimal, limit: Decimal) -> Reason:
    """A broker that leaves the equity out of its answer must not lift the limits that are measured by it."""
    text = f"The account's equity is {usd(equity)}: nothing is a small part of it."
    return Reason(
        code=code, text=text, verdict=Verdict.DENY, measured=usd(equity), limit=f"{plain(limit.normalize())} %"
    )


def orders_per_day(case: Case) -> Reason | None:
    limit = case.facts.config.limits.max_orders_per_day
    if limit is None:
        return None
    number = case.facts.orders_today + 1
    verdict = denied if number > limit else passed
    return verdict("ORDERS_PER_DAY", f"Entry {number} of {limit} today.", number, limit)


def signals_per_minute(case: Case) -> Reason | None:
    limit = case.facts.config.limits.max_signals_per_minute
    if limit is None:
        return None
    seen = case.facts.signals_last_minute
    verdict = denied if seen > limit else passed
    return verdict("SIGNALS_PER_MINUTE", f"{case.signal.source} sent {seen} signals in a minute.", seen, limit)


def net_exposure(case: Case) -> Reason | None:
    """Longs less shorts: a hedged book may be large gross and small net."""
    limit, account, value = case.facts.config.limits.max_net_exposure_pct, case.facts.account, case.plan.notional
    if limit is None or account is None or value is None:
        return None
    if account.equity <= 0:
        return _of_nothing("NET_EXPOSURE", account.equity, Decimal(str(limit)))
    net = case.facts.exposures.net + value * case.signal.side.sign
    allowed = Decimal(str(limit))
    exact = abs(net) / account.equity * 100
    shown = shown_pct(exact, allowed, TENTH)
    side = "long" if net >= 0 else "short"
    text = f"Net, the book would be {shown} % {side}."
    verdict = denied if exact > allowed else passed
    return verdict("NET_EXPOSURE", text, f"{shown} %", f"{allowed} %")


def strategy_exposure(case: Case) -> Reason | None:
    strategy = case.signal.strategy
    limit = case.facts.config.strategy(strategy).max_exposure_pct
    if limit is None:
        return None
    on = case.facts.exposures.of_strategy(strategy)
    return _exposure_pct(case, "STRATEGY_EXPOSURE", on, Decimal(str(limit)), f"{strategy} would be")


def working_orders(case: Case) -> Reason | None:
    limit = case.facts.config.limits.max_working_orders
    if limit is None:
        return None
    count = case.facts.working_orders + 1
    verdict = denied if count > limit else passed
    return verdict("WORKING_ORDERS", f"This would be entry {count} at work.", count, limit)


def rejects_in_a_row(case: Case) -> Reason | None:
    """A broker that refuses one entry after the other is telling something: ask why before sending the next."""
    limit, count = case.facts.config.limits.max_rejects_in_a_row, case.facts.rejects_in_a_row
    if limit is None:
        return None
    verdict = denied if count >= limit else passed
    return verdict("REJECTS_IN_A_ROW", f"The broker refused the last {count} entries.", count, limit)


RULES: Final = (
    quantity,
    notional,
    share_of_volume,
    buying_power,
    open_positions,
    symbol_exposure,
    gross_exposure,
    net_exposure,
    strategy_exposure,
    working_orders,
    orders_per_day,
    signals_per_minute,
    rejects_in_a_row,
)
