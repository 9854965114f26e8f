"""Why: the chart, the repair at hand, the timeline and the evidence of what is selected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from engine.model.words import BracketStatus, Mode
from engine.views import BarView, BracketView, OrderView, PositionView, SignalView, SpanView
from gui import formatting as say
from gui.actions import MOVE, Actions
from gui.charts.exit_chart import ExitChart
from gui.charts.price_chart import Lines
from gui.charts.price_marks import fills_of
from gui.charts.waterfall import Waterfall
from gui.door import MinuteStep, Quote
from gui.exit_words import Exit, meaning, movable
from gui.panels import bracket_columns, signal_words
from gui.panels.bracket_columns import is_stale
from gui.panels.exit_strip import ExitStrip
from gui.status_words import bracket_face, order_face, role_words
from gui.theme import CARD_PAD, Type
from gui.widgets.button import Button
from gui.widgets.panel import Panel
from gui.widgets.segments import Segments
from gui.widgets.text import ElidedText, Text, rule

type Subject = BracketView | SignalView | PositionView

BARS_EVERY_S: Final = 20.0

_RANGES: Final[dict[str, tuple[int, MinuteStep]]] = {"hours": (240, 1), "day": (1_440, 5), "days": (7 * 1_440, 15)}
"""Minutes back, and minutes of a bar."""
_RANGE_WORDS: Final = (("hours", "4 h"), ("day", "1 d"), ("days", "5 d"))


class Section(QWidget):
    """A part of the panel with its own small headline."""

    def __init__(self, title: str, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._remark = Text(kind=Type.SMALL, tone="low", name=f"{name}-remark")
        head = QHBoxLayout()
        head.setContentsMargins(CARD_PAD, 7, CARD_PAD, 3)
        head.setSpacing(8)
        head.addWidget(Text(title, kind=Type.STRONG))
        head.addWidget(self._remark, 1)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 4)
        self.column.setSpacing(2)
        self.column.addWidget(rule(vertical=False))
        self.column.addLayout(head)

    def remark(self, text: str) -> None:
        self._remark.say(text)


class DetailPanel(Panel):
    flatten_asked = Signal(object)
    plans_asked = Signal(object)
    move_asked = Signal(object, object, object)
    """The trade, and where its stop and its target are to go; None where one stays."""
    break_even_asked = Signal(object)
    facts_asked = Signal(object)

    def __init__(
        self,
        mode: Mode,
        actions: Actions,
        *,
        quote: Callable[[str], Quote | None],
        timeline: Callable[[str], tuple[list[SpanView], datetime | None]],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__("detail", ["Detail", "Evidence"], mode)
        self._actions = actions
        self._quote = quote
        self._timeline = timeline
        self._now = now
        self._subject: Subject | None = None
        self._bars_at: datetime | None = None
        self._bars_of = ""
        self._title = Text(kind=Type.STRONG, name="detail-title")
        self._remark = ElidedText(kind=Type.SMALL, tone="low", name="detail-remark", greedy=False)
        self.header.add_tool(self._title)
        self.header.add_tool(self._remark)
        self.chart = ExitChart()
        self.chart.dropped.connect(self._dropped)
        self._range = Segments(_RANGE_WORDS, name="chart-range", said="Time on the chart")
        self._range.setParent(self.chart)
        self._range.move(6, 4)
        self._range.changed.connect(self._change_range)
        self.exits = ExitStrip()
        self.exits.move_asked.connect(lambda stop, target: self.move_asked.emit(self._subject, stop, target))
        self.exits.break_even_asked.connect(lambda: self.break_even_asked.emit(self._subject))
        self._repair = Section("Repair", "repair")
        self._error = Text(tone="high", wrap=True, name="repair-error")
        self._means = Text(kind=Type.SMALL, tone="mid", wrap=True, name="repair-means")
        self._retry = Button("Retry", name="detail-retry", kind="go", key="B")
        self._flatten = Button("Flatten", name="detail-flatten", key="X")
        self._plans = Button("Plans", name="detail-plans", key="P")
        self._plans.setToolTip("Every way to mend it, with its requests and what it costs.")
        self._plans.clicked.connect(lambda: self.plans_asked.emit(self._subject))
        self._retry.clicked.connect(self._do_retry)
        self._flatten.clicked.connect(lambda: self.flatten_asked.emit(self._subject))
        words, buttons = QVBoxLayout(), QHBoxLayout()
        words.setContentsMargins(CARD_PAD, 0, CARD_PAD, 4)
        words.setSpacing(4)
        words.addWidget(self._error)
        words.addWidget(self._means)
        buttons.setSpacing(8)
        buttons.addWidget(self._retry)
        buttons.addWidget(self._plans)
        buttons.addWidget(self._flatten)
        buttons.addStretch(1)
        words.addLayout(buttons)
        self._repair.column.addLayout(words)
        self._times = Section("Timeline", "timeline")
        self._times.remark("signal → protected")
        self.waterfall = Waterfall()
        self._times.column.addWidget(self.waterfall)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.chart, 1)
        column.addWidget(self.exits)
        column.addWidget(self._repair)
        column.addWidget(self._times)
        self.add_page(page, "Select a signal or a trade: its chart, its timeline and its proof appear here.")
        self._proof = QWidget()
        self._grid = QGridLayout(self._proof)
        self._grid.setContentsMargins(CARD_PAD, 10, CARD_PAD, 10)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        self._proof.setObjectName("cards")
        area.setWidget(self._proof)
        facts = Button("Facts", name="detail-facts")
        facts.setToolTip("Every request as it was sent and every reply as it was taken in, from the journal.")
        facts.clicked.connect(lambda: self.facts_asked.emit(self._subject))
        foot = QHBoxLayout()
        foot.setContentsMargins(CARD_PAD, 4, CARD_PAD, 6)
        foot.addWidget(facts)
        foot.addStretch(1)
        proof = QWidget()
        proofs = QVBoxLayout(proof)
        proofs.setContentsMargins(0, 0, 0, 0)
        proofs.setSpacing(0)
        proofs.addWidget(area, 1)
        proofs.addLayout(foot)
        self.add_page(proof, "Select a trade: ids, request ids and times that prove its state appear here.")
        self._evidence_of: object = None
        self._late = QTimer(self, singleShot=True, interval=0)
        self._late.timeout.connect(self._load_bars)
        actions.started.connect(lambda _key: self._enable())
        actions.ended.connect(lambda _key: self._enable())
        self.header.tabs.chosen.connect(lambda _tab: self._show_evidence())
        self.show_subject(None)

    @property
    def subject(self) -> Subject | None:
        return self._subject

    def show_subject(self, subject: Subject | None) -> None:
        """Another thing, or a newer picture of the same."""
        before, self._subject = self._subject, subject
        self.set_empty(0, subject is None)
        self.set_empty(1, subject is None)
        if subject is None:
            self._title.say("")
            self._remark.say("")
            return
        if before is None or before.symbol != subject.symbol:
            self.chart.set_bars(())
            self._late.start()
        self._title.say(subject.symbol)
        match subject:
            case BracketView():
                self._remark.say(f"{subject.strategy} · since {say.clock(subject.opened_at)}")
                self.chart.set_lines(
                    Lines(
                        subject.stop_price,
                        subject.entry_price,
                        subject.take_profit_price,
                        subject.exits_confirmed,
                        targets=bracket_columns.marks(subject).targets,
                        wanted_stop=subject.wanted_stop_price,
                        wanted_target=subject.wanted_take_profit_price,
                    )
                )
                self.chart.set_fills(fills_of(subject))
            case SignalView():
                trigger = subject.trigger_price
                held = f"held until {say.price(trigger)}" if trigger is not None else "proposal"
                self._remark.say(f"{subject.strategy} · {held}")
                self.chart.set_fills(())
                marks = signal_words.marks(subject, subject.preview)
                self.chart.set_lines(Lines(marks.stop, trigger or marks.entry, marks.target, confirmed=False))
            case PositionView():
                self._remark.say(subject.strategy or "not from this desk")
                self.chart.set_fills(())
                self.chart.set_lines(Lines(entry=subject.avg_entry_price))
        self._show_live()
        self._show_exits()
        self._show_repair()
        self.show_time(self._now())
        self._show_evidence()

    def take_quotes(self, symbols: Iterable[str]) -> None:
        if self._subject is not None and self._subject.symbol in symbols:
            self._show_live()

    def show_time(self, now: datetime) -> None:
        subject = self._subject
        if subject is None:
            return
        if self._bars_at is None or abs((now - self._bars_at).total_seconds()) > BARS_EVERY_S:
            self._late.start()
        signal_id = _signal_of(subject)
        if signal_id is None:
            self.waterfall.set_spans((), 0)
            return
        spans, arrived_at = self._timeline(signal_id)
        since_ms = (now - arrived_at).total_seconds() * 1_000 if arrived_at is not None else 0.0
        self.waterfall.set_spans(spans, since_ms)

    def _show_live(self) -> None:
        assert self._subject is not None
        quote = self._quote(self._subject.symbol)
        if quote is None:
            self.chart.set_live(*_known_price(self._subject))
            return
        self.chart.set_live(quote.last, is_stale(quote.age_s))

    def _show_exits(self) -> None:
        trade = self._subject if isinstance(self._subject, BracketView) else None
        # While no stop stands there is nothing to move: the room is the repair's.
        self.exits.show_trade(trade if trade is not None and trade.exits_confirmed else None)
        self.exits.show_busy(trade is not None and self._actions.is_running(f"{MOVE}{trade.id}"))
        if trade is None:
            self.chart.set_movable("", frozenset(), lambda _which, _at: ("", False))
        else:
            self.chart.set_movable(trade.id, movable(trade), partial(meaning, trade))

    def _dropped(self, which: Exit, at: Decimal) -> None:
        stop, target = (at, None) if which == "stop" else (None, at)
        self.move_asked.emit(self._subject, stop, target)

    def escape(self) -> None:
        """Whatever is dragged or typed goes back to where it stands."""
        self.chart.leave()
        self.exits.leave()

    def _show_repair(self) -> None:
        bracket = self._subject
        broken = isinstance(bracket, BracketView) and (
            bracket.can_retry or (bracket.last_error is not None and bracket.status is not BracketStatus.CLOSED)
        )
        self._repair.setVisible(broken)
        if not broken or not isinstance(bracket, BracketView):
            return
        self._repair.remark(f"attempt {bracket.attempts}" if bracket.attempts else "")
        naked, held = say.qty(bracket.naked_qty), say.qty(bracket.held_qty)
        self._error.say(bracket.last_error or f"{naked} of {held} {bracket.symbol} have no stop at the broker")
        means = f"{naked} of {held} shares have no stop at the broker"
        means += f", for {say.seconds(bracket.naked_s)}." if bracket.naked_since is not None else "."
        means += " The desk has given up: retry or flatten." if bracket.gave_up else ""
        self._means.say(means)
        self._enable()

    def _enable(self) -> None:
        bracket = self._subject
        if not isinstance(bracket, BracketView):
            return
        self.exits.show_busy(self._actions.is_running(f"{MOVE}{bracket.id}"))
        busy = self._actions.is_running(f"retry:{bracket.id}")
        self._retry.setEnabled(bracket.can_retry and not busy)
        self._retry.setToolTip("" if bracket.can_retry else "Nothing to retry now")
        self._flatten.setEnabled(bracket.can_flatten)

    def _do_retry(self) -> None:
        if isinstance(self._subject, BracketView):
            self._actions.retry(self._subject.id)

    def _load_bars(self) -> None:
        if self._subject is None:
            return
        self._bars_at = self._now()
        minutes, step = _RANGES[self._range.value]
        self._actions.load_bars(self._subject.symbol, minutes, step, self._take_bars)

    def _change_range(self, _range: str) -> None:
        self.chart.show_all_of_next()
        self._late.start()

    def _take_bars(self, symbol: str, bars: list[BarView]) -> None:
        if self._subject is not None and self._subject.symbol == symbol:
            self.chart.set_bars(bars)

    # --- evidence --------------------------------------------------------------------------------------------

    def _show_evidence(self) -> None:
        if self.header.tabs.current != 1 or self._subject is None or self._subject is self._evidence_of:
            return
        self._evidence_of = self._subject
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for row, (title, value) in enumerate(_evidence(self._subject)):
            head = not value
            name = Text(title, kind=Type.STRONG if head else Type.SMALL, tone="high" if head else "low")
            self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            if not head:
                text = Text(value, kind=Type.MONO, wrap=True)
                text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self._grid.addWidget(text, row, 1)
        self._grid.setRowStretch(self._grid.rowCount(), 1)


def _known_price(subject: Subject) -> tuple[Decimal | None, bool]:
    """The price a view was made with, and whether it is stale."""
    if isinstance(subject, SignalView):
        preview = subject.preview
        return (preview.price, is_stale(preview.price_age_s)) if preview is not None else (None, True)
    return subject.market_price, is_stale(subject.quote_age_s)


def _signal_of(subject: Subject) -> str | None:
    match subject:
        case BracketView():
            return subject.signal_id
        case SignalView():
            return subject.id
    return None


def _evidence(subject: Subject) -> list[tuple[str, str]]:
    """Lines of (name, value); a line without value is a headline."""
    match subject:
        case BracketView():
            lines = [
                ("Trade", ""),
                ("status", bracket_face(subject).word),
                ("id", subject.id),
                ("signal", subject.signal_id),
                ("opened", say.stamp(subject.opened_at)),
                (
                    "covered",
                    f"{say.qty(subject.covered_qty)} of {say.qty(subject.held_qty)} ({subject.cover_kind.value})",
                ),
                *_proof_lines(subject),
            ]
            for order in subject.orders:
                lines += _order_lines(order)
            return lines
        case SignalView():
            return [
                ("Signal", ""),
                ("id", subject.id),
                ("source", f"{subject.source} {subject.source_id}"),
                ("received", say.stamp(subject.received_at)),
                ("expires", say.stamp(subject.expires_at)),
                ("preview", subject.preview.preview_id if subject.preview is not None else say.NONE),
                ("decided", f"{say.stamp(subject.decided_at)} by {subject.decided_by or say.NONE}"),
                ("note", subject.note or say.NONE),
            ]
        case PositionView():
            return [("Position", ""), ("quantity", say.qty(subject.qty)), *_proof_lines(subject)]


def _proof_lines(of: BracketView | PositionView | OrderView) -> list[tuple[str, str]]:
    proof = of.evidence
    if proof is None:
        return [("proof", "none yet")]
    return [("proof", f"{proof.source.value} {proof.id or ''}".strip()), ("at", say.stamp(proof.at))]


def _order_lines(order: OrderView) -> list[tuple[str, str]]:
    lines = [
        (f"{role_words(order)} · {order_face(order).word.lower()}", ""),
        ("client id", order.client_order_id or say.NONE),
        ("broker id", order.broker_id or say.NONE),
        ("Alpaca says", order.raw_status or order.status.value),
        ("since", say.stamp(order.status_since)),
        *_proof_lines(order),
    ]
    return lines + ([("refused", order.last_error)] if order.last_error else [])
