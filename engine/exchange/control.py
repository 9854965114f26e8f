"""``/_exchange``: controls that Alpaca does not have. Faults, and what another client at the broker could do.

No key is asked: whoever runs an exchange on his own machine may break it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.exchange.core import Exchange
from engine.exchange.errors import malformed, not_found
from engine.exchange.faults import parse_faults
from engine.exchange.requests import decimal_field, decode_object

BLOCKS: Final = ("trading_blocked", "account_blocked", "transfers_blocked")


class Control:
    """Handles a request below ``/_exchange``; returns status and JSON value."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.cut_streams: Callable[[], int] | None = None
        """Set by the server: closes the order stream's connections and returns how many there were."""
        self.mute_streams: Callable[[], int] | None = None
        self.cut_data: Callable[[], int] | None = None

    def handle(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        parts = [part for part in path.split("/") if part]
        match (method, *parts):
            case ("GET", "faults"):
                return 200, self._exchange.faults.listing()
            case ("POST", "faults"):
                return 200, self._add_faults(body)
            case ("DELETE", "faults"):
                self._exchange.faults.clear()
                return 204, None
            case ("DELETE", "faults", fault_id):
                if not self._exchange.faults.remove(fault_id):
                    raise not_found(f"no fault {fault_id}")
                return 204, None
            case ("POST", "orders", order_id, "fill"):
                fields = decode_object(body)
                order = self._exchange.fill_by_hand(
                    order_id, decimal_field(fields, "qty"), decimal_field(fields, "price")
                )
                return 200, self._exchange.render(order)
            case ("POST", "orders", order_id, "cancel"):
                return 200, self._exchange.render(self._exchange.cancel_by_hand(order_id))
            case ("POST", "orders", order_id, "bust"):
                return 200, self._exchange.render(self._exchange.bust(order_id))
            case ("POST", "orders", order_id, "reject"):
                order = self._exchange.find(order_id)
                self._exchange.matching.finish(order, "rejected")
                return 200, self._exchange.render(order)
            case ("POST", "positions", symbol):
                return 200, self._set_position(symbol, body)
            case ("POST", "prices", *symbol):
                return 200, self._move_price("/".join(symbol), body)
            case ("POST", "halts", *symbol):
                halted = decode_object(body).get("halted", True) is True
                self._exchange.halt("/".join(symbol), halted=halted)
                return 200, {"symbol": "/".join(symbol), "halted": halted}
            case ("POST", "streams", "cut"):
                return 200, {"cut": self.cut_streams() if self.cut_streams else 0}
            case ("POST", "streams", "mute"):
                return 200, {"mute": self.mute_streams() if self.mute_streams else 0}
            case ("POST", "data", "cut"):
                return 200, {"cut": self.cut_data() if self.cut_data else 0}
            case ("POST", "corporate-actions"):
                return 200, self._exchange.corporate.announce(decode_object(body)).told()
            case ("POST", "corporate-actions", action_id, "apply"):
                return 200, self._exchange.corporate.apply(action_id).told()
            case ("POST", "account"):
                return 200, self._block_account(body)
        raise not_found("endpoint not found")

    def _add_faults(self, body: bytes) -> list[str]:
        try:
            faults = parse_faults(body)
        except msgspec.MsgspecError as error:
            raise malformed(str(error)) from None
        return [self._exchange.faults.add(fault) for fault in faults]

    def _set_position(self, symbol: str, body: bytes) -> dict[str, Any]:
        """``{"qty": "-5", "price": "187.2"}``: shares come or go, cash stays."""
        fields = decode_object(body)
        try:
            qty = Decimal(str(fields.get("qty", "")))
        except ArithmeticError:
            raise malformed("invalid qty") from None
        if not qty.is_finite():
            raise malformed("invalid qty")
        self._exchange.set_position(symbol, qty, decimal_field(fields, "price"))
        return {"symbol": symbol, "qty": str(qty)}

    def _block_account(self, body: bytes) -> dict[str, Any]:
        """``{"trading_blocked": true}``: what the broker does to an account that has to be looked at."""
        fields = decode_object(body)
        state = self._exchange.floor.account.state
        for name, value in fields.items():
            if name not in BLOCKS or not isinstance(value, bool):
                raise malformed(f"invalid {name}")
        for name, value in fields.items():
            setattr(state, name, value)
        self._exchange.floor.changed.account = True
        return {name: getattr(state, name) for name in BLOCKS}

    def _move_price(self, symbol: str, body: bytes) -> dict[str, Any]:
        """``{"price": "180"}`` or ``{"percent": -3}`` of the last trade."""
        fields = decode_object(body)
        price = decimal_field(fields, "price")
        if price is None:
            percent = fields.get("percent")
            if isinstance(percent, bool) or not isinstance(percent, int | Decimal) or percent <= -100:
                raise malformed("price or percent is required")
            asset = self._exchange.floor.asset(symbol)
            price = self._exchange.floor.mark(asset.symbol) * (100 + Decimal(percent)) / 100
        self._exchange.move_price(symbol, price)
        return {"symbol": symbol, "price": str(price)}
