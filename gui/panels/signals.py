"""What waits for a yes: cards, the soonest deadline on top, and the history of what was decided.

Cards never move under the pointer: while it is over the list, new ones come in at the end and decided ones stay, dim
and without buttons, until it leaves. A decided card is shown for ``LINGER_S`` with how it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from engine.model.commands import NO_EDITS, Edits
from engine.model.words import Mode, SignalStatus
from engine.views import PreviewView, SignalView
from engine.views_batch import BatchPreviewView, RejectReasonView
from gui.actions import BATCH, Actions, Refusal
from gui.panels import signal_words as words
from gui.panels.batch_bar import BatchBar
from gui.panels.signal_card import SignalCard
from gui.panels.signal_history import history_blotter
from gui.theme import GAP
from gui.widgets.button import Button
from gui.widgets.choice import Choice
from gui.widgets.panel import Panel

LINGER_S: Final = 4.0
_CARDS_A_FRAME: Final = 12
"""A burst of signals is built over several frames: a card costs about a millisecond."""

PENDING_TAB: Final = 0
HISTORY_TAB: Final = 1


class Previewing(Protocol):
    """What the queue asks, whenever it shows numbers."""

    def preview(self, signal_id: str, edits: Edits) -> PreviewView | None: ...
    def preview_batch(self, ids: Sequence[str]) -> BatchPreviewView | None: ...
    def reject_reasons(self) -> Sequence[RejectReasonView]: ...


class CardColumn(QWidget):
    """What the scroll area scrolls: as high as its cards are at the width they have, not at their narrowest."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("cards")

    def minimumSizeHint(self) -> QSize:
        layout = self.layout()
        return QSize(0, layout.totalHeightForWidth(self.width()) if layout is not None else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()


class SignalsPanel(Panel):
    chosen = Signal(object, bool)
    """The ``SignalView`` moved to, and whether a person did it (the queue arms its first card by itself)."""

    def __init__(
        self,
        mode: Mode,
        actions: Actions,
        desk: Previewing,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__("signals", ["Pending approvals", "History"], mode)
        self._actions = actions
        self._preview = desk.preview
        self._reasons = desk.reject_reasons()
        self._ticked: list[str] = []
        """In the order in which they were chosen: a batch is judged in it."""
        self._now = now
        self._cards: dict[str, SignalCard] = {}
        self._order: list[str] = []
        self._waiting: dict[str, SignalView] = {}
        self._gone_at: dict[str, datetime] = {}
        self._chosen: str | None = None
        inside = CardColumn()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._column.setSpacing(GAP)
        self._column.addStretch(1)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(self._area.horizontalScrollBarPolicy().ScrollBarAlwaysOff)
        self._area.setWidget(inside)
        self.add_page(self._area, "No signals. A strategy's proposal appears here and waits for your yes.")
        self.history, self.history_view = history_blotter()
        self.add_page(self.history_view, "Nothing decided yet. Approved, rejected and expired signals are kept here.")
        self.strategies = Choice("All strategies", name="strategy-filter")
        self.strategies.chosen.connect(lambda _strategy: self._arrange())
        self.select = Button("Select", name="signals-select", kind="quiet")
        self.select.setCheckable(True)
        self.select.setToolTip("Decide several at once  (Space chooses the armed one)")
        self.select.toggled.connect(self._offer_ticks)
        for tool in (self.strategies, self.select):
            self.header.add_tool(tool)
        self.batch = BatchBar(desk.preview_batch)
        self.batch.approve_asked.connect(actions.approve_batch)
        self.batch.reject_asked.connect(actions.reject_batch)
        self.batch.cleared.connect(lambda: self.select.setChecked(False))
        self.add_foot(self.batch)
        self._more = QTimer(self, singleShot=True, interval=0)
        self._more.timeout.connect(self._build)
        actions.started.connect(lambda key: self._show_busy(key, busy=True))
        actions.ended.connect(lambda key: self._show_busy(key, busy=False))
        actions.refused.connect(self._refused)
        self.history_view.chosen.connect(self._pick_decided)

    # --- from the bridge -------------------------------------------------------------------------------------

    def take(self, signals: list[SignalView], gone: list[str]) -> None:
        for signal in signals:
            if signal.status is not SignalStatus.PENDING:
                self.history.stage([signal])
                self._retire(signal)
                continue
            self.history.drop([signal.id])  # it may have come back
            if signal.id in self._cards:
                card = self._cards[signal.id]
                if card.is_gone:  # back from a failed start: it has to be decided again
                    self._remove(signal.id)
                    self._waiting[signal.id] = signal
                else:
                    card.take(signal)
            else:
                self._waiting[signal.id] = signal
        for key in gone:
            self._waiting.pop(key, None)
            self._remove(key)
        self.history.drop(gone)
        self.history.flush()
        self._build()

    def show_demo(self, demo_on: bool | None) -> None:
        text = "No signals. A strategy's proposal appears here and waits for your yes."
        if demo_on:
            text = "No signals. The demo strategy proposes one every 10–30 s."
        elif demo_on is not None:
            text = "No signals. Switch the demo strategy on above, or send one: main.py signal buy AAPL --stop 184.9"
        self.set_empty(PENDING_TAB, not self._order, text)

    def show_time(self, now: datetime) -> None:
        """Countdowns, the end of holds, and cards that have been looked at long enough."""
        for card in self._cards.values():
            card.show_time(now)
        if self._ticked and not self._actions.is_running(BATCH):
            self.batch.show_batch(self._ticked)
        chosen = self._cards.get(self._chosen or "")
        if chosen is not None and not chosen.holds and not self._is_deciding(chosen.signal.id):
            self._follow(chosen.signal.id)
        if not self._area.underMouse():
            late = [
                key
                for key, at in self._gone_at.items()
                if (now - at).total_seconds() > LINGER_S and not self._cards[key].can_undo
            ]
            for key in late:
                self._remove(key)
            self._arrange()

    def _follow(self, key: str) -> None:
        """The armed card's numbers, as they are now and with what the person has changed in them."""
        card = self._cards.get(key)
        fresh = self._preview(key, card.edits) if card is not None else None
        if card is not None and fresh is not None:
            card.show_preview(fresh)

    # --- several at once -------------------------------------------------------------------------------------

    def toggle_tick(self) -> None:
        """Choose the armed signal for the batch, or leave it out again."""
        card = self.current
        if card is not None:
            self.select.setChecked(True)
            self._tick(card.signal.id, card.signal.id not in self._ticked)

    def _tick(self, key: str, on: bool) -> None:
        if on and key not in self._ticked:
            self._ticked.append(key)
        elif not on and key in self._ticked:
            self._ticked.remove(key)
        self._show_ticks()

    def _offer_ticks(self, offered: bool) -> None:
        if not offered:
            self._ticked.clear()
        self._show_ticks()

    def _show_ticks(self) -> None:
        self._ticked = [key for key in self._ticked if key in self._cards and not self._cards[key].is_gone]
        for key, card in self._cards.items():
            card.show_tick(offered=self.select.isChecked(), on=key in self._ticked)
        self.batch.show_batch(self._ticked)

    def undo_newest(self) -> None:
        """Take the newest approval back that still can be."""
        undoable = [key for key in self._gone_at if self._cards[key].can_undo]
        if undoable:
            self._actions.undo(max(undoable, key=lambda key: self._gone_at[key]))

    def _pick_decided(self, row: SignalView | None) -> None:
        if row is not None:
            self.chosen.emit(row, True)

    # --- keys ------------------------------------------------------------------------------------------------

    @property
    def current(self) -> SignalCard | None:
        return self._cards.get(self._chosen or "")

    def pending_ids(self) -> list[str]:
        """As they stand, top first, without those of other strategies than the one chosen."""
        strategy = self.strategies.current
        shown = ((key, self._cards[key]) for key in self._order)
        return [key for key, card in shown if not card.is_gone and strategy in (None, card.signal.strategy)]

    def step(self, by: int) -> None:
        keys = self.pending_ids()
        if keys:
            at = keys.index(self._chosen) + by if self._chosen in keys else 0
            self.choose(keys[min(max(at, 0), len(keys) - 1)])

    def approve_current(self) -> str:
        """Why nothing was approved; empty when it was, or when the card has only now been moved to."""
        card = self.current
        return card.approve_now() if card is not None else "No signal waits for a yes."

    def has_pending(self, key: str) -> bool:
        """It waits for a decision."""
        card = self._cards.get(key)
        return key in self._waiting or (card is not None and not card.is_gone)

    def choose(self, key: str | None, *, by_person: bool = True) -> None:
        if key == self._chosen:
            card = self.current
            if card is not None and by_person:
                card.move_to()
                self.chosen.emit(card.signal, by_person)
            return
        before = self._cards.get(self._chosen or "")
        if before is not None and before.is_armed:
            before.disarm()
        card = self._cards.get(key or "")
        self._chosen = key if card is not None else None
        if card is not None:
            card.arm(self._preview(card.signal.id, NO_EDITS))
            if by_person:
                card.move_to()
            card.show_busy(self._is_deciding(card.signal.id))
            QTimer.singleShot(0, self, lambda: self._reveal(key))
            self.chosen.emit(card.signal, by_person)

    def _reveal(self, key: str | None) -> None:
        card = self._cards.get(key or "")
        if card is not None:
            self._area.ensureWidgetVisible(card, 0, GAP)
            self._area.horizontalScrollBar().setValue(0)

    # --- cards -----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        soonest = sorted(self._waiting.values(), key=lambda s: s.expires_at)
        for signal in soonest[:_CARDS_A_FRAME]:
            del self._waiting[signal.id]
            card = SignalCard(signal, self._reasons)
            card.chosen.connect(lambda key: self.choose(key))
            card.approve_asked.connect(self._actions.approve)
            card.reject_asked.connect(lambda key, code: self._actions.reject(key, code=code))
            card.undo_asked.connect(self._actions.undo)
            card.ticked.connect(self._tick)
            card.show_tick(offered=self.select.isChecked(), on=False)
            card.edited.connect(self._follow)
            card.show_time(self._now())
            self._cards[signal.id] = card
            self._order.append(signal.id)
            self._column.insertWidget(self._column.count() - 1, card)
        if self._waiting:
            self._more.start()
        self._arrange()

    def _retire(self, signal: SignalView) -> None:
        self._waiting.pop(signal.id, None)
        card = self._cards.get(signal.id)
        if card is None or card.is_gone:
            return
        card.show_outcome(signal)
        card.show_time(self._now())
        self._gone_at[signal.id] = self._now()
        if signal.id in self._ticked:
            self._tick(signal.id, False)
        if self._chosen == signal.id:
            self._chosen = None

    def _remove(self, key: str) -> None:
        card = self._cards.pop(key, None)
        self._gone_at.pop(key, None)
        if card is not None:
            self._order.remove(key)
            self._column.removeWidget(card)
            card.deleteLater()
            if self._chosen == key:
                self._chosen = None

    def _arrange(self) -> None:
        if not self._area.underMouse():
            cards = self._cards
            wanted = sorted(self._order, key=lambda key: (cards[key].is_gone, cards[key].signal.expires_at))
            if wanted != self._order:
                self._order = wanted
                for place, key in enumerate(wanted):
                    self._column.insertWidget(place, cards[key])
        strategy = self.strategies.current
        for card in self._cards.values():
            card.setVisible(strategy in (None, card.signal.strategy))
        self.strategies.offer(sorted({card.signal.strategy for card in self._cards.values() if not card.is_gone}))
        pending = self.pending_ids()
        if self._chosen is not None and self._chosen not in pending:
            self.choose(None, by_person=False)
        if self._chosen is None and pending:
            self.choose(pending[0], by_person=False)
        self.header.tabs.set_count(PENDING_TAB, len(pending) + len(self._waiting))
        self.header.tabs.set_count(HISTORY_TAB, self.history.rowCount() or None)
        self.set_empty(PENDING_TAB, not self._order)
        self.set_empty(HISTORY_TAB, not self.history.rowCount())

    # --- commands --------------------------------------------------------------------------------------------

    def _is_deciding(self, key: str) -> bool:
        return self._actions.is_running(f"approve:{key}") or self._actions.is_running(f"reject:{key}")

    def _show_busy(self, command: str, *, busy: bool) -> None:
        if command == BATCH:
            self.batch.show_busy(busy)
        verb, _, key = command.partition(":")
        card = self._cards.get(key)
        if card is not None and verb in ("approve", "reject"):
            card.show_busy(busy)

    def _refused(self, command: str, refusal: Refusal) -> None:
        verb, _, key = command.partition(":")
        card = self._cards.get(key)
        if verb != "approve" or card is None or not card.is_armed:
            return
        old = card.shown
        fresh = self._preview(key, card.edits)
        if fresh is not None:
            said = words.changed_words(old, fresh) if refusal.code == "CHANGED_SINCE_SHOWN" else ""
            card.show_preview(fresh, said or (refusal.text if refusal.code == "CHANGED_SINCE_SHOWN" else ""))
