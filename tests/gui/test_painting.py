"""The blotter paints what changed, where it stands, and pages what is long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QImage, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication

from gui.tables.blotter import Blotter
from gui.tables.column import Column
from gui.tables.row_model import RowModel

type Row = tuple[int, str]

COLUMNS = (
    Column[Row]("number", "Number", 90, lambda row: str(row[0]), lambda row: row[0]),
    Column[Row]("word", "Word", 200, lambda row: row[1], stretch=True),
)


class Regions(QObject):
    """What was asked to be painted of a view."""

    def __init__(self, view: Blotter) -> None:
        super().__init__(view)
        self.painted = QRegion()
        view.viewport().installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.painted += event.region()
        return False


@pytest.fixture
def view(qapp: QApplication) -> Iterator[Blotter]:
    model: RowModel[Row] = RowModel(COLUMNS, lambda row: str(row[0]), page=50)
    made = Blotter(model)
    made.resize(400, 300)
    model.stage([(number, "as it was") for number in range(200)])
    model.flush()
    made.show()
    qapp.processEvents()
    yield made
    made.close()


def picture(view: Blotter) -> QImage:
    return view.viewport().grab().toImage()


def test_only_the_row_that_changed_is_painted_again(view: Blotter, qapp: QApplication) -> None:
    regions = Regions(view)
    view.rows.stage([(3, "new")])
    view.rows.flush()
    qapp.processEvents()
    row = view.visualRect(view.rows.index_of("3"))
    assert regions.painted.boundingRect().top() == row.top()
    assert regions.painted.boundingRect().bottom() == row.bottom()


def test_a_row_that_says_the_same_again_is_not_painted(view: Blotter, qapp: QApplication) -> None:
    regions = Regions(view)
    view.rows.stage([(3, "as " + "it was")])
    view.rows.flush()
    qapp.processEvents()
    assert regions.painted.isEmpty()


def test_after_scrolling_a_changed_row_is_painted_where_it_stands_now(view: Blotter, qapp: QApplication) -> None:
    view.verticalScrollBar().setValue(137)
    qapp.processEvents()
    view.rows.stage([(8, "new")])
    view.rows.flush()
    qapp.processEvents()
    shown = picture(view)
    view.viewport().update()
    qapp.processEvents()
    assert shown == picture(view)
    assert view.visualRect(view.rows.index_of("8")).top() != 8 * view.row_height


def test_a_long_list_shows_a_page_and_more_at_its_end(view: Blotter, qapp: QApplication) -> None:
    assert view.rows.rowCount() == 50
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    qapp.processEvents()
    assert view.rows.rowCount() == 100


def test_a_filter_searches_what_no_page_shows(view: Blotter) -> None:
    view.rows.set_filter("173")
    assert [row[0] for row in view.rows.rows()] == [173]
    view.rows.set_filter("")
    assert view.rows.rowCount() == 50
