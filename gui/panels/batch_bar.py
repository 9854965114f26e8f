"""Several signals decided at once: what approving all the chosen ones would do together, and the buttons for it.

The sums come from the desk, which judges the chosen in order with what the ones before them would reserve; a click
approves exactly the batch shown, by its preview id. A batch that changed under the pointer takes no click for a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from engine.views_batch import BatchPreviewView
from gui import formatting as say
from gui.theme import CARD_PAD, Type
from gui.widgets.button import Button
from gui.widgets.reason_field import LACKING, ReasonField
from gui.widgets.text import Text

GUARD_MS: Final = 300
_NAMED: Final = 3
"""Denied signals that are named; of more the number is told."""


class BatchBar(QFrame):
    approve_asked = Signal(object, object, str)
    """Ids in order, the preview id of the sums shown, and why, where a rule warns of one of them."""
    reject_asked = Signal(object)
    cleared = Signal()

    def __init__(
        self, preview: Callable[[Sequence[str]], BatchPreviewView | None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("batch-bar")
        self.setProperty("part", "strip")
        self._preview = preview
        self._ids: tuple[str, ...] = ()
        self._shown: BatchPreviewView | None = None
        self._busy = False
        self._guard = QTimer(self, singleShot=True, interval=GUARD_MS)
        self._guard.timeout.connect(self._enable)
        self._title = Text(kind=Type.STRONG, name="batch-title")
        self._sums = Text(tone="mid", wrap=True, name="batch-sums")
        self._reason = ReasonField(name="batch-reason")
        self._reason.textChanged.connect(lambda _text: self._enable())
        self._denied = Text(kind=Type.SMALL, tone="p1_text", wrap=True, name="batch-denied")
        self._approve = Button("", name="batch-approve", kind="go")
        self._reject = Button("", name="batch-reject")
        clear = Button("Clear", name="batch-clear", kind="quiet")
        self._approve.clicked.connect(self._ask_approve)
        self._reject.clicked.connect(lambda: self.reject_asked.emit(self._ids))
        clear.clicked.connect(self.cleared)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._approve)
        row.addWidget(self._reject)
        row.addStretch(1)
        row.addWidget(clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(CARD_PAD, 10, CARD_PAD, 10)
        column.setSpacing(5)
        for widget in (self._title, self._sums, self._denied, self._reason):
            column.addWidget(widget)
        column.addLayout(row)
        self.hide()

    @property
    def ids(self) -> tuple[str, ...]:
        return self._ids

    def show_batch(self, ids: Sequence[str]) -> None:
        """The sums of these signals as of now; none hides the bar."""
        self._ids = tuple(ids)
        fresh = self._preview(self._ids) if self._ids else None
        self.setVisible(bool(self._ids))
        if self.isHidden():
            self._shown = None
            self._reason.clear()
            return
        if _is_material(self._shown, fresh) and self._approve.underMouse():
            self._guard.start()
        self._shown = fresh
        self._title.say(f"{say.plural(len(self._ids), 'signal')} chosen")
        self._sums.say(_sums(fresh) if fresh is not None else "Being judged…")
        denied = _denied(fresh)
        self._denied.say(denied)
        self._denied.setVisible(bool(denied))
        self._reason.want(fresh is not None and any(p.wants_reason for row in fresh.rows if (p := row.preview)))
        self._enable()

    def show_busy(self, busy: bool) -> None:
        self._busy = busy
        self._enable()

    def _enable(self) -> None:
        shown = self._shown
        count = shown.approvable if shown is not None else 0
        self._approve.setText(f"Approve {count}")
        told = not self._reason.is_lacking
        self._approve.setEnabled(count > 0 and told and not self._busy and not self._guard.isActive())
        self._approve.setToolTip("None of them would pass the gate" if not count else "" if told else LACKING)
        self._reject.setText(f"Reject {len(self._ids)}")
        self._reject.setEnabled(not self._busy)

    def _ask_approve(self) -> None:
        if self._shown is not None and not self._guard.isActive():
            self.approve_asked.emit(self._ids, self._shown.preview_id, self._reason.reason)


def _sums(batch: BatchPreviewView) -> str:
    parts = [f"{say.money(batch.notional)} in all", f"risk {say.money(batch.risk_usd)}"]
    if batch.risk_pct_of_equity is not None:
        parts[-1] += f" ({say.percent(batch.risk_pct_of_equity)})"
    if batch.buying_power_after is not None:
        parts.append(f"{say.money(batch.buying_power_after)} of buying power after")
    if batch.gross_exposure_pct_after is not None:
        parts.append(f"{say.percent(batch.gross_exposure_pct_after)} gross after")
    if batch.open_positions_after is not None:
        parts.append(f"{say.plural(batch.open_positions_after, 'position')} after")
    return " · ".join(parts)


def _denied(batch: BatchPreviewView | None) -> str:
    denied = [row for row in batch.rows if row.code is not None] if batch is not None else []
    if not denied:
        return ""
    named = "; ".join(row.text for row in denied[:_NAMED])
    more = f"; and {len(denied) - _NAMED} more" if len(denied) > _NAMED else ""
    return f"{say.plural(len(denied), 'signal')} would not go: {named}{more}"


def _is_material(old: BatchPreviewView | None, new: BatchPreviewView | None) -> bool:
    if old is None or new is None:
        return True
    return (old.approvable, old.risk_usd, len(old.rows)) != (new.approvable, new.risk_usd, len(new.rows))
