"""A yes although a rule warns: with ``[approval] reason_over_warnings`` a person says why, and it is recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.desk import Desk
from engine.errors import CommandRefused
from tests.wire.desk.trading_day import Day, play

EARLY = datetime(2026, 8, 20, 12, 0, tzinfo=UTC)
"""Eight o'clock in New York: the gate warns that entry and exits wait for the open."""
CONFIG: dict[str, Any] = {"approval": {"reason_over_warnings": True}, "session": {"entries": "extended"}}


async def proposed(day: Day, desk: Desk) -> str:
    limit = round(day.price() * 95 / 100, 2)
    raw = day.signal(
        entry={"type": "limit", "limit_price": str(limit)},
        stop_loss={"stop_price": str(round(limit * 95 / 100, 2))},
    )
    view, _ = await desk.receive(raw)
    await day.until(lambda: desk.quote("AAPL"))
    return view.id


def test_without_a_reason_it_stays_pending_and_the_warnings_come_first(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            signal_id = await proposed(day, desk)
            preview = desk.preview(signal_id)
            assert (preview.approvable, preview.wants_reason) == (True, True)
            for lacking in ("", "  "):
                with pytest.raises(CommandRefused) as refused:
                    await desk.approve(signal_id, actor="ann", preview_id=preview.preview_id, reason=lacking)
                assert (refused.value.code, refused.value.field) == ("REASON_REQUIRED", "reason")
                assert refused.value.reasons[0].verdict.value == "warn"
            assert desk.signal(signal_id).status.value == "pending"
            await desk.approve(signal_id, actor="ann", preview_id=preview.preview_id, reason=" earnings are out ")
            assert desk.signal(signal_id).approve_reason == "earnings are out"
            await day.until(lambda: any(order.broker_id for order in desk.orders()))
            said = [line.text for line in desk.activity() if "approved by ann" in line.text]
            assert said[0].endswith("although a rule warns · earnings are out")
        async with day.desk() as desk:
            assert desk.signal(signal_id).approve_reason == "earnings are out", "it is in the journal"

    play(tmp_path, scene, begins=EARLY, config=CONFIG)


def test_one_reason_is_said_for_a_batch(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            signal_id = await proposed(day, desk)
            (refused,) = await desk.approve_batch([signal_id], actor="ann")
            assert (refused.done, refused.code) == (False, "REASON_REQUIRED")
            (done,) = await desk.approve_batch([signal_id], actor="ann", reason="all before the open")
            assert done.done
            assert desk.signal(signal_id).approve_reason == "all before the open"

    play(tmp_path, scene, begins=EARLY, config=CONFIG)


def test_a_ticket_wants_it_too(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            await desk.ticket.look("AAPL")
            limit = round(day.price() * 95 / 100, 2)
            form = json.loads(
                day.signal(
                    entry={"type": "limit", "limit_price": str(limit)},
                    stop_loss={"stop_price": str(round(limit * 95 / 100, 2))},
                )
            )
            raw = json.dumps(form | {"source": "ticket"}).encode()
            shown = desk.ticket.preview(raw)
            assert shown.wants_reason
            sent = await desk.ticket.send(raw, preview_id=shown.preview_id, actor="window", reason="by hand")
            assert desk.signal(sent).approve_reason == "by hand"

    play(tmp_path, scene, begins=EARLY, config=CONFIG)


@pytest.mark.parametrize("is_on", [True, False])
def test_nothing_is_asked_where_no_rule_warns_or_nobody_wants_it(tmp_path: Path, is_on: bool) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            view, _ = await desk.receive(day.signal()) if is_on else (desk.signal(await proposed(day, desk)), False)
            await day.until(lambda: desk.quote("AAPL"))
            assert not desk.preview(view.id).wants_reason
            await desk.approve(view.id, actor="ann")
            assert desk.signal(view.id).approve_reason == ""

    begins = datetime(2026, 8, 20, 14, 0, tzinfo=UTC) if is_on else EARLY
    play(tmp_path, scene, begins=begins, config=CONFIG if is_on else CONFIG | {"approval": {}})
