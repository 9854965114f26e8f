"""The data stream: quotes, prints, bars and halts of a set of symbols that may change at any time.

A connected stream can be mute for many minutes: whether a price is fresh is judged by the price's own age (each item
has its arrival time), never by the connection. Basic subscriptions allow one connection and some 30 symbols; the broker
says so in numbered errors, which come as ``StreamError`` items or end the connection (``ERRORS``).

Sources: https://docs.alpaca.markets/docs/streaming-market-data, https://docs.alpaca.markets/docs/real-time-stock-pricing-data
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from engine.alpaca.credentials import Keys, Unshown
from engine.alpaca.reading import Malformed, Unreadable, read, unreadable_from
from engine.alpaca.stream import (
    AuthFailed,
    Connected,
    Disconnected,
    GreetingFailed,
    KeysAreRefused,
    SlotIsTaken,
    SlotTaken,
    Socket,
    Stream,
)
from engine.alpaca.transport import Transport
from engine.alpaca.wire import Bar, Quote, Trade, TradingStatus

__all__ = [
    "AuthFailed",
    "Connected",
    "Disconnected",
    "QuoteStream",
    "QuoteStreamItem",
    "SlotTaken",
    "StreamError",
    "Subscribed",
    "Unreadable",
]

type Channel = Literal["quotes", "trades", "bars", "statuses"]

ERRORS: Final[Mapping[int, str]] = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "keys refused",
    403: "already authenticated",
    404: "authentication took too long",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "we read too slowly",
    408: "this stream is not enabled for the account",
    409: "the subscription does not include this feed",
    500: "internal error of the broker",
}
KEYS_REFUSED: Final = frozenset({402, 408, 409})
"""Trying again changes nothing."""
SLOT_TAKEN: Final = frozenset({406})
CONNECTION_STANDS: Final = frozenset({400, 403, 405, 409})
"""Errors of one request; what was subscribed before goes on."""

_KINDS: Final[Mapping[str, type[Quote | Trade | Bar | TradingStatus]]] = {
    "q": Quote,
    "t": Trade,
    "b": Bar,
    "s": TradingStatus,
}
_UNUSED: Final = frozenset({"u", "d", "l", "c", "x", "i"})
"""Corrected and daily bars, price bands, corrected and canceled prints, imbalances: some come along unasked."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What the broker sends from now on."""

    symbols: Mapping[str, frozenset[str]]
    """By channel."""
    at_s: float


@dataclass(frozen=True, slots=True)
class StreamError:
    """The broker refused a request; the connection and earlier subscriptions stand."""

    code: int
    name: str
    text: str
    at_s: float


type MarketItem = Quote | Trade | Bar | TradingStatus | Subscribed | StreamError
type QuoteStreamItem = MarketItem | Connected | Disconnected | SlotTaken | AuthFailed | Unreadable


class QuoteStream(Stream[MarketItem]):
    """Market data of ``symbols`` on the endpoint's feed."""

    def __init__(
        self,
        transport: Transport,
        *,
        channels: Collection[Channel] = ("quotes", "trades", "bars", "statuses"),
        rng: random.Random | None = None,
    ) -> None:
        super().__init__(transport, transport.endpoint.data_stream_url, rng=rng)
        self._channels = tuple(channels)
        self._wanted: frozenset[str] = frozenset()
        self._asked: frozenset[str] = frozenset()
        self._granted: frozenset[str] = frozenset()

    @property
    def symbols(self) -> frozenset[str]:
        """What was last asked for with ``watch``."""
        return self._wanted

    @property
    def granted(self) -> frozenset[str]:
        """What the broker has confirmed on the connection that stands now."""
        return self._granted

    async def watch(self, symbols: Collection[str]) -> None:
        """Follow exactly these from now on, over reconnections too. Only the difference is sent."""
        self._wanted = frozenset(symbols)
        if self._socket is not None:
            await self._send_difference(self._socket)

    async def _greet(self, socket: Socket) -> None:
        self._asked = self._granted = frozenset()
        await self._success(socket, "connected")
        await socket.send_str(_authentication(self._transport.access.keys))
        await self._success(socket, "authenticated")

    async def _confirmed(self, socket: Socket) -> None:
        await self._send_difference(socket)

    async def _success(self, socket: Socket, what: str) -> None:
        while True:
            for row in _rows(await self._receive(socket)):
                if row.get("T") == "error":
                    raise _given_up(row)
                if row.get("T") == "success" and row.get("msg") == what:
                    return

    async def _send_difference(self, socket: Socket) -> None:
        # Noted before the first await: a second call meanwhile sends only what this one doesn't.
        added, dropped = self._wanted - self._asked, self._asked - self._wanted
        self._asked = self._wanted
        try:
            if dropped:
                await _send(socket, {"action": "unsubscribe", **self._channel_lists(dropped)})
            if added:
                await _send(socket, {"action": "subscribe", **self._channel_lists(added)})
        except ConnectionError:
            return  # the reader sees the same, and the next greeting asks for all of it

    def _channel_lists(self, symbols: frozenset[str]) -> dict[str, list[str]]:
        return dict.fromkeys(self._channels, sorted(symbols))

    def _items_from(self, message: object, arrived_at_s: float) -> Iterable[MarketItem | Unreadable]:
        for row in _rows(message):
            try:
                item = self._item_from(row, arrived_at_s)
            except Malformed as error:
                item = unreadable_from(repr(row), error)
            if item is not None:
                yield item

    def _item_from(self, row: dict[str, Any], arrived_at_s: float) -> MarketItem | Unreadable | None:
        kind = row.get("T")
        if not isinstance(kind, str):
            raise Malformed(f"a message of no type: {kind!r}")
        if kind in _KINDS:
            return read(_KINDS[kind], row, arrived_at_s=arrived_at_s)
        if kind == "subscription":
            return self._subscribed(row, arrived_at_s)
        if kind == "error":
            return self._error(row, arrived_at_s)
        if kind in _UNUSED or kind == "success":
            return None
        raise Malformed(f"a message of unknown type {kind!r}")

    def _subscribed(self, row: dict[str, Any], at_s: float) -> Subscribed:
        lists = {str(channel): row.get(channel) for channel in self._channels}
        symbols = {channel: frozenset(map(str, found)) for channel, found in lists.items() if isinstance(found, list)}
        self._granted = frozenset().union(*symbols.values()) if symbols else frozenset()
        return Subscribed(symbols, at_s)

    def _error(self, row: dict[str, Any], at_s: float) -> StreamError:
        code = row.get("code")
        if not isinstance(code, int) or code not in CONNECTION_STANDS:
            raise _given_up(row)
        self._asked = self._granted  # the request that was refused changed nothing
        return StreamError(code, ERRORS[code], str(row.get("msg", "")), at_s)


def _authentication(keys: Keys) -> Unshown:
    message = {"action": "auth", "key": keys.key_id, "secret": str(keys.secret.reveal())}
    return Unshown(msgspec.json.encode(message).decode())


async def _send(socket: Socket, message: dict[str, Any]) -> None:
    await socket.send_str(msgspec.json.encode(message).decode())


def _rows(message: object) -> list[dict[str, Any]]:
    """Messages come as arrays of objects. Raises ``Malformed``."""
    rows: list[Any] = message if isinstance(message, list) else [message]
    if not all(isinstance(row, dict) for row in rows):
        raise Malformed("a data message must be an array of objects")
    return rows


def _given_up(row: dict[str, Any]) -> GreetingFailed:
    code = row.get("code")
    named = ERRORS.get(code, "") if isinstance(code, int) else ""
    text = f"{named or row.get('msg') or 'an error'} (code {code})"
    if code in KEYS_REFUSED:
        return KeysAreRefused(text)
    if code in SLOT_TAKEN:
        return SlotIsTaken(text)
    return GreetingFailed(text)
