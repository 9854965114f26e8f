"""Daily bars are asked for once a symbol and day, in one batch, and only for what is missing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from engine.market.daily import CALENDAR_DAYS, DailyBars
from engine.market.daily_file import DailyFile
from engine.market.day import Day
from tests.unit.desk.desk_parts import HandClock
from tests.unit.market.bars import TODAY, Bars, days_of

A_DAY_S = 86_400.0
YESTERDAY = TODAY - timedelta(days=1)
SINCE = TODAY - timedelta(days=CALENDAR_DAYS)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def two() -> Bars:
    return Bars(AAPL=days_of([0.01, -0.01] * 20), MSFT=days_of([0.02, -0.01] * 20, start=400.0))


async def test_all_symbols_come_in_one_batch_and_only_once_a_day() -> None:
    bars, clock = two(), HandClock()
    daily = DailyBars(bars, clock)
    await daily.ensure({"MSFT", "AAPL", "ZZZZ"})
    await daily.ensure({"AAPL", "ZZZZ"})
    assert bars.asked == [(("AAPL", "MSFT", "ZZZZ"), SINCE, YESTERDAY)]
    assert daily.series("AAPL") == tuple(bars.series["AAPL"])
    assert daily.series("ZZZZ") == ()
    assert daily.is_known("ZZZZ"), "no bars are an answer too"


async def test_two_that_ask_at_once_share_one_request() -> None:
    bars = two()
    daily = DailyBars(bars, HandClock())
    await asyncio.gather(*(daily.ensure({"AAPL", "MSFT"}) for _ in range(20)))
    assert len(bars.asked) == 1


async def test_a_new_symbol_is_asked_for_alone() -> None:
    bars = two()
    daily = DailyBars(bars, HandClock())
    await daily.ensure({"AAPL"})
    await daily.ensure({"AAPL", "MSFT"})
    assert [symbols for symbols, _, _ in bars.asked] == [("AAPL",), ("MSFT",)]


async def test_the_day_that_still_runs_is_not_kept() -> None:
    bars = Bars(AAPL=[*days_of([0.01] * 10), Day(TODAY, 300.0, 1.0, 200.0, 5.0)])
    daily = DailyBars(bars, HandClock())
    await daily.ensure({"AAPL"})
    assert daily.series("AAPL")[-1].day == YESTERDAY


async def test_the_next_day_asks_for_the_new_day_only() -> None:
    bars, clock = two(), HandClock()
    daily = DailyBars(bars, clock)
    await daily.ensure({"AAPL", "MSFT"})
    for symbol in ("AAPL", "MSFT"):
        bars.series[symbol].append(Day(TODAY, 103.0, 99.0, 101.0, 7.0))
    clock.at_s = A_DAY_S
    version = daily.version
    await daily.ensure({"AAPL", "MSFT"})
    # From the last known day on, which shows whether the past was adjusted.
    assert bars.asked[1:] == [(("AAPL", "MSFT"), YESTERDAY, TODAY)]
    assert daily.series("MSFT") == tuple(bars.series["MSFT"])
    assert daily.version > version


async def test_after_a_split_the_whole_series_is_asked_for_again() -> None:
    bars, clock = two(), HandClock()
    daily = DailyBars(bars, clock)
    await daily.ensure({"AAPL", "MSFT"})
    halved = [Day(d.day, d.high / 2, d.low / 2, d.close / 2, d.volume * 2) for d in bars.series["AAPL"]]
    bars.series["AAPL"] = [*halved, Day(TODAY, 52.0, 49.0, 50.0, 7.0)]
    bars.series["MSFT"].append(Day(TODAY, 410.0, 400.0, 405.0, 7.0))
    clock.at_s = A_DAY_S
    await daily.ensure({"AAPL", "MSFT"})
    assert bars.asked[1:] == [
        (("AAPL", "MSFT"), YESTERDAY, TODAY),
        (("AAPL",), SINCE + timedelta(days=1), TODAY),
    ]
    assert daily.series("AAPL") == tuple(bars.series["AAPL"])


async def test_a_broker_out_of_reach_leaves_the_gap_and_is_asked_again() -> None:
    bars = two()
    bars.is_down = True
    daily = DailyBars(bars, HandClock())
    await daily.ensure({"AAPL"})
    assert (daily.series("AAPL"), daily.is_known("AAPL")) == ((), False)
    bars.is_down = False
    await daily.ensure({"AAPL"})
    assert daily.is_known("AAPL")


async def test_crypto_does_not_spoil_the_batch() -> None:
    bars = two()
    await DailyBars(bars, HandClock()).ensure({"BTC/USD", "AAPL"})
    assert bars.asked[0][0] == ("AAPL",)


# --- on disk ---------------------------------------------------------------------------------------------------------


async def test_a_restart_asks_for_nothing_that_is_known(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    bars, path = two(), tmp_path / "daily.json"
    await DailyBars(bars, HandClock(), DailyFile(path, "iex", pool)).ensure({"AAPL", "ZZZZ"})
    again = DailyBars(bars, HandClock(), DailyFile(path, "iex", pool))
    await again.ensure({"AAPL"})
    assert len(bars.asked) == 1
    assert again.series("AAPL") == tuple(bars.series["AAPL"])
    assert [path.name for path in tmp_path.iterdir()] == ["daily.json"], "nothing half written lies about"


async def test_a_restart_on_the_next_day_asks_for_that_day(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    bars, path, clock = two(), tmp_path / "daily.json", HandClock()
    await DailyBars(bars, clock, DailyFile(path, "iex", pool)).ensure({"AAPL"})
    bars.series["AAPL"].append(Day(TODAY, 103.0, 99.0, 101.0, 7.0))
    clock.at_s = A_DAY_S
    again = DailyBars(bars, clock, DailyFile(path, "iex", pool))
    await again.ensure({"AAPL"})
    assert bars.asked[1:] == [(("AAPL",), YESTERDAY, TODAY)]
    assert again.series("AAPL")[-1].day == TODAY


def _of_another_version(text: str) -> str:
    return json.dumps(json.loads(text) | {"version": 99})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "\x00" * 100,
        lambda text: text.replace(",100.0,", ",-1,"),
        lambda text: json.dumps(json.loads(text) | {"asked_on": {}}),
        _of_another_version,
    ],
)
async def test_a_file_that_cannot_be_used_is_noted_and_fetched_anew(
    spoil: object, tmp_path: Path, pool: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    bars, path = two(), tmp_path / "daily.json"
    await DailyBars(bars, HandClock(), DailyFile(path, "iex", pool)).ensure({"AAPL"})
    path.write_text(spoil(path.read_text()))  # type: ignore[operator]
    again = DailyBars(bars, HandClock(), DailyFile(path, "iex", pool))
    with caplog.at_level("INFO"):
        await again.ensure({"AAPL"})
    assert "ignored" in caplog.text
    assert len(bars.asked) == 2
    assert again.series("AAPL") == tuple(bars.series["AAPL"])


async def test_volumes_of_another_feed_are_not_taken(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    bars, path = two(), tmp_path / "daily.json"
    await DailyBars(bars, HandClock(), DailyFile(path, "iex", pool)).ensure({"AAPL"})
    await DailyBars(bars, HandClock(), DailyFile(path, "sip", pool)).ensure({"AAPL"})
    assert len(bars.asked) == 2


async def test_a_disk_that_refuses_costs_only_the_file(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    bars = two()
    daily = DailyBars(bars, HandClock(), DailyFile(tmp_path / "no folder" / "daily.json", "iex", pool))
    await daily.ensure({"AAPL"})
    assert daily.series("AAPL")
