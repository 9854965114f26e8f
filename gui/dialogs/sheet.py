"""A sheet: a frame over the window that blocks nothing. The window goes on beneath it and takes keys and clicks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from gui.widgets.text import rule


class Sheet(QFrame):
    """As high as its words are at its width, hidden until it is asked for, gone with Escape."""

    def __init__(self, parent: QWidget, *, name: str, width: int) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._sheet_width = width
        self.hide()

    def dismiss(self) -> None:
        self.hide()

    def sizeHint(self) -> QSize:
        """The layout's own hint takes the words for narrower than they are."""
        layout = self.layout()
        if layout is None:
            return super().sizeHint()
        high = layout.totalHeightForWidth(self._sheet_width) if layout.hasHeightForWidth() else 0
        return QSize(self._sheet_width, max(high, layout.totalMinimumSize().height()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            return
        super().keyPressEvent(event)


class Later[W: QWidget]:
    """A sheet that is made when it is first asked for: most starts never show it."""

    def __init__(self, make: Callable[[], W]) -> None:
        self._make = make
        self.made: W | None = None

    def __call__(self) -> W:
        if self.made is None:
            self.made = self._make()
        return self.made


def under_rule(row: QHBoxLayout, whole: QWidget, *, above: int = 9, spacing: int = 12) -> None:
    """Fill ``whole``, a line of a sheet's list, with ``row`` beneath a rule."""
    row.setContentsMargins(0, above, 6, above)
    row.setSpacing(spacing)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(rule(vertical=False))
    column.addLayout(row)


class RowList(QScrollArea):
    """A sheet's rows, as high as they need to be up to a limit; the rest is scrolled."""

    def __init__(self, *, name: str, width: int, most: int) -> None:
        """``width`` and ``most`` (height) in pixels."""
        super().__init__()
        self.setObjectName(name)
        inside = QWidget()
        inside.setObjectName("cards")
        self._rows = QVBoxLayout(inside)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        self._rows.addStretch(1)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._inside = width
        self._most = most

    def add(self, row: QWidget, *, first: bool = False) -> None:
        self._rows.insertWidget(0 if first else self._rows.count() - 1, row)

    def drop(self, row: QWidget) -> None:
        self._rows.removeWidget(row)
        row.hide()
        row.deleteLater()

    def sizeHint(self) -> QSize:
        rows = self._rows
        high = rows.totalHeightForWidth(self._inside) if rows.hasHeightForWidth() else rows.totalSizeHint().height()
        return QSize(self._inside, min(high, self._most))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class Centred(QObject):
    """Keeps a sheet in the middle of the window, a little above it or not, whatever either's size becomes."""

    def __init__(self, sheet: QFrame, over: QWidget, *, width: int | None = None, above: float = 1.0) -> None:
        """``width`` in pixels (as its words need when None); ``above``: room over the sheet for each part under it."""
        super().__init__(sheet)
        self._sheet = sheet
        self._over = over
        self._width = width
        self._share = above / (1.0 + above)
        sheet.setProperty("part", "sheet")
        over.installEventFilter(self)
        sheet.installEventFilter(self)

    def place(self) -> None:
        sheet, over = self._sheet, self._over
        if self._width is not None:
            sheet.setFixedWidth(self._width)
        sheet.adjustSize()
        sheet.move((over.width() - sheet.width()) // 2, int((over.height() - sheet.height()) * self._share))

    def bring(self) -> None:
        """Show it, over everything else in the window."""
        self._sheet.show()
        self._sheet.raise_()
        self.place()
        # A layout that was never active may not know its height yet: once more when it has had its turn.
        QTimer.singleShot(0, self, self.place)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._sheet:
            if event.type() is QEvent.Type.LayoutRequest and not self._sheet.isHidden():
                self.place()  # it says more, or less, than before
            return False
        # A sheet asked for before the window stands is placed with the window's first size.
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show) and not self._sheet.isHidden():
            self.place()
        return False
