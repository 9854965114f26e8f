"""What goes wrong around the desk: faults of the exchange, of the wires, the disk and the clock, and price shocks.

Every fault here is one that the field has seen. All end with ``calm``: a broker that is well again, wires that carry,
a disk that takes everything, a clock that is right.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from engine.exchange.core import Exchange
from engine.exchange.errors import Refusal
from engine.exchange.faults import BothExitsFill
from tests.simulation.breakage import Dice, draw_fault
from tests.simulation.hand import is_by_hand
from tests.simulation.virtual import DISK_S
from tests.simulation.weather import SYMBOLS

if TYPE_CHECKING:
    from tests.simulation.world import World

BUSTED_AMONG: Final = 15
WIRE_S: Final = (0.0002, 0.012)
CLOCK_JUMPS_S: Final = (-3600.0, -3600.0, -60.0, -7.0, -0.4, 0.4, 7.0, 90.0, 3600.0)


class Chaos:
    def __init__(self, world: World) -> None:
        self._world = world

    def fault(self, dice: Dice) -> None:
        makers: tuple[tuple[float, Callable[[Dice], str]], ...] = (
            (17, self._break_the_exchange),
            (0.7, self._halt_a_symbol),
            (1, self._cut_wires),
            (1, self._slow_wires),
            (0.7, self._slow_disk),
            (0.5, self._full_disk),
            (0.2, self._wrong_clock),
        )
        make = dice.choices([maker for _, maker in makers], [weight for weight, _ in makers])[0]
        self._world.tell(make(dice))

    def _break_the_exchange(self, dice: Dice) -> str:
        fault = draw_fault(dice)
        self._world.broker.faults.add(fault)
        if isinstance(fault, BothExitsFill):
            self._world.turned_by_broker.update(SYMBOLS if fault.symbol is None else (fault.symbol,))
        terms = {k: v for k, v in msgspec.structs.asdict(fault).items() if v not in (None, "", 0, {}) and k != "id"}
        return f"{type(fault).__name__} " + " ".join(f"{name}={value}" for name, value in terms.items())

    def shock(self, dice: Dice) -> None:
        symbol = dice.choice(SYMBOLS)
        percent = dice.choice((-1, 1)) * dice.choice((0.3, 0.8, 2.0, 5.0))

        def jump(exchange: Exchange) -> None:
            price = exchange.floor.mark(symbol) * Decimal(str(1 + percent / 100))
            exchange.move_price(symbol, price.quantize(Decimal("0.01")))

        self._world.broker.by_hand(jump)
        self._world.tell(f"{symbol} jumps by {percent} %")

    def bust(self, dice: Dice) -> None:
        """The venue takes the newest execution of an order back; mostly of one that has just executed."""
        floor = self._world.broker.exchange.floor
        executed = [
            order for order in floor.orders.oldest_first() if order.filled_qty and not is_by_hand(order.client_order_id)
        ]
        if not executed:
            self._world.tell("the venue finds nothing to take back")
            return
        order = dice.choice(executed[-BUSTED_AMONG:])
        before = [Decimal(0)]

        def take_back(exchange: Exchange) -> None:
            before[0] = exchange.floor.account.qty(order.symbol)
            with suppress(Refusal):  # all of them have been taken back
                exchange.bust(order.id)

        self._world.broker.by_hand(take_back)
        after = self._world.held[order.symbol] = floor.account.qty(order.symbol)
        self._world.tell(
            f"the venue takes back an execution of the {order.role} {order.client_order_id}: "
            f"{before[0]} {order.symbol} are {after}"
        )
        self._world.busted.add(order.symbol)
        if abs(after) < abs(before[0]) or after * before[0] < 0:
            self._world.shrunk_by_broker.add(order.symbol)

    def _halt_a_symbol(self, dice: Dice) -> str:
        symbol, seconds = dice.choice(SYMBOLS), dice.choice((2.0, 15.0))
        self._world.broker.by_hand(lambda exchange: exchange.halt(symbol, halted=True))
        self._world.loop.call_later(seconds, self._resume, symbol)
        return f"{symbol} is halted for {seconds:g} s"

    def _resume(self, symbol: str) -> None:
        self._world.broker.by_hand(lambda exchange: exchange.halt(symbol, halted=False))

    def _cut_wires(self, dice: Dice) -> str:
        seconds = dice.choice((0.5, 3.0, 12.0, 25.0))
        if not self._world.machine.is_cut_off:
            self._world.machine.cut()
            self._world.loop.call_later(seconds, self._world.heal)
        return f"the wires are cut for {seconds:g} s"

    def _slow_wires(self, dice: Dice) -> str:
        seconds, latency_s = dice.choice((2.0, 10.0)), dice.choice((0.3, 2.0, 6.0))
        self._world.machine.set_latency((0.0, latency_s))
        self._world.disturbed_until_s = self._world.clock.monotonic_s() + seconds + 2 * latency_s
        self._world.loop.call_later(seconds, self._world.machine.set_latency, WIRE_S)
        return f"packets take up to {latency_s:g} s for {seconds:g} s"

    def _slow_disk(self, dice: Dice) -> str:
        disk, seconds = self._world.machine.life.disk, dice.choice((1.0, 5.0))
        disk.job_s = (0.02, dice.choice((0.1, 0.6)))
        self._world.loop.call_later(seconds, setattr, disk, "job_s", DISK_S)
        return f"the disk takes up to {disk.job_s[1]:g} s for {seconds:g} s"

    def _full_disk(self, dice: Dice) -> str:
        disk, seconds = self._world.machine.life.disk, dice.choice((0.3, 2.0, 8.0))
        disk.refuses = True
        self._world.loop.call_later(seconds, setattr, disk, "refuses", False)
        return f"the disk is full for {seconds:g} s"

    def _wrong_clock(self, dice: Dice) -> str:
        """Somebody sets the wall clock of the desk's machine, and later it is set right."""
        seconds, jump_s = dice.choice((2.0, 20.0)), dice.choice(CLOCK_JUMPS_S)
        self._world.machine.clock.wrong_s = jump_s
        self._world.loop.call_later(seconds, setattr, self._world.machine.clock, "wrong_s", 0.0)
        return f"the desk's wall clock jumps by {jump_s:g} s for {seconds:g} s"

    async def calm(self) -> None:
        """Everything is well from here on; cancels that the venue still owed are through."""
        world = self._world
        world.broker.faults.clear()
        world.heal()
        world.machine.set_latency(WIRE_S)
        world.machine.clock.wrong_s = 0.0
        for life in world.machine.lives:
            life.disk.refuses, life.disk.job_s = False, DISK_S

        for symbol in SYMBOLS:
            self._resume(symbol)

        def finish_stuck_cancels(exchange: Exchange) -> None:
            for order in exchange.floor.orders.live():
                if order.status == "pending_cancel":
                    exchange.matching.finish(order, "canceled")

        world.broker.by_hand(finish_stuck_cancels)
        world.tell("calm: no more faults")
