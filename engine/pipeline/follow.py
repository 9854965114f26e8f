"""Which exits of a signal are measured anew after its fill, and whether its stop trails.

A number that a person typed is a price and stays where it was typed.
"""

from __future__ import annotations

from decimal import Decimal

from engine.model.commands import Edits
from engine.model.follow import Follow, Trail
from engine.model.signal import ExitSpec, Signal


def follow_of(signal: Signal, edits: Edits) -> Follow | None:
    """For an entry at the market; ``signal`` is the strategy's own. None when every exit is a price."""
    typed = edits.changed()
    stop = _distance(signal.stop_loss) if "stop_price" not in typed else None
    target = _distance(signal.take_profit) if "take_profit_price" not in typed else None
    targets = tuple(spec.exit for spec in signal.targets) if "take_profit_price" not in typed else ()
    if targets:
        target = None
        targets = targets if any(exit_.unit != "price" for exit_ in targets) else ()
    if stop is None and target is None and not targets:
        return None
    return Follow(stop=stop, target=target, targets=targets)


def _distance(spec: ExitSpec | None) -> ExitSpec | None:
    return spec if spec is not None and spec.unit != "price" else None


def trail_of(signal: Signal, edits: Edits, basis: Decimal | None) -> Trail | None:
    """A stop that a person typed trails at the distance that was typed."""
    stop = signal.stop_loss
    if stop is None or not stop.trails or stop.unit not in ("percent", "amount"):
        return None
    if "stop_price" in edits.changed() and edits.stop_price is not None and basis is not None:
        return Trail(unit="amount", value=abs(basis - edits.stop_price))
    return Trail(unit=stop.unit, value=stop.value)
