"""The hands of one seed: strategies that send, and an operator who acts.

They work in the desk's own process, as the window does, and die with it; or over the operator API, from another
machine, and then do not know what became of a command whose answer was lost. Every refusal is a ``CommandRefused``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from engine.clock import Clock
from engine.desk import Desk
from engine.errors import CommandRefused
from tests.simulation.acts import WINDOW_ONLY, Act, draw_act, tidying
from tests.simulation.breakage import Dice
from tests.simulation.remote import SCREEN, NoAnswer, RemoteDesk
from tests.simulation.strategies import Strategies
from tests.simulation.tickets import change_an_order, ticket

if TYPE_CHECKING:
    from tests.simulation.machines import Life
    from tests.simulation.world import World


class Person:
    def __init__(self, world: World) -> None:
        self._world = world
        self._strategies = Strategies()
        self._at_work: set[asyncio.Task[None]] = set()

    def signal(self, dice: Dice, number: int) -> None:
        """A strategy sends one."""

        async def send(desk: Desk, dice: Dice, _: Clock) -> None:
            await desk.receive(self._strategies.next(dice, number, desk))

        self._begin(send, dice)

    def act(self, dice: Dice) -> None:
        """The operator does something. Every act is a task: hands are fast."""
        self._begin(draw_act(dice), dice)

    def ticket(self, dice: Dice, number: int) -> None:
        """The operator enters by hand, in the window."""
        self._begin(ticket(number), dice, in_window=True)

    def change(self, dice: Dice) -> None:
        """The operator changes an order in its row."""
        self._begin(change_an_order, dice)

    def _begin(self, act: Act, dice: Dice, *, in_window: bool = False) -> None:
        life = self._world.machine.life
        if not life.is_running:
            return
        is_remote = dice.random() < self._world.weather.http_share and act not in WINDOW_ONLY and not in_window
        desk = cast("Desk", RemoteDesk(self._world.desk, life.machine)) if is_remote else self._world.desk
        host = self._world.loop.net.host(SCREEN if is_remote else life.machine)
        task = host.create_task(self._do(act, desk, dice, life), name="person")
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    def let_go(self) -> None:
        """Of everything that is under way."""
        for task in tuple(self._at_work):
            task.cancel()

    async def tidy(self, dice: Dice) -> None:
        """When the storm is over; to be run on the desk's machine."""
        desk, life = self._world.desk, self._world.machine.life
        at_broker = self._world.broker.exchange.floor.orders.by_client_id
        for act in tidying(desk, dice, lambda key: at_broker(key) is not None):
            await self._do(act, desk, dice, life)

    async def _do(self, act: Act, desk: Desk, dice: Dice, life: Life) -> None:
        try:
            await act(desk, dice, self._world.clock)
        except CommandRefused as refused:
            self._world.refusals.append(f"{refused.code} {refused.operator_text} {refused.reasons!r}")
        except NoAnswer as lost:
            if life.is_running and not self._world.is_disturbed:
                self._world.violated("the_api_answers", str(lost), lost)
        except Exception as error:
            if life.is_running:  # else its process is on its way out
                self._world.violated("the_door_raises_only_refusals", f"{act!r} raised {error!r}", error)
