"""Which columns of a table are in sight: a right click on its head takes columns away and brings them back.

What is taken away stays away, however wide the table becomes. Of what is left, the spare ones still go by themselves
where room is short. Each table keeps up to three sets of its own, beside what a layout holds of all of them, and which
of its columns stand out for a moment when something in them changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QPoint, QSettings, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from gui.tables.blotter import Blotter

SETS: Final = ("1", "2", "3")
_BROUGHT: Final = "+"


class ColumnChoice(QObject):
    changed = Signal()

    def __init__(self, view: Blotter, settings: QSettings) -> None:
        super().__init__(view)
        self._view = view
        self._settings = settings
        view.flashes.choose(self._read(self._flashes) or ())
        head = view.header()
        head.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        head.customContextMenuRequested.connect(self._ask)

    @property
    def away(self) -> list[str]:
        """Keys of the columns that somebody took away; with a plus before it, of those that somebody brought in."""
        return sorted([*self._view.away, *(f"{_BROUGHT}{key}" for key in self._view.brought)])

    def put_away(self, keys: Iterable[str]) -> None:
        """These and no others, written like ``away``. A column that the table does not have is no matter: another
        version may have had it."""
        keys = set(keys)
        titled = [column for column in self._view.rows.columns if column.title]
        usual = {column.key for column in titled if not column.group}
        more = {column.key for column in titled if column.group}
        self._view.put_away(usual & keys, more & {key.removeprefix(_BROUGHT) for key in keys if key[:1] == _BROUGHT})

    def menu(self) -> QMenu:
        """Every column that has a title, with a tick where it is wanted; beneath the usual ones all others by group."""
        menu = QMenu(self._view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        every = [column for column in self._view.rows.columns if column.title]
        titled = [column for column in every if not column.group]
        for column in titled:
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(column.key not in self._view.away)
            action.setEnabled(action.isChecked() is False or len(self._view.away) < len(titled) - 1)  # one stays
            action.toggled.connect(self._switch(column.key))
        for group in dict.fromkeys(column.group for column in every if column.group):
            more = menu.addMenu(group)
            for column in every:
                if column.group == group:
                    action = more.addAction(column.title)
                    action.setCheckable(True)
                    action.setChecked(column.key in self._view.brought)
                    action.toggled.connect(partial(self._bring, column.key))
        menu.addSeparator()
        everything: QAction = menu.addAction("The usual columns", self._bring_usual)
        everything.setEnabled(bool(self.away))
        menu.addSeparator()
        for name in SETS:
            kept = self.kept(name)
            use = menu.addAction(f"Set {name}", partial(self.use, name))
            use.setEnabled(kept is not None)
            use.setCheckable(True)
            use.setChecked(kept is not None and set(kept) == set(self.away))
        keeping = menu.addMenu("Keep these as")
        for name in SETS:
            keeping.addAction(f"Set {name}", partial(self.keep, name))
        menu.addSeparator()
        filters = menu.addAction("Filter under each head")
        filters.setCheckable(True)
        filters.setChecked(self._view.filters.is_shown)
        filters.toggled.connect(self._view.filters.show)
        flashing = menu.addMenu("Stand out when they change")
        for column in [each for each in every if not each.group or each.key in self._view.brought]:
            action = flashing.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(column.key in self._view.flashes.columns)
            action.toggled.connect(partial(self._switch_flash, column.key))
        return menu

    # --- sets ------------------------------------------------------------------------------------------------

    def kept(self, name: str) -> list[str] | None:
        """Keys of the columns that are away in a set; None while there is no such set."""
        return self._read(self._key(name))

    def keep(self, name: str) -> None:
        """What is in sight now, in place of what was kept so."""
        self._settings.setValue(self._key(name), json.dumps(self.away))

    def use(self, name: str) -> None:
        kept = self.kept(name)
        if kept is not None:
            self.put_away(kept)
            self.changed.emit()

    def _key(self, name: str) -> str:
        return f"column_sets/{self._view.objectName()}/{name}"

    @property
    def _flashes(self) -> str:
        return f"flashes/{self._view.objectName()}"

    def _read(self, key: str) -> list[str] | None:
        """Keys of columns, as they were kept; None when there are none, or not of a kind that can be read."""
        value = self._settings.value(key)
        try:
            found = json.loads(str(value)) if value is not None else None
        except ValueError:
            return None
        return [each for each in found if isinstance(each, str)] if isinstance(found, list) else None

    # --- inside ----------------------------------------------------------------------------------------------

    def _switch(self, key: str) -> Callable[[bool], None]:
        def switch(on: bool) -> None:
            self._view.put_away(self._view.away - {key} if on else self._view.away | {key}, self._view.brought)
            self.changed.emit()

        return switch

    def _switch_flash(self, key: str, on: bool) -> None:
        self._view.flashes.choose(self._view.flashes.columns | {key} if on else self._view.flashes.columns - {key})
        self._settings.setValue(self._flashes, json.dumps(sorted(self._view.flashes.columns)))

    def _bring(self, key: str, on: bool) -> None:
        """A column that is not among the usual ones."""
        self._view.put_away(self._view.away, self._view.brought | {key} if on else self._view.brought - {key})
        self.changed.emit()

    def _bring_usual(self) -> None:
        self.put_away(())
        self.changed.emit()

    def _ask(self, at: QPoint) -> None:
        self.menu().popup(self._view.header().mapToGlobal(at))


def choices_of(views: Sequence[Blotter], settings: QSettings) -> dict[str, ColumnChoice]:
    """By the tables' names. ``settings`` keep their sets."""
    return {view.objectName(): ColumnChoice(view, settings) for view in views}
