"""One sound for each priority, made of plain tones: told apart by rhythm and direction, not by loudness.

The first knocks and rises, the second falls in two steps, the third is one low note. None is longer than a
second and a half.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 44_100
"""Samples a second; one channel of signed 16-bit numbers."""
_FADE_S: Final = 0.008
"""Up and down, so that no tone begins or ends with a click."""
_PEAK: Final = 0.8
_SECOND_SHARE: Final = 0.22
"""Of the octave above, which small loudspeakers carry better."""

type Samples = NDArray[np.int16]

_SOUNDS: Final[dict[int, tuple[tuple[float, float], ...]]] = {
    1: ((880.0, 0.11), (0.0, 0.05), (988.0, 0.11), (0.0, 0.05), (1_175.0, 0.24), (0.0, 0.12), (1_175.0, 0.24)),
    2: ((698.0, 0.16), (0.0, 0.04), (523.0, 0.24)),
    3: ((440.0, 0.2),),
}
"""Priority -> notes: their hertz (0: silence) and seconds."""


@cache
def sound_of(priority: int) -> Samples:
    """At full volume."""
    return np.concatenate([_note(hertz, seconds) for hertz, seconds in _SOUNDS[priority]])


def seconds_of(priority: int) -> float:
    return len(sound_of(priority)) / RATE


def at_volume(samples: Samples, volume: float) -> Samples:
    """``volume`` from 0 to 1, as the ear hears it: its square is what the loudspeaker gets."""
    return (samples * min(max(volume, 0.0), 1.0) ** 2).astype(np.int16)


def _note(hertz: float, seconds: float) -> Samples:
    count = int(RATE * seconds)
    if hertz == 0:
        return np.zeros(count, dtype=np.int16)
    time = np.arange(count) / RATE
    wave = np.sin(2 * np.pi * hertz * time) + _SECOND_SHARE * np.sin(4 * np.pi * hertz * time)
    fade = np.minimum(1.0, np.minimum(time, time[::-1]) / _FADE_S)
    return (wave * fade * _PEAK / (1 + _SECOND_SHARE) * np.iinfo(np.int16).max).astype(np.int16)
