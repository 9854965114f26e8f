"""What happens in a storm, drawn in advance: a numbered list of moments, each with dice of its own.

Because no happening throws another one's dice, a storm can be replayed with some of them left out, and those that stay
do what they did. That is how a failure shrinks to the few happenings that it takes (``shrink.py``).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from tests.simulation.weather import Weather


class Kind(StrEnum):
    FAULT = "fault"
    """Something breaks: at the exchange, on the wires, in the disk, in the clock."""
    HAND = "hand"
    """Somebody else works at the broker."""
    SHOCK = "shock"
    """A price jumps."""
    SIGNAL = "signal"
    ACT = "act"
    """Of the operator."""
    END = "end"
    """The desk's process is killed or stopped, and another one started."""
    LEAP = "leap"
    """The dead hours of a night pass at once."""
    TICKET = "ticket"
    """The operator enters by hand."""
    CHANGE = "change"
    """The operator changes an order in its row."""
    BUST = "bust"
    """The venue takes an execution back."""


class Happening(NamedTuple):
    number: int
    at_s: float
    """Since the storm began."""
    kind: Kind

    def dice(self, seed: int) -> random.Random:
        return random.Random(f"{seed}/{self.kind}/{self.number}")


HAND_EVERY_S: Final = 20.0
TICKET_EVERY_S: Final = 12.0
BUST_EVERY_S: Final = 20.0
LAST: Final = 0.95
"""Share of the storm after which no process ends any more."""


def draw(seed: int, weather: Weather) -> list[Happening]:
    """All happenings of a seed in the order of their time, numbered from 1 on."""
    slower = max(1.0, weather.lasts_s / 180)
    every_s = {
        Kind.FAULT: weather.fault_every_s,
        Kind.SHOCK: weather.shock_every_s,
        Kind.SIGNAL: weather.signal_every_s,
        Kind.ACT: weather.act_every_s,
    }
    if weather.hands:
        every_s[Kind.HAND] = HAND_EVERY_S * slower / weather.hands
    moments = [(at_s, kind) for kind, mean_s in every_s.items() for at_s in _times(seed, kind, mean_s, weather.lasts_s)]
    rng = random.Random(f"{seed}/{Kind.END}/times")
    between_s = weather.lasts_s * LAST / max(1, weather.kills)
    moments += [(between_s * (number + rng.uniform(0.05, 0.9)), Kind.END) for number in range(weather.kills)]
    moments += [(at_s, Kind.LEAP) for at_s in weather.night]
    happenings = [Happening(number, at_s, kind) for number, (at_s, kind) in enumerate(sorted(moments), 1)]
    happenings += _drawn_later(seed, weather, slower, len(happenings))
    return sorted(happenings, key=lambda happening: happening.at_s)


def _drawn_later(seed: int, weather: Weather, slower: float, numbers_taken: int) -> list[Happening]:
    """What the storms learned later. Its numbers come behind those of all else, so that these stay what they were."""
    every_s: dict[Kind, float] = {}
    if weather.tickets:
        every_s[Kind.TICKET] = every_s[Kind.CHANGE] = TICKET_EVERY_S * slower / weather.tickets
    if weather.busts:
        every_s[Kind.BUST] = BUST_EVERY_S * slower / weather.busts
    moments = [(at_s, kind) for kind, mean_s in every_s.items() for at_s in _times(seed, kind, mean_s, weather.lasts_s)]
    return [Happening(number, at_s, kind) for number, (at_s, kind) in enumerate(sorted(moments), numbers_taken + 1)]


def _times(seed: int, kind: Kind, mean_s: float, until_s: float) -> Iterator[float]:
    rng = random.Random(f"{seed}/{kind}/times")
    at_s = rng.expovariate(1 / mean_s)
    while at_s < until_s:
        yield at_s
        at_s += rng.expovariate(1 / mean_s)
