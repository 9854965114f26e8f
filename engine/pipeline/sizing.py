"""Stage *size*: how many shares, and why that many.

A quantity that a strategy or a person named is taken as it is (whole shares or parts of a coin, rounded down) and
judged by the limits.
A quantity that the desk computes is also cut to what the limits and the buying power allow, and the cut is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from engine.model.money import ZERO, plain, usd
from engine.model.signal import Levels, Signal, SizeSpec
from engine.model.symbols import in_lots, is_coin
from engine.rules.facts import Facts
from engine.rules.prop_firm import prop_caps


class Wish(NamedTuple):
    """A size before any limit, in parts of a share, and why that much."""

    qty: Decimal
    why: str


def size_entry(
    signal: Signal, facts: Facts, basis: Decimal | None, levels: Levels, wanted: Decimal | None
) -> tuple[Decimal, str]:
    """Whole shares, or parts of a coin (0 when not even one lot fits) and the reason in a few words.

    ``basis`` is the expected entry price; ``wanted`` a person's own number, which wins over the signal's.
    """
    if wanted is not None:
        return _in_lots(signal, wanted, "your quantity")
    asked = signal.size
    if asked is not None and asked.unit == "qty":
        return _in_lots(signal, asked.value, "the signal's quantity")
    if basis is None or basis <= 0:
        return ZERO, "no price to size by"
    wish = _as_asked(asked, facts, basis, levels) if asked is not None else _by_method(signal, facts, basis, levels)
    if isinstance(wish, str):
        return ZERO, wish
    qty, why = in_lots(signal.symbol, wish.qty), wish.why
    for cap, name in (*_caps(facts, signal, basis), *prop_caps(facts, basis, levels.stop_price)):
        allowed = max(ZERO, in_lots(signal.symbol, cap))
        if allowed < qty:
            why, qty = f"limited by {name}: {plain(qty)} → {plain(allowed)}", allowed
    return qty, why


def _in_lots(signal: Signal, qty: Decimal, whose: str) -> tuple[Decimal, str]:
    sent, unit = in_lots(signal.symbol, qty), "nine places" if is_coin(signal.symbol) else "whole shares"
    return sent, whose if sent == qty else f"{whose} {plain(qty)}, in {unit}"


def _as_asked(asked: SizeSpec, facts: Facts, basis: Decimal, levels: Levels) -> Wish | str:
    """Text says what is missing."""
    if asked.unit == "notional":
        return _for_notional(asked.value, basis)
    if asked.unit == "risk_usd":
        return _for_risk(asked.value, f"risk {usd(asked.value)}", basis, levels)
    return _for_risk_pct(asked.value, facts, basis, levels)


def _by_method(signal: Signal, facts: Facts, basis: Decimal, levels: Levels) -> Wish | str:
    """The desk's own way for this strategy."""
    sizing = facts.config.sizing_of(signal.strategy)
    match sizing.method:
        case "qty":
            return Wish(Decimal(sizing.qty), f"fixed {sizing.qty}")
        case "notional":
            return _for_notional(Decimal(str(sizing.notional)), basis)
        case "risk_usd":
            risk = Decimal(str(sizing.risk_usd))
            return _for_risk(risk, f"risk {usd(risk)}", basis, levels)
        case "risk_pct":
            return _for_risk_pct(Decimal(str(sizing.risk_pct)), facts, basis, levels)
        case "atr":
            return _for_volatility(Decimal(str(sizing.target_vol_pct)), facts)


def _for_notional(amount: Decimal, basis: Decimal) -> Wish:
    return Wish(amount / basis, f"{usd(amount)} at {plain(basis)}")


def _for_risk_pct(share: Decimal, facts: Facts, basis: Decimal, levels: Levels) -> Wish | str:
    lacking = _no_distance(basis, levels)
    if lacking is not None:
        return lacking
    if facts.account is None:
        return "the account is not known yet"
    return _for_risk(facts.account.equity * share / 100, f"risk {plain(share)} %", basis, levels)


def _for_risk(risk: Decimal, words: str, basis: Decimal, levels: Levels) -> Wish | str:
    lacking = _no_distance(basis, levels)
    if lacking is not None:
        return lacking
    assert levels.stop_price is not None
    per_share = abs(basis - levels.stop_price)
    return Wish(risk / per_share, f"{words} over {plain(per_share)}")


def _no_distance(basis: Decimal, levels: Levels) -> str | None:
    if levels.stop_price is None:
        return "no stop to size the risk by"
    return "the stop is at the entry" if levels.stop_price == basis else None


def _for_volatility(target_pct: Decimal, facts: Facts) -> Wish | str:
    """As many shares as move the equity by the target on an average day, whatever the stop is."""
    if not facts.average_true_range:
        return "no daily bars to size the volatility by"
    if facts.account is None:
        return "the account is not known yet"
    swing = facts.account.equity * target_pct / 100
    why = f"{plain(target_pct)} % of equity over an ATR of {plain(facts.average_true_range)}"
    return Wish(swing / facts.average_true_range, why)


def _caps(facts: Facts, signal: Signal, basis: Decimal) -> Iterator[tuple[Decimal, str]]:
    """Largest share counts that the limits allow, each with the limit's name."""
    limits, account = facts.config.limits, facts.account
    if limits.max_order_qty is not None:
        yield Decimal(limits.max_order_qty), "the order limit"
    if limits.max_order_notional is not None:
        yield Decimal(str(limits.max_order_notional)) / basis, "the notional limit"
    if limits.max_adv_pct is not None:
        yield (facts.average_volume or ZERO) * Decimal(str(limits.max_adv_pct)) / 100, "average volume"
    if account is None:
        return
    if account.equity > 0:
        yield from ((room / basis, name) for room, name in _rooms(facts, signal, account.equity))
    yield (account.buying_power - facts.reserved) / basis, "buying power"


def _rooms(facts: Facts, signal: Signal, equity: Decimal) -> Iterator[tuple[Decimal, str]]:
    """What the exposure limits leave, in account currency."""
    limits, on = facts.config.limits, facts.exposures

    def part(pct: float) -> Decimal:
        return equity * Decimal(str(pct)) / 100

    yield part(limits.max_symbol_exposure_pct) - on.of_symbol(signal.symbol), "the symbol limit"
    if limits.max_gross_exposure_pct is not None:
        yield part(limits.max_gross_exposure_pct) - on.gross, "gross exposure"
    if limits.max_net_exposure_pct is not None:
        yield part(limits.max_net_exposure_pct) - on.net * signal.side.sign, "net exposure"
    own = facts.config.strategy(signal.strategy).max_exposure_pct
    if own is not None:
        yield part(own) - on.of_strategy(signal.strategy), "the strategy's limit"
