"""A sign of life to somebody else: when it stays away, a third party pages the operator.

One small POST every thirty seconds to an address of the operator's choice, such as a dead man's switch in the net.
It says how the desk is, not whose it is. The address is a secret and is never written down. That it does not arrive
disturbs nothing here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import aiohttp

from engine.clock import Clock
from engine.config import HeartbeatRules
from engine.views_truth import HeartbeatView

log = logging.getLogger(__name__)

DEADLINE_S: Final = 10.0


class Heartbeat:
    def __init__(self, rules: HeartbeatRules, clock: Clock, picture: Callable[[], dict[str, Any]]) -> None:
        """``picture`` is what is told of the desk, in JSON's own types."""
        self._rules = rules
        self._clock = clock
        self._picture = picture
        self._told_at: datetime | None = None
        self._misses = 0
        self._why = ""

    def view(self) -> HeartbeatView | None:
        """None when no address is set."""
        if not self._rules.url:
            return None
        return HeartbeatView(told_at=self._told_at, misses=self._misses, failing=self._why)

    async def run(self) -> None:
        """For ever. Only to be run with an address."""
        timeout = aiohttp.ClientTimeout(total=DEADLINE_S)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                why = await self._tell(session)
                if why is None:
                    self._told_at, self._misses, self._why = self._clock.now(), 0, ""
                else:
                    if not self._misses:
                        log.info("the heartbeat does not arrive: %s", why)
                    self._misses, self._why = self._misses + 1, why
                await self._clock.sleep(self._rules.every_s)

    async def _tell(self, session: aiohttp.ClientSession) -> str | None:
        """Why it did not arrive. Errors of the client name the address, so only their kind is told."""
        try:
            async with session.post(self._rules.url, json=self._picture(), allow_redirects=False) as answer:
                return None if answer.status < 300 else f"HTTP {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as lost:
            return type(lost).__name__
