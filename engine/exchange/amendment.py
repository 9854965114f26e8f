"""Whether an order may be replaced now, and by what.

The answer to a PATCH is the successor, under a new id; the replacement completes when the venue answers. Grouped
orders take prices only. While both exist, buying power is reserved for the larger of the two.

Sources: docs.alpaca.markets/docs/orders-at-alpaca ("Replacing orders"), /docs/options-trading-overview for the texts.
"""

from __future__ import annotations

from decimal import Decimal

from engine.exchange.admission import check_stop, check_tick, check_trail, collar_of, cost_of
from engine.exchange.assets import Asset
from engine.exchange.errors import forbidden, insufficient_qty, malformed, unprocessable
from engine.exchange.floor import Floor
from engine.exchange.matching import successor, trailing_stop_price
from engine.exchange.orders import ZERO, Order
from engine.exchange.requests import Amendment
from engine.exchange.wire import number


class Amending:
    """Turns amendments into successors."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def amend(self, old: Order, change: Amendment) -> Order:
        """The successor of ``old``, reserved for the difference; raises ``Refusal``."""
        floor = self._floor
        self._check_replaceable(old)
        if change.client_order_id is not None and floor.orders.by_client_id(change.client_order_id) is not None:
            raise malformed("client_order_id must be unique")
        if old.notional is not None:
            raise unprocessable("notional orders cannot be replaced")
        asset = floor.asset(old.symbol)
        new = successor(old, floor.new_id(), change.client_order_id or floor.new_id())
        if change.qty is not None and change.qty != old.qty:
            self._check_new_qty(old, change.qty)
            new.qty = change.qty
        self._amend_prices(old, new, change, asset)
        if change.time_in_force is not None:
            new.time_in_force = change.time_in_force
        if _terms(new) == _terms(old):
            raise unprocessable("order parameters are not changed")
        if old.is_opening:
            more = cost_of(floor, new) - cost_of(floor, old)
            power = floor.account.buying_power
            if more > power:
                raise forbidden(
                    "insufficient buying power", buying_power=number(power), cost_basis=number(cost_of(floor, new))
                )
            floor.account.reserve(new, power=max(more, ZERO))
        elif new.qty is not None and old.qty is not None and new.qty - old.qty > floor.account.available(old.symbol):
            available = floor.account.available(old.symbol)
            raise insufficient_qty(
                symbol=old.symbol,
                requested=number(new.qty - old.qty),
                available=number(available),
                existing=number(abs(floor.account.qty(old.symbol))),
                held=number(floor.account.held(old.symbol)),
                related=[],
            )
        return new

    def _check_replaceable(self, old: Order) -> None:
        status = old.status
        if status == "replaced":
            raise unprocessable("order already replaced")
        if status == "pending_replace":
            raise unprocessable("order already pending replacement")
        if not old.is_live:
            raise unprocessable("order is not open")
        if status in {"accepted", "pending_new", "pending_cancel"}:
            raise unprocessable(f"cannot replace order in {status} status")
        if status == "held" and not self._floor.settings.replace_held_legs:
            raise unprocessable("cannot replace order in held status")
        if self._floor.orders.is_awaited(old):
            raise unprocessable("order chain not fully replaced")

    def _check_new_qty(self, old: Order, qty: Decimal) -> None:
        if old.order_class:
            raise unprocessable("qty of complex orders cannot be replaced")
        if old.qty is not None and old.qty % 1 != 0:
            raise unprocessable("qty of fractional orders cannot be replaced")
        if qty <= old.filled_qty:
            raise unprocessable("qty must be > filled_qty")

    def _amend_prices(self, old: Order, new: Order, change: Amendment, asset: Asset) -> None:
        if change.limit_price is not None:
            if old.type not in {"limit", "stop_limit"}:
                raise unprocessable(f"{old.type} orders must not have limit_price")
            check_tick(asset, "limit_price", change.limit_price)
            new.limit_price = change.limit_price
            new.collared = False
        if change.stop_price is not None:
            if old.type not in {"stop", "stop_limit"}:
                raise unprocessable(f"{old.type} orders must not have stop_price")
            check_tick(asset, "stop_price", change.stop_price)
            check_stop(self._floor, old.symbol, old.side, change.stop_price)
            new.stop_price = change.stop_price
            if old.collared and change.limit_price is None:
                new.limit_price = collar_of(change.stop_price, asset)
        if change.trail is not None:
            if old.type != "trailing_stop":
                raise unprocessable("only trailing stop orders have a trail")
            assert new.hwm is not None
            if old.trail_price is not None:
                new.trail_price = change.trail
            else:
                new.trail_percent = change.trail
            new.stop_price = trailing_stop_price(new, new.hwm)
            check_trail(new.stop_price)


def _terms(order: Order) -> tuple[object, ...]:
    return (
        order.qty, order.limit_price, order.stop_price, order.trail_price, order.trail_percent, order.time_in_force,
    )  # fmt: skip
