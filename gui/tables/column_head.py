"""The head of a blotter: column titles, and which of them sort."""

from __future__ import annotations

from typing import Any, cast

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QHeaderView, QWidget

from gui.tables.cells import PAD
from gui.tables.filter_row import FilterRow
from gui.tables.row_model import RowModel
from gui.theme import COLUMN_HEAD, Type, font, tone


class ColumnHead(QHeaderView):
    """Column titles in the small type, with a mark on those that sort. Shift and a click adds one to them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFixedHeight(COLUMN_HEAD)
        self.setSectionsClickable(True)
        self.setMinimumSectionSize(24)
        self.setHighlightSections(False)
        self.filters = FilterRow(self)

    def mark_of(self, section: int) -> str:
        """Which way it sorts, and as which of several; empty while nobody has sorted by it."""
        sorts = cast("RowModel[Any]", self.model()).sorts
        if self.sortIndicatorSection() < 0 or section not in dict(sorts):
            return ""
        arrow = " ↓" if dict(sorts)[section] else " ↑"
        number = [column for column, _ in sorts].index(section) + 1
        return f"{arrow}{number}" if len(sorts) > 1 else arrow

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.position().y() >= COLUMN_HEAD:
            return  # between the fields of the filters
        if not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().mouseReleaseEvent(event)
            return
        section = self.logicalIndexAt(event.position().toPoint())
        model = cast("RowModel[Any]", self.model())
        if section < 0 or model.columns[section].sort is None:
            return
        if self.sortIndicatorSection() < 0:
            self.setSortIndicator(section, Qt.SortOrder.AscendingOrder)
        else:
            model.sort_also(section)
        self.viewport().update()

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        model = self.model()
        right = bool(
            int(model.headerData(section, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole) or 0)
            & int(Qt.AlignmentFlag.AlignRight)
        )
        title = str(model.headerData(section, Qt.Orientation.Horizontal) or "")
        title += self.mark_of(section) if title else ""
        painter.save()
        painter.setPen(tone("line"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.setFont(font(Type.SMALL))
        painter.setPen(tone("low"))
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        box = QRect(rect.left() + PAD, rect.top(), rect.width() - 2 * PAD, COLUMN_HEAD)
        title = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, title)
        painter.restore()
