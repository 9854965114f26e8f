"""Every write to the broker: intent on disk, one request, the classified answer as facts.

Nothing else in the desk calls ``submit``, ``replace`` or ``cancel`` of the adapter. A write ends in one of four ways,
and the book knows which: the broker has it, the broker refused it, it provably never left, or its fate is unknown.
The last is settled by ``pipeline/resolve.py``, which is told of it here. An entry that met the broker's request limit
ends in none of them: nothing happened, and it waits for its turn under the intent that is on disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import msgspec
from tenacity import AsyncRetrying

from engine.alpaca import wire
from engine.alpaca.budget import Lane, Slot
from engine.alpaca.calls import Answer
from engine.alpaca.client import AlpacaClient
from engine.alpaca.outcomes import Purpose as WirePurpose
from engine.alpaca.refusals import AlreadyDone, DuplicateClientOrderId, NotFound, WaitsFor
from engine.alpaca.retry import cancels, exits, is_limit, protect, submits
from engine.book import Book
from engine.busts import Busts
from engine.clock import Clock
from engine.errors import (
    AmbiguousError,
    BrokerError,
    IllegalTransition,
    InvariantViolated,
    JournalUnavailable,
    NotYetError,
    RetryableError,
    TerminalError,
)
from engine.model import events as ev
from engine.model.order import Evidence, Order
from engine.model.words import Purpose, Source
from engine.recorder import Recorder
from engine.reports import leg_of, report_from

log = logging.getLogger(__name__)

WRITE_DEADLINE_S: Final = 10.0
CHECK_DEADLINE_S: Final = 2.0
SPARE_REQUESTS: Final = 10
REPLACING: Final = frozenset({"replaced", "pending_replace"})

POLICY_OF: Final[Mapping[Purpose, Callable[[Clock], AsyncRetrying]]] = {
    Purpose.ENTRY: submits,
    Purpose.REPLACE: submits,
    Purpose.PROTECT: protect,
    Purpose.CLOSE: exits,
}


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """How a submit or a replace ended. Times are the loop's seconds."""

    order_id: str
    error: BrokerError | JournalUnavailable | None = None
    """None: the broker has the order, or it was withdrawn before it was sent."""
    is_unknown: bool = False
    is_deferred: bool = False
    """The request limit stopped an entry: it was not processed, and may be sent when a request is free again."""
    journaled_at_s: float = 0.0
    sent_at_s: float | None = None
    answered_at_s: float | None = None


class Gateway:
    def __init__(
        self,
        client: AlpacaClient,
        recorder: Recorder,
        book: Book,
        clock: Clock,
        busts: Busts,
        *,
        unsettled: Callable[[str], None],
        surprised: Callable[[str], None],
        answered: Callable[[], None],
    ) -> None:
        """``unsettled`` is told the id of an order of unknown fate, ``surprised`` of a report that cannot be true,
        ``answered`` that ids of new orders have become known."""
        self._client = client
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._busts = busts
        self._unsettled = unsettled
        self._surprised = surprised
        self._answered = answered
        self._canceling: list[str] = []
        """Orders whose cancel is being asked for, once for each who asks."""

    @property
    def has_spare_requests(self) -> bool:
        """Whether the budget has room for what is useful and not urgent."""
        return self._client.budget.remaining(Lane.READ) > SPARE_REQUESTS

    # --- submit ------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def entry_slot(self, within_s: float) -> AsyncIterator[Slot | None]:
        """A request of the budget for an entry, waited for ``within_s`` seconds; None when there was none."""
        async with AsyncExitStack() as stack:
            slot = None
            try:
                async with asyncio.timeout(max(0.0, within_s)):
                    slot = await stack.enter_async_context(self._client.budget.slot(Lane.ENTRY))
            except TimeoutError:
                log.info("no request was left in the budget for an entry")
            yield slot

    async def submit(
        self,
        intent: ev.OrderIntended,
        *before: ev.AnyEvent,
        slot: Slot | None = None,
        why_not: Callable[[], str | None] = lambda: None,
    ) -> Submitted:
        """Journal ``before`` and the intent as one group, then send. Never raises for what the broker says.

        ``why_not`` is asked when the intent is on disk: text ends it unsent, for what has become known meanwhile.
        """
        try:
            if intent.purpose is Purpose.ENTRY:
                await self._recorder.commit(*before, intent)
            else:
                await self._recorder.commit_exit(*before, intent)
        except JournalUnavailable as why:
            never = ev.OrderNeverReached(order_id=intent.order.id, why=f"The journal cannot be written: {why}.")
            self._recorder.record(never)
            return Submitted(order_id=intent.order.id, error=why)
        surplus = why_not()
        if surplus is not None:
            self.withdraw(intent.order.id, surplus)
            return Submitted(order_id=intent.order.id)
        return await self.send(intent.order, intent.body, intent.purpose, slot=slot)

    async def submit_group(
        self, intents: Sequence[ev.OrderIntended], *before: ev.AnyEvent, slot: Slot | None = None
    ) -> list[Submitted]:
        """An entry of one or more requests: all intents on disk as one group, then all of them sent at once."""
        first, *others = intents
        if not others:
            return [await self.submit(first, *before, slot=slot)]
        try:
            await self._recorder.commit(*before, *intents)
        except JournalUnavailable as why:
            text = f"The journal cannot be written: {why}."
            self._recorder.record(*(ev.OrderNeverReached(order_id=each.order.id, why=text) for each in intents))
            return [Submitted(order_id=each.order.id, error=why) for each in intents]
        return await self.send_group(intents, slot=slot)

    async def send_group(self, intents: Sequence[ev.OrderIntended], *, slot: Slot | None = None) -> list[Submitted]:
        """Send bodies whose intents are on disk. ``slot`` is the first one's; the others find their own."""
        slots = [slot, *[None] * (len(intents) - 1)]
        return await asyncio.gather(
            *(
                self.send(each.order, each.body, each.purpose, slot=own)
                for each, own in zip(intents, slots, strict=True)
            )
        )

    async def send(
        self, order: Order, body: dict[str, Any], purpose: Purpose, *, slot: Slot | None = None
    ) -> Submitted:
        """Send a body whose intent is on disk. Also used to send the very same one again."""
        journaled_at_s = self._clock.monotonic_s()
        try:
            async for attempt in POLICY_OF[purpose](self._clock):
                with attempt:
                    first = attempt.retry_state.attempt_number == 1
                    answer = await self._client.submit(
                        body,
                        purpose=WirePurpose(purpose.value),
                        deadline_s=WRITE_DEADLINE_S,
                        slot=slot if first else None,
                    )
        except (DuplicateClientOrderId, AmbiguousError) as lost:
            return self._unknown(order.id, lost, journaled_at_s)
        except (TerminalError, NotYetError, RetryableError) as refused:
            if self._is_at_broker(order.id):
                return self._refused_in_vain(order.id, refused, journaled_at_s)
            if purpose is Purpose.ENTRY and is_limit(refused):
                return Submitted(order_id=order.id, error=refused, is_deferred=True, journaled_at_s=journaled_at_s)
            self._recorder.record(_refusal(order.id, refused))
            return Submitted(order_id=order.id, error=refused, journaled_at_s=journaled_at_s)
        self.take_answer(order.id, answer.value, self._proof(answer))
        if any(leg.is_open and leg.broker_id is None for leg in self._legs_of(order.id)):
            self._unsettled(order.id)  # an answer that does not tell the legs' names: they are looked up
        return Submitted(
            order_id=order.id,
            journaled_at_s=journaled_at_s,
            sent_at_s=answer.sent_at_s,
            answered_at_s=answer.answered_at_s,
        )

    def withdraw(self, order_id: str, why: str) -> None:
        """End an order that was not sent and is not wanted any more."""
        self._recorder.record(ev.OrderNeverReached(order_id=order_id, why=why))

    def _is_at_broker(self, order_id: str) -> bool:
        """Whether the broker has shown an order, whatever an answer says of it."""
        return self._book.orders[order_id].broker_id is not None

    def _refused_in_vain(self, order_id: str, error: BrokerError, journaled_at_s: float) -> Submitted:
        """The answer refuses what the order stream has already told of: it is believed, and read again."""
        log.warning("%s was refused and is at the broker all the same: %s", order_id, error)
        self._recorder.record(_refusal(order_id, error))
        self._surprised(self._book.orders[order_id].symbol)
        return Submitted(order_id=order_id, journaled_at_s=journaled_at_s)

    def _unknown(self, order_id: str, why: BrokerError, journaled_at_s: float) -> Submitted:
        self._recorder.record(ev.OrderUnresolved(order_id=order_id, text=why.operator_text))
        self._unsettled(order_id)
        return Submitted(order_id=order_id, error=why, is_unknown=True, journaled_at_s=journaled_at_s)

    def take_answer(self, order_id: str, found: wire.Order, proof: Evidence) -> None:
        """Fold an order as the broker shows it, with its legs, into the book."""
        self._report(order_id, found, proof)
        for leg_order in self._legs_of(order_id):
            leg = leg_of(found.legs, leg_order.role)
            if leg is not None and self._is_the_same(leg_order, leg):
                self._report(leg_order.id, leg, proof)
        self._answered()

    def _is_the_same(self, ours: Order, found: wire.Order) -> bool:
        """Whether a leg at the broker is this one: a replacement under way is not the order that it shall replace."""
        if ours.broker_id is not None:
            return ours.broker_id == found.id
        if ours.replaces is not None:
            return ours.client_order_id == found.client_order_id
        return self._book.order_of_broker_id.get(found.id) in (None, ours.id)

    def _legs_of(self, order_id: str) -> list[Order]:
        bracket_id = self._book.orders[order_id].bracket_id
        if bracket_id is None:
            return []
        return [order for order in self._book.orders_of(bracket_id) if order.parent_id == order_id]

    def _report(self, order_id: str, found: wire.Order, proof: Evidence) -> None:
        try:
            self._busts.report(order_id, report_from(found, proof))
        except (IllegalTransition, InvariantViolated) as surprise:
            log.warning("the broker's answer about %s cannot be true: %s", order_id, surprise)
            self._surprised(self._book.orders[order_id].symbol)

    def _proof(self, answer: Answer[Any]) -> Evidence:
        return Evidence(source=Source.ANSWER, id=answer.request_id, at=self._clock.now())

    # --- replace -----------------------------------------------------------------------------------------------------

    async def replace(self, intent: ev.ReplaceIntended, *, slot: Slot | None = None) -> Submitted:
        """PATCH an order under a new id of ours. A lost answer is settled by looking the new id up.

        With a ``slot`` it is sent once and now: what a person decided for this moment must not go out in another one.

        Alpaca has refused replacements that went through, so a refusal is believed once the old order shows no trace
        of one; that read also tells how the old order stands, which a refusal leaves open.
        """
        await self._recorder.commit_exit(intent)
        old, new = self._book.orders[intent.order_id], intent.order
        journaled_at_s = self._clock.monotonic_s()
        assert old.broker_id is not None
        try:
            answer = await self._patch(old.broker_id, intent, slot)
        except (DuplicateClientOrderId, AmbiguousError) as lost:
            return self._unknown(new.id, lost, journaled_at_s)
        except BrokerError as refused:
            if self._is_at_broker(new.id):
                return self._refused_in_vain(new.id, refused, journaled_at_s)
            if not isinstance(refused, RetryableError) and await self._was_replaced(old.id, old.broker_id):
                return self._unknown(new.id, refused, journaled_at_s)
            self._recorder.record(_refusal(new.id, refused))
            return Submitted(order_id=new.id, error=refused, journaled_at_s=journaled_at_s)
        self.take_answer(new.id, answer.value, self._proof(answer))
        return Submitted(
            order_id=new.id,
            journaled_at_s=journaled_at_s,
            sent_at_s=answer.sent_at_s,
            answered_at_s=answer.answered_at_s,
        )

    async def _patch(self, broker_id: str, intent: ev.ReplaceIntended, slot: Slot | None) -> Answer[wire.Order]:
        purpose = WirePurpose(intent.purpose.value)
        if slot is not None:
            return await self._client.replace(
                broker_id, intent.body, purpose=purpose, deadline_s=WRITE_DEADLINE_S, slot=slot
            )
        async for attempt in POLICY_OF[intent.purpose](self._clock):
            with attempt:
                return await self._client.replace(broker_id, intent.body, purpose=purpose, deadline_s=WRITE_DEADLINE_S)
        raise AssertionError("a policy ends with an answer or an error")

    async def _was_replaced(self, order_id: str, broker_id: str) -> bool:
        """Whether an order whose replacement was refused shows one. Without an answer the refusal stands."""
        found = await self._read(order_id, broker_id)
        return found is not None and (found.replaced_by is not None or found.status in REPLACING)

    async def _read(self, order_id: str, broker_id: str) -> wire.Order | None:
        """How an order stands that the broker did not touch, now in the book. Without an answer doubt is raised."""
        try:
            answer = await self._client.order(broker_id, lane=Lane.EXIT, deadline_s=CHECK_DEADLINE_S)
        except BrokerError as lost:
            log.info("how %s stands after a refusal: %s", order_id, lost)
            self._surprised(self._book.orders[order_id].symbol)
            return None
        if answer.value is not None:
            proof = Evidence(source=Source.REST, id=answer.request_id, at=self._clock.now())
            self.take_answer(order_id, answer.value, proof)
        return answer.value

    # --- cancel ------------------------------------------------------------------------------------------------------

    async def cancel(self, order_id: str, *, actor: str, reason: str) -> BrokerError | None:
        """Ask for a cancel; None when the broker took the wish, or the order is over already.

        Asking twice is harmless, so a lost answer is asked again. A wish that may have reached the broker stays on
        record whatever is answered later, and ``Withdrawal`` repeats it until the order's own state says how it ended.
        """
        may_be_there = self._book.orders[order_id].cancel_requested_at is not None
        await self._recorder.commit_exit(ev.CancelIntended(order_id=order_id, actor=actor, reason=reason))
        broker_id = self._book.orders[order_id].broker_id
        assert broker_id is not None
        self._canceling.append(order_id)
        try:
            async for attempt in cancels(self._clock):
                with attempt:
                    await self._client.cancel(broker_id, deadline_s=WRITE_DEADLINE_S)
        except (AlreadyDone, NotFound) as over:
            # The stream's word about how it ended is still on its way, or lost: read it. The wish stays on record,
            # so that nobody asks again meanwhile.
            log.info("cancel of %s: %s", order_id, over)
            await self._read(order_id, broker_id)
            self._surprised(self._book.orders[order_id].symbol)
            return None
        except BrokerError as refused:
            if isinstance(refused, NotYetError) and refused.waits_for == WaitsFor.CANCEL:
                return None  # it is on its way
            if isinstance(refused, AmbiguousError) or (may_be_there and isinstance(refused, RetryableError)):
                return refused
            self._recorder.record(ev.CancelRefused(order_id=order_id, text=refused.operator_text))
            return refused
        finally:
            self._canceling.remove(order_id)
        return None

    def is_canceling(self, order_id: str) -> bool:
        """Whether a cancel of it is on its way at this moment, or between two attempts."""
        return order_id in self._canceling


def _refusal(order_id: str, error: BrokerError) -> ev.OrderRefused:
    return ev.OrderRefused(
        order_id=order_id,
        text=error.operator_text,
        status_code=error.status_code,
        code=error.code,
        message=error.message,
        request_id=error.request_id,
    )
