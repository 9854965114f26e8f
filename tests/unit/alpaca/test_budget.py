"""Who may send, and who waits: an hour of traffic in a moment of virtual time."""

from __future__ import annotations

import asyncio
import random

import pytest

from engine.alpaca.budget import WINDOW_S, Lane, RateBudget, Slot
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock


async def take(budget: RateBudget, lane: Lane, count: int = 1) -> None:
    for _ in range(count):
        (await budget.acquire(lane)).spend()


def test_entries_and_reads_together_stop_at_three_quarters() -> None:
    async def main() -> None:
        clock = virtual_clock()
        budget = RateBudget(clock)
        await take(budget, Lane.ENTRY, 100)
        await take(budget, Lane.READ, 50)
        assert clock.monotonic_s() == 0
        assert budget.would_wait(Lane.ENTRY)
        assert budget.would_wait(Lane.READ)
        assert budget.remaining(Lane.ENTRY) == 0
        await take(budget, Lane.EXIT, 30)
        await take(budget, Lane.PROTECT, 20)
        assert clock.monotonic_s() == 0, "exits and protection never waited"
        await take(budget, Lane.READ)
        assert clock.monotonic_s() == pytest.approx(WINDOW_S)

    run_virtually(main())


@pytest.mark.parametrize("lane", [Lane.EXIT, Lane.PROTECT])
def test_no_exit_waits_even_when_the_whole_window_is_used(lane: Lane) -> None:
    async def main() -> None:
        clock = virtual_clock()
        budget = RateBudget(clock)
        await take(budget, lane, 200)
        assert budget.remaining(lane) == 0
        assert budget.would_wait(Lane.ENTRY)
        assert not budget.would_wait(lane)
        await take(budget, lane, 20)
        assert clock.monotonic_s() == 0

    run_virtually(main())


def test_two_hundred_approvals_at_once_never_exceed_the_window_and_exits_pass_them_all() -> None:
    async def main() -> None:
        clock = virtual_clock()
        budget = RateBudget(clock)
        sent: list[tuple[float, Lane]] = []

        async def send(lane: Lane, at_s: float) -> None:
            await clock.sleep(at_s)
            (await budget.acquire(lane)).spend()
            sent.append((clock.monotonic_s(), lane))

        async with asyncio.TaskGroup() as group:
            for number in range(200):
                group.create_task(send(Lane.ENTRY, 0), name=f"entry {number}")
            for number in range(40):
                group.create_task(send(Lane.EXIT, number * 0.5), name=f"exit {number}")
        assert all(at_s == pytest.approx(number * 0.5) for number, at_s in enumerate(exits_in(sent)))
        for start_s, _ in sent:
            assert sum(start_s <= at_s < start_s + WINDOW_S for at_s, _ in sent) <= 200
        assert max(at_s for at_s, _ in sent) <= 2 * WINDOW_S

    def exits_in(sent: list[tuple[float, Lane]]) -> list[float]:
        return [at_s for at_s, lane in sent if lane is Lane.EXIT]

    run_virtually(main())


def test_waiting_goes_by_lane_then_by_arrival() -> None:
    async def main() -> None:
        clock = virtual_clock()
        budget = RateBudget(clock, 4)
        await take(budget, Lane.EXIT, 4)
        order: list[str] = []

        async def send(name: str, lane: Lane) -> None:
            await take(budget, lane)
            order.append(name)
            await clock.sleep(WINDOW_S)

        async with asyncio.TaskGroup() as group:
            for name, lane in [
                ("read 1", Lane.READ),
                ("entry 1", Lane.ENTRY),
                ("read 2", Lane.READ),
                ("entry 2", Lane.ENTRY),
                ("stop", Lane.PROTECT),
                ("exit", Lane.EXIT),
            ]:
                group.create_task(send(name, lane), name=name)
            await clock.sleep(1)
            assert budget.waiting == 4
            assert order == ["stop", "exit"]
        assert order == ["stop", "exit", "entry 1", "entry 2", "read 1", "read 2"]

    run_virtually(main())


def test_a_waiter_that_is_canceled_lets_the_next_one_pass() -> None:
    async def main() -> None:
        clock = virtual_clock()
        budget = RateBudget(clock, 4)
        await take(budget, Lane.EXIT, 4)
        first = asyncio.create_task(take(budget, Lane.ENTRY), name="first")
        second = asyncio.create_task(take(budget, Lane.ENTRY), name="second")
        await clock.sleep(1)
        first.cancel()
        await asyncio.wait([first, second])
        assert first.cancelled()
        assert clock.monotonic_s() == pytest.approx(WINDOW_S)
        assert budget.waiting == 0

    run_virtually(main())


def test_an_unused_slot_returns_and_a_spent_one_does_not() -> None:
    async def main() -> None:
        budget = RateBudget(virtual_clock(), 4)
        async with budget.slot(Lane.ENTRY):
            assert budget.remaining(Lane.ENTRY) == 2
        assert budget.remaining(Lane.ENTRY) == 3
        with pytest.raises(ValueError, match="gate"):
            async with budget.slot(Lane.ENTRY):
                raise ValueError("the gate says no by now")
        assert budget.remaining(Lane.ENTRY) == 3
        async with budget.slot(Lane.ENTRY) as slot:
            slot.spend()
        slot.give_back()
        assert budget.remaining(Lane.ENTRY) == 2

    run_virtually(main())


def test_a_returned_slot_wakes_who_waits_for_it() -> None:
    async def main() -> None:
        clock = virtual_clock()
        budget = RateBudget(clock, 4)
        slots: list[Slot] = [await budget.acquire(Lane.ENTRY) for _ in range(3)]
        waiting = asyncio.create_task(take(budget, Lane.ENTRY), name="waits")
        await clock.sleep(1)
        slots[0].give_back()
        await waiting
        assert clock.monotonic_s() == pytest.approx(1)

    run_virtually(main())


def test_another_program_on_the_account_costs_entries_not_exits() -> None:
    async def main() -> None:
        clock = virtual_clock()
        budget = RateBudget(clock)
        await take(budget, Lane.READ, 10)
        budget.observe(200, 40, 30.0)  # 160 used by the broker's count, 10 of them ours
        assert budget.remaining(Lane.EXIT) == 40
        assert budget.would_wait(Lane.ENTRY)
        await take(budget, Lane.ENTRY)
        assert clock.monotonic_s() == pytest.approx(30), "until the broker's window resets"

    run_virtually(main())


def test_requests_under_way_do_not_hide_another_program() -> None:
    async def main() -> None:
        budget = RateBudget(virtual_clock(), 200)
        budget.observe(200, 100, 60.0)
        assert budget.remaining(Lane.ENTRY) == 50
        slots = [await budget.acquire(Lane.ENTRY) for _ in range(50)]
        slots[0].spend()
        budget.observe(200, 99, 60.0)  # the first one's answer: the broker has not seen the others yet
        assert budget.remaining(Lane.ENTRY) == 0
        for slot in slots[1:]:
            slot.spend()
        budget.observe(200, 50, 60.0)
        assert budget.remaining(Lane.ENTRY) == 0

    run_virtually(main())


def test_the_broker_says_how_large_the_window_is() -> None:
    async def main() -> None:
        budget = RateBudget(virtual_clock())
        budget.observe(1000, 999, 60.0)
        assert budget.limit == 1000
        assert budget.remaining(Lane.ENTRY) == 749

    run_virtually(main())


@pytest.mark.parametrize("said", [(None, 3, 1.0), (200, None, 1.0), (0, 0, 1.0), (200, 201, 1.0), (200, -1, 1.0)])
def test_nonsense_in_headers_changes_nothing(said: tuple[int | None, int | None, float]) -> None:
    async def main() -> None:
        budget = RateBudget(virtual_clock())
        budget.observe(*said)
        assert (budget.limit, budget.remaining()) == (200, 200)

    run_virtually(main())


@pytest.mark.parametrize(("asked_s", "paused_s"), [(None, 5), (12.0, 12), (0.0, 1), (86_400.0, 60)])
def test_a_429_pauses_entries_and_reads_while_exits_go_on(asked_s: float | None, paused_s: float) -> None:
    async def main() -> None:
        clock = virtual_clock()
        budget = RateBudget(clock)
        budget.refused(asked_s)
        await take(budget, Lane.EXIT)
        await take(budget, Lane.PROTECT)
        assert clock.monotonic_s() == 0
        await take(budget, Lane.ENTRY)
        assert clock.monotonic_s() == pytest.approx(paused_s)

    run_virtually(main())


def test_a_window_too_small_for_exits_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="nothing for exits"):
            RateBudget(virtual_clock(), 3)

    run_virtually(main())


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_the_window_holds(seed: int) -> None:
    async def main() -> None:
        rng = random.Random(seed)
        clock = virtual_clock()
        budget = RateBudget(clock, 40)
        sent: list[tuple[float, Lane]] = []

        async def send(lane: Lane, at_s: float, patience_s: float) -> None:
            await clock.sleep(at_s)
            try:
                async with asyncio.timeout(patience_s), budget.slot(lane) as slot:
                    if rng.random() < 0.9:
                        slot.spend()
                        sent.append((clock.monotonic_s(), lane))
            except TimeoutError:
                pass

        async with asyncio.TaskGroup() as group:
            for number in range(400):
                lane = rng.choice(list(Lane))
                group.create_task(send(lane, rng.uniform(0, 300), rng.uniform(1, 120)), name=str(number))
        for start_s, _ in sent:
            window = [lane for at_s, lane in sent if start_s <= at_s < start_s + WINDOW_S]
            assert sum(lane >= Lane.ENTRY for lane in window) <= 30
        for at_s, lane in sent:
            before = [other_s for other_s, _ in sent if at_s - WINDOW_S < other_s < at_s]
            assert lane < Lane.ENTRY or len(before) < 30, "an entry or a read went out although the window was used"
        assert budget.waiting == 0

    run_virtually(main())
