"""The real child process: asked, slow, dead, started again, ended with the desk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.config import UserRules
from engine.user_rules.answers import RulesFailed
from engine.user_rules.process import NoRules, RulesProcess, open_rules

PATIENT = UserRules(user_timeout_ms=5000)
ECHO = """
import os
def check(signal, picture):
    print("never on the protocol")
    return [{"verdict": "pass", "code": "PID", "text": signal["symbol"] + picture["equity"], "measured": os.getpid()}]
"""
BY_SYMBOL = """
import os, time
def check(signal, picture):
    match signal["symbol"]:
        case "LOOP":
            while True: pass
        case "EXIT": raise SystemExit("gone")
        case "DIE": os._exit(3)
        case "BAD": return "yes"
        case "RAISE": return 1 / 0
        case "ENV": return [{"verdict": "warn", "code": "ENV", "text": ",".join(sorted(os.environ))}]
"""


@asynccontextmanager
async def running(folder: Path, source: str, settings: UserRules = PATIENT) -> AsyncIterator[RulesProcess]:
    (folder / "rules.py").write_text(source)
    rules = open_rules(folder, settings, SystemClock())
    assert isinstance(rules, RulesProcess)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(rules.run(), name="rules")
        try:
            yield rules
        finally:
            task.cancel()
            await rules.close()


async def ask(rules: RulesProcess, symbol: str) -> str | None:
    """The text of its one verdict, None when it had nothing to say."""
    answer = await rules.ask({"symbol": symbol}, {"equity": " 100"})
    return answer.verdicts[0].text if answer.verdicts else None


async def answers_again(rules: RulesProcess) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                assert await ask(rules, "FINE") is None
                return
            except RulesFailed:
                await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_is_asked_in_its_own_process_which_ends_with_the_desk(tmp_path: Path) -> None:
    async with running(tmp_path, ECHO) as rules:
        answer = await rules.ask({"symbol": "AAPL"}, {"equity": " 100"})
        (said,) = answer.verdicts
        assert said.text == "AAPL 100"
        pid = int(said.measured or 0)
        assert pid != os.getpid()
        assert is_alive(pid)
        assert rules.sha256 == sha256(ECHO.encode()).hexdigest()
    assert not is_alive(pid)


async def test_questions_asked_at_once_are_each_answered_for_themselves(tmp_path: Path) -> None:
    async with running(tmp_path, ECHO) as rules:
        symbols = [f"S{n}" for n in range(50)]
        assert await asyncio.gather(*(ask(rules, symbol) for symbol in symbols)) == [f"{s} 100" for s in symbols]


@pytest.mark.parametrize(
    ("symbol", "why"),
    [
        ("RAISE", r"ZeroDivisionError: division by zero \(line 10\)"),
        ("EXIT", r"SystemExit: gone \(line 7\)"),
        ("BAD", r"check\(\) returned a str: allowed are None or a list of verdicts"),
    ],
)
async def test_a_failure_is_told_and_the_next_question_is_answered(tmp_path: Path, symbol: str, why: str) -> None:
    async with running(tmp_path, BY_SYMBOL) as rules:
        with pytest.raises(RulesFailed, match=why):
            await ask(rules, symbol)
        assert await ask(rules, "FINE") is None


async def test_an_endless_loop_is_ended_and_a_new_process_takes_its_place(tmp_path: Path) -> None:
    async with running(tmp_path, BY_SYMBOL, UserRules(user_timeout_ms=200)) as rules:
        await answers_again(rules)
        with pytest.raises(RulesFailed, match="did not answer within 200 ms"):
            await ask(rules, "LOOP")
        with pytest.raises(RulesFailed, match="did not answer within 200 ms"):
            await ask(rules, "FINE")  # at once: it is told why nobody answers
        await answers_again(rules)


async def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    async with running(tmp_path, BY_SYMBOL) as rules:
        with pytest.raises(RulesFailed, match="its process ended"):
            await ask(rules, "DIE")
        await answers_again(rules)


async def test_keys_and_tokens_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APCA_API_SECRET_KEY", "secret")
    monkeypatch.setenv("GREENLIGHT_API_TOKEN", "secret")
    async with running(tmp_path, BY_SYMBOL) as rules:
        names = await ask(rules, "ENV")
        assert names is not None
        assert "PATH" in names
        assert "APCA" not in names
        assert "GREENLIGHT" not in names


async def test_a_broken_file_is_told_once_and_for_all(tmp_path: Path) -> None:
    async with running(tmp_path, "def check(:") as rules:
        for _ in range(2):
            with pytest.raises(RulesFailed, match="SyntaxError"):
                await ask(rules, "AAPL")
        assert rules.broken is not None


async def test_what_is_hashed_is_what_runs_also_after_a_restart(tmp_path: Path) -> None:
    """The file is read once: changing it under a running desk changes nothing."""
    async with running(tmp_path, BY_SYMBOL) as rules:
        await answers_again(rules)
        (tmp_path / "rules.py").write_text("def check(signal, picture): return 3")
        with pytest.raises(RulesFailed):
            await ask(rules, "DIE")
        await answers_again(rules)


@pytest.mark.parametrize("name", ["rules.py", ""])
def test_without_a_file_there_are_no_rules(tmp_path: Path, name: str) -> None:
    assert open_rules(tmp_path, UserRules(user_file=name), SystemClock()) is None


def test_a_file_that_is_asked_for_by_name_and_missing_is_no_pass(tmp_path: Path) -> None:
    rules = open_rules(tmp_path, UserRules(user_file="mine.py"), SystemClock())
    assert isinstance(rules, NoRules)
    assert rules.broken is not None
    assert "cannot be read" in rules.broken
