"""The parties on their machines: the exchange that lives on, the desk that dies and comes back, the wires between.

The desk is the real one (``start_desk``), the exchange too (``serve_exchange``), and between them real aiohttp. A kill
leaves behind what ``kill -9`` leaves: the files as they were in that moment, which the next desk finds in its folder.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, override

from engine.alpaca.credentials import Secret, SimKeys
from engine.alpaca.endpoints import SimAccess, sim_endpoint
from engine.checkpoint import CHECKPOINT_FILE
from engine.clock import LoopClock
from engine.config import Config
from engine.desk import Desk
from engine.exchange.core import Exchange
from engine.exchange.faults import Faults
from engine.exchange.server import ExchangeSettings, serve_exchange
from engine.intake.api import ApiSettings, serve_api
from engine.journal.reader import open_reader, read_all
from engine.model import events as ev
from engine.model.words import Mode
from engine.start import JOURNAL_FILE, DeskSettings, start_desk
from engine.user_rules.process import Rules
from tests.simulation.remote import API_PORT, TOKEN
from tests.simulation.virtual import Disk, VirtualLoop
from tests.simulation.witness import Witness

BROKER: Final = "127.0.0.9"
"""The desk speaks plain HTTP to loopback names alone; a simulated machine may be called so."""
PORT: Final = 8900
KEY_ID: Final = "PKRECOGNISABLEKEYID0"
SECRET_KEY: Final = "recognisable-secret-never-to-be-written-down"
STOP_PATIENCE_S: Final = 30.0
CHECKPOINT_AFTER: Final = 25
"""Facts; so few that most lives leave a checkpoint to the next."""


class WallClock(LoopClock):
    """A machine's clock: its wall time can be set, its monotonic time and its sleeps go on undisturbed."""

    def __init__(self, epoch: datetime) -> None:
        super().__init__(epoch)
        self.leapt_s = 0.0
        """Dead hours that passed at once, for all machines."""
        self.wrong_s = 0.0

    @override
    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.leapt_s + self.wrong_s)


class Broker:
    """The exchange on its own machine, from the first to the last second."""

    def __init__(self, loop: VirtualLoop, clock: LoopClock, settings: ExchangeSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._ready = asyncio.Event()
        self._done = asyncio.Event()
        self.witness = Witness(loop.time)
        self.exchange: Exchange
        self.faults: Faults
        self._task = loop.net.host(BROKER).create_task(self._serve(), name="exchange")

    async def _serve(self) -> None:
        with self.witness.watching():
            async with serve_exchange(self._settings, self._clock, host=BROKER, port=PORT) as running:
                self.exchange, self.faults = running.exchange, running.faults
                self.witness.attend(running.exchange)
                self._ready.set()
                await self._done.wait()

    async def ready(self) -> None:
        await self._ready.wait()

    async def close(self) -> None:
        self._done.set()
        await self._task

    def by_hand(self, act: Callable[[Exchange], None]) -> None:
        """Something happens at the exchange that nobody asked for over the wire."""
        self.exchange.run_due()
        act(self.exchange)
        self.exchange.settle()
        self.witness.wake()


class Life:
    """One process of the desk, from its start to its end."""

    def __init__(self, number: int, folder: Path, disk: Disk, loop: VirtualLoop) -> None:
        self.number = number
        self.machine = f"desk-{number}"
        self.folder = folder
        self.disk = disk
        self.desk: Desk | None = None
        self.up = asyncio.Event()
        self.stop = asyncio.Event()
        self.is_killed = False
        self.began_s = loop.time()
        self.task: asyncio.Task[None] | None = None
        self.intents: dict[str, dict[str, Any]] = {}
        """Client order id -> body, of every intent in the journal, also those not on disk yet."""
        self.cancels: set[str] = set()
        """Our ids of the orders whose cancel is in the journal."""
        self.on_record: list[Callable[[Life, ev.Recorded], None]] = []
        self._reader: sqlite3.Connection | None = None

    @property
    def journal(self) -> Path:
        return self.folder / JOURNAL_FILE

    @property
    def is_running(self) -> bool:
        return (
            self.desk is not None
            and not (self.is_killed or self.stop.is_set())
            and self.task is not None
            and not self.task.done()
        )

    def has_on_disk(self, kind: str, subject: str) -> bool:
        """Whether such a fact would survive a kill in this very moment."""
        if self._reader is None:
            self._reader = open_reader(self.journal)
        query = "SELECT 1 FROM events WHERE kind = ? AND subject = ? LIMIT 1"
        return self._reader.execute(query, (kind, subject)).fetchone() is not None

    def note(self, records: Sequence[ev.Recorded]) -> None:
        if self.is_killed:
            return
        for recorded in records:
            match recorded.event:
                case ev.OrderIntended(order=order, body=body) | ev.ReplaceIntended(order=order, body=body):
                    self.intents[order.id] = body
                case ev.CancelIntended(order_id=order_id):
                    self.cancels.add(order_id)
            for listener in self.on_record:
                listener(self, recorded)

    def close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class DeskMachine:
    """Where desks are started, stopped and killed. One at a time."""

    def __init__(
        self,
        loop: VirtualLoop,
        clock: WallClock,
        base: Path,
        config: Config,
        rng: random.Random,
        *,
        checkpoint_after: int,
        rules: Callable[[int], Rules] | None = None,
    ) -> None:
        """``rules`` makes the operator's own for a process, by its number."""
        self._loop = loop
        self.clock = clock
        self._base = base
        self._config = config
        self._checkpoint_after = checkpoint_after
        self._rules = rules
        self._rng = rng
        self.lives: list[Life] = []
        self.is_cut_off = False
        self.on_start: list[Callable[[Life], None]] = []
        self.on_end: list[Callable[[Life, BaseException | None], None]] = []
        """Called when a process ended without having been asked."""

    @property
    def life(self) -> Life:
        return self.lives[-1]

    async def start(self) -> Life:
        """A process on the files of its predecessor; returns when its desk stands."""
        number = len(self.lives) + 1
        life = Life(number, self._base / f"desk-{number}", Disk(random.Random(f"{self._rng.random()}")), self._loop)
        if life.journal.exists():
            life.note(list(read_all(life.journal)))
        self.lives.append(life)
        host = self._loop.net.host(life.machine)
        if self.is_cut_off:
            self._loop.net.partition({life.machine}, {BROKER})
        for tell in self.on_start:
            tell(life)
        life.task = host.create_task(self._run(life), name=f"process {life.machine}")
        life.task.add_done_callback(lambda task: self._ended(life, task))
        waiting = [asyncio.ensure_future(life.up.wait()), life.task]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        waiting[0].cancel()
        return life

    async def _run(self, life: Life) -> None:
        settings = DeskSettings(
            mode=Mode.SIM, folder=life.folder, config=self._config, checkpoint_after=self._checkpoint_after
        )
        access = SimAccess(sim_endpoint(f"http://{BROKER}:{PORT}"), SimKeys(KEY_ID, Secret(SECRET_KEY)))
        rules = self._rules(life.number) if self._rules is not None else None
        api = ApiSettings(host=life.machine, port=API_PORT, data_dir=life.folder, token_override=TOKEN)
        async with (
            start_desk(settings, access, self.clock, journal_pool=life.disk, user_rules=rules) as desk,
            serve_api(desk, api, self.clock),
        ):
            desk.bus.on_records(life.note)
            life.desk = desk
            life.up.set()
            await life.stop.wait()

    def _ended(self, life: Life, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if not life.is_killed and not life.stop.is_set():
            for tell in self.on_end:
                tell(life, error)

    def kill(self, *, reset_after_s: float) -> None:
        """``kill -9``, or a pulled plug when its connections are reset only later."""
        life = self.life
        if life.is_killed or life.stop.is_set():
            return
        life.is_killed = True
        life.disk.is_gone = True
        self._keep_files(life)
        self._loop.net.kill(life.machine, reset_after_s=reset_after_s)

    async def stop(self) -> BaseException | None:
        """SIGTERM; returns what the process failed with, if it did."""
        life = self.life
        life.stop.set()
        assert life.task is not None
        done, _ = await asyncio.wait([life.task], timeout=STOP_PATIENCE_S)
        if not done:
            return TimeoutError(f"{life.machine} did not stop in {STOP_PATIENCE_S:.0f} s")
        error = None if life.task.cancelled() else life.task.exception()
        self._keep_files(life)
        return error

    def _keep_files(self, life: Life) -> None:
        """What a page cache keeps of a killed process: all that was written, in whole commits, and nothing else."""
        life.close_reader()
        follower = self._base / f"desk-{life.number + 1}"
        follower.mkdir()
        for name in (JOURNAL_FILE, f"{JOURNAL_FILE}-wal", CHECKPOINT_FILE):
            with suppress(FileNotFoundError):
                shutil.copyfile(life.folder / name, follower / name)

    def cut(self) -> None:
        """Nothing passes between desk and broker; what is sent meanwhile arrives when the cut heals."""
        self.is_cut_off = True
        self._loop.net.partition({self.life.machine}, {BROKER})

    def heal(self) -> None:
        self.is_cut_off = False
        self._loop.net.heal()

    def set_latency(self, seconds: tuple[float, float]) -> None:
        self._loop.net.set_defaults(latency=seconds)
