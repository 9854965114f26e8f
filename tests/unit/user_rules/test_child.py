"""The program in the child process: what it loads, what it hands on, and how it tells of a failure."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType

import pytest

from engine.user_rules.child import frozen, load, told, verdicts


def test_what_the_file_is_shown_cannot_be_changed() -> None:
    shown = frozen({"a": "1", "list": [{"b": "2"}]})
    assert isinstance(shown, MappingProxyType)
    assert shown["list"][0]["b"] == "2"
    for change in (lambda: shown.__setitem__("a", "2"), lambda: shown["list"].append(1)):
        with pytest.raises((TypeError, AttributeError)):
            change()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("def check(signal, picture:", "SyntaxError"),
        ("import nothing_like_this", "ModuleNotFoundError: No module named 'nothing_like_this' (line 1)"),
        ("check = 3", "TypeError: there is no function check(signal, picture)"),
        ("\nraise SystemExit('no')", "SystemExit: no (line 2)"),
    ],
)
def test_a_broken_file_says_why_in_one_line(source: str, text: str) -> None:
    with pytest.raises(BaseException) as failed:  # noqa: PT011 - also SystemExit
        load(source, "rules.py")
    assert told(failed.value, "rules.py").startswith(text)
    assert "\n" not in told(failed.value, "rules.py")


def test_a_file_runs_under_its_own_name() -> None:
    assert load("name = __name__\ndef check(signal, picture): return name", "rules.py")({}, {}) == "rules"


def test_numbers_of_a_verdict_become_texts() -> None:
    said = [{"verdict": "deny", "code": "X1", "text": "No.", "measured": 3, "limit": Decimal("2.50")}]
    assert verdicts(said) == [{"verdict": "deny", "code": "X1", "text": "No.", "measured": "3", "limit": "2.50"}]
    assert verdicts(None) == []
    assert verdicts(()) == []


@pytest.mark.parametrize("said", [True, "deny", {"verdict": "deny"}, ["deny"], [{"verdict": "pass", "because": "x"}]])
def test_what_is_no_list_of_verdicts_is_refused(said: object) -> None:
    with pytest.raises(TypeError, match=r"check\(\) returned|a verdict has no because"):
        verdicts(said)
