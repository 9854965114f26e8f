"""The account as the broker last described it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in account currency."""

    account_number: str
    status: str
    equity: Decimal
    last_equity: Decimal
    cash: Decimal
    buying_power: Decimal
    multiplier: Decimal
    shorting_enabled: bool
    blocked: str | None
    """Why no order would be taken (``trading_blocked``, ``trade_suspended_by_user``, ...), else None."""
    suspended: bool = False
    """``suspend_trade`` is on: the broker takes no new order of anybody."""
    as_of: datetime
    """When the desk received it."""
    request_id: str | None = None
