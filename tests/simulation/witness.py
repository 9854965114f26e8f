"""What really happened at the broker: every request in the order of its arrival, every order, every execution.

The witness stands at the exchange's door and in its ledger. It judges nothing; ``invariants.py`` asks it. What has to
be judged in the very moment (a request arrives, a book is committed) is told to listeners.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, override
from unittest import mock

import msgspec
from aiohttp import web

import engine.exchange.server as exchange_server
from engine.exchange.core import Exchange
from engine.exchange.floor import Execution
from engine.exchange.orders import Order
from engine.exchange.server import Server


@dataclass(slots=True)
class Arrival:
    """One HTTP request as the exchange received it, whatever became of it then."""

    at_s: float
    machine: str
    """The process that sent it."""
    method: str
    path: str
    body: dict[str, Any] | None
    raw: bytes

    @property
    def is_write(self) -> bool:
        return self.method in ("POST", "PATCH", "DELETE") and self.path.startswith("/v2/orders")

    @property
    def client_order_id(self) -> str:
        return str((self.body or {}).get("client_order_id", ""))

    @property
    def order_id(self) -> str:
        """Of the broker; of a PATCH or a DELETE."""
        return self.path.removeprefix("/v2/orders/")


class Witness:
    """Use ``watching`` around the exchange's whole life, and ``attend`` as soon as it runs."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.arrivals: list[Arrival] = []
        """Of writes."""
        self.reads = 0
        self.on_arrival: list[Callable[[Arrival], None]] = []
        self.on_order: list[Callable[[Order], None]] = []
        """Called with each order that the exchange accepted, in the moment it did."""
        self.on_execution: list[Callable[[Order, Execution], None]] = []
        self.on_error: Callable[[Exception], None]
        """A listener that fails must not look like an exchange that does."""
        self._orders_seen = 0
        self._executions_seen = 0
        self.wake: Callable[[], None] = lambda: None
        """Tells the exchange's clock that something changed."""

    def watching(self) -> AbstractContextManager[Any]:
        """Puts the witness into the door of every exchange that is opened meanwhile."""
        witness = self

        class WatchedServer(Server):
            def __init__(self, *args: Any) -> None:
                super().__init__(*args)
                witness.wake = self._wake.set

            @override
            async def handle(self, request: web.Request) -> web.StreamResponse:
                witness._arrived(request, await request.read())
                return await super().handle(request)

        return mock.patch.object(exchange_server, "Server", WatchedServer)

    def attend(self, exchange: Exchange) -> None:
        """Be there whenever the exchange commits its book."""
        settle = exchange.settle

        def settle_before_a_witness() -> None:
            settle()
            self._committed(exchange)

        exchange.settle = settle_before_a_witness  # type: ignore[method-assign]

    def _arrived(self, request: web.Request, raw: bytes) -> None:
        machine = request.transport.get_extra_info("peername")[0] if request.transport is not None else "?"
        try:
            body = msgspec.json.decode(raw) if raw else None
        except msgspec.DecodeError:
            body = None
        arrival = Arrival(self._clock(), machine, request.method, request.path, body, raw)
        if not arrival.is_write:
            self.reads += 1
            return
        self.arrivals.append(arrival)
        self._tell(self.on_arrival, arrival)

    def _tell[*A](self, listeners: list[Callable[[*A], None]], *what: *A) -> None:
        for listener in listeners:
            try:
                listener(*what)
            except Exception as error:
                self.on_error(error)

    def _committed(self, exchange: Exchange) -> None:
        floor = exchange.floor
        if len(floor.orders) > self._orders_seen:
            new = list(floor.orders.oldest_first())[self._orders_seen :]
            self._orders_seen += len(new)
            for order in new:
                self._tell(self.on_order, order)
        while self._executions_seen < len(floor.executions):
            execution = floor.executions[self._executions_seen]
            self._executions_seen += 1
            self._tell(self.on_execution, floor.orders[execution.order_id], execution)
