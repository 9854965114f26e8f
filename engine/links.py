"""The ways to the broker: which stands, since when, and why not. Every change is a fact in the journal."""

from __future__ import annotations

from datetime import datetime

from engine.clock import Clock
from engine.model import events as ev
from engine.recorder import Recorder
from engine.views import LinkView


class Link:
    """One way to the broker: order stream, REST or quotes."""

    def __init__(self, name: str, recorder: Recorder, clock: Clock) -> None:
        self.name = name
        self.up = False
        self.since: datetime | None = None
        self.last_seen_at: datetime | None = None
        self.why = ""
        self.is_final = False
        """It does not come back by itself: the keys or the subscription are refused."""
        self._recorder = recorder
        self._clock = clock

    def seen(self) -> None:
        """Something came over it."""
        self.last_seen_at = self._clock.now()

    def set(self, up: bool, why: str = "", *, is_final: bool = False) -> None:
        self.why = why
        self.is_final = is_final
        if up:
            self.seen()
        if up is not self.up:
            self.up = up
            self.since = self._clock.now()
            self._tell()

    @property
    def word(self) -> str:
        return "up" if self.up else "down"

    def view(self) -> LinkView:
        return LinkView(up=self.up, since=self.since, last_seen_at=self.last_seen_at, why=self.why, word=self.word)

    def _tell(self) -> None:
        self._recorder.record(ev.LinkChanged(link=self.name, up=self.up, why=self.why))


class OrderStreamLink(Link):
    """The order stream, and the polling of orders that a person may put in its place until it is back."""

    polled_by: str | None = None

    def set(self, up: bool, why: str = "", *, is_final: bool = False) -> None:
        if up:
            self.polled_by = None
        super().set(up, why, is_final=is_final)

    def poll(self, actor: str | None) -> None:
        """None: wait for the stream alone again."""
        if actor == self.polled_by:
            return
        self.polled_by = actor
        what = (
            f"orders are polled instead, chosen by {actor}" if actor is not None else "orders are not polled any more"
        )
        self._recorder.record(ev.LinkChanged(link=self.name, up=self.up, why=what))

    @property
    def word(self) -> str:
        return "polling" if self.polled_by is not None else super().word
