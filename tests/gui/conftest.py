"""The window under test: offscreen, on the loop it really runs on, over a desk of scenes."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from qasync import QEventLoop

from gui import theme
from gui.app import make_application, prepare_application, show_window
from gui.panels.incidents import IncidentList
from gui.tables.blotter import Blotter
from gui.widgets.hold_button import HOLD_MS
from gui.window import MainWindow
from tests.gui.scenes import SceneDesk
from tests.gui.stage import desk_of


def the_application() -> QApplication:
    app = QApplication.instance()
    return app if isinstance(app, QApplication) else make_application(["greenlight-tests"])


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    """Coroutines of these tests run where the window runs: on Qt's own loop."""
    return {"qt": lambda: QEventLoop(the_application())}


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    app = the_application()
    prepare_application(app)
    return app


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    if theme.tokens() is not theme.DARK:
        theme.use(qapp, theme.DARK.name, next(iter(theme.SIDES)))


@pytest.fixture(autouse=True)
def _widgets_die_here() -> Iterator[None]:
    """In Qt's own thread, as in the program: by itself the collector may walk in a worker's, and widgets die there."""
    gc.disable()
    yield
    gc.collect(1)


@pytest.fixture(scope="module", autouse=True)
def _old_widgets_too() -> Iterator[None]:
    yield
    gc.collect()
    gc.enable()


async def until(is_so: Callable[[], bool], timeout_s: float = 2.0) -> None:
    """Let the loop run until ``is_so``: what is waited for is on the screen, which has no event to wait on."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_s
    while not is_so():
        assert loop.time() < end, "it never came to be"
        await asyncio.sleep(0.005)


async def hold(button: QWidget) -> None:
    """By mouse, for as long as a button that is held wants it."""
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    await asyncio.sleep(HOLD_MS / 1_000 + 0.1)
    QTest.mouseRelease(button, Qt.MouseButton.LeftButton)


class Screen:
    """What a person can see and do: names, words, clicks and keys."""

    def __init__(self, desk: SceneDesk, window: MainWindow, closing: list[int]) -> None:
        self.desk = desk
        self.window = window
        self.closing = closing
        """Grows by one when the window asks to be closed."""

    def find(self, name: str, within: QWidget | None = None) -> QWidget:
        found = (within or self.window).findChild(QWidget, name)
        assert found is not None, f"there is no {name}"
        return found

    def text(self, name: str, within: QWidget | None = None) -> str:
        widget = self.find(name, within)
        assert isinstance(widget, QLabel | QAbstractButton)
        return widget.text()

    def click(self, name: str, within: QWidget | None = None) -> None:
        widget = self.find(name, within)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=widget.rect().center())

    def click_row(self, table: str, key: str, button: str) -> None:
        """A button inside a row."""
        view = self.find(table)
        assert isinstance(view, Blotter | IncidentList)
        view.scrollTo(view.rows.index_of(key))
        box = view.button_rect(key, button)
        assert not box.isEmpty(), f"{key} has no button {button}"
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=box.center())

    def choose(self, table: str, key: str) -> None:
        """Click a row, right of its arrow."""
        view = self.find(table)
        assert isinstance(view, Blotter)
        view.scrollTo(view.rows.index_of(key))
        rect = view.visualRect(view.rows.index_of(key))
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(rect.left() + 60, rect.center().y()))

    def row(self, table: str, key: str) -> list[str]:
        view = self.find(table)
        assert isinstance(view, Blotter)
        return view.text_of(key)

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.window, key, held)

    async def commands(self, count: int = 1) -> list[tuple[Any, ...]]:
        await until(lambda: len(self.desk.commands) >= count)
        return self.desk.commands


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Any]:
    """``async with opened("trouble") as screen``."""

    @asynccontextmanager
    async def open_scene(
        scene: str | SceneDesk, layout: Path | None = None, *, as_left: bool = False
    ) -> AsyncIterator[Screen]:
        desk = desk_of(scene) if isinstance(scene, str) else scene
        closing: list[int] = []
        async with show_window(
            desk, layout_file=layout or tmp_path / "layout.ini", on_close=lambda: closing.append(1), clock=desk.clock
        ) as window:
            screen = Screen(desk, window, closing)
            if not as_left:
                window.resize(1600, 900)
                window.reset_layout()
            window.activateWindow()
            await asyncio.sleep(0.02)
            window.arming.arm()  # as whoever has touched a row a moment ago
            yield screen

    return open_scene
