"""Answers of the operator's file, read strictly: what is not plainly a verdict counts as a failure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.model.signal import Reason
from engine.model.words import Verdict
from engine.user_rules.answers import RulesFailed, read_answer, reasons_of

GOOD = {"verdict": "warn", "code": "EARNINGS", "text": "Earnings are tomorrow.", "measured": "1 d", "limit": "2 d"}


def line(*verdicts: Any, **more: Any) -> bytes:
    return json.dumps({"id": 7, "verdicts": verdicts, **more}).encode() + b"\n"


def test_a_verdict_becomes_a_reason_whose_code_none_of_the_gates_can_have() -> None:
    answer = read_answer(line(GOOD))
    assert answer.id == 7
    assert reasons_of(answer) == (
        Reason(code="USER_EARNINGS", text="Earnings are tomorrow.", verdict=Verdict.WARN, measured="1 d", limit="2 d"),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "maybe"},
        {"code": "lower"},
        {"code": ""},
        {"code": "RULE_FAILED"},
        {"text": ""},
        {"text": "x" * 301},
        {"measured": 3},
        {"colour": "red"},
    ],
)
def test_anything_else_is_a_failure_and_never_a_pass(change: dict[str, Any]) -> None:
    with pytest.raises(RulesFailed):
        read_answer(line(GOOD | change))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]\n", b'{"verdicts": 3}\n', line(*[GOOD] * 51)])
def test_a_line_that_is_no_answer_is_a_failure(raw: bytes) -> None:
    with pytest.raises(RulesFailed):
        read_answer(raw)


def test_the_files_own_failure_is_told_in_its_words() -> None:
    with pytest.raises(RulesFailed, match=r"ValueError: bad \(line 3\)"):
        read_answer(b'{"id": 1, "failed": "ValueError: bad (line 3)"}\n')
