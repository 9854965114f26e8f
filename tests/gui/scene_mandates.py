"""Mandates made by hand: what the window shows of them is set, and what it is asked for is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from engine.model.mandate import MandateTerms
from engine.model.words import Side
from engine.views_limits import MandateView

replace = msgspec.structs.replace

FORM: Final = {
    "strategy": "orb-15",
    "symbols": "nvda, amd",
    "max_notional_each": "5000",
    "max_notional_day": "20,000",
    "until": "15:30",
}
"""A form that is filled in as far as it has to be."""


def mandate(now: datetime, **changes: object) -> MandateView:
    shown = MandateView(
        id="m0001",
        status="live",
        strategy="orb-15",
        symbols=("NVDA", "AMD", "AVGO"),
        sides=(Side.BUY,),
        max_notional_each=Decimal(5_000),
        max_notional_day=Decimal(20_000),
        max_count=10,
        max_loss_day=Decimal(300),
        until=now + timedelta(hours=2, minutes=14, seconds=5),
        created_at=now - timedelta(hours=1),
        created_by="window",
        note="",
        notional_today=Decimal(12_400),
        notional_left_today=Decimal(7_600),
        count=3,
        count_left=7,
        loss_today=Decimal(120),
        signal_ids=("s000007", "s000004", "s000002"),
        revoked_at=None,
        revoked_by=None,
        last_refusal="s000009: $6,308.40 exceed the $5,000.00 that one entry may have.",
    )
    return replace(shown, **changes)


def standing(now: datetime) -> list[MandateView]:
    """One at work, one that waits to be confirmed, one that has nothing left for today."""
    return [
        mandate(now),
        mandate(
            now, id="m0002", status="unconfirmed", strategy="mean-rev-5", symbols=(), sides=(Side.BUY, Side.SELL),
            max_loss_day=None, loss_today=None, notional_today=Decimal(0), count=0, last_refusal="",
            until=now + timedelta(days=1, hours=2), note="only while I am in the meeting",
        ),
        mandate(
            now, id="m0003", status="used_up", strategy="gap-fade", symbols=("TSLA",), sides=(Side.SELL,),
            notional_today=Decimal(19_870), count=10, count_left=0, loss_today=Decimal(41), last_refusal="",
        ),
    ]  # fmt: skip


class Wall(Protocol):
    def now(self) -> datetime: ...


class SceneMandates:
    def __init__(self, take: Callable[..., Awaitable[None]], clock: Wall) -> None:
        """``take`` keeps what was asked for."""
        self._take = take
        self._clock = clock
        self.shown: list[MandateView] = []

    def views(self, *, everything: bool = False, limit: int = 500) -> list[MandateView]:
        return list(self.shown)

    async def grant(self, wanted: MandateTerms, *, actor: str) -> MandateView:
        await self._take("grant", wanted)
        bounds = msgspec.structs.asdict(wanted)
        del bounds["days"]
        given = mandate(
            self._clock.now(),
            id=f"m{len(self.shown) + 1:04d}",
            notional_today=Decimal(0),
            count=0,
            loss_today=None,
            last_refusal="",
            **bounds,
        )
        self.shown.insert(0, given)
        return given

    async def confirm(self, wanted: str, *, actor: str) -> MandateView:
        await self._take("confirm", wanted)
        self.shown = [replace(one, status="live") if one.id == wanted else one for one in self.shown]
        return next(one for one in self.shown if one.id == wanted)

    async def revoke(self, wanted: str, *, actor: str) -> MandateView:
        await self._take("revoke", wanted)
        revoked = next(one for one in self.shown if one.id == wanted)
        self.shown.remove(revoked)
        return replace(revoked, status="revoked")

    async def revoke_all(self, *, actor: str) -> list[MandateView]:
        await self._take("revoke_all")
        revoked, self.shown = self.shown, []
        return revoked
