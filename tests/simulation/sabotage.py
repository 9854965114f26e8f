"""Safety mechanisms of the desk, each broken on purpose: the simulation is worth what it sees of that.

``hunt`` runs storms on a desk that has lost one mechanism until an invariant that names the loss is broken; how many
seeds that took stands in ``docs/reliability.md``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, suppress
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from unittest import mock

import msgspec

from engine import recall
from engine.alpaca.budget import Lane, RateBudget
from engine.alpaca.outcomes import Purpose
from engine.approval import ApprovalQueue
from engine.differences import Differences
from engine.errors import BrokerError, JournalUnavailable
from engine.incidents.watch import Watch
from engine.model import events as ev
from engine.order_reading import OrderReader
from engine.pipeline.resolve import Resolver
from engine.pipeline.standing import StandingTaker
from engine.protection import flatten
from engine.protection.case import Case as Trade
from engine.protection.supervisor import Supervisor
from engine.recall import Memory
from engine.reconcile import Reconciler
from engine.recorder import Recorder
from engine.rules.exposures import Exposure
from tests.simulation.case import Case
from tests.simulation.runner import HASHES
from tests.simulation.storm import simulate
from tests.simulation.weather import Weather

STORM: Final = Weather(
    lasts_s=45.0,
    fault_every_s=1.0,
    shock_every_s=5.0,
    signal_every_s=1.5,
    act_every_s=0.7,
    kills=0,
    latency_ms=20.0,
    partial_fill_rate=0.1,
    quote_interval_s=1.0,
    stream_legs=False,
    sibling_cancel_event=True,
    list_held_legs=False,
    replace_held_legs=True,
    resize_stop_by_replacing=False,
    http_share=0.0,
    hands=0.0,
)
MOST_SEEDS: Final = 40


class Sabotage(NamedTuple):
    mechanism: str
    """What keeps the promise when it is whole."""
    break_it: Callable[[], AbstractContextManager[Any]]
    seen_by: frozenset[str]
    """Invariants of which one must be found broken."""
    weather: Mapping[str, Any] = MappingProxyType({})
    """What the storms need for it, over ``STORM``."""


class Finding(NamedTuple):
    mechanism: str
    seeds: int
    """Storms until it was seen."""
    invariant: str | None
    """None when none of them saw it."""


async def _send_again_under_a_new_id(self: Resolver, order_id: str) -> None:
    body, purpose = self._bodies[order_id]
    try:
        again = body | {"client_order_id": order_id.removesuffix("-1") + "-2"}
        await self._client.submit(again, purpose=Purpose(purpose.value))
    except BrokerError:
        pass


async def _record_without_waiting(self: Recorder, *events: Any) -> list[Any]:
    return self.record(*events)


async def _nothing(*_: Any, **__: Any) -> list[Any]:
    return []


async def _sleep_for_ever(self: ApprovalQueue) -> None:
    await asyncio.Event().wait()


async def _wait_for_the_disk(self: Recorder, *events: Any) -> list[Any]:
    recorded = self.record(*events)
    with suppress(JournalUnavailable):
        await self._journal.durable(recorded[-1].seq)
    while self._journal.failure is not None:
        await asyncio.sleep(0.1)
    return recorded


async def _cancel_without_a_line(self: Recorder, *events: Any) -> list[Any]:
    written = [event for event in events if not isinstance(event, ev.CancelIntended)]
    return self.record(*written) if written else []


def _all_that_was_entered(case: Trade) -> Decimal:
    return case.cover.entry_filled


def _waits_like_a_read(self: RateBudget, lane: Lane) -> bool:
    return self.remaining(lane) == 0 or self._is_overtaken(lane)


def _skip_some(path: Path, memory: Memory, *, behind: int = 0) -> int:
    """Facts behind the checkpoint that are not folded."""
    return WHOLE_FOLD(path, memory, behind=behind + 3 if behind else 0)


def _no_exposures(*_: Any, **__: Any) -> Iterator[Exposure]:
    return iter(())


def _patch(owner: Any, name: str, new: Any) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: mock.patch.object(owner, name, new)


SABOTAGES: Final[dict[str, Sabotage]] = {
    "resend": Sabotage(
        "a write of unknown fate is looked up, and sent again only under its own id",
        _patch(Resolver, "_settle", _send_again_under_a_new_id),
        frozenset({"the_intent_comes_first", "one_entry_per_approval"}),
    ),
    "claim": Sabotage(
        "a signal is claimed by its first approval",
        _patch(ApprovalQueue, "refuse_unless_pending", lambda *_: None),
        frozenset({"one_entry_per_approval", "the_desk_lives", "the_door_raises_only_refusals"}),
    ),
    "supervisor": Sabotage(
        "the supervisor places what cover is missing",
        _patch(Supervisor, "_ensure", lambda *_: None),
        frozenset({"held_shares_are_covered"}),
    ),
    "commit": Sabotage(
        "an entry waits until its intent is on disk",
        _patch(Recorder, "commit", _record_without_waiting),
        frozenset({"the_intent_comes_first"}),
    ),
    "reconcile": Sabotage(
        "orders are read from the broker, whatever the stream says",
        _patch(OrderReader, "read", _nothing),
        frozenset({"the_book_is_the_brokers"}),
    ),
    "exposure": Sabotage(
        "approvals count what the others hold, work and reserve",
        _patch(StandingTaker, "exposures", _no_exposures),
        frozenset({"limits_hold_together"}),
    ),
    "resolver": Sabotage(
        "a write of unknown fate is looked up until somebody knows",
        _patch(Resolver, "settle", lambda *_: None),
        frozenset({"nothing_is_stuck", "the_book_is_the_brokers", "held_shares_are_covered"}),
        {"fault_every_s": 0.3},
    ),
    "left behind": Sabotage(
        "a start settles what the last process had under way",
        _patch(Reconciler, "_settle_left_behind", _nothing),
        frozenset({"nothing_is_stuck", "the_book_is_the_brokers"}),
        {"kills": 2},
    ),
    "incidents": Sabotage(
        "what needs a hand stands as an incident",
        _patch(Watch, "look", lambda *_: None),
        frozenset({"nothing_is_stuck", "held_shares_are_covered"}),
    ),
    "expiry": Sabotage(
        "a signal ends with its time to live",
        _patch(ApprovalQueue, "_expire", _sleep_for_ever),
        frozenset({"nothing_is_stuck"}),
    ),
    "cancel intent": Sabotage(
        "a cancel is on record before it is sent",
        _patch(Recorder, "commit_exit", _cancel_without_a_line),
        frozenset({"the_intent_comes_first", "the_desk_lives"}),
    ),
    "exit and disk": Sabotage(
        "an exit waits for the disk only briefly",
        _patch(Recorder, "commit_exit", _wait_for_the_disk),
        frozenset({"exits_are_never_blocked"}),
        {"act_every_s": 0.25, "lasts_s": 90.0},
    ),
    "exit and budget": Sabotage(
        "no exit waits for the request budget",
        _patch(RateBudget, "would_wait", _waits_like_a_read),
        frozenset({"exits_are_never_blocked"}),
        {"requests_per_minute": 40},
    ),
    "closing quantity": Sabotage(
        "a close is for what is held now, not for what was entered once",
        _patch(flatten, "_closable", _all_that_was_entered),
        frozenset({"no_more_is_closed_than_held", "exits_stay_within_the_position", "no_exit_opens_a_position"}),
        {"partial_fill_rate": 0.5},
    ),
    "checkpoint": Sabotage(
        "a start folds every fact behind its checkpoint",
        _patch(recall, "fold", _skip_some),
        frozenset({"replay_gives_the_same_book", "the_desk_lives"}),
        {"kills": 2, "checkpoint_after": 20},
    ),
    "differences": Sabotage(
        "what the book cannot explain is told and locks the start gate",
        _patch(Differences, "compare", lambda *_: None),
        frozenset({"trades_explain_positions", "held_shares_are_covered"}),
        {"hands": 1.0},
    ),
}


WHOLE_FOLD: Final = recall.fold


def hunt(name: str, most: int = MOST_SEEDS) -> Finding:
    """Storms on a desk without this mechanism, until one sees it."""
    sabotage = SABOTAGES[name]
    storm = msgspec.structs.replace(STORM, **sabotage.weather)
    with sabotage.break_it():
        for seed in range(most):
            for violation in simulate(Case(seed, given=storm)).violations:
                if violation.invariant in sabotage.seen_by:
                    return Finding(sabotage.mechanism, seed + 1, violation.invariant)
    return Finding(sabotage.mechanism, most, None)


def hunt_all(jobs: int | None = None) -> dict[str, Finding]:
    """Every mechanism, on all cores."""
    with (
        mock.patch.dict(os.environ, HASHES),
        ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=get_context("spawn")) as pool,
    ):
        return dict(zip(SABOTAGES, pool.map(hunt, SABOTAGES), strict=True))


def print_table(jobs: int | None = None) -> int:
    """The table of ``docs/reliability.md``; exit status 1 when something was not seen."""
    findings = hunt_all(jobs).values()
    print("| mechanism, broken on purpose | seeds until seen | by |\n|---|---:|---|")
    for finding in findings:
        print(f"| {finding.mechanism} | {finding.seeds} | {finding.invariant or 'NOT SEEN'} |")
    return 0 if all(finding.invariant for finding in findings) else 1
