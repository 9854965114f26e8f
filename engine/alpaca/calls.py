"""The one way a request takes: slot, wire, classifier, value.

Each call takes a slot of the request budget in its lane, sends once, and returns an ``Answer`` with its evidence
(request id, times) or raises the classifier's ``BrokerError``. Nothing is sent twice here: repeating is a decision, and
its policies are in ``retry``.

``deadline_s`` counts from the moment the slot is held, so that waiting for the budget never eats the time the broker
has to answer. A caller that must decide between slot and sending (an approved entry is gated again when its turn
comes) takes the slot itself and passes it on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from yarl import URL

from engine.alpaca.budget import Lane, RateBudget, Slot
from engine.alpaca.errors import NotFound, Purpose, Verb, classify, retry_after_s
from engine.alpaca.reading import Malformed, Rows, decode_object, read_rows, split_rows
from engine.alpaca.transport import Reply, RequestFailed, Transport
from engine.errors import BrokerError

READ_DEADLINE_S: Final = 10.0
MULTI_STATUS: Final = 207
WRITE_DEADLINE_S: Final = 10.0
"""A symbol's lock is held no longer than this."""

LANE_OF_PURPOSE: Final[Mapping[Purpose, Lane]] = {
    Purpose.CLOSE: Lane.EXIT,
    Purpose.CANCEL: Lane.EXIT,
    Purpose.PROTECT: Lane.PROTECT,
    Purpose.ENTRY: Lane.ENTRY,
    Purpose.REPLACE: Lane.ENTRY,
    Purpose.CONFIGURE: Lane.EXIT,
    Purpose.READ: Lane.READ,
}


@dataclass(frozen=True, slots=True)
class Answer[T]:
    """A value with the evidence for it."""

    value: T
    request_id: str | None
    status_code: int
    sent_at_s: float
    """Monotonic time at which the first byte of the request was written."""
    answered_at_s: float
    """Monotonic time at which the last byte of the answer was read."""
    opened_connection: bool = False
    """A connection had to be opened first: the request took longer than its round trip."""
    rate_limit: int | None = None
    """Requests a minute, where the answer's headers say."""
    rate_remaining: int | None = None

    def holding[U](self, value: U) -> Answer[U]:
        """The same evidence for a value made of this one."""
        return Answer(
            value,
            self.request_id,
            self.status_code,
            self.sent_at_s,
            self.answered_at_s,
            self.opened_connection,
            self.rate_limit,
            self.rate_remaining,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What goes out, and under which rules."""

    verb: Verb
    purpose: Purpose
    method: str
    path: str
    """Percent-encoded."""
    params: Mapping[str, str]
    body: bytes | None = None
    lane: Lane
    deadline_s: float


class Caller:
    """Requests to one host under one budget."""

    def __init__(self, transport: Transport, base_url: URL, budget: RateBudget) -> None:
        self._transport = transport
        self._base_url = str(base_url).rstrip("/")
        self._budget = budget
        self._clock = transport.clock

    async def call[T](self, request: Request, reader: Callable[[bytes], T], *, slot: Slot | None = None) -> Answer[T]:
        """Send, and read the answer with ``reader`` (which raises ``Malformed``). Raises ``BrokerError``."""
        reply = await self._exchange(request, slot)
        if error := self._error_in(reply, request):
            raise error
        return self._read(reply, request, reader)

    async def find[T](self, request: Request, reader: Callable[[bytes], T]) -> Answer[T | None]:
        """Like ``call``; None when the broker says that there is no such thing."""
        reply = await self._exchange(request, None)
        error = self._error_in(reply, request)
        if isinstance(error, NotFound):
            return _answer(reply, None)
        if error:
            raise error
        found = self._read(reply, request, reader)
        return found.holding(found.value)

    async def _exchange(self, request: Request, slot: Slot | None) -> Reply:
        if slot is None:
            slot = await self._budget.acquire(request.lane)
        try:
            reply = await self._transport.exchange(
                request.method,
                URL(self._base_url + request.path, encoded=True),
                params=request.params,
                body=request.body,
                deadline_s=request.deadline_s,
            )
        except RequestFailed as error:
            if not error.failure.was_sent:
                slot.give_back()
            raise classify(error.failure, request.verb, request.purpose) from error
        finally:
            slot.spend()
        headers = reply.response.headers
        wait_s = retry_after_s(headers, self._clock.now().timestamp())
        self._budget.observe(_whole(headers, "x-ratelimit-limit"), _whole(headers, "x-ratelimit-remaining"), wait_s)
        if reply.response.status == 429:
            self._budget.refused(wait_s)
        return reply

    def _error_in(self, reply: Reply, request: Request) -> BrokerError | None:
        status = reply.response.status
        is_rows = status == MULTI_STATUS and request.verb is not Verb.READ  # of one write, no row is the answer
        if 200 <= status < 300 and not is_rows:
            return None
        now_unix_s = self._clock.now().timestamp()
        return classify(reply.response, request.verb, request.purpose, now_unix_s=now_unix_s)

    def _read[T](self, reply: Reply, request: Request, reader: Callable[[bytes], T]) -> Answer[T]:
        response = reply.response
        try:
            if response.body and not response.is_json:
                raise Malformed(f"expected JSON, found {response.headers.get('content-type', 'no content type')}")
            return _answer(reply, reader(response.body))
        except Malformed as error:
            raise classify(response, request.verb, request.purpose) from error


def object_reader[T](reader: Callable[[dict[str, Any]], T]) -> Callable[[bytes], T]:
    """For a body that is one JSON object."""
    return lambda body: reader(decode_object(body))


def rows_reader[T](reader: Callable[[dict[str, Any]], T]) -> Callable[[bytes], Rows[T]]:
    """For a body that is a JSON array."""
    return lambda body: read_rows(split_rows(body), reader)


def params_from(**values: str | int | bool | datetime | Iterable[str] | None) -> dict[str, str]:
    """Query parameters as the API writes them; None and empty ones are left out."""
    params = {}
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, datetime):
            text = value.isoformat()
        elif isinstance(value, str | int):
            text = str(value)
        else:
            text = ",".join(value)
        if text:
            params[name] = text
    return params


def _answer[T](reply: Reply, value: T) -> Answer[T]:
    headers = reply.response.headers
    return Answer(
        value,
        reply.response.request_id,
        reply.response.status,
        reply.sent_at_s,
        reply.answered_at_s,
        reply.opened_connection,
        _whole(headers, "x-ratelimit-limit"),
        _whole(headers, "x-ratelimit-remaining"),
    )


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None
