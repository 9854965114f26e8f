"""alpaca-py's request models judge orders without the time and the memory that pandas and the whole client take."""

from __future__ import annotations

import subprocess
import sys

JUDGE = """
import sys
from engine.alpaca.check import RequestModels
models = RequestModels._imported()
body = {"symbol": "AAPL", "side": "buy", "type": "limit", "time_in_force": "gtc", "qty": "10"}
assert models.check(body | {"limit_price": "187.20", "client_order_id": "a"}) is None
assert models.check(body | {"client_order_id": "b"}) is not None
there = {name.partition(".")[0] for name in sys.modules}
assert not there & {"pandas", "requests", "urllib3", "websockets"}, there
"""

USE = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
from engine.alpaca.check import RequestModels
models = RequestModels._imported()
import alpaca
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import GetCorporateAnnouncementsRequest, LimitOrderRequest, pd
from alpaca.trading import requests
assert alpaca.__version__ == "0.44.0"
assert requests.LimitOrderRequest is LimitOrderRequest
assert str(pd.Timestamp("2026-08-21").date()) == "2026-08-21"
import pandas
assert pandas.Timestamp is pd.Timestamp
body = {"symbol": "AAPL", "side": "buy", "type": "limit", "time_in_force": "gtc", "qty": "10"}
assert models.check(body | {"limit_price": "187.20", "client_order_id": "a"}) is None
"""

USED_BEFORE = """
import sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from alpaca.trading.client import TradingClient
before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "alpaca"}
from engine.alpaca.check import RequestModels
RequestModels._imported()
after = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "alpaca"}
assert after == before
"""


def judge(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_orders_are_judged_and_neither_pandas_nor_the_client_is_imported() -> None:
    judge(JUDGE)


def test_who_really_wants_the_client_or_pandas_gets_it() -> None:
    judge(USE)


def test_who_had_the_client_before_keeps_it() -> None:
    judge(USED_BEFORE)


WINDOW = """
import sys, main
main.import_before_qt()
assert not {"PySide6", "gui"} & sys.modules.keys()
before = set(sys.modules)
import PySide6.QtCore
from engine.alpaca.check import RequestModels
RequestModels._imported()
late = {name for name in sys.modules.keys() - before if name.partition(".")[0] in ("alpaca", "pydantic")}
assert not late, late
"""


def test_with_a_window_they_are_there_before_qt_looks_into_every_import() -> None:
    """Its hook makes pydantic import more of itself half-way, which fails when another thread imports beside."""
    judge(WINDOW)
