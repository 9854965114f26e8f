"""Entries by hand: judged as they are typed, sent as any signal, and gone when they are refused."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.desk import Desk
from engine.errors import CommandRefused, JournalUnavailable
from engine.journal.writer import Journal
from engine.model.mandate import MandateTerms
from engine.model.words import DeskState, Side, SignalStatus, Verdict
from engine.trip_wire import RELEASE
from tests.wire.desk.conftest import Rig, until


def form(rig: Rig, symbol: str = "AAPL", ticket: str = "t1", **changes: Any) -> bytes:
    price = rig.price(symbol)
    body: dict[str, Any] = {
        "id": ticket,
        "strategy": "manual",
        "symbol": symbol,
        "side": "buy",
        "intent": "open",
        "qty": "10",
        "entry": {"type": "market"},
        "stop_loss": {"stop_price": str(round(price * Decimal("0.99"), 2))},
        "take_profit": {"limit_price": str(round(price * Decimal("1.02"), 2))},
    }
    return json.dumps({**body, **changes}).encode()


async def previewed(desk: Desk, raw: bytes) -> str:
    """Id of a preview that may be sent; a ticket's price has to come in first."""
    await until(lambda: desk.ticket.preview(raw).blocked_code is None)
    return desk.ticket.preview(raw).preview_id


async def test_a_ticket_becomes_a_protected_trade(rig: Rig) -> None:
    async with rig.desk() as desk:
        assert await desk.ticket.look(" aapl ") == "AAPL"
        preview_id = await previewed(desk, form(rig))
        assert desk.signals() == [], "a preview records nothing"
        wanted = await desk.ticket.send(form(rig), preview_id=preview_id, actor="window")
        await until(lambda: desk.signal(wanted).bracket_id is not None)
        bracket_id = desk.signal(wanted).bracket_id or ""
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        signal = desk.signal(wanted)
        assert (signal.source, signal.strategy, signal.qty) == ("ticket", "manual", 10)
    (held,) = await rig.positions()
    assert held["qty"] == "10"


async def test_the_preview_shows_the_very_requests_and_every_verdict(rig: Rig) -> None:
    async with rig.desk() as desk:
        await desk.ticket.look("AAPL")
        raw = form(rig)
        await previewed(desk, raw)
        preview = desk.ticket.preview(raw)
        assert [request.path for request in preview.requests] == ["/v2/orders"]
        assert len(preview.verdicts) >= 15
        too_much = desk.ticket.preview(form(rig, qty="1000000"))
        assert too_much.blocked_code == "DENIED"
        assert any(verdict.verdict is Verdict.DENY for verdict in too_much.verdicts)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"qty": "ten"}, "WRONG_TYPE", "qty"),
        ({"qty": "-1"}, "NOT_POSITIVE", "qty"),
        ({"side": "up"}, "UNKNOWN_SIDE", "side"),
        ({"entry": {"type": "limit"}}, "LIMIT_PRICE_REQUIRED", "entry.limit_price"),
        ({"source": "somebody"}, "SOURCE_MISMATCH", "source"),
    ],
)
async def test_a_form_that_is_wrong_is_refused_with_its_field_and_leaves_nothing(
    rig: Rig, changes: dict[str, Any], code: str, field: str
) -> None:
    async with rig.desk() as desk:
        await desk.ticket.look("AAPL")
        with pytest.raises(CommandRefused) as refused:
            desk.ticket.preview(form(rig, **changes))
        assert (refused.value.code, refused.value.field) == (code, field)
        assert desk.signals() == []


async def test_a_stop_on_the_wrong_side_or_none_cannot_be_sent(rig: Rig) -> None:
    async with rig.desk() as desk:
        await desk.ticket.look("AAPL")
        for stop in ({"stop_price": "9999"}, None):
            raw = form(rig, stop_loss=stop, take_profit=None)
            assert desk.ticket.preview(raw).blocked_code == "DENIED"
        assert desk.signals() == []


async def test_a_symbol_that_does_not_exist_is_said_at_once(rig: Rig) -> None:
    async with rig.desk() as desk:
        with pytest.raises(CommandRefused) as refused:
            await desk.ticket.look("NOSUCH")
        assert (refused.value.code, refused.value.field) == ("UNKNOWN_SYMBOL", "symbol")


async def test_two_clicks_make_one_trade(rig: Rig) -> None:
    async with rig.desk() as desk:
        await desk.ticket.look("AAPL")
        raw = form(rig)
        preview_id = await previewed(desk, raw)
        ids = await asyncio.gather(
            *(desk.ticket.send(raw, preview_id=preview_id, actor="window") for _ in range(5)), return_exceptions=True
        )
        sent = {each for each in ids if isinstance(each, str)}
        assert len(sent) == 1
        assert all(isinstance(each, str | CommandRefused) for each in ids)
        assert await desk.ticket.send(raw, preview_id=preview_id, actor="window") in sent, "and later still the same"
        await until(lambda: len(desk.positions()) == 1)
    assert len(await rig.entries()) == 1


async def test_a_mandate_that_was_quicker_is_no_refusal(rig: Rig) -> None:
    async with rig.desk() as desk:
        terms = MandateTerms(
            strategy="manual",
            symbols=("AAPL",),
            sides=(Side.BUY,),
            max_notional_each=Decimal(50_000),
            max_notional_day=Decimal(50_000),
            max_count=5,
            max_loss_day=None,
            until=datetime.now(UTC) + timedelta(minutes=30),
            note="",
            days=1,  # the half hour may reach past midnight
        )
        await desk.mandates.grant(terms, actor="test")
        await desk.ticket.look("AAPL")
        preview_id = await previewed(desk, form(rig))
        wanted = await desk.ticket.send(form(rig), preview_id=preview_id, actor="window")
        await until(lambda: desk.signal(wanted).status is SignalStatus.FILLED)
    assert len(await rig.entries()) == 1


async def test_what_is_refused_at_the_click_leaves_nothing_to_approve(rig: Rig) -> None:
    async with rig.desk() as desk:
        await desk.ticket.look("AAPL")
        raw = form(rig)
        preview_id = await previewed(desk, raw)
        await desk.set_state(DeskState.PAUSED, actor="test")
        with pytest.raises(CommandRefused):
            await desk.ticket.send(raw, preview_id=preview_id, actor="window")
        (signal,) = desk.signals()
        assert signal.status is SignalStatus.REJECTED
        assert "not sent" in signal.decision_note
        await desk.set_state(DeskState.ACTIVE, actor="test", confirm=RELEASE)
        again = form(rig, ticket="t2")
        wanted = await desk.ticket.send(again, preview_id=await previewed(desk, again), actor="window")
        await until(lambda: desk.signal(wanted).status is SignalStatus.FILLED)
    assert len(await rig.entries()) == 1


async def test_what_the_disk_does_not_take_leaves_nothing_to_approve(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(self: Journal, seq: int | None = None) -> None:
        raise JournalUnavailable("the disk is full")

    async with rig.desk() as desk:
        await desk.ticket.look("AAPL")
        preview_id = await previewed(desk, form(rig))
        with monkeypatch.context() as disk:
            disk.setattr(Journal, "durable", full)
            with pytest.raises(CommandRefused) as refused:
                await desk.ticket.send(form(rig), preview_id=preview_id, actor="window")
            assert refused.value.code == "JOURNAL_UNAVAILABLE"
        (signal,) = desk.signals()
        assert signal.status is SignalStatus.REJECTED
    assert await rig.entries() == []


async def test_another_form_than_the_one_shown_is_refused(rig: Rig) -> None:
    async with rig.desk() as desk:
        await desk.ticket.look("AAPL")
        preview_id = await previewed(desk, form(rig, qty="1"))
        with pytest.raises(CommandRefused) as refused:
            await desk.ticket.send(form(rig, qty="50"), preview_id=preview_id, actor="window")
        assert refused.value.code == "CHANGED_SINCE_SHOWN"
        with pytest.raises(CommandRefused) as refused:
            await desk.ticket.send(form(rig, ticket="t9"), preview_id="p99999999", actor="window")
        assert refused.value.code == "CHANGED_SINCE_SHOWN"
        assert [signal.status for signal in desk.signals()] == [SignalStatus.REJECTED]
    assert await rig.entries() == []


async def test_the_price_of_the_symbol_is_live_for_as_long_as_somebody_looks(rig: Rig) -> None:
    async with rig.desk() as desk:
        await desk.ticket.look("COIN")
        await until(lambda: (quote := desk.quote("COIN")) is not None and quote.age_s < 1)
        await asyncio.sleep(1.5)
        quote = desk.quote("COIN")
        assert quote is not None
        assert quote.age_s < 1.5
        desk.ticket.leave()
        assert desk._world.looked_at is None
