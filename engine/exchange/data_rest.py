"""The market data API, sans-IO: latest quotes and trades, snapshots and bars of stocks and coins.

Source: Alpaca's market-data-api specification (OpenAPI). Every feed name is taken; they all show the same market.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from engine.exchange.assets import Asset, find_asset
from engine.exchange.bars import Bar, fold, parse_timeframe
from engine.exchange.calls import DIRECTIONS, parse_time
from engine.exchange.core import Exchange
from engine.exchange.errors import Refusal, bad_request, not_found
from engine.exchange.requests import query_int
from engine.exchange.session import midnight_ns
from engine.exchange.wire import bar_json, quote_json, timestamp, trade_json

BARS_MAX: Final = 10_000
BARS_DEFAULT: Final = 1_000
_CORPORATE_ACTIONS: Final = "/v1/corporate-actions"
_PREFIXES: Final = ("/v2/stocks/", "/v1beta3/crypto/", _CORPORATE_ACTIONS)
_FEEDS: Final = frozenset({"iex", "sip", "delayed_sip", "boats", "overnight", "otc"})


class DataRest:
    """Answers GETs of market data."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._latest: dict[str, Callable[[Asset], Any]] = {
            "quotes": lambda asset: quote_json(exchange.quote(asset.symbol), asset),
            "trades": lambda asset: trade_json(exchange.trade(asset.symbol), asset),
            "bars": self._latest_bar,
        }

    @staticmethod
    def owns(path: str) -> bool:
        return path.startswith(_PREFIXES)

    def handle(self, method: str, path: str, query: Mapping[str, str]) -> Any:
        """The JSON value of the answer; raises ``Refusal``."""
        if method != "GET":
            raise Refusal(405, None, "method not allowed")
        if query.get("feed") and query["feed"] not in _FEEDS:
            raise bad_request(f"invalid feed: {query['feed']}")
        if path == _CORPORATE_ACTIONS:
            return {"corporate_actions": self._corporate_actions(query), "next_page_token": None}
        if path.startswith("/v1beta3/crypto/"):
            return self._crypto(path.split("/")[4:], query)
        return self._stocks(path.removeprefix("/v2/stocks/").split("/"), query)

    def _stocks(self, parts: list[str], query: Mapping[str, str]) -> Any:
        match parts:
            case ["snapshots"]:
                return {asset.symbol: self._snapshot(asset) for asset in self._assets(query)}
            case ["bars"]:
                return self._bars(self._assets(query), query, single=False)
            case ["quotes" | "trades" | "bars" as kind, "latest"]:
                return {kind: {asset.symbol: self._latest[kind](asset) for asset in self._assets(query)}}
            case [symbol, "snapshot"]:
                asset = self._asset(symbol)
                return {"symbol": asset.symbol, **self._snapshot(asset)}
            case [symbol, "bars"]:
                return self._bars([self._asset(symbol)], query, single=True)
            case [symbol, "quotes" | "trades" | "bars" as kind, "latest"]:
                asset = self._asset(symbol)
                return {"symbol": asset.symbol, kind[:-1]: self._latest[kind](asset)}
        raise not_found("endpoint not found")

    def _crypto(self, parts: list[str], query: Mapping[str, str]) -> Any:
        match parts:
            case ["bars"]:
                return self._bars(self._assets(query, coins=True), query, single=False)
            case ["snapshots"]:
                return {"snapshots": {asset.symbol: self._snapshot(asset) for asset in self._assets(query, coins=True)}}
            case ["latest", "orderbooks"]:
                return {"orderbooks": {asset.symbol: self._book(asset) for asset in self._assets(query, coins=True)}}
            case ["latest", "quotes" | "trades" | "bars" as kind]:
                return {kind: {asset.symbol: self._latest[kind](asset) for asset in self._assets(query, coins=True)}}
        raise not_found("endpoint not found")

    def _corporate_actions(self, query: Mapping[str, str]) -> dict[str, Any]:
        """From ``start`` (today by default) to ``end`` (for ever), by the day on which a share trades without it."""
        words = {name: {w for w in query.get(name, "").split(",") if w} for name in ("symbols", "types")}
        try:
            first = date.fromisoformat(query.get("start") or self._exchange.floor.now().date().isoformat())
            last = date.fromisoformat(query.get("end") or date.max.isoformat())
        except ValueError as error:
            raise bad_request(str(error)) from None
        return self._exchange.corporate.listing(words["symbols"], words["types"], first, last)

    # -- values -----------------------------------------------------------------------------------------------------

    def _asset(self, symbol: str) -> Asset:
        asset = find_asset(symbol.upper())
        if asset is None or asset.is_crypto or not self._exchange.market.lists(asset.symbol):
            raise not_found(f"symbol not found: {symbol}")
        return asset

    def _assets(self, query: Mapping[str, str], *, coins: bool = False) -> list[Asset]:
        """The listed ones among ``symbols``, in Alpaca's (alphabetical) order; unknown ones are left out."""
        names = sorted({name.strip().upper() for name in query.get("symbols", "").split(",") if name.strip()})
        if not names:
            raise bad_request("symbols is required")
        found = [asset for asset in map(find_asset, names) if asset is not None and asset.is_crypto is coins]
        return [asset for asset in found if self._exchange.market.lists(asset.symbol)]

    def _latest_bar(self, asset: Asset) -> Any:
        bar = self._exchange.market.latest_minute(asset.symbol)
        return None if bar is None else bar_json(bar, asset)

    def _book(self, asset: Asset) -> dict[str, Any]:
        """The book as deep as this market knows it: its best bid and offer."""
        quote = self._exchange.quote(asset.symbol)
        sides = {"b": (quote.bid, quote.bid_size), "a": (quote.ask, quote.ask_size)}
        return {"t": timestamp(quote.at_ns)} | {side: [{"p": p, "s": s}] for side, (p, s) in sides.items()}

    def _snapshot(self, asset: Asset) -> dict[str, Any]:
        market, symbol = self._exchange.market, asset.symbol
        bars = {
            "minuteBar": market.latest_minute(symbol),
            "dailyBar": market.today(symbol),
            "prevDailyBar": market.prev_day(symbol),
        }
        return {
            "latestTrade": trade_json(self._exchange.trade(symbol), asset),
            "latestQuote": quote_json(self._exchange.quote(symbol), asset),
            **{name: bar_json(bar, asset) for name, bar in bars.items() if bar is not None},
        }

    # -- bars -------------------------------------------------------------------------------------------------------

    def _bars(self, assets: list[Asset], query: Mapping[str, str], *, single: bool) -> dict[str, Any]:
        """Pages of bars: ``limit`` counts all symbols together, in alphabetical order."""
        count, unit = parse_timeframe(query.get("timeframe") or "")
        limit = query_int(query, "limit", BARS_DEFAULT, BARS_MAX, bad_request)
        first_ns, last_ns = self._span(query)
        if query.get("sort") and query["sort"] not in DIRECTIONS:
            raise bad_request(f"invalid sort: {query['sort']}")
        descending = query.get("sort") == "desc"
        from_symbol, from_ns = _decode_token(query.get("page_token"))
        pages: dict[str, list[dict[str, Any]]] = {}
        left, token = limit, None
        for asset in sorted(assets, key=lambda each: each.symbol):
            if from_symbol is not None and asset.symbol < from_symbol:
                continue
            bars = [bar for bar in self._series(asset.symbol, count, unit) if first_ns <= bar.start_ns <= last_ns]
            if descending:
                bars.reverse()
            if asset.symbol == from_symbol and from_ns is not None:
                bars = [bar for bar in bars if (bar.start_ns < from_ns if descending else bar.start_ns > from_ns)]
            if len(bars) > left:
                bars = bars[:left]
                token = _encode_token(asset.symbol, bars[-1].start_ns) if bars else _encode_token(asset.symbol, None)
            if bars:
                pages[asset.symbol] = [bar_json(bar, asset) for bar in bars]
            left -= len(bars)
            if token is not None:
                break
        if single:
            symbol = assets[0].symbol
            return {"bars": pages.get(symbol, []), "symbol": symbol, "next_page_token": token}
        return {"bars": pages, "next_page_token": token}

    def _span(self, query: Mapping[str, str]) -> tuple[int, int]:
        """``start`` defaults to the beginning of today in New York, ``end`` to now."""
        floor = self._exchange.floor
        last_ns = floor.now_ns()
        first_ns = midnight_ns((floor.now() - timedelta(hours=4)).date())
        try:
            if query.get("start"):
                first_ns = parse_time(query["start"].replace(" ", "+"), "start")
            if query.get("end"):
                last_ns = parse_time(query["end"].replace(" ", "+"), "end")
        except Refusal as refusal:
            raise bad_request(refusal.message) from None
        return first_ns, last_ns

    def _series(self, symbol: str, count: int, unit: str) -> list[Bar]:
        market = self._exchange.market
        if unit in {"Min", "Hour"}:
            minutes = market.minute_bars(symbol)
            return minutes if (count, unit) == (1, "Min") else fold(minutes, count, unit)
        days = market.daily_bars(symbol)
        return days if unit == "Day" else fold(days, count, unit)


def _encode_token(symbol: str, at_ns: int | None) -> str:
    """Alpaca's form: symbol, kind and the last bar's time, in base64."""
    return base64.b64encode(f"{symbol}|M|{'' if at_ns is None else timestamp(at_ns)}".encode()).decode()


def _decode_token(token: str | None) -> tuple[str | None, int | None]:
    if not token:
        return None, None
    try:
        symbol, _, at = base64.b64decode(token, validate=True).decode().split("|")
        return symbol, parse_time(at, "page_token") if at else None
    except (binascii.Error, UnicodeDecodeError, ValueError, Refusal):
        raise bad_request("invalid page_token") from None
