"""A field under each column's head, for the rows that shall be in sight.

What is typed counts at once. It is never kept: a table that comes up with rows missing would be a trap. Escape empties
a field, and from an empty one leads back to the table; Enter and the arrow down lead there too, and nothing is sent.
"""

from __future__ import annotations

from typing import Any, Final, cast

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit

from gui.tables.column_filter import HELP, Admits, BadFilter, read_filter
from gui.tables.row_model import RowModel
from gui.theme import COLUMN_HEAD, FILTER_ROW, Type, font

_GAP: Final = 2
_LEADS_OUT: Final = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down)
_NARROWEST: Final = 40
"""Pixels; a narrower column has no room for a field."""


class FilterRow(QObject):
    def __init__(self, head: QHeaderView) -> None:
        super().__init__(head)
        self._head = head
        self._fields: dict[int, QLineEdit] = {}
        self._filters: dict[int, Admits] = {}
        self.is_shown = False
        head.sectionResized.connect(self._place)
        head.sectionMoved.connect(self._place)
        head.installEventFilter(self)

    @property
    def model(self) -> RowModel[Any]:
        return cast("RowModel[Any]", self._head.model())

    def field(self, key: str) -> QLineEdit:
        """Of the column of that key."""
        return self._fields[next(n for n, column in enumerate(self.model.columns) if column.key == key)]

    def show(self, on: bool) -> None:
        """Without it every row is in sight again."""
        if on == self.is_shown:
            return
        self.is_shown = on
        if not on:
            for field in self._fields.values():
                field.clear()
        self._head.setFixedHeight(COLUMN_HEAD + FILTER_ROW if on else COLUMN_HEAD)
        self._head.geometriesChanged.emit()
        self._place()

    def enter(self) -> None:
        """The cursor into the first field in sight."""
        for number in sorted(self._fields, key=self._head.visualIndex):
            if not self._fields[number].isHidden():
                self._fields[number].setFocus(Qt.FocusReason.ShortcutFocusReason)
                return

    def _made(self, number: int) -> QLineEdit:
        column = self.model.columns[number]
        field = QLineEdit(self._head.viewport())
        field.setObjectName(f"{self._table.objectName()}-filter-{column.key}")
        field.setAccessibleName(f"Filter of {column.title}")
        field.setFont(font(Type.SMALL))
        field.setFrame(False)
        field.installEventFilter(self)
        field.textChanged.connect(lambda text: self._typed(number, text))
        self._explain(field, None)
        return field

    @property
    def _table(self) -> QAbstractItemView:
        return cast("QAbstractItemView", self._head.parent())

    def _typed(self, number: int, text: str) -> None:
        field = self._fields[number]
        wrong = None
        self._filters.pop(number, None)
        try:
            admits = read_filter(text)
        except BadFilter as bad:
            admits, wrong = None, str(bad)
        if admits is not None:
            self._filters[number] = admits
        self._explain(field, wrong)
        self.model.set_column_filters(self._filters)

    def _explain(self, field: QLineEdit, wrong: str | None) -> None:
        if field.property("wrong") is not (wrong is not None):
            field.setProperty("wrong", wrong is not None)
            field.style().polish(field)
        field.setToolTip(wrong or HELP)
        field.setAccessibleDescription(wrong or "")

    def _place(self, *_: object) -> None:
        if not self.is_shown:
            for field in self._fields.values():
                field.hide()
            return
        head = self._head
        for number, column in enumerate(self.model.columns):
            width = 0 if head.isSectionHidden(number) else head.sectionSize(number)
            if column.title and width >= _NARROWEST:
                field = self._fields.get(number) or self._fields.setdefault(number, self._made(number))
                left = head.sectionViewportPosition(number)
                field.setGeometry(QRect(left + _GAP, COLUMN_HEAD, width - 2 * _GAP, FILTER_ROW - _GAP))
                field.show()
            elif number in self._fields:
                self._fields[number].hide()
                self._fields[number].clear()  # what nobody sees must hide nothing

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._head:
            if event.type() is QEvent.Type.Resize:
                self._place()
        elif event.type() is QEvent.Type.ShortcutOverride:
            if cast("QKeyEvent", event).key() in _LEADS_OUT:
                event.accept()  # the window's own keys of that name have to wait
                return True
        elif event.type() is QEvent.Type.KeyPress:
            return self._leaves(cast("QLineEdit", watched), cast("QKeyEvent", event))
        return False

    def _leaves(self, field: QLineEdit, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape and field.text():
            field.clear()
            return True
        if event.key() in _LEADS_OUT:
            self._table.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return True
        return False
