"""What is spoken, and when: the cause of what needs a hand now, once as it begins, after its sound.

One that is over, acknowledged or shelved before its words come is not spoken of; several that begin together are told
as a number and the newest of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from engine.model.incident import Priority
from engine.views import IncidentView
from gui.sounds.tones import Samples

_HEAD: Final = re.compile(r"^([A-Z./]+): ")
"""The symbol that a cause begins with."""
_DETAILS: Final = re.compile(r"(:|·|\.)(\s.*|$)")
"""Figures and answers of the broker stand behind the point of a cause."""
_ID: Final = re.compile(r"\bgl-[\w-]+")
TRIAL: Final = "This is how a priority one is spoken: 100 A A P L naked."


class Speaking:
    def __init__(
        self, begin: Callable[[str], bool], take: Callable[[], Samples | None], play: Callable[[Samples], bool]
    ) -> None:
        """``begin`` to make words into samples, ``take`` them when they are made, ``play`` them; the first and the last
        tell whether they do."""
        self._begin = begin
        self._take = take
        self._play = play
        self._standing: set[str] = set()
        self._unsaid: dict[str, IncidentView] = {}
        self._about: set[str] = set()
        """Ids of what the words that are being made tell; empty with no such words, or a trial's."""
        self._made: Samples | None = None
        self.is_on = False

    def take(self, incidents: Sequence[IncidentView], gone: Iterable[str]) -> None:
        for key in gone:
            self._leave(key)
        for incident in incidents:
            is_over = incident.cleared_at or incident.acked_at or incident.shelved_until
            if is_over or incident.priority != Priority.NOW:
                self._leave(incident.id)
            elif incident.id not in self._standing:
                self._standing.add(incident.id)
                self._unsaid[incident.id] = incident

    def beat(self, *, is_silent: bool) -> None:
        """Several times a second. ``is_silent``: what begins stays unsaid, as with the switch off; a trial is heard."""
        if is_silent or not self.is_on:
            self._unsaid.clear()
        self._made = self._take() if self._made is None else self._made
        if self._made is not None:
            is_in_vain = bool(self._about) and (is_silent or not self._about & self._standing)
            if is_in_vain or self._play(self._made):
                self._made, self._about = None, set()
        elif self._unsaid and self._begin(words_of(list(self._unsaid.values()))):
            self._about = set(self._unsaid)
            self._unsaid.clear()

    def _leave(self, key: str) -> None:
        self._standing.discard(key)
        self._unsaid.pop(key, None)


def words_of(incidents: Sequence[IncidentView]) -> str:
    """For the ear: the newest's cause without what only an eye takes in, its symbol letter by letter."""
    newest = incidents[-1]
    words = _HEAD.sub(r"\1, ", newest.cause)
    words = _DETAILS.sub("", words)
    words = _ID.sub("an order", words)
    if newest.symbol:
        words = re.sub(rf"\b{re.escape(newest.symbol)}\b", " ".join(newest.symbol), words)
    return words if len(incidents) == 1 else f"{len(incidents)} need a hand now. The newest: {words}"
