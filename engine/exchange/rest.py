"""The trading API, sans-IO: a request value in, a response value out.

``Rest.handle`` authenticates, counts the rate, routes, and turns refusals into answers. It knows neither sockets nor
delays; ``server.py`` adds both. Market data lives in ``data_rest.py``, the exchange's own controls in ``control.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from engine.exchange import trading
from engine.exchange.calls import Call
from engine.exchange.control import Control
from engine.exchange.core import Exchange
from engine.exchange.data_rest import DataRest
from engine.exchange.errors import Refusal, not_found, rate_limited, too_many_requests, unauthorized
from engine.exchange.faults import Facts, Refuse, facts_of
from engine.exchange.requests import decode_object

_WINDOW_S: Final = 60.0
CONTROL_PREFIX: Final = "/_exchange"
_NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. Header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True, kw_only=True)
class Response:
    """One HTTP response. 204 has an empty body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class Budget:
    """Requests of one account in windows of a minute."""

    def __init__(self, per_minute: int | None, refusal: Callable[[], Refusal]) -> None:
        self.per_minute = per_minute
        self._refusal = refusal
        self._window = -1
        self._used = 0

    def spend(self, now_s: float, headers: dict[str, str]) -> None:
        """Counts a request and notes what is left; raises 429 when nothing is."""
        if self.per_minute is None:
            return
        window = int(now_s // _WINDOW_S)
        if window != self._window:
            self._window, self._used = window, 0
        self._used += 1
        headers["X-RateLimit-Limit"] = str(self.per_minute)
        headers["X-RateLimit-Remaining"] = str(max(self.per_minute - self._used, 0))
        headers["X-RateLimit-Reset"] = str(int((window + 1) * _WINDOW_S))
        if self._used > self.per_minute:
            raise self._refusal()


class Rest:
    """Routes of the three APIs that share the port."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._trading = trading.routes(exchange)
        self._data = DataRest(exchange)
        self.control = Control(exchange)
        settings = exchange.settings
        self._budget = Budget(settings.requests_per_minute, rate_limited)
        self._data_budget = Budget(settings.data_requests_per_minute, too_many_requests)

    def handle(self, request: Request) -> Response:
        """The answer; everything it changed is committed."""
        exchange = self._exchange
        exchange.run_due()
        headers = {"X-Request-ID": exchange.floor.new_id().replace("-", "")}
        try:
            status, body = self._dispatch(request, headers)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body()
        exchange.settle()
        encoded = b"" if body is None else msgspec.json.encode(body)
        return Response(status=status, body=encoded, headers=headers)

    def _dispatch(self, request: Request, headers: dict[str, str]) -> tuple[int, Any]:
        if request.path.startswith(CONTROL_PREFIX):
            return self.control.handle(request.method, request.path[len(CONTROL_PREFIX) :], request.body)
        self.authenticate(request.headers)
        now_s = self._exchange.floor.now().timestamp()
        if DataRest.owns(request.path):
            self._data_budget.spend(now_s, headers)
            return 200, self._data.handle(request.method, request.path, request.query)
        self._budget.spend(now_s, headers)
        facts = self.facts(request)
        refusal = self._exchange.faults.take(Refuse, facts)
        if refusal is not None:
            raise Refusal(refusal.status, refusal.code, refusal.message, dict(refusal.extra))
        if request.method == "POST" and request.path == "/v2/orders" and self._exchange.faults.refuses_exit(facts):
            raise Refusal(403, 40310000, "request is forbidden")
        return self._route(request)

    def _route(self, request: Request) -> tuple[int, Any]:
        parts = request.path.removeprefix("/").split("/")
        known_path = False
        for (method, *pattern), handler in self._trading:
            if len(pattern) != len(parts):
                continue
            if any(want != got and (want != "*" or not got) for want, got in zip(pattern, parts, strict=True)):
                continue
            known_path = True
            if method == request.method:
                arguments = [got for want, got in zip(pattern, parts, strict=True) if want == "*"]
                return handler(Call(arguments, dict(request.query), request.body))
        if known_path:
            raise Refusal(405, 40510000, "method not allowed")
        raise not_found("endpoint not found")

    def authenticate(self, headers: Mapping[str, str]) -> None:
        """Checks Alpaca's two key headers against the configured pair."""
        if not self.accepts(headers.get("apca-api-key-id", ""), headers.get("apca-api-secret-key", "")):
            raise unauthorized()

    def accepts(self, key: str, secret: str) -> bool:
        settings = self._exchange.settings
        return (settings.key is None or settings.key == key) and (settings.secret is None or settings.secret == secret)

    def facts(self, request: Request) -> Facts:
        """What a fault may match a request against: its order's terms, given or looked up."""
        if not self._exchange.faults:
            return _NO_FACTS
        if request.path == "/v2/orders" and request.method == "POST":
            try:
                body = decode_object(request.body)
            except Refusal:
                body = {}
            return Facts(
                method="POST",
                path=request.path,
                symbol=str(body.get("symbol", "")).upper(),
                order_class=body.get("order_class") or "simple",
                side=body.get("side"),
                type=body.get("type"),
            )
        if request.path.startswith("/v2/orders/"):
            order = self._exchange.floor.orders.get(request.path.removeprefix("/v2/orders/"))
            if order is not None:
                found = facts_of(order)
                return Facts(
                    method=request.method,
                    path=request.path,
                    symbol=found.symbol,
                    order_class=found.order_class,
                    side=found.side,
                    type=found.type,
                    role=found.role,
                )
        return Facts(method=request.method, path=request.path)
