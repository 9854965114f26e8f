"""Python's cycle collector, kept from stalling the loop.

Left alone it walks every container of the process whenever the old generation has grown by a quarter: a tenth of a
second on a desk with a few hundred thousand objects, in the middle of whatever is going on. So the walk is cut short:
what has lived for two seconds is frozen (left out of every further walk), and the little that is younger is collected
on a timer; under load, when there is much of it, earlier, so that this walk stays short too. Cycles that die after they
were frozen (a connection of yesterday, say) are found by one whole walk, at most every half hour, at a moment that the
caller calls quiet.

It is done by the loop's own thread alone. By itself the walk happens in whichever thread makes the one object too many,
a worker's too, and a dead widget that is destroyed there takes the whole process along.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from engine.clock import Clock
from engine.tasks import task_scope

log = logging.getLogger(__name__)

FREEZE_EVERY_S: Final = 2.0
WHOLE_EVERY_S: Final = 1_800.0
LOOK_EVERY_S: Final = 0.25
MANY: Final = 20_000
"""Containers that are not waited for: a walk over so many takes some 5 to 10 ms under load, when no cache is warm."""


@asynccontextmanager
async def short_pauses(clock: Clock, is_quiet: Callable[[], bool]) -> AsyncIterator[None]:
    """Within the block no collection takes long, but for a whole one while ``is_quiet``. Afterwards it is as before."""
    was_enabled = gc.isenabled()
    # Without a walk first: until now the collector has worked by itself and left next to nothing, and a walk over all
    # that a start has imported takes 40 ms of the window's way to the screen, over a long journal's book much more.
    gc.freeze()
    gc.disable()
    try:
        async with task_scope() as spawn:
            spawn("garbage", _collect(clock, is_quiet))
            yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


async def _collect(clock: Clock, is_quiet: Callable[[], bool]) -> None:
    whole_s = frozen_s = clock.monotonic_s()
    while True:
        await clock.sleep(LOOK_EVERY_S)
        if clock.monotonic_s() - frozen_s < FREEZE_EVERY_S and gc.get_count()[0] < MANY:
            continue
        frozen_s = clock.monotonic_s()
        if clock.monotonic_s() - whole_s >= WHOLE_EVERY_S and is_quiet():
            whole_s = clock.monotonic_s()
            gc.unfreeze()
            log.info("%d objects in dead cycles were freed", gc.collect())
        else:
            gc.collect()
        gc.freeze()
