"""The market data API: bars with pages and timeframes, latest values, parameter errors."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.unit.exchange.trader import Trader


@pytest.fixture
def trader() -> Trader:
    return Trader(symbols=("AAPL", "SPY", "BTC/USD"))


def test_pages_of_bars_count_all_symbols_together(trader: Trader) -> None:
    query = {"symbols": "SPY,AAPL", "timeframe": "1Day", "start": "2026-06-01", "end": "2026-07-31"}
    whole = trader.get("/v2/stocks/bars", **query)
    assert whole["next_page_token"] is None
    pages, token = {"AAPL": [], "SPY": []}, ""
    sizes = []
    while True:
        page = trader.get("/v2/stocks/bars", **query, limit="30", page_token=token)
        sizes.append(sum(len(bars) for bars in page["bars"].values()))
        for symbol, bars in page["bars"].items():
            pages[symbol] += bars
        token = page["next_page_token"]
        if token is None:
            break
    assert pages == whole["bars"]
    assert sizes[:-1] == [30] * (len(sizes) - 1)


def test_longer_timeframes_are_folded_from_shorter_ones(trader: Trader) -> None:
    query = {"symbols": "AAPL", "start": "2026-08-21T12:00:00Z"}
    minutes = trader.get("/v2/stocks/bars", **query, timeframe="1Min")["bars"]["AAPL"]
    fives = trader.get("/v2/stocks/bars", **query, timeframe="5Min")["bars"]["AAPL"]
    assert len(minutes) == 120
    assert len(fives) == 24
    assert (fives[0]["o"], fives[0]["c"]) == (minutes[0]["o"], minutes[4]["c"])
    assert fives[0]["v"] == sum(bar["v"] for bar in minutes[:5])
    assert fives[0]["h"] == max(bar["h"] for bar in minutes[:5])
    weeks = trader.get("/v2/stocks/bars", symbols="AAPL", timeframe="1Week", start="2026-07-01")["bars"]["AAPL"]
    assert len(weeks) == 7


def test_bars_can_come_newest_first(trader: Trader) -> None:
    query = {"timeframe": "1Day", "start": "2026-07-01", "sort": "desc", "limit": "3"}
    page = trader.get("/v2/stocks/AAPL/bars", **query)
    assert (page["symbol"], len(page["bars"])) == ("AAPL", 3)
    stamps = [bar["t"] for bar in page["bars"]]
    assert stamps == sorted(stamps, reverse=True)
    rest = trader.get("/v2/stocks/AAPL/bars", **query, page_token=page["next_page_token"])
    assert rest["bars"][0]["t"] < stamps[-1]


def test_single_symbol_forms(trader: Trader) -> None:
    assert trader.get("/v2/stocks/AAPL/quotes/latest")["quote"]["bp"] == 271.0
    assert trader.get("/v2/stocks/aapl/trades/latest")["symbol"] == "AAPL"
    assert trader.get("/v2/stocks/AAPL/bars/latest")["bar"]["c"]
    assert trader.get("/v2/stocks/AAPL/snapshot")["dailyBar"]["v"] > 0


def test_coins_have_a_path_of_their_own(trader: Trader) -> None:
    quotes = trader.get("/v1beta3/crypto/us/latest/quotes", symbols="BTC/USD")["quotes"]
    assert set(quotes["BTC/USD"]) == {"bp", "bs", "ap", "as", "t"}
    assert trader.get("/v1beta3/crypto/us/snapshots", symbols="BTC/USD")["snapshots"]["BTC/USD"]["dailyBar"]
    bars = trader.get("/v1beta3/crypto/us/bars", symbols="BTC/USD", timeframe="1Hour", start="2026-08-21")
    assert bars["bars"]["BTC/USD"]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/v2/stocks/bars", {"symbols": "AAPL", "timeframe": "7Day"}, 400),
        ("/v2/stocks/bars", {"symbols": "AAPL", "timeframe": "soon"}, 400),
        ("/v2/stocks/bars", {"symbols": "AAPL", "timeframe": "1Day", "start": "then"}, 400),
        ("/v2/stocks/bars", {"symbols": "AAPL", "timeframe": "1Day", "page_token": "?"}, 400),
        ("/v2/stocks/bars", {"symbols": "AAPL", "timeframe": "1Day", "page_token": "QUFQTHxNfHdoZW4="}, 400),
        ("/v2/stocks/bars", {"symbols": "AAPL", "timeframe": "9" * 5000 + "Min"}, 400),
        ("/v2/stocks/bars", {"symbols": "AAPL", "timeframe": "1Day", "limit": "many"}, 400),
        ("/v2/stocks/bars", {"symbols": "AAPL", "timeframe": "1Day", "sort": "up"}, 400),
        ("/v2/stocks/bars", {"timeframe": "1Day"}, 400),
        ("/v2/stocks/quotes/latest", {"symbols": "AAPL", "feed": "tape"}, 400),
        ("/v2/stocks/NOPE/snapshot", {}, 404),
        ("/v2/stocks/what", {}, 404),
    ],
)
def test_parameter_errors(trader: Trader, path: str, query: dict[str, str], status: int) -> None:
    assert trader.call("GET", path, **query).status == status


def test_a_snapshot_leaves_out_the_bars_that_are_not_there_yet() -> None:
    """At midnight in New York a coin's day has begun and nothing has been traded in it."""
    midnight = Trader(symbols=("BTC/USD",), start=datetime(2026, 8, 21, 4, 0, tzinfo=UTC))
    snapshot = midnight.get("/v1beta3/crypto/us/snapshots", symbols="BTC/USD")["snapshots"]["BTC/USD"]
    assert "dailyBar" not in snapshot
    assert snapshot["prevDailyBar"]


def test_stocks_and_coins_are_asked_for_apart(trader: Trader) -> None:
    both = {"symbols": "AAPL,BTC/USD"}
    assert set(trader.get("/v2/stocks/quotes/latest", **both)["quotes"]) == {"AAPL"}
    assert set(trader.get("/v1beta3/crypto/us/latest/quotes", **both)["quotes"]) == {"BTC/USD"}
    assert trader.call("GET", "/v2/stocks/BTCUSD/snapshot").status == 404


def test_unknown_symbols_are_left_out_of_a_batch(trader: Trader) -> None:
    assert set(trader.get("/v2/stocks/quotes/latest", symbols="AAPL,NOPE")["quotes"]) == {"AAPL"}
