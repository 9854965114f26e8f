"""Settles orders of unknown fate: look up first, at most one resend of the same body under the same id, else a person.

The broker's uniqueness of client ids is the idempotency key: sending the very same body twice can make one order only.
An entry is resent while its approval is fresh and the gate still says yes, an exit while its shares are uncovered. A
replacement is never resent: the order that it would have replaced tells whether it came, and keeps its terms if not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from engine.alpaca import wire
from engine.alpaca.budget import Lane
from engine.alpaca.client import AlpacaClient
from engine.book import Book
from engine.bus import Change
from engine.clock import Clock
from engine.errors import BrokerError
from engine.gateway import Gateway
from engine.model import events as ev
from engine.model.order import Evidence, Order
from engine.model.words import OrderRole, Purpose, Source
from engine.recorder import Recorder
from engine.tasks import Spawn
from engine.views_truth import UnknownView

log = logging.getLogger(__name__)

LOOK_UP_AFTER_S: Final = (0.2, 0.4, 0.8, 1.6)
"""The settle time: a broker that accepted an order shows it within these steps."""
LOOK_UP_EVERY_S: Final = 5.0
"""Afterwards, until somebody knows."""


class LookUp(msgspec.Struct, frozen=True, kw_only=True):
    """What has been found out so far about an order of unknown fate. Times are the wall clock's."""

    asked: int = 0
    misses: int = 0
    """Times the broker answered that it does not know the order."""
    said: str = "not asked yet"
    at: datetime | None = None
    """Of the newest answer, or of the newest failure to get one."""
    request_id: str | None = None
    next_at: datetime | None = None
    """When the broker is asked next; None while it is being asked, or when nobody asks any more."""


class Resolver:
    def __init__(
        self,
        client: AlpacaClient,
        recorder: Recorder,
        book: Book,
        clock: Clock,
        *,
        may_resend: Callable[[Order], bool],
    ) -> None:
        """``may_resend`` asks the gate whether an entry may still be sent, and the ledger whether an exit is wanted."""
        self._client = client
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._may_resend = may_resend
        self._gateway: Gateway | None = None
        self._spawn: Spawn | None = None
        self._bodies: dict[str, tuple[dict[str, Any], Purpose]] = {}
        self._at_work: set[str] = set()
        self.look_ups: dict[str, LookUp] = {}
        """By order id, of those that are being found out about. Not journaled: a process knows its own look-ups."""

    def start(self, spawn: Spawn, gateway: Gateway) -> None:
        self._spawn, self._gateway = spawn, gateway

    def remember(self, records: Sequence[ev.Recorded]) -> None:
        """Keep the bodies of intents without an answer: a resend sends the same bytes."""
        for record in records:
            event = record.event
            if isinstance(event, ev.OrderIntended):
                self._bodies[event.order.id] = (event.body, event.purpose)
            elif isinstance(event, ev.OrderReported | ev.OrderRefused | ev.OrderNeverReached):
                self._bodies.pop(event.order_id, None)
                self._ask_for_legs(event.order_id)

    def _ask_for_legs(self, order_id: str) -> None:
        """The broker has what it refused, or what was given up: no answer will ever tell the names of its legs."""
        order = self._book.orders[order_id]
        if (order.was_refused_in_vain or order.revived_at is not None) and self._is_unknown(order_id):
            self.settle(order_id)

    def settle(self, order_id: str) -> None:
        """Begin to find out about an order, in a task of its own."""
        assert self._spawn is not None
        if order_id not in self._at_work:
            self._at_work.add(order_id)
            self._spawn(f"settle-{order_id}", self._settle(order_id))

    async def _settle(self, order_id: str) -> None:
        try:
            resent = False
            looks = misses = 0
            while self._is_unknown(order_id):
                in_time = looks < len(LOOK_UP_AFTER_S)
                wait_s = LOOK_UP_AFTER_S[looks] if in_time else LOOK_UP_EVERY_S
                self._note(order_id, next_at=self._clock.now() + timedelta(seconds=wait_s))
                await self._clock.sleep(wait_s)
                looks += 1
                found = await self.look_up(order_id)
                if found is None:  # the broker answered, and does not know it
                    misses += 1
                if misses >= len(LOOK_UP_AFTER_S):
                    if self._book.orders[order_id].replaces is not None:
                        await self._look_at_the_replaced(order_id)
                    elif not resent:
                        resent = await self._resend(order_id)
        finally:
            self._at_work.discard(order_id)
            self.look_ups.pop(order_id, None)

    def _note(self, order_id: str, **news: Any) -> None:
        self.look_ups[order_id] = msgspec.structs.replace(self.look_ups.get(order_id, LookUp()), **news)

    def _note_answer(self, order_id: str, said: str, request_id: str | None, *, missed: bool = False) -> None:
        known = self.look_ups.get(order_id, LookUp())
        self._note(
            order_id,
            asked=known.asked + 1,
            misses=known.misses + missed,
            said=said,
            at=self._clock.now(),
            request_id=request_id,
            next_at=None,
        )
        self._recorder.tell(Change("order", order_id))

    def evidence_of(self, order_id: str) -> str:
        """What the verdict rests on, in words for the record."""
        found = self.look_ups.get(order_id, LookUp())
        request = f", request {found.request_id}" if found.request_id else ""
        at = f" at {found.at:%H:%M:%S} UTC" if found.at is not None else ""
        return f"not known in {found.misses} of {found.asked} look-ups, the last{at}{request}"

    def _is_unknown(self, order_id: str) -> bool:
        """Unknown itself, or known with legs whose names only the lost answer told."""
        order = self._book.orders[order_id]
        if order.unresolved_since is not None and order.is_open:
            return True
        legs = self._book.orders_of(order.bracket_id) if order.bracket_id is not None and order.broker_id else ()
        return any(leg.parent_id == order_id and leg.is_open and leg.broker_id is None for leg in legs)

    async def look_up(self, order_id: str) -> bool | None:
        """True: found, and in the book. None: the broker does not know it. False: the broker could not be asked."""
        order = self._book.orders[order_id]
        assert self._gateway is not None
        assert order.client_order_id is not None
        lane = Lane.ENTRY if order.role is OrderRole.ENTRY else Lane.EXIT
        try:
            answer = await self._client.order_by_client_id(order.client_order_id, lane=lane)
            if answer.value is None:
                self._note_answer(order_id, "the broker does not know it", answer.request_id, missed=True)
                return None
            nested = await self._client.order(answer.value.id, lane=lane)
        except BrokerError as lost:
            log.info("look-up of %s failed: %s", order_id, lost)
            self._note_answer(order_id, f"no answer: {lost.operator_text}", lost.request_id)
            return False
        found: wire.Order = nested.value or answer.value
        proof = Evidence(source=Source.REST, id=nested.request_id, at=self._clock.now())
        self._gateway.take_answer(order_id, found, proof)
        return True

    async def _look_at_the_replaced(self, order_id: str) -> None:
        """The broker does not know a replacement: read the order that it was for, which settles both."""
        order = self._book.orders[order_id]
        old = self._book.orders[order.replaces or ""]
        assert self._gateway is not None
        if old.broker_id is None:
            return
        try:
            answer = await self._client.order(old.broker_id, lane=Lane.EXIT)
        except BrokerError as lost:
            log.info("look at %s, which %s was to replace, failed: %s", old.id, order_id, lost)
            return
        if answer.value is not None:
            proof = Evidence(source=Source.REST, id=answer.request_id, at=self._clock.now())
            self._gateway.take_answer(old.id, answer.value, proof)
            if answer.value.status == "pending_replace":
                return  # it may still be ours: the look-ups go on
        if self._is_unknown(order_id):
            heard = self.evidence_of(order_id)
            why = f"The broker does not know it ({heard}), and {old.id} shows no replacement of ours."
            self._recorder.record(ev.OrderNeverReached(order_id=order_id, why=why))

    async def _resend(self, order_id: str) -> bool:
        """Once, the same body under the same id, when that is still wanted. False: the request limit stopped it."""
        order = self._book.orders[order_id]
        known = self._bodies.get(order_id)
        assert self._gateway is not None
        if known is None:
            return True
        if not self._may_resend(order):
            if order.role is OrderRole.ENTRY:
                log.warning("%s stays unknown: it is not sent again", order_id)
            else:
                why = f"The broker does not know it ({self.evidence_of(order_id)}); its shares are covered or gone."
                self._recorder.record(ev.OrderNeverReached(order_id=order_id, why=why))
            return True
        body, purpose = known
        log.warning("%s never arrived: sent once more under the same id", order_id)
        submitted = await self._gateway.send(order, body, purpose)
        return not submitted.is_deferred


def unknown_view(order: Order, found: LookUp | None, now: datetime) -> UnknownView | None:
    """What a person is shown of an order of unknown fate; None of any other."""
    if order.unresolved_since is None:
        return None
    found = found or LookUp()
    return UnknownView(
        since=order.unresolved_since,
        age_s=max(0.0, (now - order.unresolved_since).total_seconds()),
        looks=found.asked,
        misses=found.misses,
        said=found.said,
        looked_at=found.at,
        request_id=found.request_id,
        next_look_at=found.next_at,
    )
