"""What goes wrong, drawn from the seed: faults of the exchange, of the wires and of the disk, prices, and kills.

Every fault here is one that the field has seen. All end with ``calm``: a broker that is well again, wires that carry,
a disk that takes everything.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.exchange import faults as f
from engine.exchange.core import Exchange
from engine.exchange.errors import Refusal
from engine.exchange.settings import ExchangeSettings
from engine.model import events as ev
from tests.simulation.virtual import DISK_S

if TYPE_CHECKING:
    from tests.simulation.machines import Life
    from tests.simulation.witness import Arrival
    from tests.simulation.world import World

SYMBOLS: Final = ("AAPL", "AMD", "COIN", "INTC", "NFLX", "PLTR")
WIRE_S: Final = (0.0002, 0.012)
ORDERS: Final = "/v2/orders*"
STRANGE: Final[tuple[dict[str, Any], ...]] = ({"status": "frozen"}, {"legs": None}, {"filled_qty": None}, {"new": [1]})
"""Words and shapes that nobody has seen before."""


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """How rough one seed is. Durations in seconds of virtual time."""

    lasts_s: float
    fault_every_s: float
    shock_every_s: float
    signal_every_s: float
    act_every_s: float
    kills: int
    """Processes that are killed, or stopped in order, on the way."""
    latency_ms: float
    partial_fill_rate: float
    quote_interval_s: float
    stream_legs: bool
    sibling_cancel_event: bool
    list_held_legs: bool
    replace_held_legs: bool
    resize_stop_by_replacing: bool

    def settings(self, seed: int) -> ExchangeSettings:
        return ExchangeSettings(
            seed=seed,
            latency_ms=self.latency_ms,
            partial_fill_rate=self.partial_fill_rate,
            quote_interval_s=self.quote_interval_s,
            symbols=SYMBOLS,
            stream_legs=self.stream_legs,
            sibling_cancel_event=self.sibling_cancel_event,
            list_held_legs=self.list_held_legs,
            replace_held_legs=self.replace_held_legs,
            resize_stop_by_replacing=self.resize_stop_by_replacing,
        )


def weather_of(rng: random.Random) -> Weather:
    """Mostly a rough minute or two, now and then a calmer half hour, rarely hours."""
    lasts_s = rng.choices((45.0, 90.0, 180.0, 1200.0, 5400.0), (55, 36, 7.2, 1.5, 0.3))[0]
    slower = max(1.0, lasts_s / 180)
    return Weather(
        lasts_s=lasts_s,
        fault_every_s=rng.choice((0.7, 2.0, 5.0, 15.0)) * slower,
        shock_every_s=rng.choice((3.0, 8.0, 30.0)) * slower,
        signal_every_s=rng.choice((1.5, 2.5, 5.0)) * slower,
        act_every_s=rng.choice((0.7, 1.2, 2.5)) * slower,
        kills=rng.choices((0, 1, 2, 4), (25, 35, 28, 12))[0],
        latency_ms=rng.choice((0.0, 20.0, 80.0, 200.0)),
        partial_fill_rate=rng.choice((0.0, 0.1, 0.5)),
        quote_interval_s=1.0 if lasts_s < 600 else 4.0,
        stream_legs=rng.random() < 0.3,
        sibling_cancel_event=rng.random() < 0.7,
        list_held_legs=rng.random() < 0.3,
        replace_held_legs=rng.random() < 0.8,
        resize_stop_by_replacing=rng.random() < 0.3,
    )


class Chaos:
    def __init__(self, world: World, rng: random.Random, weather: Weather) -> None:
        self._world = world
        self._rng = rng
        self._weather = weather
        self._is_over = False
        self._kill_after: tuple[str, int] | None = None
        """An armed kill: at what, and how many of it are let pass."""
        world.broker.witness.on_arrival.append(self._at_arrival)

    # --- at work ---------------------------------------------------------------------------------------------------

    async def strike(self) -> None:
        """Faults and shocks until ``calm``."""
        clock, rng = self._world.clock, self._rng
        fault_at_s = clock.monotonic_s() + rng.expovariate(1 / self._weather.fault_every_s)
        shock_at_s = clock.monotonic_s() + rng.expovariate(1 / self._weather.shock_every_s)
        while not self._is_over:
            await clock.sleep(max(0.0, min(fault_at_s, shock_at_s) - clock.monotonic_s()))
            if self._is_over:
                return
            if fault_at_s <= shock_at_s:
                fault_at_s += rng.expovariate(1 / self._weather.fault_every_s)
                self._fault()
            else:
                shock_at_s += rng.expovariate(1 / self._weather.shock_every_s)
                self._shock()

    async def reap(self) -> None:
        """The kills and stops of this seed, spread over its time; after each a new process on the same files."""
        clock, rng, machine = self._world.clock, self._rng, self._world.machine
        for _ in range(self._weather.kills):
            await clock.sleep(rng.uniform(0.2, 1.0) * self._weather.lasts_s / (self._weather.kills + 1))
            if self._is_over:
                return
            if rng.random() < 0.15:
                self._world.tell("the desk is stopped in order")
                await self._world.stop_desk()
            else:
                await self._kill_at_a_good_moment()
            await clock.sleep(rng.choice((0.05, 1.0, 5.0, 30.0)))
            await machine.start()

    async def _kill_at_a_good_moment(self) -> None:
        """Any moment, or the moment after the n-th write arrived, or was journaled."""
        kind = self._rng.choice(("time", "arrival", "intent", "approval"))
        life = self._world.machine.life
        if kind != "time":
            self._kill_after = (kind, self._rng.randrange(4))
            patience_s = self._weather.lasts_s / (self._weather.kills + 1)
            deadline_s = self._world.clock.monotonic_s() + patience_s
            while not life.is_killed and not self._is_over and self._world.clock.monotonic_s() < deadline_s:
                await self._world.clock.sleep(0.25)
            self._kill_after = None
        self._kill(life, "at a random moment")

    def _kill(self, life: Life, when: str) -> None:
        if life.is_killed or life is not self._world.machine.life:
            return
        reset_after_s = self._rng.choices((0.0, 20.0), (4, 1))[0]
        how = "killed" if reset_after_s == 0 else "unplugged"
        self._world.tell(f"{life.machine} is {how} {when}")
        self._world.machine.kill(reset_after_s=reset_after_s)

    def _count_down(self, kind: str, life: Life) -> None:
        if self._kill_after is None or self._kill_after[0] != kind or life.is_killed:
            return
        left = self._kill_after[1]
        if left > 0:
            self._kill_after = (kind, left - 1)
            return
        self._kill_after = None
        delay_s = self._rng.choice((0.0, 0.0, 0.001, 0.003, 0.02, 0.1))
        self._world.loop.call_later(delay_s, self._kill, life, f"{delay_s * 1000:g} ms after an {kind}")

    def _at_arrival(self, arrival: Arrival) -> None:
        self._count_down("arrival", self._world.life_of(arrival.machine))

    def at_record(self, life: Life, recorded: ev.Recorded) -> None:
        if isinstance(recorded.event, ev.OrderIntended | ev.ReplaceIntended | ev.CancelIntended):
            self._count_down("intent", life)
        elif isinstance(recorded.event, ev.SignalApproved):
            self._count_down("approval", life)

    # --- what it can do --------------------------------------------------------------------------------------------

    def _fault(self) -> None:
        makers: tuple[tuple[float, Callable[[], str]], ...] = (
            (8, self._break_a_request),
            (5, self._break_the_stream),
            (4, self._break_an_order),
            (2, self._another_hand_cancels),
            (0.7, self._halt_a_symbol),
            (1, self._cut_wires),
            (1, self._slow_wires),
            (0.7, self._slow_disk),
            (0.5, self._full_disk),
        )
        make = self._rng.choices([maker for _, maker in makers], [weight for weight, _ in makers])[0]
        self._world.tell(make())

    def _break_a_request(self) -> str:
        rng = self._rng
        method = rng.choices(("POST", "PATCH", "DELETE", "GET", None), (6, 2, 3, 2, 1))[0]
        path = ORDERS if method in ("POST", "PATCH", "DELETE") else None
        where = {
            "method": method,
            "path": path,
            "count": rng.choice((1, 1, 1, 2, 4)),
            "after": rng.choice((0, 0, 0, 1)),
        }
        fault: f.Fault = rng.choice(
            (
                lambda: f.Refuse(**where, status=rng.choice((403, 422, 429, 500))),
                lambda: f.Html(**where, status=rng.choice((502, 503, 504)), accepted=rng.random() < 0.5),
                lambda: f.Drop(**where),
                lambda: f.LoseAnswer(**where, hang_s=rng.choice((0.0, 0.0, 3.0, 14.0))),
                lambda: f.LoseAnswer(**where, hang_s=0.0),
                lambda: f.CutBody(**where),
                lambda: f.Garbage(**where),
                lambda: f.Delay(**where, seconds=rng.choice((0.3, 1.0, 4.0, 12.0))),
                lambda: f.Mangle(method=rng.choice(("POST", "GET")), path=ORDERS, set=rng.choice(STRANGE)),
            )
        )()
        return self._add(fault)

    def _break_the_stream(self) -> str:
        rng = self._rng
        event = rng.choice((None, None, "fill", "partial_fill", "new", "canceled"))
        where = {"event": event, "count": rng.choice((1, 1, 2, 5))}
        fault: f.Fault = rng.choice(
            (
                lambda: f.LoseEvent(**where),
                lambda: f.LoseEvent(**where),
                lambda: f.DoubleEvent(**where),
                lambda: f.DelayEvent(**where, seconds=rng.choice((0.2, 1.0, 6.0))),
                lambda: f.SwapEvents(**where),
                lambda: f.CutStream(event=event),
                lambda: f.Mangle(**where, set=rng.choice(STRANGE)),
                lambda: f.RefuseStream(count=rng.choice((1, 3))),
            )
        )()
        return self._add(fault)

    def _break_an_order(self) -> str:
        rng = self._rng
        symbol = rng.choice((None, *SYMBOLS))
        fault: f.Fault = rng.choice(
            (
                lambda: f.RejectLegs(symbol=symbol),
                lambda: f.RejectLegs(symbol=symbol),
                lambda: f.StickCancel(symbol=symbol),
                lambda: f.PartialFill(symbol=symbol, shares=Decimal(rng.choice((1, 2, 5))), count=rng.choice((1, 3))),
                lambda: f.Refuse(method="POST", path=ORDERS, order_class="oco", count=rng.choice((1, 3, 8))),
                lambda: f.Refuse(method="POST", path=ORDERS, order_class="simple", count=rng.choice((1, 3))),
            )
        )()
        return self._add(fault)

    def _add(self, fault: f.Fault) -> str:
        self._world.broker.faults.add(fault)
        terms = {k: v for k, v in msgspec.structs.asdict(fault).items() if v not in (None, "", 0, {}) and k != "id"}
        return f"{type(fault).__name__} " + " ".join(f"{name}={value}" for name, value in terms.items())

    def _shock(self) -> None:
        symbol = self._rng.choice(SYMBOLS)
        percent = self._rng.choice((-1, 1)) * self._rng.choice((0.3, 0.8, 2.0, 5.0))

        def jump(exchange: Exchange) -> None:
            price = exchange.floor.mark(symbol) * Decimal(str(1 + percent / 100))
            exchange.move_price(symbol, price.quantize(Decimal("0.01")))

        self._world.broker.by_hand(jump)
        self._world.tell(f"{symbol} jumps by {percent} %")

    def _another_hand_cancels(self) -> str:
        """On the broker's own page: any live order, also a leg."""
        live = self._world.broker.exchange.floor.orders.live()
        if not live:
            return "another hand finds nothing to cancel"
        order = self._rng.choice(live)

        def cancel(exchange: Exchange) -> None:
            with suppress(Refusal):
                exchange.cancel(order.id)

        self._world.broker.by_hand(cancel)
        return f"another hand cancels the {order.role} {order.client_order_id} of {order.symbol}"

    def _halt_a_symbol(self) -> str:
        symbol, seconds = self._rng.choice(SYMBOLS), self._rng.choice((2.0, 15.0))
        self._world.broker.by_hand(lambda exchange: exchange.halt(symbol, halted=True))
        self._world.loop.call_later(seconds, self._resume, symbol)
        return f"{symbol} is halted for {seconds:g} s"

    def _resume(self, symbol: str) -> None:
        self._world.broker.by_hand(lambda exchange: exchange.halt(symbol, halted=False))

    def _cut_wires(self) -> str:
        seconds = self._rng.choice((0.5, 3.0, 12.0, 25.0))
        if not self._world.machine.is_cut_off:
            self._world.machine.cut()
            self._world.loop.call_later(seconds, self._world.heal)
        return f"the wires are cut for {seconds:g} s"

    def _slow_wires(self) -> str:
        seconds, latency_s = self._rng.choice((2.0, 10.0)), self._rng.choice((0.3, 2.0, 6.0))
        self._world.machine.set_latency((0.0, latency_s))
        self._world.disturbed_until_s = self._world.clock.monotonic_s() + seconds + 2 * latency_s
        self._world.loop.call_later(seconds, self._world.machine.set_latency, WIRE_S)
        return f"packets take up to {latency_s:g} s for {seconds:g} s"

    def _slow_disk(self) -> str:
        disk, seconds = self._world.machine.life.disk, self._rng.choice((1.0, 5.0))
        disk.job_s = (0.02, self._rng.choice((0.1, 0.6)))
        self._world.loop.call_later(seconds, setattr, disk, "job_s", DISK_S)
        return f"the disk takes up to {disk.job_s[1]:g} s for {seconds:g} s"

    def _full_disk(self) -> str:
        disk, seconds = self._world.machine.life.disk, self._rng.choice((0.3, 2.0, 8.0))
        disk.refuses = True
        self._world.loop.call_later(seconds, setattr, disk, "refuses", False)
        return f"the disk is full for {seconds:g} s"

    # --- the end of it ---------------------------------------------------------------------------------------------

    async def calm(self) -> None:
        """Everything is well from here on; cancels that the venue still owed are through."""
        self._is_over = True
        world = self._world
        world.broker.faults.clear()
        world.heal()
        world.machine.set_latency(WIRE_S)
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
