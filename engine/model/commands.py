"""What comes with an operator's command: who gave it, and which numbers were changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

WINDOW: Final = "window"
"""Actor of everything done in the window; API calls carry the name of their token, mandates their own."""


class Edits(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers the person changed before approving; None keeps the proposed one."""

    qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    take_profit_price: Decimal | None = None

    def changed(self) -> tuple[str, ...]:
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) is not None)


NO_EDITS: Final = Edits()
