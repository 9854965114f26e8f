"""Stage *position*: what is held or on its way in the symbol decides what the signal may mean."""

from __future__ import annotations

from engine.model.money import plain
from engine.model.signal import Reason
from engine.model.words import Intent, Side
from engine.rules.facts import Case, denied, passed


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
    opposes = held != 0 and (held > 0) is not (signal.side is Side.BUY)
    if signal.intent is None and (opposes or (held == 0 and signal.side is Side.SELL)):
        what = f"{plain(held)} are held" if held else "nothing is held"
        reasons.append(
            denied(
                "AMBIGUOUS",
                f"A {signal.side.value} without intent while {what}: the strategy must say open or close.",
            )
        )
    elif held != 0:
        reasons.append(denied("POSITION_EXISTS", f"{plain(held)} {signal.symbol} are held already.", plain(held), "0"))
    if not reasons:
        reasons.append(passed("POSITION", f"Nothing is held or on its way in {signal.symbol}."))
    return reasons


def check_close(case: Case) -> list[Reason]:
    """For a signal that closes: there must be something, on the other side, to close."""
    held, signal = case.facts.position_qty, case.signal
    if held == 0 or (held > 0) is (signal.side is Side.BUY):
        return [denied("NOTHING_TO_CLOSE", f"No {signal.symbol} is held that a {signal.side.value} would close.")]
    return [passed("POSITION", f"Closes {plain(abs(held))} {signal.symbol}.")]


def is_close(case: Case) -> bool:
    return case.signal.intent is Intent.CLOSE
