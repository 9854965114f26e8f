"""A firm's rules as data: the schema of the files in ``resources/prop_firm``.

Amounts are in account currency, or in percent of the account's size; exactly one of the two is given for each rule.
A rule that the file leaves out does not exist.
"""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

Usd = Annotated[float, Meta(gt=0, le=1e12)]
Percent = Annotated[float, Meta(gt=0, le=100)]
ClockTime = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""``HH:MM``."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables of a preset."""


class Amount(Table, frozen=True, kw_only=True):
    """Money: ``usd``, or ``pct`` of the account's size."""

    usd: Usd | None = None
    pct: Percent | None = None

    def of(self, size: Decimal) -> Decimal:
        """In account currency, to the cent."""
        if self.usd is not None:
            return Decimal(str(self.usd))
        assert self.pct is not None, "the loader lets only one of both through"
        return (size * Decimal(str(self.pct)) / 100).quantize(Decimal("0.01"))


class Reset(Table, frozen=True, kw_only=True):
    """When the firm's day begins, on the wall clock of its zone."""

    time: ClockTime = "17:00"
    zone: str = "America/New_York"


class Drawdown(Amount, frozen=True, kw_only=True):
    """How far equity may fall.

    ``static`` counts from the account's size for ever. ``trailing_intraday`` counts from the highest equity ever seen,
    ``trailing_end_of_day`` from the highest balance at any day's end.
    """

    kind: Literal["static", "trailing_intraday", "trailing_end_of_day"]
    lock_in_usd: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    """A trailing floor stops rising once it stands this far above the account's size; absent: it never stops."""


class DailyLoss(Amount, frozen=True, kw_only=True):
    basis: Literal["balance", "equity", "higher"]
    """What the day's loss is counted from: balance or equity at the reset, or the higher of both."""


class ProfitTarget(Amount, frozen=True, kw_only=True):
    stop_at_target: bool = False
    """No further entries once it is reached."""


class Consistency(Table, frozen=True, kw_only=True):
    max_day_share_pct: Percent
    """The best day's part in all profit."""


class MinimumDays(Table, frozen=True, kw_only=True):
    days: Annotated[int, Meta(ge=1, le=366)]
    """Days with at least one fill."""


class Size(Table, frozen=True, kw_only=True):
    max_positions: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    max_order_qty: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    max_exposure_pct: Annotated[float, Meta(gt=0, le=10_000)] | None = None
    """All positions and entries together, in percent of the account's size."""


class Window(Table, frozen=True, kw_only=True):
    """When entries are allowed, and by when everything has to be closed."""

    opens: ClockTime
    closes: ClockTime
    zone: str = "America/New_York"
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    flat_by: ClockTime | None = None
    """The desk closes all positions then; absent: they may be held."""


class Preset(Table, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    about: str = ""
    account_size: Usd | None = None
    """What percentages and a static floor are counted from; absent: the equity when the ledger was begun."""
    reset: Reset = Reset()
    drawdown: Drawdown | None = None
    daily_loss: DailyLoss | None = None
    profit_target: ProfitTarget | None = None
    consistency: Consistency | None = None
    minimum_days: MinimumDays | None = None
    size: Size | None = None
    window: Window | None = None


def clock_time(text: str) -> time:
    return time.fromisoformat(text)


def zone_of(name: str) -> ZoneInfo:
    """Raises ``KeyError`` (``ZoneInfoNotFoundError``) or ``ValueError`` for a name that is no time zone."""
    return ZoneInfo(name)
