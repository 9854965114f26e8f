"""The main window: panels in docks, one selection, keys, and the way out.

Panels know their views and ``Actions``; only this file knows where they stand and what a selection in one means for the
others.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QSettings, Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow

from engine.model.words import Mode, OrderRole
from engine.views import BracketView, DeskView, IncidentView, OrderView, PositionView, SignalView
from gui import theme
from gui.actions import CONFIRM_ACCOUNT, DRILL, FACTS, GRANT, SETTLE, TICKET, Actions, Refusal
from gui.arming import NOT_ARMED, Arming
from gui.arrangement import arrange
from gui.bridge import Bridge
from gui.changing import Changing
from gui.commanding import Commanding
from gui.commands import Command, of_pages, of_states, of_symbols
from gui.dialogs.close_sheet import CloseSheet
from gui.dialogs.facts_sheet import FactsSheet
from gui.dialogs.gate_sheet import GateSheet
from gui.dialogs.key_sheet import KeySheet
from gui.dialogs.layout_sheet import LayoutSheet
from gui.dialogs.live_sheet import LiveSheet
from gui.dialogs.sheet import Later, Sheet
from gui.drills import Drills
from gui.halting import Halting
from gui.key_map import KeyMap
from gui.layout import Layout
from gui.mandating import Mandating
from gui.moving import Moving
from gui.panel_set import PanelSet
from gui.panels.detail import Subject
from gui.panels.orders import is_open
from gui.proportions import AROUND, BOTTOM_ROW, MIDDLE, Host
from gui.releasing import Releasing
from gui.repairing import Repairing
from gui.showing import Showing
from gui.sides_menu import SidesMenu
from gui.ticketing import Ticketing
from gui.widgets.mode import paint_armed, paint_mode_frame
from gui.widgets.panel import Panel
from gui.widgets.toast import Toast
from gui.zones import Zones

_TELL_THEMSELVES: Final = ("bars:", CONFIRM_ACCOUNT, DRILL, FACTS, GRANT, SETTLE, TICKET)
"""Commands whose refusal is said where they were given: in the chart, in their sheet."""
"""Refusals of a state that a typed word answers."""


class MainWindow(QMainWindow):
    def __init__(
        self,
        mode: Mode,
        panels: PanelSet,
        bridge: Bridge,
        actions: Actions,
        *,
        now: Callable[[], datetime],
        layout_file: Path,
        on_close: Callable[[], None],
    ) -> None:
        super().__init__()
        self.setObjectName("window")
        self.mode = mode
        self._now = now
        self._actions = actions
        self._on_close = on_close
        self._picked: tuple[str, str] | None = None
        self.bridge = bridge
        bridge.setParent(self)
        self.state_bar = panels.state_bar
        self.signals = panels.signals
        self.brackets = panels.brackets
        self.orders = panels.orders
        self.detail = panels.detail
        self.incidents = panels.incidents
        self.latency = panels.latency
        self.activity = panels.activity
        self.arming = Arming(self, lambda: now().timestamp())
        self.arming.changed.connect(self.update)
        self._zones = Zones(
            self.signals,
            self.brackets,
            self.orders,
            self.incidents,
            moved=self.arming.arm,
            tell=lambda code, words: self.toast.tell(code, words),
        )
        self.top, middle, around, inner = arrange(self, panels)
        self._docks = inner | around
        self._releasing = Releasing(mode, bridge, actions, self.brackets.confirm.ask)
        self._showing = Showing(
            self.signals,
            self.brackets,
            self.orders,
            self.incidents,
            picked=partial(self._pick, self.brackets),
            about_the_desk=self._releasing.about_trips,
        )
        self.toast = Toast(self)
        self.arming.not_armed.connect(lambda: self.toast.tell("NOT_ARMED", NOT_ARMED))
        self.settings = QSettings(str(layout_file), QSettings.Format.IniFormat)
        self.keys = KeyMap(self.settings)
        self._keys = Later(lambda: KeySheet(self.keys, self))
        self._closing = CloseSheet(mode, self)
        self._live = LiveSheet(mode, actions, self)
        self._gate = GateSheet(actions, self)
        self._halting = Halting(mode, bridge, actions, self.state_bar, self, self.brackets.confirm.ask)
        self._mandating = Mandating(mode, bridge, actions, self.state_bar, self, now)
        self._repairing = Repairing(mode, bridge, actions, self, self.brackets.confirm.ask)
        self._moving = Moving(mode, actions, self.brackets.confirm.ask)
        self._changing = Changing(actions, self._moving, self.orders, self.brackets.model.row)
        self._ticketing = Ticketing(mode, bridge, actions, self)
        drills = actions.drills
        self._drills = Drills(drills, actions, self.state_bar, self, now) if drills is not None else None
        self._connect()
        self._commanding = Commanding(
            mode,
            self,
            self._acts(),
            pick_reason=self._zones.pick_reason,
            use_layout=lambda number: self._layouts.use_number(number),
            ask=self.brackets.confirm.ask,
            others=self._unkeyed,
            keys=self.keys,
            may_send=self.arming.may_send,
        )
        self._fill_menu()
        tables = (*self.brackets.views, *self.orders.views)
        self._layout = Layout(
            Host(self, around, AROUND, BOTTOM_ROW), Host(middle, inner, MIDDLE), self.settings, tables
        )
        self._layouts = LayoutSheet(self._layout, self)
        self._restored = self._layout.restore()

    # --- building --------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        bridge, actions = self.bridge, self._actions
        bridge.desk_changed.connect(self._show_desk)
        bridge.signals_changed.connect(self._take_signals)
        bridge.orders_changed.connect(self.orders.take)
        bridge.brackets_changed.connect(self._take_brackets)
        bridge.positions_changed.connect(self.brackets.take_positions)
        bridge.incidents_changed.connect(self.incidents.take)
        bridge.activity_grew.connect(self.activity.take)
        bridge.activity_grew.connect(self.latency.take_events)
        bridge.latency_changed.connect(self.latency.take)
        bridge.rewound.connect(self.activity.forget)
        bridge.rewound.connect(self.latency.forget)
        bridge.quotes_changed.connect(self.detail.take_quotes)
        bridge.each_beat(lambda: self.signals.show_time(self._now()))
        bridge.each_beat(self.orders.show_time)
        bridge.each_beat(self.brackets.show_time)
        bridge.each_beat(lambda: self.incidents.show_time(self._now()))
        bridge.each_beat(lambda: self.detail.show_time(self._now()))
        bridge.each_beat(self.arming.follow)
        if self._drills is not None:
            bridge.each_beat(self._drills.beat)
        actions.refused.connect(self._refused)
        actions.ended.connect(self._ended)
        self.signals.chosen.connect(self._pick_signal)
        self.brackets.chosen.connect(lambda row: self._pick(self.brackets, row))
        self.orders.chosen.connect(lambda row: self._pick(self.orders, row))
        self.incidents.chosen.connect(lambda row: self._pick(self.incidents, row))
        self.incidents.show_asked.connect(self._showing.incident)
        self.activity.view.row_opened.connect(self._showing.line)
        self.incidents.flatten_asked.connect(lambda it: self._flatten_subject(self.brackets.model.row(it.subject_id)))
        self.detail.flatten_asked.connect(self._flatten_subject)
        self.detail.plans_asked.connect(self._repairing.ask)
        self.detail.move_asked.connect(self._moving.move)
        facts = Later(lambda: FactsSheet(actions, self))
        self.detail.facts_asked.connect(lambda subject: facts().ask(subject))
        self.detail.break_even_asked.connect(self._moving.break_even)
        for view in (*self.brackets.views, *self.orders.views, self.activity.view):
            view.symbol_opened.connect(self._ticketing.fill)
        decided = self.signals.history_view
        decided.row_opened.connect(self._copy_decided)
        decided.symbol_opened.connect(lambda _symbol: self._copy_decided(decided.current_row()))
        self._ticketing.sent.connect(self._show_sent)
        bar = self.state_bar
        bar.state_asked.connect(self._releasing.ask)
        bar.demo_asked.connect(actions.set_demo)
        bar.alarm_clicked.connect(self._showing.symbol)
        bar.gate_clicked.connect(self._ask_gate)
        bar.confirm_clicked.connect(self._ask_account)

    def _fill_menu(self) -> None:
        themes = [(f"{name.capitalize()} theme", partial(self.use_theme, name)) for name in theme.PALETTES]
        sheets: list[tuple[str, Callable[[], object]]] = [
            ("Order ticket  (T)", self._ask_ticket),
            ("Halt ladder  (H)", self._halting.ask),
            ("Mandates  (Ctrl M)", self._mandating.ask),
            ("Everything by name  (Ctrl K)", lambda: self._commanding.ask()),
            ("Keys  (F1)", lambda: self._keys().toggle()),
        ]
        drills = [("Drills", self._drills.ask)] if self._drills is not None else []
        layouts = [("Reset layout", self.reset_layout), ("Layouts", lambda: self._layouts.ask())]
        self.state_bar.fill_menu(self._docks.values(), layouts, themes, [*drills, *sheets])
        menu = self.state_bar.menu
        menu.addMenu(SidesMenu(lambda name: self._layout.use_sides(name), menu))

    # --- life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Fill every panel and follow the desk from here on."""
        self.bridge.start()
        self.bridge.clock.start()

    def put_away(self) -> None:
        """Stop following, keep the layout, leave the screen."""
        self.bridge.stop()
        self._layout.save()
        self.hide()
        self.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing is a question to the operator and a request to who runs the window; it never closes itself."""
        event.ignore()
        entries = [o for o in self.orders.model.rows() if o.role is OrderRole.ENTRY and is_open(o)]
        held = [b for b in self.brackets.model.rows() if b.held_qty]
        if not entries and not held:
            self._on_close()
            return
        self._closing.ask_to_close(
            len(entries),
            len(held),
            leave=self._on_close,
            cancel=lambda: self._actions.cancel_working_entries(self._on_close),
        )

    # --- from the bridge -------------------------------------------------------------------------------------

    def _show_desk(self, desk: DeskView) -> None:
        self.setWindowTitle(self.headline(desk))
        self.state_bar.show_desk(desk, self._now())
        self.latency.show_desk(self._now(), desk)
        self.brackets.account.show_desk(desk)
        self.signals.show_demo(desk.demo_on)
        self._live.show_desk(desk)
        self._halting.follow()
        self._mandating.follow()
        if self._drills is not None:
            self._drills.follow()
        if self._gate.isVisible():
            self._gate.show_desk(desk, self.bridge.differences())

    def headline(self, desk: DeskView) -> str:
        alarm = f"◆ {', '.join(desk.naked_symbols)} naked · " if desk.naked_symbols else ""
        account = f" · {desk.health.account}" if desk.health.account else ""
        return f"{alarm}Greenlight · {self.mode.value.upper()}{account}"

    def _take_signals(self, signals: list[SignalView], gone: list[str]) -> None:
        self.signals.take(signals, gone)
        for signal in signals:
            if self._picked == ("signal", signal.id):
                self._show_subject(signal)

    def _take_brackets(self, brackets: list[BracketView], gone: list[str]) -> None:
        self.brackets.take(brackets, gone)
        self.orders.look_at_trades([*(bracket.id for bracket in brackets), *gone])
        self._repairing.follow()
        for bracket in filter(self._is_picked, brackets):
            self.bridge.soon(partial(self._show_picked, bracket))  # its chart costs as much as the table

    def _is_picked(self, bracket: BracketView) -> bool:
        """A signal in view becomes its trade: the eye stays where the click was."""
        return self._picked in (("bracket", bracket.id), ("signal", bracket.signal_id))

    def _show_picked(self, bracket: BracketView) -> None:
        if self._is_picked(bracket):
            self._show_subject(bracket)

    def _refused(self, command: str, refusal: Refusal) -> None:
        if not command.startswith(_TELL_THEMSELVES):
            self.toast.tell(refusal.code, refusal.text)
        self._releasing.follow(command, refusal)

    def _ended(self, command: str) -> None:
        if command.startswith((CONFIRM_ACCOUNT, SETTLE)):
            self.bridge.refresh_desk()

    # --- selection -------------------------------------------------------------------------------------------

    def _pick_signal(self, signal: SignalView, by_person: bool) -> None:
        """The queue arms its first card by itself; that must not take the detail from what a person looks at."""
        if by_person or self._zones.is_queue:
            self._pick(self.signals, signal, by_person=by_person)

    def _pick(self, zone: Panel, row: object, *, by_person: bool = True) -> None:
        """A person moved to a row: the detail follows, and the keys act there."""
        if row is None:
            return
        if by_person:
            self.arming.arm()
        self._zones.current = zone
        trades = self.brackets.model
        match row:
            case SignalView():
                self._show_subject(trades.row(row.bracket_id or "") or row)
            case BracketView():
                self._show_subject(row)
            case OrderView():
                trade = trades.row(row.bracket_id or "")
                if trade is not None:
                    self._show_subject(trade)
            case PositionView():
                self._show_subject(next((b for b in trades.rows() if b.symbol == row.symbol), row))
            case IncidentView():
                trade = trades.row(row.subject_id) or next((b for b in trades.rows() if b.symbol == row.symbol), None)
                if trade is not None:
                    self.brackets.view.choose(trade.id)  # the keys for trades act on what the incident is about
                    self._zones.current = zone

    def _show_subject(self, subject: Subject) -> None:
        match subject:
            case BracketView():
                self._picked = ("bracket", subject.id)
            case SignalView():
                self._picked = ("signal", subject.id)
            case PositionView():
                self._picked = None
        self.detail.show_subject(subject)

    def _flatten_subject(self, subject: object) -> None:
        if isinstance(subject, BracketView):
            self.brackets.ask_flatten(subject)

    def _ask_ticket(self) -> None:
        self._ticketing.ask(self._zones.symbol())

    def _copy_decided(self, signal: SignalView | None) -> None:
        if signal is None:
            return
        if signal.intent == "close":
            self.toast.tell("NOT_COPIED", f"The signal closed {signal.symbol}: a ticket only enters.")
        else:
            self._ticketing.copy(signal)

    def _show_sent(self, signal_id: str) -> None:
        """A ticket has become a signal: the detail follows it, and its trade."""
        signal = self.bridge.signal(signal_id)
        if signal is not None:
            self._show_subject(self.brackets.model.row(signal.bracket_id or "") or signal)

    # --- the start gate --------------------------------------------------------------------------------------

    def _ask_gate(self) -> None:
        self._live.dismiss()
        self._gate.ask(self.bridge.desk(), self.bridge.differences())

    def _ask_account(self) -> None:
        self._gate.dismiss()
        self._live.ask()

    # --- keys ------------------------------------------------------------------------------------------------

    def _acts(self) -> dict[str, Callable[[], object]]:
        """By the names of the keys."""
        return self._zones.acts() | {
            "escape": self._escape,
            "halt": self._halting.ask,
            "halt_anywhere": self._halting.ask,
            "mandates": self._mandating.ask,
            "ticket": self._ask_ticket,
            "move": self.detail.exits.begin,
            "break_even": lambda: self._moving.break_even(self.detail.subject),
            "plans": lambda: self._repairing.ask(self.brackets.view.current_row()),
            "help": lambda: self._keys().toggle(),
        }

    def _unkeyed(self) -> list[Command]:
        """What can be done now and has no key."""
        trades = {trade.symbol: trade for trade in self.brackets.model.rows()}
        menu = self.state_bar.menu
        return [
            *of_states(self._releasing.ask),
            *of_pages((*self._zones.all, self.detail, self.latency, self.activity)),
            *of_symbols(
                self.bridge.symbols(),
                trades,
                ticket=self._ticketing.fill,
                show=self._showing.symbol,
                flatten=lambda symbol: self.brackets.ask_flatten(trades[symbol]),
            ),
            *(Command(f"Layout {name}", partial(self._layouts.use, name), "window") for name in self._layout.names),
            *(Command(action.text(), action.trigger, "window") for action in menu.actions() if action.text()),
        ]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter, where nothing else wanted it: the detail of what is selected."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        elif not any(sheet.isVisible() for sheet in self.findChildren(Sheet)):
            incident = self.incidents.current_row() if self._zones.current is self.incidents else None
            if incident is not None:
                self._showing.incident(incident)
            self.detail.bring()

    def _escape(self) -> None:
        self._closing.dismiss()
        self._zones.escape()
        self.detail.escape()
        self._live.dismiss()
        self._gate.dismiss()
        for sheet in self.findChildren(Sheet):
            sheet.dismiss()
        if self._keys.made is not None:
            self._keys.made.hide()
        self.toast.hide()

    # --- layout ----------------------------------------------------------------------------------------------

    def use_theme(self, name: str) -> None:
        self._layout.use_theme(name)

    def reset_layout(self) -> None:
        self._layout.reset()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._restored:
            self._restored = True
            self._layout.share_out()

    def event(self, event: QEvent) -> bool:
        """Painting is part of a frame's cost."""
        if event.type() is QEvent.Type.UpdateRequest:
            with self.bridge.clock.pace.spending():
                return super().event(event)
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.tone("plane0"))
        paint_mode_frame(painter, self.width(), self.height(), self.mode)
        if self.arming.is_armed:
            paint_armed(painter, self.width(), self.height())
        painter.end()
