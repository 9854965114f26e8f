"""After any sequence of requests, fills and moves the books still add up."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.exchange.orders import TERMINAL
from tests.unit.exchange.trader import Trader


def act(trader: Trader, rng: random.Random) -> None:
    """One random thing that a client, the market or another hand could do."""
    price = trader.exchange.floor.mark("AAPL")
    near = [str((price * Decimal(str(f))).quantize(Decimal("0.01"))) for f in (0.97, 0.99, 1.01, 1.03)]
    side, tif = rng.choice(["buy", "sell"]), rng.choice(["day", "gtc"])
    qty = str(rng.randint(1, 20))
    live = [order.id for order in trader.exchange.floor.orders.live()]
    exits = {"take_profit": {"limit_price": near[3]}, "stop_loss": {"stop_price": near[0]}}
    if side == "sell":
        exits = {"take_profit": {"limit_price": near[0]}, "stop_loss": {"stop_price": near[3]}}
    match rng.randrange(11):
        case 0:
            trader.order(side=side, qty=qty)
        case 1:
            trader.order(side=side, qty=qty, type="limit", limit_price=rng.choice(near), time_in_force=tif)
        case 2:
            trader.order(side=side, qty=qty, type="stop", stop_price=rng.choice(near), time_in_force=tif)
        case 3 | 4:
            trader.order(side=side, qty=qty, order_class="bracket", time_in_force=tif, **exits)
        case 5:
            other = {"take_profit": {"limit_price": near[3]}, "stop_loss": {"stop_price": near[0]}}
            if side == "buy":
                other = {"take_profit": {"limit_price": near[0]}, "stop_loss": {"stop_price": near[3]}}
            trader.order(side=side, qty=qty, type="limit", order_class="oco", time_in_force=tif, **other)
        case 6 if live:
            trader.call("DELETE", f"/v2/orders/{rng.choice(live)}")
        case 7 if live:
            field = rng.choice(["limit_price", "stop_price", "qty"])
            value = qty if field == "qty" else rng.choice(near)
            trader.call("PATCH", f"/v2/orders/{rng.choice(live)}", {field: value})
        case 8 if live:
            trader.call("POST", f"/_exchange/orders/{rng.choice(live)}/fill", {"qty": str(rng.randint(1, 5))})
        case 9:
            trader.call("DELETE", "/v2/positions/AAPL", percentage=str(rng.choice([50, 100])))
        case _:
            trader.exchange.move_price("AAPL", (price * Decimal(rng.choice(["0.98", "0.995", "1.005", "1.02"]))))
    trader.clock.pass_s(rng.choice([0.0, 0.001, 0.006, 0.3]))
    trader.exchange.run_due()


def check(trader: Trader) -> None:
    floor = trader.exchange.floor
    orders = list(floor.orders.oldest_first())
    live = floor.orders.live()
    assert {order.id for order in live} == {order.id for order in orders if order.status not in TERMINAL}
    assert floor.account.held("AAPL") == sum(order.hold for order in live)
    assert floor.account.reserved_power == sum(order.buying_power for order in live)
    assert all(order.hold >= 0 <= order.buying_power for order in orders)
    filled: defaultdict[str, Decimal] = defaultdict(Decimal)
    cash, qty = Decimal(1_000_000), Decimal(0)
    for execution in floor.executions:
        filled[execution.order_id] += execution.qty
        signed = execution.qty if execution.side == "buy" else -execution.qty
        qty += signed
        cash -= signed * execution.price
    assert (floor.account.qty("AAPL"), floor.account.state.cash) == (qty, cash)
    for order in orders:
        assert order.qty is None or order.filled_qty <= order.qty
        assert (order.status == "filled") == (order.filled_qty == order.qty)
        if order.replaces is None:
            assert filled[order.id] == order.filled_qty
        if order.role == "entry" and order.status in {"canceled", "expired", "rejected"} and order.parent_id is None:
            assert all(leg.filled_qty or leg.status != "new" for leg in floor.orders.legs(order))


@pytest.mark.parametrize("seed", range(12))
def test_the_books_add_up(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    path = tmp_path / "exchange.db"
    trader = Trader(symbols=("AAPL",), cash=Decimal(1_000_000), db_path=path, partial_fill_rate=0.3, seed=seed)
    for step in range(150):
        act(trader, rng)
        check(trader)
        if step % 50 == 49:
            before = _visible(trader)
            trader.close()
            trader = Trader(symbols=("AAPL",), db_path=path, partial_fill_rate=0.3, seed=seed, start=trader.clock.now())
            assert _visible(trader) == before
    trader.wait(1.5)
    check(trader)


def _visible(trader: Trader) -> Any:
    return trader.get("/v2/orders", status="all", nested="true", limit="500"), trader.get("/v2/account/activities")
