"""Bars out of the tape: middle prices as they were seen, not trades. Their volume is zero."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.past.tape_file import TapeReader
from engine.views import BarView


def bars_from(tape: TapeReader, symbol: str, up_to: datetime, minutes: int, step: int = 1) -> list[BarView]:
    """Bars of ``step`` minutes over the last ``minutes``, oldest first, without those in which nothing was seen."""
    bars: dict[datetime, BarView] = {}
    # Days of every frame would be read for seconds; a price a minute is enough for longer bars.
    frames = tape.between if step == 1 else tape.keys
    for written_at, frame in frames(up_to - timedelta(minutes=minutes), up_to):
        prices = frame.prices.get(symbol)
        if prices is None:
            continue
        sides = [price for price in (prices.bid, prices.ask) if price is not None]
        middle = float(sum(sides) / len(sides)) if sides else float(prices.last or 0)
        if middle <= 0:
            continue
        minute = written_at.replace(minute=written_at.minute - written_at.minute % step, second=0, microsecond=0)
        bar = bars.get(minute)
        bars[minute] = BarView(
            at=minute,
            open=bar.open if bar else middle,
            high=max(bar.high, middle) if bar else middle,
            low=min(bar.low, middle) if bar else middle,
            close=middle,
            volume=0.0,
        )
    return list(bars.values())
