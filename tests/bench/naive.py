"""What a user has today: alpaca-py's synchronous client, one call after the other, exits as separate calls.

Runs as a process of its own and takes one order a line on standard input, as such a bot would take its strategy's
signals. Faithful to the pattern, and generous in its details: it looks at the account, the positions and the clock,
submits, asks for the order's status without a pause until it is filled, then places the stop, then the target. The
target is refused by Alpaca (the stop holds the shares); such bots log that and go on, and so does this one.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import msgspec
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest, StopOrderRequest


class Trade(msgspec.Struct, frozen=True):
    symbol: str
    stop_price: float
    take_profit_price: float


class Trip(msgspec.Struct, frozen=True):
    """Moments on the machine's monotonic clock, and the broker's own times of fill and stop."""

    approved_s: float
    acknowledged_s: float
    filled_s: float
    protected_s: float
    polls: int
    target_refused: bool
    market_wait_s: float
    naked_s: float


def trade(client: TradingClient, wanted: Trade) -> Trip:
    approved_s = time.monotonic()
    account: Any = client.get_account()
    positions: Any = client.get_all_positions()
    clock: Any = client.get_clock()
    if not clock.is_open or account.trading_blocked or any(held.symbol == wanted.symbol for held in positions):
        raise RuntimeError(f"{wanted.symbol}: not allowed to trade")
    order: Any = client.submit_order(
        MarketOrderRequest(symbol=wanted.symbol, qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    )
    acknowledged_s = time.monotonic()
    polls = 0
    while True:
        polls += 1
        order = client.get_order_by_id(order.id)
        if order.status == "filled":
            break
    filled_s = time.monotonic()
    stop: Any = client.submit_order(
        StopOrderRequest(
            symbol=wanted.symbol,
            qty=1,
            side=OrderSide.SELL,
            time_in_force=TimeInForce.GTC,
            stop_price=wanted.stop_price,
        )
    )
    protected_s = time.monotonic()
    try:
        client.submit_order(
            LimitOrderRequest(
                symbol=wanted.symbol,
                qty=1,
                side=OrderSide.SELL,
                time_in_force=TimeInForce.GTC,
                limit_price=wanted.take_profit_price,
            )
        )
        refused = False
    except APIError:
        refused = True
    return Trip(
        approved_s=approved_s,
        acknowledged_s=acknowledged_s,
        filled_s=filled_s,
        protected_s=protected_s,
        polls=polls,
        target_refused=refused,
        market_wait_s=(order.filled_at - order.submitted_at).total_seconds(),
        naked_s=(stop.submitted_at - order.filled_at).total_seconds(),
    )


def clean_up(client: TradingClient, symbol: str) -> None:
    """Flat again, outside the measurement."""
    client.cancel_orders()
    while client.get_orders():
        time.sleep(0.02)
    client.close_position(symbol)
    while client.get_all_positions():
        time.sleep(0.02)


def main(url: str) -> None:
    client = TradingClient("BENCH", "bench", paper=True, url_override=url)
    client.get_clock()  # its connection is warm, as ours is
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        wanted = msgspec.json.decode(line, type=Trade)
        trip = trade(client, wanted)
        sys.stdout.write(msgspec.json.encode(trip).decode() + "\n")
        sys.stdout.flush()
        clean_up(client, wanted.symbol)
        sys.stdout.write("flat\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
