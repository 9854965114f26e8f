"""Splits and dividends: announced, listed, and what a split leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.exchange.trader import Trader

SPLIT = {"type": "forward_split", "symbol": "AAPL", "ex_date": "2026-08-24", "new_rate": 4, "old_rate": 1}


def listed(trader: Trader, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = trader.get("/v1/corporate-actions", **query)["corporate_actions"]
    return found


def test_what_was_announced_is_listed_by_kind_symbol_and_day() -> None:
    trader = Trader()
    trader.call("POST", "/_exchange/corporate-actions", SPLIT)
    trader.call(
        "POST",
        "/_exchange/corporate-actions",
        {"type": "cash_dividend", "symbol": "SPY", "ex_date": "2026-09-18", "rate": "1.83"},
    )
    trader.call(
        "POST",
        "/_exchange/corporate-actions",
        {"type": "reverse_split", "symbol": "SPY", "ex_date": "2026-08-25", "new_rate": 1, "old_rate": 10},
    )
    assert set(listed(trader)) == {"forward_splits", "cash_dividends", "reverse_splits"}
    (split,) = listed(trader, symbols="AAPL")["forward_splits"]
    assert (split["new_rate"], split["old_rate"], split["ex_date"]) == (4.0, 1.0, "2026-08-24")
    assert listed(trader, types="cash_dividend")["cash_dividends"][0]["rate"] == 1.83
    assert listed(trader, start="2026-08-25", end="2026-08-31").keys() == {"reverse_splits"}
    assert trader.call("GET", "/v1/corporate-actions", start="soon").status == 400


def test_a_split_moves_position_and_price_and_leaves_a_groups_orders_alone() -> None:
    trader = Trader()
    bracket = trader.bracket(target="280", stop="265")
    trader.wait()
    plain = trader.placed(symbol="AAPL", type="limit", limit_price="200", time_in_force="gtc", qty="5")
    trader.wait()
    equity = float(trader.get("/v2/account")["equity"])
    action = trader.call("POST", "/_exchange/corporate-actions", SPLIT).json["id"]
    trader.call("POST", f"/_exchange/corporate-actions/{action}/apply")
    position = trader.position()
    assert (position["qty"], float(position["avg_entry_price"])) == ("40", pytest.approx(271 / 4, abs=0.01))
    assert float(trader.get("/v2/account")["equity"]) == pytest.approx(equity, abs=1)
    adjusted = trader.read(plain["id"])
    assert (adjusted["qty"], adjusted["limit_price"]) == ("20", "50")
    trader.wait()
    # The stop stood at 265 for ten shares, and still does: at 67.75 it fires, and thirty shares are bare.
    assert [leg["status"] for leg in trader.read(bracket["id"])["legs"]] == ["canceled", "filled"]
    assert trader.held_qty() == "30"


def test_a_split_happens_once() -> None:
    trader = Trader()
    trader.holding("10")
    action = trader.call("POST", "/_exchange/corporate-actions", SPLIT).json["id"]
    for _ in range(2):
        assert trader.call("POST", f"/_exchange/corporate-actions/{action}/apply").status == 200
    assert trader.held_qty() == "40"


@pytest.mark.parametrize(
    "body",
    [
        {"type": "merger", "symbol": "AAPL", "ex_date": "2026-08-24"},
        SPLIT | {"new_rate": 0},
        SPLIT | {"ex_date": "soon"},
        {"type": "forward_split"},
    ],
)
def test_what_is_no_announcement_is_refused(body: dict[str, Any]) -> None:
    assert Trader().call("POST", "/_exchange/corporate-actions", body).status == 422
