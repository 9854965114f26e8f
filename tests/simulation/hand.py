"""Another hand at the broker: somebody on its own page, another program, a transfer.

What it does to our orders the desk has to see and repair. What it does on its own account the desk cannot explain: such
a symbol is ``touched``, and the desk owes no cover for its shares, but it owes the truth about them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from engine.exchange.core import Exchange
from engine.exchange.errors import Refusal
from engine.exchange.requests import parse_amendment, parse_ticket
from tests.simulation.breakage import Dice
from tests.simulation.weather import SYMBOLS

if TYPE_CHECKING:
    from tests.simulation.world import World

PREFIX: Final = "hand-"
"""Of its client order ids."""
CENT: Final = Decimal("0.01")


def is_by_hand(client_order_id: str) -> bool:
    return client_order_id.startswith(PREFIX)


class Hand:
    def __init__(self, world: World) -> None:
        self._world = world
        self._number = 0

    def act(self, dice: Dice) -> None:
        acts: tuple[tuple[float, Callable[[Dice], str]], ...] = (
            (8, self._cancel),
            (2, self._move_price),
            (2, self._trade),
            (1, self._leave_an_order),
            (1, self._close),
            (1, self._transfer),
        )
        act = dice.choices([each for _, each in acts], [weight for weight, _ in acts])[0]
        self._world.tell(f"another hand {act(dice)}")

    def _cancel(self, dice: Dice) -> str:
        """Any live order of ours, also a leg."""
        live = self._world.broker.exchange.floor.orders.live()
        if not live:
            return "finds nothing to cancel"
        order = dice.choice(live)
        self._at_broker(lambda exchange: exchange.cancel(order.id))
        return f"cancels the {order.role} {order.client_order_id} of {order.symbol}"

    def _move_price(self, dice: Dice) -> str:
        """A limit or a stop of ours, by a percent or less: the order has a new id then, that is not ours."""
        orders = self._world.broker.exchange.floor.orders
        live = [order for order in orders.live() if order.limit_price is not None or order.stop_price is not None]
        if not live:
            return "finds nothing to move"
        order, factor = dice.choice(live), Decimal(dice.choice(("0.993", "0.998", "1.002", "1.007")))
        field = "stop_price" if order.stop_price is not None else "limit_price"
        price = (getattr(order, field) * factor).quantize(CENT)
        change = parse_amendment(msgspec.json.encode({field: str(price), "client_order_id": self._new_id()}))
        self._at_broker(lambda exchange: exchange.replace(order.id, change))
        return f"moves the {field} of {order.client_order_id} to {price}"

    def _trade(self, dice: Dice) -> str:
        """For itself, at the market."""
        symbol, side, qty = dice.choice(SYMBOLS), dice.choice(("buy", "sell")), dice.choice((1, 5, 15))
        return self._submit(symbol, {"side": side, "qty": str(qty), "type": "market"})

    def _leave_an_order(self, dice: Dice) -> str:
        """A bid far below the market, which stays."""
        symbol = dice.choice(SYMBOLS)
        limit = (self._world.broker.exchange.floor.mark(symbol) * Decimal("0.8")).quantize(CENT)
        return self._submit(symbol, {"side": "buy", "qty": "1", "type": "limit", "limit_price": str(limit)})

    def _close(self, dice: Dice) -> str:
        """A position of ours, or what of it no exit reserves."""
        held = sorted(self._world.broker.exchange.floor.account.positions)
        if not held:
            return "finds nothing to close"
        symbol = dice.choice(held)
        self._world.touched.add(symbol)
        self._at_broker(lambda exchange: exchange.close_position(symbol))
        return f"closes {symbol}"

    def _transfer(self, dice: Dice) -> str:
        symbol, qty = dice.choice(SYMBOLS), Decimal(dice.choice((-3, 0, 4)))
        self._world.touched.add(symbol)
        self._at_broker(lambda exchange: exchange.set_position(symbol, qty, None))
        self._world.held[symbol] = self._world.broker.exchange.floor.account.qty(symbol)
        return f"makes the position in {symbol} {qty}"

    def _submit(self, symbol: str, order: dict[str, str]) -> str:
        self._world.touched.add(symbol)
        body = {"symbol": symbol, "time_in_force": "gtc", "client_order_id": self._new_id(), **order}
        ticket = parse_ticket(msgspec.json.encode(body))
        self._at_broker(lambda exchange: exchange.submit(ticket))
        return f"orders {symbol}: {order}"

    def _new_id(self) -> str:
        self._number += 1
        return f"{PREFIX}{self._number}"

    def _at_broker(self, act: Callable[[Exchange], object]) -> None:
        def try_to(exchange: Exchange) -> None:
            with suppress(Refusal):
                act(exchange)

        self._world.broker.by_hand(try_to)
