"""The settings: every key of the schema with its unit, what is allowed, its default and its sentence.

What is changed is marked, checked with every keystroke by the rules of the start itself, and written into the
operator's file in its place when *Save* is clicked. A desk reads its file when it starts: the sheet says so.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from engine.config import Config
from engine.errors import EngineError
from engine.settings import Setting, settings_of, shown, value_of
from gui import formatting as say
from gui.dialogs.sheet import Centred, RowList, Sheet
from gui.theme import Type, font
from gui.widgets.button import Button
from gui.widgets.text import ElidedText, Text, restyle, rule

_WIDTH: Final = 760
_MOST_LIST: Final = 430
_BY_FILE: Final = frozenset({"table"})
"""Kinds that are edited in the file alone."""
_OTHER_SECTIONS: Final = frozenset({"strategies"})


class File(Protocol):
    """Where the settings are kept."""

    @property
    def path(self) -> Any: ...
    def read(self) -> dict[str, Any]: ...
    def check(self, changes: dict[tuple[str, str], Any]) -> None: ...
    def save(self, changes: dict[tuple[str, str], Any]) -> None: ...


class SettingRow(QWidget):
    changed = Signal()

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.setObjectName(f"setting-{setting.section}-{setting.key}")
        self._stands = ""
        words = setting.key.replace("_", " ")
        self._name = Text(say.sentence(words), kind=Type.MEDIUM, name="setting-name")
        self.field = QLineEdit()
        self.field.setObjectName(f"set-{setting.section}-{setting.key}")
        self.field.setAccessibleName(f"{setting.section} {words}")
        self.field.setFont(font(Type.BODY))
        self.field.setFixedWidth(170)
        self.field.setPlaceholderText(shown(setting.default) or "off")
        self.field.setEnabled(setting.kind not in _BY_FILE)
        self.field.textChanged.connect(self._typed)
        unit = f" · {setting.unit}" if setting.unit else ""
        allowed = f"{setting.allowed.replace('`', '')}{unit}" if setting.kind not in _BY_FILE else "in the file alone"
        self._wrong = Text(kind=Type.SMALL_STRONG, tone="p2_text", wrap=True, name="setting-wrong")
        self._wrong.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 5, 8, 5)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(1)
        grid.addWidget(self._name, 0, 0)
        grid.addWidget(self.field, 0, 1)
        grid.addWidget(ElidedText(allowed, kind=Type.SMALL, tone="low"), 0, 2)
        grid.addWidget(Text(setting.meaning, kind=Type.SMALL, tone="mid", wrap=True), 1, 0, 1, 3)
        grid.addWidget(self._wrong, 2, 0, 1, 3)
        grid.setColumnMinimumWidth(0, 230)
        grid.setColumnStretch(2, 1)

    def show_value(self, value: Any) -> None:
        """What stands in the file; nothing when it does not."""
        self._stands = shown(value)
        self.field.setText(self._stands)
        self._typed()

    @property
    def is_changed(self) -> bool:
        return self.field.text().strip() != self._stands

    def matches(self, typed: str) -> bool:
        text = f"{self.setting.section} {self.setting.key} {self.setting.meaning}".casefold().replace("_", " ")
        return all(word in text for word in typed.casefold().split())

    def refuse(self, text: str) -> None:
        self._wrong.say(text)
        self._wrong.setVisible(bool(text))
        restyle(self.field, "wrong", bool(text))

    def _typed(self) -> None:
        self._name.set_tone("p2_text" if self.is_changed else "high")
        self.refuse("")
        self.changed.emit()


class SettingsSheet(Sheet):
    def __init__(self, file: File, parent: QWidget) -> None:
        super().__init__(parent, name="settings-sheet", width=_WIDTH)
        self._file = file
        self._rows: list[SettingRow] = []
        self._is_reading = False
        self._heads: dict[str, Text] = {}
        self._find = QLineEdit()
        self._find.setObjectName("settings-find")
        self._find.setAccessibleName("Find a setting")
        self._find.setPlaceholderText("find a setting")
        self._find.setFont(font(Type.BODY))
        self._find.textChanged.connect(self._show_found)
        self._list = RowList(name="settings-list", width=_WIDTH - 40, most=_MOST_LIST)
        self._list.setFixedHeight(_MOST_LIST)
        self._said = Text(kind=Type.SMALL, tone="mid", wrap=True, name="settings-said")
        self.save = Button("Save", name="settings-save", kind="go")
        self.save.clicked.connect(self._save)
        self._undo = Button("Undo changes", name="settings-undo")
        self._undo.clicked.connect(self._read)
        back = Button("Back", name="settings-back")
        back.clicked.connect(self.dismiss)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._said, 1)
        for button in (self._undo, self.save, back):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(9)
        column.addWidget(Text("Settings", kind=Type.SYMBOL))
        column.addWidget(Text(f"{file.path} · read when the desk starts", kind=Type.SMALL, tone="low", wrap=True))
        for widget in (self._find, self._list):
            column.addWidget(widget)
        column.addLayout(foot)
        self._place = Centred(self, parent, width=_WIDTH, above=0.5)

    def ask(self) -> None:
        if not self._rows:
            self._build()
        self._find.clear()
        self._read()
        self._place.bring()
        self._find.setFocus(Qt.FocusReason.OtherFocusReason)

    def _build(self) -> None:
        """At the first opening: a hundred rows that most starts never show."""
        for section in Config.__struct_fields__:
            if section in _OTHER_SECTIONS:
                continue
            head = self._heads[section] = Text(say.sentence(section.replace("_", " ")), kind=Type.STRONG, tone="mid")
            self._list.add(head)
            for setting in settings_of(section):
                row = SettingRow(setting)
                row.changed.connect(self._check)
                self._rows.append(row)
                self._list.add(row)
            self._list.add(rule(vertical=False))

    # --- reading and writing ---------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            table = self._file.read()
        except EngineError as error:
            self._tell(error.operator_text, "p2_text")
            table = {}
        else:
            self._tell("", "mid")
        self._is_reading = True
        for row in self._rows:
            row.show_value(table.get(row.setting.section, {}).get(row.setting.key))
        self._is_reading = False
        self._check()

    def _changes(self) -> dict[tuple[str, str], Any] | None:
        """What was typed; None while something of it is no value."""
        found: dict[tuple[str, str], Any] = {}
        sound = True
        for row in self._rows:
            if not row.is_changed:
                continue
            try:
                found[row.setting.section, row.setting.key] = value_of(row.setting, row.field.text())
            except EngineError as error:
                row.refuse(error.operator_text)
                sound = False
        return found if sound and self._is_allowed(found) else None

    def _is_allowed(self, changes: dict[tuple[str, str], Any]) -> bool:
        """As the next start would read it; what is not allowed is said where it was typed."""
        try:
            self._file.check(changes)
        except EngineError as error:
            text = error.operator_text
            for row in self._rows:
                setting = row.setting
                if row.is_changed and f"{setting.section}.{setting.key} =" in text:
                    row.refuse(text.partition(": ")[2])
                    return False
            self._tell(text, "p2_text")
            return False
        return True

    def _check(self) -> None:
        if self._is_reading:
            return
        count = sum(row.is_changed for row in self._rows)
        sound = self._changes() is not None
        self.save.setText(f"Save {count}" if count else "Save")
        self.save.setEnabled(bool(count) and sound)
        self._undo.setEnabled(bool(count))

    def _save(self) -> None:
        changes = self._changes()
        if not changes:
            return
        try:
            self._file.save(changes)
        except EngineError as error:
            self._tell(error.operator_text, "p2_text")
            return
        self._read()
        self._tell(f"{say.plural(len(changes), 'setting')} saved: they hold from the next start on.", "go")

    # --- finding ---------------------------------------------------------------------------------------------

    def _show_found(self, typed: str) -> None:
        in_sight: set[str] = set()
        for row in self._rows:
            is_found = row.matches(typed)
            row.setVisible(is_found)
            if is_found:
                in_sight.add(row.setting.section)
        for section, head in self._heads.items():
            head.setVisible(section in in_sight)

    def _tell(self, words: str, ink: str) -> None:
        self._said.say(words)
        self._said.set_tone(ink)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return  # it never saves
        super().keyPressEvent(event)
