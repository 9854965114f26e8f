"""Order tickets made by hand: the form is read by the desk's own rules, the numbers of its preview are set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from engine.errors import CommandRefused
from engine.intake.formats.native import parse_signal
from engine.model.words import Side
from engine.views import PreviewView
from tests.gui import scenery as make

FORM = {"symbol": "NVDA", "size": "120", "stop": "128.90", "target": "136.40"}
"""A form that is filled in as far as it has to be."""


class Now(Protocol):
    def now(self) -> datetime: ...


class SceneTicket:
    def __init__(self, take: Callable[..., Awaitable[None]], clock: Now) -> None:
        self._take = take
        self._clock = clock
        self._number = 0
        self.blocked = ""
        self.wants_reason = False
        """Why nothing may be sent now."""
        self.looked_at: str | None = None

    async def look(self, symbol: str) -> str:
        await self._take("look", symbol)
        self.looked_at = symbol
        return symbol

    def leave(self) -> None:
        self.looked_at = None

    def preview(self, raw: bytes) -> PreviewView:
        draft = parse_signal(raw, source="ticket", received_at=self._clock.now())
        self._number += 1
        qty = draft.size.value if draft.size is not None and draft.size.unit == "qty" else Decimal(25)
        stop = draft.stop_loss.value if draft.stop_loss is not None and draft.stop_loss.unit == "price" else None
        limit = draft.entry.limit_price
        why = self.blocked or ("" if draft.stop_loss is not None else "The signal has no stop.")
        shown = make.preview(
            draft.symbol,
            draft.side,
            str(qty),
            entry=str(limit) if limit is not None else None,
            stop=str(stop or "128.90"),
            target="136.40",
            price="131.44",
            risk="276",
            pct="0.28",
            rr="2.1",
            warns=(("CORRELATION", "Semis cluster 52 % of equity, limit 60 %"),),
            deny=("DENIED", why) if why else None,
            verb="Short" if draft.side is Side.SELL else "Buy",
        )
        return msgspec.structs.replace(shown, preview_id=f"t{self._number}", wants_reason=self.wants_reason)

    async def send(self, raw: bytes, *, preview_id: str, actor: str, reason: str = "") -> str:
        body: dict[str, Any] = msgspec.json.decode(raw)
        await self._take("send", body, preview_id, *((reason,) if reason else ()))
        if self.blocked:
            raise CommandRefused("DENIED", self.blocked)
        return "s-NVDA"
