"""The book survives its process, down to the leg that was about to be armed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from engine.exchange.store import Store, StoreError
from tests.unit.exchange.trader import START, Trader


def reopened(trader: Trader, **settings: object) -> Trader:
    trader.close()
    start = trader.clock.now() + timedelta(seconds=5)
    return Trader(db_path=trader.settings.db_path, start=start, **settings)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sim" / "exchange.db"


def test_orders_legs_positions_and_cash_are_found_again(path: Path) -> None:
    trader = Trader(db_path=path)
    order = trader.bracket(client_order_id="mine")
    trader.wait()
    account, before = trader.get("/v2/account"), trader.read(order["id"])
    trader = reopened(trader)
    assert trader.read(order["id"]) == before
    assert trader.position()["qty_available"] == "0"
    again = trader.get("/v2/account")
    assert (again["id"], again["cash"], again["buying_power"]) == (
        account["id"],
        account["cash"],
        account["buying_power"],
    )
    assert trader.order(client_order_id="mine").json["message"] == "client_order_id must be unique"
    assert len(trader.get("/v2/account/activities")) == 1


def test_resting_exits_work_on_after_a_restart(path: Path) -> None:
    trader = Trader(db_path=path)
    order = trader.bracket()
    trader.wait()
    trader = reopened(trader)
    trader.move("262")
    assert [leg["status"] for leg in trader.read(order["id"])["legs"]] == ["canceled", "filled"]
    assert trader.held_qty() == "0"


def test_what_was_under_way_is_completed(path: Path) -> None:
    trader = Trader(db_path=path)
    limit = trader.placed(symbol="SPY", type="limit", limit_price="600")
    patched = trader.placed(symbol="SPY", type="limit", limit_price="601")
    trader.wait()
    bracket = trader.bracket()
    trader.call("DELETE", f"/v2/orders/{limit['id']}")
    new = trader.call("PATCH", f"/v2/orders/{patched['id']}", {"limit_price": "602"}).json
    trader = reopened(trader)
    trader.wait()
    assert trader.status(bracket["id"]) == "filled"
    assert [leg["status"] for leg in trader.read(bracket["id"])["legs"]] == ["new", "held"]
    assert (trader.status(limit["id"]), trader.status(patched["id"])) == ("canceled", "replaced")
    assert trader.status(new["id"]) == "new"


def test_an_entry_that_filled_just_before_the_end_gets_its_exits_armed(path: Path) -> None:
    trader = Trader(db_path=path, venue_ms=10)
    order = trader.bracket()
    trader.wait(0.024)
    filled = trader.read(order["id"])
    assert (filled["status"], filled["legs"][0]["status"]) == ("filled", "held")
    trader = reopened(trader)
    trader.wait()
    assert trader.read(order["id"])["legs"][0]["status"] == "new"


def test_the_market_goes_on_from_its_last_prices(path: Path) -> None:
    trader = Trader(db_path=path)
    trader.move("300")
    close = trader.get("/v2/stocks/AAPL/snapshot")["prevDailyBar"]["c"]
    trader = reopened(trader)
    snapshot = trader.get("/v2/stocks/AAPL/snapshot")
    assert abs(snapshot["latestTrade"]["p"] - 300) < 0.02
    assert snapshot["prevDailyBar"]["c"] == close
    assert abs(snapshot["minuteBar"]["c"] - 300) < 0.02


def test_on_another_day_the_last_price_is_the_previous_close(path: Path) -> None:
    trader = Trader(db_path=path)
    trader.move("300")
    trader.close()
    trader = Trader(db_path=path, start=START + timedelta(days=3))
    assert abs(trader.get("/v2/stocks/AAPL/snapshot")["prevDailyBar"]["c"] - 300) < 0.02


def test_day_orders_of_a_day_that_is_over_are_expired_at_the_next_start(path: Path) -> None:
    trader = Trader(db_path=path, session="real")
    order = trader.placed(type="limit", limit_price="250")
    trader.wait()
    trader.close()
    trader = Trader(db_path=path, session="real", start=START + timedelta(days=1))
    assert trader.status(order["id"]) == "expired"


def test_a_newer_book_is_refused(path: Path) -> None:
    store = Store(path)
    store._db.execute("PRAGMA user_version=99")
    store.close()
    with pytest.raises(StoreError, match="99"):
        Store(path)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.exchange.trader import Trader
trader = Trader(db_path=Path(sys.argv[1]))
trader.bracket(client_order_id="mine")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_answered_order_survives_the_death_of_the_process(path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=root, env=os.environ, check=False)
    assert ended.returncode == -signal.SIGKILL
    trader = Trader(db_path=path)
    order = trader.get("/v2/orders:by_client_order_id", client_order_id="mine")
    trader.wait()
    assert trader.status(order["id"]) == "filled"
