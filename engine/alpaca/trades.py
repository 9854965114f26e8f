"""The order stream: every change of every order of the account, whoever made it.

It has no sequence numbers, no replay and no heartbeat of its own, repeats messages and loses some: de-duplicate by
``execution_id``, apply forward only, and read the account again after each ``Connected``. Silence proves nothing.

    async with asyncio.TaskGroup() as group:
        group.create_task(stream.run(), name="order stream")
        async for item in stream:
            match item:
                case TradeUpdate(): ...
                case Connected(): ...       # reconcile
                case Disconnected() | SlotTaken(): ...
                case AuthFailed(): ...      # the last item
                case Unreadable(): ...      # journal it, reconcile

Source: https://docs.alpaca.markets/docs/websocket-streaming
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from engine.alpaca.credentials import Keys, Unshown
from engine.alpaca.reading import Malformed, Unreadable
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
from engine.alpaca.wire import TradeUpdate, read_trade_update

__all__ = [
    "AuthFailed",
    "Connected",
    "Disconnected",
    "OrderStream",
    "OrderStreamItem",
    "SlotTaken",
    "TradeUpdate",
    "Unreadable",
]

CHANNEL: Final = "trade_updates"

type OrderStreamItem = TradeUpdate | Connected | Disconnected | SlotTaken | AuthFailed | Unreadable


class OrderStream(Stream[TradeUpdate]):
    """``trade_updates`` of one account. Alpaca allows one such connection an account."""

    def __init__(self, transport: Transport, *, rng: random.Random | None = None) -> None:
        super().__init__(transport, transport.endpoint.order_stream_url, rng=rng)

    async def _greet(self, socket: Socket) -> None:
        # Alpaca documents a second form, {"action": "auth", "key": ..., "secret": ...}; this one is what its SDK sends.
        await socket.send_str(_authentication(self._transport.access.keys))
        granted = await self._answer(socket, "authorization")
        if granted.get("status") != "authorized":
            raise KeysAreRefused(f"the broker does not accept the keys for the order stream ({granted.get('status')})")
        await socket.send_str(_text_of("listen", {"streams": [CHANNEL]}))
        listening = await self._answer(socket, "listening")
        streams = listening.get("streams")
        if not isinstance(streams, list) or CHANNEL not in streams:
            raise GreetingFailed("the broker did not grant trade_updates")

    async def _answer(self, socket: Socket, stream: str) -> dict[str, Any]:
        """The data of the next message of that stream; what else comes meanwhile is not for us yet."""
        while True:
            message = await self._receive(socket)
            if not isinstance(message, dict):
                raise GreetingFailed("unreadable greeting: not a JSON object")
            _raise_if_error(message)
            data = message.get("data")
            if not isinstance(data, dict):
                data = {}
            if message.get("stream") == "authorization" and data.get("status") == "unauthorized":
                raise KeysAreRefused("the broker does not accept the keys for the order stream")
            if message.get("stream") == stream:
                return data

    def _items_from(self, message: object, arrived_at_s: float) -> Iterable[TradeUpdate | Unreadable]:
        if not isinstance(message, dict):
            raise Malformed("a stream message must be a JSON object")
        _raise_if_error(message)
        if message.get("stream") == "listening":
            return ()  # a repeated confirmation
        if message.get("stream") != CHANNEL:
            raise Malformed(f"a message of an unknown stream: {message.get('stream')!r}")
        return (read_trade_update(message.get("data"), arrived_at_s=arrived_at_s),)


def _authentication(keys: Keys) -> Unshown:
    return Unshown(_text_of("authenticate", {"key_id": keys.key_id, "secret_key": str(keys.secret.reveal())}))


def _text_of(action: str, data: dict[str, Any]) -> str:
    return msgspec.json.encode({"action": action, "data": data}).decode()


def _raise_if_error(message: dict[str, Any]) -> None:
    """``{"action": "error", ...}`` comes before the broker closes; it has no stream."""
    if message.get("action") != "error":
        return
    data = message.get("data")
    said = str(data.get("error_message", "") if isinstance(data, dict) else data)
    if "another connection" in said or "connection limit" in said:
        raise SlotIsTaken(said)
    raise GreetingFailed(f"the broker reported: {said or 'an error'}")
