"""Stage *size*: how many shares, and why that many.

A quantity that a strategy or a person named is taken as it is (whole shares, rounded down) and judged by the limits.
A quantity that the desk computes is also cut to what the limits and the buying power allow, and the cut is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from engine.model.money import ZERO, plain, usd, whole_shares
from engine.model.signal import Levels, Signal, SizeSpec
from engine.rules.facts import Facts
from engine.rules.prop_firm import prop_caps


def size_entry(
    signal: Signal, facts: Facts, basis: Decimal | None, levels: Levels, wanted: Decimal | None
) -> tuple[Decimal, str]:
    """Whole shares (0 when not even one fits) and the reason in a few words.

    ``basis`` is the expected entry price; ``wanted`` a person's own number, which wins over the signal's.
    """
    if wanted is not None:
        return _whole(wanted, "your quantity")
    asked = signal.size
    if asked is not None and asked.unit == "qty":
        return _whole(asked.value, "the signal's quantity")
    if basis is None or basis <= 0:
        return ZERO, "no price to size by"
    computed = _by_rule(asked, facts, basis, levels)
    if isinstance(computed, str):
        return ZERO, computed
    raw, why = computed
    qty = whole_shares(raw)
    caps = (*_caps(facts, signal.symbol, basis), *prop_caps(facts, basis, levels.stop_price))
    for cap, name in caps:
        allowed = max(ZERO, whole_shares(cap))
        if allowed < qty:
            why, qty = f"limited by {name}: {plain(qty)} → {plain(allowed)}", allowed
    return qty, why


def _whole(qty: Decimal, whose: str) -> tuple[Decimal, str]:
    whole = whole_shares(qty)
    return whole, whose if whole == qty else f"{whose} {plain(qty)}, in whole shares"


def _by_rule(asked: SizeSpec | None, facts: Facts, basis: Decimal, levels: Levels) -> tuple[Decimal, str] | str:
    sizing = facts.config.sizing
    if asked is None and sizing.method == "qty":
        return Decimal(sizing.qty), f"fixed {sizing.qty}"
    if asked is not None and asked.unit == "notional":
        return asked.value / basis, f"{usd(asked.value)} at {plain(basis)}"
    if levels.stop_price is None:
        return "no stop to size the risk by"
    per_share = abs(basis - levels.stop_price)
    if per_share == 0:
        return "the stop is at the entry"
    if asked is not None and asked.unit == "risk_usd":
        return asked.value / per_share, f"risk {usd(asked.value)} over {plain(per_share)}"
    if facts.account is None:
        return "the account is not known yet"
    share = asked.value if asked is not None else Decimal(str(sizing.risk_pct))
    risk = facts.account.equity * share / 100
    return risk / per_share, f"risk {plain(share)} % over {plain(per_share)}"


def _caps(facts: Facts, symbol: str, basis: Decimal) -> Iterator[tuple[Decimal, str]]:
    """Largest share counts that the limits allow, each with the limit's name."""
    limits, account = facts.config.limits, facts.account
    if limits.max_order_qty is not None:
        yield Decimal(limits.max_order_qty), "the order limit"
    if limits.max_order_notional is not None:
        yield Decimal(str(limits.max_order_notional)) / basis, "the notional limit"
    if account is None:
        return
    if account.equity > 0:
        in_symbol = sum((e.notional for e in facts.exposures if e.symbol == symbol), ZERO)
        room = account.equity * Decimal(str(limits.max_symbol_exposure_pct)) / 100 - in_symbol
        yield room / basis, "the symbol limit"
        if limits.max_gross_exposure_pct is not None:
            gross = sum((e.notional for e in facts.exposures), ZERO)
            yield (account.equity * Decimal(str(limits.max_gross_exposure_pct)) / 100 - gross) / basis, "gross exposure"
    yield (account.buying_power - facts.reserved) / basis, "buying power"
