"""How long the broker takes to answer, by endpoint: the newest answers of each, and how many were no success."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

KEPT: Final = 1_000
"""Answers of each endpoint."""
MOST: Final = 64
"""Endpoints; an adapter knows some thirty."""
_NAMED: Final = re.compile(r"(/(?:orders|assets|positions|watchlists))/[^/:]+")


def endpoint_of(method: str, path: str) -> str:
    """``DELETE /v2/orders/{id}``: without what names one order, asset or position."""
    return f"{method} {_NAMED.sub(r'\1/{id}', path)}"


class EndpointTimes:
    def __init__(self) -> None:
        self._known: dict[str, Times] = {}

    def note(self, method: str, path: str, status_code: int, took_ms: float) -> None:
        name = endpoint_of(method, path)
        times = self._known.get(name)
        if times is None:
            if len(self._known) >= MOST:
                return
            times = self._known[name] = Times(name)
        times.count += 1
        times.ms.append(took_ms)
        if status_code == 429:
            times.limited += 1
        elif status_code >= 500:
            times.failed += 1
        elif status_code >= 400:
            times.refused += 1

    def all(self) -> list[Times]:
        """The most asked first."""
        return sorted(self._known.values(), key=lambda times: -times.count)


class Times:
    """Of one endpoint."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.ms: deque[float] = deque(maxlen=KEPT)
        """Of the newest answers, oldest first."""
        self.count = 0
        self.refused = 0
        """Answers of 400 to 499 without those of the rate limit."""
        self.limited = 0
        self.failed = 0
