"""Settling what book and broker disagree on: each way, once, on record, and never guessed. A restart lies between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.clock import SystemClock
from engine.desk import Desk
from engine.differences import Difference
from engine.errors import CommandRefused
from engine.exchange.server import ExchangeSettings, RunningExchange, serve_exchange
from engine.model import events as ev
from tests.wire.desk.conftest import Rig, approved, protected, until


@asynccontextmanager
async def exchange_in(path: Path) -> AsyncIterator[RunningExchange]:
    settings = ExchangeSettings(latency_ms=4.0, latency_jitter=0.0, db_path=path)
    async with serve_exchange(settings, SystemClock()) as exchange:
        yield exchange


async def hand_order(rig: Rig, symbol: str = "XOM", client_order_id: str = "hand-1") -> str:
    """A resting bid of another program; returns the broker's id of it."""
    limit = round(rig.price(symbol) * Decimal("0.9"), 2)
    body = {
        "symbol": symbol, "side": "buy", "qty": "3", "type": "limit", "time_in_force": "gtc",
        "limit_price": str(limit), "client_order_id": client_order_id,
    }  # fmt: skip
    order = await rig.ask("POST", "/v2/orders", body)
    return str(order["id"])


def only(desk: Desk, kind: str) -> Difference:
    (difference,) = [found for found in desk.differences() if found.kind == kind]
    return difference


async def settled(desk: Desk) -> list[tuple[str, str]]:
    """What the journal says was settled, and by whom."""
    found = []
    last = desk.health().journal_seq
    async for record in desk.records(0):
        if isinstance(record.event, ev.DifferenceSettled):
            found.append((record.event.settlement, record.event.actor))
        if record.seq >= last:
            return found
    return found


async def test_adopted_shares_become_a_trade_with_the_stop_that_was_asked_for(rig: Rig) -> None:
    await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "7"})
    price = rig.price("XOM")
    stop, target = round(price * Decimal("0.98"), 2), round(price * Decimal("1.03"), 2)
    async with rig.desk() as desk:
        difference = only(desk, "position")
        assert difference.settlements == ("adopt", "watch", "ignore")
        with pytest.raises(CommandRefused) as refused:
            await desk.settle_difference(difference.id, settlement="adopt", actor="test")
        assert refused.value.code == "NO_STOP"
        with pytest.raises(CommandRefused) as refused:
            await desk.settle_difference(
                difference.id, settlement="adopt", actor="test", stop_price=round(price * 2, 2)
            )
        assert refused.value.code == "STOP_BEYOND_MARKET"
        assert desk.differences() == [difference]
        await desk.settle_difference(
            difference.id, settlement="adopt", actor="test", stop_price=stop, take_profit_price=target
        )
        assert desk.differences() == []
        (bracket,) = desk.brackets()
        await until(lambda: desk.bracket(bracket.id).status.value == "protected")
        await until(lambda: desk.health().start_gate == "open")
        with pytest.raises(CommandRefused) as refused:
            await desk.settle_difference(difference.id, settlement="adopt", actor="test", stop_price=stop)
        assert refused.value.code == "NOT_FOUND"
    async with rig.desk() as desk:
        assert desk.differences() == []
        view = desk.bracket(bracket.id)
        assert (view.status.value, view.held_qty, view.covered_qty, view.strategy) == ("protected", 7, 7, "adopted")
        assert view.legs.stop_loss is not None
        assert view.legs.take_profit is not None
        assert (view.legs.stop_loss.stop_price, view.legs.take_profit.limit_price) == (stop, target)
        assert await settled(desk) == [("adopt", "test")]
        await desk.flatten(symbol="XOM", actor="test")
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
    assert await rig.positions() == []


async def test_an_adopted_short_is_covered_by_a_buy_stop(rig: Rig) -> None:
    await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "-4"})
    async with rig.desk() as desk:
        stop = round(rig.price("XOM") * Decimal("1.02"), 2)
        await desk.settle_difference(only(desk, "position").id, settlement="adopt", actor="test", stop_price=stop)
        (bracket,) = desk.brackets()
        await until(lambda: desk.bracket(bracket.id).covered_qty == 4)
        assert desk.bracket(bracket.id).side.value == "sell"


async def test_shares_that_changed_since_they_were_shown_are_not_adopted(rig: Rig) -> None:
    await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "7"})
    async with rig.desk() as desk:
        difference = only(desk, "position")
        await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "9"})
        stop = round(rig.price("XOM") * Decimal("0.98"), 2)
        with pytest.raises(CommandRefused) as refused:
            await desk.settle_difference(difference.id, settlement="adopt", actor="test", stop_price=stop)
        assert refused.value.code in ("CHANGED_SINCE_SHOWN", "NOT_FOUND")
        assert desk.brackets() == []


async def test_watched_shares_stay_in_sight_and_open_the_gate(rig: Rig) -> None:
    await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "7"})
    async with rig.desk() as desk:
        await desk.settle_difference(only(desk, "position").id, settlement="watch", actor="test")
        await until(lambda: desk.health().start_gate == "open")
    async with rig.desk() as desk:
        await until(lambda: any("7 XOM are held" in incident.cause for incident in desk.incidents()))
        await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "0"})
        await rig.ask("POST", "/_exchange/streams/cut")
        await until(lambda: not any("7 XOM are held" in incident.cause for incident in desk.incidents()))


async def test_an_order_of_another_hand_is_canceled_by_intent_first(rig: Rig) -> None:
    broker_id = await hand_order(rig)
    async with rig.desk() as desk:
        difference = only(desk, "order")
        assert difference.settlements == ("watch", "cancel", "ignore")
        await desk.settle_difference(difference.id, settlement="cancel", actor="test")
        assert desk.differences() == []
        (order,) = desk.orders(status="all")
        await until(lambda: desk.order(order.id).status.value == "canceled")
        assert (order.role.value, order.broker_id, order.bracket_id) == ("foreign", broker_id, None)
        await until(lambda: desk.health().start_gate == "open")
        kinds = [type(record.event) async for record in _until_now(desk)]
        assert kinds.index(ev.DifferenceSettled) < kinds.index(ev.CancelIntended)
    assert (await rig.ask("GET", f"/v2/orders/{broker_id}"))["status"] == "canceled"


async def _until_now(desk: Desk) -> Any:
    last = desk.health().journal_seq
    async for record in desk.records(0):
        yield record
        if record.seq >= last:
            return


async def test_a_watched_order_is_followed_and_what_it_buys_is_a_difference(rig: Rig) -> None:
    broker_id = await hand_order(rig)
    async with rig.desk() as desk:
        await desk.settle_difference(only(desk, "order").id, settlement="watch", actor="test")
        await until(lambda: desk.health().start_gate == "open")
    async with rig.desk() as desk:
        assert desk.differences() == []
        (order,) = desk.orders()
        assert (order.status.value, order.role.value) == ("new", "foreign")
        await rig.fill_by_hand(broker_id, 3)
        await until(lambda: desk.order(order.id).status.value == "filled")
        await rig.ask("POST", "/_exchange/streams/cut")
        await until(lambda: [found.kind for found in desk.differences()] == ["position"])


async def test_exits_are_open_while_the_gate_is_locked(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("AAPL"))
    await hand_order(rig)
    async with rig.desk() as desk:
        assert desk.health().start_gate == "locked"
        await desk.flatten(symbol="AAPL", actor="test")
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
        assert desk.health().start_gate == "locked"


async def test_another_desk_on_the_account_keeps_the_gate_locked_until_somebody_says_it_is_gone(rig: Rig) -> None:
    broker_id = await hand_order(rig, client_order_id="gl-abcdef-000001-entry-1")
    await rig.ask("DELETE", f"/v2/orders/{broker_id}")
    async with rig.desk() as desk:
        difference = only(desk, "desk")
        assert "abcdef" in difference.text
        await desk.settle_difference(difference.id, settlement="ignore", actor="test")
        await until(lambda: desk.health().start_gate == "open")
    async with rig.desk() as desk:
        assert desk.differences() == []


async def test_a_settlement_that_does_not_fit_is_refused(rig: Rig) -> None:
    await hand_order(rig)
    async with rig.desk() as desk:
        with pytest.raises(CommandRefused) as refused:
            await desk.settle_difference(only(desk, "order").id, settlement="adopt", actor="test")
        assert refused.value.code == "BAD_SETTLEMENT"


# --- an order of ours that the broker has never heard of -------------------------------------------------------------


async def test_an_order_that_the_broker_lost_is_settled_as_over_here_too(tmp_path: Path) -> None:
    """A paper account that was reset: the orders of yesterday are gone there, and stand in the journal here."""
    async with exchange_in(tmp_path / "before.db") as exchange:
        rig = Rig(exchange, tmp_path / "desk")
        async with rig.desk() as desk:
            bracket_id = await approved(desk, rig.resting())
            await until(lambda: desk.bracket(bracket_id).orders[0].status.value == "new")
            entry = desk.bracket(bracket_id).orders[0]
    async with exchange_in(tmp_path / "after.db") as exchange:
        rig = Rig(exchange, tmp_path / "desk")
        async with rig.desk(opens=False) as desk:
            await until(lambda: "once more" in (desk.view().gate_locked_by or ""))
            assert desk.health().start_gate == "locked", "before it is certain, too"
            await until(lambda: any(found.kind == "missing" for found in desk.differences()), patience_s=30)
            await until(lambda: len(desk.differences()) == 3)
            assert {found.kind for found in desk.differences()} == {"missing"}, "the entry and both its exits"
            assert entry.id in " ".join(found.text for found in desk.differences())
            assert desk.order(entry.id).status.value == "new", "never guessed"
            for difference in desk.differences():
                assert difference.settlements == ("adopt",)
                await desk.settle_difference(difference.id, settlement="adopt", actor="ann")
            assert desk.order(entry.id).status.value == "never_reached"
            await until(lambda: desk.bracket(bracket_id).status.value == "closed")
            await until(lambda: desk.health().start_gate == "open")
            assert ("adopt", "ann") in await settled(desk)
        async with rig.desk() as desk:
            assert desk.differences() == []
            assert desk.order(entry.id).status.value == "never_reached"
        assert await rig.orders() == []
