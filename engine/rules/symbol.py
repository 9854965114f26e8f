"""May this symbol be entered: by the lists, while it trades, and without a wash trade?"""

from __future__ import annotations

from typing import Final

from engine.model.signal import Reason
from engine.rules.facts import Case, denied, passed


def lists(case: Case) -> Reason | None:
    """The desk's list and the strategy's both have to let it through; what is denied anywhere is denied."""
    symbol, config = case.signal.symbol, case.facts.config
    strategy = config.strategy(case.signal.strategy)
    for whose, rules in (("the desk", config.limits), (case.signal.strategy, strategy)):
        if symbol in rules.deny_symbols:
            return denied("SYMBOL_LIST", f"{symbol} is on the list of symbols that {whose} does not enter.", symbol)
        if rules.allow_symbols and symbol not in rules.allow_symbols:
            return denied("SYMBOL_LIST", f"{symbol} is not among the symbols that {whose} may enter.", symbol)
    if config.limits.allow_symbols or strategy.allow_symbols:
        return passed("SYMBOL_LIST", f"{symbol} is among the symbols that may be entered.", symbol)
    return None


def halted(case: Case) -> Reason | None:
    if not case.facts.halted:
        return None
    text = f"Trading in {case.signal.symbol} is halted: no stop works until it goes on."
    return denied("HALTED", text)


def wash_trade(case: Case) -> Reason | None:
    """Groups are exempt from the broker's check; an entry that goes out alone (extended hours) is not."""
    if not case.plan.extended:
        return None
    if case.facts.opposite_order is not None:
        text = f"{case.facts.opposite_order} rests on the other side: the broker would call this a wash trade."
        return denied("WASH_TRADE", text, case.facts.opposite_order)
    return passed("WASH_TRADE", "Nothing of ours rests on the other side.")


def cool_down(case: Case) -> Reason | None:
    """After a loss the next trade in the symbol, or of the strategy, waits."""
    facts, signal = case.facts, case.signal
    waits = (
        (signal.symbol, facts.config.limits.cool_down_s, facts.symbol_lost_at),
        (signal.strategy, facts.config.strategy(signal.strategy).cool_down_s, facts.strategy_lost_at),
    )
    if all(limit_s is None for _, limit_s, _ in waits):
        return None
    for name, limit_s, lost_at in waits:
        if limit_s is None or lost_at is None:
            continue
        since_s = (facts.now - lost_at).total_seconds()
        if since_s < limit_s:
            text = f"{name} lost {since_s:.0f} s ago and rests for {limit_s - since_s:.0f} s more."
            return denied("COOL_DOWN", text, f"{since_s:.0f} s", f"{limit_s:g} s")
    return passed("COOL_DOWN", "No loss that is too fresh.")


RULES: Final = (lists, halted, wash_trade, cool_down)
