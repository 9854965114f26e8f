"""Where the panels stand when a window is new: trades and orders in the middle, the others in docks around them."""

from __future__ import annotations

from typing import Final, NamedTuple

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QSplitter, QVBoxLayout, QWidget

from gui.panel_set import PanelSet
from gui.theme import FRAME, GAP
from gui.widgets.panel import Panel

_SIZE: Final = QSize(1920, 1080)
"""Of a new window, where the screen has the room."""


class Arrangement(NamedTuple):
    top: QVBoxLayout
    """Bars over everything, from the top down."""
    middle: QSplitter
    docks: dict[str, QDockWidget]
    """By the name of the panel in it."""


def arrange(window: QMainWindow, panels: PanelSet) -> Arrangement:
    edge = FRAME + GAP
    window.setContentsMargins(edge, edge, edge, edge)
    window.setDockOptions(QMainWindow.DockOption.AllowNestedDocks | QMainWindow.DockOption.AllowTabbedDocks)
    bars = QWidget()
    top = QVBoxLayout(bars)
    top.setContentsMargins(0, 0, 0, GAP)
    top.addWidget(panels.state_bar)
    window.setMenuWidget(bars)
    middle = QSplitter(Qt.Orientation.Vertical)
    middle.setHandleWidth(GAP)
    middle.setChildrenCollapsible(False)
    middle.addWidget(panels.brackets)
    middle.addWidget(panels.orders)
    middle.setStretchFactor(0, 45)
    middle.setStretchFactor(1, 55)
    window.setCentralWidget(middle)
    area = Qt.DockWidgetArea
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
    return Arrangement(top, middle, docks)


def _dock(window: QMainWindow, panel: Panel, where: Qt.DockWidgetArea) -> QDockWidget:
    dock = QDockWidget(panel.title, window)
    dock.setObjectName(f"dock-{panel.name}")
    dock.setTitleBarWidget(panel.header)
    dock.setWidget(panel.body)
    window.addDockWidget(where, dock)
    panel.setParent(dock)  # owns the two halves' signals; shows nothing itself
    panel.hide()
    return dock
