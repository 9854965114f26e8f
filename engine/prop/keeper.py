"""Once a second: begins and ends the firm's days, marks highs, notes breaches, and closes positions in time.

Everything it finds out is a fact in the journal before anybody acts on it, so a restart goes on where it was.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from engine.book import Book
from engine.clock import Clock
from engine.model import events as ev
from engine.model.money import usd
from engine.prop.board import PropBoard
from engine.prop.days import day_of, day_start, must_be_flat
from engine.prop.meters import PropFacts, meters
from engine.prop.preset import Preset
from engine.recorder import Recorder
from engine.surroundings import World
from engine.withdrawal import Withdrawal

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
MARK_EVERY_S: Final = 300.0
LATE_AFTER_S: Final = 60.0
BEFORE_EARLY_CLOSE: Final = timedelta(minutes=5)
FLOORS: Final = frozenset({"PROP_DRAWDOWN", "PROP_DAILY_LOSS"})
ACTOR: Final = "prop-firm"


class PropKeeper:
    def __init__(
        self,
        board: PropBoard,
        recorder: Recorder,
        book: Book,
        world: World,
        clock: Clock,
        withdrawal: Withdrawal,
    ) -> None:
        self._board = board
        self._recorder = recorder
        self._book = book
        self._world = world
        self._clock = clock
        self._withdrawal = withdrawal
        self._marked_s = float("-inf")

    async def run(self) -> None:
        preset = self._board.preset
        if not isinstance(preset, Preset):
            return
        while True:
            self.look(preset)
            why = self.must_be_flat(preset)
            if why is not None:
                await self._withdrawal.close_all(actor=ACTOR, reason=why)
            await self._clock.sleep(LOOK_EVERY_S)

    def look(self, preset: Preset) -> None:
        equity, balance, now = self._board.equity(), self._board.balance(), self._clock.now()
        if equity is None or balance is None:
            return  # entries are denied meanwhile when no day is open
        self._turn_the_day(preset, now, balance, equity)
        self._mark(balance, equity)
        self._note_breaches()

    def must_be_flat(self, preset: Preset) -> str | None:
        """Why every position has to be closed now; None when they may be held."""
        if preset.window is None or not self._book.open_brackets:
            return None
        closes_at = self._world.session_changes_at if self._world.session_open else None
        if must_be_flat(preset.window, self._clock.now(), closes_at, BEFORE_EARLY_CLOSE):
            return f"flat by {preset.window.flat_by} {preset.window.zone}"
        return None

    def _turn_the_day(self, preset: Preset, now: datetime, balance: Decimal, equity: Decimal) -> None:
        ledger = self._book.prop
        began_at = day_start(preset.reset, now)
        name = day_of(preset.reset, began_at).isoformat()
        is_known = ledger.preset == preset.name
        if is_known and ledger.day is not None and ledger.day.day == name:
            return
        late = is_known and (now - began_at).total_seconds() > LATE_AFTER_S
        before = ledger.day if is_known else None
        if before is not None:
            # A day that ended while nobody looked ends with its last marks: what came later belongs to another day.
            end = (before.balance, before.equity) if late else (balance, equity)
            self._recorder.record(ev.PropDayClosed(day=before.day, balance=end[0], equity=end[1]))
            if late:
                # Of two guesses at the start that the firm took, the higher leaves the less to lose.
                balance, equity = max(balance, before.balance), max(equity, before.equity)
        size = Decimal(str(preset.account_size)) if preset.account_size is not None else equity
        self._recorder.record(
            ev.PropDayOpened(
                day=name,
                preset=preset.name,
                size=ledger.size if is_known else size,
                balance=balance,
                equity=equity,
                began_at=began_at,
                is_late=late,
            )
        )

    def _mark(self, balance: Decimal, equity: Decimal) -> None:
        day = self._book.prop.day
        if day is None:
            return
        now_s = self._clock.monotonic_s()
        moved = (balance, equity) != (day.balance, day.equity)
        if equity > day.high_equity or (moved and now_s - self._marked_s >= MARK_EVERY_S):
            self._marked_s = now_s
            self._recorder.record(ev.PropMarked(day=day.day, balance=balance, equity=equity))

    def _note_breaches(self) -> None:
        facts = self._board.facts()
        if not isinstance(facts, PropFacts) or facts.ledger.day is None or facts.equity is None:
            return
        known = {breach.rule for breach in facts.ledger.standing()}
        for meter in meters(facts, None):
            if meter.code in FLOORS and meter.code not in known and meter.now is not None and meter.now <= 0:
                assert meter.floor is not None
                text = f"{meter.name} broken: equity {usd(facts.equity)}, floor {usd(meter.floor)}"
                log.info("%s", text)
                self._recorder.record(
                    ev.PropBreached(
                        rule=meter.code,
                        day=facts.ledger.day.day,
                        text=text,
                        measured=usd(facts.equity),
                        limit=usd(meter.floor),
                    )
                )
