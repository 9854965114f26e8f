"""What a trade's row tells of exits that are not plain: followed, in parts, watched, refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.follow import Trail
from engine.model.targets import TargetPart
from engine.views import WatchView
from tests.gui import scenery as make
from tests.gui.conftest import until
from tests.gui.scenes import replace

WATCH = WatchView(
    stop_price=Decimal("184.90"),
    take_profit_price=None,
    since=make.ago(60),
    why="the broker refuses stops in extended hours",
    heartbeat_at=make.ago(0.4),
    heartbeat_age_s=0.4,
    prints=0,
)
PARTS = tuple(TargetPart(price=Decimal(price), qty=Decimal(50)) for price in ("190.00", "191.80"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trail": Trail(unit="percent", value=Decimal(2))}, "bracket · trails 2 %"),
        ({"targets": PARTS}, "bracket · 2 targets"),
        ({"watch": WATCH}, "desk watches · quote 0.4 s"),
        ({"watch": replace(WATCH, heartbeat_age_s=None)}, "desk watches · no quote yet"),
        ({"move_refused": "the stop would trigger at once"}, "move refused: the stop would trigger at once"),
    ],
)
async def test_the_plan_tells_who_keeps_the_exits_and_how(opened: Any, changes: dict[str, Any], words: str) -> None:
    async with opened("busy") as screen:
        screen.desk.put(replace(screen.desk.bracket("b-AAPL"), **changes))
        await until(lambda: words in screen.row("bracket-table", "b-AAPL"))


async def test_live_mandates_are_counted_in_the_state_bar(opened: Any) -> None:
    async with opened("busy") as screen:
        assert screen.find("mandates").isHidden()
        screen.desk.put(replace(screen.desk.view(), mandates=1))
        await until(lambda: screen.text("mandates") == "Auto: 1 mandate")
        assert screen.find("mandates").isVisible()
        screen.desk.put(replace(screen.desk.view(), mandates=0))
        await until(lambda: screen.find("mandates").isHidden())


async def test_reprice_stands_beside_its_incident_and_asks_the_desk(opened: Any) -> None:
    async with opened("busy") as screen:
        split = make.incident(
            "i-split", 1, "AAPL splits 2 for 1 tomorrow", "The broker leaves the exits as they are.", "Reprice.",
            subject_kind="bracket", subject_id="b-AAPL", symbol="AAPL", buttons=("reprice", "flatten"),
        )  # fmt: skip
        screen.desk.put(split)
        await until(lambda: "i-split" in {row.id for row in screen.window.incidents.model.rows()})
        screen.click_row("incident-list", "i-split", "reprice")
        assert await screen.commands() == [("reprice_bracket", "b-AAPL")]


async def test_an_unprotected_run_is_ended_from_its_incident(opened: Any) -> None:
    async with opened("busy") as screen:
        bare = make.incident(
            "i-bare", 1, "AAPL runs unprotected", "100 shares have no stop.", "End it earlier with Protect.",
            subject_kind="bracket", subject_id="b-AAPL", symbol="AAPL", buttons=("protect", "flatten"),
        )  # fmt: skip
        screen.desk.put(bare)
        await until(lambda: "i-bare" in {row.id for row in screen.window.incidents.model.rows()})
        screen.click_row("incident-list", "i-bare", "protect")
        assert await screen.commands() == [("protect_again", "b-AAPL")]
