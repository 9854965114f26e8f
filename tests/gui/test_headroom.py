"""Headroom of the prop firm's rules, as a person reads it on the card and in the state bar."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.model.words import Verdict
from engine.views_limits import PropRuleView
from gui.widgets.headroom_meter import headroom_words
from tests.gui.conftest import until
from tests.gui.scenes import replace


def rule(name: str, now: str, after: str | None, **changes: object) -> PropRuleView:
    shown = PropRuleView(
        code=f"PROP_{name.upper().replace(' ', '_')}",
        name=name,
        verdict=Verdict.PASS,
        text=f"{name}: enough is left.",
        unit="usd",
        limit=Decimal(2_000),
        floor=Decimal(48_000),
        headroom_now=Decimal(now),
        headroom_after_stop=Decimal(after) if after is not None else None,
        headroom_after_all_stops=Decimal(after) if after is not None else None,
    )
    return replace(shown, **changes)


async def test_the_card_tells_what_is_left_now_and_after_a_stop_out_the_tightest_rule_first(opened: Any) -> None:
    rules = (
        rule("Maximum drawdown", "1800", "1524"),
        rule("Daily loss", "640", "364", verdict=Verdict.WARN, headroom_after_all_stops=Decimal(120)),
        rule("Profit target", "900", None, floor=None),
    )
    async with opened("busy") as screen:
        (signal, *_) = [each for each in screen.desk.signals() if each.preview is not None and each.id == "s-NVDA"]
        card = screen.find("card-s-NVDA")
        assert screen.find("headroom-1", card).isHidden()
        screen.desk.put(replace(signal, preview=replace(signal.preview, prop_firm=rules)))
        screen.window.signals.choose("s-NVDA")
        await until(lambda: not screen.find("headroom-1", card).isHidden(), timeout_s=8.0)
        told = "Daily loss: $640 left, $364 if stopped out, $120 if all are"
        assert screen.text("headroom-1-words", card) == told
        assert screen.text("headroom-2-words", card) == "Maximum drawdown: $1,800 left, $1,524 if stopped out"


async def test_a_card_with_much_to_say_cuts_no_figure_in_a_narrow_column(opened: Any) -> None:
    async with opened("prop_firm") as screen:
        screen.window.resize(1366, 768)
        screen.window.reset_layout()
        card = screen.find("card-s-NVDA")
        await until(lambda: not screen.find("same-bet", card).isHidden())
        risk = screen.find("risk", card)
        await until(lambda: card.height() >= card.heightForWidth(card.width()))
        assert risk.height() >= risk.sizeHint().height()


async def test_the_state_bar_shows_the_tightest_rule_and_nothing_while_the_mode_is_off(opened: Any) -> None:
    async with opened("busy") as screen:
        meter = screen.find("headroom")
        assert meter.isHidden()
        screen.desk.put(replace(screen.desk.view(), prop_firm=(rule("Daily loss", "640", None),)))
        await until(lambda: screen.text("headroom-words") == "$640 left")
        assert "Daily loss: $640 left" in meter.toolTip()
        assert meter.accessibleName() == "Daily loss: $640 left"
        screen.desk.put(replace(screen.desk.view(), prop_firm=()))
        await until(meter.isHidden)


def test_a_broken_rule_says_that_nothing_is_left() -> None:
    assert headroom_words(rule("Daily loss", "-40", "-40")) == "Daily loss: −$40 left"
