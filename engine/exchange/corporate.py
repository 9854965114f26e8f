"""Splits and dividends: announced by hand, told by the market data API, a split applied when it is said to be due.

Alpaca leaves the orders of a bracket, OCO or OTO alone, price and size ("do not reduce, do not cancel"): after a split
their stops stand at a stale price. Plain good-till-canceled orders are adjusted. Positions and prices follow the
rate, cash stays.

Source: market-data-api specification, ``corporate_actions``; docs.alpaca.markets/docs/orders-at-alpaca.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.exchange.errors import malformed, not_found
from engine.exchange.orders import Order

if TYPE_CHECKING:
    from engine.exchange.core import Exchange

_LISTS: Final = {
    "forward_split": "forward_splits",
    "reverse_split": "reverse_splits",
    "cash_dividend": "cash_dividends",
}
_CENT: Final = Decimal("0.01")


class Announcement(msgspec.Struct, kw_only=True):
    """``rate`` of a dividend is currency a share; of a split ``new_rate`` shares come for ``old_rate``."""

    id: str
    type: str
    symbol: str
    ex_date: date
    new_rate: Decimal = Decimal(1)
    old_rate: Decimal = Decimal(1)
    rate: Decimal = Decimal(0)
    applied: bool = False

    def told(self) -> dict[str, Any]:
        day = self.ex_date.isoformat()
        row: dict[str, Any] = {"id": self.id, "symbol": self.symbol, "ex_date": day, "process_date": day}
        match self.type:
            case "forward_split":
                row |= {"cusip": _cusip(self.symbol)}
            case "reverse_split":
                row |= {"old_cusip": _cusip(self.symbol), "new_cusip": _cusip(self.symbol + "N")}
            case _:
                return row | {
                    "cusip": _cusip(self.symbol),
                    "rate": float(self.rate),
                    "special": False,
                    "foreign": False,
                }
        return row | {"new_rate": float(self.new_rate), "old_rate": float(self.old_rate)}


class CorporateActions:
    """The announcements of one exchange. In memory: who needs them after a restart announces them again."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._known: dict[str, Announcement] = {}

    def announce(self, fields: dict[str, Any]) -> Announcement:
        """Raises ``Refusal`` for what is no announcement."""
        given = {"id": self._exchange.floor.new_id()} | {name: _plain(value) for name, value in fields.items()}
        try:
            made = msgspec.convert(given, Announcement, strict=False)
        except msgspec.ValidationError as error:
            raise malformed(str(error)) from None
        made.symbol = self._exchange.floor.asset(made.symbol).symbol
        if made.type not in _LISTS or min(made.new_rate, made.old_rate) <= 0:
            raise malformed(f"invalid corporate action: {made.type}")
        self._known[made.id] = made
        return made

    def listing(self, symbols: set[str], types: set[str], first: date, last: date) -> dict[str, list[dict[str, Any]]]:
        """By kind, as the data API tells them; an empty set is any."""
        found: dict[str, list[dict[str, Any]]] = {}
        for known in sorted(self._known.values(), key=lambda each: each.ex_date):
            fits = first <= known.ex_date <= last and (not types or known.type in types)
            if fits and (not symbols or known.symbol in symbols):
                found.setdefault(_LISTS[known.type], []).append(known.told())
        return found

    def apply(self, action_id: str) -> Announcement:
        """Lets a split happen now, as on the morning of its day. A dividend changes nothing, as on Alpaca's paper."""
        known = self._known.get(action_id)
        if known is None:
            raise not_found(f"no corporate action {action_id}")
        if not known.applied and known.type != "cash_dividend":
            self._split(known.symbol, known.new_rate / known.old_rate)
        known.applied = True
        return known

    def _split(self, symbol: str, factor: Decimal) -> None:
        exchange, floor = self._exchange, self._exchange.floor
        price = (floor.mark(symbol) / factor).quantize(_CENT)
        position = floor.account.positions.get(symbol)
        if position is not None:
            # Fractions of a share are paid out in cash.
            whole = (position.qty * factor).quantize(Decimal(1), ROUND_DOWN)
            floor.account.state.cash += (position.qty * factor - whole) * price
            floor.account.set_position(symbol, whole, position.avg_entry_price / factor)
            floor.changed.positions.add(symbol)
            floor.changed.account = True
        for order in floor.orders.live_in(symbol):
            if order.time_in_force == "gtc" and not order.order_class and not order.is_leg:
                self._adjust(order, factor)
        exchange.move_price(symbol, price)

    def _adjust(self, order: Order, factor: Decimal) -> None:
        if order.qty is not None:
            order.qty = (order.qty * factor).quantize(Decimal(1), ROUND_DOWN)
        for name in ("limit_price", "stop_price"):
            price = getattr(order, name)
            if price is not None:
                setattr(order, name, (price / factor).quantize(_CENT))
        self._exchange.floor.touch(order)
        self._exchange.matching.engage(order)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _cusip(symbol: str) -> str:
    return f"{symbol:0>9.9}"
