"""The tape: what it gives back of a moment, what it lets go, and what a full disk or another version costs."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.bus import Bus, Change
from engine.market.quotes import QuoteView
from engine.model.order import Evidence
from engine.past import recording
from engine.past.bars import bars_from
from engine.past.frame import NOTHING, Frame, Prices, packed, unpacked
from engine.past.recording import Recording, taping
from engine.past.tape_file import KEY_EVERY_S, Row, TapeReader, append, forget
from tests.gui import scenery
from tests.unit.journal.conftest import HandClock

T0 = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)


PREVIEW = scenery.preview(
    "NVDA", scenery.Side.BUY, "12", entry="131.20", stop="128.90", target=None, price="131", risk="9", pct="1", rr=None
)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def priced(price: str, seconds: float = 0.0) -> Prices:
    return Prices(Decimal(price), Decimal(price), None, at(seconds))


def frame(**prices: str) -> Frame:
    return Frame(prices={symbol: priced(price) for symbol, price in prices.items()})


def test_a_moment_is_the_key_frame_before_it_with_what_changed_since(tmp_path: Path) -> None:
    path = tmp_path / "tape.db"
    append(path, [Row(at(0), True, frame(AAPL="1", MSFT="2")), Row(at(2), False, frame(AAPL="3"))])
    append(path, [Row(at(4), False, frame(MSFT="4")), Row(at(60), True, frame(AAPL="5"))])
    tape = TapeReader(path)
    assert tape.as_of(at(-1)) == (NOTHING, None)
    assert tape.as_of(at(0.5)) == (frame(AAPL="1", MSFT="2"), at(0))
    assert tape.as_of(at(3)) == (frame(AAPL="3", MSFT="2"), at(2))
    assert tape.as_of(at(59)) == (frame(AAPL="3", MSFT="4"), at(4))
    assert tape.as_of(at(61)) == (frame(AAPL="5"), at(60)), "what a key frame does not hold is gone"


def test_a_gap_in_the_tape_is_a_gap_and_not_the_price_before_it(tmp_path: Path) -> None:
    path = tmp_path / "tape.db"
    append(path, [Row(at(0), True, frame(AAPL="1"))])
    tape = TapeReader(path)
    assert tape.as_of(at(2 * KEY_EVERY_S))[1] == at(0)
    assert tape.as_of(at(2 * KEY_EVERY_S + 1)) == (NOTHING, None)


def test_frames_come_back_as_they_were_views_and_all(tmp_path: Path) -> None:
    whole = Frame(
        prices={"AAPL": Prices(None, Decimal("187.20"), Decimal("187.10"), at(1))},
        previews={"s1": PREVIEW},
        mandates=(),
        desk=scenery.desk_view(),
    )
    assert unpacked(packed(whole)) == whole


def test_what_another_version_wrote_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "tape.db"
    append(path, [Row(at(0), True, frame(AAPL="1")), Row(at(2), False, frame(AAPL="2"))])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE frames SET body = ? WHERE at = (SELECT max(at) FROM frames)", (b"else",))
        connection.commit()
    tape = TapeReader(path)
    assert tape.as_of(at(3)) == (frame(AAPL="1"), at(0))
    assert tape.unreadable == 1


def test_a_tape_that_is_damaged_is_no_tape_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tape.db"
    path.write_bytes(b"SQLite format 3\0" + bytes(5_000))
    tape = TapeReader(path)
    for _ in range(3):
        assert tape.as_of(at(0)) == (NOTHING, None)
        assert list(tape.between(at(0), at(9))) == []
    assert len([record for record in caplog.records if "prices are missing" in record.message]) == 1


def test_old_frames_are_deleted_and_a_tape_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "tape.db"
    assert forget(path, at(0)) == 0
    assert TapeReader(path).as_of(at(0)) == (NOTHING, None)
    append(path, [Row(at(seconds), True, frame(AAPL="1")) for seconds in (0, 60, 120)])
    assert forget(path, at(60)) == 1
    assert TapeReader(path).as_of(at(59)) == (NOTHING, None)
    assert TapeReader(path).as_of(at(60))[1] == at(60)


def test_bars_are_the_middle_prices_of_their_minute(tmp_path: Path) -> None:
    path = tmp_path / "tape.db"
    rows = [
        Row(at(seconds), seconds == 0, Frame(prices={"AAPL": priced(price, seconds)}))
        for seconds, price in ((0, "10"), (20, "12"), (40, "9"), (70, "11"), (200, "8"))
    ]
    append(path, rows)
    bars = bars_from(TapeReader(path), "AAPL", at(180), 60)
    assert [(bar.at, bar.open, bar.high, bar.low, bar.close) for bar in bars] == [
        (at(0), 10, 12, 9, 9),
        (at(60), 11, 11, 11, 11),
    ]
    assert bars_from(TapeReader(path), "MSFT", at(180), 60) == []
    longer = bars_from(TapeReader(path), "AAPL", at(600), 60, 5)
    assert [(bar.at, bar.open, bar.high) for bar in longer] == [(at(0), 10, 10)], "of a price a minute, the key frames"


class Shown:
    """A desk of one symbol whose price the test moves."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.price = Decimal(10)
        self.mandates = self
        self.pending: list[Any] = []
        self.proved: dict[str, Evidence] = {}

    def move(self, price: str) -> None:
        self.price = Decimal(price)
        self.bus.publish((), {Change("quote", "AAPL")})

    def views(self) -> tuple[Any, ...]:
        return ()

    def view(self) -> Any:
        return scenery.desk_view()

    def proofs(self) -> dict[str, Evidence]:
        return self.proved

    def quote(self, symbol: str) -> QuoteView:
        return QuoteView(symbol=symbol, bid=self.price, ask=self.price, last=None, at=T0, age_s=0.0)

    def signals(self, _status: object, limit: int) -> list[Any]:
        return self.pending[:limit]


@pytest.fixture
def pool() -> Any:
    with ThreadPoolExecutor(1) as made:
        yield made


def test_a_frame_holds_what_has_changed_and_a_key_frame_everything(tmp_path: Path, pool: Any) -> None:
    desk = Shown()
    taken = Recording(desk, tmp_path / "tape.db", HandClock(T0), pool, 1)
    desk.bus.on_changes(taken.note)
    desk.move("11")
    assert set(taken.take(whole=True).prices) == {"AAPL"}
    assert taken.take(whole=False).prices == {}, "nothing has moved since"
    desk.move("12")
    assert taken.take(whole=False).prices["AAPL"].bid == 12
    assert taken.take(whole=True).prices["AAPL"].bid == 12


def waiting(number: int) -> Any:
    return scenery.signal(f"s{number}", "NVDA", scenery.Side.BUY, shown=PREVIEW)


def test_a_preview_is_taken_as_it_comes_and_then_every_ten_seconds(tmp_path: Path, pool: Any) -> None:
    desk = Shown()
    desk.pending = [waiting(1)]
    taken = Recording(desk, tmp_path / "tape.db", HandClock(T0), pool, 1)
    frames = [taken.take(whole=False) for _ in range(2 * recording.DESK_EVERY)]
    assert [number for number, frame in enumerate(frames) if frame.previews] == [0, recording.DESK_EVERY]
    assert set(taken.take(whole=True).previews) == {"s1"}


def test_a_long_queue_costs_no_more_than_its_newest_and_a_key_frame_has_what_was_taken(
    tmp_path: Path, pool: Any
) -> None:
    desk = Shown()
    taken = Recording(desk, tmp_path / "tape.db", HandClock(T0), pool, 1)
    for number in range(200):
        desk.pending.insert(0, waiting(number))
        assert len(taken.take(whole=False).previews) <= recording.PREVIEWS_A_FRAME
    whole = taken.take(whole=True).previews
    assert "s199" in whole
    assert len(whole) == recording.PREVIEWS_KEPT


def test_what_proves_an_order_is_kept_when_it_is_read_anew(tmp_path: Path, pool: Any) -> None:
    desk = Shown()
    desk.proved = {"o1": scenery.proof(), "o2": scenery.proof()}
    taken = Recording(desk, tmp_path / "tape.db", HandClock(T0), pool, 1)
    assert set(taken.take(whole=True).proofs) == {"o1", "o2"}
    desk.proved = {**desk.proved, "o2": scenery.proof(1.0)}
    later = [taken.take(whole=False) for _ in range(recording.DESK_EVERY)]
    assert [set(frame.proofs) for frame in later if frame.desk is not None] == [{"o2"}]
    assert all(not frame.proofs for frame in later if frame.desk is None)


async def test_a_disk_that_takes_nothing_costs_frames_and_never_the_desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recording, "FRAME_EVERY_S", 0.005)
    blocked = tmp_path / "no-folder" / "tape.db"
    desk = Shown()
    async with taping(desk, blocked, HandClock(T0), keep_days=1):
        for _ in range(100):
            await asyncio.sleep(0.005)
        blocked.parent.mkdir()
        for _ in range(200):
            if blocked.exists():
                break
            await asyncio.sleep(0.01)
    warned = [record for record in caplog.records if "tape" in record.message]
    assert len(warned) == 1, "told once"
    assert blocked.exists(), "goes on as soon as it can"


async def test_no_days_is_no_tape(tmp_path: Path) -> None:
    async with taping(Shown(), tmp_path / "tape.db", HandClock(T0), keep_days=0):
        await asyncio.sleep(0.01)
    assert list(tmp_path.iterdir()) == []
