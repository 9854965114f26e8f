"""What comes with an operator's command: who gave it, and which numbers were changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from engine.model.targets import TargetPart

WINDOW: Final = "window"
"""Actor of everything done in the window; API calls carry the name of their token, mandates their own."""


NUMBERS: Final = ("qty", "limit_price", "stop_price", "take_profit_price")


class Edits(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers the person changed before approving; None keeps the proposed one."""

    qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    take_profit_price: Decimal | None = None

    def changed(self) -> tuple[str, ...]:
        """Names of the numbers that a person changed."""
        return tuple(name for name in NUMBERS if getattr(self, name) is not None)


class OrderChange(msgspec.Struct, frozen=True, kw_only=True):
    """What of an order at the broker is to be different; None leaves it."""

    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    qty: Decimal | None = None


class ApprovedNumbers(Edits, frozen=True, kw_only=True):
    """The numbers of an approval, which bind whatever the stages before the wire would say by now."""

    targets: tuple[TargetPart, ...] = ()
    typed: tuple[str, ...] = ()
    """Those that the person changed; the others are as they were proposed."""

    def changed(self) -> tuple[str, ...]:
        return self.typed


NO_EDITS: Final = Edits()


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of a second person with what the first one asks for."""

    name: str
    word: str = field(repr=False)
    """Theirs alone: it is compared, and stands in no log, journal or answer."""
