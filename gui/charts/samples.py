"""Measured milliseconds of one stage over time, in arrays that double when they are full."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_FIRST: Final = 1_024
LEAST_MS: Final = 0.01
"""Below this the clock, not the stage, is measured; also keeps the logarithm finite."""


class SampleSeries:
    def __init__(self) -> None:
        self._at = np.empty(_FIRST)
        self._log_ms = np.empty(_FIRST)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, at_s: float, ms: float) -> None:
        if self._count == len(self._at):
            self._at = np.concatenate([self._at, np.empty(len(self._at))])
            self._log_ms = np.concatenate([self._log_ms, np.empty(len(self._log_ms))])
        self._at[self._count] = at_s
        self._log_ms[self._count] = np.log10(max(ms, LEAST_MS))
        self._count += 1

    @property
    def at_s(self) -> NDArray[np.float64]:
        """Seconds since the epoch, oldest first. A view."""
        return self._at[: self._count]

    @property
    def log_ms(self) -> NDArray[np.float64]:
        """log10 of milliseconds, oldest first. A view."""
        return self._log_ms[: self._count]
