"""Every command the window can give: a named task that ends with the window, once at a time.

A command is known by what it acts on (``approve:s000012``). While one runs, giving it again does nothing, so a double
click makes one command. A refusal is told as one sentence with its code; a fault of the program is logged with its
trace and told too: nothing a person asked for ends in silence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, Signal

from engine.errors import CommandRefused, EngineError
from engine.model.commands import NO_EDITS, Agreement, Edits, OrderChange
from engine.model.mandate import MandateTerms
from engine.model.words import DeskState
from engine.views import BarView
from engine.views_batch import OutcomeView
from engine.views_truth import FactView
from gui.door import Door, DrillDoor, MinuteStep

logger = logging.getLogger(__name__)

ACTOR: Final = "window"
RELEASE: Final = "RELEASE"
"""What has to be typed to leave ``halted``, or to release a trip whose cause is over."""
FORCE: Final = "RELEASE ANYWAY"
"""What has to be typed to release a trip whose cause stands."""
CONFIRM_ACCOUNT: Final = "confirm-account"
BATCH: Final = "batch"
DRILL: Final = "drill"
SETTLE: Final = "settle:"
"""Before the id of the difference that is being settled."""
GRANT: Final = "grant"
HALT: Final = "halt:"
"""Before the rung that is being engaged, proved or left."""

MANDATE: Final = "mandate:"
"""Before the id of the mandate that is confirmed."""

REVOKE: Final = "revoke"
"""All mandates; with a colon and its id, one of them."""

REPAIR: Final = "repair:"
"""Before the id of the trade that a plan is carried out for."""

MOVE: Final = "move:"
"""Before the id of the trade whose exits are put elsewhere."""

FACTS: Final = "facts"

FILE: Final = "file:"
"""Before the path of the file that is written."""

TICKET: Final = "ticket"
"""Sending one; with a colon and a symbol, looking that up."""

type Spawn = Callable[[str, Coroutine[Any, Any, None]], object]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command was not taken. ``code`` is stable, ``text`` is for the operator."""

    code: str
    text: str
    reasons: Sequence[Any] = ()


@asynccontextmanager
async def command_scope() -> AsyncIterator[Spawn]:
    """Tasks of the window: they end with the block, and one that crashes ends the block."""
    async with asyncio.TaskGroup() as group:
        alive: set[asyncio.Task[None]] = set()

        def spawn(name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            task = group.create_task(work, name=name)
            alive.add(task)
            task.add_done_callback(alive.discard)
            return task

        try:
            yield spawn
        finally:
            for task in tuple(alive):
                task.cancel()


class Actions(QObject):
    started = Signal(str)
    ended = Signal(str)
    refused = Signal(str, object)
    """Key of the command, and its ``Refusal``."""

    def __init__(
        self, desk: Door, spawn: Spawn, parent: QObject | None = None, *, drills: DrillDoor | None = None
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self.drills = drills
        """None unless the desk is on the embedded exchange."""
        self._spawn = spawn
        self._running: set[str] = set()
        self._closed = False

    def close(self) -> None:
        """The window is going: what a late timer or click asks for now is not started."""
        self._closed = True

    def is_running(self, key: str) -> bool:
        return key in self._running

    def _run(self, key: str, command: Callable[[], Coroutine[Any, Any, object]]) -> bool:
        """Start ``command`` unless the same is under way; tells whether it started."""
        if self._closed or key in self._running:
            return False
        self._running.add(key)
        self.started.emit(key)
        self._spawn(f"window:{key}", self._guard(key, command))
        return True

    async def _guard(self, key: str, command: Callable[[], Coroutine[Any, Any, object]]) -> None:
        refusal = None
        try:
            await command()
        except CommandRefused as error:
            refusal = Refusal(error.code, error.operator_text, error.reasons)
        except EngineError as error:
            refusal = Refusal(type(error).__name__, error.operator_text)
        except Exception as error:
            # A bug behind one button must not take the window away from someone who holds positions.
            logger.exception("command %s failed", key)
            refusal = Refusal("INTERNAL", f"{type(error).__name__}: {error}. The log has the details.")
        finally:
            self._running.discard(key)
        self.ended.emit(key)
        if refusal is not None:
            self.refused.emit(key, refusal)

    def approve(self, signal_id: str, preview_id: str | None, edits: Edits = NO_EDITS, reason: str = "") -> bool:
        return self._run(
            f"approve:{signal_id}",
            lambda: self._desk.approve(signal_id, actor=ACTOR, preview_id=preview_id, edits=edits, reason=reason),
        )

    def reject(self, signal_id: str, reason: str = "", code: int | None = None) -> bool:
        return self._run(
            f"reject:{signal_id}", lambda: self._desk.reject(signal_id, actor=ACTOR, reason=reason, code=code)
        )

    def undo(self, signal_id: str) -> bool:
        return self._run(f"undo:{signal_id}", lambda: self._desk.undo(signal_id, actor=ACTOR))

    def approve_batch(self, ids: Sequence[str], preview_id: str, reason: str = "") -> bool:
        return self._batch(
            "approve", lambda: self._desk.approve_batch(ids, actor=ACTOR, preview_id=preview_id, reason=reason)
        )

    def reject_batch(self, ids: Sequence[str]) -> bool:
        return self._batch("reject", lambda: self._desk.reject_batch(ids, actor=ACTOR))

    def _batch(self, verb: str, decide: Callable[[], Coroutine[Any, Any, Sequence[OutcomeView]]]) -> bool:
        """One of several: those that were not decided are told by name."""

        async def work() -> None:
            failed = [outcome for outcome in await decide() if not outcome.done]
            if failed:
                told = "; ".join(outcome.text for outcome in failed[:3])
                raise CommandRefused(failed[0].code or "BATCH", f"{len(failed)} not {verb}d: {told}")

        return self._run(BATCH, work)

    def cancel_order(self, order_id: str) -> bool:
        return self._run(f"cancel:{order_id}", lambda: self._desk.cancel_order(order_id, actor=ACTOR))

    def lookup_order(self, order_id: str) -> bool:
        return self._run(f"lookup:{order_id}", lambda: self._desk.lookup_order(order_id, actor=ACTOR))

    def attest_never_reached(self, order_id: str) -> bool:
        return self._run(
            f"attest:{order_id}",
            lambda: self._desk.attest_order(order_id, actor=ACTOR, settlement="never_reached"),
        )

    def poll_orders(self) -> bool:
        return self._run("poll", lambda: self._desk.poll_orders(True, actor=ACTOR))

    def retry(self, bracket_id: str) -> bool:
        return self._run(f"retry:{bracket_id}", lambda: self._desk.retry_bracket(bracket_id, actor=ACTOR))

    def reprice(self, bracket_id: str) -> bool:
        return self._run(f"reprice:{bracket_id}", lambda: self._desk.reprice_bracket(bracket_id, actor=ACTOR))

    def repair(self, bracket_id: str, plan_id: str, confirm: str | None = None) -> bool:
        return self._run(
            f"{REPAIR}{bracket_id}",
            lambda: self._desk.exits.repair(bracket_id, plan_id=plan_id, actor=ACTOR, confirm=confirm),
        )

    def move_exits(self, bracket_id: str, stop: Decimal | None, target: Decimal | None) -> bool:
        """None stays where it is."""
        return self._run(
            f"{MOVE}{bracket_id}",
            lambda: self._desk.exits.move(bracket_id, stop_price=stop, take_profit_price=target, actor=ACTOR),
        )

    def replace_order(self, order_id: str, change: OrderChange) -> bool:
        return self._run(f"replace:{order_id}", lambda: self._desk.replacing.replace(order_id, change, actor=ACTOR))

    def break_even(self, bracket_id: str) -> bool:
        return self._run(f"{MOVE}{bracket_id}", lambda: self._desk.exits.break_even(bracket_id, actor=ACTOR))

    def protect_again(self, bracket_id: str) -> bool:
        return self._run(f"protect:{bracket_id}", lambda: self._desk.exits.protect_again(bracket_id, actor=ACTOR))

    def flatten(self, bracket_id: str) -> bool:
        return self._run(f"flatten:{bracket_id}", lambda: self._desk.flatten_bracket(bracket_id, actor=ACTOR))

    def flatten_symbol(self, symbol: str) -> bool:
        return self._run(f"flatten:{symbol}", lambda: self._desk.flatten(symbol=symbol, actor=ACTOR))

    def set_state(self, state: DeskState, confirm: str | None = None, second: Agreement | None = None) -> bool:
        return self._run("state", lambda: self._desk.set_state(state, actor=ACTOR, confirm=confirm, second=second))

    def flatten_all(self) -> bool:
        return self._run(f"{HALT}flat", lambda: self._desk.flatten(symbol=None, actor=ACTOR))

    def prove_flat(self) -> bool:
        return self._run(f"{HALT}prove", lambda: self._desk.halt.prove(actor=ACTOR))

    def suspend_trading(self) -> bool:
        return self._run(f"{HALT}suspend", lambda: self._desk.halt.suspend(actor=ACTOR))

    def resume_trading(self) -> bool:
        """Called with the word typed."""
        return self._run(f"{HALT}suspend", lambda: self._desk.halt.resume(actor=ACTOR, confirm=RELEASE))

    def confirm_account(self, number: str) -> bool:
        return self._run(CONFIRM_ACCOUNT, lambda: self._desk.confirm_account(number, actor=ACTOR))

    def begin_drill(self, name: str) -> bool:
        drills = self.drills
        return drills is not None and self._run(DRILL, lambda: drills.begin(name, actor=ACTOR))

    def end_drill(self) -> bool:
        drills = self.drills
        return drills is not None and self._run(DRILL, lambda: drills.end(actor=ACTOR))

    def settle_difference(
        self,
        difference_id: str,
        settlement: str,
        stop_price: Decimal | None = None,
        take_profit_price: Decimal | None = None,
    ) -> bool:
        """The prices are of shares that become a trade; a target may be left out."""
        return self._run(
            f"{SETTLE}{difference_id}",
            lambda: self._desk.settle_difference(
                difference_id,
                settlement=settlement,
                actor=ACTOR,
                stop_price=stop_price,
                take_profit_price=take_profit_price,
            ),
        )

    def grant_mandate(self, wanted: MandateTerms, then: Callable[[], None]) -> bool:
        """``then`` is called when the desk has it on disk."""

        async def work() -> None:
            await self._desk.mandates.grant(wanted, actor=ACTOR)
            then()

        return self._run(GRANT, work)

    def confirm_mandate(self, mandate_id: str) -> bool:
        return self._run(f"{MANDATE}{mandate_id}", lambda: self._desk.mandates.confirm(mandate_id, actor=ACTOR))

    def revoke_mandate(self, mandate_id: str) -> bool:
        return self._run(f"{REVOKE}:{mandate_id}", lambda: self._desk.mandates.revoke(mandate_id, actor=ACTOR))

    def revoke_mandates(self) -> bool:
        return self._run(REVOKE, lambda: self._desk.mandates.revoke_all(actor=ACTOR))

    def look_at(self, symbol: str) -> bool:
        """Have the price and the history of a ticket's symbol at hand."""
        return self._run(f"{TICKET}:{symbol}", lambda: self._desk.ticket.look(symbol))

    def leave_ticket(self) -> None:
        self._desk.ticket.leave()

    def send_ticket(self, raw: bytes, preview_id: str, then: Callable[[str], None], reason: str = "") -> bool:
        """``then`` is told the signal that it became, once the yes is on disk."""

        async def work() -> None:
            then(await self._desk.ticket.send(raw, preview_id=preview_id, actor=ACTOR, reason=reason))

        return self._run(TICKET, work)

    def acknowledge(self, incident_id: str) -> bool:
        return self._run(f"ack:{incident_id}", lambda: self._desk.ack_incident(incident_id, actor=ACTOR))

    def shelve(self, incident_id: str, minutes: int, reason: str) -> bool:
        return self._run(
            f"shelve:{incident_id}",
            lambda: self._desk.alarms.shelve(incident_id, minutes=minutes, reason=reason, actor=ACTOR),
        )

    def unshelve(self, incident_id: str) -> bool:
        return self._run(f"shelve:{incident_id}", lambda: self._desk.alarms.unshelve(incident_id, actor=ACTOR))

    def set_demo(self, on: bool) -> bool:
        return self._run("demo", lambda: self._desk.set_demo(on, actor=ACTOR))

    def cancel_working_entries(self, then: Callable[[], None]) -> bool:
        """Cancel entries, then call ``then``: not before the desk has taken every one of them."""

        async def work() -> None:
            await self._desk.cancel_working_entries(actor=ACTOR)
            then()

        return self._run("cancel-entries", work)

    def write_file(self, path: Path, write: Callable[[Path], None], then: Callable[[OSError | None], None]) -> bool:
        """Have ``write`` make a file in a thread and give it the name ``path`` when it is whole.

        ``then`` is told why it could not be, None when it was.
        """

        async def work() -> None:
            # A pool of our own, which nobody waits for: a disk that hangs must not hold up the end of the window.
            pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="file")
            failure = None
            try:
                await asyncio.get_running_loop().run_in_executor(pool, _write_whole, path, write)
            except OSError as why:
                failure = why
            finally:
                pool.shutdown(wait=False)
            then(failure)

        return self._run(f"{FILE}{path}", work)

    def load_facts(self, subjects: Sequence[str], take: Callable[[Sequence[FactView]], None]) -> bool:
        async def work() -> None:
            take(await self._desk.facts_about(subjects))

        return self._run(FACTS, work)

    def load_bars(
        self, symbol: str, minutes: int, step: MinuteStep, take: Callable[[str, list[BarView]], None]
    ) -> bool:
        async def work() -> None:
            take(symbol, await self._desk.bars(symbol, minutes=minutes, step=step))

        return self._run(f"bars:{symbol}", work)


def _write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Raises:
    OSError: it cannot be written; what was at ``path`` is there still.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        write(part)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
