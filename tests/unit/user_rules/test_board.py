"""Who is asked when: claims wait for an answer about the desk as it is, previews for nothing."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from engine.pipeline.decide import Decision, decide
from engine.rules.facts import Facts
from engine.user_rules.answers import Answer, RulesFailed, Said
from engine.user_rules.board import UserRulesBoard
from tests.unit.builders import make_facts, make_signal, replace
from tests.unit.desk.desk_parts import HandClock
from tests.unit.rules.judging import exposure

SIGNAL = make_signal()


class Stub:
    """Answers what the test says, and remembers what it was asked."""

    name, sha256, broken = "rules.py", "abc", None

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.says: Said | None = None
        self.fails: str | None = None
        self.meanwhile = lambda: None

    async def ask(self, signal: dict[str, Any], picture: dict[str, Any]) -> Answer:
        self.asked.append((signal, picture))
        await asyncio.sleep(0)
        self.meanwhile()
        if self.fails is not None:
            raise RulesFailed(self.fails)
        return Answer(verdicts=() if self.says is None else (self.says,))

    async def run(self) -> None: ...

    async def close(self) -> None: ...


class Scene:
    def __init__(self) -> None:
        self.rules, self.clock = Stub(), HandClock()
        self.told: list[str] = []
        self.board = UserRulesBoard(self.rules, self.clock, self.told.append)
        self.changes: dict[str, Any] = {}

    def facts(self) -> Facts:
        return make_facts(user=self.board.facts(SIGNAL.id), **self.changes)

    def look(self) -> Decision:
        return decide(SIGNAL, self.facts())

    async def asked(self) -> list[tuple[str, str]]:
        """Claims; returns the codes of the operator's rules, with their verdicts."""
        await self.board.ask(SIGNAL.id, self.look)
        return own(self.look())


def own(decision: Decision) -> list[tuple[str, str]]:
    return [(r.code, r.verdict.value) for r in decision.reasons if r.code.startswith("USER_")]


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_a_claim_is_judged_by_a_fresh_answer(scene: Scene) -> None:
    assert own(scene.look()) == [("USER_RULE_WAIT", "deny")]
    assert await scene.asked() == [("USER_RULES", "pass")]
    scene.rules.says = Said(verdict="deny", code="MOOD", text="No.")
    assert await scene.asked() == [("USER_MOOD", "deny")]
    scene.rules.fails = "ValueError: bad"
    assert await scene.asked() == [("USER_RULE_FAILED", "deny")]


async def test_it_is_shown_the_order_that_would_be_sent_and_the_desk_around_it(scene: Scene) -> None:
    scene.changes = {"exposures": (exposure("MSFT", 5000),), "orders_today": 3}
    await scene.asked()
    ((signal, picture),) = scene.rules.asked
    # 10 x 187.20 = 1,872.00; (187.20 - 184.90) x 10 = 23.00 at risk
    assert (signal["qty"], signal["notional"], signal["risk"]) == ("10", "1872.00", "23.00")
    assert (signal["stop_price"], signal["take_profit_price"], signal["made_at"]) == (
        "184.90",
        "191.80",
        "2026-08-21T14:00:00Z",
    )
    assert picture["positions"] == [{"symbol": "MSFT", "side": "buy", "notional": "5000", "strategy": ""}]
    assert (picture["equity"], picture["buying_power"], picture["orders_today"]) == ("100000", "200000", 3)


async def test_when_the_desk_moves_on_meanwhile_it_is_asked_about_what_is_true_now(scene: Scene) -> None:
    def another_entry() -> None:
        scene.changes = {"exposures": (exposure("MSFT", 5000),)}

    scene.rules.meanwhile = another_entry
    assert await scene.asked() == [("USER_RULES", "pass")]
    assert [len(picture["positions"]) for _, picture in scene.rules.asked] == [0, 1]


async def test_a_desk_that_never_holds_still_is_no_pass(scene: Scene) -> None:
    def another_entry() -> None:
        scene.changes = {"orders_today": scene.changes.get("orders_today", 0) + 1}

    scene.rules.meanwhile = another_entry
    assert await scene.asked() == [("USER_RULE_FAILED", "deny")]
    assert len(scene.rules.asked) == 3


async def test_what_is_denied_anyway_is_not_asked_about(scene: Scene) -> None:
    scene.changes = {"stream_up": False}
    assert await scene.asked() == [("USER_RULE_WAIT", "deny")]
    assert scene.rules.asked == []


async def test_a_preview_shows_the_last_answer_and_a_claim_does_not_take_it(scene: Scene) -> None:
    await scene.asked()
    moved = replace(SIGNAL, size=replace(make_signal().size, value=Decimal(11)))  # type: ignore[type-var]
    assert own(decide(moved, scene.facts())) == [("USER_RULE_WAIT", "deny")]
    assert own(decide(moved, scene.board.for_preview(SIGNAL.id, scene.facts()))) == [("USER_RULES", "pass")]
    scene.clock.at_s += 3.1
    assert own(decide(moved, scene.board.for_preview(SIGNAL.id, scene.facts()))) == [("USER_RULE_WAIT", "deny")]


async def test_previews_are_answered_in_the_background_and_told_when_the_verdict_changes(scene: Scene) -> None:
    async with asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[None]] = []
        scene.board.start(lambda name, work: tasks.append(group.create_task(work, name=name)) or tasks[-1])

        async def look() -> tuple[int, int]:
            """A preview is made; returns how often the file was asked, and how often a change was told, so far."""
            scene.board.want(SIGNAL.id, scene.look())
            for _ in range(20):
                await asyncio.sleep(0)
            return len(scene.rules.asked), len(scene.told)

        assert await look() == (1, 1)
        assert await look() == (1, 1), "the same question within a second"
        scene.clock.at_s += 1.0
        assert await look() == (2, 1), "asked again, and nothing new"
        scene.rules.says = Said(verdict="warn", code="HMM", text="Look twice.")
        scene.changes = {"orders_today": 1}
        assert await look() == (3, 2)
        for task in tasks:
            task.cancel()
