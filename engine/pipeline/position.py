"""Stage *position*: what is held or on its way in the symbol decides what the signal may mean.

By default a held position refuses a further entry. A strategy may be allowed to add to it, up to a cap, with a trade
and exits of its own each time; or to reverse it: close first, and enter only when the broker shows nothing left.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from engine.model.money import ZERO, plain, usd
from engine.model.signal import Reason, Signal
from engine.model.words import Intent, Side
from engine.rules.facts import Case, Facts, denied, passed


def check_position(case: Case) -> list[Reason]:
    """Never two entries for one symbol at once, and never a guess whether a signal opens or closes."""
    facts, signal = case.facts, case.signal
    reasons = []
    if facts.entry_in_flight is not None:
        reasons.append(
            denied("ENTRY_IN_FLIGHT", f"{facts.entry_in_flight} already enters {signal.symbol}: one at a time.")
        )
    if facts.exit_in_flight is not None:
        # A stop whose cancel is stuck would fire against the new position.
        reasons.append(denied("EXIT_IN_FLIGHT", f"The exits of {facts.exit_in_flight} are not over yet."))
    held = facts.position_qty
    if signal.intent is None and (_opposes(signal, held) or (held == 0 and signal.side is Side.SELL)):
        what = f"{plain(held)} are held" if held else "nothing is held"
        reasons.append(
            denied(
                "AMBIGUOUS",
                f"A {signal.side.value} without intent while {what}: the strategy must say open or close.",
            )
        )
    elif held != 0:
        reasons.append(_by_policy(case))
    if not reasons:
        reasons.append(passed("POSITION", f"Nothing is held or on its way in {signal.symbol}."))
    return reasons


def _by_policy(case: Case) -> Reason:
    signal, facts = case.signal, case.facts
    policy = facts.config.strategy(signal.strategy).on_position
    held = plain(facts.position_qty)
    if policy != "refuse" and facts.unexplained_qty != 0:
        what = (
            f"{plain(facts.unexplained_qty)} {signal.symbol} are another hand's: nothing is added to them or reversed."
        )
        return denied("POSITION_FOREIGN", what, plain(facts.unexplained_qty), "0")
    if is_reversal(signal, facts):
        return passed("REVERSES", f"Closes {held} {signal.symbol} first, then enters the other way.", held)
    if policy == "add" and not _opposes(signal, facts.position_qty):
        return _add(case)
    return denied("POSITION_EXISTS", f"{held} {signal.symbol} are held already.", held, "0")


def _add(case: Case) -> Reason:
    """Counted are open trades: one that has closed makes room for another."""
    signal, facts, plan = case.signal, case.facts, case.plan
    rules = facts.config.strategy(signal.strategy)
    adds = facts.symbol_trades
    if adds > rules.max_adds:
        return denied("MAX_ADDS", f"This would be entry {adds + 1} in {signal.symbol}.", adds, rules.max_adds)
    cap = None if rules.max_position_notional is None else Decimal(str(rules.max_position_notional))
    if cap is not None and plan.notional is not None and plan.basis is not None:
        total = abs(facts.position_qty) * plan.basis + plan.notional
        if total > cap:
            text = f"The position would be {usd(total)}, more than {usd(cap)}."
            return denied("MAX_POSITION", text, usd(total), usd(cap))
    held = plain(facts.position_qty)
    return passed("ADDS", f"Adds to {held} {signal.symbol}, with exits of its own.", adds, rules.max_adds)


def is_reversal(signal: Signal, facts: Facts) -> bool:
    """Whether this entry turns a position of this desk round."""
    if signal.intent is not Intent.OPEN or not _opposes(signal, facts.position_qty) or facts.unexplained_qty != 0:
        return False
    return facts.config.strategy(signal.strategy).on_position == "reverse"


def without_the_closed(signal: Signal, facts: Facts) -> Facts:
    """The picture in which the entry of a reversal will be sent: its own symbol holds nothing then."""
    return msgspec.structs.replace(facts, exposures=facts.exposures.without(signal.symbol))


def _opposes(signal: Signal, held: Decimal) -> bool:
    return held != ZERO and (held > 0) is not (signal.side is Side.BUY)


def check_close(case: Case) -> list[Reason]:
    """For a signal that closes: there must be something, on the other side, to close."""
    held, signal = case.facts.position_qty, case.signal
    if held == 0 or (held > 0) is (signal.side is Side.BUY):
        return [denied("NOTHING_TO_CLOSE", f"No {signal.symbol} is held that a {signal.side.value} would close.")]
    return [passed("POSITION", f"Closes {plain(abs(held))} {signal.symbol}.")]


def is_close(case: Case) -> bool:
    return case.signal.intent is Intent.CLOSE
