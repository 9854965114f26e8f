from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.errors import EngineError
from engine.journal.export import export
from engine.journal.writer import Journal
from engine.model import events as ev
from engine.model.order import OrderReport
from engine.model.words import OrderStatus, Purpose, Stage
from tests.unit.journal.conftest import HandClock
from tests.unit.journal.events import APPROVAL, BRACKET, ENTRY, EVIDENCE, FILL, SIGNAL, STOP, T0

replace = msgspec.structs.replace
HALF = replace(
    FILL,
    status=OrderStatus.PARTIALLY_FILLED,
    filled_qty=Decimal(4),
    filled_avg_price=Decimal("187.10"),
    execution_id="exec-0",
    last_qty=Decimal(4),
    last_price=Decimal("187.10"),
)
WHOLE = replace(FILL, filled_avg_price=Decimal("187.16"), execution_id=None, last_qty=None, last_price=None, event=None)
STOPPED = OrderReport(
    broker_id="sl",
    status=OrderStatus.FILLED,
    evidence=EVIDENCE,
    filled_qty=Decimal(10),
    filled_avg_price=Decimal("184.86"),
    execution_id="exec-2",
    last_qty=Decimal(10),
    last_price=Decimal("184.86"),
)
LIFE: tuple[ev.AnyEvent, ...] = (
    ev.JournalOpened(desk_id="7f3a2c", mode="sim"),
    ev.SignalReceived(signal=replace(SIGNAL, note="=HYPERLINK(evil)")),
    ev.SignalApproved(signal_id="s000001", bracket_id="b000001", approval=APPROVAL),
    ev.BracketOpened(bracket=BRACKET),
    ev.OrderIntended(order=ENTRY, body={}, purpose=Purpose.ENTRY, legs=(STOP,)),
    ev.StageMeasured(signal_id="s000001", stage=Stage.SUBMIT, ms=51.25, started_at=T0),
    ev.OrderReported(order_id=ENTRY.id, report=HALF),
    ev.OrderReported(order_id=ENTRY.id, report=WHOLE),
    ev.OrderReported(order_id=STOP.id, report=STOPPED),
)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as text:
        return list(csv.DictReader(text))


async def written(path: Path, disk: ThreadPoolExecutor, clock: HandClock, *events: ev.AnyEvent) -> None:
    journal = await Journal.open(path, disk, clock)
    journal.append(events)
    await journal.close()


async def test_a_trade_is_told_by_five_files(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, tmp_path: Path
) -> None:
    await written(path, disk, clock, *LIFE)
    to = tmp_path / "out" / "csv"
    assert export(path, to) == {
        "signals.csv": 1, "orders.csv": 2, "fills.csv": 3, "brackets.csv": 1, "latencies.csv": 1
    }  # fmt: skip
    [signal] = rows(to / "signals.csv")
    assert (signal["id"], signal["limit_price"], signal["approved_qty"]) == ("s000001", "187.20", "10")
    assert (signal["stop_loss_unit"], signal["stop_loss_value"], signal["take_profit_unit"]) == ("price", "184.90", "r")
    assert signal["received_at"] == "2026-08-21T14:03:07.000250Z"
    assert signal["note"] == "'=HYPERLINK(evil)", "a spreadsheet must not run what a sender wrote"
    entry, stop = rows(to / "orders.csv")
    assert (entry["status"], entry["filled_avg_price"], stop["parent_id"]) == ("filled", "187.16", ENTRY.id)
    assert [(fill["qty"], fill["price"], fill["execution_id"]) for fill in rows(to / "fills.csv")] == [
        ("4", "187.10", "exec-0"),
        ("6", "187.2", ""),
        ("10", "184.86", "exec-2"),
    ]
    [bracket] = rows(to / "brackets.csv")
    assert (bracket["entered_qty"], bracket["entry_price"]) == ("10", "187.16")
    assert (bracket["left_qty"], bracket["exit_price"], bracket["realized_pl"]) == ("10", "184.86", "-23.00")
    [latency] = rows(to / "latencies.csv")
    assert (latency["symbol"], latency["stage"], latency["ms"]) == ("AAPL", "submit", "51.25")


async def test_what_the_venue_took_back_is_a_fill_with_a_minus(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, tmp_path: Path
) -> None:
    part = replace(STOPPED, filled_qty=Decimal(4), last_qty=Decimal(6), execution_id="exec-2", event="trade_bust")
    none = replace(part, filled_qty=Decimal(0), filled_avg_price=None, last_qty=None, last_price=None)
    busts = (
        ev.ExecutionsTakenBack(order_id=STOP.id, qty=Decimal(6), report=part),
        ev.ExecutionsTakenBack(order_id=STOP.id, qty=Decimal(4), report=none),
    )
    await written(path, disk, clock, *LIFE, *busts)
    export(path, tmp_path)
    assert [(fill["qty"], fill["price"]) for fill in rows(tmp_path / "fills.csv")][-2:] == [
        ("-6", "184.86"),
        ("-4", "184.86"),
    ]
    _, stop = rows(tmp_path / "orders.csv")
    assert (stop["filled_qty"], stop["busted_qty"], stop["status"]) == ("0", "10", "filled")
    [bracket] = rows(tmp_path / "brackets.csv")
    assert (bracket["entered_qty"], bracket["left_qty"], bracket["exit_price"]) == ("10", "0", "")


async def test_an_empty_journal_makes_empty_tables(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, tmp_path: Path
) -> None:
    await written(path, disk, clock)
    assert set(export(path, tmp_path / "out").values()) == {0}
    assert (tmp_path / "out" / "fills.csv").read_text().startswith("at,order_id,bracket_id,symbol")


async def test_a_folder_that_cannot_be_written_is_one_sentence(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, tmp_path: Path
) -> None:
    await written(path, disk, clock)
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match="cannot be written"):
        export(path, tmp_path / "file")
