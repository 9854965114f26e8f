"""The desk's door for stopping: its states, the proof of being flat, and the account's own switch.

A rung is easy to engage and hard to leave: engaging never waits for the broker or the disk, leaving takes a typed word
and goes one rung at a time.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

from engine.alpaca.calls import Answer
from engine.alpaca.client import AlpacaClient
from engine.alpaca.retry import cancels
from engine.alpaca.wire import AccountConfigurations
from engine.book import DESK_SCOPE, Book
from engine.clock import Clock
from engine.errors import AmbiguousError, BrokerError, CommandRefused, RetryableError
from engine.halt.cooling import CoolingOff
from engine.halt.keeper import HaltKeeper
from engine.halt.ladder import CANCELS_ENTRIES, ladder
from engine.halt.second_person import SecondPerson
from engine.model import events as ev
from engine.model.commands import Agreement
from engine.model.order import Evidence
from engine.model.words import DeskState, Source
from engine.order_reading import OrderReader
from engine.reconcile import Reconciler
from engine.recorder import Recorder
from engine.rules.facts import denied
from engine.trip_wire import RELEASE, TripWire
from engine.views_halt import HaltView
from engine.withdrawal import Withdrawal


class HaltCommands:
    def __init__(
        self,
        client: AlpacaClient,
        recorder: Recorder,
        book: Book,
        clock: Clock,
        trips: TripWire,
        keeper: HaltKeeper,
        withdrawal: Withdrawal,
        reconciler: Reconciler,
        reader: OrderReader,
        cooling: CoolingOff,
        second: SecondPerson,
    ) -> None:
        self._client = client
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._trips = trips
        self._keeper = keeper
        self._withdrawal = withdrawal
        self._reconciler = reconciler
        self._reader = reader
        self._cooling = cooling
        self._second = second
        self._switching = asyncio.Lock()

    def ladder(self) -> HaltView:
        return ladder(
            self._book,
            listed=self._reader.listed,
            disproved=self._keeper.disproved,
            cooling_s=self._cooling.left_s(DESK_SCOPE),
            second_persons=self._second.names,
        )

    # --- states ------------------------------------------------------------------------------------------------------

    async def set_state(
        self,
        state: DeskState,
        *,
        scope: str,
        actor: str,
        confirm: str | None = None,
        second: Agreement | None = None,
    ) -> None:
        """Refused when it loosens what may not be loosened.

        COOLING_OFF, TRADING_SUSPENDED, CONFIRM_REQUIRED, TRIP_STANDS, SECOND_PERSON, WRONG_WORD; and STATE_CHANGED when
        another hand set the state while the second person's word was looked at.
        """
        released = self._released(state, scope, actor, confirm)
        agreed_by = ""
        if self._is_leaving(state, scope) and self._second.names:
            halt = self._book.states.get(scope)
            agreed_by = await self._second.agreed(second, actor=actor)
            if self._book.states.get(scope) != halt:
                text = "Somebody else set the state meanwhile: look again before the halt is left."
                raise CommandRefused("STATE_CHANGED", text)
            released = self._released(state, scope, actor, confirm)
        setting = ev.DeskStateSet(scope=scope, state=state, actor=actor, cause="", agreed_by=agreed_by)
        await self._recorder.commit_exit(*released, setting)
        self._cooling.left_s(scope)  # from here on it counts, whatever is done to the wall clock
        if state in CANCELS_ENTRIES:
            await self._withdrawal.cancel_entries(
                actor=actor, reason="no more entries", chosen=lambda order: self._keeper.is_in(order, scope)
            )
            self._reconciler.doubt_all()  # the list that proves that no entry is left

    def _is_leaving(self, state: DeskState, scope: str) -> bool:
        return self._book.state_of(scope) is DeskState.HALTED and state is not DeskState.HALTED

    def _released(self, state: DeskState, scope: str, actor: str, confirm: str | None) -> list[ev.AnyEvent]:
        """The trips that are released with it, where nothing that one person can say stands against it."""
        is_leaving = self._is_leaving(state, scope)
        if is_leaving and (left_s := self._cooling.left_s(scope)) > 0:
            raise CommandRefused("COOLING_OFF", f"The halt cools off: it can be left in {math.ceil(left_s)} s.")
        if scope == DESK_SCOPE:
            if is_leaving and self._book.suspension.is_on and self._book.suspension.set_by:
                text = "The broker takes no orders of this account: resume trading first, then release the halt."
                raise CommandRefused("TRADING_SUSPENDED", text)
            return self._trips.release(state, actor=actor, confirm=confirm)
        if is_leaving and confirm != RELEASE:
            raise _must_type(f"Leaving {DeskState.HALTED.value}")
        return []

    async def cancel_entries(self, *, actor: str) -> list[str]:
        """Ask for the cancel of all working entries, and wait until the broker has answered each; their ids."""
        return await self._withdrawal.cancel_entries(actor=actor, reason="no more entries", within_s=None)

    # --- flat --------------------------------------------------------------------------------------------------------

    async def prove(self, *, actor: str) -> HaltView:
        """Ask the broker now whether anything is left. The answer's rung says what it is, or the proof."""
        try:
            await self._keeper.prove(actor=actor)
        except BrokerError as lost:
            raise CommandRefused("BROKER_UNREACHABLE", lost.operator_text) from lost
        return self.ladder()

    # --- the account's own switch ------------------------------------------------------------------------------------

    async def suspend(self, *, actor: str) -> HaltView:
        """Have the broker refuse every new order of the account, exits too: only of a halted desk, proved flat now.

        Whoever trades beside this desk may enter between the proof and the switch. Then it is taken back at once:
        shares that no stop can be placed for are worse than an account that trades.
        """
        async with self._switching:
            if self._book.state_of(DESK_SCOPE) is not DeskState.HALTED:
                raise CommandRefused("NOT_HALTED", "Trading is suspended only from a halted desk: halt it first.")
            if self._book.suspension.is_on:
                return self.ladder()
            await self._refuse_not_flat("")
            await self._switch(True, actor)
            try:
                await self._refuse_not_flat(" Trading goes on again: no stop could have been placed.")
            except CommandRefused:
                await self._switch(False, "desk")
                raise
        return self.ladder()

    async def resume(self, *, actor: str, confirm: str | None) -> HaltView:
        """Let the broker take orders again. The desk stays halted."""
        async with self._switching:
            known = self._book.suspension
            if not known.is_on and known.asked is not True:
                raise CommandRefused("NOT_SUSPENDED", "Trading is not suspended at the broker.")
            if confirm != RELEASE:
                raise _must_type("Resuming")
            await self._switch(False, actor)
        return self.ladder()

    async def _refuse_not_flat(self, also: str) -> None:
        try:
            left = await self._keeper.prove(actor="desk")
        except BrokerError as lost:
            text = f"Whether anything is left cannot be read: {lost.operator_text}{also}"
            raise CommandRefused("BROKER_UNREACHABLE", text) from lost
        if left:
            reasons = [denied("NOT_FLAT", f"{what[0].upper()}{what[1:]}.") for what in left]
            raise CommandRefused("NOT_FLAT", f"The account is not flat: {left[0]}.{also}", reasons=reasons)

    async def _switch(self, suspended: bool, actor: str) -> None:
        """The wish is on disk first. Asking twice is harmless, so a lost answer is asked again.

        A wish whose every answer was lost stands until an account shows what became of it.
        """
        await self._recorder.commit_exit(ev.SuspensionAsked(suspended=suspended, actor=actor))
        try:
            answer: Answer[AccountConfigurations] = await cancels(self._clock)(self._client.suspend_trade, suspended)
        except (AmbiguousError, RetryableError) as lost:
            self._reconciler.doubt_account()
            raise CommandRefused("BROKER_UNREACHABLE", lost.operator_text) from lost
        except BrokerError as refused:
            self._recorder.record(ev.SuspensionRefused(suspended=suspended, text=refused.operator_text))
            raise CommandRefused("BROKER_REFUSED", refused.operator_text) from refused
        self._recorder.record(ev.SuspensionSeen(suspended=suspended, evidence=self._proof(answer)))
        self._reconciler.doubt_account()

    def _proof(self, answer: Answer[Any]) -> Evidence:
        return Evidence(source=Source.ANSWER, id=answer.request_id, at=self._clock.now())


def _must_type(what: str) -> CommandRefused:
    return CommandRefused("CONFIRM_REQUIRED", f'{what} needs confirm = "{RELEASE}".', field="confirm")
