"""Where the window's panels are: default proportions, what the operator made of them, and layouts with a name.

All of it is kept in one file of settings. A layout can be written to a file of its own and read from one: it holds
where panels and windows are, which columns are in sight, and nothing of the desk.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QApplication

from gui import theme
from gui.proportions import Host, Proportions, read_shares
from gui.tables.blotter import Blotter
from gui.tables.column_choice import choices_of

LAYOUT_VERSION: Final = 1
LONGEST_NAME: Final = 40
LARGEST_FILE: Final = 200_000
"""Bytes; a layout is some thousand."""
_PARTS: Final = ("geometry", "state", "middle", "columns")
_SHARES: Final = "shares"
"""What the docks take of the window: a layout of a large screen fits a small one. Older layouts have none."""
_MARK: Final = "greenlight-layout"


class LayoutRefused(ValueError):
    """A name that cannot be one, or a file that is no layout. The text is for the operator."""


class Layout:
    def __init__(
        self,
        outer: Host,
        middle: Host,
        settings: QSettings,
        tables: Sequence[Blotter],
    ) -> None:
        """Made when the window is complete: what it is then is what ``reset`` goes back to."""
        self._columns = choices_of(tables, settings)
        for choice in self._columns.values():
            choice.changed.connect(self.save)
        self._window = outer.window
        self._middle = middle.window
        self._docks = (*middle.docks.values(), *outer.docks.values())
        self.settings = settings
        self._default = [(host.window, host.window.saveState(LAYOUT_VERSION)) for host in (outer, middle)]
        self._proportions = (Proportions(outer), Proportions(middle))

    def use_theme(self, name: str) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.use(app, name)
        self.settings.setValue("theme", name)

    def use_sides(self, name: str) -> None:
        """Other colours of buys and sells."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.use(app, theme.tokens().name, name)
        self.settings.setValue("sides", name)

    def reset(self) -> None:
        for window, state in self._default:
            window.restoreState(state, LAYOUT_VERSION)
        for dock in self._docks:
            dock.show()
        for choice in self._columns.values():
            choice.put_away(())
        self.share_out()

    def save(self) -> None:
        for part, value in self._as_it_is().items():
            self.settings.setValue(part, value)
        self.settings.sync()

    def restore(self) -> bool:
        """As it was left; False when there is nothing to go back to."""
        name = self.settings.value("theme")
        if name in theme.PALETTES and name != theme.tokens().name:
            self.use_theme(str(name))
        sides = self.settings.value("sides")
        if sides in theme.SIDES and sides != theme.sides():
            self.use_sides(str(sides))
        return self._put({part: self.settings.value(part) for part in (*_PARTS, _SHARES)})

    # --- with a name -----------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        self.settings.beginGroup("layouts")
        found = sorted(self.settings.childGroups(), key=str.casefold)
        self.settings.endGroup()
        return [_unescaped(name) for name in found]

    def save_as(self, name: str) -> str:
        """Keep the window as it is now under a name, in place of one that is called so; returns the name.

        Raises:
            LayoutRefused: it is empty or too long.
        """
        return self._keep(name, self._as_it_is())

    def use(self, name: str) -> bool:
        """Put everything where it was when it was saved; False when there is no such layout."""
        return self._put({part: self.settings.value(_key(name, part)) for part in (*_PARTS, _SHARES)})

    def forget(self, name: str) -> None:
        self.settings.remove(f"layouts/{_escaped(name)}")
        self.settings.sync()

    def export(self, name: str, path: Path) -> None:
        """Raises:
        OSError: the file cannot be written.
        """
        parts = {part: self.settings.value(_key(name, part)) for part in (*_PARTS, _SHARES)}
        encoded = {part: base64.b64encode(bytes(value)).decode() for part, value in parts.items() if value is not None}
        path.write_text(json.dumps({_MARK: LAYOUT_VERSION, "name": name, **encoded}, indent=2) + "\n")

    def read(self, path: Path) -> str:
        """Keep the layout of a file under its own name; returns the name.

        Raises:
            OSError: the file cannot be read.
            LayoutRefused: it is no layout of this version.
        """
        if path.stat().st_size > LARGEST_FILE:
            raise LayoutRefused(f"{path.name} is too large to be a layout.")
        try:
            found: Any = json.loads(path.read_text())
        except ValueError as error:
            raise LayoutRefused(f"{path.name} is no layout: {error}.") from error
        if not isinstance(found, dict) or found.get(_MARK) != LAYOUT_VERSION or not isinstance(found.get("name"), str):
            raise LayoutRefused(f"{path.name} is no layout of this version.")
        try:
            there = (*_PARTS, _SHARES) if _SHARES in found else _PARTS
            parts = {part: QByteArray(base64.b64decode(found[part], validate=True)) for part in there}
            json.loads(bytes(parts["columns"].data()))
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise LayoutRefused(f"{path.name} is damaged.") from error
        before = self._as_it_is()
        fits = self._put(parts)
        self._put(before)
        if not fits:
            raise LayoutRefused(f"{path.name} does not fit this window.")
        return self._keep(found["name"], parts)

    # --- inside ----------------------------------------------------------------------------------------------

    def _as_it_is(self) -> dict[str, QByteArray]:
        window = self._window
        away = {name: choice.away for name, choice in self._columns.items() if choice.away}
        columns = QByteArray(json.dumps(away).encode())
        states = (window.saveState(LAYOUT_VERSION), self._middle.saveState(LAYOUT_VERSION))
        shares = {name: share for proportions in self._proportions for name, share in proportions.kept().items()}
        values = (window.saveGeometry(), *states, columns)
        return dict(zip(_PARTS, values, strict=True)) | {_SHARES: QByteArray(json.dumps(shares).encode())}

    def _put(self, parts: Mapping[str, Any]) -> bool:
        geometry, state, middle, columns = (parts[part] for part in _PARTS)
        if geometry is None or state is None or middle is None:
            return False
        if not self._window.restoreState(state, LAYOUT_VERSION):
            return False
        away = _read_columns(columns)
        for name, choice in self._columns.items():
            choice.put_away(away.get(name, ()))
        if not self._window.restoreGeometry(geometry):
            return False
        self._middle.restoreState(middle, LAYOUT_VERSION)  # of a splitter once: then it stays as it is
        shares = read_shares(parts.get(_SHARES))
        for proportions in self._proportions:
            proportions.take(shares)
        return True

    def _keep(self, name: str, parts: Mapping[str, QByteArray]) -> str:
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise LayoutRefused(f"A layout's name has 1 to {LONGEST_NAME} characters.")
        for part, value in parts.items():
            self.settings.setValue(_key(name, part), value)
        self.settings.sync()
        return name

    def share_out(self) -> None:
        """The default proportions, of whatever size the window has."""
        for proportions in self._proportions:
            proportions.share_out()


def _read_columns(value: Any) -> dict[str, list[str]]:
    """Table -> columns that are away. What cannot be read takes none away."""
    try:
        found = json.loads(bytes(value)) if value is not None else {}
    except (TypeError, ValueError):
        return {}
    tables = found.items() if isinstance(found, dict) else ()
    return {name: [key for key in keys if isinstance(key, str)] for name, keys in tables if isinstance(keys, list)}


def _key(name: str, part: str) -> str:
    return f"layouts/{_escaped(name)}/{part}"


def _escaped(name: str) -> str:
    """A slash would begin a group of its own."""
    return name.replace("%", "%25").replace("/", "%2F").replace("\\", "%5C")


def _unescaped(name: str) -> str:
    return name.replace("%5C", "\\").replace("%2F", "/").replace("%25", "%")
