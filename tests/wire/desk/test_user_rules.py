"""The operator's own rules on a running desk, over HTTP: seen before the click, asked again at it, and never a pass by
accident."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from engine.clock import SystemClock
from engine.desk import Desk
from engine.intake.api import ApiSettings, serve_api
from tests.wire.desk.conftest import Rig, approved, protected, until

PATIENT = {"user_timeout_ms": 5000.0}

BY_SYMBOL = """
from pathlib import Path
def check(signal, picture):
    if Path("no").exists():
        return [{"verdict": "deny", "code": "MOOD", "text": "Not any more."}]
    match signal["symbol"]:
        case "AAPL": return [{"verdict": "pass", "code": "FINE", "text": "Fine.", "measured": signal["qty"]}]
        case "MSFT": return [{"verdict": "warn", "code": "HMM", "text": "Look twice."}]
        case "JPM": return [{"verdict": "deny", "code": "NEVER", "text": "No banks.", "measured": "JPM"}]
        case "NVDA": return {}["mine"]
        case "TSLA":
            while True: pass
"""
ONE_AT_A_TIME = """
def check(signal, picture):
    if picture["positions"]:
        return [{"verdict": "deny", "code": "ONE", "text": "One at a time.", "measured": len(picture["positions"])}]
"""


class Door:
    """The operator API, as a script would use it."""

    def __init__(self, session: aiohttp.ClientSession, url: str, desk: Desk) -> None:
        self.session, self.url, self.desk = session, url, desk

    async def call(self, method: str, path: str, body: Any = None, raw: bytes | None = None) -> tuple[int, Any]:
        async with self.session.request(method, f"{self.url}/v1{path}", json=body, data=raw) as answer:
            return answer.status, await answer.json()

    async def signal(self, raw: bytes) -> str:
        """Sends one; returns its id when the rules have answered about it."""
        status, told = await self.call("POST", "/signals", raw=raw)
        assert status == 202, told
        signal_id = str(told["id"])
        async with asyncio.timeout(10):
            while True:
                _, preview = await self.call("GET", f"/signals/{signal_id}/preview")
                codes = {verdict["code"] for verdict in preview["verdicts"] if verdict["verdict"] == "deny"}
                if not codes & {"USER_RULE_WAIT", "NO_QUOTE", "START_GATE", "ASSET"}:
                    return signal_id
                await asyncio.sleep(0.02)

    async def verdicts(self, signal_id: str) -> dict[str, tuple[str, str, str | None]]:
        """Of the operator's rules, as the preview shows them."""
        _, preview = await self.call("GET", f"/signals/{signal_id}/preview")
        return {
            one["code"]: (one["verdict"], one["text"], one["measured"])
            for one in preview["verdicts"]
            if one["code"].startswith("USER_")
        }

    async def approve(self, signal_id: str, **body: Any) -> tuple[int, str | None, list[dict[str, Any]]]:
        status, told = await self.call("POST", f"/signals/{signal_id}/approve", body)
        return status, told.get("error", {}).get("code"), told.get("error", {}).get("reasons", [])


@asynccontextmanager
async def door(rig: Rig, tmp_path: Path, source: str | None, **config: Any) -> AsyncIterator[Door]:
    if source is not None:
        (rig.folder.parent / "rules.py").write_text(source)
    settings = ApiSettings(port=0, data_dir=tmp_path, token_override="token")
    async with (
        rig.desk(**({"rules": PATIENT} | config)) as desk,
        serve_api(desk, settings, SystemClock()) as server,
        aiohttp.ClientSession(headers={"Authorization": "Bearer token"}) as session,
    ):
        yield Door(session, server.url, desk)


async def test_what_passes_or_warns_is_shown_and_sent(rig: Rig, tmp_path: Path) -> None:
    async with door(rig, tmp_path, BY_SYMBOL) as api:
        fine, hmm, silent = [await api.signal(rig.signal(symbol, qty=5)) for symbol in ("AAPL", "MSFT", "XOM")]
        assert await api.verdicts(fine) == {"USER_FINE": ("pass", "Fine.", "5")}
        assert await api.verdicts(hmm) == {"USER_HMM": ("warn", "Look twice.", None)}
        assert await api.verdicts(silent) == {"USER_RULES": ("pass", "rules.py has nothing against it.", None)}
        for signal_id in (fine, hmm, silent):
            assert await api.approve(signal_id) == (202, None, [])
        await until(lambda: len(api.desk.brackets()) == 3)
        await until(lambda: all(bracket.status.value == "protected" for bracket in api.desk.brackets()))
        assert len(await rig.entries()) == 3
        assert any("rules.py" in line.text for line in api.desk.activity())


async def test_a_no_and_a_crash_are_denied_by_name(rig: Rig, tmp_path: Path) -> None:
    async with door(rig, tmp_path, BY_SYMBOL) as api:
        never, crash = await api.signal(rig.signal("JPM")), await api.signal(rig.signal("NVDA", qty=2))
        status, code, reasons = await api.approve(never)
        assert (status, code, reasons[0]["code"], reasons[0]["text"]) == (409, "DENIED", "USER_NEVER", "No banks.")
        status, code, reasons = await api.approve(crash)
        assert (status, code, reasons[0]["code"]) == (409, "DENIED", "USER_RULE_FAILED")
        assert reasons[0]["text"] == "rules.py failed: KeyError: 'mine' (line 10)."
        assert await rig.orders() == []


async def test_an_endless_loop_is_denied_and_stops_neither_the_desk_nor_the_next_one(rig: Rig, tmp_path: Path) -> None:
    async with door(rig, tmp_path, BY_SYMBOL, rules={"user_timeout_ms": 300.0}) as api:
        slow = await api.signal(rig.signal("TSLA", qty=2))
        status, code, reasons = await api.approve(slow)
        assert (status, code, reasons[0]["code"]) == (409, "DENIED", "USER_RULE_FAILED")
        assert (await api.call("POST", f"/signals/{slow}/reject", {"reason": "loops"}))[0] == 200
        fine = await api.signal(rig.signal("AAPL"))
        async with asyncio.timeout(10):
            while (await api.approve(fine))[0] != 202:  # as soon as the new process stands
                await asyncio.sleep(0.05)
        await until(lambda: api.desk.brackets() and api.desk.brackets()[0].status.value == "protected")


async def test_a_broken_file_stops_entries_and_never_the_desk_or_an_exit(rig: Rig, tmp_path: Path) -> None:
    async with rig.desk() as desk:
        await protected(desk, rig.signal("AAPL"))
        await protected(desk, rig.signal("MSFT"))
    async with door(rig, tmp_path, "def check(signal, picture:\n") as api:
        entry = await api.signal(rig.signal("JPM"))
        status, code, reasons = await api.approve(entry)
        assert (status, code, reasons[0]["code"]) == (409, "DENIED", "USER_RULE_FAILED")
        assert "SyntaxError" in reasons[0]["text"]
        await until(lambda: [i for i in api.desk.incidents() if "Your own rules" in i.cause])
        closing = rig.signal("AAPL", side="sell", intent="close")
        status, told = await api.call("POST", "/signals", raw=closing)
        assert status == 202
        assert await api.approve(told["id"]) == (202, None, [])
        assert (await api.call("POST", "/flatten", {"symbol": "MSFT"}))[0] == 202
        await until(lambda: not api.desk.brackets())
        assert await rig.positions() == []


async def test_the_rules_are_asked_again_at_the_click_and_once_more_before_the_wire(rig: Rig, tmp_path: Path) -> None:
    marker = rig.folder.parent / "no"
    async with door(rig, tmp_path, BY_SYMBOL, approval={"undo_s": 0.4}) as api:
        first, second = await api.signal(rig.signal("AAPL")), await api.signal(rig.signal("MSFT"))
        _, shown = await api.call("GET", f"/signals/{first}/preview")
        marker.touch()
        status, code, reasons = await api.approve(first, preview_id=shown["preview_id"])
        assert (status, code, reasons[0]["code"]) == (409, "CHANGED_SINCE_SHOWN", "USER_MOOD")
        marker.unlink()
        assert (await api.approve(second))[0] == 202
        marker.touch()  # between the yes and the sending
        await until(lambda: api.desk.signal(second).status.value == "denied")
        assert api.desk.signal(second).reasons[0].code == "USER_MOOD"
        assert await rig.orders() == []


async def test_entries_approved_at_once_are_asked_about_one_after_the_other(rig: Rig, tmp_path: Path) -> None:
    """Each question counts what was approved before it: a rule of the operator's is a joint limit too."""
    async with door(rig, tmp_path, ONE_AT_A_TIME) as api:
        ids = [await api.signal(rig.signal(symbol, qty=3)) for symbol in ("AAPL", "MSFT", "JPM", "NVDA", "XOM")]
        answers = await asyncio.gather(*(api.approve(signal_id) for signal_id in ids))
        assert sorted(status for status, _, _ in answers) == [202, 409, 409, 409, 409]
        assert {reasons[0]["code"] for status, _, reasons in answers if status == 409} == {"USER_ONE"}
        await until(lambda: api.desk.brackets() and api.desk.brackets()[0].status.value == "protected")
        assert len(await rig.entries()) == 1


async def test_without_a_file_nothing_is_asked(rig: Rig, tmp_path: Path) -> None:
    async with door(rig, tmp_path, None) as api:
        await approved(api.desk, rig.signal("AAPL"))
        await until(lambda: api.desk.brackets() and api.desk.brackets()[0].status.value == "protected")
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("user-rules")]
