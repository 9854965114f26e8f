"""Several targets: the price and the whole shares of each, and whether the trade can be cut into that many parts.

Alpaca's order groups have one target each, so each target is a group of its own, all with the same stop.
"""

from __future__ import annotations

from decimal import Decimal

from engine.model.commands import ApprovedNumbers, Edits
from engine.model.money import ZERO, plain
from engine.model.signal import ExitSpec, Levels, Reason, Signal, resolve_target
from engine.model.targets import TargetPart, split_shares
from engine.rules.facts import Case, denied


def plan_targets(
    signal: Signal, edits: Edits, qty: Decimal, basis: Decimal | None, levels: Levels
) -> tuple[TargetPart, ...]:
    """Price and shares of each target of a signal that has several; empty without them, or when they cannot be placed.

    As they were approved, where they were: what is true now may cut the same shares differently.
    """
    if isinstance(edits, ApprovedNumbers) and edits.targets and sum((part.qty for part in edits.targets), ZERO) == qty:
        return edits.targets
    if not signal.targets:
        return ()
    exits = [target.exit for target in signal.targets]
    if "take_profit_price" in edits.changed() and edits.take_profit_price is not None:
        exits[0] = ExitSpec(unit="price", value=edits.take_profit_price)
    shares = split_shares(qty, [target.weight for target in signal.targets])
    prices = [_price(exit_, signal, basis, levels) for exit_ in exits]
    if shares is None or any(price is None for price in prices):
        return ()
    return tuple(
        TargetPart(price=price, qty=part) for price, part in zip(prices, shares, strict=True) if price is not None
    )


def _price(spec: ExitSpec, signal: Signal, basis: Decimal | None, levels: Levels) -> Decimal | None:
    if basis is None:
        return spec.value if spec.unit == "price" else None
    return resolve_target(spec, signal.side, basis, levels.stop_price)


def check_targets(case: Case) -> list[Reason]:
    """For a signal with several targets; the nearest one is judged as everybody's."""
    signal, plan = case.signal, case.plan
    if not signal.targets:
        return []
    if plan.qty < len(signal.targets):
        text = f"{plain(plan.qty)} shares cannot leave at {len(signal.targets)} targets: each needs a whole one."
        return [denied("TARGET_SHARES", text, plain(plan.qty), len(signal.targets))]
    if not plan.targets:
        return [denied("TARGET_SIDE", "A target cannot be placed.")]
    if plan.basis is None:
        return []
    wrong = [part.price for part in plan.targets[1:] if (part.price - plan.basis) * signal.side.sign <= 0]
    if wrong:
        text = f"The target {plain(wrong[0])} is not on the winning side of the entry {plain(plan.basis)}."
        return [denied("TARGET_SIDE", text, plain(wrong[0]), plain(plan.basis))]
    return []
