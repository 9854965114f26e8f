"""Prices: reproducible, on the grid, and with the statistics of a market."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest

from engine.exchange.assets import LISTED, SECTORS
from engine.exchange.market import EARLIER_DAYS, Market, Tick, activity

NOW_NS = int(datetime(2026, 8, 21, 14, 0, tzinfo=UTC).timestamp()) * 10**9
CHOSEN = tuple(asset for asset in LISTED if asset.symbol in {"SPY", "QQQ", "NVDA", "AMD", "XOM", "GVH"})
TRADING = {"us_equity": 1.0, "crypto": 1.0}


def market(*, seed: int = 7, day: date = date(2026, 8, 21), step_s: float = 0.25) -> Market:
    return Market(CHOSEN, seed=seed, day=day, now_ns=NOW_NS, step_s=step_s, minutes_before=120)


def run(market: Market, seconds: int, *, every_s: float = 1.0, first_s: float = 0.0) -> list[Tick]:
    ticks: list[Tick] = []
    at = first_s
    while at < first_s + seconds:
        at += every_s
        ticks += market.advance(at, NOW_NS + int(at * 1e9), fraction=0.3, trading=TRADING)
    return ticks


def prices(ticks: list[Tick]) -> list[tuple[str, float, float]]:
    return [(tick.symbol, tick.quote.bid, tick.quote.ask) for tick in ticks if tick.quote]


def test_the_same_seed_gives_the_same_path_however_often_one_looks() -> None:
    assert prices(run(market(), 120, every_s=0.25)) == prices(run(market(), 120, every_s=4.0))


def test_another_seed_gives_another_day() -> None:
    assert prices(run(market(seed=7), 30)) != prices(run(market(seed=8), 30))


def test_a_shock_moves_the_level_and_leaves_the_increments() -> None:
    calm, shocked = market(), market()
    run(calm, 10)
    run(shocked, 10)
    before = calm.last_price("NVDA")
    shocked.shock("NVDA", before * 0.9, NOW_NS)
    run(calm, 60, first_s=10)
    run(shocked, 60, first_s=10)
    assert shocked.last_price("NVDA") / calm.last_price("NVDA") == pytest.approx(0.9, rel=2e-3)
    assert shocked.last_price("SPY") == calm.last_price("SPY")


def test_quotes_and_trades_lie_on_the_grid_and_never_cross() -> None:
    for tick in run(market(), 300):
        if tick.quote is not None:
            assert tick.quote.bid < tick.quote.ask
            for price in (tick.quote.bid, tick.quote.ask):
                assert Decimal(repr(price)) % Decimal("0.01") == 0
            assert tick.quote.bid_size >= 1
        if tick.trade is not None:
            assert Decimal(repr(tick.trade.price)) % Decimal("0.01") == 0
            assert tick.trade.size >= 1


def test_minute_bars_are_built_from_the_trades() -> None:
    ticks = run(market(), 300)
    trades = [tick.trade for tick in ticks if tick.symbol == "SPY" and tick.trade]
    bar = next(tick.bar for tick in ticks if tick.symbol == "SPY" and tick.bar)
    inside = [trade for trade in trades if bar.start_ns <= trade.at_ns < bar.start_ns + 60 * 10**9]
    assert (bar.open, bar.close) == (inside[0].price, inside[-1].price)
    assert (bar.high, bar.low) == (max(t.price for t in inside), min(t.price for t in inside))
    assert (bar.volume, bar.trades) == (sum(t.size for t in inside), len(inside))
    assert bar.low <= bar.vwap <= bar.high


def test_minutes_of_days_that_are_over_make_their_daily_bars() -> None:
    there = market()
    minutes, days = there.minute_bars("NVDA"), there.daily_bars("NVDA")[-1 - EARLIER_DAYS : -1]
    assert [bar.start_ns for bar in minutes] == sorted({bar.start_ns for bar in minutes}), "in order, none twice"
    for day in days:
        mine = [bar for bar in minutes if day.start_ns <= bar.start_ns < day.start_ns + 86_400 * 10**9]
        assert len(mine) == 390
        assert (mine[0].open, mine[-1].close) == (day.open, day.close)
        assert (max(bar.high for bar in mine), min(bar.low for bar in mine)) == (day.high, day.low)
        assert sum(bar.volume for bar in mine) == pytest.approx(day.volume, rel=0.01)
        for bar in mine:
            assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high


def test_two_starts_agree_about_the_minutes_of_days_that_are_over() -> None:
    assert market().minute_bars("SPY")[:390] == market().minute_bars("SPY")[:390]
    assert market(seed=99).minute_bars("SPY")[:390] != market(seed=98).minute_bars("SPY")[:390]


def returns(market: Market, symbol: str) -> np.ndarray:
    return np.diff(np.log([bar.close for bar in market.daily_bars(symbol)[:-1]]))


def test_daily_history_is_long_ends_yesterday_and_joins_today() -> None:
    there = market()
    bars = there.daily_bars("SPY")
    assert len(bars) > 250
    yesterday, today = bars[-2:]
    assert datetime.fromtimestamp(yesterday.start_ns / 1e9, UTC).date() == date(2026, 8, 20)
    assert abs(today.open / yesterday.close - 1) < 0.02
    for bar in bars:
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    for symbol in ("SPY", "NVDA", "XOM"):
        asset = next(asset for asset in CHOSEN if asset.symbol == symbol)
        assert returns(there, symbol).std() == pytest.approx(asset.daily_vol, rel=0.4)


def test_the_past_does_not_depend_on_when_and_for_whom_it_is_asked_for() -> None:
    early, late = market(), market()
    before = {asset.symbol: early.daily_bars(asset.symbol)[:-1] for asset in CHOSEN}
    for there in (early, late):
        run(there, 30)
        there.close_day(date(2026, 8, 24))
    for asset in reversed(CHOSEN):
        bars = late.daily_bars(asset.symbol)
        assert bars == early.daily_bars(asset.symbol)
        earlier = before[asset.symbol]
        assert bars[: len(earlier)] == earlier
        closed = late.prev_day(asset.symbol)
        assert closed is not None
        assert closed.start_ns > earlier[-1].start_ns, "the day that was closed comes after them"
        assert closed in bars


def test_the_past_of_a_seed_stays_what_it_was_in_earlier_versions() -> None:
    bars = market().daily_bars("NVDA")
    assert len(bars) == 557
    first, yesterday = bars[0], bars[-2]
    assert first == (1717387200 * 10**9, 139.81, 141.64, 139.04, 141.07, 201801619.0, 2242240, 140.39)
    assert yesterday == (1787198400 * 10**9, 188.75, 192.53, 187.77, 188.96, 164614886.0, 1829054, 189.5025)


def test_history_is_correlated_like_the_market() -> None:
    there = market()
    correlation = np.corrcoef([returns(there, symbol) for symbol in ("SPY", "QQQ", "NVDA", "AMD", "XOM", "GVH")])
    spy, qqq, nvda, amd, xom, gvh = range(6)
    assert correlation[spy, qqq] > 0.7
    assert correlation[nvda, amd] > 0.5  # one sector
    assert correlation[nvda, amd] > correlation[nvda, xom] > 0
    assert abs(correlation[xom, gvh]) < 0.4


def test_live_returns_share_factors_and_cluster_in_volatility() -> None:
    there = market(step_s=2.0)
    minutes: dict[str, list[float]] = {symbol: [] for symbol in ("SPY", "NVDA", "AMD", "XOM")}
    at = 0.0
    for _ in range(900):
        at += 60
        there.advance(at, NOW_NS + int(at * 1e9), fraction=0.3, trading=TRADING)
        for symbol, path in minutes.items():
            path.append(np.log(there.last_price(symbol)))
    moves = {symbol: np.diff(path) for symbol, path in minutes.items()}
    assert np.corrcoef(moves["NVDA"], moves["AMD"])[0, 1] > 0.4
    assert np.corrcoef(moves["SPY"], moves["XOM"])[0, 1] > 0.2
    size = np.abs(moves["SPY"])
    assert np.corrcoef(size[:-1], size[1:])[0, 1] > 0.05  # volatility clusters
    assert abs(np.corrcoef(moves["SPY"][:-1], moves["SPY"][1:])[0, 1]) < 0.1  # returns do not
    kurtosis = np.mean((moves["SPY"] - moves["SPY"].mean()) ** 4) / moves["SPY"].var() ** 2
    assert kurtosis > 3  # fat tails


def test_the_day_is_busier_at_its_ends() -> None:
    open_, noon, close = activity(0.0), activity(0.5), activity(1.0)
    assert open_ > close > noon
    mean = np.mean([activity(f) for f in np.linspace(0, 1, 400)])
    assert mean == pytest.approx(0.9, abs=0.1)


def test_two_starts_on_different_days_agree_about_the_returns_they_share() -> None:
    early, late = market(), market(day=date(2026, 8, 28))
    shared = returns(early, "NVDA")
    assert returns(late, "NVDA")[: len(shared)] == pytest.approx(shared, abs=2e-4)


def test_a_halted_symbol_stands_still() -> None:
    there = market()
    there.halt("SPY", halted=True)
    assert all(tick.symbol != "SPY" for tick in run(there, 30))
    there.halt("SPY", halted=False)
    assert any(tick.symbol == "SPY" for tick in run(there, 30, first_s=30))


def test_after_a_long_sleep_the_market_goes_on_instead_of_catching_up() -> None:
    there = market()
    before = there.last_price("SPY")
    there.advance(8 * 3600.0, NOW_NS + 8 * 3600 * 10**9, fraction=0.3, trading=TRADING)
    assert there.last_price("SPY") == pytest.approx(before, rel=0.02)


def test_every_symbol_is_listed_once_with_sane_numbers() -> None:
    assert len({asset.symbol for asset in LISTED}) == len({asset.id for asset in LISTED}) == len(LISTED) >= 30
    for asset in LISTED:
        assert asset.price > 0
        assert asset.adv > 0
        assert 0.005 < asset.daily_vol < 0.1
        assert asset.sector in SECTORS
