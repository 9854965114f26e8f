"""What the operator's rules have answered, by signal; and asking them: ahead for previews, and for each claim anew.

The gate stays a plain function: it judges by the answers that stand here, and an order without one is denied. An answer
holds for one order in one picture. Whoever is about to bind the desk (a click, a mandate, the executor before the wire)
asks first and waits; what the file said about an earlier price is then history. A preview waits for nothing: it shows
the newest answer while the next one is on its way.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from engine.clock import Clock
from engine.pipeline.decide import Decision
from engine.rules.facts import Facts, UserAnswer, UserFacts
from engine.tasks import Spawn
from engine.user_rules.answers import PREFIX, RulesFailed, reasons_of
from engine.user_rules.inputs import Asked, asked_of, picture_of, signal_of
from engine.user_rules.process import Rules

TRIES: Final = 3
"""How often an order is asked about when the desk moves on meanwhile."""
AGAIN_AFTER_S: Final = 1.0
"""Prices and ages move without anything else: a preview's answer is renewed after this."""
STANDS_IN_S: Final = 3.0
"""So long a preview shows the answer about a slightly different order, until the new one is here."""
SIGNALS_KEPT: Final = 4096
ANSWERS_KEPT: Final = 4


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    answer: UserAnswer
    asked: Asked
    at_s: float


class UserRulesBoard:
    def __init__(self, rules: Rules | None, clock: Clock, answered: Callable[[str], None]) -> None:
        """``rules``: None when the operator has none. ``answered`` is told the signal whose verdicts have changed."""
        self._rules = rules
        self._clock = clock
        self._answered = answered
        self._kept: OrderedDict[str, tuple[Kept, ...]] = OrderedDict()
        self._wanted: dict[str, Decision] = {}
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()

    def start(self, spawn: Spawn) -> None:
        if self._rules is not None:
            spawn("user-rules", self._rules.run())
            spawn("user-rules-previews", self._answer_previews())

    @property
    def broken(self) -> str | None:
        """The file's name and why it can answer nothing; None while it may, or when there is none."""
        rules = self._rules
        return None if rules is None or rules.broken is None else f"{rules.name}: {rules.broken}"

    # --- what stands here ----------------------------------------------------------------------------------------

    def facts(self, signal_id: str) -> UserFacts | None:
        """For the picture that the gate judges: answers hold for the very order that they were given about."""
        if self._rules is None:
            return None
        answers = tuple(kept.answer for kept in self._kept.get(signal_id, ()))
        return UserFacts(name=self._rules.name, broken=self._rules.broken, answers=answers)

    def for_preview(self, signal_id: str, facts: Facts) -> Facts:
        """The same picture for somebody who only looks: a new price does not make the verdict flicker."""
        newest = next(iter(self._kept.get(signal_id, ())), None)
        if facts.user is None or newest is None or self._clock.monotonic_s() - newest.at_s > STANDS_IN_S:
            return facts
        return msgspec.structs.replace(facts, user=msgspec.structs.replace(facts.user, stands_in=newest.answer))

    # --- asking --------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Claims ask one after the other, so that each is asked about a desk that counts those before it."""
        if self._rules is None:
            yield
            return
        async with self._turn:
            yield

    async def ask(self, signal_id: str, look: Callable[[], Decision]) -> None:
        """Until the answer is about what ``look`` shows in this moment: nothing may wait between this and the claim.

        What is denied anyway is not asked about.
        """
        if self._rules is None:
            return
        for _ in range(TRIES):
            decision = look()
            if decision.closes or any(not reason.code.startswith(PREFIX) for reason in decision.denies):
                return
            asked = asked_of(decision)
            self._keep(signal_id, asked, await self._answer(asked, decision))
            if asked_of(look()) == asked:
                return
        moved = UserAnswer(order=asked.order, failed="the desk moved on each time that it was asked")
        self._keep(signal_id, asked, moved)

    def want(self, signal_id: str, decision: Decision) -> None:
        """A preview was made of this: have an answer about it soon."""
        if self._rules is None or self._rules.broken is not None or decision.closes:
            return
        asked = asked_of(decision)
        for kept in self._kept.get(signal_id, ()):
            if kept.asked == asked and self._clock.monotonic_s() - kept.at_s < AGAIN_AFTER_S:
                return
        self._wanted[signal_id] = decision
        self._wake.set()

    async def _answer_previews(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._wanted:
                signal_id = next(iter(self._wanted))
                decision = self._wanted.pop(signal_id)
                asked = asked_of(decision)
                known = self.facts(signal_id)
                before = next((one for one in known.answers if one.order == asked.order), None) if known else None
                answer = await self._answer(asked, decision)
                self._keep(signal_id, asked, answer)
                if answer != before:
                    self._answered(signal_id)

    async def _answer(self, asked: Asked, decision: Decision) -> UserAnswer:
        assert self._rules is not None
        try:
            answer = await self._rules.ask(signal_of(decision), picture_of(decision))
        except RulesFailed as why:
            return UserAnswer(order=asked.order, failed=str(why))
        return UserAnswer(order=asked.order, reasons=reasons_of(answer))

    def _keep(self, signal_id: str, asked: Asked, answer: UserAnswer) -> None:
        kept = Kept(answer=answer, asked=asked, at_s=self._clock.monotonic_s())
        others = (one for one in self._kept.pop(signal_id, ()) if one.asked.order != asked.order)
        self._kept[signal_id] = (kept, *others)[:ANSWERS_KEPT]
        if len(self._kept) > SIGNALS_KEPT:
            self._kept.popitem(last=False)
