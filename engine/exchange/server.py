"""The exchange on a socket: aiohttp around the sans-IO parts, and the one place where delays are slept.

Trading, market data and both streams share one port. Runs in any event loop with time from its ``Clock``; starts no
threads and installs no signal handlers; everything it starts ends with ``serve_exchange``'s block.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from engine.clock import Clock
from engine.exchange.connections import Feed, PacedSocket, TradeFeed
from engine.exchange.core import Exchange
from engine.exchange.errors import Refusal
from engine.exchange.faults import (
    CutBody,
    Delay,
    Dribble,
    Drop,
    Facts,
    FalseRefusal,
    Faults,
    Garbage,
    Hang,
    Html,
    KeepSlot,
    LoseAnswer,
    Mangle,
    RefuseStream,
)
from engine.exchange.rest import CONTROL_PREFIX, Request, Response, Rest
from engine.exchange.settings import ExchangeSettings
from engine.exchange.streams import DataProtocol, TradeUpdatesProtocol

__all__ = ["ExchangeSettings", "RunningExchange", "run_exchange", "serve_exchange"]

SHUTDOWN_S = 0.5
AUTH_TIMEOUT_S = 10.0
HEARTBEAT_S = 15.0
_BODY_MAX = 1 << 20
_COIN_STREAM = ["v1beta3", "crypto"]
_DATA_STREAMS = frozenset({"iex", "sip", "delayed_sip", "boats", "overnight", "otc", "test"})


@dataclass(frozen=True, slots=True)
class RunningExchange:
    """A serving exchange."""

    url: str
    """``http://HOST:PORT``; the streams are the same with ``ws://``."""
    exchange: Exchange
    faults: Faults
    cut_order_streams: Callable[[], int]
    """Closes the order stream's connections; returns how many there were."""


@asynccontextmanager
async def serve_exchange(
    settings: ExchangeSettings, clock: Clock, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[RunningExchange]:
    """Serves an exchange until the block is left. ``port`` 0 takes a free one.

    Raises ``FaultsFileError``, ``ReplayError`` or ``StoreError`` when a file can't be used, ``OSError`` for a
    taken port.
    """
    faults = Faults.load(settings.faults_path) if settings.faults_path is not None else Faults()
    exchange = Exchange(settings, clock, faults)
    block_error: Exception | None = None
    try:
        async with asyncio.TaskGroup() as scope:
            server = Server(exchange, clock, scope)
            app = web.Application(client_max_size=_BODY_MAX)
            app.router.add_route("*", "/{path:.*}", server.handle)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
            await runner.setup()
            pump: asyncio.Task[None] | None = None
            try:
                await web.TCPSite(runner, host, port).start()
                # A simulated network has no socket objects to ask; there the given port is the one.
                bound = int(runner.addresses[0][1]) if runner.addresses else port
                pump = scope.create_task(server.run(), name="exchange-clock")
                yield RunningExchange(f"http://{host}:{bound}", exchange, faults, server.cut_order_streams)
            except Exception as error:
                block_error = error
                raise
            finally:
                await server.close_streams()
                await runner.cleanup()
                if pump is not None:
                    pump.cancel()
    except BaseExceptionGroup as group:
        # What the block itself raises leaves it as it was, not wrapped in the group of the exchange's tasks.
        if block_error is not None and group.exceptions == (block_error,):
            raise block_error from None
        raise
    finally:
        exchange.close()


class Server:
    """HTTP and websocket handlers of one exchange."""

    def __init__(self, exchange: Exchange, clock: Clock, scope: asyncio.TaskGroup) -> None:
        self._exchange = exchange
        self._clock = clock
        self._scope = scope
        self._rest = Rest(exchange)
        self._wake = asyncio.Event()
        self._rng = random.Random(f"{exchange.settings.seed}/latency")
        self._trade_feed = TradeFeed(exchange.faults)
        self._data_feed = Feed(exchange.faults)
        self._slot_kept_until_s = 0.0
        self._sockets: set[web.WebSocketResponse] = set()
        exchange.on_updates = self._trade_feed.publish
        exchange.on_ticks = self._data_feed.publish
        self._rest.control.cut_streams = self._trade_feed.cut
        self._rest.control.mute_streams = self._trade_feed.mute
        self._rest.control.cut_data = self._data_feed.cut

    def cut_order_streams(self) -> int:
        return self._trade_feed.cut()

    async def run(self) -> None:
        """Lets the exchange's time pass: sleeps until something is due, or until a request has changed what is."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            timer = loop.call_later(self._exchange.run_due(), self._wake.set)
            try:
                await self._wake.wait()
            finally:
                timer.cancel()

    def half_latency_s(self) -> float:
        settings = self._exchange.settings
        spread = min(max(self._rng.gauss(0.0, 1.0), -2.0), 2.0) * settings.latency_jitter
        return max(settings.latency_ms / 2000.0 * (1.0 + spread), 0.0)

    async def _pass_half(self) -> None:
        delay = self.half_latency_s()
        if delay > 0:
            await self._clock.sleep(delay)

    # -- HTTP -------------------------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._handle_stream(request)
        value = Request(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers={name.lower(): text for name, text in request.headers.items()},
            body=await request.read(),
        )
        if value.path.startswith(CONTROL_PREFIX):
            answer = self._rest.handle(value)
            self._wake.set()
            return _http(answer)
        await self._pass_half()
        facts, faults = self._rest.facts(value), self._exchange.faults
        if faults.take(Drop, facts) is not None:
            return self._drop(request)
        hung = faults.take(Hang, facts)
        if hung is not None:
            await self._clock.sleep(hung.seconds)
            return self._drop(request)
        gateway = faults.take(Html, facts)
        if gateway is not None and not gateway.accepted:
            return _html(gateway.status)
        answer = self._rest.handle(value)
        self._wake.set()
        if gateway is not None:
            return _html(gateway.status)
        return await self._deliver(request, answer, facts)

    async def _deliver(self, request: web.Request, answer: Response, facts: Facts) -> web.StreamResponse:
        """Sends an answer whose effects stand, or what the faults leave of it."""
        faults = self._exchange.faults
        lost = faults.take(LoseAnswer, facts)
        if lost is not None:
            await self._clock.sleep(lost.hang_s)
            return self._drop(request)
        late = faults.take(Delay, facts)
        if late is not None:
            await self._clock.sleep(late.seconds)
        await self._pass_half()
        false = faults.take(FalseRefusal, facts)
        if false is not None:
            refusal = Refusal(false.status, false.code, false.message)
            answer.status, answer.body = false.status, msgspec.json.encode(refusal.body())
        garbage = faults.take(Garbage, facts)
        if garbage is not None:
            answer.status, answer.body = 200, garbage.body.encode()
        mangled = faults.take(Mangle, facts)
        if mangled is not None and answer.body:
            answer.body = mangled.apply_to_body(answer.body)
        if faults.take(CutBody, facts) is not None:
            cut = web.StreamResponse(status=answer.status, headers=answer.headers)
            cut.content_type, cut.content_length = answer.content_type, len(answer.body)
            await cut.prepare(request)
            await cut.write(answer.body[: len(answer.body) // 2])
            self._drop(request)
            return cut
        dribble = faults.take(Dribble, facts)
        if dribble is not None:
            return await self._dribble(request, answer, dribble.every_s)
        return _http(answer)

    async def _dribble(self, request: web.Request, answer: Response, every_s: float) -> web.StreamResponse:
        slow = web.StreamResponse(status=answer.status, headers=answer.headers)
        slow.content_type, slow.content_length = answer.content_type, len(answer.body)
        await slow.prepare(request)
        for at in range(len(answer.body)):
            await self._clock.sleep(every_s)
            await slow.write(answer.body[at : at + 1])
        return slow

    @staticmethod
    def _drop(request: web.Request) -> web.Response:
        """Cuts the connection under the request; the response returned is never seen."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    # -- streams ----------------------------------------------------------------------------------------------------

    async def _handle_stream(self, request: web.Request) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part]
        # The heartbeat frees the one slot of a peer that has vanished without a word. Pings are answered by hand, so
        # that a mute stream can leave them unanswered.
        socket = web.WebSocketResponse(timeout=SHUTDOWN_S, heartbeat=HEARTBEAT_S, autoping=False)
        self._sockets.add(socket)
        try:
            if parts == ["stream"]:
                return await self._serve_trade_updates(request, socket)
            if (len(parts) == 2 and parts[0] == "v2" and parts[1] in _DATA_STREAMS) or parts[:2] == _COIN_STREAM:
                return await self._serve_data(request, socket)
        finally:
            self._sockets.discard(socket)
        return web.Response(status=404, text="not found")

    async def _serve_trade_updates(self, request: web.Request, socket: web.WebSocketResponse) -> web.StreamResponse:
        facts = Facts(method="GET", path="/stream")
        refused = self._exchange.faults.take(RefuseStream, facts)
        if refused is not None:
            return web.Response(status=refused.status, text="too many requests")
        if self._trade_feed.is_taken or self._clock.monotonic_s() < self._slot_kept_until_s:
            # One connection per account: until the old one is gone, the next handshake is refused.
            return web.Response(status=429, text="too many requests")
        protocol = TradeUpdatesProtocol(self._rest.accepts)
        paced = PacedSocket(socket, request.transport, self._clock, self.half_latency_s)
        self._trade_feed.attach(protocol, paced)
        try:
            await socket.prepare(request)
            async with paced.sending(self._scope, "exchange-trade-updates"):
                async for message in socket:
                    if paced.is_mute:
                        continue
                    if message.type is WSMsgType.PING:
                        await socket.pong(message.data)
                    if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                        continue
                    await self._pass_half()
                    self._exchange.run_due()
                    for frame in protocol.receive(message.data):
                        paced.send(frame)
                    self._exchange.listen(rendering=protocol.listening)
        finally:
            kept = self._exchange.faults.take(KeepSlot, facts)
            if kept is not None:
                self._slot_kept_until_s = self._clock.monotonic_s() + kept.seconds
            self._trade_feed.detach(protocol)
            self._exchange.listen(rendering=self._trade_feed.is_listening)
        return socket

    async def _serve_data(self, request: web.Request, socket: web.WebSocketResponse) -> web.StreamResponse:
        settings = self._exchange.settings
        packed = "msgpack" in request.headers.get("Content-Type", "")
        protocol = DataProtocol(self._rest.accepts, symbols_max=settings.stream_symbols_max, packed=packed)
        paced = PacedSocket(socket, request.transport, self._clock, self.half_latency_s, binary=packed)
        await socket.prepare(request)
        try:
            async with paced.sending(self._scope, "exchange-data"):
                paced.send(protocol.greet())
                overdue = asyncio.get_running_loop().call_later(AUTH_TIMEOUT_S, _end_silent, protocol, paced)
                try:
                    await self._converse(socket, protocol, paced)
                finally:
                    overdue.cancel()
        finally:
            self._data_feed.detach(protocol)
        return socket

    async def _converse(self, socket: web.WebSocketResponse, protocol: DataProtocol, paced: PacedSocket) -> None:
        async for message in socket:
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                continue
            await self._pass_half()
            was_authorized = protocol.authorized
            frames = protocol.receive(message.data)
            if protocol.authorized and not was_authorized:
                if self._data_feed.count >= self._exchange.settings.data_connections_max:
                    frames = [protocol.error(406, fatal=True)]
                else:
                    self._data_feed.attach(protocol, paced)
            for frame in frames:
                paced.send(frame)
            if protocol.fatal:
                paced.send(None)

    async def close_streams(self) -> None:
        """Ends every websocket with 1001, so that the server's shutdown has nothing to wait for."""
        opened = [socket for socket in self._sockets if socket.prepared]
        closing = [socket.close(code=WSCloseCode.GOING_AWAY, message=b"exchange stops") for socket in opened]
        await asyncio.gather(*closing)


def _end_silent(protocol: DataProtocol, paced: PacedSocket) -> None:
    """Error 404 for a connection that has not authenticated in time."""
    if not protocol.authorized:
        paced.send(protocol.error(404, fatal=True))
        paced.send(None)


def _http(answer: Response) -> web.Response:
    return web.Response(
        status=answer.status,
        body=answer.body or None,
        headers=answer.headers,
        content_type=answer.content_type if answer.body else None,
    )


def _html(status: int) -> web.Response:
    page = f"<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
    return web.Response(status=status, text=page, content_type="text/html")


async def run_exchange(
    settings: ExchangeSettings,
    clock: Clock,
    *,
    host: str,
    port: int,
    on_ready: Callable[[RunningExchange], None],
    until: asyncio.Event,
) -> None:
    """Serves an exchange until ``until`` is set: the body of ``main.py exchange``.

    ``on_ready`` is called once, as soon as requests are taken. Errors as in ``serve_exchange``.
    """
    async with serve_exchange(settings, clock, host=host, port=port) as running:
        on_ready(running)
        await until.wait()
