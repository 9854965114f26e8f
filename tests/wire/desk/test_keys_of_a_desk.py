"""A desk whose keys are refused says so, and writes neither them nor its token anywhere."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

import aiohttp

from engine.clock import SystemClock
from engine.exchange.server import ExchangeSettings, serve_exchange

ROOT: Final = Path(__file__).parents[3]
MARKS: Final = ("PKMARKEDKEYTHATNOBODYMAYSEE", "marked+secret/that-nobody-may-see", "marked-token-of-the-operator")


async def test_refused_keys_are_told_and_nothing_of_them_is_written_down(tmp_path: Path) -> None:
    key_id, secret, token = MARKS
    folder = tmp_path / "data"
    async with serve_exchange(ExchangeSettings(key="another", secret="pair"), SystemClock()) as exchange:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "main.py",
            "--headless",
            "--broker=paper",
            f"--data-dir={folder}",
            "--api=127.0.0.1:0",
            cwd=ROOT,
            env={
                **os.environ,
                "APCA_API_KEY_ID": key_id,
                "APCA_API_SECRET_KEY": secret,
                "APCA_API_BASE_URL": exchange.url,
                "GREENLIGHT_API_TOKEN": token,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(30):
                ready = (await process.stdout.readline()).decode()
                url = ready.split("api=")[1].split()[0]
                answers = await _until_told(url, token)
        finally:
            process.send_signal(signal.SIGTERM)
            rest, errors = await process.communicate()
    assert process.returncode == 0
    written = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert any(file.name == "journal.db" for file in written)
    assert any(file.suffix == ".log" for file in written)
    for where, content in [*written.items(), ("stdout", ready.encode() + rest), ("stderr", errors), ("api", answers)]:
        for mark in MARKS:
            assert mark.encode() not in content, f"{mark} stands in {where}"


async def _until_told(url: str, token: str) -> bytes:
    """Everything that the API said until its incident told of the keys."""
    said = b""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        while True:
            async with session.get(f"{url}/v1/health") as answer:
                health: dict[str, Any] = await answer.json()
                said += await answer.read()
            async with session.get(f"{url}/v1/incidents") as answer:
                incidents = (await answer.json())["incidents"]
                said += await answer.read()
            told = [incident for incident in incidents if "does not accept the keys" in incident["cause"]]
            if told:
                assert (health["stream"], health["rest"], health["start_gate"]) == ("down", "down", "locked")
                assert "does not reconnect by itself" in told[0]["action"]
                return said
            await asyncio.sleep(0.1)
