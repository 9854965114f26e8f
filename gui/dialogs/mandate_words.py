"""A mandate as one sentence, the same before it is given and while it stands."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from engine.model.words import Side
from gui import formatting as say

_SIDES: Final = {
    (Side.BUY,): "longs",
    (Side.SELL,): "shorts",
    (Side.BUY, Side.SELL): "longs and shorts",
}

_DAY_S: Final = 86_400.0


class Bounds(Protocol):
    """What a mandate's form and a standing mandate have in common."""

    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def sides(self) -> tuple[Side, ...]: ...
    @property
    def max_notional_each(self) -> Decimal: ...
    @property
    def max_notional_day(self) -> Decimal: ...
    @property
    def max_count(self) -> int: ...
    @property
    def max_loss_day(self) -> Decimal | None: ...
    @property
    def until(self) -> datetime: ...


def scope_words(mandate: Bounds, now: datetime) -> str:
    """``longs in AAPL, MSFT · at most $5,000 each · until 15:30 ET, in 2:14:05``."""
    names = ", ".join(mandate.symbols) if mandate.symbols else "every symbol"
    sides = _SIDES[tuple(side for side in Side if side in mandate.sides)]
    until = f"until {_day_and_time(mandate.until, now)}"
    left_s = (mandate.until - now).total_seconds()
    if left_s <= 0:
        until += ", which is over"
    elif left_s < _DAY_S:
        until += f", in {say.countdown(left_s)}"
    return f"{sides} in {names} · at most {say.money(mandate.max_notional_each)} each · {until}"


def bounds_words(mandate: Bounds, now: datetime) -> str:
    """``scope_words`` with the bounds that burn down."""
    more = [f"{say.money(mandate.max_notional_day)} a day", f"{say.plural(mandate.max_count, 'approval')} in all"]
    if mandate.max_loss_day is not None:
        more.append(f"{say.money(mandate.max_loss_day)} lost and at risk in a day")
    return f"{scope_words(mandate, now)} · {', '.join(more)}"


def names_of(text: str) -> list[str]:
    """Symbols as a person types them: apart by commas, semicolons or blanks."""
    return text.replace(",", " ").replace(";", " ").split()


def share(used: Decimal | int, bound: Decimal | int) -> float:
    """Of a bound that is used."""
    return float(used / bound) if bound else 1.0


def _day_and_time(at: datetime, now: datetime) -> str:
    local, today = at.astimezone(say.MARKET_TIME), now.astimezone(say.MARKET_TIME).date()
    return f"{local:%H:%M} ET" if local.date() == today else f"{local:%a %d %b, %H:%M} ET"
