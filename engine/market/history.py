"""Bars for the chart, as floats: pictures, not prices to trade by."""

from __future__ import annotations

from datetime import timedelta

from engine.alpaca.client import AlpacaClient
from engine.alpaca.market_data import MinuteStep
from engine.clock import Clock
from engine.views import BarView


async def minute_bars(client: AlpacaClient, clock: Clock, symbol: str, minutes: int, step: MinuteStep) -> list[BarView]:
    """Bars of ``step`` minutes over the last ``minutes``, oldest first. Raises ``BrokerError``."""
    answer = await client.minute_bars([symbol], clock.now() - timedelta(minutes=minutes), step=step)
    rows = answer.value.get(symbol)
    return [
        BarView(
            at=bar.at,
            open=float(bar.open),
            high=float(bar.high),
            low=float(bar.low),
            close=float(bar.close),
            volume=float(bar.volume),
        )
        for bar in (rows.items if rows is not None else ())
    ]
