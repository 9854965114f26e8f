"""Layouts by name: save the window as it is, go back to one, hand one on as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from gui.dialogs.sheet import Centred, RowList, Sheet, under_rule
from gui.layout import Layout, LayoutRefused
from gui.theme import Type, font
from gui.widgets.button import Button
from gui.widgets.text import ElidedText, Text

_WIDTH: Final = 520
_MOST_LIST: Final = 260
_WITH_KEY: Final = 9
"""So many of them have a key of their own."""
_FILES: Final = "Layouts (*.json)"


class LayoutRow(QWidget):
    use_asked = Signal(str)
    export_asked = Signal(str)
    forget_asked = Signal(str)

    def __init__(self, number: int, name: str) -> None:
        super().__init__()
        self.setObjectName(f"layout-{name}")
        row = QHBoxLayout()
        row.addWidget(ElidedText(name, kind=Type.MEDIUM, name="layout-name"), 1)
        if number <= _WITH_KEY:
            row.addWidget(Text(f"Ctrl {number}", kind=Type.SMALL, tone="low"))
        for words, part, asked in (
            ("Use", "use", self.use_asked),
            ("Export", "export", self.export_asked),
            ("Delete", "forget", self.forget_asked),
        ):
            button = Button(words, name=f"layout-{part}")
            button.setAccessibleName(f"{words} {name}")
            button.clicked.connect(lambda _on=False, asked=asked: asked.emit(name))
            row.addWidget(button)
        under_rule(row, self, above=6, spacing=6)


class LayoutSheet(Sheet):
    def __init__(self, layout: Layout, parent: QWidget) -> None:
        super().__init__(parent, name="layout-sheet", width=_WIDTH)
        self._kept = layout
        self._rows: list[LayoutRow] = []
        self._none = Text("None has been saved yet.", tone="mid", name="layout-none")
        self._list = RowList(name="layout-list", width=_WIDTH - 40, most=_MOST_LIST)
        self._name = QLineEdit()
        self._name.setObjectName("layout-new")
        self._name.setAccessibleName("Name of the layout")
        self._name.setPlaceholderText("name")
        self._name.setFont(font(Type.BODY))
        self._name.textChanged.connect(self._enable)
        self._save = Button("Save as it is", name="layout-save", kind="go")
        self._save.clicked.connect(self._keep)
        self._import = Button("Import…", name="layout-import")
        self._import.clicked.connect(self._ask_import)
        self._back = Button("Back", name="layout-back")
        self._back.clicked.connect(self.dismiss)
        self._said = Text(kind=Type.SMALL, tone="mid", wrap=True, name="layout-said")
        new = QHBoxLayout()
        new.setSpacing(8)
        new.addWidget(self._name, 1)
        new.addWidget(self._save)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._said, 1)
        foot.addWidget(self._import)
        foot.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(9)
        column.addWidget(Text("Layouts", kind=Type.SYMBOL))
        for widget in (self._none, self._list):
            column.addWidget(widget)
        column.addLayout(new)
        column.addLayout(foot)
        self._place = Centred(self, parent, width=_WIDTH, above=0.5)

    def ask(self) -> None:
        self._said.say("")
        self._name.clear()
        self._show()
        self._place.bring()
        self._name.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- acts ------------------------------------------------------------------------------------------------

    def use(self, name: str) -> None:
        self._tell(f"“{name}” is in use." if self._kept.use(name) else f"“{name}” does not fit this window.")

    def use_number(self, number: int) -> None:
        """The one of that number in the list, counted from 1; nothing where there is none."""
        names = self._kept.names
        if number <= len(names):
            self.use(names[number - 1])

    def export_to(self, name: str, path: str) -> None:
        try:
            self._kept.export(name, Path(path))
        except OSError as error:
            self._tell(f"{path} cannot be written: {error.strerror or error}.")
        else:
            self._tell(f"“{name}” is written to {path}.")

    def import_from(self, path: str) -> None:
        try:
            name = self._kept.read(Path(path))
        except LayoutRefused as refused:
            self._tell(str(refused))
        except OSError as error:
            self._tell(f"{path} cannot be read: {error.strerror or error}.")
        else:
            self._tell(f"“{name}” is there; Use puts it in place.")

    # --- inside ----------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        try:
            name = self._kept.save_as(self._name.text())
        except LayoutRefused as refused:
            self._tell(str(refused))
            return
        self._name.clear()
        self._tell(f"“{name}” is kept.")

    def _forget(self, name: str) -> None:
        self._kept.forget(name)
        self._tell(f"“{name}” is deleted.")

    def _tell(self, words: str) -> None:
        self._said.say(words)
        self._show()

    def _show(self) -> None:
        for row in self._rows:
            self._list.drop(row)
        self._rows = [LayoutRow(number, name) for number, name in enumerate(self._kept.names, start=1)]
        for row in self._rows:
            row.use_asked.connect(self.use)
            row.export_asked.connect(self._ask_export)
            row.forget_asked.connect(self._forget)
            self._list.add(row)
        self._none.setVisible(not self._rows)
        self._list.setVisible(bool(self._rows))
        self._enable()
        if not self.isHidden():
            self._list.updateGeometry()
            self._place.place()

    def _enable(self) -> None:
        name = " ".join(self._name.text().split())
        self._save.setEnabled(bool(name))
        self._save.setText("Save over it" if name in self._kept.names else "Save as it is")

    def _ask_export(self, name: str) -> None:
        dialog = self._file_dialog("Export layout", QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(f"{''.join(each if each.isalnum() else '-' for each in name)}.json")
        dialog.fileSelected.connect(lambda path: self.export_to(name, path))
        dialog.open()

    def _ask_import(self) -> None:
        dialog = self._file_dialog("Import layout", QFileDialog.AcceptMode.AcceptOpen)
        dialog.fileSelected.connect(self.import_from)
        dialog.open()

    def _file_dialog(self, title: str, mode: QFileDialog.AcceptMode) -> QFileDialog:
        """Not modal to the loop: the desk goes on beneath it."""
        dialog = QFileDialog(self, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(mode)
        dialog.setNameFilter(_FILES)
        dialog.setDefaultSuffix("json")
        return dialog

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._save.isEnabled():
            self._keep()
            return
        super().keyPressEvent(event)
