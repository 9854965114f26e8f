"""The one table model: staged rows, the least said to the view, sorting by value, trouble on top."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from gui.panels.orders import order_rank
from gui.status_words import role_words
from gui.tables.column import Column
from gui.tables.row_model import KEY_ROLE, SORT_ROLE, RowModel, contiguous_runs
from tests.gui import stage


@dataclass(frozen=True)
class Lot:
    name: str
    size: Decimal | None
    loud: bool = False
    lines: tuple[str, ...] = ()


COLUMNS = (
    Column[Lot]("name", "Name", 80, lambda lot: lot.name, lambda lot: lot.name, child_text=lambda line: line),
    Column[Lot]("size", "Size", 80, lambda lot: f"{lot.size}", lambda lot: lot.size, right=True),
)


def model(**changes: Any) -> RowModel[Lot]:
    return RowModel(
        COLUMNS, lambda lot: lot.name, rank=lambda lot: 0 if lot.loud else 1, children=lambda lot: lot.lines, **changes
    )


def filled(*lots: Lot, **changes: Any) -> RowModel[Lot]:
    made = model(**changes)
    made.stage(lots)
    made.flush()
    return made


def names(of: RowModel[Lot]) -> list[str]:
    return [lot.name for lot in of.rows()]


A, B, C = Lot("a", Decimal(10)), Lot("b", Decimal(9)), Lot("c", Decimal(100))


@pytest.mark.parametrize(
    ("numbers", "runs"),
    [([], []), ([4], [(4, 4)]), ([1, 2, 3, 7], [(1, 3), (7, 7)]), ([0, 2, 4], [(0, 0), (2, 2), (4, 4)])],
)
def test_neighbours_make_runs(numbers: list[int], runs: list[tuple[int, int]]) -> None:
    assert list(contiguous_runs(numbers)) == runs


def test_the_model_keeps_qts_rules_while_rows_come_go_move_and_grow_lines(qtmodeltester: Any) -> None:
    made = filled(A, B, C)
    qtmodeltester.check(made)
    made.sort(1, Qt.SortOrder.DescendingOrder)
    made.stage([Lot("d", Decimal(50), lines=("one", "two")), Lot("a", Decimal(500), loud=True)])
    made.drop(["c"])
    made.flush()
    qtmodeltester.check(made)
    made.stage([Lot("d", Decimal(50), lines=("one", "two", "three"))])
    made.flush()
    made.stage([Lot("d", Decimal(50), lines=("one",))])
    made.flush()
    assert made.rowCount(made.index_of("d")) == 1
    qtmodeltester.check(made)


def test_nothing_is_seen_before_the_flush_and_the_last_staged_wins(qtbot: Any) -> None:
    made = filled(A)
    with qtbot.waitSignal(made.dataChanged) as told:
        made.stage([Lot("a", Decimal(11))])
        made.stage([Lot("a", Decimal(12))])
        assert made.index_of("a").siblingAtColumn(1).data() == "10"
        made.flush()
    assert made.index_of("a").siblingAtColumn(1).data() == "12"
    assert (told.args[0].row(), told.args[1].row()) == (0, 0)


def test_one_change_is_told_per_run_of_neighbours() -> None:
    made = filled(*(Lot(f"{n:02d}", Decimal(n)) for n in range(10)))
    told: list[tuple[int, int]] = []
    made.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
    made.stage(Lot(f"{n:02d}", Decimal(n + 100)) for n in (7, 1, 2, 3))
    made.flush()
    assert told == [(1, 3), (7, 7)]


def test_an_unchanged_row_tells_nothing() -> None:
    made = filled(A, B)
    told: list[object] = []
    made.dataChanged.connect(lambda *_: told.append(1))
    made.stage([A])
    made.flush()
    assert not told


def test_sorting_is_by_value_never_by_text_with_absent_last_either_way() -> None:
    made = filled(A, B, C, Lot("n", None))
    made.sort(1, Qt.SortOrder.AscendingOrder)
    assert names(made) == ["b", "a", "c", "n"]
    made.sort(1, Qt.SortOrder.DescendingOrder)
    assert names(made) == ["c", "a", "b", "n"]
    assert made.index(0, 1).data(SORT_ROLE) == Decimal(100)


def test_loud_rows_stay_on_top_whichever_way_it_is_sorted() -> None:
    made = filled(A, Lot("loud", Decimal(50), loud=True), C)
    for order in Qt.SortOrder:
        made.sort(1, order)
        assert names(made)[0] == "loud"


def test_a_selected_row_is_followed_when_it_moves() -> None:
    from PySide6.QtCore import QPersistentModelIndex

    made = filled(A, B, C)
    made.sort(1, Qt.SortOrder.AscendingOrder)
    kept = QPersistentModelIndex(made.index_of("b"))
    made.stage([Lot("b", Decimal(1000))])
    made.flush()
    assert kept.row() == 2
    assert kept.data(KEY_ROLE) == "b"


def test_rows_that_no_longer_belong_leave_and_the_filter_narrows() -> None:
    made = filled(A, B, C, accepts=lambda lot: lot.size is not None)
    made.stage([Lot("b", None)])
    made.flush()
    assert names(made) == ["a", "c"]
    made.set_filter("C")
    assert names(made) == ["c"]
    made.set_filter("")
    assert names(made) == ["a", "c"]


def test_the_oldest_go_when_the_limit_is_reached() -> None:
    made = filled(*(Lot(str(n), Decimal(n)) for n in range(5)), limit=3)
    assert names(made) == ["2", "3", "4"]


def test_every_blotter_of_the_window_keeps_qts_rules(qtmodeltester: Any) -> None:
    from gui.panels import bracket_columns, positions
    from gui.panels.orders import columns, order_rank

    desk = stage.desk_of("trouble")
    orders: RowModel[Any] = RowModel(columns(desk.clock.now), lambda o: o.id, rank=order_rank)
    orders.stage(desk.orders("all"))
    brackets: RowModel[Any] = RowModel(bracket_columns.open_columns(), lambda b: b.id, children=lambda b: b.orders)
    brackets.stage(desk.brackets("all"))
    held: RowModel[Any] = RowModel(positions.COLUMNS, lambda p: p.symbol)
    held.stage(desk.positions())
    for made in (orders, brackets, held):
        made.flush()
        assert made.rowCount()
        qtmodeltester.check(made)
        for number, column in enumerate(made.columns):
            if column.sort is not None:
                made.sort(number, Qt.SortOrder.AscendingOrder)


# --- several columns -------------------------------------------------------------------------------------------------


def test_where_the_first_column_is_alike_the_next_one_decides() -> None:
    lots = filled(
        Lot("b", Decimal(1)), Lot("a", Decimal(2)), Lot("d", Decimal(1)), Lot("c", None), Lot("e", Decimal(2))
    )
    lots.sort(1, Qt.SortOrder.DescendingOrder)
    lots.sort_also(0)
    assert names(lots) == ["a", "e", "b", "d", "c"], "without a value last, whichever way"
    lots.sort_also(0)
    assert (names(lots), lots.sorts) == (["e", "a", "d", "b", "c"], ((1, True), (0, True)))
    lots.stage([Lot("d", Decimal(2))])
    lots.flush()
    assert names(lots) == ["e", "d", "a", "b", "c"], "a row that changed moves"
    lots.sort_also(0)
    assert lots.sorts == ((1, True),)
    lots.sort(0)
    assert (names(lots), lots.sorts) == (["a", "b", "c", "d", "e"], ((0, False),)), "a plain sort is the only one"


def test_trouble_stands_on_top_however_many_columns_sort() -> None:
    lots = filled(Lot("a", Decimal(1)), Lot("b", Decimal(9), loud=True))
    lots.sort(1)
    lots.sort_also(0)
    assert names(lots) == ["b", "a"]


async def test_shift_and_a_click_on_a_head_adds_a_column(opened: Any) -> None:
    async with opened("busy") as screen:
        view = screen.window.orders.view
        head = view.header()
        keys = [column.key for column in view.rows.columns]

        def click(key: str, *, shift: bool = False) -> None:
            number = keys.index(key)
            at = QPoint(head.sectionViewportPosition(number) + 12, head.height() // 2)
            held = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
            QTest.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, held, at)

        click("symbol", shift=True)
        assert view.rows.sorts == ((keys.index("symbol"), False),), "the first one sorts alone"
        click("role", shift=True)
        order = [(row.symbol, role_words(row)) for row in view.rows.rows() if order_rank(row) == 2]
        assert order == sorted(order)
        assert head.mark_of(keys.index("symbol")) == " ↑1"
        assert head.mark_of(keys.index("role")) == " ↑2"
        click("role", shift=True)
        assert head.mark_of(keys.index("role")) == " ↓2"
        click("limit")
        assert head.mark_of(keys.index("role")) == ""
        assert len(view.rows.sorts) == 1
