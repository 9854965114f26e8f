"""A start from a checkpoint remembers exactly what a start from the first event remembers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings, strategies as st

from engine.activity import ActivityLog
from engine.checkpoint import Checkpoints, tables_of
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.incident import Incident, Priority
from engine.model.order import Order
from engine.model.position import Position
from engine.model.words import DeskState, OrderStatus, Purpose, Stage
from engine.recall import NOTHING, recall, standing
from engine.resting import KINDS, rest
from tests.unit.builders import ENTRY_ID, legs_of, make_approval, make_bracket, make_order, make_signal, proof
from tests.unit.desk.desk_parts import Parts, parts

S = OrderStatus
ACTS = ("enter", "answer", "fill", "part", "stop_gone", "exit", "incident", "ack", "clear", "state", "position")
ACTS_AND_CHECKPOINTS = (*ACTS, "adjust", "measured", "settle", "rest", "pack", "checkpoint")


class Story:
    """Facts of any kind in any order that the book takes."""

    def __init__(self, desk: Parts) -> None:
        self.desk = desk
        self.trades = 0

    def tell(self, act: str) -> None:
        self.desk.clock.at_s += 1.5
        getattr(self, act)()

    def _entry_id(self) -> str:
        return ENTRY_ID.replace("000001", f"{self.trades:06d}")

    def _bracket_id(self) -> str:
        return f"b{self.trades:06d}"

    def enter(self) -> None:
        self.trades += 1
        now = self.desk.clock.now()
        signal_id, bracket_id = f"s{self.trades:06d}", self._bracket_id()
        signal = make_signal(id=signal_id, source_id=f"x{self.trades}", received_at=now)
        entry = make_order(
            id=self._entry_id(),
            client_order_id=self._entry_id(),
            bracket_id=bracket_id,
            created_at=now,
            status_since=now,
        )
        bracket: Bracket = make_bracket(id=bracket_id, signal_id=signal_id, opened_at=now)
        legs: Sequence[Order] = legs_of(entry, bracket_id=bracket_id, status=S.SENDING, broker_id=None, evidence=None)
        self.desk.recorder.record(
            ev.SignalReceived(signal=signal),
            ev.SignalApproved(signal_id=signal_id, bracket_id=bracket_id, approval=make_approval(now)),
            ev.BracketOpened(bracket=bracket),
            ev.OrderIntended(order=entry, body={}, purpose=Purpose.ENTRY, legs=tuple(legs)),
        )

    def _report(self, suffix: str, status: OrderStatus, filled: int = 0, **more: Any) -> None:
        order = self.desk.book.orders.get(self._entry_id() + suffix)
        if order is not None and order.is_open and order.filled_qty <= filled:
            self.desk.report(order.id, status, filled, **more)

    def answer(self) -> None:
        self._report("", S.ACCEPTED)
        for suffix in (".tp", ".sl"):
            self._report(suffix, S.HELD)

    def part(self) -> None:
        self._report("", S.PARTIALLY_FILLED, 4, execution_id=f"p{self.trades}", last_qty=Decimal(4))

    def fill(self) -> None:
        self._report("", S.FILLED, 10, execution_id=f"f{self.trades}", last_qty=Decimal(6))

    def stop_gone(self) -> None:
        self._report(".sl", S.REJECTED)

    def exit(self) -> None:
        self._report(".tp", S.FILLED, 10)
        self._report(".sl", S.CANCELED)

    def adjust(self) -> None:
        if self.trades:
            self.desk.recorder.record(ev.BracketAdjusted(bracket_id=self._bracket_id(), qty=Decimal(-1), why="by hand"))

    def position(self) -> None:
        evidence = proof(self.desk.clock.now())
        held = Position(symbol="AAPL", qty=Decimal(self.trades), avg_entry_price=Decimal("1.50"), evidence=evidence)
        self.desk.recorder.record(ev.PositionReported(position=held))

    def incident(self) -> None:
        number = self.desk.book.next_incident_number()
        raised = Incident(
            id=f"i{number:06d}", key=f"k{number % 3}", priority=Priority.NOW, cause="c", consequence="q", action="a",
            subject_kind="desk", subject_id="desk", symbol=None, raised_at=self.desk.clock.now(),
        )  # fmt: skip
        self.desk.recorder.record(ev.IncidentRaised(incident=raised))

    def ack(self) -> None:
        for incident_id in list(self.desk.book.open_incidents.values())[:1]:
            self.desk.recorder.record(ev.IncidentAcked(incident_id=incident_id, actor="window"))

    def clear(self) -> None:
        for incident_id in list(self.desk.book.open_incidents.values())[:1]:
            self.desk.recorder.record(ev.IncidentCleared(incident_id=incident_id, why="over"))

    def state(self) -> None:
        self.desk.recorder.record(ev.DeskStateSet(scope="desk", state=DeskState.PAUSED, actor="window", cause=""))

    def settle(self) -> None:
        self.desk.recorder.record(
            ev.DifferenceSettled(difference_id=f"position:{self.trades}", settlement="ignore", actor="t", text="t")
        )

    def measured(self) -> None:
        if self.trades:
            now = self.desk.clock.now()
            self.desk.recorder.record(
                ev.StageMeasured(signal_id=f"s{self.trades:06d}", stage=Stage.SUBMIT, ms=2.5, started_at=now)
            )


def remembered(book: Any) -> dict[str, Any]:
    """Everything but what is only a cache, or told only to listeners."""
    return {name: value for name, value in vars(book).items() if name not in ("_changes", "_covers")}


async def check(folder: Path, acts: Sequence[str]) -> None:
    async with parts(folder) as desk:
        activity = ActivityLog(desk.book)
        desk.bus.on_records(activity.fold)
        with ThreadPoolExecutor(1) as pool:
            checkpoints = Checkpoints(desk.journal, desk.book, activity, desk.clock, pool)
            story = Story(desk)
            for act in acts:
                if act == "checkpoint":
                    assert await checkpoints.take()
                elif act == "rest":
                    for kind in KINDS:
                        rest(desk.book, kind, awake=0)
                elif act == "pack":  # more than a desk would: what is open, too
                    for table in tables_of(desk.book).values():
                        table.rest(100, but=0, may_rest=lambda _: True)
                else:
                    story.tell(act)
            await desk.journal.durable()
        path = desk.journal.path
        at = standing(path)
        assert at.seq == checkpoints.seq
        helped, alone = recall(path, at), recall(path, NOTHING)
        assert helped.is_restored is (at.seq > 0)
        assert remembered(helped.book) == remembered(alone.book)
        for kind, table in tables_of(alone.book).items():
            assert tables_of(desk.book)[kind] == table, "packed or not"
        for bracket_id in alone.book.open_brackets:
            assert helped.book.cover(bracket_id) == alone.book.cover(bracket_id)
        assert helped.activity.lines() == alone.activity.lines() == activity.lines()
        assert helped.latency.samples(0) == alone.latency.samples(0)
        assert list(helped.book.signals) == list(alone.book.signals), "newest first is a question of order"
        assert list(helped.book.orders) == list(alone.book.orders)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ACTS_AND_CHECKPOINTS), min_size=1, max_size=40))
def test_a_checkpoint_and_what_came_after_is_everything(acts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder), ["enter", *acts]))
