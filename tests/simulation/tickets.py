"""Entries by hand in a storm: a form is looked at, previewed, thought about and sent; also twice, changed, or nonsense.

A ticket that is refused must leave nothing behind that could be approved later, by anybody: the act itself looks.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.clock import Clock
from engine.commands.ticket import SOURCE
from engine.desk import Desk
from engine.errors import CommandRefused
from engine.model.commands import OrderChange
from engine.model.words import SignalStatus
from tests.simulation.acts import ACTOR, ANOTHER, Act, together
from tests.simulation.breakage import Dice
from tests.simulation.weather import SYMBOLS

CENT: Final = Decimal("0.01")
UNKNOWN: Final = "QQQQZ"


class RefusedAndPending(Exception):
    """A ticket was refused and its signal still waits for somebody's yes."""


def ticket(number: int) -> Act:
    """One of an operator; ``number`` makes its id."""

    async def act(desk: Desk, dice: Dice, clock: Clock) -> None:
        try:
            symbol = await desk.ticket.look(dice.choices((dice.choice(SYMBOLS), UNKNOWN), (30, 1))[0])
            form = _form(dice, desk, symbol, number)
            shown = desk.ticket.preview(msgspec.json.encode(form))
            await clock.sleep(dice.choice((0.0, 0.4, 2.0, 7.0)))
            if shown.blocked_code is not None and dice.random() < 0.5:
                return  # it says why not, and most people heed it
            if dice.random() < 0.1:
                form["qty"] = dice.choice(("1", "2", "60"))  # another form than the one that was shown
            await _sent(desk, dice, form, shown.preview_id)
        finally:
            desk.ticket.leave()

    return act


async def _sent(desk: Desk, dice: Dice, form: dict[str, Any], preview_id: str) -> None:
    raw = msgspec.json.encode(form)

    def send(actor: str) -> Awaitable[str]:
        return desk.ticket.send(raw, preview_id=preview_id, actor=actor)

    try:
        if dice.random() < 0.25:
            await together(send(ACTOR), send(ANOTHER))
        else:
            await send(ACTOR)
    except CommandRefused:
        for signal in desk.signals(SignalStatus.PENDING, 50):
            if signal.expires_at <= desk._clock.now():
                continue  # it is over, and the next look says so
            if signal.source == SOURCE and signal.id == desk._book.signals_of_source.get(SOURCE, {}).get(form["id"]):
                raise RefusedAndPending(f"{signal.id} ({form})") from None
        raise


def _form(dice: Dice, desk: Desk, symbol: str, number: int) -> dict[str, Any]:
    side = dice.choices(("buy", "sell"), (3, 1))[0]
    form: dict[str, Any] = {
        "id": f"ticket-{number}",
        "strategy": dice.choice(("manual", "storm")),
        "symbol": symbol,
        "side": side,
        "intent": "open",
        "qty": dice.choices((str(dice.choice((1, 5, 20))), "-1"), (30, 1))[0],
        "entry": {"type": "market"},
        "stop_loss": {"percent": dice.choice((0.3, 1.0, 2.0))},
        "expires_in_s": dice.choice((20, 60)),
    }
    if "/" in symbol:
        form["qty"] = "0.005"
    if dice.random() < 0.7:
        form["take_profit"] = {"percent": dice.choice((0.3, 1.5))}
    quote = desk.quote(symbol)
    if quote is not None and quote.bid and dice.random() < 0.4:
        factor = Decimal(dice.choice(("0.97", "0.999", "1.001")))
        with suppress(ArithmeticError):
            form["entry"] = {"type": "limit", "limit_price": str((quote.bid * factor).quantize(CENT))}
    return form


async def change_an_order(desk: Desk, dice: Dice, _: Clock) -> None:
    """In its row: a price a little off, another size, a number that stands there already, or nothing at all."""
    orders = desk.orders()
    if not orders:
        return
    order = dice.choice(orders)
    factor = Decimal(dice.choice(("0.998", "1", "1", "1.002")))
    limit, stop = (
        (price * factor).quantize(CENT) if price is not None and dice.random() < 0.8 else None
        for price in (order.limit_price, order.stop_price)
    )
    qty = Decimal(dice.choice((0, 1, 4, 30))) if dice.random() < 0.2 else None
    await desk.replacing.replace(order.id, OrderChange(limit_price=limit, stop_price=stop, qty=qty), actor=ACTOR)
