"""Folds of the facts about exits: moves, watches, passed stops, unprotected runs and repairs.

Part of the book (``engine/book.py`` is the door): each fact changes the record of one trade and refolds it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from engine.long_table import LongTable
from engine.model import events as ev
from engine.model.bracket import Bracket

if TYPE_CHECKING:
    from engine.protection.ledger import Cover


IDS_OF_A_PROCESS: Final = 1000
"""More orders than one process makes for one purpose of one trade."""


class ProtectionFolds(ABC):
    brackets: LongTable[Bracket]

    def _skip_lost_ids(self, open_brackets: Iterable[str]) -> None:
        """A process was killed. What it sent while its disk was full may not be in the journal: no id of its is used
        again for something else."""
        for bracket_id in open_brackets:
            bracket = self.brackets[bracket_id]
            self.brackets[bracket_id] = replace(bracket, ids_after=bracket.ids_after + IDS_OF_A_PROCESS)

    @abstractmethod
    def _change_bracket(self, bracket_id: str, at: datetime, **changes: Any) -> None:
        """Replace fields of a trade's record and refold it."""

    def _on_exits_changed(self, event: ev.ExitsChanged, at: datetime) -> None:
        known = self.brackets[event.bracket_id]
        targets = known.wanted_targets or known.targets
        if event.take_profit_price != known.take_profit_price and not known.wanted_targets:
            targets = ()  # somebody wants one target for all of it, or none
        self._change_bracket(
            event.bracket_id,
            at,
            targets=targets,
            wanted_targets=(),
            repriced_for=event.corporate_action or known.repriced_for,
            followed_at=at if event.corporate_action else known.followed_at,
            high_water=None if event.corporate_action else known.high_water,
            stop_price=event.stop_price,
            take_profit_price=event.take_profit_price,
            wanted_stop_price=None,
            wanted_take_profit_price=None,
            moves_asked_at=None,
            # Prices that somebody chose anew have not been called passed yet.
            stop_passed_at=None,
        )

    def _on_exits_move_asked(self, event: ev.ExitsMoveAsked, at: datetime) -> None:
        known = self.brackets[event.bracket_id]
        self._change_bracket(
            event.bracket_id,
            at,
            wanted_stop_price=event.stop_price or known.wanted_stop_price,
            wanted_take_profit_price=event.take_profit_price or known.wanted_take_profit_price,
            moves_asked_at=at,
            move_refused=None,
            breakeven_at=at if event.is_breakeven else known.breakeven_at,
            followed_at=at,  # whoever moves an exit from here on decides where it stands, not the fill
            wanted_targets=event.targets or known.wanted_targets,
            high_water=event.high_water or known.high_water,
            trailed_at=at if event.high_water is not None else known.trailed_at,
        )

    def _on_exits_move_refused(self, event: ev.ExitsMoveRefused, at: datetime) -> None:
        self._change_bracket(
            event.bracket_id,
            at,
            wanted_stop_price=None,
            wanted_take_profit_price=None,
            wanted_targets=(),
            moves_asked_at=None,
            move_refused=event.text,
        )

    def _on_watch_began(self, event: ev.WatchBegan, at: datetime) -> None:
        field = "watch_target_since" if event.target else "watch_stop_since"
        self._change_bracket(event.bracket_id, at, **{field: at}, watch_why=event.why)

    def _on_watch_ended(self, event: ev.WatchEnded, at: datetime) -> None:
        field = "watch_target_since" if event.target else "watch_stop_since"
        self._change_bracket(event.bracket_id, at, **{field: None})

    def _on_stop_passed(self, event: ev.StopPassed, at: datetime) -> None:
        self._change_bracket(event.bracket_id, at, stop_passed_at=at if event.passed else None)

    def _on_unprotected_began(self, event: ev.UnprotectedBegan, at: datetime) -> None:
        self._change_bracket(event.bracket_id, at, unprotected_until=event.until)

    def _on_unprotected_ended(self, event: ev.UnprotectedEnded, at: datetime) -> None:
        self._change_bracket(event.bracket_id, at, unprotected_until=None)

    def _on_repair_began(self, event: ev.RepairBegan, at: datetime) -> None:
        self._change_bracket(event.bracket_id, at, repair=event.repair, gave_up_at=None, attempts=0, rearmed_at=at)

    def _on_repair_ended(self, event: ev.RepairEnded, at: datetime) -> None:
        self._change_bracket(event.bracket_id, at, repair=None)


def settled(bracket: Bracket, cover: Cover) -> Bracket:
    """The record without what a true cover has made obsolete: counted failures, watches that the broker took over."""
    is_covered = cover.held > 0 and cover.naked == 0
    if is_covered and (bracket.attempts or bracket.last_error or bracket.watch_stop_since or bracket.stop_passed_at):
        bracket = replace(
            bracket, attempts=0, gave_up_at=None, last_error=None, watch_stop_since=None, stop_passed_at=None
        )
    if cover.is_target_live and bracket.watch_target_since is not None:
        bracket = replace(bracket, watch_target_since=None)
    return bracket
