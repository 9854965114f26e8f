"""The operator's own rules, as far as they have answered. Asking them is the desk's work (``user_rules/``)."""

from __future__ import annotations

from engine.model.signal import Reason
from engine.rules.facts import Case, OrderShown, denied, passed


def order_shown(case: Case) -> OrderShown:
    plan = case.plan
    return OrderShown(
        symbol=case.signal.symbol,
        side=case.signal.side.value,
        qty=plan.qty,
        limit_price=plan.limit_price,
        stop_price=plan.levels.stop_price,
        take_profit_price=plan.levels.take_profit_price,
        targets=plan.targets,
        trigger_price=plan.trigger_price,
        extended=plan.extended,
    )


def check_user_rules(case: Case) -> list[Reason]:
    """Their verdicts about this very order. No answer is a no, whatever the reason; without a file there is nothing."""
    known = case.facts.user
    if known is None:
        return []
    if known.broken is not None:
        return [denied("USER_RULE_FAILED", f"{known.name} cannot be used: {known.broken}.")]
    order = order_shown(case)
    answer = next((one for one in known.answers if one.order == order), known.stands_in)
    if answer is None:
        return [denied("USER_RULE_WAIT", f"{known.name} has not answered about this order yet.")]
    if answer.failed is not None:
        return [denied("USER_RULE_FAILED", f"{known.name} failed: {answer.failed}.")]
    return list(answer.reasons) or [passed("USER_RULES", f"{known.name} has nothing against it.")]
