"""Orders that are changed: the replacement is on its way until the test lets the broker answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from engine.model.commands import OrderChange
from engine.model.words import OrderStatus
from engine.views import OrderView

replace = msgspec.structs.replace


class SceneReplacing:
    def __init__(
        self,
        take: Callable[..., Awaitable[None]],
        order: Callable[[str], OrderView],
        put: Callable[..., None],
    ) -> None:
        self._take = take
        self._order = order
        self._put = put

    async def replace(self, order_id: str, change: OrderChange, *, actor: str) -> OrderView:
        await self._take("replace", order_id, change)
        old = self._order(order_id)
        new = replace(
            old,
            id=f"{order_id}.r",
            status=OrderStatus.SENDING,
            qty=change.qty or old.qty,
            limit_price=change.limit_price or old.limit_price,
            stop_price=change.stop_price or old.stop_price,
            can_cancel=False,
        )
        self._put(replace(old, status=OrderStatus.PENDING_REPLACE, can_cancel=False), new)
        return new

    def confirm(self, order_id: str) -> None:
        """The broker has changed it."""
        new = self._order(f"{order_id}.r")
        self._put(replace(self._order(order_id), status=OrderStatus.REPLACED))
        self._put(replace(new, status=OrderStatus.NEW, can_cancel=True))
