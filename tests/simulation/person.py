"""The strategies and the operator of one seed: signals come in, a hand that is not always careful decides about them.

Runs in the desk's own process, as window and API do, and dies with it. Every refusal must be a ``CommandRefused``.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.desk import RELEASE, Desk
from engine.errors import CommandRefused
from engine.model.commands import NO_EDITS, Edits
from engine.model.words import DeskState, SignalStatus
from tests.simulation.chaos import SYMBOLS, Weather

if TYPE_CHECKING:
    from tests.simulation.machines import Life
    from tests.simulation.world import World

ACTOR: Final = "window"
CENT: Final = Decimal("0.01")
LOWEST_PRICE: Final = Decimal(1)


class Person:
    def __init__(self, world: World, rng: random.Random, weather: Weather) -> None:
        self._world = world
        self._rng = rng
        self._weather = weather
        self._sent: list[bytes] = []
        self._number = 0
        self.wants_quiet = False

    async def work(self, life: Life) -> None:
        """Signals and clicks until the process ends or quiet is wanted. Every act is a task: hands are fast."""
        clock, rng = self._world.clock, self._rng
        desk = life.desk
        assert desk is not None
        async with asyncio.TaskGroup() as acts:
            while True:
                await clock.sleep(rng.expovariate(1 / self._weather.signal_every_s + 1 / self._weather.act_every_s))
                if self.wants_quiet or not life.is_running:
                    return
                share = self._weather.act_every_s / (self._weather.act_every_s + self._weather.signal_every_s)
                act = self._signal if rng.random() < share else self._choose()
                acts.create_task(self._do(act, desk))

    async def tidy(self, desk: Desk) -> None:
        """What an operator does when the storm is over: press Retry wherever the desk gave up."""
        for bracket in desk.brackets():
            if bracket.can_retry:
                await self._do(lambda d, id_=bracket.id: d.retry_bracket(id_, actor=ACTOR), desk)
        for order in desk.orders():
            if order.unresolved_since is not None and self._rng.random() < 0.5:
                await self._settle(order.client_order_id or "", order.id, desk)
        if desk.health().desk_state is DeskState.HALTED and self._rng.random() < 0.5:
            await self._do(lambda d: d.set_state(DeskState.ACTIVE, actor=ACTOR, confirm=RELEASE), desk)

    async def _do(self, act: Callable[[Desk], Awaitable[Any]], desk: Desk) -> None:
        try:
            await act(desk)
        except CommandRefused as refused:
            self._world.refusals.append(f"{refused.code} {refused.operator_text} {refused.reasons!r}")
        except Exception as error:
            if desk is not self._world.desk or not self._world.machine.life.is_running:
                return  # its process is on its way out
            self._world.violated("the_door_raises_only_refusals", f"{act!r} raised {error!r}", error)

    async def _settle(self, client_order_id: str, order_id: str, desk: Desk) -> None:
        """With the broker's own page open beside it: look the order up, or attest that it never came."""
        if self._world.broker.exchange.floor.orders.by_client_id(client_order_id) is None:
            await self._do(lambda d: d.attest_order(order_id, actor=ACTOR, settlement="never_reached"), desk)
        else:
            await self._do(lambda d: d.lookup_order(order_id, actor=ACTOR), desk)

    # --- the strategies --------------------------------------------------------------------------------------------

    async def _signal(self, desk: Desk) -> None:
        if self._sent and self._rng.random() < 0.1:
            raw = self._rng.choice(self._sent[-5:])
        else:
            raw = msgspec.json.encode(self._proposal(desk))
            self._sent.append(raw)
        await desk.receive(raw)

    def _proposal(self, desk: Desk) -> dict[str, Any]:
        rng = self._rng
        symbol = rng.choice(SYMBOLS)
        self._number += 1
        side = rng.choices(("buy", "sell"), (3, 1))[0]
        intent = rng.choices(("open", "close", None), (7, 1, 1))[0]
        signal: dict[str, Any] = {
            "source": "storm",
            "id": f"storm-{self._number}",
            "symbol": symbol,
            "side": side,
            "qty": rng.choice((1, 2, 5, 10, 20, 30)),
            "stop_loss": {"percent": rng.choice((0.2, 0.6, 2.0))},
            "expires_in_s": rng.choice((20, 60, 120)),
        }
        if intent is not None:
            signal["intent"] = intent
        if rng.random() < 0.1:
            del signal["qty"]
        if rng.random() < 0.7:
            signal["take_profit"] = {"percent": rng.choice((0.2, 1.0, 3.0))}
        quote = desk.quote(symbol)
        if rng.random() < 0.4 and quote is not None and quote.bid and quote.ask:
            up = 1 if side == "buy" else -1
            offset = Decimal(rng.choice(("-0.004", "-0.001", "0", "0.002")))
            limit = (quote.bid * (1 + up * offset)).quantize(CENT)
            signal["entry"] = {"type": "limit", "limit_price": str(max(limit, LOWEST_PRICE))}
        if rng.random() < 0.3 and quote is not None and quote.bid:
            signal["reference_price"] = str(quote.bid)
        return signal

    # --- the operator ----------------------------------------------------------------------------------------------

    def _choose(self) -> Callable[[Desk], Awaitable[Any]]:
        acts: tuple[tuple[float, Callable[[Desk], Awaitable[Any]]], ...] = (
            (12, self._approve),
            (3, self._approve_all),
            (4, self._approve_twice),
            (4, self._approve_what_was_shown),
            (1.5, self._reject),
            (1.5, self._approve_and_reject),
            (2, self._cancel_an_order),
            (1, self._retry),
            (4, self._flatten),
            (0.5, self._flatten_all),
            (0.7, self._change_state),
            (1, self._look_up),
            (0.5, self._acknowledge),
            (0.3, self._cancel_entries),
        )
        return self._rng.choices([act for _, act in acts], [weight for weight, _ in acts])[0]

    def _pending(self, desk: Desk) -> str | None:
        waiting = desk.signals(SignalStatus.PENDING, 3)
        return self._rng.choice(waiting).id if waiting else None

    async def _approve(self, desk: Desk) -> None:
        wanted = self._pending(desk)
        if wanted is not None:
            edits = Edits(qty=Decimal(self._rng.choice((1, 3, 7)))) if self._rng.random() < 0.1 else NO_EDITS
            await desk.approve(wanted, actor=ACTOR, edits=edits)

    async def _approve_all(self, desk: Desk) -> None:
        """Everything that waits, at once: what each may do alone they may not do together."""
        waiting = [signal.id for signal in desk.signals(SignalStatus.PENDING, 6)]
        await asyncio.gather(*(self._do(lambda d, w=w: d.approve(w, actor=ACTOR), desk) for w in waiting))

    async def _approve_twice(self, desk: Desk) -> None:
        """Two impatient clicks, or two people."""
        wanted = self._pending(desk)
        if wanted is not None:
            clicks = [
                self._do(lambda d, who=who: d.approve(wanted, actor=who), desk) for who in (ACTOR, "second screen")
            ]
            await asyncio.gather(*clicks)

    async def _approve_what_was_shown(self, desk: Desk) -> None:
        wanted = self._pending(desk)
        if wanted is not None:
            shown = desk.preview(wanted)
            await self._world.clock.sleep(self._rng.choice((0.0, 0.3, 2.0)))
            await desk.approve(wanted, actor=ACTOR, preview_id=shown.preview_id)

    async def _reject(self, desk: Desk) -> None:
        wanted = self._pending(desk)
        if wanted is not None:
            await desk.reject(wanted, actor=ACTOR, reason="not today")

    async def _approve_and_reject(self, desk: Desk) -> None:
        wanted = self._pending(desk)
        if wanted is not None:
            approve = self._do(lambda d: d.approve(wanted, actor=ACTOR), desk)
            await asyncio.gather(approve, self._do(lambda d: d.reject(wanted, actor="second screen"), desk))

    async def _cancel_an_order(self, desk: Desk) -> None:
        orders = desk.orders()
        if orders:
            await desk.cancel_order(self._rng.choice(orders).id, actor=ACTOR)

    async def _retry(self, desk: Desk) -> None:
        brackets = desk.brackets()
        if brackets:
            await desk.retry_bracket(self._rng.choice(brackets).id, actor=ACTOR)

    async def _flatten(self, desk: Desk) -> None:
        brackets = desk.brackets()
        if brackets:
            await desk.flatten_bracket(self._rng.choice(brackets).id, actor=ACTOR)

    async def _flatten_all(self, desk: Desk) -> None:
        await desk.flatten(symbol=None, actor=ACTOR)

    async def _change_state(self, desk: Desk) -> None:
        state = self._rng.choices(tuple(DeskState), (6, 2, 2, 1))[0]
        scope = self._rng.choice(("desk", f"symbol:{self._rng.choice(SYMBOLS)}", "strategy:storm"))
        await desk.set_state(state, scope=scope, actor=ACTOR, confirm=RELEASE)
        if state is not DeskState.ACTIVE:
            await self._world.clock.sleep(self._rng.choice((1.0, 10.0)))
            await desk.set_state(DeskState.ACTIVE, scope=scope, actor=ACTOR, confirm=RELEASE)

    async def _look_up(self, desk: Desk) -> None:
        unknown = [order for order in desk.orders() if order.unresolved_since is not None]
        if unknown:
            await desk.lookup_order(self._rng.choice(unknown).id, actor=ACTOR)

    async def _acknowledge(self, desk: Desk) -> None:
        incidents = desk.incidents()
        if incidents:
            await desk.ack_incident(self._rng.choice(incidents).id, actor=ACTOR)

    async def _cancel_entries(self, desk: Desk) -> None:
        await desk.cancel_working_entries(actor=ACTOR)
