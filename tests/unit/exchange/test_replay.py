"""Real bars as prices."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.exchange.replay import ReplayError, Tape
from tests.unit.exchange.trader import ManualClock, Trader

BARS = """symbol,timestamp,open,high,low,close,volume
AAPL,2024-03-04T14:30:00Z,100,103,99,102,6000
AAPL,2024-03-04T14:31:00Z,102,102,95,96,12000
SPY,2024-03-04T14:30:00Z,500,501,499.5,500.5,90000
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "bars.csv"
    path.write_text(BARS)
    return path


def test_a_minute_touches_its_four_prices(path: Path) -> None:
    tape = Tape.load(path)
    assert [tape.price("AAPL", at) for at in (0, 20, 40, 59.999)] == pytest.approx([100, 99, 103, 102], abs=0.001)
    assert [tape.price("AAPL", at) for at in (60, 80, 100, 500)] == pytest.approx([102, 102, 95, 96], abs=0.001)
    assert tape.volume_per_s("AAPL", 61) == 200


def test_alpacas_short_names_are_read_too(path: Path) -> None:
    path.write_text("S,t,o,h,l,c,v,n,vw\nAAPL,2024-03-04T14:30:00Z,100,103,99,102,6000,12,101.2\n")
    assert Tape.load(path).price("AAPL", 40) == pytest.approx(103)


def test_the_exchange_plays_the_file_at_any_speed(path: Path) -> None:
    trader = Trader(replay=path, replay_speed=4.0, quote_interval_s=0.25)
    trader.exchange.run_due()
    assert {asset["symbol"] for asset in trader.get("/v2/assets")} == {"AAPL", "SPY"}
    order = trader.placed(type="limit", limit_price="99.20")
    trader.clock.pass_s(0.1)
    for _ in range(28):  # seven seconds here are 28 of the tape
        trader.clock.pass_s(0.25)
        trader.exchange.run_due()
    assert trader.status(order["id"]) == "filled"
    assert isinstance(trader.clock, ManualClock)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("symbol,timestamp\nAAPL,2024-03-04", "no column open"),
        (BARS.replace("103", "98"), "line 2: the prices"),
        (BARS.replace("103", "much"), "line 2: could not convert"),
        (BARS.replace("SPY", "NOPE"), "NOPE, which is not listed"),
        (BARS.splitlines()[0], "has no bars"),
    ],
)
def test_a_file_that_cannot_be_played_is_refused(path: Path, text: str, complaint: str) -> None:
    path.write_text(text)
    with pytest.raises(ReplayError, match=complaint):
        Tape.load(path)
    with pytest.raises(ReplayError, match="cannot read"):
        Tape.load(path.with_name("absent.csv"))
