"""Prices over REST: latest quotes, snapshots and bars, in batches of symbols, always from the feed that was chosen.

Market data has a host, a budget and a subscription of its own. Without a paid subscription the feed is ``iex``, some
2.5 % of the volume: its quotes can be old or wide, so each carries its time, and the caller judges its age.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from engine.alpaca.budget import Lane
from engine.alpaca.calls import READ_DEADLINE_S, Answer, Caller, Request, params_from
from engine.alpaca.errors import Purpose, Verb
from engine.alpaca.reading import (
    Malformed,
    Rows,
    Unreadable,
    decode,
    decode_object,
    read,
    split_map,
    split_rows,
    unreadable_from,
)
from engine.alpaca.wire import Bar, Quote, Snapshot, Trade, read_snapshot
from engine.clock import Clock

MAX_SYMBOLS: Final = 500
"""A request; keeps the address within what gateways accept."""
BARS_PER_PAGE: Final = 10_000
"""The broker's maximum, counted over all symbols together."""
MAX_PAGES: Final = 100
ROWS_PER_STEP: Final = 200
"""Rows that are parsed before the loop gets its turn (about 1 ms)."""

type Adjustment = Literal["raw", "split", "dividend", "all"]


class MarketDataCalls:
    """The market-data half of ``AlpacaClient``."""

    def __init__(self, data: Caller, feed: str, clock: Clock) -> None:
        self._data = data
        self._clock = clock
        self._feed = feed

    async def latest_quotes(
        self, symbols: Collection[str], *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S
    ) -> Answer[Rows[Quote]]:
        """The last quote of each symbol that has one; the others are missing."""
        return await self._by_symbol("/v2/stocks/quotes/latest", "quotes", Quote, symbols, lane, deadline_s)

    async def latest_trades(
        self, symbols: Collection[str], *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S
    ) -> Answer[Rows[Trade]]:
        """The last print of each symbol that has one; the others are missing."""
        return await self._by_symbol("/v2/stocks/trades/latest", "trades", Trade, symbols, lane, deadline_s)

    async def snapshots(
        self, symbols: Collection[str], *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S
    ) -> Answer[Rows[Snapshot]]:
        """Latest trade, quote, minute and daily bars of each known symbol."""
        request = self._request("/v2/stocks/snapshots", {"symbols": _list(symbols)}, lane, deadline_s)

        def snapshots_from(body: bytes) -> Rows[Snapshot]:
            items: list[Snapshot] = []
            unreadable: list[Unreadable] = []
            for symbol, raw in split_map(body).items():
                try:
                    if bytes(raw) != b"null":
                        items.append(read_snapshot(symbol, decode_object(bytes(raw))))
                except Malformed as error:
                    unreadable.append(unreadable_from(bytes(raw), f"{symbol}: {error}"))
            return Rows(tuple(items), tuple(unreadable))

        return await self._data.call(request, snapshots_from)

    async def daily_bars(
        self,
        symbols: Collection[str],
        start: datetime,
        end: datetime | None = None,
        *,
        adjustment: Adjustment = "all",
        lane: Lane = Lane.READ,
        deadline_s: float = READ_DEADLINE_S,
    ) -> Answer[dict[str, Rows[Bar]]]:
        """All daily bars since ``start``, oldest first, by symbol; adjusted for splits and dividends by default.

        Several requests where one page doesn't hold them; the answer's evidence is the last one's.
        """
        return await self._bars("1Day", symbols, start, end, adjustment, lane, deadline_s)

    async def minute_bars(
        self,
        symbols: Collection[str],
        start: datetime,
        end: datetime | None = None,
        *,
        adjustment: Adjustment = "raw",
        lane: Lane = Lane.READ,
        deadline_s: float = READ_DEADLINE_S,
    ) -> Answer[dict[str, Rows[Bar]]]:
        """All one-minute bars since ``start``, oldest first, by symbol. See ``daily_bars``."""
        return await self._bars("1Min", symbols, start, end, adjustment, lane, deadline_s)

    async def _by_symbol[T: msgspec.Struct](
        self, path: str, key: str, kind: type[T], symbols: Collection[str], lane: Lane, deadline_s: float
    ) -> Answer[Rows[T]]:
        request = self._request(path, {"symbols": _list(symbols)}, lane, deadline_s)

        def rows_from(body: bytes) -> Rows[T]:
            items: list[T] = []
            unreadable: list[Unreadable] = []
            for symbol, raw in split_map(_member(body, key)).items():
                _read_into(items, unreadable, kind, symbol, raw)
            return Rows(tuple(items), tuple(unreadable))

        return await self._data.call(request, rows_from)

    async def _bars(
        self,
        timeframe: str,
        symbols: Collection[str],
        start: datetime,
        end: datetime | None,
        adjustment: Adjustment,
        lane: Lane,
        deadline_s: float,
    ) -> Answer[dict[str, Rows[Bar]]]:
        items: dict[str, list[Bar]] = {}
        unreadable: dict[str, list[Unreadable]] = {}
        page_token: str | None = None
        for _ in range(MAX_PAGES):
            params = params_from(
                symbols=_list(symbols),
                timeframe=timeframe,
                start=start,
                end=end,
                limit=BARS_PER_PAGE,
                adjustment=adjustment,
                sort="asc",
                page_token=page_token,
            )
            request = self._request("/v2/stocks/bars", params, lane, deadline_s)
            answer = await self._data.call(request, _bar_page)
            page, page_token = answer.value
            for symbol, raws in page.items():
                good, bad = items.setdefault(symbol, []), unreadable.setdefault(symbol, [])
                for count, raw in enumerate(raws, start=1):
                    _read_into(good, bad, Bar, symbol, raw)
                    if count % ROWS_PER_STEP == 0:
                        await self._clock.sleep(0)
                await self._clock.sleep(0)
            if page_token is None:
                rows = {symbol: Rows(tuple(items[symbol]), tuple(unreadable[symbol])) for symbol in items}
                return answer.holding(rows)
        raise ValueError(f"more than {MAX_PAGES * BARS_PER_PAGE} bars asked for at once")

    def _request(self, path: str, params: dict[str, str], lane: Lane, deadline_s: float) -> Request:
        return Request(
            verb=Verb.READ,
            purpose=Purpose.READ,
            method="GET",
            path=path,
            params=params | {"feed": self._feed},
            lane=lane,
            deadline_s=deadline_s,
        )


def _bar_page(body: bytes) -> tuple[dict[str, list[msgspec.Raw]], str | None]:
    members = split_map(body)
    bars = members.get("bars")
    token = decode(bytes(members["next_page_token"])) if "next_page_token" in members else None
    page = {} if bars is None or bytes(bars) == b"null" else split_map(bars)
    return {symbol: split_rows(bytes(raws)) for symbol, raws in page.items()}, token or None


def _member(body: bytes, key: str) -> msgspec.Raw:
    try:
        return split_map(body)[key]
    except KeyError:
        raise Malformed(f"the answer has no {key!r}") from None


def _read_into(
    items: list[Any], unreadable: list[Unreadable], kind: type[msgspec.Struct], symbol: str, raw: msgspec.Raw
) -> None:
    try:
        items.append(read(kind, decode_object(bytes(raw)), symbol=symbol))
    except Malformed as error:
        unreadable.append(unreadable_from(bytes(raw), f"{symbol}: {error}"))


def _list(symbols: Collection[str]) -> str:
    if not 0 < len(symbols) <= MAX_SYMBOLS:
        raise ValueError(f"one to {MAX_SYMBOLS} symbols a request, found {len(symbols)}")
    return ",".join(sorted(symbols))
