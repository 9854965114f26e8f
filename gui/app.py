"""How the composition root opens the window: an application, then a window that lives as long as a block.

One loop runs the window and the engine (``qasync.QEventLoop``). Closing the window only asks; the block ends when who
opened it says so, and its commands end with it.
"""

from __future__ import annotations

import asyncio
import importlib
import linecache
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QStyleFactory

from engine.clock import SystemClock
from engine.notify import notify_operator
from gui import theme
from gui.actions import Actions, command_scope
from gui.bridge import Bridge
from gui.calling import Calling
from gui.dialogs.keys_sheet import Cabinet, KeysSheet
from gui.dialogs.past_sheet import PastDays, PastSheet
from gui.dialogs.settings_sheet import File, SettingsSheet
from gui.dialogs.sheet import Later
from gui.dialogs.welcome_sheet import WelcomeSheet
from gui.door import Door, DrillDoor, PastDoor
from gui.hearing import Hearing, Player, SpokenWords
from gui.panel_set import build_panels
from gui.past_window import PastWindow
from gui.sounds.voice import Voice
from gui.window import MainWindow

_CHARTS: Final = "gui.charts.latency_series"
_CHARTS_AFTER_S: Final = 0.2
"""The first paint is long done by then, and nobody has looked for a chart yet."""


class WallClock(Protocol):
    def now(self) -> datetime: ...


def make_application(argv: Sequence[str]) -> QApplication:
    """The application with its bundled fonts and its dark palette; it does not quit with its last window."""
    QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication(list(argv))
    prepare_application(app)
    return app


def prepare_application(app: QApplication) -> None:
    """Fonts, style and palette for an application that exists already."""
    app.setApplicationName("Greenlight")
    app.setApplicationDisplayName("")
    app.setQuitOnLastWindowClosed(False)
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setWindowIcon(QIcon(str(theme.RESOURCES / "icons" / "greenlight.svg")))
    theme.load_fonts()
    theme.use(app, theme.DARK.name)


@asynccontextmanager
async def show_window(
    desk: Door,
    *,
    layout_file: Path,
    on_close: Callable[[], None],
    clock: WallClock | None = None,
    drills: DrillDoor | None = None,
    settings: File | None = None,
    past: PastDays | None = None,
    keys: Cabinet | None = None,
    speaker: Player | None = None,
    voice: SpokenWords | None = None,
    welcome: bool = False,
) -> AsyncIterator[MainWindow]:
    """The window, shown and following ``desk``, until the block ends.

    Args:
        layout_file: INI file that remembers sizes, places and theme; made when absent.
        on_close: called when the operator has decided to leave. The window stays until the block ends.
        clock: wall time for ages and countdowns; the machine's by default.
        drills: the room for drills of a desk on the embedded exchange.
        settings: the file that the desk was set up with; without it there is nothing to set.
        keys: where the keys of Alpaca are kept; without it they are not asked for.
        speaker: what alarms are heard on; without it there are no sounds.
        voice: what speaks them; without it, or a speaker, they are not spoken.
        welcome: it is the first start: the first steps are shown.
        past: the days that can be looked at again, each in a window of its own.
    """
    now = (clock or SystemClock()).now
    async with command_scope() as spawn:
        actions = Actions(desk, spawn, drills=drills)
        bridge = Bridge(desk)
        panels = await build_panels(desk, actions, bridge, now)
        window = MainWindow(desk.mode, panels, bridge, actions, now=now, layout_file=layout_file, on_close=on_close)
        # Of our own, as below. One that hangs on the system's notifications must not hold up the end.
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="notify")
        calling = Calling(window, bridge, pool, notify_operator)
        if speaker is not None:
            Hearing(window, bridge, speaker, voice or Voice(()), asyncio.get_running_loop().time)
        if settings is not None:
            sheet = Later(lambda: SettingsSheet(settings, window))
            window.state_bar.menu.addAction("Settings", lambda: sheet().ask())
        if keys is not None:
            own_keys = Later(lambda: KeysSheet(keys, spawn, window))
            first_steps = Later(lambda: WelcomeSheet(keys, spawn, window))
            window.state_bar.menu.addAction("Alpaca keys", lambda: own_keys().ask())
            window.state_bar.menu.addAction("First steps", lambda: first_steps().ask())
        if past is not None:
            days = Later(lambda: PastSheet(past, spawn, window))
            window.state_bar.menu.addAction("Replay a day", lambda: days().ask())
        try:
            # Arranging, filling and the first layout are a turn each: the desk's work goes on between them.
            await asyncio.sleep(0)
            window.start()
            await asyncio.sleep(0)
            window.show()
            spawn("window:charts", _build_charts(window))
            if keys is not None and welcome:
                first_steps().ask()
            yield window
        finally:
            actions.close()
            calling.put_away()
            pool.shutdown(wait=False, cancel_futures=True)
            window.put_away()
            actions.deleteLater()


@asynccontextmanager
async def show_past(past: PastDoor, *, layout_file: Path, on_close: Callable[[], None]) -> AsyncIterator[PastWindow]:
    """The window on a day that is over, shown until the block ends. Nothing in it reaches a broker."""
    async with command_scope() as spawn:
        actions = Actions(past, spawn)
        bridge = Bridge(past)
        panels = await build_panels(past, actions, bridge, lambda: past.at)
        window = PastWindow(past, panels, bridge, actions, layout_file=layout_file, on_close=on_close)
        try:
            window.start()
            window.show()
            spawn("window:charts", _build_charts(window))
            spawn("window:past", window.follow())
            yield window
        finally:
            actions.close()
            window.put_away()
            actions.deleteLater()


async def _build_charts(window: MainWindow) -> None:
    """pyqtgraph takes half a second to import: off the loop, and only when the window stands."""
    await asyncio.sleep(_CHARTS_AFTER_S)
    # A pool of our own: qasync's default executor makes QThreads that outlive the window.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="charts") as pool:
        await asyncio.get_running_loop().run_in_executor(pool, importlib.import_module, _CHARTS)
    window.latency.build_chart()
    # PySide6's hook in ``import`` has read the source of every module that came after it, and Python keeps the lines.
    linecache.clearcache()
