"""Measured milliseconds of one stage over time, with the peaks of every stretch at hand.

Samples lie in arrays that double when they are full. Above them stand coarser floors: of every 32 samples the lowest
and the highest, of every 32 of those again, and so on. A chart of a million samples asks for what its width can show
and gets a few thousand points in which no peak is missing, whatever it zooms to; what came in since is added then.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

_FIRST: Final = 1_024
_STRETCH: Final = 32
"""Samples, or stretches of the floor below, in one stretch."""
_FLOORS: Final = 3
LEAST_MS: Final = 0.01
"""Below this the clock, not the stage, is measured; also keeps the logarithm finite."""


class _Column:
    """A float64 array that grows at its end."""

    def __init__(self) -> None:
        self._room: Floats = np.empty(_FIRST)
        self.count = 0

    def append(self, values: Floats | float) -> None:
        more = np.atleast_1d(values)
        while self.count + len(more) > len(self._room):
            self._room = np.concatenate([self._room, np.empty(len(self._room))])
        self._room[self.count : self.count + len(more)] = more
        self.count += len(more)

    @property
    def values(self) -> Floats:
        """A view."""
        return self._room[: self.count]


class _Floor:
    """Lowest and highest of every whole stretch of what lies below."""

    def __init__(self) -> None:
        self.low, self.high = _Column(), _Column()

    def catch_up(self, low: Floats, high: Floats) -> None:
        done, whole = self.low.count, len(low) // _STRETCH
        if whole > done:
            stretches = slice(done * _STRETCH, whole * _STRETCH)
            self.low.append(low[stretches].reshape(-1, _STRETCH).min(axis=1))
            self.high.append(high[stretches].reshape(-1, _STRETCH).max(axis=1))


class SampleSeries:
    def __init__(self) -> None:
        self._at, self._log_ms = _Column(), _Column()
        self._floors = [_Floor() for _ in range(_FLOORS)]
        self._most = -np.inf

    def __len__(self) -> int:
        return self._at.count

    def append(self, at_s: float, ms: float) -> None:
        """``at_s`` does not fall: samples come in the order in which they were taken."""
        log_ms = float(np.log10(max(ms, LEAST_MS)))
        self._at.append(at_s)
        self._log_ms.append(log_ms)
        self._most = max(self._most, log_ms)

    @property
    def at_s(self) -> Floats:
        """Seconds since the epoch, oldest first. A view."""
        return self._at.values

    @property
    def log_ms(self) -> Floats:
        """log10 of milliseconds, oldest first. A view."""
        return self._log_ms.values

    @property
    def most_log_ms(self) -> float:
        """The highest of all; minus infinity without samples."""
        return float(self._most)

    def course(self, first_s: float, last_s: float, most: int) -> tuple[Floats, Floats]:
        """Points to draw between two times, with one beyond each end: seconds and log10 ms.

        About ``most`` at the most. Where there are more samples, each stretch is its lowest and its highest.
        """
        at = self.at_s
        begin = max(int(np.searchsorted(at, first_s, "left")) - 1, 0)
        end = min(int(np.searchsorted(at, last_s, "right")) + 1, len(at))
        low, high = self.log_ms, self.log_ms
        for floor in self._floors:
            floor.catch_up(low, high)
            low, high = floor.low.values, floor.high.values
        number = 0
        while number < _FLOORS and 2 * (end - begin) // _STRETCH**number > most:
            number += 1
        if number == 0:
            return at[begin:end], self.log_ms[begin:end]
        times: list[Floats] = []
        heights: list[Floats] = []
        for coarse in range(number, 0, -1):  # what no whole stretch of one floor covers is told by the next below
            size = _STRETCH**coarse
            floor = self._floors[coarse - 1]
            first, beyond = begin // size, min(end // size, floor.low.count)
            if beyond > first:
                times.append(np.repeat(at[first * size : beyond * size : size], 2))
                heights.append(
                    np.column_stack((floor.low.values[first:beyond], floor.high.values[first:beyond])).ravel()
                )
                begin = beyond * size
        return np.concatenate([*times, at[begin:end]]), np.concatenate([*heights, self.log_ms[begin:end]])
