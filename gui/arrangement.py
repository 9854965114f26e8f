"""Where the panels stand when a window is new: trades and orders in the middle, the others around them, all in docks.

The middle is a window in the window: its two docks float, go side by side or behind one another, and whatever they do,
the others keep their places around it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QVBoxLayout, QWidget

from gui.panel_set import PanelSet
from gui.theme import FRAME, GAP
from gui.widgets.panel import Panel

_SIZE: Final = QSize(1920, 1080)
"""Of a new window, where the screen has the room."""


class Arrangement(NamedTuple):
    top: QVBoxLayout
    """Bars over everything, from the top down."""
    middle: QMainWindow
    docks: dict[str, QDockWidget]
    """Around the middle, by the name of the panel in it."""
    inner: dict[str, QDockWidget]
    """Those of the middle."""


def arrange(window: QMainWindow, panels: PanelSet) -> Arrangement:
    edge = FRAME + GAP
    window.setContentsMargins(edge, edge, edge, edge)
    middle = QMainWindow(flags=Qt.WindowType.Widget)
    for host in (window, middle):
        host.setDockOptions(QMainWindow.DockOption.AllowNestedDocks | QMainWindow.DockOption.AllowTabbedDocks)
    bars = QWidget()
    top = QVBoxLayout(bars)
    top.setContentsMargins(0, 0, 0, GAP)
    top.addWidget(panels.state_bar)
    window.setMenuWidget(bars)
    middle.setObjectName("middle")
    window.setCentralWidget(middle)
    area = Qt.DockWidgetArea
    inner = {panel.name: _dock(middle, panel, area.TopDockWidgetArea) for panel in (panels.brackets, panels.orders)}
    middle.splitDockWidget(inner["brackets"], inner["orders"], Qt.Orientation.Vertical)
    docks = {
        panel.name: _dock(window, panel, where)
        for panel, where in (
            (panels.signals, area.LeftDockWidgetArea),
            (panels.detail, area.RightDockWidgetArea),
            (panels.incidents, area.BottomDockWidgetArea),
            (panels.latency, area.BottomDockWidgetArea),
            (panels.activity, area.BottomDockWidgetArea),
        )
    }
    window.setMinimumSize(1200, 700)
    window.resize(_SIZE.boundedTo(window.screen().availableSize()))
    return Arrangement(top, middle, docks, inner)


def _dock(window: QMainWindow, panel: Panel, where: Qt.DockWidgetArea) -> QDockWidget:
    dock = QDockWidget(panel.title, window)
    dock.setObjectName(f"dock-{panel.name}")
    dock.setTitleBarWidget(panel.header)
    dock.setWidget(panel.body)
    window.addDockWidget(where, dock)
    panel.setParent(dock)  # owns the two halves' signals; shows nothing itself
    panel.hide()
    return dock
