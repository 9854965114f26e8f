"""A halt ladder made by hand: what the window shows of it is set, and what it is asked for is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from engine.model.order import Evidence
from engine.model.words import DeskState, Source
from engine.views_halt import HaltView, RungView

replace = msgspec.structs.replace


def rung(name: str, sentence: str, **changes: object) -> RungView:
    return replace(RungView(name=name, sentence=sentence), **changes)


def at_work() -> HaltView:
    """Nothing is engaged, and shares are held."""
    return HaltView(
        desk_state=DeskState.ACTIVE,
        rungs=(
            rung("paused", "Nothing new is sent, working entries stay."),
            rung("reducing", "Working entries are canceled too: exits only."),
            rung("halted", "No approvals, no mandates. Protection is kept."),
            rung("flat", "Not flat.", missing=("2 positions (AAPL, TSLA)", "5 open orders (AAPL, TSLA, MSFT)")),
            rung("suspended", "The broker takes orders."),
        ),
    )


def halting(now: datetime) -> HaltView:
    """Halted, on the way out, two entries still at work."""
    by = {"is_reached": True, "since": now, "actor": "window"}
    paused, reducing, halted, _, suspended = at_work().rungs
    return HaltView(
        desk_state=DeskState.HALTED,
        rungs=(
            replace(paused, is_proved=True, **by),
            replace(reducing, missing=("2 entries (MSFT, JPM) still at work",), **by),
            replace(halted, is_proved=True, **by),
            rung("flat", "On the way out.", is_reached=True, since=now, missing=("1 position (TSLA)",)),
            suspended,
        ),
    )


def flat(now: datetime, *, suspended: bool = False) -> HaltView:
    """Halted and proved flat."""
    proof = Evidence(source=Source.REST, id="b2c1f6e0a4", at=now)
    by = {"is_reached": True, "is_proved": True, "since": now, "actor": "window"}
    paused, reducing, halted, _, switch = at_work().rungs
    if suspended:
        sentence = "The broker takes no new order, exits included."
        switch = rung("suspended", sentence, evidence=(replace(proof, source=Source.ANSWER),), **by)
    return HaltView(
        desk_state=DeskState.HALTED,
        rungs=(
            replace(paused, **by),
            replace(reducing, evidence=(proof,), **by),
            replace(halted, **by),
            rung(
                "flat",
                "Flat, proved 14:03:07 ET by REST: 0 orders, 0 positions.",
                is_reached=True,
                is_proved=True,
                since=now,
                actor="desk",
                evidence=(proof, replace(proof, id="b2c1f6e0a5")),
            ),
            switch,
        ),
    )


class SceneHalt:
    def __init__(self, take: Callable[..., Awaitable[None]]) -> None:
        """``take`` keeps what was asked for."""
        self._take = take
        self.shown = at_work()

    def ladder(self) -> HaltView:
        return self.shown

    async def prove(self, *, actor: str) -> HaltView:
        return await self._done("prove")

    async def suspend(self, *, actor: str) -> HaltView:
        return await self._done("suspend")

    async def resume(self, *, actor: str, confirm: str | None) -> HaltView:
        return await self._done("resume", confirm)

    async def _done(self, *what: object) -> HaltView:
        await self._take(*what)
        return self.shown
