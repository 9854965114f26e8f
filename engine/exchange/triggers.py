"""Resting orders of one symbol, arranged by the price at which something happens to them.

Four heaps (limits and stops, buys and sells) with lazy deletion: a tick costs a comparison with the four tops, an
order that has died or moved is dropped when it surfaces. Trailing stops move with the market and are walked instead;
there are never many.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush

from engine.exchange.market import Quote
from engine.exchange.orders import Order

_FIRST_ROOM = 256
_Entry = tuple[float, int, Order]


class RestingOrders:
    """Limits and stops of one symbol. ``is_resting`` of an order decides whether an entry still counts."""

    __slots__ = ("_buy_limits", "_buy_stops", "_room", "_sell_limits", "_sell_stops", "_trailing")

    def __init__(self) -> None:
        self._room = _FIRST_ROOM
        self._buy_limits: list[_Entry] = []
        self._sell_limits: list[_Entry] = []
        self._buy_stops: list[_Entry] = []
        self._sell_stops: list[_Entry] = []
        self._trailing: dict[str, Order] = {}

    def rest_limit(self, order: Order) -> None:
        assert order.limit_price is not None
        price = float(order.limit_price)
        if order.is_buy:
            heappush(self._buy_limits, (-price, order.seq, order))
        else:
            heappush(self._sell_limits, (price, order.seq, order))
        self._sweep()

    def rest_stop(self, order: Order) -> None:
        if order.type == "trailing_stop":
            self._trailing[order.id] = order
            return
        assert order.stop_price is not None
        price = float(order.stop_price)
        if order.is_buy:
            heappush(self._buy_stops, (price, order.seq, order))
        else:
            heappush(self._sell_stops, (-price, order.seq, order))
        self._sweep()

    def _sweep(self) -> None:
        """Orders that died far from the market never surface: they go when the heaps have doubled."""
        heaps = (self._buy_limits, self._sell_limits, self._buy_stops, self._sell_stops)
        if sum(map(len, heaps)) < self._room:
            return
        for heap in heaps:
            heap[:] = [entry for entry in heap if entry[2].is_live]
            heapify(heap)
        self._room = max(2 * sum(map(len, heaps)), _FIRST_ROOM)

    def trailing(self) -> list[Order]:
        dead = [order.id for order in self._trailing.values() if not order.is_live or order.triggered]
        for order_id in dead:
            del self._trailing[order_id]
        return list(self._trailing.values())

    def crossed_limits(self, quote: Quote, low: float, high: float, is_resting: Callable[[Order], bool]) -> list[Order]:
        """Takes out the limits that the quote or a trade between ``low`` and ``high`` reaches, best price first."""
        best_ask, best_bid = min(quote.ask, low), max(quote.bid, high)
        buys = _pop(self._buy_limits, -best_ask, is_resting) if self._buy_limits else []
        sells = _pop(self._sell_limits, best_bid, is_resting) if self._sell_limits else []
        return buys + sells if buys or sells else []

    def reached_stops(self, quote: Quote, low: float, high: float, is_resting: Callable[[Order], bool]) -> list[Order]:
        """Takes out the stops that a trade reaches, or that the whole quote has passed.

        The near side alone does not trigger: a wide spread would set off a stop that no trade came close to.
        """
        sells = _pop(self._sell_stops, -min(quote.ask, low), is_resting) if self._sell_stops else []
        buys = _pop(self._buy_stops, max(quote.bid, high), is_resting) if self._buy_stops else []
        return sells + buys if buys or sells else []


def _pop(heap: list[_Entry], until: float, is_resting: Callable[[Order], bool]) -> list[Order]:
    """Entries with a key up to ``until``, dead ones dropped."""
    taken: list[Order] = []
    while heap and heap[0][0] <= until:
        order = heappop(heap)[2]
        if is_resting(order):
            taken.append(order)
    return taken
