"""``/v2/account`` and what hangs below it: configurations, activities, history.

Source: Alpaca's trading-api specification (OpenAPI), 2026-06-24.
"""

from __future__ import annotations

from typing import Any, Final

from engine.exchange import portfolio
from engine.exchange.calls import DIRECTIONS, Answer, Call, time_ns
from engine.exchange.core import Exchange
from engine.exchange.errors import malformed
from engine.exchange.floor import Execution
from engine.exchange.requests import decode_object, query_int, query_word
from engine.exchange.session import NEW_YORK
from engine.exchange.wire import account_json, configurations_json, number, timestamp

ACTIVITIES_MAX: Final = 100


class AccountEndpoints:
    """``/v2/account`` and what hangs below it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def read(self, _call: Call) -> Answer:
        today = self._exchange.floor.now().astimezone(NEW_YORK).date().isoformat()
        return 200, account_json(self._exchange.floor.account, today)

    def configurations(self, _call: Call) -> Answer:
        return 200, configurations_json(self._exchange.floor.account.state)

    def configure(self, call: Call) -> Answer:
        body = decode_object(call.body)
        state = self._exchange.floor.account.state
        for name in (
            "suspend_trade", "no_shorting", "fractional_trading", "disable_overnight_trading", "ptp_no_exception_entry",
        ):  # fmt: skip
            value = body.get(name)
            if value is None:
                continue
            if not isinstance(value, bool):
                raise malformed(f"invalid {name}")
            setattr(state, name, value)
        if body.get("max_margin_multiplier") is not None:
            if str(body["max_margin_multiplier"]) not in {"1", "2", "4"}:
                raise malformed("invalid max_margin_multiplier")
            state.multiplier = int(str(body["max_margin_multiplier"]))
        if body.get("trade_confirm_email") in {"all", "none"}:
            state.trade_confirm_email = body["trade_confirm_email"]
        self._exchange.floor.changed.account = True
        return 200, configurations_json(state)

    def activities(self, call: Call) -> Answer:
        """Fills; the exchange has no other activities, so every other type is an empty list."""
        query = call.query
        types = call.arguments[0] if call.arguments else query.get("activity_types", "")
        limit = query_int(query, "page_size", ACTIVITIES_MAX, ACTIVITIES_MAX + 1)
        if limit > ACTIVITIES_MAX:
            asked = query["page_size"].lstrip("0")
            raise malformed(f"tried to set the page size to {asked}, but the maximum is {ACTIVITIES_MAX}")
        if (types and "FILL" not in types.split(",")) or query.get("category") == "non_trade_activity":
            return 200, []
        return 200, [execution_json(execution) for execution in self._page(query, limit)]

    def _page(self, query: dict[str, str], limit: int) -> list[Execution]:
        after, until = time_ns(query, "after"), time_ns(query, "until")
        if query.get("date"):
            after = (time_ns(query, "date") or 0) - 1
            until = after + 1 + 86_400_000_000_000
        ascending = query_word(query, "direction", DIRECTIONS) == "asc"
        token, passed = query.get("page_token") or None, False
        page: list[Execution] = []
        for execution in self._exchange.executions(newest_first=not ascending):
            if token is not None and not passed:
                passed = execution.id == token
                continue
            if after is not None and execution.at_ns <= after:
                continue
            if until is not None and execution.at_ns >= until:
                continue
            if query.get("order_id") and execution.order_id != query["order_id"]:
                continue
            page.append(execution)
            if len(page) == limit:
                break
        return page

    def history(self, call: Call) -> Answer:
        return 200, portfolio.history(self._exchange, call.query)


def execution_json(execution: Execution) -> dict[str, Any]:
    return {
        "id": execution.id,
        "activity_type": "FILL",
        "transaction_time": timestamp(execution.at_ns),
        "type": execution.type,
        "price": number(execution.price),
        "qty": number(execution.qty),
        "side": execution.side,
        "symbol": execution.symbol,
        "leaves_qty": number(execution.leaves_qty),
        "order_id": execution.order_id,
        "cum_qty": number(execution.cum_qty),
        "order_status": execution.order_status,
    }
