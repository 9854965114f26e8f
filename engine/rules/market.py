"""Do the market and the instrument allow the entry, and is the signal still true?"""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from engine.model.money import plain
from engine.model.signal import Reason
from engine.model.symbols import is_coin
from engine.model.words import OrderType, Side
from engine.rules.facts import Case, denied, passed, shown_pct, warned

CORPORATE_BEFORE: Final = timedelta(days=3)
"""A weekend lies between the last session and an ex-date on a Monday."""
NEW_YORK: Final = ZoneInfo("America/New_York")
TENTH: Final = Decimal("0.1")
HUNDREDTH: Final = Decimal("0.01")


def time_to_live(case: Case) -> Reason:
    left_s = (case.signal.expires_at - case.facts.now).total_seconds()
    if left_s <= 0:
        return denied("EXPIRED", "The signal has expired.", f"{left_s:.0f} s", "0 s")
    return passed("EXPIRED", "The signal is fresh.", f"{left_s:.0f} s left")


def session(case: Case) -> Reason:
    facts = case.facts
    allowed = facts.config.session.entries
    if is_coin(case.signal.symbol):
        return passed("SESSION", "Coins trade round the clock.")
    if facts.session_open:
        return passed("SESSION", "The core session is open.")
    if case.plan.extended:
        if case.plan.limit_price is None:
            return denied("EXTENDED_LIMIT", "Outside the core session only a limit entry is taken: type a limit.")
        text = "Extended hours: it may fill now, and no stop works at the broker: the desk watches it until the open."
        return warned("SESSION", text)
    if allowed == "any" or (allowed == "extended" and facts.extended_open):
        return warned("SESSION", "Outside the core session: entry and exits wait at the broker for its open.")
    if facts.session_open is None:
        return denied("SESSION", "The broker has not said whether the session is open.")
    return denied("SESSION", "The core session is closed.", "closed", allowed)


def asset(case: Case) -> Reason:
    known = case.facts.asset
    symbol = case.signal.symbol
    if known is None:
        why = "the broker cannot be reached" if case.facts.broker_unreachable else "it is being looked up"
        return denied("ASSET", f"{symbol} is not confirmed as an asset: {why}.")
    if not known.tradable:
        return denied("NOT_TRADABLE", f"{symbol} cannot be traded at the broker.")
    if case.signal.side is Side.SELL:
        account = case.facts.account
        if not known.shortable or (account is not None and not account.shorting_enabled):
            return denied("NOT_SHORTABLE", f"{symbol} cannot be sold short.")
        if not known.easy_to_borrow:
            return warned("NOT_SHORTABLE", f"{symbol} is hard to borrow: only day orders may be taken.")
    return passed("ASSET", f"{symbol} is tradable.")


def corporate_action(case: Case) -> Reason | None:
    """Around an ex-date a price is of another share than the exits that would go with it."""
    change = case.facts.corporate
    if change is None:
        return None
    today = case.facts.now.astimezone(NEW_YORK).date()
    if change.ex_date - today > CORPORATE_BEFORE or today > change.ex_date:
        return warned("CORPORATE_ACTION", f"{change.sentence}.", change.ex_date)
    return denied("CORPORATE_ACTION", f"{change.sentence}: no entries until it is over.", change.ex_date)


def quote(case: Case) -> Reason:
    seen = case.facts.quote
    limit_s = case.facts.config.quotes.max_age_s
    if seen is None or seen.touch(case.signal.side.sign) is None:
        return denied("NO_QUOTE", f"There is no quote of {case.signal.symbol}.")
    if seen.age_s > limit_s:
        return denied("STALE_QUOTE", f"The quote is {seen.age_s:.0f} s old.", f"{seen.age_s:.1f} s", f"{limit_s:.0f} s")
    return passed("STALE_QUOTE", "The quote is live.", f"{seen.age_s:.1f} s", f"{limit_s:.0f} s")


def entry_type(case: Case) -> Reason:
    kind, trigger = case.signal.entry.type, case.plan.trigger_price
    if trigger is not None:
        text = f"The desk waits for {plain(trigger)} and then sends entry and exits; nothing triggers while it is down."
        return passed("ENTRY_TYPE", text, kind.value)
    if kind in (OrderType.MARKET, OrderType.LIMIT):
        return passed("ENTRY_TYPE", f"A {kind.value} entry can carry its exits.")
    return denied("ENTRY_TYPE", f"A {kind.value} entry cannot carry its exits at Alpaca.", kind.value, "market, limit")


def trigger_ahead(case: Case) -> Reason | None:
    """Of an entry that the desk holds: its price must still be ahead."""
    at, seen, side = case.plan.trigger_price, case.facts.quote, case.signal.side
    live = seen.mark(side.sign) if seen else None
    if at is None or live is None:
        return None
    if (live - at) * side.sign >= 0:
        text = f"The price {plain(live)} is already beyond the trigger {plain(at)}: type a limit to enter now."
        return denied("TRIGGER_PASSED", text, plain(live), plain(at))
    return passed("TRIGGER_PASSED", f"The trigger {plain(at)} is ahead.", plain(live), plain(at))


def drift(case: Case) -> Reason | None:
    reference = case.signal.reference_price
    seen = case.facts.quote
    price = seen.touch(case.signal.side.sign) if seen else None
    if reference is None or price is None:
        return None
    exact = abs(price - reference) / reference * 100
    limit_pct = Decimal(str(case.facts.config.approval.max_drift_pct))
    moved_pct = shown_pct(exact, limit_pct, HUNDREDTH)
    if exact > limit_pct:
        return denied(
            "PRICE_DRIFT",
            f"The price moved {moved_pct} % since the signal ({plain(reference)} → {plain(price)}).",
            f"{moved_pct} %",
            f"{limit_pct} %",
        )
    return passed("PRICE_DRIFT", "The price is still the signal's.", f"{moved_pct} %", f"{limit_pct} %")


def stop(case: Case) -> Reason:
    """No entry without a stop, and none whose stop would trigger at once."""
    plan, side = case.plan, case.signal.side
    at = plan.levels.stop_price
    if at is None:
        return denied("NO_STOP", "The signal has no stop, and its strategy has no default one.")
    if plan.basis is None:
        return passed("STOP_SIDE", "The stop waits for a price to be measured against.")
    losing = plan.basis - at if side is Side.BUY else at - plan.basis
    if losing <= 0:
        return denied(
            "STOP_SIDE",
            f"The stop {plain(at)} is not on the losing side of the entry {plain(plan.basis)}.",
            plain(at),
            plain(plan.basis),
        )
    seen = case.facts.quote
    live = seen.mark(side.sign) if seen and plan.trigger_price is None else None
    if live is not None and (live <= at if side is Side.BUY else live >= at):
        return denied(
            "STOP_PASSED", f"The price {plain(live)} is already beyond the stop {plain(at)}.", plain(live), plain(at)
        )
    limit_pct = Decimal(str(case.facts.config.limits.max_stop_distance_pct))
    exact = losing / plan.basis * 100
    distance_pct = shown_pct(exact, limit_pct, HUNDREDTH)
    if exact > limit_pct:
        return denied("STOP_DISTANCE", f"The stop is {distance_pct} % away.", f"{distance_pct} %", f"{limit_pct} %")
    return passed("STOP_DISTANCE", f"The stop is {distance_pct} % away.", f"{distance_pct} %", f"{limit_pct} %")


def target(case: Case) -> Reason | None:
    plan, side = case.plan, case.signal.side
    at = plan.levels.take_profit_price
    if at is None:
        return None if case.signal.take_profit is None else denied("TARGET_SIDE", "The target cannot be placed.")
    if plan.basis is None:
        return None
    winning = at - plan.basis if side is Side.BUY else plan.basis - at
    if winning <= 0:
        return denied(
            "TARGET_SIDE",
            f"The target {plain(at)} is not on the winning side of the entry {plain(plan.basis)}.",
            plain(at),
            plain(plan.basis),
        )
    risk = plan.risk_per_share
    ratio = (winning / risk).quantize(TENTH) if risk else None
    wanted = case.facts.config.limits.min_reward_risk
    text = f"Reward is {ratio} times the risk." if ratio is not None else "The target is ahead."
    if wanted is not None and risk and winning / risk < Decimal(str(wanted)):
        # Cut, not rounded: what misses the limit by a hair must not read as if it met it.
        cut = (winning / risk).quantize(HUNDREDTH, rounding=ROUND_FLOOR)
        return denied("REWARD_RISK", f"Reward is only {cut} times the risk.", cut, wanted)
    return passed("REWARD_RISK", text, ratio, wanted)


RULES: Final = (time_to_live, session, asset, corporate_action, quote, entry_type, trigger_ahead, drift, stop, target)
