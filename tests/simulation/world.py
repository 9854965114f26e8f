"""One seed: a broker, a desk that is killed and comes back, a person, a storm, then quiet, then the reckoning."""

from __future__ import annotations

import asyncio
import random
import traceback
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from engine.book import Book
from engine.config import ApprovalRules, Config, Limits
from engine.desk import Desk
from engine.errors import JournalUnavailable
from engine.exchange.floor import Execution
from engine.exchange.orders import Order as BrokerOrder
from engine.journal.reader import read_all
from engine.model import events as ev
from engine.model.signal import Reason
from tests.simulation import at_rest, invariants
from tests.simulation.case import Case
from tests.simulation.chaos import WIRE_S, Chaos
from tests.simulation.hand import Hand
from tests.simulation.happenings import Kind
from tests.simulation.machines import Broker, DeskMachine, Life, WallClock
from tests.simulation.odd_rules import OddRules
from tests.simulation.person import Person
from tests.simulation.reaper import Reaper
from tests.simulation.virtual import FULL, VirtualLoop, machine_of
from tests.simulation.witness import Arrival

QUIET_S: Final = 75.0
"""Without faults and without new signals: long enough for every look-up, backoff and timer of the desk."""
A_MOMENT_S: Final = 2.0
LOOK_AGAIN_S: Final = 3.0
LOOKS: Final = 5
"""What is in motion when the quiet ends may need another look; what is wrong stays wrong."""
TRACE_LINES: Final = 40
PROMPT_S: Final = 2.0
"""An exit or a cancel that is in the journal reaches a reachable broker within this time."""
STORY_LINES: Final = 250
"""What is kept of the story: its last lines up to the first violation, and that."""


@dataclass(slots=True)
class Violation:
    invariant: str
    at_s: float
    text: str


class World:
    def __init__(self, loop: VirtualLoop, folder: Path, case: Case) -> None:
        self.seed = seed = case.seed
        self.case = case
        self.loop = loop
        self.weather = weather = case.weather()
        self.clock = WallClock(weather.starts_at)
        """Of the exchange, and the true time."""
        self.config = Config(limits=Limits(max_open_positions=4), approval=ApprovalRules(undo_s=weather.undo_s))
        self.violations: list[Violation] = []
        self.story: list[str] = []
        self.refusals: list[str] = []
        self.log_lines: list[str] = []
        self.bodies: dict[str, bytes] = {}
        self.approvals: dict[str, str] = {}
        """Bracket id -> signal id, of every approval in the journal."""
        self.verdicts: dict[str, tuple[Reason, ...]] = {}
        """Bracket id -> what every rule said when it was approved."""
        self.entries: list[BrokerOrder] = []
        self.held: dict[str, Any] = {}
        self.touched: set[str] = set()
        """Symbols in which another hand traded on its own account."""
        self.turned_by_broker: set[str] = set()
        """Symbols in which the broker may let both exits of a group execute."""
        self.busted: set[str] = set()
        """Symbols in which the venue took executions back."""
        self.shrunk_by_broker: set[str] = set()
        """Those in which it left fewer shares than before: exits that were right are too large in that moment."""
        self.disturbed_until_s = 0.0
        self.patience_s = 45.0
        loop.net.set_defaults(latency=WIRE_S)
        self.broker = Broker(loop, self.clock, weather.settings(seed))
        self.machine = DeskMachine(
            loop,
            WallClock(weather.starts_at),
            folder,
            self.config,
            random.Random(f"{seed}/machine"),
            checkpoint_after=weather.checkpoint_after,
            rules=self._rules_of if weather.odd_rules else None,
        )
        self.machine.on_start.append(self._started)
        self.machine.on_end.append(self._died)
        self._sent_at_s: dict[str, float] = {}
        self._is_over = False
        self.broker.witness.on_arrival.append(self._arrived)
        self.broker.witness.on_order.append(self._taken)
        self.broker.witness.on_execution.append(self._executed)
        self.broker.witness.on_error = lambda error: self.violated("the_harness_is_sound", repr(error), error)
        self.person = Person(self)
        self.chaos = Chaos(self)
        self.hand = Hand(self)
        self.reaper = Reaper(self)

    # --- the run -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        self.loop.set_exception_handler(self._unhandled)
        await self.broker.ready()
        await self.machine.start()
        ends = await self._storm()
        await self.chaos.calm()
        self.reaper.is_over = True
        await asyncio.gather(*ends)
        if not self.machine.life.is_running:
            await self.machine.start()
        await self.clock.sleep(QUIET_S / 3)
        if self.machine.life.is_running:
            await self._in_the_desk(self.person.tidy(random.Random(f"{self.seed}/tidy")))
            await self.clock.sleep(QUIET_S * 2 / 3)
        await self._reckon()
        await self.stop_desk()
        self._is_over = True
        await self.broker.close()

    async def _storm(self) -> list[asyncio.Task[None]]:
        """All happenings at their time; returns the ends of processes that may still be under way."""
        began_s, ends = self.clock.monotonic_s(), []
        for happening in self.case.happenings():
            await self.clock.sleep(max(0.0, began_s + happening.at_s - self.clock.monotonic_s()))
            dice = happening.dice(self.seed)
            match happening.kind:
                case Kind.FAULT:
                    self.chaos.fault(dice)
                case Kind.HAND:
                    self.hand.act(dice)
                case Kind.SHOCK:
                    self.chaos.shock(dice)
                case Kind.SIGNAL:
                    self.person.signal(dice, happening.number)
                case Kind.ACT:
                    self.person.act(dice)
                case Kind.END:
                    ends.append(asyncio.create_task(self.reaper.end(dice)))
                case Kind.LEAP:
                    self._leap_to(self.weather.night[happening.at_s])
                case Kind.TICKET:
                    self.person.ticket(dice, happening.number)
                case Kind.CHANGE:
                    self.person.change(dice)
                case Kind.BUST:
                    self.chaos.bust(dice)
        await self.clock.sleep(max(0.0, began_s + self.case.lasts_s - self.clock.monotonic_s()))
        return ends

    def _leap_to(self, moment: datetime) -> None:
        """Hours in which nothing happens pass at once, for all machines."""
        self.tell(f"the clocks go on to {moment:%a %H:%M:%S}")
        leap_s = (moment - self.clock.now()).total_seconds()
        self.clock.leapt_s += leap_s
        self.machine.clock.leapt_s += leap_s
        self.broker.witness.wake()

    def _rules_of(self, life: int) -> OddRules:
        return OddRules(random.Random(f"{self.seed}/rules/{life}"))

    async def _in_the_desk(self, act: Any) -> None:
        await self.loop.net.host(self.machine.life.machine).create_task(act)

    async def _reckon(self) -> None:
        """The invariants at rest; what is still moving gets a few more looks."""
        if not self.machine.life.is_running:
            return
        left = dict.fromkeys(at_rest.AT_REST)
        for look in range(LOOKS):
            await self.desk._journal.durable()
            for invariant in tuple(left):
                found = list(invariant(self))
                if not found:
                    del left[invariant]
                elif look == LOOKS - 1:
                    for text in found:
                        self.violated(invariant.__name__, text)
            if not left:
                return
            await self.clock.sleep(LOOK_AGAIN_S)

    async def stop_desk(self) -> None:
        if not self.machine.life.is_running:
            return
        error = await self.machine.stop()
        is_told = isinstance(error, JournalUnavailable) and FULL in str(error)
        if error is not None and not is_told:
            self.violated("the_desk_stops_in_order", repr(error), error)
        self.person.let_go()
        await self.clock.sleep(A_MOMENT_S)
        left = self.loop.net.tasks_of(self.machine.life.machine)
        if left:
            self.violated("the_desk_stops_in_order", f"still running after the stop: {left}")

    # --- what is asked of it -----------------------------------------------------------------------------------------

    @property
    def desk(self) -> Desk:
        desk = self.machine.life.desk
        assert desk is not None
        return desk

    @property
    def book(self) -> Book:
        return self.desk._book

    @property
    def is_disturbed(self) -> bool:
        """Whether the wires are slow, or were a moment ago."""
        return self.clock.monotonic_s() < self.disturbed_until_s

    def life_of(self, machine: str) -> Life:
        return next(life for life in self.machine.lives if life.machine == machine)

    def heal(self) -> None:
        self.machine.heal()
        self.disturbed_until_s = max(self.disturbed_until_s, self.clock.monotonic_s() + 2.0)

    def tell(self, text: str) -> None:
        if not self.violations or text.startswith("VIOLATED"):
            self.story.append(f"{self.loop.time():9.3f}  {text}")
            del self.story[:-STORY_LINES]

    def violated(self, invariant: str, text: str, error: BaseException | None = None) -> None:
        self.violations.append(Violation(invariant, self.loop.time(), text))
        self.tell(f"VIOLATED {invariant}: {text}")
        if error is not None:
            self.story += "".join(traceback.format_exception(error)).splitlines()[-TRACE_LINES:]

    # --- what it hears -----------------------------------------------------------------------------------------------

    def _started(self, life: Life) -> None:
        self.tell(f"{life.machine} starts")
        life.on_record += [self._recorded, self.reaper.at_record]
        if life.journal.exists():
            for recorded in read_all(life.journal):
                self._note_approval(recorded)

    def _died(self, life: Life, error: BaseException | None) -> None:
        self.violated("the_desk_lives", f"{life.machine} ended by itself: {error!r}", error)

    def _recorded(self, life: Life, recorded: ev.Recorded) -> None:
        event = recorded.event
        if not isinstance(event, ev.StageMeasured):
            self.tell(f"  {recorded.seq:4} {type(event).__name__} {event.subject}{_detail(event)}")
        self._note_approval(recorded)
        is_exit = isinstance(event, ev.OrderIntended | ev.ReplaceIntended) and event.purpose.value != "entry"
        if is_exit or isinstance(event, ev.CancelIntended):
            self.loop.call_later(PROMPT_S, self._must_have_arrived, life, event, self.loop.time())

    def _note_approval(self, recorded: ev.Recorded) -> None:
        event = recorded.event
        if isinstance(event, ev.SignalApproved) and event.bracket_id is not None:
            self.approvals[event.bracket_id] = event.signal_id
            self.verdicts[event.bracket_id] = event.reasons

    def _must_have_arrived(self, life: Life, event: Any, since_s: float) -> None:
        """No rule, limit, budget, lock or journal fault stops an exit or a cancel while the broker can be reached."""
        if life.is_killed or life.stop.is_set() or self.machine.is_cut_off or since_s < self.disturbed_until_s:
            return
        if isinstance(event, ev.CancelIntended):
            key = self.book.orders[event.order_id].broker_id or ""
        else:
            key = event.order.id
        if self._sent_at_s.get(key, -1.0) < since_s:
            self.violated("exits_are_never_blocked", f"{type(event).__name__} {key} did not arrive in {PROMPT_S} s")

    def _arrived(self, arrival: Arrival) -> None:
        self.tell(f"     > {arrival.method} {arrival.client_order_id or arrival.order_id} from {arrival.machine}")
        self._sent_at_s[arrival.order_id if arrival.method == "DELETE" else arrival.client_order_id] = self.loop.time()
        for invariant in invariants.AT_ARRIVAL:
            for text in invariant(self, arrival):
                self.violated(invariant.__name__, text)

    def _taken(self, order: BrokerOrder) -> None:
        if order.role == "entry":
            self.entries.append(order)
        for invariant in invariants.AT_ORDER:
            for text in invariant(self, order):
                self.violated(invariant.__name__, text)

    def _executed(self, order: BrokerOrder, execution: Execution) -> None:
        self.tell(f"     * {execution.side} {execution.qty} {order.symbol} by {order.role} {order.client_order_id}")
        for invariant in invariants.AT_EXECUTION:
            for text in invariant(self, order, execution):
                self.violated(invariant.__name__, text)

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Nothing crashes silently, but what still twitches in a killed process is nobody's concern."""
        error = context.get("exception")
        if error is None or isinstance(error, asyncio.CancelledError) or self._is_over:
            return
        task = context.get("task") or context.get("future")
        if isinstance(task, asyncio.Task) and self.loop.net.is_killed(machine_of(task)):
            return
        self.violated("nothing_crashes_silently", f"{context.get('message')}: {error!r}", error)


def _detail(event: Any) -> str:
    match event:
        case ev.OrderReported(report=report):
            return f" {report.status.value} {report.filled_qty} ({report.evidence.source.value} {report.event or ''})"
        case ev.OrderRefused(text=text) | ev.OrderUnresolved(text=text) | ev.ProtectionFailed(text=text):
            return f" {text}"
        case ev.CancelIntended(reason=reason) | ev.ExitRequested(reason=reason):
            return f" {reason}"
        case ev.IncidentRaised(incident=incident):
            return f" {incident.cause}"
        case ev.ExecutionsTakenBack(qty=qty, report=report):
            return f" {qty}, {report.filled_qty} stand ({report.evidence.source.value} {report.event or ''})"
        case ev.PositionReported(position=position):
            return f" {position.qty}"
        case ev.LinkChanged(up=up, why=why):
            return f" {'up' if up else 'down'} {why}"
        case ev.SignalReturned(why=why) | ev.OrderNeverReached(why=why) | ev.CancelRefused(text=why):
            return f" {why}"
    return ""
