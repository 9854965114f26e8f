"""The panels that the keys work in (signals, trades, orders, incidents), and which of them has its turn."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt

from gui.panels.brackets import BracketsPanel
from gui.panels.incidents import IncidentsPanel
from gui.panels.orders import OrdersPanel
from gui.panels.signals import SignalsPanel
from gui.widgets.panel import Panel


class Zones:
    def __init__(
        self,
        signals: SignalsPanel,
        brackets: BracketsPanel,
        orders: OrdersPanel,
        incidents: IncidentsPanel,
        *,
        moved: Callable[[], object],
        tell: Callable[[str, str], object],
    ) -> None:
        """``moved`` is called when a key leads to what the others act on, ``tell`` with a code and why a key did
        nothing."""
        self._moved = moved
        self._tell = tell
        self._signals = signals
        self._brackets = brackets
        self._orders = orders
        self._incidents = incidents
        self.current: Panel | None = None
        """None until a person has moved to one: the queue's keys work from the start."""

    @property
    def all(self) -> tuple[Panel, ...]:
        """From left to right, and then down."""
        return (self._signals, self._brackets, self._orders, self._incidents)

    @property
    def is_queue(self) -> bool:
        return self.current in (None, self._signals)

    def acts(self) -> dict[str, Callable[[], object]]:
        """What the keys of that name do."""
        return {
            "up": lambda: self._step(-1),
            "down": lambda: self._step(1),
            "left": lambda: self._change(-1),
            "right": lambda: self._change(1),
            "next_tab": lambda: self._turn(1),
            "previous_tab": lambda: self._turn(-1),
            "approve": lambda: self._say("NOT_APPROVED", self._signals.approve_current()),
            "edit": self._edit,
            "reject": self._reject,
            "tick": self._signals.toggle_tick,
            "undo": self._signals.undo_newest,
            "cancel": lambda: self._say("NOT_CANCELED", self._orders.cancel_current()),
            "retry": lambda: self._say("NOT_RETRIED", self._brackets.retry_current()),
            "flatten": self._brackets.flatten_current,
            "acknowledge": lambda: self._about_an_incident(self._incidents.acknowledge_current),
            "shelve": lambda: self._about_an_incident(self._incidents.shelve_current),
            "filter": self._filter,
            "filter_row": self._filter_row,
        }

    def symbol(self) -> str:
        """Of the row, or the card, where the keys work; empty when there is none."""
        if self.current is self._brackets:
            row = self._brackets.current_view().current_row()
        elif self.current is self._orders:
            row = self._orders.current_view().current_row()
        elif self.current is self._incidents:
            row = self._incidents.current_row()
        else:
            card = self._signals.current
            row = card.signal if card is not None else None
        return getattr(row, "symbol", "") or ""

    def pick_reason(self, number: int) -> None:
        card = self._signals.current
        if card is not None:
            card.pick_reason(number)

    def escape(self) -> None:
        """Leave every question and what is being typed."""
        for panel in (self._signals, self._brackets, self._orders):
            panel.confirm.dismiss()
        self._orders.edit.leave()
        self._incidents.strip.leave()
        card = self._signals.current
        if card is not None:
            card.leave_edit()

    def _change(self, by: int) -> None:
        self._moved()
        at = self.all.index(self.current) if self.current in self.all else 0
        zone = self.all[min(max(at + by, 0), len(self.all) - 1)]
        if zone is not self.current:
            self.current = zone
            self._step(0)

    def _turn(self, by: int) -> None:
        self._moved()
        (self.current or self._signals).header.tabs.turn(by)

    def _step(self, by: int) -> None:
        self._moved()
        if self.current is self._brackets:
            self._brackets.current_view().step(by)
        elif self.current is self._orders:
            self._orders.current_view().step(by)
        elif self.current is self._incidents:
            self._incidents.step(by)
        else:
            self._signals.step(by)

    def _about_an_incident(self, act: Callable[[], str]) -> None:
        """The first press goes to the incidents: nothing is acknowledged that nobody has looked at."""
        if self.current is self._incidents and self._incidents.current_row() is not None:
            self._say("NOT_DONE", act())
            return
        self._moved()
        self.current = self._incidents
        self._incidents.step(0)

    def _say(self, code: str, why: str) -> None:
        if why:
            self._tell(code, why)

    def _edit(self) -> None:
        card = self._signals.current
        if self.current is self._orders:
            self._orders.edit_current()
        elif card is not None:
            card.edit()

    def _reject(self) -> None:
        card = self._signals.current
        if card is not None:
            card.open_reasons()

    def _filter(self) -> None:
        box = self._orders.filter if self.current is self._orders else self._brackets.filter
        box.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _filter_row(self) -> None:
        """That of the table where the keys work: it comes, and goes when nothing is typed there any more."""
        panel = self._orders if self.current is self._orders else self._brackets
        filters = panel.current_view().filters
        if not panel.current_view().isVisible():
            self._tell("NOTHING_THERE", "There is nothing to filter yet.")
            return
        filters.show(not filters.is_shown)
        if filters.is_shown:
            filters.enter()
