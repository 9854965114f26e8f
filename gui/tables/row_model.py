"""One table model for every blotter: frozen rows by key, staged, flushed once a frame.

``stage`` and ``drop`` may be called at any rate; the last word for a key wins. ``flush`` then tells the view the least
it must know: one ``dataChanged`` per run of neighbours, rows in and out by runs, one ``layoutChanged`` when the order
of those that stay has moved. A burst that touches rows everywhere is told in one word. Never a reset.

Sorting and filtering live here and not in a proxy: a Python row behind ``QSortFilterProxyModel`` is compared through
two virtual calls a comparison (0.2 s for 5,000 rows at every burst). Rows may have lines beneath them (a trade's
orders); those keep the order given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from gui.tables.column import Column
from gui.tables.column_filter import Admits
from gui.tables.row_filter import RowFilter
from gui.tables.row_order import RowOrder, Values, alike
from gui.tables.runs import contiguous_runs

SORT_ROLE: Final = Qt.ItemDataRole.UserRole + 1
ROW_ROLE: Final = Qt.ItemDataRole.UserRole + 2
KEY_ROLE: Final = Qt.ItemDataRole.UserRole + 3

type Index = QModelIndex | QPersistentModelIndex

_ROOT: Final = QModelIndex()

_FLAGS: Final = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
_MANY_RUNS: Final = 24
"""From here on telling every run costs the view more than one wider word."""

_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


def _every(_row: Any) -> bool:
    return True


class RowModel[R](QAbstractItemModel):
    filtered = Signal()  # a person's filter has changed

    def __init__(
        self,
        columns: Sequence[Column[R]],
        key: Callable[[R], str],
        *,
        accepts: Callable[[R], bool] = _every,
        stays: Callable[[R], bool] | None = None,
        rank: Callable[[R], int] = alike,
        children: Callable[[R], Sequence[Any]] | None = None,
        limit: int | None = None,
        page: int | None = None,
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            accepts: which rows belong here at all (open ones, say); the filter of the person comes on top.
            stays: which rows no filter of the person hides: a naked position, say.
            rank: rows of a lower rank stand above all others, whichever column sorts.
            limit: keep this many rows; the first staged go first.
            page: show this many rows, and as many more each time the view is scrolled to its end: a view lays out
                every row it shows whenever one comes in.
        """
        super().__init__(parent)
        self.columns: Final = tuple(columns)
        self._key = key
        self._accepts = accepts
        self._filter = RowFilter(self.columns, stays)
        self._order = RowOrder(self.columns, rank)
        self._children = children
        self._flags = _FLAGS if children is not None else _FLAGS | Qt.ItemFlag.ItemNeverHasChildren
        self._limit = limit
        self._page = page
        self._most = page
        """Rows shown at most, for now."""
        self._more = False
        """There are rows beyond those."""
        self._rows: dict[str, R] = {}
        self._lines: dict[str, Sequence[Any]] = {}
        self._values: dict[str, Values] = {}
        self._shown: list[str] = []
        self._row_of: dict[str, int] = {}
        self._number_of: dict[str, int] = {}
        self._key_of: dict[int, str] = {}
        self._staged: dict[str, R | None] = {}
        self._dead: set[str] = set()
        self._resort = False

    # --- what the panels do ------------------------------------------------------------------------------------

    def stage(self, rows: Iterable[R]) -> None:
        for row in rows:
            self._staged[self._key(row)] = row

    def drop(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._staged[key] = None

    def drop_all(self) -> None:
        self._staged = dict.fromkeys(self._rows)

    def look_again(self, concerned: Callable[[R], bool]) -> None:
        """Something outside of the rows has changed, by which some of them may be sorted or filtered."""
        if not (self._order.follows or self._filter.follows):
            return
        for key, row in self._rows.items():
            if concerned(row):
                value = self._order.values(row)
                if self._values[key] != value or (key in self._row_of) != self._passes(row):
                    self._values[key] = value
                    self._resort = True

    def flush(self) -> None:
        """Let the view see all that was staged."""
        staged, self._staged = self._staged, {}
        touched: list[str] = []
        for key, row in staged.items():
            if row is None:
                self._bury(key)
            else:
                self._dead.discard(key)
                self._take(key, row, touched)
        if self._limit is not None and len(self._rows) > self._limit:
            for key in tuple(self._rows)[: len(self._rows) - self._limit]:
                self._bury(key)
        if self._resort:
            self._resort = False
            self._reshape()
            for key in self._dead:
                del self._rows[key], self._values[key]
            self._dead.clear()
        changed = sorted(self._row_of[key] for key in touched if key in self._row_of)
        runs = list(contiguous_runs(changed))
        if len(runs) > _MANY_RUNS:
            runs = [(changed[0], changed[-1])]
        for first, last in runs:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))
        if self._children is not None:
            for key in touched:
                if key in self._row_of:
                    self._take_lines(key)

    def set_filter(self, text: str) -> None:
        """Only rows of which a cell says it."""
        self._filter.seek(text)
        self._use_filters()

    def set_column_filters(self, filters: Mapping[int, Admits]) -> None:
        """By the columns' numbers: only rows that all of them let through."""
        self._filter.ask(filters)
        self._use_filters()

    @property
    def is_filtered(self) -> bool:
        """By the person."""
        return self._filter.is_set

    @property
    def total(self) -> int:
        """Rows that would be there without the person's filters."""
        return sum(1 for key, row in self._rows.items() if key not in self._dead and self._accepts(row))

    def _use_filters(self) -> None:
        self._most = self._page
        self._reshape()
        self.filtered.emit()

    def show_more(self) -> None:
        """The person has come to the end of the page."""
        if self._more and self._most is not None and self._page is not None:
            self._most += self._page
            self._reshape()

    def set_accepts(self, accepts: Callable[[R], bool]) -> None:
        self._accepts = accepts
        self._reshape()

    def row_at(self, index: Index) -> R | None:
        """The row of an index, of a line beneath it too."""
        if not index.isValid():
            return None
        number = index.internalId()
        key = self._key_of[number] if number else self._shown[index.row()]
        return self._rows.get(key)

    def key_of(self, row: R) -> str:
        return self._key(row)

    def row(self, key: str) -> R | None:
        return self._rows.get(key)

    def rows(self) -> list[R]:
        """Those shown, in the order shown."""
        return [self._rows[key] for key in self._shown]

    def index_of(self, key: str) -> QModelIndex:
        row = self._row_of.get(key)
        return QModelIndex() if row is None else self.index(row, 0)

    # --- shape ------------------------------------------------------------------------------------------------

    def _take(self, key: str, row: R, touched: list[str]) -> None:
        known = self._rows.get(key)
        if known is row or known == row:
            return
        self._rows[key] = row
        value = self._order.values(row)
        if known is None or self._values.get(key) != value or (key in self._row_of) != self._passes(row):
            self._resort = True
        self._values[key] = value
        touched.append(key)

    def _bury(self, key: str) -> None:
        """The row goes from view first: until then the view may still ask for it."""
        if key in self._rows:
            self._dead.add(key)
            self._resort = True

    def _passes(self, row: R) -> bool:
        return self._accepts(row) and self._filter.passes(row)

    def _ordered(self) -> list[str]:
        """The keys to show."""
        if self.is_filtered or self._accepts is not _every:
            shown = [key for key, row in self._rows.items() if key not in self._dead and self._passes(row)]
        else:
            shown = [key for key in self._rows if key not in self._dead]
        shown = self._order.ordered(shown, self._values)
        self._more = self._most is not None and len(shown) > self._most
        return shown[: self._most] if self._more else shown

    def _reshape(self) -> None:
        """Let the view follow to the rows that belong here now, in their order."""
        target = self._ordered()
        wanted = set(target)
        gone = [row for row, key in enumerate(self._shown) if key not in wanted]
        if gone:
            self._take_out(list(contiguous_runs(gone)), wanted)
        known = set(self._shown)
        stayed = [key for key in target if key in known]
        fresh = [row for row, key in enumerate(target) if key not in known]
        runs = list(contiguous_runs(fresh))
        if len(runs) > _MANY_RUNS:  # in at the end at once, then each to its place
            self._put_in(len(stayed), [target[row] for row in fresh])
            self._move(target)
            return
        if stayed != self._shown:
            self._move(stayed)
        for first, last in runs:
            self._put_in(first, target[first : last + 1])

    def _take_out(self, runs: list[tuple[int, int]], wanted: set[str]) -> None:
        if len(runs) > _MANY_RUNS:  # first all to the end, then out at once
            stayed = [key for key in self._shown if key in wanted]
            self._move([*stayed, *(key for key in self._shown if key not in wanted)])
            runs = [(len(stayed), len(self._shown) - 1)]
        for first, last in reversed(runs):
            self.beginRemoveRows(_ROOT, first, last)
            for key in self._shown[first : last + 1]:
                self._lines.pop(key, None)
            del self._shown[first : last + 1]
            self._renumber()
            self.endRemoveRows()

    def _put_in(self, first: int, keys: list[str]) -> None:
        self.beginInsertRows(_ROOT, first, first + len(keys) - 1)
        self._shown[first:first] = keys
        for key in keys:
            self._lines[key] = self._children(self._rows[key]) if self._children is not None else ()
        self._renumber()
        self.endInsertRows()

    def _move(self, order: list[str]) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        keys = ["" if index.internalId() else self._shown[index.row()] for index in before]
        self._shown = order
        self._renumber()
        after = [
            self.createIndex(self._row_of[key], index.column(), 0) if key else index
            for key, index in zip(keys, before, strict=True)
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _renumber(self) -> None:
        self._row_of = {key: row for row, key in enumerate(self._shown)}

    def _take_lines(self, key: str) -> None:
        """New lines beneath a row; their number may have changed."""
        assert self._children is not None
        old, new = self._lines.get(key, ()), self._children(self._rows[key])
        parent = self.index_of(key)
        if len(new) < len(old):
            self.beginRemoveRows(parent, len(new), len(old) - 1)
            self._lines[key] = old[: len(new)]
            self.endRemoveRows()
        kept = min(len(old), len(new))
        if len(new) > len(old):
            self.beginInsertRows(parent, len(old), len(new) - 1)
            self._lines[key] = new
            self.endInsertRows()
        self._lines[key] = new
        if kept and old[:kept] != new[:kept]:
            last_column = len(self.columns) - 1
            self.dataChanged.emit(self.index(0, 0, parent), self.index(kept - 1, last_column, parent))

    def line_at(self, index: Index) -> tuple[str, Any, bool] | None:
        """Key, row and False, or a line beneath it and True: what a paint needs, without the way through QVariant."""
        return self.line_of(index.internalId(), index.row())

    def line_of(self, number: int, row: int) -> tuple[str, Any, bool] | None:
        """The same by the parent's number, 0 for a row of its own, and the row."""
        if not number:
            if row >= len(self._shown):
                return None
            key = self._shown[row]
            return key, self._rows[key], False
        key = self._key_of[number]
        lines = self._lines.get(key, ())
        return (key, lines[row], True) if row < len(lines) else None

    # --- Qt's questions ---------------------------------------------------------------------------------------

    def index(self, row: int, column: int, parent: Index = _ROOT) -> QModelIndex:
        if not 0 <= column < len(self.columns) or row < 0:
            return QModelIndex()
        if not parent.isValid():
            return self.createIndex(row, column, 0) if row < len(self._shown) else QModelIndex()
        if parent.internalId() or parent.column() != 0:
            return QModelIndex()
        key = self._shown[parent.row()]
        if row >= len(self._lines.get(key, ())):
            return QModelIndex()
        number = self._number_of.get(key)
        if number is None:
            number = len(self._number_of) + 1
            self._number_of[key] = number
            self._key_of[number] = key
        return self.createIndex(row, column, number)

    def parent(self, index: Index | None = None) -> Any:
        if index is None:
            return super().parent()
        number = index.internalId() if index.isValid() else 0
        if not number:
            return QModelIndex()
        row = self._row_of.get(self._key_of[number])
        return QModelIndex() if row is None else self.createIndex(row, 0, 0)

    def rowCount(self, parent: Index = _ROOT) -> int:
        if not parent.isValid():
            return len(self._shown)
        if parent.internalId() or parent.column() != 0:
            return 0
        return len(self._lines.get(self._shown[parent.row()], ()))

    def columnCount(self, _parent: Index = _ROOT) -> int:
        return len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column = self.columns[index.column()]
        number = index.internalId()
        if number:
            return self._line_data(self._key_of[number], index.row(), column, role)
        key = self._shown[index.row()]
        row = self._rows[key]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row)
        if role == ROW_ROLE:
            return row
        if role == KEY_ROLE:
            return key
        if role == SORT_ROLE:
            return column.sort(row) if column.sort is not None else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip(row) or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.right else _LEFT
        return None

    def _line_data(self, key: str, number: int, column: Column[R], role: int) -> Any:
        lines = self._lines.get(key, ())
        if number >= len(lines):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return column.child_text(lines[number])
        if role == ROW_ROLE:
            return lines[number]
        if role == KEY_ROLE:
            return key
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if self.columns[section].right else _LEFT
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        # Qt asks this of every row of a changed range: one look-up, and no question about children where none can be.
        return self._flags if index.isValid() else Qt.ItemFlag.NoItemFlags

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if column < 0 or self._order.can(column):
            self._use_sorts(((column, order is Qt.SortOrder.DescendingOrder),) if column >= 0 else ())

    def sort_also(self, column: int) -> None:
        """Where all others are alike this one decides; asked for again it turns round, and a third time it goes."""
        if self._order.can(column):
            self._use_sorts(self._order.with_also(column))

    @property
    def sorts(self) -> tuple[tuple[int, bool], ...]:
        """Columns that sort, the one that decides first, and whether downwards."""
        return self._order.sorts

    def _use_sorts(self, sorts: tuple[tuple[int, bool], ...]) -> None:
        self._order.sorts = sorts
        self._values = {key: self._order.values(row) for key, row in self._rows.items()}
        self._reshape()
