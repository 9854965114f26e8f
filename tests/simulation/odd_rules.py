"""The operator's own rules as a storm has them: mostly sane, and now and then slow, crashed, or answering nonsense.

A child process cannot be had in virtual time. What the desk sees of it can: an answer, an answer that is none, one
that comes too late, and a file that cannot be used at all.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, Final

from engine.config import UserRules
from engine.user_rules.answers import Answer, RulesFailed, Said, read_answer

TIMEOUT_S: Final = UserRules().user_timeout_ms / 1000
NONSENSE: Final = (
    b"",
    b"{",
    b"[1, 2]",
    b'{"id": 1, "verdicts": [{"verdict": "perhaps", "code": "MOOD", "text": "it depends"}]}',
    b'{"id": 1, "verdicts": [{"verdict": "deny", "code": "RULE_WAIT", "text": "a code of the desk\'s own"}]}',
    b'{"id": 1, "failed": "ZeroDivisionError: division by zero"}',
)
GONE_S: Final = (0.1, 6.0)
"""So long a crashed child is away until another one takes its place."""


class OddRules:
    """To be given to ``start_desk`` in place of a file; one for each process."""

    name, sha256 = "odd.py", "0dd"

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.broken: str | None = "SyntaxError in line 3" if dice.random() < 0.1 else None
        self._turn = asyncio.Lock()
        self._gone_until_s = 0.0

    async def ask(self, signal: dict[str, Any], picture: dict[str, Any]) -> Answer:
        """Raises ``RulesFailed``."""
        async with self._turn:
            now_s = asyncio.get_running_loop().time()
            if self.broken is not None or now_s < self._gone_until_s:
                raise RulesFailed(self.broken or "its process ended")
            ways: tuple[tuple[float, Callable[[], Answer]], ...] = (
                (16, lambda: Answer()),
                (3, lambda: self._says("warn")),
                (3, lambda: self._says("deny")),
                (1, self._crashes),
                (1, lambda: read_answer(self._dice.choice(NONSENSE))),
            )
            answer = self._dice.choices([way for _, way in ways], [weight for weight, _ in ways])[0]
            takes_s = self._dice.choices((0.001, 0.02, 1.0), (10, 4, 1))[0]
            if takes_s > TIMEOUT_S:
                await asyncio.sleep(TIMEOUT_S)
                self._gone_until_s = now_s + self._dice.uniform(*GONE_S)
                raise RulesFailed(f"it did not answer within {TIMEOUT_S * 1000:g} ms")
            await asyncio.sleep(takes_s)
            return answer()

    def _says(self, verdict: Any) -> Answer:
        return Answer(verdicts=(Said(verdict=verdict, code="MOOD", text="not in the mood"),))

    def _crashes(self) -> Answer:
        self._gone_until_s = asyncio.get_running_loop().time() + self._dice.uniform(*GONE_S)
        raise RulesFailed("its process ended")

    async def run(self) -> None:
        """Nothing to keep alive."""

    async def close(self) -> None:
        """And nothing to end."""
