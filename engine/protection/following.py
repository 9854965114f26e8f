"""Row of the decision for exits that follow the fill: once the entry is whole, they go to where its price puts them.

The provisional ones, measured from the price before the entry, protect until then, and stay if the broker refuses the
move. Less than a tick is no move.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from engine.model.bracket import Bracket
from engine.model.money import tick_of
from engine.model.signal import ExitSpec, levels_of, resolve_target
from engine.model.targets import TargetPart
from engine.protection.case import AskMove, Case, Step

REASON = "the exits follow the fill"


def follow_fill(case: Case) -> Step | None:
    bracket, cover = case.bracket, case.cover
    average = cover.avg_entry_price
    if bracket.follow is None or bracket.followed_at is not None or bracket.moves_asked_at is not None:
        return None
    if cover.entry_open or cover.held == 0 or cover.naked > 0 or average is None:
        return None
    stop = bracket.stop_price
    if bracket.follow.stop is not None:
        stop = levels_of(bracket.side, bracket.follow.stop, None, average).stop_price or stop
    target = bracket.take_profit_price
    if bracket.follow.target is not None and target is not None:  # None: somebody has taken it away
        target = resolve_target(bracket.follow.target, bracket.side, average, stop) or target
    targets = _targets(bracket, average, stop)
    moved_stop = stop if _differs(stop, bracket.stop_price) else None
    moved_target = target if target is not None and _differs(target, bracket.take_profit_price) else None
    if targets == bracket.targets:
        targets = ()
    if moved_stop is None and moved_target is None and not targets:
        return None
    return AskMove(stop_price=moved_stop, take_profit_price=moved_target, targets=targets, reason=REASON)


def _targets(bracket: Bracket, average: Decimal, stop: Decimal) -> tuple[TargetPart, ...]:
    assert bracket.follow is not None
    exits: tuple[ExitSpec, ...] = bracket.follow.targets
    if len(exits) != len(bracket.targets):
        return bracket.targets
    prices = [resolve_target(exit_, bracket.side, average, stop) for exit_ in exits]
    return tuple(
        msgspec.structs.replace(part, price=price) if price is not None else part
        for part, price in zip(bracket.targets, prices, strict=True)
    )


def _differs(wanted: Decimal, known: Decimal | None) -> bool:
    return known is None or abs(wanted - known) >= tick_of(wanted)
