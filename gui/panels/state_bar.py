"""Am I safe, at a glance: mode, state, links, day, alarm, time. One row that never scrolls.

What matters least goes first when the window is narrow; mode, state, links, alarm and the halt button never go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMenu, QWidget

from engine.model.words import DeskState, Mode
from engine.views import DeskView, LinkView
from gui import formatting as say
from gui.release import trip_words
from gui.theme import CARD_PAD, STATE_BAR, Type, tone
from gui.widgets.alarm_chip import AlarmChip, PriorityCounts
from gui.widgets.button import Button
from gui.widgets.glyph import Glyph, paint_glyph
from gui.widgets.headroom_meter import HeadroomMeter, tightest
from gui.widgets.hold_button import HoldButton
from gui.widgets.lamp import Lamp, Light
from gui.widgets.mode import ModeChip
from gui.widgets.notice_chip import NoticeChip
from gui.widgets.state_switch import StateSwitch
from gui.widgets.switch import Switch
from gui.widgets.text import Text, rule

_CHIP_WORDS: Final = 2
"""Rank at which chips say less."""
_SKEW_MS: Final = 500.0
_LAG_MS: Final = 50.0
_BUDGET_NEAR: Final = 0.6
_HALT_TIP: Final = (
    "Hold for one second: stops approvals and entries, cancels working ones; protection stays.\n"
    "Click for the halt ladder, with the evidence of each rung (H)."
)


class BrandDot(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(14, 20)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setOpacity(0.22)
        paint_glyph(painter, QPointF(7, 10.5), 19, Glyph.DISC, tone("go"))
        painter.setOpacity(1)
        paint_glyph(painter, QPointF(7, 10.5), 12, Glyph.DISC, tone("go"))
        painter.end()


class StateBar(QWidget):
    state_asked = Signal(object)
    halt_held = Signal()
    ladder_clicked = Signal()
    mandates_clicked = Signal()
    demo_asked = Signal(bool)
    alarm_clicked = Signal(str)
    """Symbol of what is naked."""
    gate_clicked = Signal()
    confirm_clicked = Signal()
    drill_clicked = Signal()
    unmute_clicked = Signal()

    def __init__(self, mode: Mode) -> None:
        super().__init__()
        self.setObjectName("state-bar")
        self.setProperty("part", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(STATE_BAR)
        self._naked_symbol = ""
        self._account = Text(tone="mid", name="account")
        self.switch = StateSwitch()
        self._cause = Text(tone="mid", name="state-cause")
        self._auto = Button("", name="mandates", kind="notice")
        self._auto.setToolTip(
            "Live mandates approve what they speak of, within their bounds, without a click.\n"
            "Click to see what is burned, to revoke one or to grant another (Ctrl M)."
        )
        self._gate = NoticeChip("Start gate locked", "Gate locked", name="start-gate")
        self._unconfirmed = NoticeChip("Confirm account", "Confirm", name="confirm-account")
        self._drill = NoticeChip("Drill", "Drill", name="drill-chip")
        self._drill.setToolTip("Trouble on purpose. Click for the sheet, and to break it off.")
        self._muted = NoticeChip("Muted", "Muted", name="muted-chip")
        self._muted.setToolTip("No alarm is heard. Click to hear them again.")
        self._chips = (self._gate, self._unconfirmed, self._drill, self._muted)
        self._rest, self._stream = Lamp("REST"), Lamp("Stream")
        self._quotes, self._clock = Lamp("Quotes"), Lamp("Clock")
        self._day = Text(kind=Type.STRONG, name="day-pl")
        self._equity = Text(tone="mid", name="equity")
        self._headroom = HeadroomMeter(name="headroom", is_short=True)
        self.alarm = AlarmChip()
        self._counts = PriorityCounts()
        self._lag = Text(tone="mid", name="loop-lag")
        self._budget = Text(tone="p2_text", name="budget")
        self._time = Text(kind=Type.STRONG, name="time")
        self._session = Text(tone="low", name="session")
        self.demo = Switch("Demo", name="demo")
        self.demo.setToolTip("The demo strategy proposes a signal every 10–30 s.")
        self.menu = QMenu(self)
        self.layout_button = Button("Layout", name="layout-menu", kind="quiet")
        self.layout_button.setMenu(self.menu)
        self.halt = HoldButton("Hold to halt", name="halt", tip=_HALT_TIP)
        self._groups: list[tuple[int, list[QWidget]]] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(CARD_PAD, 0, 10, 0)
        self._row.setSpacing(10)
        # Groups with the rank at which they go when there is no room, the highest first; 0 stays.
        self._add(0, [BrandDot()])
        self._add(10, [Text("Greenlight", kind=Type.STRONG)], lined=False)
        self._add(0, [ModeChip(mode)])
        self._add(7, [self._account], lined=False)
        self._add(0, [self.switch])
        self._add(0, [self._gate, self._unconfirmed, self._drill, self._muted], spacing=6, lined=False)
        self._add(6, [self._cause], lined=False)
        self._add(2, [self._auto], lined=False)
        self._add(0, [self._rest, self._stream, self._quotes])
        self._add(8, [self._clock], lined=False)
        self._add(1, [Text("Day", tone="low"), self._day])
        self._add(3, [self._headroom], lined=False)
        self._add(12, [self._equity], lined=False)
        self._add(0, [self.alarm])
        self._add(4, [Text("Incidents", tone="low"), self._counts])
        self._add(11, [Text("Loop", tone="low"), self._lag])
        self._add(3, [self._budget])
        self._row.addStretch(1)
        self._add(5, [self._time], lined=False)
        self._add(9, [self._session], lined=False)
        self._add(0, [self.demo], lined=False)
        self._add(0, [self.layout_button], lined=False)
        self._row.addWidget(self.halt)
        self.switch.asked.connect(self.state_asked)
        self.halt.held.connect(self.halt_held)
        self.halt.tapped.connect(self.ladder_clicked)
        self.demo.asked.connect(self.demo_asked)
        self.alarm.clicked.connect(lambda: self.alarm_clicked.emit(self._naked_symbol))
        self._auto.clicked.connect(self.mandates_clicked)
        self._gate.clicked.connect(self.gate_clicked)
        self._unconfirmed.clicked.connect(self.confirm_clicked)
        self._drill.clicked.connect(self.drill_clicked)
        self._muted.clicked.connect(self.unmute_clicked)
        for widget in (*self._chips, self._cause, self._auto, self.alarm, self._budget, self.demo):
            widget.hide()

    def _add(self, rank: int, widgets: list[QWidget], *, spacing: int = 9, lined: bool = True) -> None:
        group = QWidget()
        inside = QHBoxLayout(group)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(spacing)
        if lined and self._groups:
            inside.addWidget(rule())
        for widget in widgets:
            inside.addWidget(widget)
        self._row.addWidget(group)
        self._groups.append((rank, [group, *widgets]))

    def fill_menu(self, docks: Iterable[QDockWidget], *groups: Sequence[tuple[str, Callable[[], object]]]) -> None:
        """Which docks are in sight, then each group of words with their acts."""
        for dock in docks:
            self.menu.addAction(dock.toggleViewAction())
        for group in groups:
            self.menu.addSeparator()
            for words, act in group:
                self.menu.addAction(words, act)

    def show_desk(self, desk: DeskView, now: datetime) -> None:
        health = desk.health
        self._account.say(health.account or "no account yet")
        self.switch.show_state(health.desk_state)
        halted = health.desk_state is DeskState.HALTED
        self.halt.arm(not halted)
        self.halt.set_text(_halt_words(desk))
        self._cause.setVisible(bool(desk.desk_state_cause) and health.desk_state is not DeskState.ACTIVE)
        self._cause.say(desk.desk_state_cause)
        self._cause.setToolTip(trip_words(desk.trips))
        self._auto.setVisible(desk.mandates > 0)
        self._auto.setText(f"Auto: {say.plural(desk.mandates, 'mandate')}")
        self._show_gate(desk)
        self._show_links(desk, now)
        self._show_day(desk)
        self._show_alarm(desk)
        self._counts.show_counts(desk.incidents)
        lag = health.loop_lag_ms.p99
        self._lag.say(say.ms(lag))
        self._lag.setToolTip("How late the loop runs its callbacks, 99th percentile.")
        self._lag.set_tone("p2_text" if lag is not None and lag > _LAG_MS else "mid")
        near = desk.budget_limit > 0 and desk.budget_used / desk.budget_limit >= _BUDGET_NEAR
        self._budget.setVisible(near)
        self._budget.say(f"Requests {desk.budget_used} of {desk.budget_limit}")
        self._time.say(say.clock(now) + " ET")
        self._session.say(_session_words(desk, now))
        self.demo.setVisible(desk.demo_on is not None)
        self.demo.show_on(bool(desk.demo_on))
        self._fit()

    def only_look(self) -> None:
        """Nothing can be stopped here: the button goes, and the states are told, not set."""
        self._row.removeWidget(self.halt)
        self.halt.hide()
        self.switch.setEnabled(False)

    def show_drill(self, words: str | None) -> None:
        """``words`` of the drill that runs; None when none does."""
        was_hidden = self._drill.isHidden()
        self._drill.setVisible(words is not None)
        self._drill.say(words or "")
        if was_hidden is not (words is None):
            self._fit()

    def show_muted(self, muted: bool) -> None:
        self._muted.setVisible(muted)
        self._fit()

    def _show_links(self, desk: DeskView, now: datetime) -> None:
        self._rest.show_link(
            Light.UP if desk.rest.up else Light.DOWN,
            say.ms(desk.rest_ms) if desk.rest.up else f"down {_down_for(desk.rest, now)}",
            desk.rest.why or "Newest request, until its answer.",
        )
        self._stream.show_link(*_stream_light(desk.stream, now))
        quotes = desk.quotes
        self._quotes.show_link(
            Light.UP if quotes.up else Light.DOWN,
            "" if quotes.up else f"down {_down_for(quotes, now)}",
            quotes.why or "Live prices.",
        )
        offset = desk.clock_offset_ms
        if offset is None:
            self._clock.show_link(Light.UNKNOWN, "")
        else:
            light = Light.UP if abs(offset) < _SKEW_MS else Light.LATE
            error = desk.clock_error_ms
            known = f", give or take {say.ms(error)}: half the way of the question" if error is not None else ""
            tip = f"This machine's clock against the broker's{known}."
            self._clock.show_link(light, f"{say.signed(offset, 0)} ms", tip)

    def _show_gate(self, desk: DeskView) -> None:
        reason = desk.gate_locked_by or ""
        self._gate.setVisible(desk.health.start_gate != "open")
        self._gate.say(reason)
        said = f"{say.sentence(reason)}.\n" if reason else ""
        self._gate.setToolTip(f"{said}Entries wait; exits and protection go on. Click for what can be settled.")
        self._unconfirmed.setVisible(desk.wants_confirmation)
        self._unconfirmed.setToolTip("Type the live account's number to let this desk enter positions.")

    def _show_day(self, desk: DeskView) -> None:
        account = desk.account
        self._day.say(say.money(account.day_pl, signed=True))
        rules = tightest(desk.prop_firm, 1)
        self._headroom.show_rule(rules[0] if rules else None)
        self._equity.say(f"of {say.money(account.equity)}" if account.equity is not None else "")
        self._day.setToolTip(
            f"Equity {say.money(account.equity)}, buying power {say.money(account.buying_power)}, "
            f"promised to approved entries {say.money(account.reserved)}.\n"
            f"Account read {say.stamp(account.as_of)}, request {account.request_id or say.NONE}."
        )

    def _show_alarm(self, desk: DeskView) -> None:
        symbols = desk.naked_symbols
        self.alarm.setVisible(bool(symbols))
        if not symbols:
            return
        self._naked_symbol = symbols[0]
        what = symbols[0] if len(symbols) == 1 else f"{symbols[0]} +{len(symbols) - 1}"
        self.alarm.say(f"{what} {say.qty(desk.naked_qty)} sh naked {say.seconds(desk.naked_s)}")
        self.alarm.setToolTip("Held without a stop at the broker: " + ", ".join(symbols))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """What matters least goes first, the words within the chips in their turn, until the rest fits."""
        chips = [chip for chip in self._chips if not chip.isHidden()]
        spacing, margins = self._row.spacing(), self._row.contentsMargins()
        steps: list[tuple[int, int, QWidget | None]] = [
            (rank, group.sizeHint().width() + spacing, group)
            for rank, (group, *inside) in self._groups
            if any(not widget.isHidden() for widget in inside)
        ]
        halt = 0 if self.halt.isHidden() else self.halt.sizeHint().width()
        left = self.width() - margins.left() - margins.right() - halt - 2 * spacing
        left -= sum(width for _, width, _ in steps) + sum(chip.most - chip.sizeHint().width() for chip in chips)
        words = sum(chip.most - chip.least for chip in chips)
        steps.append((_CHIP_WORDS, words, None))
        shown = {group for _, _, group in steps}
        for rank, width, group in sorted(steps, key=lambda step: -step[0]):
            if left >= 0 or rank == 0:
                break
            left += width
            shown.discard(group)
        for _, (group, *_) in self._groups:
            group.setVisible(group in shown)
        words = words if None in shown else max(left, 0)
        for chip in reversed(chips):
            said = min(chip.most - chip.least, words)
            chip.set_room(chip.least + said)
            words -= said


def _halt_words(desk: DeskView) -> str:
    """Halted, and what is proved beyond it."""
    if desk.health.desk_state is not DeskState.HALTED:
        return "Hold to halt"
    if desk.is_suspended:
        return "Halted, suspended"
    return "Halted, flat" if desk.flat_proved_at is not None else "Halted"


def _down_for(link: LinkView, now: datetime) -> str:
    return say.age(link.since, now) if link.since is not None else ""


def _stream_light(link: LinkView, now: datetime) -> tuple[Light, str, str]:
    if link.word == "polling":
        return Light.LATE, "polling", f"Orders are read every 2 s in place of the stream. {link.why}"
    if not link.up:
        return Light.DOWN, f"down {_down_for(link, now)}", link.why
    if link.last_seen_at is None:
        return Light.UP, "", link.why
    # Orders may have nothing to tell for hours; that the peer lives is what the adapter's pings find out.
    age = say.span((now - link.last_seen_at).total_seconds())
    return Light.QUIET, age, link.why or "Since the stream's last message. Silence is normal: pings watch the line."


def _session_words(desk: DeskView, now: datetime) -> str:
    if desk.session_open is None:
        return ""
    if desk.session_changes_at is None:
        return "open" if desk.session_open else "closed"
    left = say.countdown((desk.session_changes_at - now).total_seconds())
    return f"closes in {left}" if desk.session_open else f"opens in {left}"
