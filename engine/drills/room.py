"""Runs one drill at a time: sets the scene, watches the person, takes everything back, writes the score down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from engine.bus import Bus, Change
from engine.clock import Clock
from engine.drills.acts import ACTOR, Act, act_of
from engine.drills.results import Results
from engine.drills.scenes import DRILLS, Drill, Trouble
from engine.drills.score import score
from engine.drills.stage import LOOK_S, DrillDoor, Stage
from engine.errors import CommandRefused, EngineError
from engine.hosting import EmbeddedExchange
from engine.model.events import Recorded
from engine.tasks import Spawn, task_scope
from engine.views_drills import DrillResultView, DrillsView, DrillView, RunningDrillView

log = logging.getLogger(__name__)

SPARE_SYMBOLS: Final = 2
AT_WORK: Final = frozenset({"pending", "approved", "working"})


class DrillRoom:
    """Made from an embedded exchange, so a desk on paper or live cannot have one."""

    def __init__(
        self,
        desk: DrillDoor,
        bus: Bus,
        embedded: EmbeddedExchange,
        clock: Clock,
        results: Results,
        spawn: Spawn,
        *,
        max_attempts: int,
    ) -> None:
        self._desk = desk
        self._bus = bus
        self._embedded = embedded
        self._clock = clock
        self._results = results
        self._spawn = spawn
        self._max_attempts = max_attempts
        self._running: RunningDrillView | None = None
        self._stop = asyncio.Event()
        self._acts: list[Act] = []

    # --- reading -----------------------------------------------------------------------------------------------------

    def view(self) -> DrillsView:
        best: dict[str, int] = {}
        for result in self._results.newest_first():
            best[result.drill] = max(result.points, best.get(result.drill, 0))
        return DrillsView(
            drills=tuple(
                DrillView(name=drill.name, title=drill.title, about=drill.about, best=best.get(drill.name))
                for drill in DRILLS.values()
            ),
            running=self._running,
            results=self._results.newest_first(),
        )

    # --- commands ----------------------------------------------------------------------------------------------------

    async def begin(self, name: str, *, actor: str) -> DrillsView:
        """Refused with NOT_FOUND, DRILL_RUNNING or DRILL_NOT_READY."""
        drill = DRILLS.get(name)
        if drill is None:
            raise CommandRefused("NOT_FOUND", f"There is no drill {name}.", http_status=404)
        if self._running is not None:
            raise CommandRefused("DRILL_RUNNING", f"{self._running.title} is running: end it first.")
        stage = Stage(self._desk, self._embedded.running, self._clock, self._spare_symbols(), self._max_attempts)
        log.info("drill %s begun by %s", name, actor)
        self._stop.clear()
        self._tell(drill, "setting", stage.symbol)
        self._spawn(f"drill-{name}", self._run(drill, stage))
        return self.view()

    async def end(self, *, actor: str) -> DrillsView:
        """Break the running drill off; it is scored by what was done until now. Refused with NO_DRILL."""
        if self._running is None:
            raise CommandRefused("NO_DRILL", "No drill is running.")
        log.info("drill %s ended by %s", self._running.drill, actor)
        self._stop.set()
        return self.view()

    def _spare_symbols(self) -> Sequence[str]:
        health = self._desk.health()
        if health.desk_state.value != "active" or health.status != "ok":
            raise CommandRefused(
                "DRILL_NOT_READY", "A drill begins on a sound desk: active, connected, with its start gate open."
            )
        taken = {bracket.symbol for bracket in self._desk.brackets()}
        taken |= {position.symbol for position in self._desk.positions()}
        taken |= {signal.symbol for signal in self._desk.signals() if signal.status.value in AT_WORK}
        spare = [symbol for symbol in self._embedded.symbols if symbol not in taken]
        if len(spare) < SPARE_SYMBOLS:
            raise CommandRefused("DRILL_NOT_READY", "Every symbol is in play: close something first.")
        return spare[-SPARE_SYMBOLS:]

    # --- one drill ---------------------------------------------------------------------------------------------------

    async def _run(self, drill: Drill, stage: Stage) -> None:
        began_at = self._clock.now()
        unsubscribe = self._bus.on_records(self._watch)
        self._acts.clear()
        try:
            try:
                trouble = await drill.scene(stage)
            except EngineError as why:
                self._write(_not_set(drill, began_at, why.operator_text))
                return
            struck_at = self._clock.now()
            self._acts.clear()
            self._tell(drill, "struck", stage.symbol, ends_at=struck_at + timedelta(seconds=drill.time_limit_s))
            outcome = await self._until_over(drill, trouble)
            naked_s = sum((stage.desk.bracket(key).naked_s for key in stage.trades), 0.0)
            self._write(_result(drill, began_at, struck_at, outcome, tuple(self._acts), naked_s))
        finally:
            unsubscribe()
            try:
                await stage.clear()
            except EngineError as why:
                log.warning("the drill could not be cleared away: %s", why)
            finally:
                self._running = None
                self._bus.publish((), (Change("desk", ""),))

    async def _until_over(self, drill: Drill, trouble: Trouble) -> str:
        began_s = self._clock.monotonic_s()
        relieve = trouble.relieve
        while True:
            lasted_s = self._clock.monotonic_s() - began_s
            if self._stop.is_set():
                return "stopped"
            if relieve is not None and trouble.relief_s is not None and lasted_s >= trouble.relief_s:
                relieve()
                relieve = None
            if trouble.is_mended():
                return "mended"
            if lasted_s >= drill.time_limit_s:
                return "time_up"
            await self._clock.sleep(LOOK_S)

    def _watch(self, records: Sequence[Recorded]) -> None:
        self._acts += [act for recorded in records if (act := act_of(recorded)) is not None]

    def _tell(self, drill: Drill, stage: str, symbol: str, ends_at: datetime | None = None) -> None:
        self._running = RunningDrillView(
            drill=drill.name,
            title=drill.title,
            stage=stage,
            task=drill.about,
            symbol=symbol,
            since=self._clock.now(),
            ends_at=ends_at,
        )
        self._bus.publish((), (Change("desk", ""),))

    def _write(self, result: DrillResultView) -> None:
        self._results.add(result)
        log.info("drill %s: %s, %d points", result.drill, result.outcome, result.points)


def _result(
    drill: Drill, began_at: datetime, struck_at: datetime, outcome: str, acts: Sequence[Act], naked_s: float
) -> DrillResultView:
    found = score(struck_at, acts, right=drill.right, wrong=drill.wrong, naked_s=naked_s)
    return DrillResultView(
        drill=drill.name,
        title=drill.title,
        began_at=began_at,
        outcome=outcome,
        points=found.points,
        noticed_s=found.noticed_s,
        act=found.act,
        act_s=found.act_s,
        mistakes=found.mistakes,
        naked_s=found.naked_s,
        notice_points=found.notice_points,
        action_points=found.action_points,
        cover_points=found.cover_points,
        lesson=drill.lesson,
    )


def _not_set(drill: Drill, began_at: datetime, why: str) -> DrillResultView:
    return DrillResultView(
        drill=drill.name,
        title=drill.title,
        began_at=began_at,
        outcome="not_set",
        points=0,
        noticed_s=None,
        act=None,
        act_s=None,
        mistakes=(),
        naked_s=0.0,
        notice_points=0,
        action_points=0,
        cover_points=0,
        lesson=why,
    )


@asynccontextmanager
async def open_drills(
    desk: DrillDoor, bus: Bus, embedded: EmbeddedExchange, clock: Clock, *, max_attempts: int
) -> AsyncIterator[DrillRoom]:
    """A drill that runs when the block is left is broken off, and cleared away as far as the exchange goes."""
    with ThreadPoolExecutor(1, thread_name_prefix="drill-results") as pool:
        results = await Results.load(embedded.folder / "drills.jsonl", pool)
        async with task_scope() as spawn:
            yield DrillRoom(desk, bus, embedded, clock, results, spawn, max_attempts=max_attempts)


__all__ = ["ACTOR", "DrillRoom", "open_drills"]
