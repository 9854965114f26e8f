"""Putting an incident on the shelf: for how long, and why. Both are needed, Enter does nothing."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout

from engine.views import IncidentView
from gui.theme import Type, font
from gui.widgets.button import Button
from gui.widgets.segments import Segments

_TIMES: Final = (("15", "¼ h"), ("60", "1 h"), ("240", "4 h"), ("480", "8 h"))
_LONGEST: Final = 200


class ShelfStrip(QFrame):
    shelve_asked = Signal(str, int, str)
    """Id of the incident, minutes, reason."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("shelf-strip")
        self.setProperty("part", "strip")
        self.incident: IncidentView | None = None
        self._times = Segments(_TIMES, name="shelf-time", said="For how long")
        self._why = QLineEdit()
        self._why.setObjectName("shelf-why")
        self._why.setAccessibleName("Why it is shelved")
        self._why.setFont(font(Type.BODY))
        self._why.setMaxLength(_LONGEST)
        self._why.textChanged.connect(self._enable)
        self._shelve = Button("Shelve", name="shelf-do")
        back = Button("Back", name="shelf-back")
        self._shelve.clicked.connect(self._go)
        back.clicked.connect(self.leave)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._times)
        row.addStretch(1)
        row.addWidget(back)
        row.addWidget(self._shelve)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 7, 8, 7)
        column.setSpacing(6)
        column.addWidget(self._why)
        column.addLayout(row)
        self.hide()

    def ask(self, incident: IncidentView) -> None:
        self.incident = incident
        self._why.setPlaceholderText(f"why may it wait: {incident.cause}")
        self._why.setToolTip(incident.cause)
        self._why.clear()
        self._times.choose("15")
        self._enable()
        self.show()
        self._why.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> None:
        self.incident = None
        self.hide()

    def _enable(self) -> None:
        self._shelve.setEnabled(bool(self._why.text().strip()))

    def _go(self) -> None:
        incident, why = self.incident, self._why.text().strip()
        if incident is not None and why:
            self.leave()
            self.shelve_asked.emit(incident.id, int(self._times.value), why)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
