"""How much of the window the docks take: shares, which stay as the operator has set them whatever size the window has.

Qt keeps a dock's pixels and gives the middle what is left: a window that goes from a large screen to a small one would
have no tables any more. So each dock has a share of the width (left, right) or of the height (top, bottom); a separator
that is dragged sets it, the window's size never does. No dock gets less than it needs to be read. The middle, a window
in the window, is shared out the same way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

AROUND: Final = {"signals": 0.2, "detail": 0.213, "incidents": 0.232}
"""Shares of a new window; the middle has what is left."""
BOTTOM_ROW: Final = {"incidents": 0.25, "latency": 0.45, "activity": 0.3}
"""Of the width, side by side."""
MIDDLE: Final = {"brackets": 0.43}
"""Of the middle's height; the orders have what is left."""
_LEAST: Final = {"signals": 322, "detail": 270}
"""Pixels of width."""
_LEAST_WIDTH: Final = 160
_LEAST_HEIGHT: Final = {"brackets": 110}
_LEAST_HEIGHT_ELSE: Final = 176
_UPRIGHT: Final = (Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea)


class Host(NamedTuple):
    """A window with docks, and what they take of it when it is new."""

    window: QMainWindow
    docks: Mapping[str, QDockWidget]
    shares: Mapping[str, float]
    """Of the width, or of the height."""
    row: Mapping[str, float] = {}
    """Of the width, side by side."""


class Proportions(QObject):
    def __init__(self, host: Host) -> None:
        super().__init__(host.window)
        self._host = host
        self._window = window = host.window
        self._docks = docks = host.docks
        self._shares: dict[str, float] = {}
        self._at_press: dict[str, float] = {}
        for dock in docks.values():
            dock.toggleViewAction().triggered.connect(lambda _shown: self.follow())
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        # Separators are the window's own: their mouse events are told to it.
        match event.type():
            case QEvent.Type.Resize:
                self.follow()
            case QEvent.Type.MouseButtonPress:
                self._at_press = self._taken()
            case QEvent.Type.MouseButtonRelease:
                self._shares |= dict(self._taken().items() - self._at_press.items())
        return False

    def follow(self) -> None:
        """Give each dock its share of what the window is now."""
        window = self._window
        shown = [(name, dock) for name, dock in self._docks.items() if name in self._shares and self._counts(dock)]
        for across in (True, False):
            along = [(name, dock) for name, dock in shown if self._is_upright(dock) is across]
            whole = window.width() if across else window.height()
            sizes = [max(round(self._shares[name] * whole), _least(name, across)) for name, _ in along]
            orientation = Qt.Orientation.Horizontal if across else Qt.Orientation.Vertical
            if along:
                window.resizeDocks([dock for _, dock in along], sizes, orientation)

    def share_out(self) -> None:
        """Those of a new window."""
        width = self._window.width()
        self._shares = dict(self._host.shares)
        row = self._host.row
        docks = [self._docks[name] for name in row]
        self._window.resizeDocks(docks, [int(width * share) for share in row.values()], Qt.Orientation.Horizontal)
        self.follow()

    # --- kept ------------------------------------------------------------------------------------------------

    def kept(self) -> dict[str, float]:
        return {name: round(share, 4) for name, share in self._shares.items()}

    def take(self, found: Mapping[str, float] | None) -> None:
        """What ``kept`` gave, of other windows too; without it, what the docks take now."""
        if found is None:
            self._shares = self._taken()
        else:
            self._shares = {name: share for name, share in found.items() if name in self._docks}
            self.follow()

    # --- inside ----------------------------------------------------------------------------------------------

    def _counts(self, dock: QDockWidget) -> bool:
        """It takes room of the window, now."""
        return not (dock.isHidden() or dock.isFloating())

    def _is_upright(self, dock: QDockWidget) -> bool:
        """On the left or on the right: its width matters."""
        return self._window.dockWidgetArea(dock) in _UPRIGHT

    def _taken(self) -> dict[str, float]:
        """Shares as the docks stand."""
        width, height = max(self._window.width(), 1), max(self._window.height(), 1)
        return {
            name: dock.width() / width if self._is_upright(dock) else dock.height() / height
            for name, dock in self._docks.items()
            if self._counts(dock)
        }


def _least(name: str, across: bool) -> int:
    """Pixels."""
    return _LEAST.get(name, _LEAST_WIDTH) if across else _LEAST_HEIGHT.get(name, _LEAST_HEIGHT_ELSE)


def read_shares(raw: Any) -> dict[str, float] | None:
    """Panel -> its share, from 0 to 1; None when that is no such thing."""
    try:
        found = json.loads(bytes(raw)) if raw is not None else None
    except (TypeError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    return {
        name: float(share)
        for name, share in found.items()
        if isinstance(share, int | float) and math.isfinite(share) and 0 < share < 1
    }
