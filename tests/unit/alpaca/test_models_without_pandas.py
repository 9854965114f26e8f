"""alpaca-py's request models judge orders without the second and the memory that pandas takes."""

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
assert not [name for name in sys.modules if name.partition(".")[0] == "pandas"], "pandas was imported"
"""

USE = """
from engine.alpaca.check import RequestModels
RequestModels._imported()
from alpaca.trading.requests import GetCorporateAnnouncementsRequest, pd
assert str(pd.Timestamp("2026-08-21").date()) == "2026-08-21"
import pandas
assert pandas.Timestamp is pd.Timestamp
"""


def judge(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_orders_are_judged_and_pandas_is_not_imported() -> None:
    judge(JUDGE)


def test_who_really_wants_pandas_gets_it() -> None:
    judge(USE)
