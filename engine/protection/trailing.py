"""Row of the decision for a trailing stop: it follows the best price seen in steps, and never comes back.

The broker's own trailing stop cannot be a leg of a group, so the desk moves the native stop by a PATCH. Each step is a
request: it waits until the stop gains enough of its distance, and until the last step is some seconds old. The best
price stands in the journal with each step, so that a restart trails on from there; while the desk is down, the stop
stays where it is at the broker.
"""

from __future__ import annotations

from decimal import Decimal

from engine.model.money import ceil_to_tick, floor_to_tick, plain, tick_of
from engine.model.words import Side
from engine.protection.case import AskMove, Case, Step
from engine.protection.moving import leaves_room


def trail_stop(case: Case) -> Step | None:
    bracket, cover, mark = case.bracket, case.cover, case.mark
    if bracket.trail is None or mark is None or bracket.moves_asked_at is not None or cover.entry_open:
        return None
    if cover.held == 0 or (cover.naked > 0 and bracket.watch_stop_since is None) or case.closed_market is not None:
        return None
    if bracket.trailed_at is not None and case.age_s(bracket.trailed_at) < case.trail_every_s:
        return None
    start = bracket.high_water or cover.avg_entry_price
    if start is None or (mark - start) * bracket.side.sign <= 0:
        return None
    stop = _behind(bracket.side, mark, bracket.trail.distance(mark))
    gained = (stop - bracket.stop_price) * bracket.side.sign
    step = max(tick_of(mark), bracket.trail.distance(mark) * Decimal(str(case.trail_step_pct)) / 100)
    if gained < step or not leaves_room(bracket.side, stop, mark):
        return None
    return AskMove(stop_price=stop, high_water=mark, reason=f"the stop trails {plain(mark)}")


def _behind(side: Side, price: Decimal, distance: Decimal) -> Decimal:
    """Rounded away from the market: never nearer than was asked."""
    return floor_to_tick(price - distance) if side is Side.BUY else ceil_to_tick(price + distance)
