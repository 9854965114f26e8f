"""The collector's walks stay short, and nothing dead stays for ever."""

from __future__ import annotations

import gc
import threading
import weakref

from engine.garbage import FREEZE_EVERY_S, LOOK_EVERY_S, MANY, WHOLE_EVERY_S, short_pauses
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock

CLOCK = virtual_clock()


class Ring:
    """Holds itself: only the collector can free it."""

    def __init__(self) -> None:
        self.me = self


def test_what_has_lived_for_a_while_is_walked_no_more() -> None:
    async def live() -> tuple[int, int]:
        async with short_pauses(CLOCK, lambda: False):
            kept = [Ring() for _ in range(5_000)]
            young = len(gc.get_objects())
            await CLOCK.sleep(FREEZE_EVERY_S * 2)
            assert kept
            return young, len(gc.get_objects())

    young, walked = run_virtually(live())
    assert walked < young - 5_000


def test_many_are_not_waited_for_and_few_are() -> None:
    async def live(count: int) -> int:
        async with short_pauses(CLOCK, lambda: False):
            before = gc.get_freeze_count()
            kept = [Ring() for _ in range(count)]
            await CLOCK.sleep(LOOK_EVERY_S * 1.5)
            assert len(kept) == count
            return gc.get_freeze_count() - before

    assert run_virtually(live(2 * MANY)) >= 2 * MANY
    assert run_virtually(live(100)) <= 0


def test_a_ring_that_dies_young_goes_at_the_next_tick() -> None:
    async def live() -> object:
        async with short_pauses(CLOCK, lambda: False):
            ring = weakref.ref(Ring())
            await CLOCK.sleep(FREEZE_EVERY_S + 0.1)
            return ring()

    assert run_virtually(live()) is None


def test_a_ring_that_dies_old_goes_at_the_first_quiet_moment_after_half_an_hour() -> None:
    quiet = False

    async def live() -> list[bool]:
        nonlocal quiet
        alive = []
        async with short_pauses(CLOCK, lambda: quiet):
            kept = Ring()
            ring = weakref.ref(kept)
            await CLOCK.sleep(FREEZE_EVERY_S * 2)
            del kept
            for now_quiet in (False, True):
                quiet = now_quiet
                await CLOCK.sleep(WHOLE_EVERY_S + FREEZE_EVERY_S)
                alive.append(ring() is not None)
        return alive

    assert run_virtually(live()) == [True, False]


def test_nothing_is_collected_beside_the_loops_own_thread() -> None:
    """What is dead may be a widget, and one that is destroyed in another thread takes the process along."""
    collected_in: list[int] = []

    async def live() -> None:
        async with short_pauses(CLOCK, lambda: False):
            ring = Ring()
            weakref.finalize(ring, lambda: collected_in.append(threading.get_ident()))
            del ring
            worker = threading.Thread(target=lambda: [Ring() for _ in range(100_000)])
            worker.start()
            worker.join()
            assert collected_in == []
            await CLOCK.sleep(FREEZE_EVERY_S + 0.1)

    run_virtually(live())
    assert collected_in == [threading.get_ident()]


def test_the_collector_is_as_it_was_afterwards() -> None:
    async def live() -> None:
        async with short_pauses(CLOCK, lambda: True):
            assert not gc.isenabled()

    run_virtually(live())
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
