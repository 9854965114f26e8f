"""Ends the desk's process, mostly by ``kill -9``, and starts another one on the files that it left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from engine.model import events as ev
from tests.simulation.breakage import Dice
from tests.simulation.machines import Life
from tests.simulation.witness import Arrival

if TYPE_CHECKING:
    from tests.simulation.world import World

WAIT_S: Final = 20.0
"""For the moment at which a process is to be killed; if it does not come, any moment will do."""
LOOK_S: Final = 0.25


class Reaper:
    def __init__(self, world: World) -> None:
        self._world = world
        self._one_at_a_time = asyncio.Lock()
        self._armed: tuple[str, int, float] | None = None
        """An armed kill: at what, how many of it are let pass, and how long after it."""
        self._resets_after_s = 0.0
        self.is_over = False
        world.broker.witness.on_arrival.append(self._at_arrival)

    async def end(self, dice: Dice) -> None:
        """One end and the start that follows it; also when others are still under way."""
        downtime_s = dice.choice((0.05, 1.0, 5.0, 30.0))
        async with self._one_at_a_time:
            if self.is_over:
                return
            if dice.random() < 0.15:
                self._world.tell("the desk is stopped in order")
                await self._world.stop_desk()
            else:
                await self._kill_at_a_good_moment(dice)
            await self._world.clock.sleep(downtime_s)
            await self._world.machine.start()

    async def _kill_at_a_good_moment(self, dice: Dice) -> None:
        """Any moment, or the moment after the n-th write arrived, or was journaled."""
        kind = dice.choice(("time", "arrival", "intent", "approval"))
        passes, delay_s = dice.randrange(4), dice.choice((0.0, 0.0, 0.001, 0.003, 0.02, 0.1))
        self._resets_after_s = dice.choices((0.0, 20.0), (4, 1))[0]
        life = self._world.machine.life
        if kind != "time":
            self._armed = (kind, passes, delay_s)
            deadline_s = self._world.clock.monotonic_s() + WAIT_S
            while not life.is_killed and not self.is_over and self._world.clock.monotonic_s() < deadline_s:
                await self._world.clock.sleep(LOOK_S)
            self._armed = None
        self._kill(life, "at a random moment")

    def _kill(self, life: Life, when: str) -> None:
        if life.is_killed or life is not self._world.machine.life:
            return
        how = "killed" if self._resets_after_s == 0 else "unplugged"
        self._world.tell(f"{life.machine} is {how} {when}")
        self._world.machine.kill(reset_after_s=self._resets_after_s)

    def _count_down(self, kind: str, life: Life) -> None:
        if self._armed is None or self._armed[0] != kind or life.is_killed:
            return
        _, left, delay_s = self._armed
        if left > 0:
            self._armed = (kind, left - 1, delay_s)
            return
        self._armed = None
        self._world.loop.call_later(delay_s, self._kill, life, f"{delay_s * 1000:g} ms after an {kind}")

    def _at_arrival(self, arrival: Arrival) -> None:
        self._count_down("arrival", self._world.life_of(arrival.machine))

    def at_record(self, life: Life, recorded: ev.Recorded) -> None:
        """To be told of everything that a process records."""
        if isinstance(recorded.event, ev.OrderIntended | ev.ReplaceIntended | ev.CancelIntended):
            self._count_down("intent", life)
        elif isinstance(recorded.event, ev.SignalApproved):
            self._count_down("approval", life)
