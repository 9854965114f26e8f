"""A mandate as it is asked for: its bounds, checked field by field. The window's form is read by the same rules."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Final

from aiohttp import web

from engine.book import NEW_YORK
from engine.intake import asking
from engine.intake.fields import Fields
from engine.intake.jsontext import refusal
from engine.model.mandate import MandateTerms
from engine.model.words import Side

DEFAULT_COUNT: Final = 20
LARGEST_COUNT: Final = 10_000
LONGEST_DAYS: Final = 30
FIELDS: Final = (
    "strategy",
    "symbols",
    "sides",
    "max_notional_each",
    "max_notional_day",
    "max_count",
    "max_loss_day",
    "until",
    "days",
    "note",
)
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


async def mandate_of(request: web.Request, now: datetime) -> MandateTerms:
    """Raises ``CommandRefused`` with the field's name."""
    return mandate_from(await asking.body_of(request, *FIELDS), now)


def mandate_from(fields: Fields, now: datetime) -> MandateTerms:
    """Raises ``CommandRefused`` with the field's name."""
    strategy = fields.label("strategy")
    if strategy is None:
        raise fields.missing("strategy")
    return MandateTerms(
        strategy=strategy,
        symbols=_symbols(fields),
        sides=_sides(fields),
        max_notional_each=_money(fields, "max_notional_each"),
        max_notional_day=_money(fields, "max_notional_day"),
        max_count=_whole(fields, "max_count", 1, LARGEST_COUNT, DEFAULT_COUNT),
        max_loss_day=fields.amount("max_loss_day"),
        until=_until(fields, now),
        days=_whole(fields, "days", 0, LONGEST_DAYS, 0),
        note=fields.text("note", longest=500) or "",
    )


def _symbols(fields: Fields) -> tuple[str, ...]:
    """Upper-cased; absent means every symbol of the strategy."""
    if "symbols" not in fields:
        return ()
    symbols = tuple(dict.fromkeys(name.upper() for name in fields.labels("symbols")))
    if not symbols:
        raise refusal("MISSING_FIELD", "symbols is empty; leave it out to mean every symbol", "symbols")
    for symbol in symbols:
        Fields({"symbols": symbol}).symbol("symbols")
    return symbols


def _sides(fields: Fields) -> tuple[Side, ...]:
    names = [name.lower() for name in fields.labels("sides")]
    if not names:
        raise fields.missing("sides", ": buy, sell or both")
    for name in names:
        if name not in set(Side):
            raise refusal("UNKNOWN_SIDE", f"sides holds {name[:40]!r}; it may hold buy and sell", "sides")
    return tuple(side for side in Side if side in names)


def _money(fields: Fields, name: str) -> Decimal:
    amount = fields.amount(name)
    if amount is None:
        raise fields.missing(name)
    return amount


def _whole(fields: Fields, name: str, least: int, most: int, default: int) -> int:
    number = fields.number(name)
    if number is None:
        return default
    if number != int(number) or not least <= number <= most:
        raise refusal("OUT_OF_RANGE", f"{name} must be a whole number from {least} to {most}, not {number}", name)
    return int(number)


def _until(fields: Fields, now: datetime) -> datetime:
    """``15:30`` is today in New York; anything else is a time with its zone."""
    text = fields.text("until")
    if text is None:
        raise fields.missing("until", ": 15:30 (today in New York) or a time such as 2026-08-21T19:30:00Z")
    if _CLOCK.fullmatch(text):
        today = now.astimezone(NEW_YORK).date()
        return datetime.combine(today, time.fromisoformat(text), NEW_YORK).astimezone(UTC)
    until = fields.time("until")
    assert until is not None
    return until
