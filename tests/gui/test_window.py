"""The window as a whole: mode, state, alarm, detail, latency, layout, closing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit

from engine.model.words import DeskState
from gui import theme
from gui.panels.incidents import IncidentList
from gui.sides_menu import CAUTION, SidesMenu
from gui.tables.cells import PAD
from gui.theme import Type, text_width
from gui.widgets.hold_button import HOLD_MS
from gui.widgets.lamp import Lamp, Light
from gui.widgets.state_switch import StateSwitch
from tests.gui import scenery as make
from tests.gui.conftest import Screen, the_application, until
from tests.gui.scenes import replace


@pytest.mark.parametrize(("scene", "mode"), [("trouble", "SIM"), ("busy", "PAPER"), ("stale", "LIVE")])
async def test_the_mode_is_in_title_chip_and_confirms(opened: Any, scene: str, mode: str) -> None:
    async with opened(scene) as screen:
        assert f"Greenlight · {mode}" in screen.window.windowTitle()
        assert screen.find("mode").accessibleName() == f"{mode} mode"
        screen.click_row("bracket-table", "b-AAPL", "flatten")
        assert screen.text("brackets-confirm-sentence").startswith(f"{mode}: ")


async def test_the_alarm_names_what_is_naked_and_leads_there(opened: Any) -> None:
    async with opened("trouble") as screen:
        alarm = screen.find("alarm")
        assert alarm.isVisible()
        assert alarm.accessibleName() == "TSLA 40 sh naked 3.2 s"
        assert screen.window.windowTitle().startswith("◆ TSLA naked")
        screen.click("alarm")
        assert screen.text("detail-title", screen.window) == "TSLA"
        screen.desk.put(replace(screen.desk.view(), naked_symbols=()))
        await until(lambda: not alarm.isVisible())


async def test_links_that_are_down_say_since_when(opened: Any) -> None:
    async with opened("stale") as screen:
        lamp = screen.find("lamp-stream")
        assert isinstance(lamp, Lamp)
        assert (lamp.light, lamp.value) == (Light.DOWN, "down 1:34")
        assert screen.find("start-gate").isVisible()
        assert screen.text("budget") == "Requests 151 of 200"


async def test_polling_is_labelled_as_such_and_offered_beside_its_incident(opened: Any) -> None:
    async with opened("stale") as screen:
        offer = make.incident("i-stream", 2, "The order stream is down", "Entries are denied.", "", buttons=("poll",))
        screen.desk.put(offer)
        incidents = screen.find("incident-list")
        assert isinstance(incidents, IncidentList)
        await until(lambda: "i-stream" in {row.id for row in screen.window.incidents.model.rows()})
        incidents.scrollTo(incidents.rows.index_of("i-stream"))
        await until(lambda: not incidents.button_rect("i-stream", "poll").isEmpty())
        screen.click_row("incident-list", "i-stream", "poll")
        assert await screen.commands() == [("poll_orders", True)]
        lamp = screen.find("lamp-stream")
        assert isinstance(lamp, Lamp)
        down = replace(screen.desk.view().stream, word="polling")
        screen.desk.put(replace(screen.desk.view(), stream=down))
        await until(lambda: lamp.value == "polling")
        assert lamp.light is Light.LATE


async def test_a_quiet_order_stream_is_no_fault_and_only_shows_its_age(opened: Any) -> None:
    async with opened("trouble") as screen:
        lamp = screen.find("lamp-stream")
        assert isinstance(lamp, Lamp)
        screen.desk.put(replace(screen.desk.view(), stream=make.link(seen_s=7_300)))
        await until(lambda: lamp.value == "2 h")
        assert lamp.light is Light.QUIET
        screen.desk.put(replace(screen.desk.view(), stream=make.link(False, seen_s=7_300, since_s=3)))
        await until(lambda: lamp.light is Light.DOWN)
        assert lamp.value == "down 3.0 s"


@pytest.mark.parametrize("scene", ["trouble", "busy", "stale", "unconfirmed", "differing", "tripped"])
async def test_a_small_screen_keeps_what_matters(opened: Any, scene: str) -> None:
    async with opened(scene) as screen:
        window = screen.window
        window.resize(1366, 768)
        window.reset_layout()
        await asyncio.sleep(0.1)
        always = ["mode", "desk-state", "lamp-rest", "lamp-stream", "lamp-quotes", "day-pl", "layout-menu", "halt"]
        some = ["start-gate", "confirm-account", "alarm", "budget", "demo"]
        asked = [name for name in some if not screen.find(name).isHidden()]
        bar = screen.find("state-bar")
        for name in always + asked:
            widget = screen.find(name)
            assert widget.isVisible(), name
            assert widget.width() >= widget.sizeHint().width(), name
            assert bar.rect().contains(widget.geometry().translated(widget.parentWidget().mapTo(bar, QPoint()))), name
        trades = window.brackets.view
        for number, column in enumerate(trades.rows.columns):
            if column.key in ("symbol", "filled", "pl", "naked"):
                words = [text_width(column.text(row), Type.STRONG) for row in trades.rows.rows()]
                assert trades.header().sectionSize(number) >= max(words) + 2 * PAD, column.key


async def test_the_state_switch_asks_the_desk_and_shows_its_answer(opened: Any) -> None:
    async with opened("trouble") as screen:
        switch = screen.find("desk-state")
        assert isinstance(switch, StateSwitch)
        at = switch.segment(DeskState.PAUSED).center().toPoint()
        QTest.mouseClick(switch, Qt.MouseButton.LeftButton, pos=at)
        assert switch.state is DeskState.ACTIVE
        assert await screen.commands() == [("set_state", DeskState.PAUSED, None)]
        await until(lambda: switch.state is DeskState.PAUSED)


async def test_halting_needs_the_hold_and_releasing_needs_the_word(opened: Any) -> None:
    async with opened("trouble") as screen:
        halt = screen.find("halt")
        screen.click("halt")
        await asyncio.sleep(0.05)
        assert not screen.desk.commands
        QTest.mousePress(halt, Qt.MouseButton.LeftButton)
        await asyncio.sleep(HOLD_MS / 1_000 + 0.1)
        QTest.mouseRelease(halt, Qt.MouseButton.LeftButton)
        assert await screen.commands() == [("set_state", DeskState.HALTED, None)]
        switch = screen.find("desk-state")
        assert isinstance(switch, StateSwitch)
        await until(lambda: switch.state is DeskState.HALTED)
        at = switch.segment(DeskState.ACTIVE).center().toPoint()
        QTest.mouseClick(switch, Qt.MouseButton.LeftButton, pos=at)
        yes = screen.find("brackets-confirm-yes")
        assert not yes.isEnabled()
        QTest.keyClicks(screen.find("brackets-confirm-typed"), "RELEASE")
        assert yes.isEnabled()
        screen.click("brackets-confirm-yes")
        assert (await screen.commands(2))[1] == ("set_state", DeskState.ACTIVE, "RELEASE")


async def test_the_demo_switch_is_there_only_with_a_demo(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.click("demo")
        assert await screen.commands() == [("set_demo", False)]
    async with opened("stale") as screen:
        assert not screen.find("demo").isVisible()


async def test_a_refusal_is_shown_with_its_code_and_stops_nothing(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.desk.refuse("cancel_order", "NOT_CANCELABLE", "It is filled already.")
        screen.click_row("order-table", "b-JPM", "cancel")
        await until(lambda: screen.find("toast").isVisible())
        assert (screen.text("toast-code"), screen.text("toast-text")) == ("NOT_CANCELABLE", "It is filled already.")


async def test_selecting_a_trade_shows_its_chart_timeline_repair_and_evidence(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.choose("bracket-table", "b-TSLA")
        assert screen.text("detail-title") == "TSLA"
        assert screen.find("repair").isVisible()
        assert "base price" in screen.text("repair-error")
        said = screen.find("waterfall").accessibleName()
        assert "You decided 5.1 s" in said
        assert "Protect 3.2 s and counting" in said
        screen.click("detail-retry")
        assert await screen.commands() == [("retry_bracket", "b-TSLA")]
        screen.choose("bracket-table", "b-AAPL")
        assert screen.find("repair").isHidden()
        screen.window.detail.header.tabs.choose(1)
        labels = screen.window.detail.body.findChildren(QLabel)
        assert any("61e69015" in label.text() for label in labels)


async def test_few_samples_show_their_number_and_no_percentile(opened: Any) -> None:
    async with opened("stale") as screen:
        labels = [label.text() for label in screen.window.latency.body.findChildren(QLabel)]
        assert labels.count("n=7") == 4
        firsts = [screen.text(f"latency-{stage}-first") for stage in ("submit", "bracket", "total", "decide")]
        assert firsts == ["–"] * 4
    async with opened("trouble") as screen:
        assert screen.text("latency-submit-first") == "84"


async def test_the_latency_chart_is_built_after_the_window_stands(opened: Any) -> None:
    async with opened("trouble") as screen:
        await until(lambda: screen.window.latency.chart is not None, 5)
        await until(lambda: screen.find("latency-series").isVisible())
        screen.window.latency.header.tabs.choose(1)
        assert screen.find("latency-histogram").isVisible()


async def test_the_filter_key_goes_to_the_filter_and_letters_there_are_letters(opened: Any) -> None:
    async with opened("trouble") as screen:
        await until(lambda: screen.window.signals.current is not None)
        await asyncio.sleep(0.35)
        screen.press(Qt.Key.Key_Slash)
        box = screen.find("bracket-filter")
        assert screen.window.focusWidget() is box
        QTest.keyClicks(box, "aa")
        await asyncio.sleep(0.05)
        assert not screen.desk.commands
        trades = screen.window.brackets.model.rows()
        assert [b.symbol for b in trades] == ["TSLA", "QQQ", "AAPL"], "no filter hides what is in trouble"


async def test_escape_clears_the_filter_of_a_panel(opened: Any) -> None:
    async with opened("busy") as screen:
        box = screen.find("order-filter")
        assert isinstance(box, QLineEdit)
        box.setFocus()
        QTest.keyClicks(box, "aa")
        QTest.keyClick(box, Qt.Key.Key_Escape)
        assert (box.text(), box.hasFocus()) == ("", False)


async def test_f1_shows_every_key(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.press(Qt.Key.Key_F1)
        assert screen.find("key-sheet").isVisible()
        screen.press(Qt.Key.Key_Escape)
        assert screen.find("key-sheet").isHidden()


async def test_an_idle_desk_closes_without_a_question(opened: Any) -> None:
    async with opened("empty") as screen:
        screen.window.close()
        assert screen.closing == [1]
        assert screen.window.isVisible()


async def test_closing_with_trades_on_asks_and_back_stays(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.window.close()
        assert not screen.closing
        assert "6 open trades" in screen.text("close-sheet-sentence")
        assert "Protective exits stay at the broker" in screen.text("close-sheet-consequence")
        assert screen.window.focusWidget() is screen.find("close-sheet-back")
        screen.click("close-sheet-back")
        assert screen.find("close-sheet").isHidden()
        assert not screen.closing


async def test_closing_can_leave_or_cancel_working_entries(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.window.close()
        screen.click("close-sheet-yes")
        assert screen.closing == [1]
        assert not screen.desk.commands
    async with opened("trouble") as screen:
        screen.desk.hold("cancel_working_entries")
        screen.window.close()
        screen.click("close-sheet-also")
        await screen.commands()
        assert not screen.closing
        screen.desk.release("cancel_working_entries")
        await until(lambda: screen.closing == [1])


async def test_the_layout_and_theme_are_remembered_and_can_be_reset(opened: Any, tmp_path: Path) -> None:
    layout = tmp_path / "remembered.ini"
    async with opened("busy", layout) as screen:
        screen.find("dock-activity").hide()
        screen.window.use_theme("light")
    async with opened("busy", layout, as_left=True) as screen:
        assert screen.find("dock-activity").isHidden()
        assert theme.tokens() is theme.LIGHT
        screen.window.reset_layout()
        assert screen.find("dock-activity").isVisible()


async def test_the_colours_of_buys_and_sells_are_chosen_and_remembered(opened: Any, tmp_path: Path) -> None:
    layout = tmp_path / "remembered.ini"
    async with opened("busy", layout) as screen:
        menu = screen.window.findChild(SidesMenu)
        menu.aboutToShow.emit()
        assert [act.text() for act in menu.actions() if act.isChecked()] == ["Blue buys, orange sells"]
        next(act for act in menu.actions() if act.text().startswith("Green buys")).trigger()
        screen.window.use_theme("light")
        assert (theme.tokens().name, theme.tokens().buy) == ("light", theme.SIDES["Green buys, red sells"]["light"][0])
    theme.use(the_application(), "dark", "Blue buys, orange sells")
    async with opened("busy", layout, as_left=True) as screen:
        assert theme.tokens() == theme.palette_of("light", "Green buys, red sells")
        menu = screen.window.findChild(SidesMenu)
        menu.aboutToShow.emit()
        assert [act.text() for act in menu.actions() if act.isChecked()] == [f"Green buys, red sells ({CAUTION})"]


async def test_commands_end_with_the_window(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.desk.hold("retry_bracket")
        screen.click_row("bracket-table", "b-TSLA", "retry")
        await screen.commands()
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not any(name.startswith("window:") for name in names)


async def test_nothing_is_followed_after_the_window_is_gone(opened: Any) -> None:
    kept: list[Screen] = []
    async with opened("trouble") as screen:
        kept.append(screen)
        screen.window.detail.show_subject(screen.desk.bracket("b-AAPL"))  # leaves a request for bars behind
    kept[0].desk.put(kept[0].desk.view())  # would reach deleted widgets
    await asyncio.sleep(0.1)
