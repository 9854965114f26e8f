"""Stage *validate*: all rules of the gate, each with its verdict. None is skipped after a deny: show them all."""

from __future__ import annotations

from typing import Final

from engine.model.signal import Reason
from engine.model.words import Verdict
from engine.rules import desk, hours, limits, market, order, symbol
from engine.rules.facts import Case

RULES: Final = (*desk.RULES, *market.RULES, *hours.RULES, *symbol.RULES, *order.RULES, *limits.RULES)

_ORDER: Final = {Verdict.DENY: 0, Verdict.WARN: 1, Verdict.PASS: 2}


def validate(case: Case) -> list[Reason]:
    verdicts = (rule(case) for rule in RULES)
    return [verdict for verdict in verdicts if verdict is not None]


def denies_first(reasons: list[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda reason: _ORDER[reason.verdict]))
