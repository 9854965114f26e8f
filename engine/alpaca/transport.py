"""One HTTP session to one broker: each request goes out at most once and ends by its deadline.

What the session does not do is the point of it. It does not resend: aiohttp repeats GET, PUT and DELETE by itself
when a reused connection turns out to be dropped, so a middleware turns that failure into an error the session doesn't
repeat. It does not follow redirects, which would carry the keys elsewhere. It keeps no cookies, reads no proxy
variables, and holds no default headers, so that the keys are on REST requests alone.

Connections are kept open between requests, in any number: an exit never waits for one to become free (the request
budget bounds them). ``sent_at_s`` is taken from aiohttp's ``on_request_headers_sent`` signal. Headers and a small body
leave in one write, in the same step of the loop, right after that signal: it is the time of the first byte to some
microseconds.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
from yarl import URL

from engine.alpaca.credentials import Unshown
from engine.alpaca.endpoint_times import EndpointTimes
from engine.alpaca.endpoints import Access, Endpoint
from engine.alpaca.outcomes import FailureKind, Response, TransportFailure
from engine.clock import Clock

KEEP_ALIVE_S: Final = 45.0
"""Below the minute after which load balancers usually drop idle connections, so that we drop them first."""
DNS_CACHE_S: Final = 300
RECENT_REQUESTS: Final = 256
WEBSOCKET_CLOSE_S: Final = 1.0
"""How long to wait for the other side's closing frame."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer with its times (monotonic seconds)."""

    response: Response
    sent_at_s: float
    """The first byte of the request was written."""
    answered_at_s: float
    """The last byte of the answer was read."""
    opened_connection: bool
    """Whether a connection had to be opened first; then ``sent_at_s`` lies that much after the call."""


class RequestFailed(Exception):
    """No whole answer came."""

    def __init__(self, failure: TransportFailure) -> None:
        super().__init__(f"{failure.kind.value}: {failure.detail}")
        self.failure = failure


@dataclass(frozen=True, slots=True)
class RecentRequest:
    """For the support desk, which asks for request ids and cannot look them up later."""

    at: datetime
    method: str
    path: str
    status_code: int
    request_id: str | None
    took_ms: float


class _ConnectionLost(aiohttp.ClientError):
    """A sent request's connection broke. Not of the types that aiohttp resends on."""


@dataclass(slots=True, eq=False)
class _Trace:
    sent_at_s: float | None = None
    opened_connection: bool = False


class Transport:
    """Use ``open_transport``."""

    def __init__(self, session: aiohttp.ClientSession, access: Access, clock: Clock) -> None:
        self._session = session
        self._access = access
        self._clock = clock
        self.recent: deque[RecentRequest] = deque(maxlen=RECENT_REQUESTS)
        """The last answers, oldest first."""
        self.times = EndpointTimes()
        self.last_answer_at_s: float | None = None
        self._writes: set[_Trace] = set()

    @property
    def is_sending(self) -> bool:
        """A write is under way whose first byte has not left."""
        return any(trace.sent_at_s is None for trace in self._writes)

    @property
    def endpoint(self) -> Endpoint:
        return self._access.endpoint

    @property
    def access(self) -> Access:
        return self._access

    @property
    def clock(self) -> Clock:
        return self._clock

    async def exchange(
        self,
        method: str,
        url: URL,
        *,
        deadline_s: float,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """Send once, and read the whole answer, in at most ``deadline_s`` seconds.

        Raises:
            RequestFailed: no whole answer came; its ``failure.was_sent`` says whether the broker may have read it.
        """
        trace = _Trace()
        failure: TransportFailure | None = None
        started_at_s = self._clock.monotonic_s()
        if method != "GET":
            self._writes.add(trace)
        try:
            async with (
                asyncio.timeout(deadline_s),
                self._session.request(
                    method,
                    url,
                    params=params,
                    data=body,
                    headers=self._headers(has_body=body is not None),
                    allow_redirects=False,
                    trace_request_ctx=trace,
                ) as answer,
            ):
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = _failure_from(error, was_sent=trace.sent_at_s is not None)
        finally:
            self._writes.discard(trace)
        if failure is not None:
            # Raised apart from what the library raised: its frames hold the request with the keys as bytes.
            raise RequestFailed(failure)
        answered_at_s = self._clock.monotonic_s()
        self.last_answer_at_s = answered_at_s
        response = Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, content)
        took_ms = (answered_at_s - started_at_s) * 1_000
        self.times.note(method, url.path, answer.status, took_ms)
        self.recent.append(
            RecentRequest(
                at=self._clock.now(),
                method=method,
                path=url.path,
                status_code=answer.status,
                request_id=response.request_id,
                took_ms=took_ms,
            )
        )
        sent_at_s = trace.sent_at_s
        assert sent_at_s is not None, "an answer came to a request that was never sent"
        return Reply(response, sent_at_s, answered_at_s, trace.opened_connection)

    def _headers(self, *, has_body: bool) -> dict[str, str]:
        keys = self._access.keys
        headers = {
            "APCA-API-KEY-ID": Unshown(keys.key_id),
            "APCA-API-SECRET-KEY": keys.secret.reveal(),
            "Accept": "application/json",
        }
        return {**headers, "Content-Type": "application/json"} if has_body else headers

    async def open_websocket(self, url: URL, *, heartbeat_s: float) -> aiohttp.ClientWebSocketResponse[bool]:
        """An open websocket that pings after ``heartbeat_s`` of silence and gives up half that later.

        The keys are not on the handshake: both of Alpaca's streams take them in a message. Raises aiohttp's errors.
        """
        return await self._session.ws_connect(
            url,
            heartbeat=heartbeat_s,
            timeout=aiohttp.ClientWSTimeout(ws_close=WEBSOCKET_CLOSE_S),
        )


@asynccontextmanager
async def open_transport(access: Access, clock: Clock) -> AsyncIterator[Transport]:
    """A session for as long as the block runs."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=DNS_CACHE_S)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # each request has its own deadline
        trace_configs=[_tracing(clock)],
        middlewares=(_never_resend,),
    ) as session:
        yield Transport(session, access, clock)


async def _never_resend(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """The session repeats idempotent verbs on these two errors alone (``ClientSession._request``)."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was sent, and the session doesn't repeat it
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionLost(str(error) or type(error).__name__) from error


def _tracing(clock: Clock) -> aiohttp.TraceConfig:
    config = aiohttp.TraceConfig()

    async def headers_sent(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
        if isinstance(trace := context.trace_request_ctx, _Trace):
            trace.sent_at_s = clock.monotonic_s()

    async def connection_opened(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
        if isinstance(trace := context.trace_request_ctx, _Trace):
            trace.opened_connection = True

    config.on_request_headers_sent.append(headers_sent)
    config.on_connection_create_end.append(connection_opened)
    return config


def _failure_from(error: Exception, *, was_sent: bool) -> TransportFailure:
    detail = str(error) or type(error).__name__
    if not was_sent:
        if isinstance(error, TimeoutError):
            return TransportFailure(FailureKind.TIMEOUT_CONNECT)
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return TransportFailure(FailureKind.DNS, detail)
        if isinstance(error, aiohttp.ClientSSLError | aiohttp.ServerFingerprintMismatch):
            return TransportFailure(FailureKind.TLS, detail)
        return TransportFailure(FailureKind.CONNECT_REFUSED, detail)
    if isinstance(error, TimeoutError):
        return TransportFailure(FailureKind.TIMEOUT_AFTER_SEND)
    if isinstance(error, aiohttp.ClientResponseError):
        return TransportFailure(FailureKind.GARBAGE, type(error).__name__)
    return TransportFailure(FailureKind.RESET_AFTER_SEND, detail)
