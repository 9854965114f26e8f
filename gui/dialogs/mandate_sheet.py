"""The mandates in force, each with what is burned of its bounds; giving one, confirming it, and ending it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.model.words import Mode
from engine.views_limits import MandateView
from gui.actions import GRANT, MANDATE, REVOKE, Actions, Refusal
from gui.dialogs.mandate_form import MandateFields
from gui.dialogs.mandate_row import MandateRow
from gui.dialogs.sheet import Centred, RowList, Sheet
from gui.theme import Type
from gui.widgets.button import Button
from gui.widgets.text import Text, rule

GUARD_MS: Final = 300
"""A row that goes moves those beneath it: for so long none of their buttons takes a click."""
_WIDTH: Final = 720
_MOST_LIST: Final = 330
_ABOUT: Final = (
    "A yes given in advance, within bounds. Signals that fit are approved without you; a deny stops them, a warning "
    "leaves them to you, and all others wait as ever."
)


class MandateSheet(Sheet):
    asked_anew = Signal()
    """The picture is out of date: something was granted, confirmed or revoked."""

    def __init__(self, mode: Mode, actions: Actions, now: Callable[[], datetime], parent: QWidget) -> None:
        super().__init__(parent, name="mandate-sheet", width=_WIDTH)
        self._actions = actions
        self._now = now
        self._rows: dict[str, MandateRow] = {}
        self._strategies: Sequence[str] = ()
        self._guard = QTimer(self, singleShot=True, interval=GUARD_MS)
        self._guard.timeout.connect(self._enable)
        self._none = Text("None is in force: every signal waits for you.", tone="mid", name="mandate-none")
        self._list = RowList(name="mandate-list", width=_WIDTH - 40, most=_MOST_LIST)
        self._form = MandateFields(mode, now)
        self._form.granted.connect(lambda form: actions.grant_mandate(form, self._granted))
        self._form.resized.connect(self._fit)
        self._form.hide()
        self._new = Button("New mandate", name="mandate-new")
        self._new.clicked.connect(self._toggle_form)
        self._all = Button("Revoke all", name="mandate-revoke-all", kind="danger")
        self._all.clicked.connect(actions.revoke_mandates)
        self._back = Button("Back", name="mandate-sheet-back")
        self._back.clicked.connect(self.dismiss)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._new)
        foot.addStretch(1)
        foot.addWidget(self._all)
        foot.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(8)
        column.addWidget(Text("Mandates", kind=Type.SYMBOL))
        column.addWidget(Text(_ABOUT, kind=Type.SMALL, tone="low", wrap=True))
        for widget in (self._none, self._list, rule(vertical=False), self._form):
            column.addWidget(widget)
        column.addLayout(foot)
        actions.started.connect(lambda _key: self._enable())
        actions.ended.connect(self._ended)
        actions.refused.connect(self._refused)
        self._place = Centred(self, parent, width=_WIDTH, above=0.5)

    def ask(self, mandates: Sequence[MandateView], strategies: Sequence[str]) -> None:
        self._strategies = strategies
        self._form.hide()
        self._show(mandates)
        self._place.bring()
        self._back.setFocus(Qt.FocusReason.OtherFocusReason)

    def follow(self, mandates: Sequence[MandateView]) -> None:
        """A newer picture while it is open."""
        self._show(mandates)

    def _show(self, mandates: Sequence[MandateView]) -> None:
        there = {mandate.id: mandate for mandate in mandates}
        gone = [key for key in self._rows if key not in there]
        fresh = [key for key in there if key not in self._rows]
        for key in gone:
            self._list.drop(self._rows.pop(key))
        for key in reversed(fresh):
            row = self._rows[key] = MandateRow(key)
            row.revoke_asked.connect(self._actions.revoke_mandate)
            row.confirm_asked.connect(self._actions.confirm_mandate)
            self._list.add(row, first=True)
        for key, mandate in there.items():
            self._rows[key].show_mandate(mandate, self._now())
        self._none.setVisible(not there)
        self._list.setVisible(bool(there))
        self._all.setVisible(len(there) > 1)
        self._all.setText(f"Revoke all {len(there)}")
        self._all.updateGeometry()
        if gone and there:
            self._guard.start()
        self._enable()
        self._fit()

    def _toggle_form(self) -> None:
        opens = self._form.isHidden()
        self._form.setVisible(opens)
        self._new.setText("Leave the form" if opens else "New mandate")
        self._new.updateGeometry()
        if opens:
            self._form.begin(self._strategies)
        self._fit()

    def _granted(self) -> None:
        if not self._form.isHidden():
            self._toggle_form()

    def _enable(self) -> None:
        running = self._actions.is_running
        is_late = self._guard.isActive() or running(REVOKE)
        for key, row in self._rows.items():
            row.offer(is_busy=is_late or running(f"{MANDATE}{key}") or running(f"{REVOKE}:{key}"))
        self._all.setEnabled(not is_late)
        self._form.allow(not running(GRANT))

    def _ended(self, key: str) -> None:
        self._enable()
        if not self.isHidden() and key.startswith((GRANT, MANDATE, REVOKE)):
            self.asked_anew.emit()

    def _refused(self, key: str, refusal: Refusal) -> None:
        if key == GRANT:
            self._form.refuse(refusal.text)

    def _fit(self) -> None:
        if not self.isHidden():
            self._list.updateGeometry()
            self._place.place()
