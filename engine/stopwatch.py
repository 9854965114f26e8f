"""Measures each trade's stages as they pass and records them as facts.

Starts and ends are taken on the loop's monotonic clock. After a restart the marks of trades under way are gone: a stage
that was not seen whole is not reported at all, rather than guessed from wall time.
"""

from __future__ import annotations

from datetime import timedelta

from engine.book import Book
from engine.bus import Bus, Change
from engine.clock import Clock
from engine.gateway import Submitted
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.words import OrderStatus, Stage
from engine.recorder import Recorder


class _Marks:
    """One trade's moments, in the loop's seconds; None until passed."""

    def __init__(self, approved_s: float) -> None:
        self.approved_s = approved_s
        self.answered_s: float | None = None
        self.filled_s: float | None = None
        self.covered_s: float | None = None


class Stopwatch:
    def __init__(self, recorder: Recorder, book: Book, clock: Clock, bus: Bus) -> None:
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._marks: dict[str, _Marks] = {}
        self._covered: dict[str, _Marks] = {}
        """Trades measured whole, while they are open: their cover may turn out not to have stood."""
        self._lost: set[str] = set()
        bus.on_changes(self._notice)

    def measured(self, signal_id: str, stage: Stage, start_s: float, end_s: float) -> None:
        ago_s = self._clock.monotonic_s() - start_s
        self._recorder.record(
            ev.StageMeasured(
                signal_id=signal_id,
                stage=stage,
                ms=round(max(0.0, end_s - start_s) * 1000, 3),
                started_at=self._clock.now() - timedelta(seconds=ago_s),
            )
        )

    def approved(self, signal_id: str, clicked_s: float, gate_s: float, gated_s: float) -> None:
        """The click passed the gate, whose rules ran from ``gate_s`` to ``gated_s``."""
        received_at = self._book.signals[signal_id].signal.received_at
        self._marks[signal_id] = _Marks(clicked_s)
        waited_s = max(0.0, (self._clock.now() - received_at).total_seconds())
        now_s = self._clock.monotonic_s()
        self.measured(signal_id, Stage.DECIDE, now_s - waited_s, clicked_s)
        self.measured(signal_id, Stage.GATE, gate_s, gated_s)

    def submitted(self, signal_id: str, submitted: Submitted) -> None:
        marks = self._marks.get(signal_id)
        if marks is None:
            return
        if submitted.sent_at_s is None or submitted.answered_at_s is None:
            self._marks.pop(signal_id, None)
            return
        self.measured(signal_id, Stage.JOURNAL, marks.approved_s, submitted.journaled_at_s)
        self.measured(signal_id, Stage.SUBMIT, submitted.sent_at_s, submitted.answered_at_s)
        marks.answered_s = submitted.answered_at_s
        self._finish(signal_id, marks)

    def _notice(self, changes: frozenset[Change]) -> None:
        for change in changes:
            if change.kind != "bracket" or not (self._marks or self._covered):
                continue
            bracket = self._book.brackets[change.key]
            if bracket.signal_id in self._covered:
                self._watch_cover(bracket)
                continue
            marks = self._marks.get(bracket.signal_id)
            if marks is None:
                continue
            cover = self._book.cover(bracket.id)
            now_s = self._clock.monotonic_s()
            entry = cover.entry
            if marks.filled_s is None and entry is not None and entry.status is OrderStatus.FILLED:
                marks.filled_s = now_s
            if marks.filled_s is not None and marks.covered_s is None and cover.held > 0 and cover.naked == 0:
                marks.covered_s = now_s
            if bracket.closed_at is not None and marks.covered_s is None:
                self._marks.pop(bracket.signal_id)  # it ended without ever having been covered
            else:
                self._finish(bracket.signal_id, marks)

    def _finish(self, signal_id: str, marks: _Marks) -> None:
        """Working, bracket and total are known together, once answer, fill and cover are all in."""
        if marks.answered_s is None or marks.filled_s is None or marks.covered_s is None:
            return
        self._covered[signal_id] = self._marks.pop(signal_id)
        self.measured(signal_id, Stage.WORKING, marks.answered_s, max(marks.answered_s, marks.filled_s))
        self._measure_cover(signal_id, marks.approved_s, marks.answered_s, marks.filled_s, marks.covered_s)

    def _measure_cover(
        self, signal_id: str, approved_s: float, answered_s: float, filled_s: float, covered_s: float
    ) -> None:
        self.measured(signal_id, Stage.BRACKET, filled_s, covered_s)
        total_s = (answered_s - approved_s) + (covered_s - filled_s)
        self.measured(signal_id, Stage.TOTAL, approved_s, approved_s + total_s)

    def _watch_cover(self, bracket: Bracket) -> None:
        """Exits rejected after the fill never stood: the trade is measured anew when others do."""
        signal_id, cover = bracket.signal_id, self._book.cover(bracket.id)
        marks = self._covered[signal_id]
        if bracket.closed_at is not None or bracket.exit_requested_at is not None:
            del self._covered[signal_id]
            self._lost.discard(signal_id)
        elif cover.naked > 0:
            self._lost.add(signal_id)
        elif signal_id in self._lost and cover.held > 0:
            self._lost.discard(signal_id)
            assert marks.answered_s is not None
            assert marks.filled_s is not None
            now_s = self._clock.monotonic_s()
            self._measure_cover(signal_id, marks.approved_s, marks.answered_s, marks.filled_s, now_s)
