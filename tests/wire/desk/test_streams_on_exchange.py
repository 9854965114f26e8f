"""The two streams and what takes their place: a taken slot, polling, a mute line, too few slots, unreadable rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from engine import feeds
from engine.errors import CommandRefused
from engine.model.incident import Priority
from engine.model.words import DeskState
from engine.trip_wire import RELEASE
from tests.wire.desk.virtual_rig import BROKER, PORT, Scene, play


@asynccontextmanager
async def another_program() -> AsyncIterator[None]:
    """Holds the account's one order stream for as long as the block runs."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://{BROKER}:{PORT}/stream") as socket,
    ):
        await socket.send_json({"action": "authenticate", "data": {"key_id": "SIM", "secret_key": "simulated"}})
        assert json.loads((await socket.receive()).data)["data"]["status"] == "authorized"
        await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
        reader = asyncio.create_task(_forget(socket), name="another program")
        try:
            yield
        finally:
            await socket.close()
            await reader


async def _forget(socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
    async for _ in socket:
        pass


def test_a_taken_slot_is_named_polled_at_a_person_s_word_and_left_by_itself(tmp_path: Path) -> None:
    async def scene(told: Scene) -> None:
        desk = told.desk
        bracket_id = await told.approved(told.signal(resting=True))
        entry = desk.bracket(bracket_id).legs.entry
        assert entry is not None
        await told.until(lambda: desk.order(entry.id).status.value == "new")
        await told.ask("POST", "/_exchange/streams/cut")
        async with another_program():
            await told.until(lambda: desk.incidents())
            (incident,) = desk.incidents()
            assert "stream slot taken (our old connection or another program)" in incident.cause
            assert (incident.priority, incident.buttons) == (Priority.SOON, ())
            assert desk.health().stream == "down"

            # By then the desk has also tripped: the stream has been down for too long.
            await told.until(lambda: any("poll" in found.buttons for found in desk.incidents()), patience_s=300)
            await desk.poll_orders(True, actor="test")
            assert (desk.health().stream, desk.health().status) == ("polling", "degraded")
            await told.clock.sleep(1.0)
            assert any(found.cause.startswith("Orders are polled") for found in desk.incidents())

            await told.ask("POST", f"/_exchange/orders/{desk.order(entry.id).broker_id}/fill", {"qty": "10"})
            filled_at_s = told.clock.monotonic_s()
            await told.until(lambda: desk.bracket(bracket_id).status.value == "protected")
            assert told.clock.monotonic_s() - filled_at_s < 4.0
            await told.until(lambda: desk.positions())

            await desk.receive(told.signal("SPY"))
            with pytest.raises(CommandRefused) as refused:
                await desk.approve(desk.signals()[0].id, actor="test")
            assert "STREAM_DOWN" in {reason.code for reason in refused.value.reasons}

        await told.until(lambda: desk.health().stream == "up")
        # What is left is the trip: only a person takes it back.
        await told.until(lambda: [found.buttons for found in desk.incidents()] == [("show",)], patience_s=120)
        with pytest.raises(CommandRefused) as refused:
            await desk.poll_orders(True, actor="test")
        assert refused.value.code == "STREAM_UP"
        await desk.set_state(DeskState.ACTIVE, actor="test", confirm=RELEASE)
        await told.agree()

    play(tmp_path, scene)


def test_polling_can_be_ended_by_hand(tmp_path: Path) -> None:
    async def scene(told: Scene) -> None:
        await told.ask("POST", "/_exchange/streams/cut")
        async with another_program():
            await told.until(lambda: told.desk.health().stream == "down")
            assert (await told.desk.poll_orders(True, actor="test")).stream == "polling"
            assert (await told.desk.poll_orders(False, actor="test")).stream == "down"

    play(tmp_path, scene)


def test_a_mute_data_stream_is_found_out_and_opened_anew(tmp_path: Path) -> None:
    async def scene(told: Scene) -> None:
        desk = told.desk
        await desk.receive(told.signal())
        await told.until(lambda: (quote := desk.quote("AAPL")) is not None and quote.age_s < 1.0)
        told.proxy.mutes = "/v2/iex"
        await told.until(lambda: "mute about AAPL" in desk.view().quotes.why)
        quote = desk.quote("AAPL")
        assert quote is not None
        assert quote.age_s < feeds.STALE_AFTER_S + feeds.FALLBACK_EVERY_S  # read in batches meanwhile
        told.proxy.mutes = None
        await told.until(lambda: desk.health().quotes == "up")

    play(tmp_path, scene)


def test_symbols_beyond_the_plan_s_slots_are_read_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = ("AAPL", "MSFT", "NVDA", "AMD", "SPY", "QQQ")
    monkeypatch.setattr(feeds, "SLOTS", 3)

    async def scene(told: Scene) -> None:
        desk = told.desk
        for symbol in symbols:
            await desk.receive(told.signal(symbol))
        await told.until(lambda: all(desk.quote(symbol) for symbol in symbols))
        for _ in range(20):
            await told.clock.sleep(1.0)
            ages = [quote.age_s for symbol in symbols if (quote := desk.quote(symbol)) is not None]
            assert len(ages) == len(symbols)
            assert max(ages) < feeds.STALE_AFTER_S + feeds.FALLBACK_EVERY_S + 1.0
        assert desk.health().quotes == "up"

    play(tmp_path, scene, symbols=symbols, stream_symbols_max=3)


@pytest.mark.parametrize("path", ["/v2/positions", "/v2/orders"])
def test_a_row_that_cannot_be_read_is_no_absence_and_locks_the_gate(tmp_path: Path, path: str) -> None:
    mangled = {"/v2/positions": {"qty": "many"}, "/v2/orders": {"status": None}}[path]

    async def scene(told: Scene) -> None:
        desk = told.desk
        bracket_id = await told.protected()
        await told.until(lambda: desk.positions())
        fault = {"do": "mangle", "method": "GET", "path": path, "set": mangled, "count": None}
        await told.ask("POST", "/_exchange/faults", [fault])
        await told.until(lambda: "cannot all be read" in (desk.view().gate_locked_by or ""))
        assert desk.health().start_gate == "locked"
        await told.until(lambda: "gate" in {incident.key for incident in desk._book.incidents.values()})
        assert [position.qty for position in desk.positions()] == [10]
        assert desk.bracket(bracket_id).covered_qty == 10
        await told.ask("DELETE", "/_exchange/faults")
        await told.until(lambda: desk.health().start_gate == "open")
        await told.agree()

    play(tmp_path, scene)
