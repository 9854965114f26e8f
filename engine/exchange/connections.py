"""Websocket connections: delayed, ordered sending, and the two feeds that write to them.

Every frame is due half a latency after it was sent, and never before the one ahead of it: the order of messages is
kept on each connection however the delays fall.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from engine.clock import Clock
from engine.exchange.faults import (
    CutData,
    CutStream,
    DelayEvent,
    DoubleEvent,
    Facts,
    Faults,
    LoseEvent,
    Mangle,
    MuteStream,
    SwapEvents,
    facts_of,
)
from engine.exchange.floor import TradeUpdate
from engine.exchange.market import Tick
from engine.exchange.streams import DataProtocol, TradeUpdatesProtocol, encode_update

FRAMES_WAITING_MAX: Final = 2000
"""Data frames a client may lag behind before it is cut off as slow."""


class PacedSocket:
    """Sends frames after a delay, in order, from a task of its own."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        clock: Clock,
        delay_s: Callable[[], float],
        *,
        binary: bool = True,
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._clock = clock
        self._delay_s = delay_s
        self._binary = binary
        self._waiting: deque[tuple[float, bytes | None]] = deque()
        self._wake = asyncio.Event()
        self._last_due_s = 0.0
        self.is_mute = False
        """The line is dead although the connection stands: nothing is sent and nothing is heard."""

    @property
    def lag(self) -> int:
        """Frames that wait to be sent."""
        return len(self._waiting)

    def send(self, frame: bytes | None, *, extra_s: float = 0.0) -> None:
        """Queues a frame; None closes the connection when its turn comes."""
        if self.is_mute:
            return
        due_s = self._clock.monotonic_s() + self._delay_s() + extra_s
        self._last_due_s = max(due_s, self._last_due_s)
        self._waiting.append((self._last_due_s, frame))
        self._wake.set()

    @asynccontextmanager
    async def sending(self, scope: asyncio.TaskGroup, name: str) -> AsyncIterator[None]:
        """Runs the sender for the length of the block."""
        task = scope.create_task(self._run(), name=name)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        while not self._socket.closed:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            due_s, frame = self._waiting[0]
            delay = due_s - self._clock.monotonic_s()
            if delay > 0:
                await self._clock.sleep(delay)
            if self._waiting:  # an abort may have emptied it meanwhile
                self._waiting.popleft()
            try:
                if frame is None:
                    await self._socket.close()
                elif self._binary:
                    await self._socket.send_bytes(frame)
                else:
                    await self._socket.send_str(frame.decode())
            except ConnectionError:
                return  # the peer is gone; the handler's reading loop ends the connection

    def abort(self) -> None:
        """Cuts the connection without a close frame, as a network does."""
        self._waiting.clear()
        if self._transport is not None:
            self._transport.abort()


class Feed:
    """Market data to every data connection."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._connections: dict[DataProtocol, PacedSocket] = {}

    @property
    def count(self) -> int:
        return len(self._connections)

    def attach(self, protocol: DataProtocol, socket: PacedSocket) -> None:
        self._connections[protocol] = socket

    def detach(self, protocol: DataProtocol) -> None:
        self._connections.pop(protocol, None)

    def cut(self) -> int:
        """Cuts every connection; returns how many there were."""
        sockets = list(self._connections.values())
        for socket in sockets:
            socket.abort()
        return len(sockets)

    def publish(self, ticks: list[Tick]) -> None:
        if self._connections and self._faults and self._faults.take(CutData, Facts()) is not None:
            self.cut()
            return
        for protocol, socket in list(self._connections.items()):
            frame = protocol.render(ticks)
            if frame is None:
                continue
            if socket.lag > FRAMES_WAITING_MAX:
                socket.abort()
                self.detach(protocol)
            else:
                socket.send(frame)


class TradeFeed:
    """Trade updates to the account's one connection, through the faults of the stream."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._connections: dict[TradeUpdatesProtocol, PacedSocket] = {}
        self._held_back: list[tuple[bytes, float]] = []

    @property
    def is_taken(self) -> bool:
        return bool(self._connections)

    @property
    def is_listening(self) -> bool:
        return any(protocol.listening for protocol in self._connections)

    def attach(self, protocol: TradeUpdatesProtocol, socket: PacedSocket) -> None:
        self._connections[protocol] = socket

    def detach(self, protocol: TradeUpdatesProtocol) -> None:
        self._connections.pop(protocol, None)

    def cut(self) -> int:
        """Cuts every connection; returns how many there were."""
        sockets = list(self._connections.values())
        for socket in sockets:
            socket.abort()
        return len(sockets)

    def mute(self) -> int:
        """Lets every connection fall silent; returns how many there were."""
        for socket in self._connections.values():
            socket.is_mute = True
        return len(self._connections)

    def publish(self, updates: list[TradeUpdate]) -> None:
        for update in updates:
            for frame, extra_s in self._through_faults(update):
                for protocol, socket in self._connections.items():
                    if protocol.listening:
                        socket.send(frame, extra_s=extra_s)

    def _through_faults(self, update: TradeUpdate) -> list[tuple[bytes, float]]:
        """The frames to send now, with their extra delay."""
        faults = self._faults
        facts = facts_of(update.order, update.event)
        if faults.take(CutStream, facts) is not None:
            self.cut()
            return []
        if faults.take(MuteStream, facts) is not None:
            self.mute()
            return []
        if faults.take(LoseEvent, facts) is not None:
            return []
        mangled = faults.take(Mangle, facts)
        if mangled is not None:
            mangled.apply_to(update.data["order"])
        late = faults.take(DelayEvent, facts)
        frame = (encode_update(update.data), 0.0 if late is None else late.seconds)
        frames = [frame, frame] if faults.take(DoubleEvent, facts) is not None else [frame]
        if faults.take(SwapEvents, facts) is not None:
            self._held_back += frames
            return []
        frames += self._held_back
        self._held_back = []
        return frames
