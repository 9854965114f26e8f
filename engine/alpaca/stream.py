"""A websocket that stays connected: the part that both of Alpaca's streams share.

``run`` is the owner's task: connect, greet (authenticate, listen or subscribe), read until the connection breaks, wait,
again. It only parses and appends to a bounded queue; whoever iterates works at its own pace. When the queue is full the
reader stops reading and nothing is dropped silently: a consumer stalled for seconds loses the connection, and is told.

The items say what happened to the connection as well (``Connected``, ``Disconnected``, ...), in order with the
messages: after each ``Connected`` everything before it may have gaps, and the account has to be read again.

A dead peer is noticed by our own pings: after ``HEARTBEAT_S`` of silence one is sent, and after half of that again the
connection counts as lost.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from yarl import URL

from engine.alpaca.reading import Malformed, Unreadable, decode, unreadable_from
from engine.alpaca.retry import Backoff
from engine.alpaca.transport import WEBSOCKET_CLOSE_S, Transport

HEARTBEAT_S: Final = 3.0
"""A lost peer shows after 4.5 s at the latest."""
GREETING_DEADLINE_S: Final = 10.0
"""From the first packet of a connection until the broker has confirmed what was asked for."""
FRAMES_A_TURN: Final = 10
QUEUE_SIZE: Final = 10_000
HTTP_UNAUTHORIZED: Final = 401
HTTP_TOO_MANY: Final = 429

type Socket = aiohttp.ClientWebSocketResponse[bool]

_DATA: Final = frozenset({aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY})


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream stands and is confirmed. What happened before it is not in it: read the account again."""

    at_s: float
    """Monotonic."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """No stream now; ``run`` connects again after ``retry_in_s``."""

    at_s: float
    why: str
    retry_in_s: float


@dataclass(frozen=True, slots=True)
class SlotTaken:
    """The broker allows one connection and another has it. ``run`` keeps trying: a stale one is reaped in time."""

    at_s: float
    retry_in_s: float
    why: str = "stream slot taken (our old connection or another program)"


@dataclass(frozen=True, slots=True)
class AuthFailed:
    """The keys are refused. Final: ``run`` ends."""

    at_s: float
    why: str


type Lifecycle = Connected | Disconnected | SlotTaken | AuthFailed


class GreetingFailed(Exception):
    """The connection cannot be used. Never leaves ``run``."""


class SlotIsTaken(GreetingFailed):
    """Another connection has the slot."""


class KeysAreRefused(GreetingFailed):
    """Trying again with these keys is pointless."""


class Stream[Item](ABC):
    """A reconnecting websocket; subclasses know the greeting and the messages.

    One task runs ``run()``, one iterates (``async for item in stream``). Canceling the first closes the socket, and
    ends the iteration once what was received has been taken.
    """

    def __init__(self, transport: Transport, url: URL, *, rng: random.Random | None = None) -> None:
        self._transport = transport
        self._clock = transport.clock
        self._url = url
        self._backoff = Backoff(rng=rng)
        self._items: deque[Item | Lifecycle | Unreadable] = deque()
        self._has_items = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_ended = False
        self._socket: Socket | None = None
        self._given_up_for = ""

    @property
    def is_connected(self) -> bool:
        """The connection stands and the broker has confirmed the stream on it."""
        return self._socket is not None

    async def run(self) -> None:
        """Stay connected until canceled, or until the keys are refused."""
        self._has_ended = False
        try:
            while True:
                ended = await self._connection()
                self._append(ended)
                if isinstance(ended, AuthFailed):
                    return
                await self._clock.sleep(ended.retry_in_s)
        finally:
            self._has_ended = True
            self._has_items.set()

    async def give_up(self, why: str) -> None:
        """Leave the connection that stands, which is no use, for a new one."""
        if self._socket is not None:
            self._given_up_for = why
            await _close(self._socket)

    async def __aiter__(self) -> AsyncIterator[Item | Lifecycle | Unreadable]:
        while batch := await self.batch(1):
            yield batch[0]

    async def batch(self, limit: int = 500) -> list[Item | Lifecycle | Unreadable]:
        """At least one item and whatever else is there already, in order; empty once the stream has ended."""
        while not self._items and not self._has_ended:
            self._has_items.clear()
            await self._has_items.wait()
        batch = [self._items.popleft() for _ in range(min(limit, len(self._items)))]
        self._has_room.set()
        return batch

    # -- what a stream must know ----------------------------------------------------------------------------------

    @abstractmethod
    async def _greet(self, socket: Socket) -> None:
        """Talk until the broker has confirmed the stream. Raises ``GreetingFailed``."""

    async def _confirmed(self, socket: Socket) -> None:  # noqa: B027 - of use to some streams only
        """Called when ``Connected`` has been announced."""

    @abstractmethod
    def _items_from(self, message: object, arrived_at_s: float) -> Iterable[Item | Unreadable]:
        """What one message holds. Raises ``Malformed``; ``GreetingFailed`` gives the connection up."""

    async def _receive(self, socket: Socket) -> Any:
        """The next message of a greeting, decoded. Raises ``GreetingFailed`` when the other side has closed."""
        frame = await socket.receive()
        if frame.type not in _DATA:
            raise GreetingFailed(f"closed during the greeting: {_ending(socket, frame.extra)}")
        try:
            return decode(frame.data)
        except Malformed as error:
            raise GreetingFailed(f"unreadable greeting: {error}") from error

    # -- one connection -------------------------------------------------------------------------------------------

    async def _connection(self) -> Disconnected | SlotTaken | AuthFailed:
        """From the first packet to the end of one connection, whatever ends it."""
        socket: Socket | None = None
        confirmed_at_s: float | None = None
        try:
            async with asyncio.timeout(GREETING_DEADLINE_S):
                socket = await self._transport.open_websocket(self._url, heartbeat_s=HEARTBEAT_S)
                await self._greet(socket)
            confirmed_at_s = self._clock.monotonic_s()
            self._socket, self._given_up_for = socket, ""
            self._append(Connected(confirmed_at_s))
            await self._confirmed(socket)
            why = await self._read(socket)
        except KeysAreRefused as error:
            return AuthFailed(self._clock.monotonic_s(), str(error))
        except SlotIsTaken:
            return SlotTaken(self._clock.monotonic_s(), self._backoff.failed())
        except (GreetingFailed, Malformed) as error:
            why = str(error)
        except aiohttp.WSServerHandshakeError as error:
            # Never chained or logged as it is: it carries the request.
            if error.status == HTTP_TOO_MANY:
                return SlotTaken(self._clock.monotonic_s(), self._backoff.failed())
            if error.status == HTTP_UNAUTHORIZED:
                return AuthFailed(self._clock.monotonic_s(), "the broker does not accept the keys (HTTP 401)")
            why = f"the broker refused the connection (HTTP {error.status})"
        except TimeoutError:
            why = f"no confirmation in {GREETING_DEADLINE_S:.0f} s"
        except (aiohttp.ClientError, OSError) as error:
            why = str(error) or type(error).__name__
        finally:
            self._socket = None
            if socket is not None:
                await _close(socket)
        now_s = self._clock.monotonic_s()
        was_up_s = 0.0 if confirmed_at_s is None else now_s - confirmed_at_s
        return Disconnected(now_s, why, self._backoff.failed(was_up_s=was_up_s))

    async def _read(self, socket: Socket) -> str:
        """Read until the connection ends; why it did."""
        frames = 0
        while True:
            frames += 1
            frame = await socket.receive()
            if frames % FRAMES_A_TURN == 0:
                # ``receive`` does not suspend while frames are buffered: a backlog must not keep the loop.
                await self._clock.sleep(0)
            if frame.type not in _DATA:
                return self._given_up_for or _ending(socket, frame.extra)
            try:
                for item in self._items_from(decode(frame.data), self._clock.monotonic_s()):
                    self._append(item)
            except Malformed as error:
                self._append(unreadable_from(frame.data, error))
            while len(self._items) >= QUEUE_SIZE:
                self._has_room.clear()
                await self._has_room.wait()

    def _append(self, item: Item | Lifecycle | Unreadable) -> None:
        self._items.append(item)
        self._has_items.set()


async def _close(socket: Socket) -> None:
    """Politely, so that the broker frees the slot; but a peer that keeps talking doesn't keep us."""
    with suppress(TimeoutError):
        async with asyncio.timeout(WEBSOCKET_CLOSE_S):
            await socket.close()


def _ending(socket: Socket, reason: object) -> str:
    if (error := socket.exception()) is not None:
        return str(error) or type(error).__name__
    return f"closed by the broker (code {socket.close_code}{f': {reason}' if reason else ''})"
