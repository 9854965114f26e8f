"""Orders changed in their row: an exit goes the way of every move of it, anything else as the order that it is."""

from __future__ import annotations

from collections.abc import Callable

from engine.model.commands import OrderChange
from engine.views import BracketView, OrderView
from gui.actions import Actions
from gui.moving import Moving
from gui.order_words import exit_of
from gui.panels.orders import OrdersPanel


class Changing:
    def __init__(
        self, actions: Actions, moving: Moving, orders: OrdersPanel, trade: Callable[[str], BracketView | None]
    ) -> None:
        """``trade`` by its id, as it is shown."""
        self._actions = actions
        self._moving = moving
        self._trade = trade
        orders.follow_trades(self.trade_of)
        orders.change_asked.connect(self.change)

    def trade_of(self, order: OrderView) -> BracketView | None:
        return self._trade(order.bracket_id or "")

    def change(self, order: OrderView, change: OrderChange) -> None:
        trade = self.trade_of(order)
        which = exit_of(order, trade)
        if trade is not None and which is not None and trade.held_qty > 0:
            stop, target = (change.stop_price, None) if which == "stop" else (None, change.limit_price)
            self._moving.move(trade, stop, target)
        else:
            self._actions.replace_order(order.id, change)
