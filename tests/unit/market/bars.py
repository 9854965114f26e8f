"""A broker's daily bars for tests: it answers from a table, notes what it was asked, and can be out of reach."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from engine.alpaca.calls import Answer
from engine.alpaca.wire import Bar, Rows
from engine.errors import TerminalError
from engine.market.day import Day
from engine.rules.hours import NEW_YORK

TODAY: Final = date(2026, 8, 21)
"""The day of ``T0``."""


def days_of(returns: Collection[float], *, start: float = 100.0, last: date = TODAY - timedelta(days=1)) -> list[Day]:
    """Days, each a calendar day, whose closes have these log returns and whose range is one percent of the close."""
    prices = [start]
    for step in returns:
        prices.append(prices[-1] * math.exp(step))
    first = last - timedelta(days=len(prices) - 1)
    return [
        Day(first + timedelta(days=n), price * 1.005, price * 0.995, price, 1_000_000.0)
        for n, price in enumerate(prices)
    ]


class Bars:
    """The one call of the adapter that is used here."""

    def __init__(self, **series: list[Day]) -> None:
        self.series = series
        self.asked: list[tuple[tuple[str, ...], date, date]] = []
        """Symbols, first and last day of each request."""
        self.is_down = False

    async def daily_bars(
        self, symbols: Collection[str], start: datetime, end: datetime
    ) -> Answer[dict[str, Rows[Bar]]]:
        since, until = start.astimezone(NEW_YORK).date(), end.astimezone(NEW_YORK).date()
        self.asked.append((tuple(symbols), since, until))
        if self.is_down:
            raise TerminalError("The broker is out of reach.")
        found = {
            symbol: Rows(tuple(_bar(symbol, day) for day in self.series[symbol] if since <= day.day <= until), ())
            for symbol in symbols
            if symbol in self.series
        }
        return Answer(value=found, request_id="r1", status_code=200, sent_at_s=0.0, answered_at_s=0.0)


def _bar(symbol: str, day: Day) -> Bar:
    return Bar(
        symbol=symbol,
        open=Decimal(str(day.close)),
        high=Decimal(str(day.high)),
        low=Decimal(str(day.low)),
        close=Decimal(str(day.close)),
        volume=Decimal(str(day.volume)),
        at=datetime.combine(day.day, time(), NEW_YORK),
    )
