"""Entries before the open: a limit alone, its stop watched by the desk, its exits attached at the open."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.wire.desk.conftest import Rig, approved, rig_at, until

NEW_YORK = ZoneInfo("America/New_York")
EARLY = datetime(2026, 11, 24, 8, 0, tzinfo=NEW_YORK)
"""A Tuesday."""
JUST_BEFORE_OPEN = datetime(2026, 11, 24, 9, 29, 56, tzinfo=NEW_YORK)
EXTENDED = {"session": {"entries": "extended"}}


def limit_now(rig: Rig, qty: int = 10) -> bytes:
    """Marketable by a tenth of a percent."""
    limit = round(rig.price("AAPL") * Decimal("1.001"), 2)
    return rig.signal(qty=qty, entry={"type": "limit", "limit_price": str(limit)})


async def test_a_limit_in_extended_hours_is_watched_and_shown_as_uncovered(tmp_path: Path) -> None:
    async with rig_at(tmp_path, EARLY) as rig:
        async with rig.desk(**EXTENDED) as desk:
            view, _ = await desk.receive(limit_now(rig))
            await until(lambda: desk.quote("AAPL"))
            preview = desk.preview(view.id)
            (request,) = preview.requests
            assert (request.body["type"], request.body["extended_hours"]) == ("limit", True)
            assert "order_class" not in request.body
            assert "stop watched by the desk" in preview.sentence
            await desk.approve(view.id, actor="test", preview_id=preview.preview_id)
            await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "watched")
            (bracket,) = desk.brackets()
            assert (bracket.held_qty, bracket.covered_qty, bracket.naked_qty) == (10, 0, 10)
        async with rig.desk(**EXTENDED) as desk:
            assert desk.bracket(bracket.id).status.value == "watched"
            assert bracket.stop_price is not None
            for step in (1, 2):
                rig.exchange.exchange.move_price("AAPL", bracket.stop_price - Decimal("0.20") * step)
                await until(lambda: desk.quote("AAPL"))
            await until(lambda: desk.bracket(bracket.id).status.value == "closed", patience_s=20)
            assert await rig.positions() == []


async def test_a_market_entry_is_denied_in_extended_hours(tmp_path: Path) -> None:
    async with rig_at(tmp_path, EARLY) as rig, rig.desk(**EXTENDED) as desk:
        view, _ = await desk.receive(rig.signal())
        await until(lambda: desk.quote("AAPL"))
        assert "EXTENDED_LIMIT" in {reason.code for reason in desk.preview(view.id).verdicts}


async def test_the_exits_are_attached_when_the_core_session_opens(tmp_path: Path) -> None:
    async with rig_at(tmp_path, JUST_BEFORE_OPEN) as rig, rig.desk(**EXTENDED) as desk:
        bracket_id = await approved(desk, limit_now(rig))
        await until(lambda: desk.bracket(bracket_id).status.value == "watched")
        await until(lambda: desk.bracket(bracket_id).status.value == "protected", patience_s=20)
        opened = desk.bracket(bracket_id)
        assert (opened.plan, opened.covered_qty) == ("oco", 10)
