"""Several targets in one signal: a list of exits, each with its number of shares or its share of the whole."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal

from engine.intake.exits import check_exits
from engine.intake.fields import Fields
from engine.intake.jsontext import refusal
from engine.model.money import ZERO
from engine.model.signal import EntrySpec, ExitSpec, SizeSpec, TargetSpec
from engine.model.words import Side

MOST_TARGETS: Final = 5
"""Each is an order group of its own: more would cost more requests than a trade is worth."""
ALL: Final = Decimal(1)


def target_list(
    fields: Fields, name: str, size: SizeSpec | None, read: Callable[[Fields], ExitSpec]
) -> tuple[TargetSpec, ...]:
    """The targets in a list, nearest first as sent; empty when the field holds no list of several.

    ``read`` gives the exit of one entry.

    Raises:
        CommandRefused: ``TOO_MANY_TARGETS``, ``TARGET_SHARES`` or what is wrong with one of them, with its path.
    """
    if not fields.is_list(name):
        return ()
    where = fields.where(name)
    groups = fields.groups(name)
    if not groups:
        raise refusal("MISSING_FIELD", f"{where} is an empty list", where)
    if len(groups) > MOST_TARGETS:
        raise refusal("TOO_MANY_TARGETS", f"{where} has {len(groups)} targets, {MOST_TARGETS} are allowed", where)
    unit: Literal["qty", "share"] = "qty" if "qty" in groups[0] else "share"
    targets = tuple(TargetSpec(exit=read(group), weight=_weight(group, unit), unit=unit) for group in groups)
    total = sum((target.weight for target in targets), ZERO)
    if unit == "share" and total != ALL:
        raise refusal("TARGET_SHARES", f"the shares of {where} make {total}, not 1", where)
    if unit == "qty" and size is not None and (size.unit != "qty" or size.value != total):
        text = f"the quantities of {where} make {total}, and qty asks for something else"
        raise refusal("TARGET_SHARES", text, where)
    return targets


def _weight(group: Fields, unit: str) -> Decimal:
    other = "share" if unit == "qty" else "qty"
    if other in group:
        text = f"{group.where(other)}: all targets say qty, or all say share"
        raise refusal("TARGET_SHARES", text, group.where(other))
    weight = group.amount(unit)
    if weight is None:
        raise group.missing(unit, "; give qty or share")
    if unit == "qty" and weight % 1 != 0:
        raise refusal("TARGET_SHARES", f"{group.where(unit)} must be whole shares, not {weight}", group.where(unit))
    return weight


def size_of_targets(size: SizeSpec | None, targets: tuple[TargetSpec, ...]) -> SizeSpec | None:
    """Targets in shares say the size themselves when the signal does not."""
    if size is not None or not targets or targets[0].unit == "share":
        return size
    return SizeSpec(unit="qty", value=sum((target.weight for target in targets), ZERO))


def check_targets(
    side: Side, entry: EntrySpec, stop: ExitSpec | None, targets: tuple[TargetSpec, ...], reference: Decimal | None
) -> None:
    """Each target on the winning side, and each further away than the one before it, as far as prices tell.

    Raises:
        CommandRefused: as ``check_exits``, and ``TARGET_ORDER``.
    """
    for number, target in enumerate(targets):
        check_exits(side, entry, stop, target.exit, reference)
        before = targets[number - 1].exit if number else None
        if before is None or before.unit != target.exit.unit:
            continue
        sign = side.sign if target.exit.unit == "price" else 1
        if (target.exit.value - before.value) * sign <= 0:
            field = f"take_profit[{number}]"
            raise refusal("TARGET_ORDER", f"{field} is not further away than the target before it", field)
