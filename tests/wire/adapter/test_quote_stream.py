"""The data stream: subscriptions that follow a changing set, and errors by name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from engine.alpaca.quotes import (
    AuthFailed,
    Connected,
    Disconnected,
    QuoteStream,
    SlotTaken,
    StreamError,
    Subscribed,
    Unreadable,
)
from engine.alpaca.wire import Bar, Quote, Trade, TradingStatus
from tests.wire.adapter import listener as listener_of
from tests.wire.adapter.listener import MakeScript, leave
from tests.wire.adapter.samples import SECRET
from tests.wire.adapter.stream_server import Refuse, Script, StreamServer, until_closed

QUOTE = {"T": "q", "S": "AAPL", "bp": 187.18, "bs": 2, "ap": 187.2, "as": 1, "t": "2026-08-21T14:00:05.024916716Z"}
TRADE = {"T": "t", "S": "AAPL", "i": 96921, "x": "D", "p": 187.19, "s": 1, "t": "2026-08-21T14:00:05.024916716Z"}
BAR = {"T": "b", "S": "AAPL", "o": 1, "h": 2, "l": 0.5, "c": 1.5, "v": 100, "t": "2026-08-21T14:00:00Z"}
HALT = {"T": "s", "S": "AAPL", "sc": "H", "sm": "Trading Halt", "rc": "T12", "t": "2026-08-21T14:00:05Z", "z": "C"}

type Listener = listener_of.Listener[QuoteStream]


def quotes_only(transport: Any) -> QuoteStream:
    return QuoteStream(transport, channels=("quotes",))


def play(scene: Callable[[StreamServer, Listener], Coroutine[Any, Any, None]], *scripts: MakeScript | Refuse) -> None:
    listener_of.play(quotes_only, scene, *scripts)


def after_greeting(*messages: object, then: Script = until_closed) -> MakeScript:
    def of(server: StreamServer) -> Script:
        async def script(socket: web.WebSocketResponse) -> None:
            await server.greet_data(socket)
            for message in messages:
                await socket.send_str(json.dumps(message))
            await then(socket)

        return script

    return of


def granting(limit: int = 30) -> MakeScript:
    """A server that keeps a subscription, and refuses more than ``limit`` symbols."""

    def of(server: StreamServer) -> Script:
        async def script(socket: web.WebSocketResponse) -> None:
            await server.greet_data(socket)
            have: set[str] = set()
            while True:
                try:
                    asked = await server.hear(socket)
                except (TypeError, ValueError):
                    return  # the client closed
                wanted = have | set(asked["quotes"]) if asked["action"] == "subscribe" else have - set(asked["quotes"])
                if len(wanted) > limit:
                    await socket.send_str('[{"T":"error","code":405,"msg":"symbol limit exceeded"}]')
                    continue
                have = wanted
                await socket.send_str(json.dumps([{"T": "subscription", "trades": [], "quotes": sorted(have)}]))

        return script

    return of


def refusing(code: int, message: str) -> MakeScript:
    """Answers the keys with an error."""

    def of(server: StreamServer) -> Script:
        async def script(socket: web.WebSocketResponse) -> None:
            await socket.send_str('[{"T":"success","msg":"connected"}]')
            await server.hear(socket)
            await socket.send_str(json.dumps([{"T": "error", "code": code, "msg": message}]))
            await until_closed(socket)

        return script

    return of


def test_prices_prints_bars_and_halts_carry_their_arrival() -> None:
    async def scene(server: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        quote, trade = await listener.expect(Quote), await listener.expect(Trade)
        bar, halt = await listener.expect(Bar), await listener.expect(TradingStatus)
        assert (quote.symbol, quote.bid_price, quote.ask_price) == ("AAPL", Decimal("187.18"), Decimal("187.2"))
        assert (trade.trade_id, trade.price) == ("96921", Decimal("187.19"))
        assert (bar.low, halt.status_code) == (Decimal("0.5"), "H")
        assert quote.arrived_at_s == trade.arrived_at_s
        assert server.received == [{"action": "auth", "key": "KEY-ID", "secret": SECRET}]

    play(scene, after_greeting([QUOTE, TRADE], [BAR, {"T": "x", "S": "AAPL"}, HALT]))


def test_one_bad_row_of_a_message_leaves_its_neighbours() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        await listener.expect(Quote)
        assert "Quote.bp" in (await listener.expect(Unreadable)).why
        assert "unknown type" in (await listener.expect(Unreadable)).why
        await listener.expect(Quote)
        await listener.expect(Unreadable)
        await listener.expect(Quote)

    play(scene, after_greeting([QUOTE, QUOTE | {"bp": "NaN"}, {"T": "new"}, QUOTE], 5, [QUOTE]))


def test_only_the_difference_is_asked_for() -> None:
    async def scene(server: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        await listener.stream.watch(["AAPL", "MSFT"])
        assert (await listener.expect(Subscribed)).symbols == {"quotes": {"AAPL", "MSFT"}}
        await listener.stream.watch(["MSFT", "NVDA"])
        await listener.expect(Subscribed)
        assert (await listener.expect(Subscribed)).symbols == {"quotes": {"MSFT", "NVDA"}}
        await listener.stream.watch(["NVDA", "MSFT"])
        assert server.received[1:] == [
            {"action": "subscribe", "quotes": ["AAPL", "MSFT"]},
            {"action": "unsubscribe", "quotes": ["AAPL"]},
            {"action": "subscribe", "quotes": ["NVDA"]},
        ]
        assert listener.stream.granted == {"MSFT", "NVDA"}

    play(scene, granting())


def test_a_new_connection_asks_for_everything_again() -> None:
    async def scene(server: StreamServer, listener: Listener) -> None:
        await listener.stream.watch(["AAPL"])
        await listener.expect(Connected)
        await listener.expect(Disconnected)
        await listener.expect(Connected)
        assert (await listener.expect(Subscribed)).symbols == {"quotes": {"AAPL"}}

    play(scene, after_greeting(then=leave), granting())


def test_too_many_symbols_are_named_and_do_not_cost_the_connection() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        await listener.stream.watch(["A", "B"])
        await listener.expect(Subscribed)
        await listener.stream.watch(["A", "B", "C", "D"])
        error = await listener.expect(StreamError)
        assert (error.code, error.name) == (405, "symbol limit exceeded")
        assert listener.stream.granted == {"A", "B"}
        await listener.stream.watch(["A", "B", "C"])
        assert (await listener.expect(Subscribed)).symbols == {"quotes": {"A", "B", "C"}}

    play(scene, granting(limit=3))


@pytest.mark.parametrize(("code", "message"), [(402, "auth failed"), (409, "insufficient subscription")])
def test_refused_keys_and_feeds_are_final(code: int, message: str) -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        assert f"code {code}" in (await listener.expect(AuthFailed)).why
        await asyncio.wait_for(listener.task, 1)

    play(scene, refusing(code, message))


def test_a_taken_slot_is_tried_again() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(SlotTaken)
        await listener.expect(Connected)

    play(scene, refusing(406, "connection limit exceeded"), after_greeting())


@pytest.mark.parametrize(
    ("code", "name"),
    [(404, "authentication took too long"), (500, "internal error of the broker"), (599, "something new")],
)
def test_other_errors_of_the_greeting_are_named_and_tried_again(code: int, name: str) -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        assert name in (await listener.expect(Disconnected)).why
        await listener.expect(Connected)

    play(scene, refusing(code, "something new"), after_greeting())


def test_a_slow_client_is_told_and_reconnects() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        await listener.expect(Quote)  # what came in the same message is kept
        assert "too slowly" in (await listener.expect(Disconnected)).why
        await listener.expect(Connected)

    play(scene, after_greeting([QUOTE, {"T": "error", "code": 407, "msg": "slow client"}]), after_greeting())


@pytest.mark.parametrize("first", ["5", "[5]", "{broken", '[{"T":"success"}]'])
def test_an_odd_greeting_never_ends_the_stream(first: str) -> None:
    def of(_: StreamServer) -> Script:
        async def script(socket: web.WebSocketResponse) -> None:
            await socket.send_str(first)
            await until_closed(socket)

        return script

    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(Disconnected)
        await listener.expect(Connected)

    play(scene, of, after_greeting())
