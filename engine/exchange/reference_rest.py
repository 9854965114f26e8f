"""What is listed and when it trades: assets, clock and calendar, versions 2 and 3.

Source: Alpaca's trading-api specification (OpenAPI), 2026-06-24.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from engine.exchange.calls import Answer, Call
from engine.exchange.core import Exchange
from engine.exchange.errors import malformed, not_found
from engine.exchange.session import NEW_YORK, next_trading_day, trading_day, trading_days
from engine.exchange.wire import asset_json, new_york

_FIRST_CALENDAR_DAY: Final = date(2012, 1, 1)
_LAST_CALENDAR_DAY: Final = date(2029, 12, 31)
_NYSE: Final = {"acronym": "NYSE", "mic": "XNYS", "name": "New York Stock Exchange", "timezone": "America/New_York"}


class ReferenceEndpoints:
    """Assets, clock and calendar."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def assets(self, call: Call) -> Answer:
        query = call.query
        wanted, place = query.get("asset_class") or "us_equity", query.get("exchange")
        if query.get("status") == "inactive" or query.get("attributes"):
            return 200, []
        market = self._exchange.market
        return 200, [
            asset_json(asset, halted=market.is_halted(asset.symbol))
            for asset in market.assets
            if asset.asset_class == wanted and (not place or asset.exchange == place)
        ]

    def asset(self, call: Call) -> Answer:
        return self._asset(call.arguments[0])

    def pair(self, call: Call) -> Answer:
        return self._asset("/".join(call.arguments))

    def _asset(self, name: str) -> Answer:
        floor = self._exchange.floor
        asset = floor.asset(name if "-" in name else name.upper())
        return 200, asset_json(asset, halted=floor.market.is_halted(asset.symbol))

    def clock(self, _call: Call) -> Answer:
        now, session = self._exchange.floor.now(), self._exchange.floor.session
        return 200, {
            "timestamp": now.astimezone(NEW_YORK).isoformat(),
            "is_open": session.phase(now) == "core",
            "next_open": new_york(session.next_open(now)),
            "next_close": new_york(session.next_close(now)),
        }

    def calendar(self, call: Call) -> Answer:
        first, last = _span(call.query)
        return 200, [
            {
                "date": day.day.isoformat(),
                "open": f"{day.opens:%H:%M}",
                "close": f"{day.closes:%H:%M}",
                "session_open": f"{day.pre_opens:%H%M}",
                "session_close": f"{day.post_closes:%H%M}",
                "settlement_date": next_trading_day(day.day).day.isoformat(),
            }
            for day in trading_days(first, last)
        ]

    def clock_v3(self, _call: Call) -> Answer:
        now, session = self._exchange.floor.now(), self._exchange.floor.session
        phase, day = session.phase(now), session.day(now)
        until = {"closed": day.pre_opens, "pre": day.opens, "core": day.closes, "post": day.post_closes}[phase]
        return 200, {
            "clocks": [
                {
                    "market": _NYSE,
                    "timestamp": now.astimezone(NEW_YORK).isoformat(),
                    "is_market_day": phase == "core" or trading_day(now.astimezone(NEW_YORK).date()) is not None,
                    "next_market_open": new_york(session.next_open(now)),
                    "next_market_close": new_york(session.next_close(now)),
                    "phase": phase,
                    "phase_until": new_york(until),
                }
            ]
        }

    def calendar_v3(self, call: Call) -> Answer:
        if call.arguments[0] not in {"NYSE", "NASDAQ", "XNYS", "XNAS"}:
            raise not_found(f"market not found: {call.arguments[0]}")
        first, last = _span(call.query)
        return 200, {
            "market": _NYSE,
            "calendar": [
                {
                    "date": day.day.isoformat(),
                    "pre_start": new_york(day.pre_opens),
                    "pre_end": new_york(day.opens),
                    "core_start": new_york(day.opens),
                    "core_end": new_york(day.closes),
                    "post_start": new_york(day.closes),
                    "post_end": new_york(day.post_closes),
                    "settlement_date": next_trading_day(day.day).day.isoformat(),
                }
                for day in trading_days(first, last)
            ],
        }


def _span(query: dict[str, str]) -> tuple[date, date]:
    try:
        first = date.fromisoformat(query["start"][:10]) if query.get("start") else _FIRST_CALENDAR_DAY
        last = date.fromisoformat(query["end"][:10]) if query.get("end") else _LAST_CALENDAR_DAY
    except ValueError:
        raise malformed("invalid date") from None
    return max(first, _FIRST_CALENDAR_DAY), min(last, _LAST_CALENDAR_DAY)
