"""Is the order itself within reason: its price against the market, its stop, what it may win?"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from engine.model.money import plain, tick_of, whole_shares
from engine.model.signal import ExitSpec, Reason
from engine.model.symbols import is_coin
from engine.model.words import Side
from engine.rules.facts import Case, denied, passed, shown_pct, warned

HUNDREDTH: Final = Decimal("0.01")


def price_collar(case: Case) -> Reason | None:
    """A limit far through the market pays whatever the book holds up to it: a slipped digit, more often than a wish."""
    limit, seen = case.plan.limit_price, case.facts.quote
    side = case.signal.side
    touch = seen.touch(side.sign) if seen is not None else None
    allowed = case.facts.config.limits.price_collar_pct
    if limit is None or touch is None or allowed is None or case.plan.trigger_price is not None:
        return None
    allowed_pct = Decimal(str(allowed))
    exact = max((limit - touch) * side.sign / touch * 100, Decimal(0))
    through = shown_pct(exact, allowed_pct, HUNDREDTH)
    if exact > allowed_pct:
        name = "offer" if side is Side.BUY else "bid"
        text = f"The limit {plain(limit)} is {through} % through the {name} {plain(touch)}."
        return denied("PRICE_COLLAR", text, f"{through} %", f"{allowed_pct} %")
    return passed("PRICE_COLLAR", "The limit is near the market.", f"{through} %", f"{allowed_pct} %")


def spread(case: Case) -> Reason | None:
    allowed, seen = case.facts.config.limits.max_spread_pct, case.facts.quote
    if allowed is None or seen is None:
        return None
    allowed_pct = Decimal(str(allowed))
    if not seen.bid or not seen.ask:
        missing = "offer" if seen.bid else "bid"
        return denied("SPREAD", f"The spread is not known: there is no {missing}.", None, f"{allowed_pct} %")
    exact = (seen.ask - seen.bid) / ((seen.ask + seen.bid) / 2) * 100
    shown = shown_pct(exact, allowed_pct, HUNDREDTH)
    if exact > allowed_pct:
        text = f"Bid {plain(seen.bid)} and offer {plain(seen.ask)} are {shown} % apart."
        return denied("SPREAD", text, f"{shown} %", f"{allowed_pct} %")
    return passed("SPREAD", f"Bid and offer are {shown} % apart.", f"{shown} %", f"{allowed_pct} %")


def stop_not_too_near(case: Case) -> Reason | None:
    """A stop within the market's own noise is a fee, not a protection."""
    allowed, plan = case.facts.config.limits.min_stop_distance_pct, case.plan
    if allowed is None or plan.basis is None or plan.risk_per_share is None:
        return None
    allowed_pct = Decimal(str(allowed))
    exact = plan.risk_per_share / plan.basis * 100
    shown = exact.quantize(HUNDREDTH)
    if exact < allowed_pct:
        text = f"The stop is only {shown} % away."
        return denied("STOP_TOO_NEAR", text, f"{shown} %", f"{allowed_pct} %")
    return passed("STOP_TOO_NEAR", "The stop leaves the price room.", f"{shown} %", f"{allowed_pct} %")


def tick(case: Case) -> Reason:
    """A strategy's price between two ticks is rounded so that it costs no more; what is sent instead is told."""
    plan, entry = case.plan, case.signal.entry
    prices = (
        ("limit", entry.limit_price, plan.limit_price),
        ("trigger", entry.stop_price, plan.trigger_price),
        ("stop", _price_in(case.signal.stop_loss), plan.levels.stop_price),
        ("target", _price_in(case.signal.take_profit), plan.levels.take_profit_price),
    )
    moved = [(name, asked, sent) for name, asked, sent in prices if asked and sent and asked != sent]
    size = plain(tick_of(plan.basis)) if plan.basis is not None else None
    if not moved:
        return passed("TICK", "Every price is on the tick grid.", None, size)
    told = ", ".join(f"{name} {plain(asked)} → {plain(sent)}" for name, asked, sent in moved)
    return passed("TICK", f"Between two ticks: {told}.", ", ".join(plain(asked) for _, asked, _ in moved), size)


def _price_in(spec: ExitSpec | None) -> Decimal | None:
    """None of an exit that is given as a distance."""
    return spec.value if spec is not None and spec.unit == "price" and not spec.trails else None


def lot(case: Case) -> Reason | None:
    """Parts of a share are left out: no exit that outlives the day stands on them."""
    size, asset = case.signal.size, case.facts.asset
    if size is None or size.unit != "qty" or is_coin(case.signal.symbol):
        return None
    whole = whole_shares(size.value)
    if whole == size.value:
        return passed("LOT", f"{plain(size.value)} shares are whole ones.", plain(size.value), "1")
    in_parts = asset is None or asset.fractionable
    why = "exits stand on whole shares only" if in_parts else f"{case.signal.symbol} is not sold in parts"
    text = f"{plain(size.value)} were asked for, {plain(whole)} would be sent: {why}."
    return passed("LOT", text, plain(size.value), "1")


def coin(case: Case) -> Reason | None:
    """The broker takes single orders of a coin only: its stop follows the fill, and its target is watched here."""
    signal, plan = case.signal, case.plan
    if not is_coin(signal.symbol):
        return None
    cannot = (
        ("several targets", bool(signal.targets)),
        ("a trailing stop", plan.trail is not None),
        ("a held trigger", plan.trigger_price is not None),
    )
    lacking = [what for what, is_asked in cannot if is_asked]
    if lacking:
        text = f"The desk places no {' and no '.join(lacking)} for a coin: {signal.symbol}."
        return denied("COIN_EXITS", text.replace("no a ", "no "), signal.symbol)
    text = "A coin: stop-limit at the broker as soon as it is bought, not before; the target is watched by the desk."
    return warned("COIN_EXITS", text, signal.symbol)


RULES: Final = (price_collar, spread, stop_not_too_near, tick, lot, coin)
