"""What needs a hand, worst on top; what was put on the shelf for a while; and how good the alarms are.

What was urgent and ended before anybody acknowledged it stays, at the lower end, until somebody does: a position that
was naked over lunch is told after lunch.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from PySide6.QtCore import Qt, Signal

from engine.model.incident import Priority
from engine.model.words import Mode
from engine.views import IncidentView
from engine.views_truth import AlarmStatsView
from gui.actions import Actions
from gui.panels.alarm_figures import AlarmFigures
from gui.panels.incident_list import IncidentList, buttons_of, tip_of
from gui.panels.shelf_strip import ShelfStrip
from gui.tables.column import Column
from gui.tables.row_model import RowModel
from gui.widgets.panel import Panel

INCIDENTS_TAB, SHELF_TAB, FIGURES_TAB = range(3)
LATCHED_FOR: Final = timedelta(days=1)
"""After its end; then it is history that the log tells."""
_LAST: Final = 9


class IncidentsPanel(Panel):
    chosen = Signal(object)
    """The ``IncidentView`` that a person has moved to."""
    show_asked = Signal(object)
    flatten_asked = Signal(object)
    """The ``IncidentView``: the panel of brackets asks before it flattens."""

    def __init__(
        self, mode: Mode, actions: Actions, stats: Callable[[], AlarmStatsView], now: Callable[[], datetime]
    ) -> None:
        """``stats`` of the alarms as of now."""
        super().__init__("incidents", ["Incidents", "Shelf", "Figures"], mode)
        self._actions = actions
        self._stats = stats
        self._now = now
        self.model = _model(lambda i: (i.cleared_at is None or self._is_latched(i)) and i.shelved_until is None)
        self.shelf = _model(lambda i: i.cleared_at is None and i.shelved_until is not None)
        self.list = IncidentList(self.model, name="incident-list")
        self.shelf_list = IncidentList(self.shelf, name="shelf-list")
        for each in (self.list, self.shelf_list):
            each.pressed.connect(self._pressed)
            each.chosen.connect(self.chosen)
        self.figures = AlarmFigures()
        self.add_page(self.list, "Nothing needs your hand. An incident says what happened and what to do.")
        self.add_page(self.shelf_list, "Nothing is on the shelf. What is put there comes back by itself.")
        self.add_page(self.figures)
        self.strip = ShelfStrip()
        self.strip.shelve_asked.connect(actions.shelve)
        self.add_foot(self.strip)
        self.header.tabs.chosen.connect(lambda _tab: self.show_figures())
        self._count()

    def take(self, incidents: list[IncidentView], gone: list[str]) -> None:
        for model in (self.model, self.shelf):
            model.stage(incidents)
            model.drop(gone)
            model.flush()
        # The newest time is enough of one that comes and goes: it must not bury what stands.
        newest = {row.key: row.id for row in sorted(self.model.rows(), key=lambda row: row.raised_at)}
        if old := [row.id for row in self.model.rows() if row.id != newest[row.key]]:
            self.model.drop(old)
            self.model.flush()
        asked = self.strip.incident
        if asked is not None and self.model.row(asked.id) not in self.model.rows():
            self.strip.leave()
        self._count()
        self.show_figures()

    def _list_in_view(self) -> IncidentList:
        """Behind the figures, the one of what stands."""
        return self.shelf_list if self.header.tabs.current == SHELF_TAB else self.list

    def current_row(self) -> IncidentView | None:
        """The one that the keys act on."""
        return self._list_in_view().current_row()

    def step(self, by: int) -> None:
        if self.header.tabs.current == FIGURES_TAB:
            self.header.tabs.choose(INCIDENTS_TAB)
        self._list_in_view().step(by)

    def acknowledge_current(self) -> str:
        """Why nothing is acknowledged; empty when it is."""
        return self._press_current("ack", "It is acknowledged already, or on the shelf.")

    def shelve_current(self) -> str:
        """Why it is not asked for how long; empty when it is."""
        return self._press_current("shelve", "This one cannot be shelved: it needs a hand now, or is on the shelf.")

    def _press_current(self, name: str, why_not: str) -> str:
        row = self.current_row()
        if row is None:
            return "No incident is selected."
        if name not in buttons_of(row):
            return why_not
        self._pressed(name, row)
        return ""

    def show_time(self, now: datetime) -> None:
        """Time to act runs out, and what nobody has acknowledged flashes: once a second, four beats of the clock."""
        self.list.show_time(now)

    def _is_latched(self, incident: IncidentView) -> bool:
        """Urgent, over, and never acknowledged."""
        if incident.priority != Priority.NOW or incident.acked_at is not None or incident.cleared_at is None:
            return False
        return self._now() - incident.cleared_at < LATCHED_FOR

    def show_figures(self) -> None:
        """They are counted only while somebody looks."""
        if self.header.tabs.current == FIGURES_TAB:
            self.figures.show_stats(self._stats())

    def _count(self) -> None:
        for tab, model in ((INCIDENTS_TAB, self.model), (SHELF_TAB, self.shelf)):
            self.header.tabs.set_count(tab, sum(1 for row in model.rows() if row.cleared_at is None))
            self.set_empty(tab, not model.rowCount())

    def _pressed(self, name: str, incident: IncidentView) -> None:
        match name:
            case "retry":
                self._actions.retry(incident.subject_id)
            case "reprice":
                self._actions.reprice(incident.subject_id)
            case "protect":
                self._actions.protect_again(incident.subject_id)
            case "lookup":
                self._actions.lookup_order(incident.subject_id)
            case "poll":
                self._actions.poll_orders()
            case "flatten":
                self.flatten_asked.emit(incident)
            case "show":
                self.show_asked.emit(incident)
            case "shelve":
                self.strip.ask(incident)
            case "unshelve":
                self._actions.unshelve(incident.id)
            case "ack":
                self._actions.acknowledge(incident.id)


def _rank(incident: IncidentView) -> int:
    return incident.priority if incident.cleared_at is None else _LAST


def _model(accepts: Callable[[IncidentView], bool]) -> RowModel[IncidentView]:
    cause = Column[IncidentView]("cause", "Cause", 200, lambda i: i.cause, lambda i: i.raised_at, tip=tip_of)
    model: RowModel[IncidentView] = RowModel((cause,), lambda i: i.id, accepts=accepts, rank=_rank)
    model.sort(0, Qt.SortOrder.DescendingOrder)
    return model
