"""A day looked at again in the window: moving in time by hand, keys and play; unmistakable; nothing can be done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QProcess, Qt
from PySide6.QtTest import QTest

from engine.model.words import Mode
from engine.past.days import days_of
from engine.past.desk import open_past
from engine.past.opening import PastDays
from gui.app import show_past, show_window
from gui.panels.signal_card import SignalCard
from gui.past_window import PastWindow
from gui.widgets.time_slider import TimeSlider
from tests.gui.conftest import Screen, until
from tests.gui.stage import desk_of
from tests.gui.test_palette import enter, open_palette
from tests.wire.desk.past_day import Shot, live_a_day


class Replay(Screen):
    """What a person sees and does in it."""

    window: PastWindow

    def __init__(self, window: PastWindow, shots: list[Shot], closing: list[int]) -> None:
        super().__init__(None, window, closing)  # type: ignore[arg-type]
        self.shots = shots

    @property
    def slider(self) -> TimeSlider:
        return self.window.bar.slider

    async def drag_to(self, shot: Shot) -> None:
        self.window.go(shot.at)
        await self.arrived(shot)

    async def arrived(self, shot: Shot) -> None:
        """The panels show that moment: what was there, and nothing of what came later."""

        def is_so() -> bool:
            window = self.window
            orders = {o.id: (o.status.value, str(o.filled_qty), o.is_armed) for o in window.orders.model.rows()}
            trades = {b.id: str(b.held_qty) for b in window.brackets.model.rows()}
            decided = {signal.id: signal.status.value for signal in window.signals.history.rows()}
            waiting = {card.signal.id for card in window.findChildren(SignalCard) if not card.is_gone}
            lines = [line.seq for line in window.activity.model.rows()]
            return (
                orders == shot.orders
                and trades == {key: held for key, (held, _, plan) in shot.trades.items() if key in trades}
                and decided == {key: word for key, (word, _) in shot.signals.items() if word != "pending"}
                and waiting == {key for key, (word, _) in shot.signals.items() if word == "pending"}
                and max(lines, default=0) == shot.newest_line
            )

        await until(is_so, 5.0)


@pytest.fixture
def replayed(tmp_path: Path, qapp: Any) -> Any:
    @asynccontextmanager
    async def open_it() -> AsyncIterator[Replay]:
        journal, shots = await live_a_day(tmp_path)
        [day, *_] = days_of(journal)
        closing: list[int] = []
        async with (
            open_past(journal, Mode.SIM, day) as past,
            show_past(past, layout_file=tmp_path / "replay.ini", on_close=lambda: closing.append(1)) as window,
        ):
            window.resize(1600, 900)
            await asyncio.sleep(0.02)
            replay = Replay(window, shots, closing)
            replay.click("orders-all")  # the closed ones too
            yield replay

    return open_it


async def test_forth_and_back_every_panel_is_as_it_was(replayed: Any) -> None:
    async with replayed() as replay:
        for shot in (replay.shots[2], replay.shots[-1], replay.shots[0], replay.shots[3], replay.shots[1]):
            await replay.drag_to(shot)


async def test_it_cannot_be_taken_for_a_desk(replayed: Any) -> None:
    async with replayed() as replay:
        day = replay.window.windowTitle()
        assert day.startswith("REPLAY ")
        assert replay.text("past-badge") == "REPLAY"
        assert not replay.find("halt").isVisible()
        edge = replay.window.grab().toImage().pixelColor(1, 300)
        assert edge.name() == "#a58af0"


async def test_a_click_on_the_line_and_keys_move_in_time(replayed: Any) -> None:
    async with replayed() as replay:
        slider, day = replay.slider, replay.window._past.day
        QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 9, 12))
        await until(lambda: replay.window._past.at > day.began_at + (day.ended_at - day.began_at) * 0.95)
        slider.setFocus()
        QTest.keyClick(slider, Qt.Key.Key_Home)
        await until(lambda: replay.window._past.at == day.began_at)
        marks = [mark.at for mark in replay.window._past.marks if mark.at > day.began_at]
        replay.press(Qt.Key.Key_Period)
        await until(lambda: replay.window._past.at == marks[0])
        replay.press(Qt.Key.Key_Period)
        await until(lambda: replay.window._past.at == marks[1])
        replay.press(Qt.Key.Key_Comma)
        await until(lambda: replay.window._past.at == marks[0])


async def test_it_plays_on_faster_than_it_was_and_stops_at_the_end(replayed: Any) -> None:
    async with replayed() as replay:
        replay.click("past-speed-100")
        replay.click("past-play")
        assert replay.text("past-play") == "Pause"
        await until(lambda: not replay.window.is_playing, 5.0)
        assert replay.window._past.at == replay.window._past.day.ended_at
        assert replay.text("past-play") == "Play"


async def test_what_is_clicked_in_it_is_refused_and_said(replayed: Any) -> None:
    async with replayed() as replay:
        await replay.drag_to(replay.shots[1])
        trade = next(iter(replay.window.brackets.model.rows()))
        assert trade.held_qty
        replay.click_row("bracket-table", trade.id, "flatten")
        replay.click("brackets-confirm-yes")
        await until(lambda: replay.find("toast").isVisible())
        assert "looked at" in replay.text("toast-text")


async def test_it_closes_without_a_question(replayed: Any) -> None:
    async with replayed() as replay:
        await replay.drag_to(replay.shots[1])
        replay.window.close()
        assert replay.closing == [1]


async def test_the_desk_lists_its_days_and_opens_one_beside_itself(
    tmp_path: Path, qapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, _ = await live_a_day(tmp_path)
    [day, *_] = days_of(journal)
    begun: list[tuple[str, list[str]]] = []

    def start(program: str, arguments: list[str]) -> tuple[bool, int]:
        begun.append((program, arguments))
        return True, 1

    monkeypatch.setattr(QProcess, "startDetached", start)
    desk = desk_of("busy")
    async with show_window(
        desk,
        layout_file=tmp_path / "layout.ini",
        on_close=lambda: None,
        clock=desk.clock,
        past=PastDays(journal, Mode.SIM),
    ) as window:
        screen = Screen(desk, window, [])
        window.activateWindow()
        await asyncio.sleep(0.02)
        open_palette(screen, "replay")
        enter(screen)
        name = f"day-{day.date.isoformat()}"
        await until(lambda: window.findChild(object, name) is not None)
        screen.click("day-open", screen.find(name))
        assert [told[-1] for _, told in begun] == [day.date.isoformat()]
        assert "opens" in screen.text("past-sheet-note")
