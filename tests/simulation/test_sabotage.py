"""Can the simulation see at all? One safety of the desk is broken on purpose, and some storm must notice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from engine.alpaca.outcomes import Purpose
from engine.approval import ApprovalQueue
from engine.errors import BrokerError
from engine.pipeline.picture import Pictures
from engine.pipeline.resolve import Resolver
from engine.protection.supervisor import Supervisor
from engine.reconcile import Reconciler
from engine.recorder import Recorder
from engine.rules.facts import Exposure
from tests.simulation.chaos import Weather
from tests.simulation.storm import simulate

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
)
SEEDS: Final = range(30)


def first_seen(*invariants: str) -> str | None:
    """The first of these invariants that a storm found broken."""
    for seed in SEEDS:
        for violation in simulate(seed, STORM).violations:
            if violation.invariant in invariants:
                return violation.invariant
    return None


def test_a_desk_whose_safeties_are_whole_weathers_the_same_storms() -> None:
    """Else what the others see would say nothing."""
    found = [violation for seed in SEEDS[:5] for violation in simulate(seed, STORM).violations]
    assert not found


def test_an_order_sent_again_under_a_new_id_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send_again(self: Resolver, order_id: str) -> None:
        body, purpose = self._bodies[order_id]
        try:
            again = body | {"client_order_id": order_id.removesuffix("-1") + "-2"}
            await self._client.submit(again, purpose=Purpose(purpose.value))
        except BrokerError:
            pass

    monkeypatch.setattr(Resolver, "_settle", send_again)
    assert first_seen("the_intent_comes_first", "one_entry_per_approval")


def test_a_missing_claim_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApprovalQueue, "refuse_unless_pending", lambda *_: None)
    assert first_seen("one_entry_per_approval", "the_desk_lives", "the_door_raises_only_refusals")


def test_a_supervisor_that_sleeps_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supervisor, "_ensure", lambda *_: None)
    assert first_seen("held_shares_are_covered")


def test_an_entry_that_does_not_wait_for_the_disk_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def commit(self: Recorder, *events: Any) -> list[Any]:
        return self.record(*events)

    monkeypatch.setattr(Recorder, "commit", commit)
    assert first_seen("the_intent_comes_first")


def test_a_desk_that_never_reads_its_orders_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read_nothing(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(Reconciler, "_read_orders", read_nothing)
    assert first_seen("the_book_is_the_brokers")


def test_approvals_that_do_not_count_each_other_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def see_nothing(*_: Any, **__: Any) -> Iterator[Exposure]:
        return iter(())

    monkeypatch.setattr(Pictures, "exposures", see_nothing)
    assert first_seen("limits_hold_together")
