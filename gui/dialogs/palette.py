"""The command palette (Ctrl+K): type a few letters of what you want, and Enter does it.

What would send an order at once asks first, where the window asks its questions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from gui.commands import Command, matching
from gui.dialogs.sheet import Centred, Sheet
from gui.theme import Type, font, tone
from gui.widgets.text import Text

_WIDTH: Final = 560
_ROW: Final = 30
_ROWS: Final = 11
_RECENT: Final = 5
_COMMAND_ROLE: Final = Qt.ItemDataRole.UserRole
_STEPS: Final = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: _ROWS, Qt.Key.Key_PageUp: -_ROWS}

type Index = QModelIndex | QPersistentModelIndex


class _Found(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self._commands: list[Command] = []

    def show(self, commands: list[Command]) -> None:
        self.beginResetModel()
        self._commands = commands
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._commands)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        command = self._commands[index.row()]
        if role == _COMMAND_ROLE:
            return command
        return command.title if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole) else None


class _Rows(QStyledItemDelegate):
    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(100, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        command: Command = index.data(_COMMAND_ROLE)
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tone("plane3"))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 4, 4)
        right = rect.right() - 10
        if command.key:
            right = self._paint_key(painter, rect, right, command.key)
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.setFont(font(Type.BODY))
        painter.setPen(tone("high"))
        room = right - rect.left() - 22
        title = painter.fontMetrics().elidedText(command.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(rect.left() + 10, rect.top(), room, rect.height()), middle, title)
        painter.restore()

    @staticmethod
    def _paint_key(painter: QPainter, rect: QRect, right: int, key: str) -> int:
        width = QFontMetrics(font(Type.TINY)).horizontalAdvance(key) + 10
        cap = QRect(right - width, rect.center().y() - 8, width, 16)
        painter.setFont(font(Type.TINY))
        painter.setPen(QPen(tone("faint"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(cap, 3, 3)
        painter.setPen(tone("mid"))
        painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, key)
        return cap.left()


class Palette(Sheet):
    chosen = Signal(object)
    """The command."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, name="palette", width=_WIDTH)
        self._commands: Sequence[Command] = ()
        self._recent: deque[str] = deque(maxlen=_RECENT)
        self._typed = QLineEdit()
        self._typed.setObjectName("palette-typed")
        self._typed.setAccessibleName("Command or symbol")
        self._typed.setPlaceholderText("a command or a symbol")
        self._typed.setFont(font(Type.SENTENCE))
        self._typed.textChanged.connect(self._find)
        self._typed.installEventFilter(self)
        self._found = _Found()
        self._list = QListView()
        self._list.setObjectName("palette-list")
        self._list.setModel(self._found)
        self._list.setItemDelegate(_Rows(self._list))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setFixedHeight(_ROW * _ROWS)
        self._list.clicked.connect(self._take)
        self._none = Text("Nothing is called so.", tone="low", name="palette-none")
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 14, 14, 12)
        column.setSpacing(8)
        column.addWidget(self._typed)
        column.addWidget(self._list)
        column.addWidget(self._none)
        self._place = Centred(self, parent, width=_WIDTH, above=0.35)

    def ask(self, commands: Sequence[Command]) -> None:
        self._commands = commands
        self._typed.clear()
        self._find()
        self._place.bring()
        self._typed.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @property
    def shown(self) -> list[str]:
        """Titles of what was found, from the top."""
        return [str(self._found.index(row, 0).data()) for row in range(self._found.rowCount())]

    def _find(self) -> None:
        self._found.show(matching(self._commands, self._typed.text(), self._recent))
        self._list.setCurrentIndex(self._found.index(0, 0))
        self._none.setVisible(self._found.rowCount() == 0)

    def _step(self, by: int) -> None:
        last = self._found.rowCount() - 1
        row = min(max(self._list.currentIndex().row() + by, 0), last)
        if last >= 0:
            self._list.setCurrentIndex(self._found.index(row, 0))

    def _take(self, index: QModelIndex) -> None:
        command: Command | None = index.data(_COMMAND_ROLE) if index.isValid() else None
        if command is None:
            return
        if command.title in self._recent:
            self._recent.remove(command.title)
        self._recent.appendleft(command.title)
        self.dismiss()
        self.chosen.emit(command)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Keys that the field has no use for; the window's own shortcuts do not get them meanwhile."""
        if not isinstance(event, QKeyEvent):
            return False
        key = Qt.Key(event.key())
        if event.type() is QEvent.Type.ShortcutOverride and key in _STEPS:
            event.accept()
            return True
        if event.type() is not QEvent.Type.KeyPress:
            return False
        if key in _STEPS:
            self._step(_STEPS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._take(self._list.currentIndex())
        elif key is Qt.Key.Key_Escape:
            self.dismiss()
        else:
            return False
        return True
