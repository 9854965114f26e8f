"""The example that comes along, and the one of the manual: both do what they say."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from engine.pipeline.decide import decide
from engine.user_rules.child import frozen, load, verdicts
from engine.user_rules.inputs import picture_of, signal_of
from tests.architecture.sources import ROOT
from tests.unit.builders import make_facts, make_signal, replace
from tests.unit.rules.judging import exposure

EXAMPLE = ROOT / "resources" / "user_rules" / "rules.py"
MANUAL = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
SNIPPET = re.search(r"```python\n(.*?)```", MANUAL, re.DOTALL)


def asked(source: str, symbol: str = "AAPL", **facts: Any) -> list[tuple[str | None, str | None, str | None]]:
    """Verdict, code and measured of each."""
    decision = decide(make_signal(symbol=symbol), make_facts(**facts))
    check = load(source, "rules.py")
    said = verdicts(check(frozen(signal_of(decision)), frozen(picture_of(decision))))
    return [(one["verdict"], one["code"], one.get("measured")) for one in said]


def test_the_example_denies_what_it_names_and_measures_the_stop_by_the_range() -> None:
    source = EXAMPLE.read_text(encoding="utf-8")
    # The stop is 187.20 - 184.90 = 2.30 away: 0.66 of a range of 3.50, 0.46 of one of 5.00.
    assert asked(source, average_true_range=Decimal("3.50")) == [("pass", "NOISE", "0.66")]
    assert asked(source, average_true_range=Decimal("5.00")) == [("warn", "NOISE", "0.46")]
    assert asked(source) == [("warn", "NOISE", None)]
    assert asked(source, "GME", average_true_range=Decimal("3.50"))[0] == ("deny", "NOT_THIS_ONE", "GME")
    three = tuple(replace(exposure(symbol, 1), strategy="breakout") for symbol in ("A", "B", "C"))
    assert asked(source, exposures=three)[-1] == ("deny", "BUSY", "3")


def test_the_snippet_of_the_manual_works() -> None:
    assert SNIPPET is not None
    much = (replace(exposure("MSFT", 20_001), strategy="breakout"),)
    assert asked(SNIPPET[1]) == []
    assert asked(SNIPPET[1], "GME") == [("deny", "MEME", "GME")]
    assert asked(SNIPPET[1], exposures=much) == [("warn", "BUSY", "1")]


def test_the_manual_names_all_that_the_file_is_shown_and_nothing_else() -> None:
    part = MANUAL.split("## Do your own rules agree?")[1].split("\n- The file")[0]
    named = {key for row in re.findall(r"^\| (`.*?`) \|", part, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)}
    decision = decide(make_signal(), make_facts())
    assert named == signal_of(decision).keys() | picture_of(decision).keys()
