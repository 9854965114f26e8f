"""Which columns of a table are in sight: a right click on its head takes columns away and brings them back.

What is taken away stays away, however wide the table becomes. Of what is left, the spare ones still go by themselves
where room is short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from gui.tables.blotter import Blotter


class ColumnChoice(QObject):
    changed = Signal()

    def __init__(self, view: Blotter) -> None:
        super().__init__(view)
        self._view = view
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
        return menu

    def _switch(self, key: str) -> Callable[[bool], None]:
        def switch(on: bool) -> None:
            self.put_away(self._view.away - {key} if on else self._view.away | {key})
            self.changed.emit()

        return switch

    def _bring_all(self) -> None:
        self.put_away(())
        self.changed.emit()

    def _ask(self, at: QPoint) -> None:
        self.menu().popup(self._view.header().mapToGlobal(at))


def choices_of(views: Sequence[Blotter]) -> dict[str, ColumnChoice]:
    """By the tables' names."""
    return {view.objectName(): ColumnChoice(view) for view in views}
