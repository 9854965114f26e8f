"""The order stream: what arrives, what breaks, and what is said about it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from engine.alpaca.stream import HEARTBEAT_S
from engine.alpaca.trades import (
    AuthFailed,
    Connected,
    Disconnected,
    OrderStream,
    SlotTaken,
    TradeUpdate,
    Unreadable,
)
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock
from tests.wire.adapter import listener as listener_of
from tests.wire.adapter.listener import MakeScript, leave, listening
from tests.wire.adapter.samples import ORDER, SECRET
from tests.wire.adapter.stream_server import Refuse, Script, StreamServer, stream_server, until_closed

FILL = {
    "event": "fill",
    "execution_id": "e-1",
    "timestamp": "2026-08-21T14:00:05.024916716Z",
    "price": "187.19",
    "qty": "10",
    "position_qty": "10",
    "order": ORDER | {"status": "filled", "filled_qty": "10"},
}


def update(data: object = FILL) -> str:
    return json.dumps({"stream": "trade_updates", "data": data})


type Listener = listener_of.Listener[OrderStream]


def play(
    scene: Callable[[StreamServer, Listener], Coroutine[Any, Any, None]],
    *scripts: MakeScript | Refuse,
    answers_pings: bool = True,
) -> None:
    listener_of.play(OrderStream, scene, *scripts, answers_pings=answers_pings)


def after_greeting(*frames: str | bytes, then: Script = until_closed) -> MakeScript:
    def of(server: StreamServer) -> Script:
        async def script(socket: web.WebSocketResponse) -> None:
            await server.greet_orders(socket)
            for frame in frames:
                await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
            await then(socket)

        return script

    return of


def saying(*messages: str) -> MakeScript:
    """Answer each message of the greeting with one of these, then stay."""

    def of(server: StreamServer) -> Script:
        async def script(socket: web.WebSocketResponse) -> None:
            for message in messages:
                await server.hear(socket)
                await socket.send_str(message)
            await until_closed(socket)

        return script

    return of


def test_updates_arrive_in_text_and_binary_frames() -> None:
    async def scene(server: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        assert listener.stream.is_connected
        for _ in range(2):
            arrived = await listener.expect(TradeUpdate)
            assert (arrived.event, arrived.execution_id, arrived.price) == ("fill", "e-1", Decimal("187.19"))
            assert arrived.order.status == "filled"
        assert server.received == [
            {"action": "authenticate", "data": {"key_id": "KEY-ID", "secret_key": SECRET}},
            {"action": "listen", "data": {"streams": ["trade_updates"]}},
        ]
        assert SECRET not in str(server.handshakes)

    confirmed_again = '{"stream":"listening","data":{"streams":["trade_updates"]}}'
    play(scene, after_greeting(update(), confirmed_again, update().encode()))


def test_an_unknown_event_and_status_are_delivered() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        arrived = await listener.expect(TradeUpdate)
        assert (arrived.event, arrived.order.status) == ("weird_event", "weird_status")

    play(scene, after_greeting(update({"event": "weird_event", "order": ORDER | {"status": "weird_status"}})))


@pytest.mark.parametrize(
    "frame",
    ["{not json", b"\xff\xfe\x00", "[]", "5", '{"stream":"other","data":{}}', update({"event": "fill"}), update(None)],
)
def test_garbage_is_reported_and_the_stream_goes_on(frame: str | bytes) -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        assert (await listener.expect(Unreadable)).why
        await listener.expect(TradeUpdate)

    play(scene, after_greeting(frame, update()))


def test_a_cut_is_told_and_followed_by_a_new_connection() -> None:
    async def scene(server: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        await listener.expect(TradeUpdate)
        lost = await listener.expect(Disconnected)
        assert not listener.stream.is_connected
        again = await listener.expect(Connected)
        assert again.at_s - lost.at_s == pytest.approx(lost.retry_in_s, abs=0.01)
        await listener.expect(TradeUpdate)
        assert len(server.handshakes) == 2

    play(scene, after_greeting(update(), then=leave), after_greeting(update()))


def test_a_peer_that_stops_answering_is_noticed_within_five_seconds() -> None:
    async def mute(_: web.WebSocketResponse) -> None:
        await asyncio.sleep(3_600)

    async def scene(_: StreamServer, listener: Listener) -> None:
        connected = await listener.expect(Connected)
        lost = await listener.expect(Disconnected)
        assert lost.at_s - connected.at_s <= 5.0
        assert HEARTBEAT_S < 5.0

    play(scene, after_greeting(then=mute), answers_pings=False)


def test_a_quiet_but_living_peer_is_left_alone() -> None:
    async def late(socket: web.WebSocketResponse) -> None:
        reader = asyncio.create_task(until_closed(socket), name="answers pings")
        await asyncio.sleep(6 * 3_600)
        await socket.send_str(update())
        await reader

    async def scene(_: StreamServer, listener: Listener) -> None:
        connected = await listener.expect(Connected)
        assert (await listener.expect(TradeUpdate)).arrived_at_s - connected.at_s >= 6 * 3_600

    # 6 hours hold 7,200 pings: the connection survives each of them.
    play(scene, after_greeting(then=late))


def test_refused_keys_end_the_stream() -> None:
    async def scene(server: StreamServer, listener: Listener) -> None:
        failed = await listener.expect(AuthFailed)
        assert "keys" in failed.why
        with pytest.raises(StopAsyncIteration):
            await listener.next()
        await listener.task
        assert len(server.handshakes) == 1

    play(scene, saying('{"stream":"authorization","data":{"status":"unauthorized","action":"authenticate"}}'))
    play(scene, Refuse(401))


def test_a_taken_slot_is_named_and_tried_again() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        taken = await listener.expect(SlotTaken)
        assert taken.why == "stream slot taken (our old connection or another program)"
        await listener.expect(SlotTaken)
        await listener.expect(Connected)

    error = {"action": "error", "data": {"error_message": "rejected while another connection is open"}}
    play(scene, Refuse(429), saying(json.dumps(error)), after_greeting())


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (['{"action":"error","data":{"error_message":"internal server error"}}'], "internal server error"),
        (["{broken"], "unreadable greeting"),
        (["[]"], "unreadable greeting"),
        (
            [
                '{"stream":"authorization","data":{"status":"authorized"}}',
                '{"stream":"listening","data":{"streams":[]}}',
            ],
            "did not grant",
        ),
    ],
)
def test_a_greeting_that_goes_wrong_says_why_and_is_repeated(answers: list[str], why: str) -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        assert why in (await listener.expect(Disconnected)).why
        await listener.expect(Connected)

    play(scene, saying(*answers), after_greeting())


def test_a_door_closed_during_the_greeting_is_told() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        assert "closed during the greeting" in (await listener.expect(Disconnected)).why
        await listener.expect(Connected)

    play(scene, lambda _: leave, after_greeting())


def test_an_authorization_of_an_unknown_kind_is_none() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        assert "(perhaps)" in (await listener.expect(AuthFailed)).why

    play(scene, saying('{"stream":"authorization","data":{"status":"perhaps"}}'))


def test_nobody_listening_is_told_and_tried_again() -> None:
    async def main() -> None:
        async with stream_server() as gone:
            pass
        async with listening(gone, OrderStream) as listener:
            assert "Cannot connect" in (await listener.expect(Disconnected)).why
            await listener.expect(Disconnected)

    run_virtually(main())


def test_a_broker_that_never_confirms_is_given_ten_seconds() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        lost = await listener.expect(Disconnected)
        assert lost.why == "no confirmation in 10 s"
        assert lost.at_s == pytest.approx(10, abs=1.1)

    def silent(_: StreamServer) -> Script:
        return until_closed

    play(scene, silent)


def test_an_error_message_in_the_middle_ends_the_connection_with_its_text() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        assert "internal server error" in (await listener.expect(Disconnected)).why

    play(scene, after_greeting('{"action":"error","data":{"error_message":"internal server error"}}'))


def test_a_broker_that_is_down_is_asked_less_and_less_often() -> None:
    async def scene(server: StreamServer, listener: Listener) -> None:
        waits = [(await listener.expect(Disconnected)).retry_in_s for _ in range(12)]
        assert waits[0] <= 0.5
        assert max(waits) <= 30.0
        assert min(waits[-3:]) >= 15.0

    play(scene)


def test_canceling_the_run_closes_the_socket_and_ends_the_items() -> None:
    async def scene(server: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        listener.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listener.task
        await asyncio.wait_for(server.closed.wait(), 5)
        await listener.expect(TradeUpdate)  # what had been received is not lost
        with pytest.raises(StopAsyncIteration):
            await listener.next()

    play(scene, after_greeting(update()))


def test_canceling_works_against_a_peer_that_keeps_talking() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        while True:
            await socket.send_str(update())
            await asyncio.sleep(0.1)

    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        started_at_s = virtual_clock().monotonic_s()
        listener.task.cancel()
        await asyncio.gather(listener.task, return_exceptions=True)
        assert virtual_clock().monotonic_s() - started_at_s <= 2.0

    play(scene, after_greeting(then=talk))


def test_batches_take_what_is_there() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        await asyncio.sleep(1)
        assert len(await listener.stream.batch(3)) == 3
        assert len(await listener.stream.batch(500)) == 4

    play(scene, after_greeting(*[update()] * 7))


def test_a_slow_consumer_loses_nothing() -> None:
    async def scene(_: StreamServer, listener: Listener) -> None:
        await listener.expect(Connected)
        count = 0
        while count < 25_000:
            await asyncio.sleep(0.01)
            count += len(await listener.stream.batch(5_000))
        assert count == 25_000

    play(scene, after_greeting(*[update({"event": "new", "order": {"id": "o", "status": "new"}})] * 25_000))
