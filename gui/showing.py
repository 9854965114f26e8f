"""Where a thing is shown: its row is chosen in the panel that has it, whoever speaks of it (an incident, the log)."""

from __future__ import annotations

from collections.abc import Callable

from engine.views import ActivityLine, BracketView, IncidentView
from gui.panels.brackets import BRACKETS_TAB, BracketsPanel
from gui.panels.incidents import INCIDENTS_TAB, IncidentsPanel
from gui.panels.orders import OrdersPanel
from gui.panels.signals import HISTORY_TAB as DECIDED_TAB, PENDING_TAB, SignalsPanel


class Showing:
    def __init__(
        self,
        signals: SignalsPanel,
        brackets: BracketsPanel,
        orders: OrdersPanel,
        incidents: IncidentsPanel,
        *,
        picked: Callable[[BracketView], object],
        about_the_desk: Callable[[], object],
    ) -> None:
        """``picked`` a trade; ``about_the_desk``: an incident of no symbol is to be shown."""
        self._signals = signals
        self._brackets = brackets
        self._orders = orders
        self._incidents = incidents
        self._picked = picked
        self._about_the_desk = about_the_desk

    def symbol(self, symbol: str) -> None:
        found = next((b for b in self._brackets.model.rows() if b.symbol == symbol), None)
        if found is not None:
            self._trade(found)

    def incident(self, incident: IncidentView) -> None:
        if not self._subject(incident.subject_id):
            if incident.symbol is not None:
                self.symbol(incident.symbol)
            else:
                self._about_the_desk()

    def line(self, line: ActivityLine) -> None:
        """What a line of the log is about; its symbol where that itself is gone."""
        if not self._subject(line.subject) and line.symbol is not None:
            self.symbol(line.symbol)

    def _subject(self, subject: str) -> bool:
        """By its id, in whichever panel it is; False when it is in none."""
        trade = self._brackets.model.row(subject)
        if trade is not None and self._brackets.model.index_of(subject).isValid():
            self._trade(trade)
        elif self._orders.model.row(subject) is not None:
            self._orders.reveal(subject)
        elif self._signals.has_pending(subject):
            self._signals.header.tabs.choose(PENDING_TAB)
            self._signals.choose(subject)
        elif self._signals.history.row(subject) is not None:
            self._signals.header.tabs.choose(DECIDED_TAB)
            self._signals.history_view.choose(subject)
        elif self._brackets.history.row(subject) is not None:
            self._brackets.header.tabs.choose(self._brackets.views.index(self._brackets.history_view))
            self._brackets.history_view.choose(subject)
        elif self._incidents.model.row(subject) is not None:
            self._incidents.header.tabs.choose(INCIDENTS_TAB)
        else:
            return False
        return True

    def _trade(self, trade: BracketView) -> None:
        self._brackets.header.tabs.choose(BRACKETS_TAB)
        self._brackets.view.choose(trade.id)
        self._picked(trade)
