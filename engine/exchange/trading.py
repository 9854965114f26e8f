"""``/v2/orders`` and ``/v2/positions``, one function an endpoint; refusals are raised.

Source: Alpaca's trading-api specification (OpenAPI), 2026-06-24.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice, takewhile
from typing import Any, Final

from engine.exchange.account_rest import AccountEndpoints
from engine.exchange.calls import DIRECTIONS, Answer, Call, Route, order_id_of, time_ns
from engine.exchange.core import Exchange
from engine.exchange.errors import Refusal, malformed, not_found
from engine.exchange.orders import Order
from engine.exchange.reference_rest import ReferenceEndpoints
from engine.exchange.requests import decimal_field, parse_amendment, parse_ticket, query_bool, query_int, query_word
from engine.exchange.wire import position_json

ORDERS_MAX: Final = 500
_STATUSES: Final = frozenset({"open", "closed", "all"})
_SIDES: Final = frozenset({"buy", "sell"})


def routes(exchange: Exchange) -> list[Route]:
    """Method and path parts (``*`` is a variable) to the endpoint."""
    orders, positions, account = OrderEndpoints(exchange), PositionEndpoints(exchange), AccountEndpoints(exchange)
    reference = ReferenceEndpoints(exchange)
    return [
        (("POST", "v2", "orders"), orders.create),
        (("GET", "v2", "orders"), orders.listing),
        (("DELETE", "v2", "orders"), orders.cancel_all),
        (("GET", "v2", "orders", "*"), orders.read),
        (("PATCH", "v2", "orders", "*"), orders.replace),
        (("DELETE", "v2", "orders", "*"), orders.cancel),
        (("GET", "v2", "orders:by_client_order_id"), orders.read_by_client_id),
        (("GET", "v2", "positions"), positions.listing),
        (("DELETE", "v2", "positions"), positions.close_all),
        (("GET", "v2", "positions", "*"), positions.read),
        (("DELETE", "v2", "positions", "*"), positions.close),
        (("GET", "v2", "positions", "*", "*"), positions.read),
        (("DELETE", "v2", "positions", "*", "*"), positions.close),
        (("GET", "v2", "account"), account.read),
        (("GET", "v2", "account", "configurations"), account.configurations),
        (("PATCH", "v2", "account", "configurations"), account.configure),
        (("GET", "v2", "account", "activities"), account.activities),
        (("GET", "v2", "account", "activities", "*"), account.activities),
        (("GET", "v2", "account", "portfolio", "history"), account.history),
        (("GET", "v2", "assets"), reference.assets),
        (("GET", "v2", "assets", "*"), reference.asset),
        (("GET", "v2", "assets", "*", "*"), reference.pair),
        (("GET", "v2", "clock"), reference.clock),
        (("GET", "v2", "calendar"), reference.calendar),
        (("GET", "v3", "clock"), reference.clock_v3),
        (("GET", "v3", "calendar", "*"), reference.calendar_v3),
    ]


class OrderEndpoints:
    """``/v2/orders``."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def create(self, call: Call) -> Answer:
        order = self._exchange.submit(parse_ticket(call.body))
        return 200, self._exchange.render(order)

    def read(self, call: Call) -> Answer:
        order = self._exchange.find(order_id_of(call.arguments[0]))
        return 200, self._exchange.render(order, nested=query_bool(call.query, "nested"))

    def read_by_client_id(self, call: Call) -> Answer:
        client_order_id = call.query.get("client_order_id", "")
        floor = self._exchange.floor
        order = floor.orders.by_client_id(client_order_id)
        if order is None or 0 <= floor.now_ns() - order.created_at < floor.settings.client_id_lookup_ms * 1e6:
            raise not_found(f"order not found for {client_order_id}")
        return 200, self._exchange.render(order, nested=False)

    def replace(self, call: Call) -> Answer:
        order = self._exchange.replace(order_id_of(call.arguments[0]), parse_amendment(call.body))
        return 200, self._exchange.render(order)

    def cancel(self, call: Call) -> Answer:
        self._exchange.cancel(order_id_of(call.arguments[0]))
        return 204, None

    def cancel_all(self, _call: Call) -> Answer:
        return 207, [_cancel_row(self._exchange, order, refusal) for order, refusal in self._exchange.cancel_all()]

    def listing(self, call: Call) -> Answer:
        """Orders by submission; legs appear under their parent when ``nested``, else as orders of their own."""
        query = call.query
        nested = query_bool(query, "nested")
        keep = self._filter(query, nested=nested)
        found = (order for order in self._candidates(query, nested=nested) if keep(order))
        limit = query_int(query, "limit", 50, ORDERS_MAX)
        return 200, [self._exchange.render(order, nested=nested) for order in islice(found, limit)]

    def _candidates(self, query: dict[str, str], *, nested: bool) -> Iterator[Order]:
        """The orders worth a look, so that the usual questions cost no walk through the history."""
        orders = self._exchange.floor.orders
        ascending = query_word(query, "direction", DIRECTIONS) == "asc"
        if (query_word(query, "status", _STATUSES) or "open") == "open":
            live = orders.live()
            tops = {order.parent_id for order in live if order.parent_id is not None} if nested else set()
            ids = {order.id for order in live} | tops
            return iter(sorted((orders[each] for each in ids), key=lambda order: order.seq, reverse=not ascending))
        if ascending:
            return orders.oldest_first()
        after = time_ns(query, "after")
        if nested and after is not None:
            # Parents are submitted in sequence; legs are not, they count from when they became effective.
            return takewhile(
                lambda order: order.parent_id is not None or order.submitted_at > after,
                orders.newest_first(),
            )
        return orders.newest_first()

    def _filter(self, query: dict[str, str], *, nested: bool) -> Callable[[Order], bool]:
        status = query_word(query, "status", _STATUSES) or "open"
        symbols = {name.replace("/", "") for name in (query.get("symbols") or "").upper().split(",") if name}
        classes = {name for name in (query.get("asset_class") or "").split(",") if name and name != "all"}
        side = query_word(query, "side", _SIDES)
        after, until = time_ns(query, "after"), time_ns(query, "until")
        after_seq, before_seq = self._sequence_of(query, "after_order_id"), self._sequence_of(query, "before_order_id")
        if sum(bound is not None for bound in (after_seq, before_seq)) + (after is not None or until is not None) > 1:
            raise malformed("only one of before_order_id, after_order_id and after/until is accepted")
        wants_open = status == "open"
        lists_held = self._exchange.settings.list_held_legs

        def keep(order: Order) -> bool:
            if nested and order.parent_id is not None:
                return False
            if status != "all":
                open_now = order.is_live
                if nested and lists_held and not open_now:
                    open_now = any(leg.is_live for leg in self._exchange.floor.orders.legs(order))
                if open_now is not wants_open:
                    return False
                if wants_open and order.status == "held" and not lists_held:
                    return False
            if symbols and order.symbol.replace("/", "") not in symbols:
                return False
            if classes and ("crypto" if "/" in order.symbol else "us_equity") not in classes:
                return False
            if side is not None and order.side != side:
                return False
            if after is not None and order.submitted_at <= after:
                return False
            if until is not None and order.submitted_at >= until:
                return False
            if after_seq is not None and order.seq <= after_seq:
                return False
            return before_seq is None or order.seq < before_seq

        return keep

    def _sequence_of(self, query: dict[str, str], name: str) -> int | None:
        order_id = query.get(name)
        return None if not order_id else self._exchange.find(order_id_of(order_id)).seq


class PositionEndpoints:
    """``/v2/positions``."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def _render(self, symbol: str) -> dict[str, Any]:
        floor = self._exchange.floor
        close = Decimal(repr(self._exchange.market.prev_close(symbol)))
        return position_json(
            floor.account.positions[symbol],
            floor.asset(symbol),
            price=floor.mark(symbol),
            last_close=close,
            available=floor.account.available(symbol),
        )

    def listing(self, _call: Call) -> Answer:
        return 200, [self._render(symbol) for symbol in sorted(self._exchange.floor.account.positions)]

    def read(self, call: Call) -> Answer:
        return 200, self._render(self._held("/".join(call.arguments)))

    def _held(self, name: str) -> str:
        symbol = self._exchange.floor.asset(name if "-" in name else name.upper()).symbol
        if symbol not in self._exchange.floor.account.positions:
            raise not_found("position does not exist")
        return symbol

    def close(self, call: Call) -> Answer:
        qty, percentage = (decimal_field(dict(call.query), name) for name in ("qty", "percentage"))
        if qty is not None and percentage is not None:
            raise malformed("only one of qty or percentage is accepted")
        if percentage is not None and percentage > 100:
            raise malformed("percentage must be between 0 and 100")
        order = self._exchange.close_position(self._held("/".join(call.arguments)), qty=qty, percentage=percentage)
        return 200, self._exchange.render(order)

    def close_all(self, call: Call) -> Answer:
        """Cancels first when asked, but does not wait for it: reserved positions answer 403 in their row."""
        rows: list[dict[str, Any]] = []
        if query_bool(call.query, "cancel_orders"):
            for order, refusal in self._exchange.cancel_all():
                row = _cancel_row(self._exchange, order, refusal)
                rows.append({"symbol": row["id"], "status": row["status"], "body": row["body"]})
        for symbol in sorted(self._exchange.floor.account.positions):
            name = symbol.replace("/", "")
            try:
                body: dict[str, Any] = self._exchange.render(self._exchange.close_position(symbol))
                rows.append({"symbol": name, "status": 200, "body": body})
            except Refusal as refusal:
                rows.append({"symbol": name, "status": refusal.status, "body": refusal.body()})
        return 207, rows


def _cancel_row(exchange: Exchange, order: Order, refusal: Refusal | None) -> dict[str, Any]:
    """A row of a bulk cancel: the parent as it stands now, or the refusal. Alpaca marks rows that fail with 500."""
    if refusal is not None:
        return {"id": order.id, "status": 500, "body": refusal.body()}
    top = order if order.parent_id is None else exchange.floor.orders[order.parent_id]
    return {"id": order.id, "status": 200, "body": exchange.render(top)}
