"""The blotter paints what changed, where it stands, and pages what is long."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QImage, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.model.words import Side
from gui import theme
from gui.status_words import Face
from gui.tables.blotter import Blotter
from gui.tables.cells import ButtonsCell, CoverCell, RowButton, SideCell, StatusCell, TextCell
from gui.tables.column import Column
from gui.tables.flashes import FLASH_MS
from gui.tables.row_model import RowModel
from gui.widgets.glyph import Glyph

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


def test_only_the_cell_that_changed_is_painted_again(view: Blotter, qapp: QApplication) -> None:
    regions = Regions(view)
    view.rows.stage([(3, "new")])
    view.rows.flush()
    qapp.processEvents()
    assert regions.painted == QRegion(view.cell_rect("3", "word").adjusted(0, 0, 0, -1))


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


def on_screen(view: Blotter) -> QImage:
    """What stands on the screen, not what a fresh paint would make."""
    window = view.window()
    at = view.viewport().mapTo(window, view.viewport().rect().topLeft())
    size = view.viewport().size()
    shown = window.screen().grabWindow(window.winId(), at.x(), at.y(), size.width(), size.height())
    return shown.toImage().convertToFormat(QImage.Format.Format_RGB32)


@pytest.mark.parametrize("seed", range(6))
def test_what_stands_on_the_screen_is_what_a_fresh_paint_makes(qtbot: QtBot, seed: int) -> None:
    """Cells change, ages move, rows are chosen, opened, scrolled and covered for a moment, in any order."""
    dice = Random(seed)
    age = [0]
    sides = (Side.BUY, Side.SELL)
    columns = (
        Column[Row]("status", "Status", 130, lambda row: row[1], cell=StatusCell(face_of, arrow=True), child_cell=None),
        Column[Row]("side", "", 32, lambda _: "", cell=SideCell(lambda row: sides[len(row[1]) % 2])),
        Column[Row]("number", "Number", 70, lambda row: str(row[0]), lambda row: row[0], right=True),
        Column[Row]("age", "Age", 70, lambda row: f"{age[0] // (1 + row[0] % 5)} s", right=True),
        Column[Row](
            "cover",
            "Cover",
            80,
            lambda _: "",
            cell=CoverCell(lambda row: len(row[1]) / 12, limited=lambda row: len(row[1]) > 9),
        ),
        Column[Row]("buttons", "", 120, lambda _: "", cell=ButtonsCell(buttons_of), firm=True),
        Column[Row](
            "word", "Word", 100, lambda row: row[1], stretch=True, child_text=lambda word: word, child_cell=TextCell()
        ),
    )
    model: RowModel[Row] = RowModel(columns, lambda row: str(row[0]), children=lambda row: (row[1], row[1][::-1]))
    view = Blotter(model, wash=lambda row: "p1_wash" if row[1].endswith("!") else None, expandable=True)
    qtbot.addWidget(view)
    cover = QWidget(view)
    cover.setAutoFillBackground(True)
    cover.hide()
    view.resize(760, 400)
    model.stage([(number, "as it was") for number in range(40)])
    model.flush()
    view.show()
    QApplication.processEvents()

    def change() -> None:
        words = ("as it was", "new", "filled", "alarm!", "a longer word")
        model.stage([(number, dice.choice(words)) for number in dice.sample(range(40), dice.randint(1, 9))])
        model.flush()

    def grow_old() -> None:
        age[0] += dice.randint(1, 9)

    def open_or_shut() -> None:
        index = model.index(dice.randrange(12), 0)
        view.setExpanded(index, not view.isExpanded(index))

    def cover_or_not() -> None:
        cover.setGeometry(dice.randrange(500), dice.randrange(250), 150, 60)
        cover.setVisible(not cover.isVisible())

    def scroll() -> None:
        view.verticalScrollBar().setValue(dice.randrange(300))

    seldom = (open_or_shut, cover_or_not, scroll, lambda: view.step(1))
    for _ in range(300):
        for act in dice.choices((change, grow_old, view.show_time, *seldom), (8, 8, 4, 1, 3, 1, 1), k=2):
            act()
        QApplication.processEvents()
        if dice.random() < 0.2:
            cover.hide()
            QApplication.processEvents()
            view.show_time()
            QApplication.processEvents()
            shown = on_screen(view)
            view.viewport().update()
            QApplication.processEvents()
            assert shown == on_screen(view)


def face_of(row: Row) -> Face:
    return Face(Glyph.HALF, row[1], "mid", fill="p1" if row[1].endswith("!") else None)


def buttons_of(row: Row) -> list[RowButton]:
    return [RowButton("go", "Go", enabled=len(row[1]) > 5), RowButton("stop", "Stop", "danger")]


def test_a_cell_stands_out_for_a_moment_where_the_operator_wants_it(view: Blotter, qtbot: QtBot) -> None:
    def ground(column: str) -> str:
        cell = view.cell_rect("3", column)
        return on_screen(view).pixelColor(cell.right() - 2, cell.top() + 2).name()

    still = ground("word")
    view.rows.stage([(3, "new")])
    view.rows.flush()
    QApplication.processEvents()
    assert ground("word") == still, "nobody has asked for it"
    view.flashes.choose(["word"])
    view.rows.stage([(3, "newer")])
    view.rows.flush()
    QApplication.processEvents()
    assert ground("word") == theme.DARK.flash
    assert ground("number") == still
    qtbot.waitUntil(lambda: ground("word") == still, timeout=4 * FLASH_MS)


def test_ages_that_move_do_not_make_a_cell_stand_out(qtbot: QtBot) -> None:
    age = [0]
    columns = (Column[Row]("age", "Age", 90, lambda _: str(age[0]), stretch=True),)
    model: RowModel[Row] = RowModel(columns, lambda row: str(row[0]))
    view = Blotter(model)
    qtbot.addWidget(view)
    model.stage([(3, "x")])
    model.flush()
    view.show()
    view.flashes.choose(["age"])
    QApplication.processEvents()
    before = on_screen(view)
    age[0] = 7
    view.show_time()
    QApplication.processEvents()
    after = on_screen(view)
    assert before != after
    cell = view.cell_rect("3", "age")
    assert after.pixelColor(cell.right() - 2, cell.top() + 2) == before.pixelColor(cell.right() - 2, cell.top() + 2)
