"""The desk's state by a person's hand: at once towards caution, by a typed word out of a halt or past a trip."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from engine.model.words import DeskState, Mode
from gui.actions import Actions, Refusal
from gui.bridge import Bridge
from gui.dialogs.confirm import Question
from gui.release import STATE, needs_word, release_question

_WANTS_WORD: Final = frozenset({"TRIP_STANDS", "CONFIRM_REQUIRED", "SECOND_PERSON", "WRONG_WORD"})


class Releasing:
    def __init__(self, mode: Mode, bridge: Bridge, actions: Actions, ask: Callable[[Question], object]) -> None:
        self._mode = mode
        self._bridge = bridge
        self._actions = actions
        self._ask = ask
        self._asked = DeskState.ACTIVE

    def ask(self, state: DeskState, refused: str | None = None) -> None:
        """At once where nothing has to be typed; a refusal asks, in the desk's words."""
        desk = self._bridge.desk()
        self._asked = state
        is_cooling = self._bridge.ladder().cooling_s > 0  # no word helps: the desk says for how long
        if refused is None and (is_cooling or not needs_word(desk.trips, desk.health.desk_state, state)):
            self._actions.set_state(state)
            return
        act = partial(self._actions.set_state, state)
        is_halted = desk.health.desk_state is DeskState.HALTED and state is not DeskState.HALTED
        second = self._bridge.ladder().second_persons if is_halted else ()
        self._ask(release_question(self._mode, state, desk.trips, act, second, refused=refused))

    def follow(self, command: str, refusal: Refusal) -> None:
        """What the desk did not take: its question, where words are what it wants."""
        if command == STATE and refusal.code in _WANTS_WORD:
            self.ask(self._asked, refusal.text)

    def about_trips(self) -> None:
        """An incident about the desk itself is to be shown: what tripped it, if anything did."""
        if self._bridge.desk().trips:
            self.ask(DeskState.ACTIVE)
