"""Every scene as a picture: ``python -m tests.gui.gallery --out DIR``.

The window is the real one, offscreen, with its bundled fonts, a fixed size and a frozen clock; the pictures are looked
at before a change of the window is called done.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from decimal import Decimal
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton
from qasync import QEventLoop

from engine.model.words import DeskState
from engine.settings import SettingsFile
from gui import theme
from gui.app import make_application, show_window
from gui.charts.exit_chart import ExitChart
from gui.dialogs.settings_sheet import SettingsSheet
from gui.exit_words import Exit
from gui.window import MainWindow
from tests.gui.scene_drills import SceneDrills, result
from tests.gui.scene_halt import flat, halting
from tests.gui.scene_mandates import FORM, standing
from tests.gui.scene_pieces import SceneQuote
from tests.gui.scene_repair import naked
from tests.gui.scene_ticket import FORM as TICKET
from tests.gui.scenes import replace
from tests.gui.stage import SCENES, desk_of

SIZES = ((1920, 1080), (1366, 768))


async def draw(
    scene: str, size: tuple[int, int], palette: str, out: Path, app: object, posed: str | None = None
) -> Path:
    desk = desk_of(scene)
    drills = SceneDrills(desk.bus, desk.clock.now()) if posed in ("drills", "drill_over") else None
    if posed == "ladder_halting":
        view = desk.view()
        desk.put(replace(view, health=replace(view.health, desk_state=DeskState.HALTED)))
        desk.ladder.shown = halting(desk.clock.now())
    elif posed == "ladder_suspended":
        desk.put(replace(desk.view(), is_suspended=True))
        desk.ladder.shown = flat(desk.clock.now(), suspended=True)
    elif posed == "repair":
        desk.planner.mending["b-TSLA"] = naked("b-TSLA")
    elif posed == "batch_reason":
        signal = next(one for one in desk.signals() if one.symbol == "NVDA" and one.preview is not None)
        desk.put(replace(signal, preview=replace(signal.preview, wants_reason=True)))
    elif posed == "two":
        desk.halt.shown = replace(desk.halt.shown, second_persons=("ben", "cid"))
    elif posed in ("mandates", "mandate_form"):
        desk.given.shown = standing(desk.clock.now())
        desk.put(replace(desk.view(), mandates=len(desk.given.shown)))
    elif posed == "ticket_blocked":
        desk.ticket.blocked = "The desk is paused: no entries."
    elif posed == "ticket_reason":
        desk.ticket.wants_reason = True
    elif posed in ("ticket", "ticket_short"):
        bid, ask, last = Decimal("131.43"), Decimal("131.45"), Decimal("131.44")
        desk._quotes["NVDA"] = SceneQuote(bid, ask, last, desk.clock.now(), 0.3)
    layout = out / "layout.ini"
    layout.unlink(missing_ok=True)
    theme.use(app, palette)
    async with show_window(desk, layout_file=layout, on_close=lambda: None, clock=desk.clock, drills=drills) as window:
        window.resize(*size)
        window.reset_layout()
        for _ in range(100):
            await asyncio.sleep(0.02)
            if window.latency.chart is not None:
                break
        if scene in ("trouble",):
            window.state_bar.alarm_clicked.emit("TSLA")
            window.brackets.view.expand(window.brackets.model.index_of("b-AAPL"))
        elif scene == "busy":
            window.brackets.view.choose("b-AAPL")
        if posed is not None:
            pose(posed, window)
        if drills is not None and posed == "drill_over":
            drills.strike("rejected_stop")
            await asyncio.sleep(0.3)
            drills.is_over(result(mistakes=("shelve",), action_points=20, points=64))
        await asyncio.sleep(0.45)
        path = out / f"{posed or scene}-{size[0]}-{palette}.png"
        window.grab().save(str(path))
    layout.unlink(missing_ok=True)
    return path


def drag(chart: ExitChart, which: Exit, by: QPoint) -> None:
    """Take a line and hold it somewhere else."""
    at = chart.point_of(which).toPoint()
    QTest.mousePress(chart, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(chart, at + by)


def pose(name: str, window: MainWindow) -> None:
    """Bring the window of the pose's scene into a state that a scene alone does not show."""
    match name:
        case "asking":
            window.brackets.ask_flatten(window.brackets.model.row("b-TSLA"))
            window.orders.view.choose("b-AAPL.sl")
            window.orders.cancel_current()
            window.signals.current.open_reasons()
            window.toast.tell("CHANGED_SINCE_SHOWN", "Risk rose from $276 to $310: the new numbers are shown.")
        case "batch_reason":
            window.signals.select.click()
            for _ in range(2):
                window.signals.toggle_tick()
                window.signals.step(1)
            window.findChild(QLineEdit, "batch-reason").setText("Chips report tonight, half size")
        case "two":
            window._releasing.ask(DeskState.ACTIVE)
            QTest.keyClicks(window.findChild(QLineEdit, "brackets-confirm-typed"), "RELEASE")
            QTest.keyClicks(window.findChild(QLineEdit, "brackets-confirm-second"), "ben")
            QTest.keyClicks(window.findChild(QLineEdit, "brackets-confirm-word"), "nine green")
        case "closing":
            window.close()
        case "keys":
            window.brackets.header.tabs.choose(1)
            window.brackets.position_view.choose("AAPL")
            window.detail.header.tabs.choose(1)
            window.latency.header.tabs.choose(1)
            QTimer.singleShot(100, window, lambda: QTest.keyClick(window, Qt.Key.Key_F1))
        case "history":
            window.signals.header.tabs.choose(1)
            window.brackets.header.tabs.choose(2)
            window.orders.show_all.click()
            window.latency.header.tabs.choose(1)

        case "refused":
            field = window.findChild(QLineEdit, "live-sheet-number")
            QTest.keyClicks(field, "918273654")
            QTest.keyClick(field, Qt.Key.Key_Return)
        case "drills":
            window.state_bar.drill_clicked.emit()
        case "ladder" | "ladder_halting" | "ladder_flat" | "ladder_suspended":
            window.state_bar.ladder_clicked.emit()
        case "mandates":
            window.state_bar.mandates_clicked.emit()
        case "mandate_form":
            window.state_bar.mandates_clicked.emit()
            window.findChild(QPushButton, "mandate-new").click()
            for name, text in FORM.items():
                window.findChild(QLineEdit, f"mandate-{name}").setText(text)
        case "latency_stages" | "latency_hours" | "latency_requests":
            names = ("latency_stages", "latency_hours", "latency_requests")
            window.latency.header.tabs.choose(2 + names.index(name))
        case "figures":
            window.incidents.header.tabs.choose(2)
            window.brackets.header.tabs.choose(3)
        case "shelving":
            waiting = window.incidents.model.rows()[-1]
            window.incidents.strip.ask(replace(waiting, can_shelve=True))
        case "order_edit":
            order = window.orders.model.row("b-JPM")
            window.orders.edit.begin(order)
            QTest.keyClicks(window.findChild(QLineEdit, "order-limit_price"), "308.90")
        case "repair":
            window.detail.plans_asked.emit(window.brackets.model.row("b-TSLA"))
        case "ticket" | "ticket_blocked" | "ticket_short" | "ticket_reason":
            QTest.keyClick(window, Qt.Key.Key_T)
            for field, text in TICKET.items():
                window.findChild(QLineEdit, f"ticket-{field}").setText(text)
            if name == "ticket_short":
                window.findChild(QPushButton, "ticket-side-sell").click()
                window.findChild(QPushButton, "ticket-entry-limit").click()
                window.findChild(QLineEdit, "ticket-limit").setText("131.x")
        case "ticket_empty":
            window._ticketing.ask()
        case "fills":
            window.orders.header.tabs.choose(1)
        case "reason":
            card = window.signals.current
            card.arm(replace(card.signal.preview, wants_reason=True))
            QTest.keyClicks(window.findChild(QLineEdit, "approve-reason"), "Chips report tonight, half size")
        case "more_columns":
            wanted = ("type", "tif", "left", "working", "market", "distance", "strategy", "trade_pl", "created")
            window.orders.view.put_away(("note",), wanted)
            window.brackets.view.put_away(("plan",), ("strategy", "risk", "to_stop", "open_for", "opened", "value"))
        case "incident_keys":
            for key in (Qt.Key.Key_K, Qt.Key.Key_Down):
                QTest.keyClick(window, key)
        case "filters":
            for view, typed in (
                (window.orders.view, {"status": "!held", "role": "stop|target", "filled": ">"}),
                (window.brackets.view, {"symbol": "aa|ts|qq"}),
            ):
                view.filters.show(True)
                for column, text in typed.items():
                    view.filters.field(column).setText(text)
        case "layouts":
            for name in ("Morning", "One screen, everything", "Two screens"):
                window._layout.save_as(name)
            window._layouts.ask()
            window.findChild(QLineEdit, "layout-new").setText("Morning")
        case "settings":
            file = SettingsFile(Path("greenlight.toml"))
            sheet = SettingsSheet(file, window)
            sheet.ask()
            window.findChild(QLineEdit, "set-limits-max_open_positions").setText("8")
            window.findChild(QLineEdit, "set-limits-max_order_qty").setText("none")
        case "palette":
            QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
            QTest.keyClicks(window.findChild(QLineEdit, "palette-typed"), "a")
        case "dragging":
            QTimer.singleShot(200, window, lambda: drag(window.detail.chart, "stop", QPoint(0, -30)))
        case "moving":
            window.brackets.view.choose("b-AAPL")
            trade = window.brackets.model.row("b-AAPL")
            window.bridge.brackets_changed.emit([replace(trade, wanted_stop_price=Decimal("186.20"))], [])
            window.detail.move_asked.emit(trade, Decimal("183.10"), None)
        case "gate":
            window.state_bar.gate_clicked.emit()


POSES = {
    "asking": "trouble",
    "closing": "trouble",
    "keys": "trouble",
    "history": "trouble",
    "fills": "trouble",
    "filters": "trouble",
    "incident_keys": "trouble",
    "more_columns": "trouble",
    "reason": "trouble",
    "two": "halted",
    "batch_reason": "busy",
    "refused": "unconfirmed",
    "gate": "differing",
    "ladder": "busy",
    "ladder_halting": "trouble",
    "ladder_flat": "halted",
    "ladder_suspended": "halted",
    "repair": "trouble",
    "mandates": "busy",
    "mandate_form": "busy",
    "drills": "busy",
    "drill_over": "busy",
    "ticket": "busy",
    "ticket_blocked": "trouble",
    "ticket_empty": "busy",
    "ticket_reason": "busy",
    "dragging": "busy",
    "palette": "busy",
    "layouts": "busy",
    "settings": "busy",
    "moving": "busy",
    "ticket_short": "busy",
    "order_edit": "busy",
    "figures": "trouble",
    "shelving": "trouble",
    "latency_stages": "busy",
    "latency_hours": "busy",
    "latency_requests": "busy",
}
"""Pose -> the scene it is taken in."""


async def draw_all(
    scenes: list[str], sizes: list[tuple[int, int]], palettes: list[str], out: Path, app: object
) -> None:
    for scene in scenes:
        for size in sizes:
            for palette in palettes:
                path = await draw(scene, size, palette, out, app)
                sys.stdout.write(f"{path}\n")


async def draw_poses(names: list[str], out: Path, palettes: list[str], app: object) -> None:
    for palette in palettes:
        for name in names:
            scene = POSES[name]
            path = await draw(scene, SIZES[0], palette, out, app, name)
            sys.stdout.write(f"{path}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scene", choices=SCENES, action="append")
    parser.add_argument("--palette", choices=theme.PALETTES, action="append")
    parser.add_argument("--width", type=int, action="append")
    parser.add_argument("--poses", action="store_true", help="questions, sheets and the other tabs")
    parser.add_argument("--pose", choices=POSES, action="append", help="one of them")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    app = make_application(sys.argv[:1])
    sizes = [size for size in SIZES if asked.width is None or size[0] in asked.width]
    with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
        if asked.poses or asked.pose:
            runner.run(draw_poses(asked.pose or list(POSES), asked.out, asked.palette or list(theme.PALETTES), app))
            return
        runner.run(draw_all(asked.scene or list(SCENES), sizes, asked.palette or list(theme.PALETTES), asked.out, app))


if __name__ == "__main__":
    main()
