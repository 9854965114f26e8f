"""The view of a blotter: rows that open, buttons inside rows, a header that sorts; painted by one delegate.

Paint flow: Qt asks for whole rows (``drawRow``); each fills its ground (alarm wash, selection, hover), draws the
hairline under it, then lets the cells of its columns draw. Of a row that changed only those cells are painted again
whose face is another one than they were painted with, where they were painted last: asking Qt for the place of every
changed cell and handing each to a delegate took four fifths of a busy frame, painting whole rows half of the rest.
Buttons in cells are not widgets: the view asks the cell where they are and emits ``pressed`` with the button's name and
the row, so thousands of rows cost nothing. ``button_rect`` tells where one is, for tests and for keyboard help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, cast

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QToolTip, QTreeView

from gui.tables.cells import Cell, Paint, RowButton, paint_arrow
from gui.tables.column import Column
from gui.tables.column_head import ColumnHead
from gui.tables.flashes import Flashes
from gui.tables.row_model import ROW_ROLE, RowModel
from gui.theme import LEG_ROW, ROW, tone

_WIDE: Final = 100
"""Rows; more than a screen has."""
_MIXED: Final = "mixed"
"""The ground of a row of which only a part has been painted."""

type Index = QModelIndex | QPersistentModelIndex


SYMBOL: Final = "symbol"
"""Key of the column that names one."""
FRONT: Final = 3
"""Place of a row's buttons in a table that scrolls sideways: behind its state, its symbol and its side."""


class _Painted(NamedTuple):
    """How a row was painted last: where, which, on what ground, and the faces of its cells in the lanes."""

    rect: QRect
    key: str
    ground: str | None
    faces: list[object]


class RowHeights(QStyledItemDelegate):
    """Tells how high a row is; ``Blotter.drawRow`` does the painting."""

    def __init__(self, view: Blotter) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(40, LEG_ROW if index.internalId() else self._view.row_height)


class Blotter(QTreeView):
    pressed = Signal(str, object)
    """Name of the button clicked, and its row."""
    chosen = Signal(object)
    """The row the person has moved to; None when there is none."""
    symbol_opened = Signal(str)
    """A symbol was double-clicked."""
    cell_opened = Signal(str, object)
    """Another cell was: the key of its column, and the row."""
    row_opened = Signal(object)
    """A cell that is no symbol was: the row."""

    def __init__(
        self, model: RowModel[Any], *, wash: Callable[[Any], str | None] = lambda _row: None, expandable: bool = False
    ) -> None:
        """``wash`` names the ground of an abnormal row (``p1_wash``)."""
        super().__init__()
        self.rows = model
        self._wash = wash
        self._hovered = QPersistentModelIndex()
        self.hot_button: str | None = None
        self.row_height = ROW
        self._current_key: str | None = None
        self.away: frozenset[str] = frozenset()
        """Keys of columns that somebody does not want to see."""
        self.brought: frozenset[str] = frozenset()
        """Keys of those that are in sight because somebody wants them."""
        self.lined = True
        self._lanes: list[tuple[Column[Any], int, int]] = []
        """Columns in view with their left edge and width, as of the paint under way."""
        self._painted: dict[tuple[int, int], _Painted] = {}
        """By the parent's number (0 of a row of its own) and the row."""
        self._stale = QRegion()
        """What the paint under way has to paint."""
        self.flashes = Flashes(self._end_flashes, self)
        self.setModel(model)
        self.setItemDelegate(RowHeights(self))
        head = ColumnHead(self)
        self.setHeader(head)
        self.filters = head.filters
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setItemsExpandable(expandable)
        self.setExpandsOnDoubleClick(False)
        self.setUniformRowHeights(not expandable)
        self.setAllColumnsShowFocus(True)
        self.setMouseTracking(True)
        # The view fills its own ground, so that Qt need not paint the panel and the window behind it first.
        self.viewport().setAutoFillBackground(False)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        head.setStretchLastSection(False)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        for number, column in enumerate(model.columns):
            head.resizeSection(number, column.width)
        self.selectionModel().currentChanged.connect(self._current_changed)

    # --- painting --------------------------------------------------------------------------------------------

    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:
        """Paint again what is in view of the rows that changed."""
        if QAccessible.isActive():
            super().dataChanged(first, last, list(roles))  # a screen reader is told cell by cell
            return
        if last.row() - first.row() >= _WIDE:
            self.viewport().update()
            return
        parent = first.internalId()
        self._look_at(((parent, row) for row in range(first.row(), last.row() + 1)), flash=True)

    def show_time(self) -> None:
        """Ages have moved: paint again the cells in view that say another one."""
        self._look_at(self._painted)

    def _look_at(self, places: Iterable[tuple[int, int]], *, flash: bool = False) -> None:
        """Have those cells of painted rows painted again that look different by now."""
        stale = QRegion()
        for place in tuple(places):
            painted = self._painted.get(place)
            if painted is None:
                continue
            found = self.rows.line_of(*place)
            if found is None or found[0] != painted.key or self._ground_of(place, found) != painted.ground:
                stale += painted.rect
                continue
            lanes = zip(self._lanes, self._faces(found), painted.faces, strict=True)
            for (column, left, width), face, before in lanes:
                if face != before:
                    stale += QRect(left, painted.rect.top(), width, painted.rect.height() - 1)
                    if flash and not found[2]:
                        self.flashes.begin(painted.key, column.key)
        if not stale.isEmpty():
            self.viewport().update(stale)

    def _end_flashes(self, over: set[tuple[str, str]]) -> None:
        """Paint the cells of which the time is over as they are."""
        for painted in self._painted.values():
            for column, left, width in self._lanes:
                if (painted.key, column.key) in over:
                    self.viewport().update(QRect(left, painted.rect.top(), width, painted.rect.height() - 1))

    def _faces(self, found: tuple[str, Any, bool]) -> list[object]:
        _, row, child = found
        faces: list[object] = []
        for column, _, _ in self._lanes:
            cell = column.child_cell if child else column.cell
            text = (column.child_text(row) if child else column.text(row)) if cell and cell.says_text else ""
            faces.append(cell.face(text, row) if cell is not None else None)
        return faces

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Qt moves the pixels of what stays in view; where rows were painted before is no longer where they are."""
        self._painted.clear()
        super().scrollContentsBy(dx, dy)
        self.viewport().update()
        bar = self.verticalScrollBar()
        if dy < 0 and bar.value() == bar.maximum():
            self.rows.show_more()

    def paintEvent(self, event: QPaintEvent) -> None:
        head = self.header()
        lanes = [
            (column, head.sectionViewportPosition(number), head.sectionSize(number))
            for number, column in enumerate(self.rows.columns)
            if not head.isSectionHidden(number)
        ]
        self._stale = event.region()
        if lanes != self._lanes or self._is_stale(self.viewport().rect()):
            self._painted.clear()
        self._lanes = lanes
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), tone("plane1"))
        painter.end()
        super().paintEvent(QPaintEvent(event.rect()))  # not the region: Qt looks for the rows of each of its parts

    def drawRow(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        found = self.rows.line_at(index)
        whole: QRect = option.rect
        if found is None or not self._stale.intersects(whole):  # None: the row went while a paint was under way
            return
        key, row, child = found
        place = (index.internalId(), index.row())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = self._ground_of(place, found)
        if ground is not None:
            painter.fillRect(whole, tone(ground))
        top, height = whole.top(), whole.height()
        if self.lined:
            painter.fillRect(QRect(whole.left(), whole.bottom(), whole.width(), 1), tone("line"))
        on = Paint(painter, QRect(), "", False, self.hot_button if self._is_hovered_at(place) else None)
        is_whole = self._is_stale(whole)
        before = self._painted.get(place)
        if before is None or before.key != key or before.rect != whole:
            before = _Painted(whole, key, _MIXED, [None] * len(self._lanes))
        faces = before.faces
        for number, (column, left, width) in enumerate(self._lanes):
            cell = column.child_cell if child else column.cell
            on.rect = QRect(left, top, width, height - 1)
            if cell is None or not (is_whole or self._stale.intersects(on.rect)):
                continue
            if cell.says_text:
                on.text = column.child_text(row) if child else column.text(row)
                on.right = column.right
            if not child and self.flashes.has(key, column.key):
                painter.fillRect(on.rect, tone("flash"))
            cell.paint(on, row)
            # Of a cell that is painted in part the rest shows what it said before: the next look has it painted whole.
            is_new = is_whole or self._is_stale(on.rect)
            faces[number] = cell.face(on.text if cell.says_text else "", row) if is_new else object()
        if not child and self.itemsExpandable() and self.rows.rowCount(index):
            paint_arrow(painter, whole, self.isExpanded(index))
        now = ground if is_whole or before.ground == ground else _MIXED
        self._painted[place] = _Painted(QRect(whole), key, now, faces)
        painter.restore()

    def _is_stale(self, rect: QRect) -> bool:
        """Whether the paint under way paints all of it."""
        return QRegion(rect).subtracted(self._stale).isEmpty()

    def _ground_of(self, place: tuple[int, int], found: tuple[str, Any, bool]) -> str | None:
        """Token of the row's ground: alarm before selection before hover."""
        key = found[0]
        row = self.rows.row(key)
        wash = self._wash(row) if row is not None else None
        if wash is not None:
            return wash
        if key == self._current_key:
            return "selected"
        return "plane2" if self._is_hovered_at(place) else None

    def _is_hovered_at(self, place: tuple[int, int]) -> bool:
        here = self._hovered
        return here.isValid() and (here.internalId(), here.row()) == place

    def set_row_height(self, height: int, *, lined: bool) -> None:
        """Denser rows, as a log wants; ``lined`` keeps the hairline between them."""
        self.row_height, self.lined = height, lined

    # --- what panels and keys use ----------------------------------------------------------------------------

    def current_row(self) -> Any:
        return self.rows.row_at(self.selectionModel().currentIndex())

    def choose(self, key: str) -> None:
        index = self.rows.index_of(key)
        if index.isValid():
            self.setCurrentIndex(index)

    def show_sorted(self, key: str, *, descending: bool = False) -> None:
        """Sort by a column without marking it: the order of rest, until the person sorts."""
        number = next(n for n, column in enumerate(self.rows.columns) if column.key == key)
        self.rows.sort(number, Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder)

    def step(self, by: int) -> None:
        """Move the current row up or down by ``by``; the first row when there is none."""
        current = self.current_row()
        at = self.rows.index_of(self.rows.key_of(current)).row() + by if current is not None else 0
        index = self.rows.index(min(max(at, 0), self.rows.rowCount() - 1), 0)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def button_rect(self, key: str, name: str) -> QRect:
        """Where a row's button is, in viewport pixels; empty when the row has none of that name."""
        index = self.rows.index_of(key)
        for column in range(len(self.rows.columns)):
            for box, button in self._hits(index.siblingAtColumn(column)):
                if button.name == name:
                    return box
        return QRect()

    def cell_rect(self, key: str, column: str) -> QRect:
        """Where a cell is, in viewport pixels; empty when the row or its column is not in sight."""
        index = self.rows.index_of(key)
        number = next(n for n, each in enumerate(self.rows.columns) if each.key == column)
        if not index.isValid() or self.header().isSectionHidden(number):
            return QRect()
        return self.visualRect(index.siblingAtColumn(number))

    def button_texts(self, key: str) -> list[str]:
        index = self.rows.index_of(key)
        every = [hit for column in range(len(self.rows.columns)) for hit in self._hits(index.siblingAtColumn(column))]
        return [button.text for _, button in reversed(every)]

    def text_of(self, key: str) -> list[str]:
        """A row as it reads, cell by cell."""
        index = self.rows.index_of(key)
        return [str(index.siblingAtColumn(c).data() or "") for c in range(len(self.rows.columns))]

    # --- pointer ---------------------------------------------------------------------------------------------

    def _hits(self, index: Index) -> list[tuple[QRect, RowButton]]:
        if not index.isValid():
            return []
        column = self.rows.columns[index.column()]
        cell: Cell | None = column.child_cell if index.parent().isValid() else column.cell
        row = index.data(ROW_ROLE)
        if cell is None or row is None:
            return []
        return cell.hits(self.visualRect(index).adjusted(0, 0, 0, -1), row)

    def _button_at(self, at: QPoint) -> RowButton | None:
        index = self.indexAt(at)
        return next((button for box, button in self._hits(index) if box.contains(at)), None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        index = self.indexAt(at)
        button = self._button_at(at)
        name = button.name if button is not None and button.enabled else None
        if self._hovered != index or name != self.hot_button:
            self._hovered = QPersistentModelIndex(index)
            self.hot_button = name
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if name else Qt.CursorShape.ArrowCursor)
            self.viewport().update()
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = QPersistentModelIndex()
        self.hot_button = None
        self.viewport().update()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            at = event.position().toPoint()
            index = self.indexAt(at)
            button = self._button_at(at)
            if button is not None:
                self.setCurrentIndex(index.siblingAtColumn(0))
                if button.enabled:
                    self.pressed.emit(button.name, index.data(ROW_ROLE))
                return
            first = index.siblingAtColumn(0)
            if self.itemsExpandable() and self.rows.rowCount(first) and at.x() < self.visualRect(first).left() + 22:
                self.setExpanded(first, not self.isExpanded(first))
                return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if self._button_at(at) is not None:
            return  # the first click did it
        index = self.indexAt(at)
        first = index.siblingAtColumn(0)
        if index.isValid() and self.rows.columns[index.column()].key == SYMBOL and index.data():
            self.symbol_opened.emit(str(index.data()))
        elif index.isValid() and not self.itemsExpandable():
            self.cell_opened.emit(self.rows.columns[index.column()].key, index.data(ROW_ROLE))
            self.row_opened.emit(index.data(ROW_ROLE))
        elif self.itemsExpandable() and self.rows.rowCount(first):
            self.setExpanded(first, not self.isExpanded(first))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text() and event.key() not in (Qt.Key.Key_Space,):
            event.ignore()  # letters are commands of the window, not a search in the table
            return
        super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip:
            asked = cast("QHelpEvent", event)
            button = self._button_at(asked.pos())
            if button is not None and button.tip:
                QToolTip.showText(asked.globalPos(), button.tip, self)
                return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_columns()

    def put_away(self, keys: Iterable[str], brought: Iterable[str] = ()) -> None:
        """Columns that are not shown, however much room there is, and those that are shown only by somebody's wish."""
        self.away, self.brought = frozenset(keys), frozenset(brought)
        bar = Qt.ScrollBarPolicy
        self.setHorizontalScrollBarPolicy(bar.ScrollBarAsNeeded if self.brought else bar.ScrollBarAlwaysOff)
        self.fit_columns()
        self.viewport().update()

    def fit_columns(self) -> None:
        """Give the stretching column what is left.

        When there is too little, spare columns go, then those that can be narrower are, at last all but firm ones. With
        columns that somebody has brought in, the table scrolls sideways instead, with the buttons in front.
        """
        columns = self.rows.columns
        head, room = self.header(), self.viewport().width()
        unwanted = self.away | {column.key for column in columns if column.group and column.key not in self.brought}
        hidden = {number for number, column in enumerate(columns) if column.key in unwanted}
        tightest = sum(column.least or column.width for number, column in enumerate(columns) if number not in hidden)
        for number, column in sorted(enumerate(columns), key=lambda each: -each[1].spare):
            if tightest <= room or not column.spare:
                break
            if number in hidden:
                continue
            hidden.add(number)
            tightest -= column.least or column.width
        shown = [number for number in range(len(columns)) if number not in hidden]
        needed = sum(columns[number].width for number in shown)
        gives = {number: columns[number].width - (columns[number].least or columns[number].width) for number in shown}
        share = min(max(needed - room, 0) / max(sum(gives.values()), 1), 1.0)
        needed -= int(sum(gives.values()) * share)
        firm = sum(columns[number].width for number in shown if columns[number].firm)
        scale = 1.0 if self.brought else min(1.0, max(room - firm, 0) / max(needed - firm, 1))
        used = 0
        for number, column in enumerate(columns):
            head.setSectionHidden(number, number in hidden)
            if number not in hidden:
                width = column.width - gives[number] * share
                head.resizeSection(number, int(width if column.firm else width * scale))
                used += head.sectionSize(number)
        taker = next((number for number in shown if columns[number].stretch), shown[-1])
        head.resizeSection(taker, head.sectionSize(taker) + max(room - used, 0))
        for number in (each for each in shown if columns[each].firm):
            head.moveSection(head.visualIndex(number), FRONT if used > room else number)

    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        row = self.rows.row_at(current)
        self._current_key = self.rows.key_of(row) if row is not None else None
        self.chosen.emit(row)
        self.viewport().update()
