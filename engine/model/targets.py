"""Several targets of one trade: which part of it leaves where."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from engine.model.money import ZERO, whole_shares


class TargetPart(msgspec.Struct, frozen=True, kw_only=True):
    """So many shares leave at this price."""

    price: Decimal
    qty: Decimal


def split_shares(qty: Decimal, weights: Sequence[Decimal]) -> tuple[Decimal, ...] | None:
    """Whole shares for each of ``weights``, in proportion, at least one each, all of ``qty`` together.

    What rounding down leaves over goes to the largest remainders, the earlier of equals first. None when there are
    fewer whole shares than weights.
    """
    total = sum(weights, ZERO)
    if whole_shares(qty) < len(weights) or total <= 0:
        return None
    exact = [qty * weight / total for weight in weights]
    parts = [max(Decimal(1), whole_shares(share)) for share in exact]
    left = whole_shares(qty) - sum(parts, ZERO)
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    step = Decimal(1) if left > 0 else Decimal(-1)
    while left != 0:
        for i in by_remainder if left > 0 else reversed(by_remainder):
            if left != 0 and parts[i] + step >= 1:
                parts[i] += step
                left -= step
    return tuple(parts)
