"""What is run: a seed with all that happens in it, or a part of that, as a failure was shrunk to it."""

from __future__ import annotations

from typing import Any, override

import msgspec

from tests.simulation.happenings import Happening, draw
from tests.simulation.weather import Weather, weather_before, weather_of


class Case(msgspec.Struct, frozen=True):
    """Written into a test as it prints itself."""

    seed: int
    only: tuple[int, ...] | None = None
    """Numbers of the happenings that are kept; None keeps all."""
    until_s: float | None = None
    """The storm ends here; None lets it last as long as its weather."""
    calmer: dict[str, Any] = {}
    """Fields of the seed's weather that are as here."""
    given: Weather | None = None
    """This weather in place of the one that the seed draws."""
    before: bool = False
    """The seed as it was before there were tickets, busts and rules of one's own in the storms."""

    @property
    def _drawn(self) -> Weather:
        return self.given or (weather_before if self.before else weather_of)(self.seed)

    @property
    def lasts_s(self) -> float:
        return self._drawn.lasts_s if self.until_s is None else self.until_s

    def weather(self) -> Weather:
        return msgspec.structs.replace(self._drawn, **self.calmer)

    def happenings(self) -> list[Happening]:
        """In the order of their time. Drawn before anything is left out or made calmer: numbers stay what they are."""
        return [
            happening
            for happening in draw(self.seed, self._drawn)
            if happening.at_s <= self.lasts_s and (self.only is None or happening.number in self.only)
        ]

    @override
    def __repr__(self) -> str:
        shown = [str(self.seed)]
        if self.only is not None:
            shown.append(f"only={self.only}")
        if self.until_s is not None:
            shown.append(f"until_s={self.until_s}")
        if self.calmer:
            shown.append(f"calmer={self.calmer}")
        if self.given is not None:
            shown.append(f"given={self.given}")
        if self.before:
            shown.append("before=True")
        return f"Case({', '.join(shown)})"
