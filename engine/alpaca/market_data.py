"""Prices over REST: latest quotes, snapshots and bars, in batches of symbols, always from the feed that was chosen.

Market data has a host, a budget and a subscription of its own. Without a paid subscription the feed is ``iex``, some
2.5 % of the volume: its quotes can be old or wide, so each carries its time, and the caller judges its age.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
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
from engine.alpaca.wire import Bar, CorporateAction, Quote, Snapshot, Trade, read_snapshot
from engine.clock import Clock

MAX_SYMBOLS: Final = 500
"""A request; keeps the address within what gateways accept."""
BARS_PER_PAGE: Final = 10_000
"""The broker's maximum, counted over all symbols together."""
ACTIONS_PER_PAGE: Final = 1_000
MAX_PAGES: Final = 100
STOCK_BARS: Final = "/v2/stocks/bars"
CRYPTO: Final = "/v1beta3/crypto/us"
ROWS_PER_STEP: Final = 200
"""Rows that are parsed before the loop gets its turn (about 1 ms)."""

type Adjustment = Literal["raw", "split", "dividend", "all"]


type MinuteStep = Literal[1, 5, 15]
"""Minutes of one bar."""


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

    async def latest_crypto_quotes(
        self, symbols: Collection[str], *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S
    ) -> Answer[Rows[Quote]]:
        """The last quote of each coin pair (``BTC/USD``) that has one."""
        return await self._by_symbol(f"{CRYPTO}/latest/quotes", "quotes", Quote, symbols, lane, deadline_s)

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
        return await self._bars(STOCK_BARS, "1Day", symbols, start, end, adjustment, lane, deadline_s)

    async def minute_bars(
        self,
        symbols: Collection[str],
        start: datetime,
        end: datetime | None = None,
        *,
        step: MinuteStep = 1,
        adjustment: Adjustment = "raw",
        lane: Lane = Lane.READ,
        deadline_s: float = READ_DEADLINE_S,
    ) -> Answer[dict[str, Rows[Bar]]]:
        """All bars of ``step`` minutes since ``start``, oldest first, by symbol. See ``daily_bars``."""
        return await self._bars(STOCK_BARS, f"{step}Min", symbols, start, end, adjustment, lane, deadline_s)

    async def crypto_daily_bars(
        self,
        symbols: Collection[str],
        start: datetime,
        end: datetime | None = None,
        *,
        lane: Lane = Lane.READ,
        deadline_s: float = READ_DEADLINE_S,
    ) -> Answer[dict[str, Rows[Bar]]]:
        """All daily bars of coin pairs since ``start``; a coin's day ends at midnight UTC. See ``daily_bars``."""
        return await self._bars(f"{CRYPTO}/bars", "1Day", symbols, start, end, None, lane, deadline_s)

    async def corporate_actions(
        self,
        symbols: Collection[str],
        start: date,
        end: date,
        *,
        lane: Lane = Lane.READ,
        deadline_s: float = READ_DEADLINE_S,
    ) -> Answer[Rows[CorporateAction]]:
        """Splits, dividends, mergers and the like with an ex-date or process date in these days, both included.

        Several requests where one page doesn't hold them; the answer's evidence is the last one's.
        """
        items: list[CorporateAction] = []
        unreadable: list[Unreadable] = []
        page_token: str | None = None
        for _ in range(MAX_PAGES):
            params = params_from(
                symbols=_list(symbols),
                start=start.isoformat(),
                end=end.isoformat(),
                limit=ACTIONS_PER_PAGE,
                sort="asc",
                page_token=page_token,
            )
            request = self._request("/v1/corporate-actions", params, lane, deadline_s, has_feed=False)
            answer = await self._data.call(request, _action_page)
            page, page_token = answer.value
            for kind, raws in page.items():
                for raw in raws:
                    _read_into(items, unreadable, CorporateAction, raw, kind, kind=kind)
            if page_token is None:
                return answer.holding(Rows(tuple(items), tuple(unreadable)))
        raise ValueError(f"more than {MAX_PAGES * ACTIONS_PER_PAGE} corporate actions asked for at once")

    async def _by_symbol[T: msgspec.Struct](
        self, path: str, key: str, kind: type[T], symbols: Collection[str], lane: Lane, deadline_s: float
    ) -> Answer[Rows[T]]:
        request = self._request(path, {"symbols": _list(symbols)}, lane, deadline_s)

        def rows_from(body: bytes) -> Rows[T]:
            items: list[T] = []
            unreadable: list[Unreadable] = []
            for symbol, raw in split_map(_member(body, key)).items():
                _read_into(items, unreadable, kind, raw, symbol, symbol=symbol)
            return Rows(tuple(items), tuple(unreadable))

        return await self._data.call(request, rows_from)

    async def _bars(
        self,
        path: str,
        timeframe: str,
        symbols: Collection[str],
        start: datetime,
        end: datetime | None,
        adjustment: Adjustment | None,
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
            request = self._request(path, params, lane, deadline_s)
            answer = await self._data.call(request, _bar_page)
            page, page_token = answer.value
            for symbol, raws in page.items():
                good, bad = items.setdefault(symbol, []), unreadable.setdefault(symbol, [])
                for count, raw in enumerate(raws, start=1):
                    _read_into(good, bad, Bar, raw, symbol, symbol=symbol)
                    if count % ROWS_PER_STEP == 0:
                        await self._clock.sleep(0)
                await self._clock.sleep(0)
            if page_token is None:
                rows = {symbol: Rows(tuple(items[symbol]), tuple(unreadable[symbol])) for symbol in items}
                return answer.holding(rows)
        raise ValueError(f"more than {MAX_PAGES * BARS_PER_PAGE} bars asked for at once")

    def _request(
        self, path: str, params: dict[str, str], lane: Lane, deadline_s: float, *, has_feed: bool = True
    ) -> Request:
        """Stock prices name their feed; coins and corporate actions have none."""
        return Request(
            verb=Verb.READ,
            purpose=Purpose.READ,
            method="GET",
            path=path,
            params=params | {"feed": self._feed} if has_feed and not path.startswith(CRYPTO) else params,
            lane=lane,
            deadline_s=deadline_s,
        )


def _bar_page(body: bytes) -> tuple[dict[str, list[msgspec.Raw]], str | None]:
    return _page(body, "bars")


def _action_page(body: bytes) -> tuple[dict[str, list[msgspec.Raw]], str | None]:
    return _page(body, "corporate_actions")


def _page(body: bytes, key: str) -> tuple[dict[str, list[msgspec.Raw]], str | None]:
    """Lists of rows by symbol or kind, and the token of the next page. Raises ``Malformed``."""
    members = split_map(body)
    lists = members.get(key)
    token = decode(bytes(members["next_page_token"])) if "next_page_token" in members else None
    if token is not None and not isinstance(token, str):
        raise Malformed(f"next_page_token is no text: {token!r}")
    page = {} if lists is None or bytes(lists) == b"null" else split_map(lists)
    return {name: split_rows(bytes(raws)) for name, raws in page.items() if bytes(raws) != b"null"}, token or None


def _member(body: bytes, key: str) -> msgspec.Raw:
    try:
        return split_map(body)[key]
    except KeyError:
        raise Malformed(f"the answer has no {key!r}") from None


def _read_into(
    items: list[Any],
    unreadable: list[Unreadable],
    row_type: type[msgspec.Struct],
    raw: msgspec.Raw,
    where: str,
    **known: object,
) -> None:
    try:
        items.append(read(row_type, decode_object(bytes(raw)), **known))
    except Malformed as error:
        unreadable.append(unreadable_from(bytes(raw), f"{where}: {error}"))


def _list(symbols: Collection[str]) -> str:
    if not 0 < len(symbols) <= MAX_SYMBOLS:
        raise ValueError(f"one to {MAX_SYMBOLS} symbols a request, found {len(symbols)}")
    return ",".join(sorted(symbols))
