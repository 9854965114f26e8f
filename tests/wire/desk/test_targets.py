"""Several targets: one approval, one trade, as many native groups as targets, all with the same stop."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.errors import CommandRefused
from engine.exchange.faults import Drop, Refuse, RejectLegs
from tests.wire.desk.conftest import Rig, approved, protected, until


def two_targets(rig: Rig, symbol: str = "AAPL", qty: int = 10, shares: tuple[str, str] = ("0.5", "0.5")) -> bytes:
    price = rig.price(symbol)
    targets: list[dict[str, Any]] = [
        {"limit_price": str(round(price * Decimal(factor), 2)), "share": share}
        for factor, share in zip(("1.02", "1.04"), shares, strict=True)
    ]
    return rig.signal(symbol, qty=qty, take_profit=targets)


async def test_the_preview_lists_every_request_and_exactly_those_are_sent(rig: Rig) -> None:
    async with rig.desk() as desk:
        view, _ = await desk.receive(two_targets(rig, qty=11))
        await until(lambda: desk.quote("AAPL"))
        preview = desk.preview(view.id)
        assert [request.body["qty"] for request in preview.requests] == ["6", "5"]
        assert [(part.qty, str(part.price)) for part in preview.targets] == [
            (Decimal(request.body["qty"]), request.body["take_profit"]["limit_price"]) for request in preview.requests
        ]
        assert "targets 6 at" in preview.sentence
        await desk.approve(view.id, actor="test", preview_id=preview.preview_id)
        # The groups fill one after the other; each is protected by its own exits from its first share on.
        await until(lambda: desk.brackets() and desk.brackets()[0].held_qty == 11)
        await until(lambda: desk.brackets()[0].status.value == "protected")
        (bracket,) = desk.brackets()
        assert (bracket.held_qty, bracket.covered_qty, bracket.naked_qty) == (11, 11, 0)
        entries = sorted(await rig.entries(), key=lambda order: order["client_order_id"])
        assert [order["client_order_id"] for order in entries] == [r.body["client_order_id"] for r in preview.requests]
        assert [order["client_order_id"][-7:] for order in entries] == ["entry-1", "entry-2"]
        stops = {leg["stop_price"] for order in entries for leg in order["legs"] if leg["type"] == "stop"}
        assert {Decimal(stop) for stop in stops} == {bracket.stop_price}


async def test_the_nearer_target_takes_its_part_and_the_rest_stays_covered(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, two_targets(rig))
        near, far = bracket.targets
        rig.exchange.exchange.move_price("AAPL", near.price + Decimal("0.05"))
        await until(lambda: desk.bracket(bracket.id).held_qty == 5)
        await until(lambda: desk.bracket(bracket.id).status.value == "protected")
        half = desk.bracket(bracket.id)
        assert (half.covered_qty, half.naked_qty, half.take_profit_price) == (5, 0, far.price)
        rig.exchange.exchange.move_price("AAPL", far.price + Decimal("0.05"))
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
        assert await rig.positions() == []
        assert desk.signal(bracket.signal_id).status.value == "closed"


async def test_flatten_leaves_by_every_target(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, two_targets(rig))
        await desk.flatten_bracket(bracket.id, actor="test")
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
        assert await rig.positions() == []
        assert desk.bracket(bracket.id).naked_s == bracket.naked_s


async def test_rejected_exits_come_back_as_one_oco_for_each_target(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(RejectLegs(count=2))
        bracket_id = await approved(desk, two_targets(rig, qty=9, shares=("0.7", "0.3")))
        await until(lambda: desk.bracket(bracket_id).plan == "oco")
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        ocos = [order for order in await rig.orders() if order["order_class"] == "oco"]
        bracket = desk.bracket(bracket_id)
        assert sorted((Decimal(order["qty"]), Decimal(order["limit_price"])) for order in ocos) == sorted(
            (part.qty, part.price) for part in bracket.targets
        )


async def test_a_refused_part_leaves_a_protected_trade_of_what_was_sent(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(Refuse(method="POST", path="/v2/orders", message="insufficient buying power"))
        bracket_id = await approved(desk, two_targets(rig))
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        bracket = desk.bracket(bracket_id)
        assert (bracket.held_qty, bracket.covered_qty) == (5, 5)
        signal = desk.signal(bracket.signal_id)
        assert signal.status.value == "filled"
        assert "5 of 10 reached the broker" in signal.decision_note


async def test_a_part_that_was_lost_with_the_process_is_never_sent_again(rig: Rig) -> None:
    async with rig.desk(broker={"resend_within_s": 0}) as desk:
        rig.exchange.faults.add(Drop(method="POST", path="/v2/orders", after=1))
        bracket_id = await approved(desk, two_targets(rig))
        await until(lambda: desk.bracket(bracket_id).covered_qty == 5)
        await until(lambda: any(order.unresolved_since for order in desk.bracket(bracket_id).orders))
    async with rig.desk() as desk:
        trade = desk.bracket(bracket_id)
        (lost,) = [order for order in trade.orders if order.unresolved_since is not None]
        assert (trade.held_qty, trade.covered_qty) == (5, 5)
        with pytest.raises(CommandRefused):
            await approved(desk, rig.signal())
        await desk.attest_order(lost.id, actor="test", settlement="never_reached")
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        assert "5 of 10 reached the broker" in desk.signal(trade.signal_id).decision_note
        assert len(await rig.entries()) == 1
