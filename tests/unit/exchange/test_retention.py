"""Memory keeps what lives and what is new; what is over and old is on disk, or forgotten where there is no disk."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.exchange.orders import Order
from tests.unit.exchange.trader import Trader

KEPT = 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exchange.db"


def live_and_die(trader: Trader, count: int, first: int = 0) -> list[str]:
    """So many brackets, bought and sold again; client ids ``life-0`` and on."""
    ids = []
    for number in range(first, first + count):
        order = trader.bracket(client_order_id=f"life-{number}")
        trader.wait()
        trader.move("300")
        trader.wait()
        trader.move("271")
        ids.append(order["id"])
    return ids


def in_memory(trader: Trader) -> int:
    return len(trader.exchange.floor.orders)


def test_what_has_left_memory_is_answered_from_the_book(path: Path) -> None:
    trader = Trader(db_path=path, orders_kept=KEPT)
    ids = live_and_die(trader, 40)
    assert in_memory(trader) <= KEPT * 1.1
    oldest = trader.read(ids[0])
    assert (oldest["status"], [leg["status"] for leg in oldest["legs"]]) == ("filled", ["filled", "canceled"])
    assert trader.get("/v2/orders:by_client_order_id", client_order_id="life-0")["id"] == ids[0]
    assert trader.order(client_order_id="life-0").json["message"] == "client_order_id must be unique"
    assert trader.call("DELETE", f"/v2/orders/{ids[0]}").json["message"] == 'order is already in "filled" state'


def test_lists_go_on_where_memory_ends(path: Path) -> None:
    trader = Trader(db_path=path, orders_kept=KEPT)
    ids = live_and_die(trader, 40)
    whole = trader.get("/v2/orders", status="all", nested="true", limit="500")
    assert [order["id"] for order in whole] == ids[::-1]
    assert all(len(order["legs"]) == 2 for order in whole)
    upward = trader.get("/v2/orders", status="all", nested="true", limit="500", direction="asc")
    assert upward == whole[::-1]
    pages: list[dict[str, Any]] = []
    while page := trader.get(
        "/v2/orders", status="all", nested="true", limit="7", **({"before_order_id": pages[-1]["id"]} if pages else {})
    ):
        pages += page
    assert pages == whole


def test_executions_are_listed_beyond_memory_too(path: Path) -> None:
    trader = Trader(db_path=path, orders_kept=KEPT)
    live_and_die(trader, 40)
    assert len(trader.exchange.floor.executions) <= KEPT * 1.1
    found: list[dict[str, Any]] = []
    while page := trader.get(
        "/v2/account/activities/FILL", page_size="30", **({"page_token": found[-1]["id"]} if found else {})
    ):
        found += page
    assert len(found) == len({row["id"] for row in found}) == 80


def test_a_live_order_stays_however_old_it_is(path: Path) -> None:
    trader = Trader(db_path=path, orders_kept=KEPT)
    resting = trader.placed(symbol="SPY", type="limit", limit_price="600", time_in_force="gtc")
    live_and_die(trader, 40)
    assert [order["id"] for order in trader.get("/v2/orders")] == [resting["id"]]
    newest_first = trader.get("/v2/orders", status="all", nested="true", limit="500")
    assert newest_first[-1]["id"] == resting["id"]
    trader.call("DELETE", f"/v2/orders/{resting['id']}")
    trader.wait()
    assert trader.status(resting["id"]) == "canceled"


def test_a_restart_loads_the_newest_and_what_lives_with_its_group(path: Path) -> None:
    trader = Trader(db_path=path, orders_kept=KEPT)
    held = trader.bracket(symbol="SPY", take_profit={"limit_price": "800"}, stop_loss={"stop_price": "500"})
    trader.wait()
    ids = live_and_die(trader, 40)
    before = trader.get("/v2/orders", status="all", nested="true", limit="500")
    start = trader.clock.now() + timedelta(seconds=5)
    trader.close()
    trader = Trader(db_path=path, orders_kept=KEPT, start=start)
    assert in_memory(trader) <= KEPT * 1.1 + 3
    assert trader.get("/v2/orders", status="all", nested="true", limit="500") == before
    assert [leg["status"] for leg in trader.read(held["id"])["legs"]] == ["new", "held"]
    assert trader.read(ids[3])["status"] == "filled"
    fresh = live_and_die(trader, 1, first=100)
    assert trader.get("/v2/orders", status="all", nested="true", limit="1")[0]["id"] == fresh[0]


def test_without_a_book_the_old_are_forgotten_and_the_living_are_not() -> None:
    trader = Trader(orders_kept=KEPT)
    resting = trader.placed(symbol="SPY", type="limit", limit_price="600", time_in_force="gtc")
    ids = live_and_die(trader, 40)
    assert in_memory(trader) <= KEPT * 1.1
    assert trader.call("GET", f"/v2/orders/{ids[0]}").status == 404
    listed = [order["id"] for order in trader.get("/v2/orders", status="all", nested="true", limit="500")]
    assert listed[0] == ids[-1]
    assert listed[-1] == resting["id"]
    assert ids[0] not in listed


def test_dead_orders_far_from_the_market_do_not_pile_up() -> None:
    trader = Trader(orders_kept=KEPT)
    for _ in range(700):
        order = trader.placed(symbol="SPY", type="limit", limit_price="1")
        trader.wait()
        trader.call("DELETE", f"/v2/orders/{order['id']}")
        trader.wait()
    book = trader.exchange.floor.resting["SPY"]
    assert len(book._buy_limits) < 300


def test_a_book_of_the_first_schema_is_taken_over(path: Path) -> None:
    trader = Trader(db_path=path)
    order = trader.bracket(client_order_id="mine")
    trader.wait()
    before, start = trader.read(order["id"]), trader.clock.now() + timedelta(seconds=5)
    trader.close()
    db = sqlite3.connect(path)
    rows = db.execute("SELECT seq, data FROM orders").fetchall()
    db.executescript("DROP TABLE orders; CREATE TABLE orders (seq INTEGER PRIMARY KEY, data BLOB NOT NULL);")
    db.executemany("INSERT INTO orders VALUES (?, ?)", rows)
    db.execute("PRAGMA user_version=1")
    db.commit()
    db.close()
    assert {msgspec.json.decode(data, type=Order).role for _, data in rows} == {"entry", "take_profit", "stop_loss"}
    trader = Trader(db_path=path, start=start)
    assert trader.read(order["id"]) == before
    assert trader.get("/v2/orders:by_client_order_id", client_order_id="mine")["id"] == order["id"]


def test_a_replacement_outlives_the_memory_of_what_it_replaced() -> None:
    trader = Trader(orders_kept=10)
    old = trader.placed(type="limit", limit_price="250")
    trader.wait()
    new = trader.call("PATCH", f"/v2/orders/{old['id']}", {"limit_price": "251"}).json["id"]
    for _ in range(30):
        trader.placed(symbol="SPY", qty="1")
        trader.wait(0.05)
    assert trader.call("GET", f"/v2/orders/{old['id']}").status == 404
    newer = trader.call("PATCH", f"/v2/orders/{new}", {"limit_price": "252"}).json["id"]
    trader.wait()
    assert trader.call("DELETE", f"/v2/orders/{newer}").status == 204


def test_a_group_may_be_forgotten_before_its_exits_are_due() -> None:
    trader = Trader(orders_kept=1)
    order = trader.bracket()
    target = order["legs"][0]["id"]
    while trader.status(order["id"]) != "filled":
        trader.wait(0.002)
    for each in (order["legs"][1]["id"], target):
        trader.exchange.matching.finish(trader.exchange.find(each), "canceled")
    trader.exchange.settle()
    assert trader.call("GET", f"/v2/orders/{target}").status == 404
    trader.wait()
    assert trader.position()["qty_available"] == "10"
