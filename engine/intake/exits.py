"""Whether a signal's prices agree among themselves. The market's price plays no part here: that is the gate's."""

from __future__ import annotations

from decimal import Decimal

from engine.intake.jsontext import refusal
from engine.model.money import ZERO
from engine.model.signal import EntrySpec, ExitSpec
from engine.model.words import Side


def check_exits(
    side: Side, entry: EntrySpec, stop: ExitSpec | None, target: ExitSpec | None, reference: Decimal | None
) -> None:
    """Stop on the losing side, target on the winning side, of the price that the signal itself enters at.

    That price is the entry's limit, else its trigger, else ``reference``; without any, the exits are compared with each
    other.

    Raises:
        CommandRefused: ``STOP_ON_WRONG_SIDE``, ``TARGET_ON_WRONG_SIDE`` or ``OUT_OF_RANGE``, with the field.
    """
    basis = entry.limit_price or entry.stop_price or reference
    _check_distance(stop, "stop_loss", lies_below=side is Side.BUY, basis=basis)
    _check_distance(target, "take_profit", lies_below=side is Side.SELL, basis=basis)
    stop_price = _price(stop)
    target_price = _price(target)
    way = "below" if side is Side.BUY else "above"
    other_way = "above" if side is Side.BUY else "below"
    if stop_price is not None and basis is not None and not _is_ahead(side, basis, stop_price):
        text = f"the stop of a {side} must be {way} its entry: {stop_price} is not {way} {basis}"
        raise refusal("STOP_ON_WRONG_SIDE", text, "stop_loss.stop_price")
    if target_price is not None and basis is not None and not _is_ahead(side, target_price, basis):
        text = f"the target of a {side} must be {other_way} its entry: {target_price} is not {other_way} {basis}"
        raise refusal("TARGET_ON_WRONG_SIDE", text, "take_profit.limit_price")
    if stop_price is not None and target_price is not None and not _is_ahead(side, target_price, stop_price):
        text = f"the stop of a {side} must be {way} its target: {stop_price} is not {way} {target_price}"
        raise refusal("STOP_ON_WRONG_SIDE", text, "stop_loss.stop_price")
    stop_limit = stop.limit_price if stop is not None else None
    # A sell stop's limit is at or below it, a buy stop's at or above: else it cannot fill where it triggers.
    if stop_price is not None and stop_limit is not None and _is_ahead(side, stop_limit, stop_price):
        text = f"the stop's limit must lie at the stop or behind it: {stop_limit} is before {stop_price}"
        raise refusal("STOP_ON_WRONG_SIDE", text, "stop_loss.limit_price")


def _is_ahead(side: Side, better: Decimal, worse: Decimal) -> bool:
    """Whether ``better`` is strictly further in the direction that a trade on ``side`` earns in."""
    return (better - worse) * side.sign > ZERO


def _price(spec: ExitSpec | None) -> Decimal | None:
    return spec.value if spec is not None and spec.unit == "price" else None


def _check_distance(spec: ExitSpec | None, name: str, *, lies_below: bool, basis: Decimal | None) -> None:
    """A distance downward must leave a price above zero."""
    if spec is None or not lies_below:
        return
    if spec.unit == "percent" and spec.value >= 100:
        raise refusal("OUT_OF_RANGE", f"{name}.percent must be below 100, not {spec.value}", f"{name}.percent")
    if spec.unit == "amount" and basis is not None and spec.value >= basis:
        raise refusal(
            "OUT_OF_RANGE", f"{name}.amount must be below the entry's {basis}, not {spec.value}", f"{name}.amount"
        )
