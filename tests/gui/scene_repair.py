"""What the repair planner says of a trade, made by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import msgspec

from engine.errors import CommandRefused
from engine.model.words import BracketStatus
from engine.views import BracketView, PlansView, PlanView, RequestView

replace = msgspec.structs.replace

DELETE = RequestView(method="DELETE", path="/v2/orders/7bad611f-6add-4bc6-825d-ec2466699a53", body=None)
OCO = RequestView(
    method="POST",
    path="/v2/orders",
    body={
        "client_order_id": "gl-7f3a2c-000001-oco-4", "symbol": "TSLA", "side": "sell", "type": "limit", "qty": "40",
        "time_in_force": "gtc", "order_class": "oco", "take_profit": {"limit_price": "431.20"},
        "stop_loss": {"stop_price": "409.50"},
    },
)  # fmt: skip
CLOSE = RequestView(
    method="POST",
    path="/v2/orders",
    body={
        "client_order_id": "gl-7f3a2c-000001-close-1", "symbol": "TSLA", "side": "sell", "type": "market", "qty": "40",
        "time_in_force": "day", "position_intent": "sell_to_close",
    },
)  # fmt: skip


def sound(bracket_id: str) -> PlansView:
    return PlansView(bracket_id=bracket_id, state="sound", sentence="Every share is covered.", plans=())


def naked(bracket_id: str) -> PlansView:
    """Both exits were rejected: place them, close, or stand back."""
    return PlansView(
        bracket_id=bracket_id,
        state="exits_rejected",
        sentence="The broker rejected both exits after the fill.",
        plans=(
            PlanView(
                id="p1",
                kind="attach_oco",
                sentence="Cancel what still works, wait until it is gone, then place stop and target as one OCO for "
                "40 TSLA.",
                requests=(DELETE, OCO),
                naked_s=0.25,
                worst_loss_usd=Decimal("340.80"),
                if_step_two_fails="The shares stay naked; it is tried again with growing pauses, then the desk watches "
                "the stop itself and calls you.",
            ),
            PlanView(
                id="p2",
                kind="flatten",
                sentence="Close 40 TSLA at the market.",
                requests=(CLOSE,),
                naked_s=0.08,
                worst_loss_usd=Decimal("83.38"),
                if_step_two_fails="A refused close is repeated with growing pauses.",
            ),
            PlanView(
                id="p3",
                kind="run_unprotected",
                sentence="Run 40 TSLA unprotected for 5 minutes.",
                requests=(),
                naked_s=300.0,
                worst_loss_usd=None,
                if_step_two_fails="Nothing is sent; the desk covers again afterwards.",
                confirm="RUN UNPROTECTED",
            ),
        ),
    )


class SceneExits:
    """The door to a trade's exits: what the planner says of broken ones is set, and what is asked for is kept."""

    def __init__(
        self,
        take: Callable[..., Awaitable[None]],
        bracket: Callable[[str], BracketView],
        put: Callable[[BracketView], None],
    ) -> None:
        self._take = take
        self._bracket = bracket
        self._put = put
        self.mending: dict[str, PlansView] = {}

    def plans(self, bracket_id: str) -> PlansView:
        self._bracket(bracket_id)
        return self.mending.get(bracket_id) or sound(bracket_id)

    async def repair(
        self, bracket_id: str, *, plan_id: str, actor: str, confirm: str | None = None
    ) -> tuple[BracketView, PlanView]:
        plan = next((plan for plan in self.plans(bracket_id).plans if plan.id == plan_id), None)
        await self._take("repair", bracket_id, plan_id, confirm)
        if plan is None:
            raise CommandRefused("PLAN_STALE", "It has changed since that plan was shown.")
        self.mending.pop(bracket_id)
        bracket = replace(self._bracket(bracket_id), status=BracketStatus.REPAIRING)
        self._put(bracket)
        return bracket, plan

    async def protect_again(self, bracket_id: str, *, actor: str) -> BracketView:
        await self._take("protect_again", bracket_id)
        return self._bracket(bracket_id)

    async def move(
        self,
        bracket_id: str,
        *,
        actor: str,
        stop_price: Decimal | None = None,
        take_profit_price: Decimal | None = None,
    ) -> BracketView:
        await self._take("move", bracket_id, stop_price, take_profit_price)
        return self._put_wanted(bracket_id, stop_price, take_profit_price)

    async def break_even(self, bracket_id: str, *, actor: str) -> BracketView:
        await self._take("break_even", bracket_id)
        return self._put_wanted(bracket_id, self._bracket(bracket_id).entry_price, None)

    def _put_wanted(self, bracket_id: str, stop: Decimal | None, target: Decimal | None) -> BracketView:
        """Asked for, and not confirmed by the broker yet."""
        moved = replace(self._bracket(bracket_id), wanted_stop_price=stop, wanted_take_profit_price=target)
        self._put(moved)
        return moved
