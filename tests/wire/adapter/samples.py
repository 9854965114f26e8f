"""Small values of the kinds that the broker sends, for tests that don't care which."""

from __future__ import annotations

from decimal import Decimal

from engine.alpaca.bodies import Body, bracket_body, replace_body
from engine.alpaca.credentials import Secret, SimKeys
from engine.alpaca.endpoints import SimAccess, sim_endpoint

SECRET = "s3cr3t-that-nobody-may-see"

ORDER = {"id": "o-1", "client_order_id": "c-1", "symbol": "AAPL", "status": "accepted", "qty": "10", "filled_qty": "0"}

CLOCK = {
    "timestamp": "2026-08-21T10:00:00.123456789-04:00",
    "is_open": True,
    "next_open": "2026-08-24T09:30:00-04:00",
    "next_close": "2026-08-21T16:00:00-04:00",
}

BRACKET: Body = bracket_body(
    client_order_id="c-1",
    symbol="AAPL",
    side="buy",
    qty=Decimal(10),
    limit_price=Decimal("187.20"),
    take_profit_price=Decimal("191.80"),
    stop_price=Decimal("184.90"),
)

REPLACEMENT: Body = replace_body(client_order_id="c-2", stop_price=Decimal("185.10"))


def access_to(url: str) -> SimAccess:
    return SimAccess(sim_endpoint(url), SimKeys("KEY-ID", Secret(SECRET)))
