"""The window under load, offscreen: blotter, latency chart, cold start, memory.

The blotter is fed through the whole path: desk, bus, bridge, frame clock, model, view, paint, with every panel open. As
a peer the plain way of doing it: a ``QTableWidget`` whose cells are set one by one at each update. A stall is the
longest time in which the loop did not come round.

    python -m tests.bench.gui [--orders N] [--updates N] [--starts N]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import msgspec
from PySide6.QtWidgets import QApplication, QTableWidget, QTableWidgetItem
from qasync import QEventLoop

from engine.model.words import OrderRole, OrderStatus, Side
from engine.views import OrderView
from gui.app import make_application, show_window
from gui.window import MainWindow
from tests.bench.first_paint import PAINTED, rss_mb
from tests.bench.report import head, p, say, table
from tests.bench.venue import ROOT
from tests.gui import scenery
from tests.gui.scenes import SceneDesk
from tests.gui.stage import desk_of

BATCH: Final = 200
"""Updates between two turns of the loop: what the order feed folds at a time."""
SETTLED_S: Final = 12.0
STATUSES: Final = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.ACCEPTED)


def live_orders(count: int) -> list[OrderView]:
    symbols = ("AAPL", "MSFT", "NVDA", "SPY", "TSLA", "XLE", "JPM", "COIN")
    return [
        scenery.order(
            f"o{number:05d}",
            symbols[number % len(symbols)],
            Side.BUY if number % 3 else Side.SELL,
            OrderRole.ENTRY,
            OrderStatus.NEW,
            "100",
            limit=f"{100 + number % 400}.25",
            age_s=number % 3600,
        )
        for number in range(count)
    ]


def updates_of(orders: list[OrderView], count: int) -> list[OrderView]:
    """Each another order's partial fill or change of status; made beforehand, so that only the window is measured."""
    dice = random.Random(1)
    found = []
    for number in range(count):
        order = dice.choice(orders)
        changed = msgspec.structs.replace(
            order,
            status=dice.choice(STATUSES),
            filled_qty=scenery.dec(str(number % 100)) or order.filled_qty,
            note=f"execution {number}",
        )
        found.append(changed)
    return found


class Turns:
    """How long the loop was away, each time it was."""

    def __init__(self) -> None:
        self.gaps_ms: list[float] = []
        self._last_s = time.perf_counter()

    async def turn(self, wait_s: float = 0.0) -> None:
        await asyncio.sleep(wait_s)
        now_s = time.perf_counter()
        self.gaps_ms.append((now_s - self._last_s - wait_s) * 1000)
        self._last_s = now_s


# --- blotter ---------------------------------------------------------------------------------------------------------


async def fill(desk: SceneDesk, window: MainWindow, orders: list[OrderView]) -> float:
    """Milliseconds until all orders are rows."""
    started_s = time.perf_counter()
    desk.put(*orders)
    while window.orders.model.row(orders[-1].id) is None:
        await asyncio.sleep(0.001)
    QApplication.processEvents()
    return (time.perf_counter() - started_s) * 1000


async def burst(desk: SceneDesk, window: MainWindow, updates: list[OrderView]) -> tuple[float, list[float]]:
    """As fast as the loop takes them, until the last is on the screen: updates a second, and the loop's absences."""
    turns = Turns()
    started_s = time.perf_counter()
    for first in range(0, len(updates), BATCH):
        for update in updates[first : first + BATCH]:
            desk.put(update)
        await turns.turn()
    last = updates[-1]
    while window.orders.model.row(last.id) is not last:
        await turns.turn(0.001)
    await turns.turn()
    return len(updates) / (time.perf_counter() - started_s), turns.gaps_ms


async def stream(desk: SceneDesk, updates: list[OrderView], seconds: float) -> tuple[float, list[float]]:
    """The same updates spread over some seconds: share of a core used, and the loop's absences."""
    turns = Turns()
    started_s, worked_s, done = time.perf_counter(), time.process_time(), 0
    while done < len(updates):
        due = int((time.perf_counter() - started_s) / seconds * len(updates))
        for update in updates[done : min(due, len(updates))]:
            desk.put(update)
        done = min(due, len(updates))
        await turns.turn(0.002)
    return (time.process_time() - worked_s) / (time.perf_counter() - started_s), turns.gaps_ms


def plain_table(app: QApplication, orders: list[OrderView], updates: list[OrderView]) -> tuple[float, float]:
    """The peer: updates a second and its longest absence in ms."""
    texts: list[Callable[[OrderView], str]] = [
        lambda o: o.id, lambda o: o.symbol, lambda o: o.side.value, lambda o: o.status.value, lambda o: str(o.qty),
        lambda o: str(o.filled_qty), lambda o: str(o.limit_price), lambda o: o.type.value, lambda o: o.note,
        lambda o: f"{o.status_since:%H:%M:%S}",
    ]  # fmt: skip
    widget = QTableWidget(len(orders), len(texts))
    row_of = {order.id: row for row, order in enumerate(orders)}
    for row, order in enumerate(orders):
        for column, text in enumerate(texts):
            widget.setItem(row, column, QTableWidgetItem(text(order)))
    widget.resize(900, 500)
    widget.setSortingEnabled(False)
    widget.show()
    app.processEvents()
    worst_ms = 0.0
    started_s = time.perf_counter()
    for first in range(0, len(updates), BATCH):
        turn_s = time.perf_counter()
        for update in updates[first : first + BATCH]:
            row = row_of[update.id]
            for column, text in enumerate(texts):
                item = widget.item(row, column)
                assert item is not None
                item.setText(text(update))
        app.processEvents()
        worst_ms = max(worst_ms, (time.perf_counter() - turn_s) * 1000)
    rate = len(updates) / (time.perf_counter() - started_s)
    widget.deleteLater()
    return rate, worst_ms


async def blotter(app: QApplication, folder: Path, count: int, update_count: int) -> None:
    desk = desk_of("busy")
    orders = live_orders(count)
    updates = updates_of(orders, update_count)
    async with show_window(desk, layout_file=folder / "layout.ini", on_close=lambda: None, clock=desk.clock) as window:
        await asyncio.sleep(2.0)  # charts are imported behind the first paint
        filled_ms = await fill(desk, window, orders)
        await asyncio.sleep(0.5)
        rates, absences = [], []
        for _ in range(5):
            rate, gaps_ms = await burst(desk, window, updates)
            rates.append(rate)
            absences.append(max(gaps_ms))
            desk.put(*orders)
            await asyncio.sleep(0.5)
        load, streamed_ms = await stream(desk, updates, 5.0)
    peer_rate, peer_ms = plain_table(app, orders, updates)
    say(f"Blotter, {count:,} live orders (first shown in {filled_ms:.0f} ms), {update_count:,} updates, median of 5:")
    table(
        ("", "updates/s", "worst stall ms"),
        [
            ("our window, burst", f"{median(rates):,.0f}", median(absences)),
            ("our window, its worst run", f"{min(rates):,.0f}", max(absences)),
            ("QTableWidget, cell by cell", f"{peer_rate:,.0f}", peer_ms),
            ("ratio of rates", median(rates) / peer_rate, ""),
        ],
    )
    per_s = f"{update_count / 5:,.0f} updates a second for 5 s"
    say(f"The same {per_s}: {load:.0%} of a core; the loop away, ms:")
    table(("p50", "p99", "max"), [tuple(p(streamed_ms, share) for share in (0.5, 0.99, 1.0))])


# --- latency chart ---------------------------------------------------------------------------------------------------


def chart(app: QApplication, samples: int, frames: int = 20) -> None:
    from gui.charts.latency_series import STAGES, LatencySeriesChart
    from gui.charts.samples import SampleSeries

    dice = random.Random(1)
    rows = []
    for what, each in (("in all, on three stages", samples // len(STAGES)), ("on each of three stages", samples)):
        series = {stage: SampleSeries() for stage in STAGES}
        for number in range(each):
            for stage in STAGES:
                series[stage].append(1.8e9 + number * 3600 / each, dice.lognormvariate(4.4, 0.3))
        shown = LatencySeriesChart()
        shown.resize(900, 250)
        shown.show()
        spent_ms = []
        for number in range(frames + 3):
            for stage in STAGES:
                series[stage].append(1.8e9 + 3600 + number, 80.0)
            started_s = time.perf_counter()
            shown.show_series(series)
            app.processEvents()
            spent_ms.append((time.perf_counter() - started_s) * 1000)
        rows.append((f"{samples:,} {what}", *(p(spent_ms[3:], share) for share in (0.5, 0.95, 1.0))))
        shown.deleteLater()
    say("Latency chart, milliseconds a frame (new data, redrawn):")
    table(("", "p50", "p95", "max"), rows)


# --- cold start ------------------------------------------------------------------------------------------------------


def cold_starts(count: int) -> None:
    painted_s, at_paint_mb, settled_mb = [], [], []
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for number in range(count + 1):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "tests.bench.painted", str(time.monotonic())]
            desk = subprocess.Popen(
                [*command, "--data-dir", folder, "--api", "127.0.0.1:0"],
                cwd=ROOT,
                env=environment,  # compiled once, as on the operator's machine
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            try:
                assert desk.stdout is not None
                line = next((line for line in desk.stdout if line.startswith(PAINTED)), None)
                if line is None:
                    raise RuntimeError("main.py has ended before its window was painted")
                after_s, resident_mb = map(float, line.removeprefix(PAINTED).split())
                time.sleep(SETTLED_S if number == count else 0.5)
                if number:  # the first one warms the disk's cache
                    painted_s.append(after_s)
                    at_paint_mb.append(resident_mb)
                if number == count:
                    settled_mb.append(rss_mb(desk.pid))
            finally:
                desk.send_signal(signal.SIGTERM)
                desk.wait(10)
    say(f"main.py, {count} starts on the embedded exchange, offscreen:")
    table(
        ("", "median", "worst"),
        [
            ("launch to painted window, s", median(painted_s), max(painted_s)),
            ("resident memory at the first paint, MB", median(at_paint_mb), max(at_paint_mb)),
            (f"resident memory {SETTLED_S:.0f} s later, MB", median(settled_mb), max(settled_mb)),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=5_000)
    parser.add_argument("--updates", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--starts", type=int, default=7)
    arguments = parser.parse_args()
    head("The window, offscreen")
    cold_starts(arguments.starts)
    app = make_application(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
        runner.run(blotter(app, Path(folder), arguments.orders, arguments.updates))
        chart(app, arguments.samples)


if __name__ == "__main__":
    main()
