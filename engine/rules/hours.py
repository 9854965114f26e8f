"""When entries may go out within the session: not in its first and last minutes, and in a strategy's own windows."""

from __future__ import annotations

from datetime import time
from typing import Final
from zoneinfo import ZoneInfo

from engine.model.signal import Reason
from engine.model.symbols import is_coin
from engine.rules.facts import Case, denied, passed

NEW_YORK: Final = ZoneInfo("America/New_York")


def first_and_last_minutes(case: Case) -> Reason | None:
    rules, facts = case.facts.config.session, case.facts
    if is_coin(case.signal.symbol):
        return None
    if not (rules.skip_first_min or rules.skip_last_min) or not facts.session_open:
        return None
    since, left = facts.minutes_open, facts.minutes_left
    if rules.skip_first_min and since is not None and since < rules.skip_first_min:
        text = f"The session has been open for {since:.0f} min only."
        return denied("SESSION_EDGE", text, f"{since:.0f} min", f"{rules.skip_first_min:g} min")
    if rules.skip_first_min and since is None and not facts.calendar_read:
        text = "The calendar has not been read: nobody knows whether these are the session's first minutes."
        return denied("SESSION_EDGE", text, None, f"{rules.skip_first_min:g} min")
    if rules.skip_last_min and left is None:
        text = "The broker has not said when the session closes."
        return denied("SESSION_EDGE", text, None, f"{rules.skip_last_min:g} min")
    if rules.skip_last_min and left is not None and left < rules.skip_last_min:
        text = f"The session closes in {left:.0f} min."
        return denied("SESSION_EDGE", text, f"{left:.0f} min", f"{rules.skip_last_min:g} min")
    return passed("SESSION_EDGE", "Neither the first nor the last minutes of the session.")


def window(case: Case) -> Reason | None:
    """``09:45-11:30`` in New York's time, the end excluded."""
    windows = case.facts.config.strategy(case.signal.strategy).windows
    if not windows:
        return None
    now = case.facts.now.astimezone(NEW_YORK).time()
    shown, allowed = f"{now:%H:%M}", ", ".join(windows)
    if any(begin <= now < end for begin, end in map(window_of, windows)):
        return passed("WINDOW", f"It is {shown} in New York, within the strategy's hours.", shown, allowed)
    return denied("WINDOW", f"It is {shown} in New York, outside the strategy's hours.", shown, allowed)


def window_of(text: str) -> tuple[time, time]:
    """The two ends of ``HH:MM-HH:MM``. Raises ``ValueError``."""
    begin, _, end = text.partition("-")
    return time.fromisoformat(begin.strip()), time.fromisoformat(end.strip())


RULES: Final = (first_and_last_minutes, window)
