"""The desk: the one door. Commands in, pictures and events out; window, API and tests use nothing else.

Reading is plain and immediate. Commands are coroutines that return when the desk has taken them, and raise
``CommandRefused`` with a stable code when it does not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor as Pool
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from engine.activity import ActivityLog
from engine.alpaca.client import AlpacaClient
from engine.alpaca.market_data import MinuteStep
from engine.alpaca.retry import reads
from engine.book import DESK_SCOPE, Book
from engine.bus import Bus, Change
from engine.clock import Clock
from engine.commands.alarms import AlarmCommands
from engine.commands.exits import ExitCommands
from engine.commands.gate import GateCommands
from engine.commands.halt import HaltCommands
from engine.commands.limits import LimitCommands
from engine.commands.mandates import MandateCommands
from engine.commands.replacing import ReplaceCommands
from engine.commands.signals import SignalCommands, SignalParts, first
from engine.commands.ticket import TicketCommands
from engine.differences import Difference
from engine.errors import BrokerError, CommandRefused, JournalUnavailable
from engine.gateway import Gateway
from engine.journal.facts import facts_about
from engine.journal.follow import follow
from engine.journal.writer import Journal
from engine.latency import LatencyLog, LatencySample, LoopLag, endpoint_views, timeline
from engine.market.history import minute_bars
from engine.market.quotes import QuoteBoard, QuoteView
from engine.model import events as ev
from engine.model.commands import Agreement
from engine.model.order import Evidence, Order
from engine.model.words import DeskState, ExitWhen, Mode, OrderRole
from engine.pipeline.resolve import Resolver
from engine.present import Presenter
from engine.protection.carry import CarryKeeper, CarrySheet
from engine.protection.corporate import CorporateDesk, RepricingView
from engine.protection.supervisor import Supervisor
from engine.reconcile import Reconciler
from engine.recorder import Recorder
from engine.status import StatusBoard
from engine.surroundings import World
from engine.views import (
    AccountView,
    ActivityLine,
    BarView,
    BracketView,
    DeskView,
    HealthView,
    IncidentView,
    LatencyView,
    OrderView,
    PositionView,
    SpanView,
)
from engine.views_truth import FactView
from engine.watchdog import Stall

log = logging.getLogger(__name__)


class Desk(SignalCommands):
    """Made by ``engine/start.py``; every part it holds has an owner there."""

    def __init__(
        self,
        *,
        gate: GateCommands,
        carry: CarryKeeper,
        corporate: CorporateDesk,
        mode: Mode,
        book: Book,
        bus: Bus,
        recorder: Recorder,
        journal: Journal,
        client: AlpacaClient,
        world: World,
        quotes: QuoteBoard,
        signals: SignalParts,
        limits: LimitCommands,
        halt: HaltCommands,
        mandates: MandateCommands,
        ticket: TicketCommands,
        exits: ExitCommands,
        alarms: AlarmCommands,
        replacing: ReplaceCommands,
        gateway: Gateway,
        resolver: Resolver,
        supervisor: Supervisor,
        reconciler: Reconciler,
        presenter: Presenter,
        status: StatusBoard,
        latency: LatencyLog,
        lag: LoopLag,
        activity: ActivityLog,
        clock: Clock,
        read_pool: Pool,
    ) -> None:
        super().__init__(signals, book, presenter, clock)
        self.limits = limits
        self.halt = halt
        self.mandates = mandates
        self.ticket = ticket
        self._gate = gate
        self._carry = carry
        self._corporate = corporate
        self.exits = exits
        self.alarms = alarms
        self.replacing = replacing
        self.mode = mode
        self.bus = bus
        self._book = book
        self._recorder = recorder
        self._journal = journal
        self._client = client
        self._world = world
        self._quotes = quotes
        self._gateway = gateway
        self._resolver = resolver
        self._supervisor = supervisor
        self._reconciler = reconciler
        self._presenter = presenter
        self._status = status
        self._latency = latency
        self._lag = lag
        self._activity = activity
        self._clock = clock
        self._read_pool = read_pool

    # --- reading: the desk -----------------------------------------------------------------------------------------

    def view(self) -> DeskView:
        return self._status.desk()

    def health(self) -> HealthView:
        return self._status.health()

    def is_quiet(self) -> bool:
        """Nobody waits for anything: no decision is due, no entry on its way, no share uncovered."""
        book = self._book
        return not (book.pending or book.approved or any(book.cover(key).naked for key in book.open_brackets))

    @property
    def is_sending(self) -> bool:
        """Something waits for the disk or the wire to go out to the broker: what can wait lets it go first."""
        return self._recorder.is_waiting or self._client.transport.is_sending

    def account(self) -> AccountView:
        return self._status.account()

    def activity(self, limit: int = 500) -> list[ActivityLine]:
        return self._activity.newest(limit)

    def quote(self, symbol: str) -> QuoteView | None:
        return self._quotes.get(symbol)

    # --- reading: signals, orders, trades --------------------------------------------------------------------------

    def orders(self, status: Literal["open", "all"] = "open", limit: int = 500) -> list[OrderView]:
        chosen = self._book.open_orders if status == "open" else self._book.orders
        return [self._presenter.order(self._book.orders[key]) for key in first(reversed(chosen), limit)]

    def order(self, order_id: str) -> OrderView:
        return self._presenter.order(self._order(order_id))

    def brackets(self, status: Literal["open", "all"] = "open", limit: int = 500) -> list[BracketView]:
        chosen = self._book.open_brackets if status == "open" else self._book.brackets
        return [self._presenter.bracket(key) for key in first(reversed(chosen), limit)]

    def bracket(self, bracket_id: str) -> BracketView:
        self._refuse_unknown(bracket_id, self._book.brackets, "bracket")
        return self._presenter.bracket(bracket_id)

    def corporate_actions(self) -> list[RepricingView]:
        """What splits and large dividends ahead do to the open trades."""
        return self._corporate.plans()

    def proofs(self) -> dict[str, Evidence]:
        """Of each open order the newest reading at the broker that showed it as the book has it."""
        return self._presenter.proofs()

    def carry(self) -> CarrySheet:
        """What is carried over the close, and what is done about the rest."""
        return self._carry.sheet()

    def positions(self) -> list[PositionView]:
        return self._presenter.positions()

    def position(self, symbol: str) -> PositionView | None:
        return self._presenter.position(symbol)

    def incidents(self, status: Literal["open", "all"] = "open", limit: int = 500) -> list[IncidentView]:
        """Newest first."""
        open_ids = set(self._book.open_incidents.values())
        chosen = (key for key in reversed(self._book.incidents) if status == "all" or key in open_ids)
        return [self._presenter.incident(self._book.incidents[key]) for key in first(chosen, limit)]

    def incident(self, incident_id: str) -> IncidentView:
        self._refuse_unknown(incident_id, self._book.incidents, "incident")
        return self._presenter.incident(self._book.incidents[incident_id])

    # --- reading: latency, facts -----------------------------------------------------------------------------------

    def latency(self) -> LatencyView:
        return LatencyView(
            stages=self._latency.stats(),
            loop_lag=self._lag.view(),
            endpoints=endpoint_views(self._client.transport.times.all()),
        )

    def latency_samples(self, after: int = 0) -> list[LatencySample]:
        return self._latency.samples(after)

    def timeline(self, signal_id: str) -> list[SpanView]:
        record = self.signal_record(signal_id)
        bracket = self._book.brackets.get(record.bracket_id or "")
        return timeline(
            record.signal.received_at,
            self._latency.spans(signal_id),
            bracket.naked_since if bracket is not None else None,
        )

    def records(self, after: int) -> AsyncIterator[ev.Recorded]:
        """Facts on disk behind ``after``, then live, without gap or doubles."""
        return follow(self._journal, self.bus, after, executor=self._read_pool, clock=self._clock)

    async def facts_about(self, subjects: Sequence[str]) -> list[FactView]:
        """What the journal holds about these orders, trades or signals: requests, replies, decisions; oldest first."""
        with suppress(JournalUnavailable):  # then what is on disk is what there is
            await self._journal.durable(self._journal.seq)
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._read_pool, facts_about, self._journal.path, subjects, self._journal.seq)

    async def bars(self, symbol: str, *, minutes: int = 240, step: MinuteStep = 1) -> list[BarView]:
        """Bars of ``step`` minutes over the last ``minutes``, oldest first.

        Refused with BROKER_UNREACHABLE when they cannot be read.
        """
        try:
            return await reads(self._clock)(minute_bars, self._client, self._clock, symbol, minutes, step)
        except BrokerError as lost:
            raise CommandRefused("BROKER_UNREACHABLE", lost.operator_text) from lost

    # --- orders ----------------------------------------------------------------------------------------------------

    async def cancel_order(self, order_id: str, *, actor: str) -> OrderView:
        """Ask the broker for a cancel. Of an armed target it means "stop only"; of a stop, both exits are replaced."""
        order = self._order(order_id)
        if order.is_terminal:
            raise CommandRefused("NOT_CANCELABLE", f"{order_id} is {order.status.value} already.")
        if order.broker_id is None:
            raise CommandRefused("NOT_CANCELABLE", f"{order_id} is not known at the broker yet: look it up first.")
        bracket = self._book.brackets.get(order.bracket_id or "")
        if order.role is OrderRole.TAKE_PROFIT and bracket is not None and self._book.cover(bracket.id).held > 0:
            self._recorder.record(
                ev.ExitsChanged(
                    bracket_id=bracket.id, stop_price=bracket.stop_price, take_profit_price=None, actor=actor
                )
            )
        refused = await self._gateway.cancel(order_id, actor=actor, reason="")
        if refused is not None:
            stands = self._order(order_id).cancel_requested_at is not None
            more = " The desk asks again by itself while the broker shows it at work." if stands else ""
            raise CommandRefused("BROKER_REFUSED", refused.operator_text + more)
        return self.order(order_id)

    async def lookup_order(self, order_id: str, *, actor: str) -> OrderView:
        """Ask the broker about an order now."""
        order = self._order(order_id)
        self._recorder.record(ev.LookupAsked(order_id=order_id, actor=actor))
        if order.client_order_id is None or order.broker_id is not None:
            self._reconciler.doubt(order.symbol)
        elif await self._resolver.look_up(order_id) is False:
            raise CommandRefused("BROKER_UNREACHABLE", "The broker could not be asked: try again.")
        return self.order(order_id)

    async def attest_order(self, order_id: str, *, actor: str, settlement: str) -> OrderView:
        """A person's word that the broker never had an order of unknown fate."""
        order = self._order(order_id)
        if order.unresolved_since is None:
            raise CommandRefused("NOT_UNKNOWN", f"{order_id} is {order.status.value}: there is nothing to attest.")
        if settlement != "never_reached":
            raise CommandRefused(
                "BAD_SETTLEMENT", "An order can be attested as never_reached.", field="settlement", http_status=422
            )
        why = f"Attested by {actor}: the broker never had it ({self._resolver.evidence_of(order_id)})."
        await self._recorder.commit_exit(ev.OrderNeverReached(order_id=order_id, why=why, actor=actor))
        return self.order(order_id)

    async def cancel_working_entries(self, *, actor: str) -> list[OrderView]:
        return [self.order(order_id) for order_id in await self.halt.cancel_entries(actor=actor)]

    # --- trades ----------------------------------------------------------------------------------------------------

    async def retry_bracket(self, bracket_id: str, *, actor: str) -> BracketView:
        """Read the broker's truth, then run the top repair plan; the answer's ``plan_id`` names it."""
        return await self.exits.retry(bracket_id, actor=actor)

    async def flatten_bracket(self, bracket_id: str, *, actor: str, when: ExitWhen = ExitWhen.NOW) -> BracketView:
        return await self.exits.flatten(bracket_id, actor=actor, when=when)

    async def reprice_bracket(self, bracket_id: str, *, actor: str) -> BracketView:
        """After a split or dividend: the trade takes the new shares, and its exits are placed anew."""
        view = self.bracket(bracket_id)
        await self._corporate.reprice(bracket_id, actor=actor)
        self._reconciler.doubt(view.symbol)
        self._supervisor.hurry(view.symbol)
        return self.bracket(bracket_id)

    async def flatten(self, *, symbol: str | None, actor: str, when: ExitWhen = ExitWhen.NOW) -> list[BracketView]:
        """All trades, or those of one symbol. Those already on their way out are not asked again."""
        return await self.exits.flatten_all(symbol=symbol, actor=actor, when=when)

    # --- the desk itself -------------------------------------------------------------------------------------------

    async def set_state(
        self,
        state: DeskState,
        *,
        scope: str = DESK_SCOPE,
        actor: str,
        confirm: str | None = None,
        second: Agreement | None = None,
    ) -> HealthView:
        """See ``HaltCommands.set_state`` for what comes first."""
        await self.halt.set_state(state, scope=scope, actor=actor, confirm=confirm, second=second)
        return self.health()

    async def confirm_account(self, number: str, *, actor: str) -> HealthView:
        """The typed confirmation that lets a live desk enter positions."""
        if self._world.unconfirmed is None:
            return self.health()
        if self._book.account_number is None:
            raise CommandRefused("BROKER_UNREACHABLE", "The account has not been read yet: try again.")
        if number.strip() != self._book.account_number:
            raise CommandRefused("WRONG_ACCOUNT", "That is not this account's number.", field="number", http_status=422)
        log.warning("live account %s confirmed by %s", self._book.account_number, actor)
        self._world.unconfirmed = None
        self._recorder.tell(Change("desk", ""))
        return self.health()

    async def poll_orders(self, on: bool, *, actor: str) -> HealthView:
        """Read orders and positions every two seconds while the order stream does not come; entries stay denied.

        It ends by itself when the stream stands again.
        """
        if on and self._world.stream.up:
            raise CommandRefused("STREAM_UP", "The order stream is up: there is nothing to poll for.")
        self._world.stream.poll(actor if on else None)
        if on:
            self._reconciler.doubt_all()
        return self.health()

    async def ack_incident(self, incident_id: str, *, actor: str) -> IncidentView:
        view = self.incident(incident_id)
        if view.acked_at is None:
            self._recorder.record(ev.IncidentAcked(incident_id=incident_id, actor=actor))
        return self.incident(incident_id)

    def differences(self) -> list[Difference]:
        """What keeps the start gate locked."""
        return self._gate.differences()

    async def settle_difference(
        self,
        difference_id: str,
        *,
        settlement: str,
        actor: str,
        stop_price: Decimal | None = None,
        take_profit_price: Decimal | None = None,
    ) -> list[Difference]:
        """Settle one; the prices are of a position that is adopted."""
        return await self._gate.settle(
            difference_id, settlement, actor=actor, stop_price=stop_price, take_profit_price=take_profit_price
        )

    def note_stall(self, stall: Stall) -> None:
        """The loop stood still and goes on."""
        self._world.stalled = (self._clock.now(), stall.lasted_s, stall.file)
        self._recorder.record(ev.LoopStalled(began_at=stall.began_at, lasted_s=stall.lasted_s, file=stall.file))

    async def set_demo(self, on: bool, *, actor: str) -> None:
        if not self._status.has_demo:
            raise CommandRefused("NO_DEMO", "There is no demo strategy on this desk.", http_status=404)
        if on is not self._book.demo_on:
            self._recorder.record(ev.DemoSwitched(on=on, actor=actor))

    # --- helpers ---------------------------------------------------------------------------------------------------

    def _order(self, order_id: str) -> Order:
        self._refuse_unknown(order_id, self._book.orders, "order")
        return self._book.orders[order_id]

    @staticmethod
    def _refuse_unknown(key: str, known: object, what: str) -> None:
        if key not in known:  # type: ignore[operator]
            raise CommandRefused("NOT_FOUND", f"There is no {what} {key}.", http_status=404)

    @property
    def journal_path(self) -> Path:
        return self._journal.path

    @property
    def started_at(self) -> datetime:
        return self._status.started_at
