"""What closing a trade now would send, for a preview: the supervisor's own decision, carried out on paper."""

from __future__ import annotations

import msgspec

from engine.model.words import OrderRole, OrderStatus
from engine.pipeline.protect import plan_close, plan_marketable_target
from engine.protection.case import Cancel, Case, Close, MoveTarget
from engine.protection.flatten import leave
from engine.views import RequestView


def requests_to_leave(case: Case, desk_id: str) -> tuple[RequestView, ...]:
    """In order, as far as they can be known before the first of them is answered. Empty in a closed market.

    A target whose arming the broker has not told yet is waited for by the supervisor, some hundredths of a second after
    the fill; the preview shows what is sent then.
    """
    case = _with_armed_target(case)
    asked = msgspec.structs.replace(case.bracket, exit_requested_at=case.now, exit_reason="closed by the person")
    match leave(msgspec.structs.replace(case, bracket=asked)):
        case MoveTarget(target_id=target_id, limit_price=limit_price):
            target = next(order for order in case.orders if order.id == target_id)
            moved = plan_marketable_target(
                case.bracket, case.orders, target, limit_price, desk_id=desk_id, now=case.now, actor="desk"
            )
            return (RequestView(method="PATCH", path=f"/v2/orders/{target.broker_id}", body=moved.body),)
        case Cancel(order_ids=order_ids):
            gone = {order.id: order for order in case.orders if order.id in order_ids}
            cancels = [RequestView(method="DELETE", path=f"/v2/orders/{o.broker_id}", body={}) for o in gone.values()]
            if case.cover.held == 0 or all(order.role is OrderRole.ENTRY for order in gone.values()):
                return tuple(cancels)
            return (*cancels, _close(case, desk_id))
        case Close():
            return (_close(case, desk_id),)
        case _:
            return ()


def _with_armed_target(case: Case) -> Case:
    target = case.cover.target
    if target is None or target.status is not OrderStatus.HELD or not case.is_armed(target):
        return case
    armed = msgspec.structs.replace(target, status=OrderStatus.NEW)
    orders = tuple(armed if order.id == target.id else order for order in case.orders)
    return msgspec.structs.replace(case, orders=orders, cover=msgspec.structs.replace(case.cover, target=armed))


def _close(case: Case, desk_id: str) -> RequestView:
    intent = plan_close(case.bracket, case.orders, case.cover.held, desk_id=desk_id, now=case.now)
    return RequestView(method="POST", path="/v2/orders", body=intent.body)
