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
        """Keys of the columns that somebody took away."""
        return sorted(self._view.away)

    def put_away(self, keys: Iterable[str]) -> None:
        """These and no others. A column that the table does not have is no matter: another version may have had it."""
        known = {column.key for column in self._view.rows.columns if column.title}
        self._view.put_away(known & set(keys))

    def menu(self) -> QMenu:
        """Every column that has a title, with a tick where it is wanted."""
        menu = QMenu(self._view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        titled = [column for column in self._view.rows.columns if column.title]
        for column in titled:
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(column.key not in self._view.away)
            action.setEnabled(action.isChecked() is False or len(self._view.away) < len(titled) - 1)  # one stays
            action.toggled.connect(self._switch(column.key))
        menu.addSeparator()
        everything: QAction = menu.addAction("All columns", self._bring_all)
        everything.setEnabled(bool(self._view.away))
        menu.addSeparator()
        for name in SETS:
            kept = self.kept(name)
            use = menu.addAction(f"Set {name}", partial(self.use, name))
            use.setEnabled(kept is not None)
            use.setCheckable(True)
            use.setChecked(kept is not None and set(kept) == self._view.away)
        keeping = menu.addMenu("Keep these as")
        for name in SETS:
            keeping.addAction(f"Set {name}", partial(self.keep, name))
        menu.addSeparator()
        filters = menu.addAction("Filter under each head")
        filters.setCheckable(True)
        filters.setChecked(self._view.filters.is_shown)
        filters.toggled.connect(self._view.filters.show)
        flashing = menu.addMenu("Stand out when they change")
        for column in titled:
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
            self.put_away(self._view.away - {key} if on else self._view.away | {key})
            self.changed.emit()

        return switch

    def _switch_flash(self, key: str, on: bool) -> None:
        self._view.flashes.choose(self._view.flashes.columns | {key} if on else self._view.flashes.columns - {key})
        self._settings.setValue(self._flashes, json.dumps(sorted(self._view.flashes.columns)))

    def _bring_all(self) -> None:
        self.put_away(())
        self.changed.emit()

    def _ask(self, at: QPoint) -> None:
        self.menu().popup(self._view.header().mapToGlobal(at))


def choices_of(views: Sequence[Blotter], settings: QSettings) -> dict[str, ColumnChoice]:
    """By the tables' names. ``settings`` keep their sets."""
    return {view.objectName(): ColumnChoice(view, settings) for view in views}
