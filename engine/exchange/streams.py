"""The two websocket protocols, sans-IO: frames in, frames out.

``TradeUpdatesProtocol`` is the order stream (``/stream``): JSON in binary frames, both forms of authentication,
``listen`` replaces the list of streams. ``DataProtocol`` is the data stream (``/v2/{feed}``): arrays of messages, in
JSON or, for clients that ask with ``Content-Type: application/msgpack``, in MessagePack with its timestamp type.

Sources: docs.alpaca.markets/docs/websocket-streaming, /docs/streaming-market-data.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.exchange.assets import Asset, find_asset
from engine.exchange.market import Tick
from engine.exchange.wire import bar_json, number, quote_json, status_json, timestamp, trade_json

Accepts = Callable[[str, str], bool]
"""Whether a key and a secret are right."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CHANNELS: Final = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds")
_ERRORS: Final = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    409: "insufficient subscription",
    500: "internal error",
}


class TradeUpdatesProtocol:
    """One connection of the order stream."""

    def __init__(self, accepts: Accepts) -> None:
        self._accepts = accepts
        self.authorized = False
        self.listening = False
        """Whether trade updates are to be sent."""

    def receive(self, frame: bytes | str) -> list[bytes]:
        """The frames to send in answer to one from the client."""
        try:
            message = msgspec.json.decode(frame)
        except msgspec.DecodeError:
            return [_error("invalid syntax")]
        if not isinstance(message, dict):
            return [_error("invalid syntax")]
        action = message.get("action")
        data = message.get("data")
        data = data if isinstance(data, dict) else {}
        if action in {"authenticate", "auth"}:
            key = data.get("key_id") or message.get("key") or ""
            secret = data.get("secret_key") or message.get("secret") or ""
            self.authorized = isinstance(key, str) and isinstance(secret, str) and self._accepts(key, secret)
            return [_authorization("authenticate", ok=self.authorized)]
        if action == "listen":
            if not self.authorized:
                return [_authorization("listen", ok=False)]
            wanted = data.get("streams")
            streams = [name for name in wanted if name == "trade_updates"] if isinstance(wanted, list) else []
            self.listening = bool(streams)
            return [msgspec.json.encode({"stream": "listening", "data": {"streams": streams[:1]}})]
        return [_error(f"unknown action: {action}")]


def _authorization(action: str, *, ok: bool) -> bytes:
    status = "authorized" if ok else "unauthorized"
    return msgspec.json.encode({"stream": "authorization", "data": {"status": status, "action": action}})


def _error(text: str) -> bytes:
    return msgspec.json.encode({"action": "error", "data": {"error_message": text}})


def encode_update(data: dict[str, Any]) -> bytes:
    """The frame of a trade update whose numbers and times are still values."""
    shown = dict(data)
    shown["timestamp"] = timestamp(data["timestamp"])
    for name in ("price", "qty", "position_qty"):
        if isinstance(shown.get(name), Decimal):
            shown[name] = number(shown[name])
    return msgspec.json.encode({"stream": "trade_updates", "data": shown})


class DataProtocol:
    """One connection of the data stream."""

    def __init__(self, accepts: Accepts, *, symbols_max: int, packed: bool = False) -> None:
        self._accepts = accepts
        self._symbols_max = symbols_max
        self.packed = packed
        self.authorized = False
        self.fatal = False
        """Whether the connection is to be closed after what was just answered."""
        self._wanted: dict[str, set[str]] = {channel: set() for channel in _CHANNELS}

    def greet(self) -> bytes:
        return self._encode([{"T": "success", "msg": "connected"}])

    def error(self, code: int, *, fatal: bool = False) -> bytes:
        self.fatal = self.fatal or fatal
        return self._encode([{"T": "error", "code": code, "msg": _ERRORS[code]}])

    def receive(self, frame: bytes | str) -> list[bytes]:
        """The frames to send in answer to one from the client."""
        try:
            if self.packed and isinstance(frame, bytes):
                message = msgspec.msgpack.decode(frame)
            else:
                message = msgspec.json.decode(frame)
        except msgspec.DecodeError:
            return [self.error(400)]
        if not isinstance(message, dict):
            return [self.error(400)]
        action = message.get("action")
        if action == "auth":
            return [self._authenticate(message)]
        if not self.authorized:
            return [self.error(401)]
        if action in {"subscribe", "unsubscribe"}:
            return [self._change(message, adding=action == "subscribe")]
        return [self.error(400)]

    def _authenticate(self, message: dict[str, Any]) -> bytes:
        if self.authorized:
            return self.error(403)
        key, secret = message.get("key"), message.get("secret")
        if not isinstance(key, str) or not isinstance(secret, str) or not self._accepts(key, secret):
            return self.error(402, fatal=True)
        self.authorized = True
        return self._encode([{"T": "success", "msg": "authenticated"}])

    def _change(self, message: dict[str, Any], *, adding: bool) -> bytes:
        after = {channel: set(symbols) for channel, symbols in self._wanted.items()}
        for channel in _CHANNELS:
            symbols = message.get(channel) or []
            if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
                return self.error(400)
            after[channel] = after[channel] | set(symbols) if adding else after[channel] - set(symbols)
        if len(set().union(*(after[channel] for channel in ("trades", "quotes")))) > self._symbols_max:
            return self.error(405)
        self._wanted = after
        return self._encode([{"T": "subscription", **{name: sorted(self._wanted[name]) for name in _CHANNELS}}])

    def _wants(self, channel: str, symbol: str) -> bool:
        wanted = self._wanted[channel]
        return symbol in wanted or "*" in wanted

    def render(self, ticks: list[Tick]) -> bytes | None:
        """One frame with what this connection has subscribed to, or None."""
        messages: list[dict[str, Any]] = []
        for tick in ticks:
            asset = find_asset(tick.symbol)
            assert asset is not None
            if tick.trade is not None and self._wants("trades", tick.symbol):
                messages.append(self._message("t", asset, trade_json(tick.trade, asset), tick.trade.at_ns))
            if tick.quote is not None and self._wants("quotes", tick.symbol):
                messages.append(self._message("q", asset, quote_json(tick.quote, asset), tick.quote.at_ns))
            if tick.bar is not None and self._wants("bars", tick.symbol):
                messages.append(self._message("b", asset, bar_json(tick.bar, asset), tick.bar.start_ns))
            if tick.halted is not None and self._wants("statuses", tick.symbol):
                status = status_json(asset, halted=tick.halted, at_ns=tick.at_ns)
                messages.append(self._message("s", asset, status, tick.at_ns))
        return self._encode(messages) if messages else None

    def _message(self, kind: str, asset: Asset, body: dict[str, Any], at_ns: int) -> dict[str, Any]:
        message = {"T": kind, "S": asset.symbol, **body}
        if self.packed:
            # MessagePack carries times as its own type; msgspec writes aware datetimes so.
            message["t"] = _EPOCH + timedelta(microseconds=at_ns // 1000)
        return message

    def _encode(self, messages: list[dict[str, Any]]) -> bytes:
        return msgspec.msgpack.encode(messages) if self.packed else msgspec.json.encode(messages)
