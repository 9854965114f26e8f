"""What a person wants to see of a table: words that any cell may say, and what each column has to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gui.tables.column import Column
from gui.tables.column_filter import Admits


class RowFilter[R]:
    def __init__(self, columns: Sequence[Column[R]], stays: Callable[[R], bool] | None) -> None:
        """``stays`` names the rows that nothing hides: a naked position, say."""
        self._columns = columns
        self._usual = tuple(column for column in columns if not column.group)
        self._stays = stays or (lambda _row: False)
        self._needle = ""
        self._of_columns: tuple[tuple[Column[R], Admits], ...] = ()

    @property
    def is_set(self) -> bool:
        return bool(self._needle or self._of_columns)

    @property
    def follows(self) -> bool:
        """Whether something outside of the rows decides, too."""
        return any(column.follows for column, _ in self._of_columns)

    def seek(self, text: str) -> None:
        """Rows of which a cell says it; all for an empty text."""
        self._needle = text.strip().casefold()

    def ask(self, filters: Mapping[int, Admits]) -> None:
        """By the columns' numbers: rows that all of them let through."""
        self._of_columns = tuple((self._columns[number], admits) for number, admits in filters.items())

    def passes(self, row: R) -> bool:
        if not self.is_set or self._stays(row):
            return True
        if self._needle and not any(self._needle in column.text(row).casefold() for column in self._usual):
            return False
        return all(
            admits(column.text(row), column.sort(row) if column.sort is not None else None)
            for column, admits in self._of_columns
        )
