"""The gate and the operator's own rules: an answer holds for one order, and no answer is a no."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.words import Intent, Side, Verdict
from engine.pipeline.decide import decide
from engine.rules.facts import UserAnswer, UserFacts, warned
from engine.rules.user import check_user_rules, order_shown
from tests.unit.builders import make_facts, make_signal, replace
from tests.unit.rules.judging import levels, make_case, make_plan, told

EARNINGS = warned("USER_EARNINGS", "Earnings are tomorrow.", "1 d", "2 d")


def answered(**changes: Any) -> UserFacts:
    """About the order of ``make_case()``."""
    answer = UserAnswer(order=order_shown(make_case()), reasons=(EARNINGS,))
    return UserFacts(name="rules.py", broken=None, answers=(replace(answer, **changes),))


def only(case: Any) -> tuple[str, str, str | None, str | None]:
    (reason,) = check_user_rules(case)
    return told(reason)


def test_without_a_file_there_is_no_verdict() -> None:
    assert check_user_rules(make_case()) == []


def test_its_verdicts_stand_as_they_were_given() -> None:
    assert check_user_rules(make_case(user=answered())) == [EARNINGS]


def test_nothing_to_say_is_a_pass_that_shows_that_it_was_asked() -> None:
    assert only(make_case(user=answered(reasons=()))) == ("USER_RULES", "pass", None, None)


def test_a_failure_and_a_broken_file_are_denied_with_their_words() -> None:
    (reason,) = check_user_rules(make_case(user=answered(failed="ValueError: bad (line 3)")))
    assert (reason.code, reason.verdict) == ("USER_RULE_FAILED", Verdict.DENY)
    assert reason.text == "rules.py failed: ValueError: bad (line 3)."
    broken = replace(answered(), broken="SyntaxError: invalid syntax")
    (reason,) = check_user_rules(make_case(user=broken))
    assert (reason.code, reason.verdict) == ("USER_RULE_FAILED", Verdict.DENY)
    assert reason.text == "rules.py cannot be used: SyntaxError: invalid syntax."


@pytest.mark.parametrize(
    "change",
    [
        {"qty": Decimal(11)},
        {"limit_price": Decimal("187.21")},
        {"levels": levels("184.89", "191.80")},
        {"levels": levels("184.90", "191.81")},
        {"extended": True},
        {"trigger_price": Decimal(188)},
    ],
)
def test_an_answer_about_another_order_is_no_answer(change: dict[str, Any]) -> None:
    other = make_case(user=answered(), plan=make_plan(**change))
    assert only(other) == ("USER_RULE_WAIT", "deny", None, None)


def test_what_only_stands_in_counts_where_there_is_nothing_better() -> None:
    exact = answered()
    old = UserAnswer(order=exact.answers[0].order, failed="old")
    assert check_user_rules(make_case(user=replace(exact, stands_in=old))) == [EARNINGS]
    (reason,) = check_user_rules(make_case(user=replace(exact, answers=(), stands_in=old)))
    assert reason.text == "rules.py failed: old."


def test_an_exit_is_never_asked_about() -> None:
    broken = UserFacts(name="rules.py", broken="SyntaxError")
    closing = make_signal(side=Side.SELL, intent=Intent.CLOSE)
    facts = make_facts(position_qty=Decimal(10), user=broken)
    decision = decide(closing, facts)
    assert decision.closes
    assert decision.approvable
    reasons = decision.reasons
    assert not [reason for reason in reasons if reason.code.startswith("USER_")]
