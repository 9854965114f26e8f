"""Exits that follow the fill, and stops that trail: native legs from the first moment, moved by PATCH."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Any

from engine.exchange.faults import PartialFill, Refuse
from engine.views import BracketView
from tests.wire.desk.conftest import Rig, protected, until


def percents(rig: Rig, symbol: str = "AAPL", **more: Any) -> bytes:
    return rig.signal(symbol, **{"stop_loss": {"percent": 1}, "take_profit": {"r": 2}, **more})


def exits_at(bracket: BracketView) -> tuple[Decimal, Decimal]:
    average = bracket.entry_price
    assert average is not None
    stop = (average * Decimal("0.99")).quantize(Decimal("0.01"), ROUND_CEILING)
    return stop, round(average + 2 * (average - stop), 2)


def follows(bracket: BracketView) -> bool:
    return (bracket.stop_price, bracket.take_profit_price) == exits_at(bracket)


async def moved_market(rig: Rig, symbol: str = "AAPL") -> None:
    """The price between the preview and the fill: the provisional exits are half a percent off."""
    rig.exchange.exchange.move_price(symbol, round(rig.price(symbol) * Decimal("1.002"), 2))


async def test_exits_are_moved_to_where_the_fill_puts_them(rig: Rig) -> None:
    async with rig.desk() as desk:
        view, _ = await desk.receive(percents(rig))
        await until(lambda: desk.quote("AAPL"))
        assert desk.preview(view.id).sentence.endswith("exits follow the fill")
        await moved_market(rig)
        await desk.approve(view.id, actor="test")
        await until(lambda: desk.brackets() and desk.brackets()[0].entry_price is not None)
        await until(lambda: follows(desk.brackets()[0]))
        await until(lambda: desk.brackets()[0].status.value == "protected")
        (bracket,) = desk.brackets()
        assert bracket.covered_qty == bracket.held_qty == 10
        assert bracket.move_refused is None


async def test_a_target_that_a_person_takes_away_stays_away_though_it_was_to_follow_the_fill(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, percents(rig))
        target = bracket.legs.take_profit
        assert target is not None
        await desk.cancel_order(target.id, actor="test")
        await until(lambda: desk.order(target.id).status.value == "canceled")
        await until(lambda: desk.bracket(bracket.id).plan == "stop")  # until its sibling's cancel is told, the group's
        await until(lambda: desk.bracket(bracket.id).covered_qty == 10)
        assert desk.bracket(bracket.id).take_profit_price is None
        assert [order.role.value for order in desk.orders()] == ["stop_loss"]


async def test_a_refused_move_leaves_the_provisional_exits_and_says_so(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(Refuse(method="PATCH", path="/v2/orders/*", status=422, code=42210000, count=None))
        view, _ = await desk.receive(percents(rig))
        await until(lambda: desk.quote("AAPL"))
        await moved_market(rig)
        await desk.approve(view.id, actor="test")
        await until(lambda: desk.brackets() and desk.brackets()[0].move_refused)
        (bracket,) = desk.brackets()
        assert bracket.status.value == "protected"
        assert any("the old ones stand" in line.text for line in desk.activity())
        provisional = bracket.stop_price
    async with rig.desk() as desk:
        assert desk.bracket(bracket.id).stop_price == provisional
        assert desk.bracket(bracket.id).status.value == "protected"


async def test_a_desk_that_stopped_before_the_move_makes_it_after_the_restart(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(PartialFill(shares=Decimal(4)))
        view, _ = await desk.receive(percents(rig, "MSFT"))
        await until(lambda: desk.quote("MSFT"))
        await moved_market(rig, "MSFT")
        await desk.approve(view.id, actor="test")
        await until(lambda: desk.brackets() and desk.brackets()[0].held_qty >= 4)
        bracket_id = desk.brackets()[0].id
    # The rest of the entry may fill while nobody watches; then the exits are measured from what was paid in all.
    async with rig.desk() as desk:
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        await until(lambda: follows(desk.bracket(bracket_id)))


async def test_a_trailing_stop_steps_up_and_a_restart_trails_on(rig: Rig) -> None:
    async with rig.desk(protection={"trail_every_s": 0.2}) as desk:
        bracket = await protected(desk, rig.signal(stop_loss={"trail_percent": 1}, take_profit=None))
        first = bracket.stop_price
        assert first is not None
        peak = round(rig.price("AAPL") * Decimal("1.02"), 2)
        rig.exchange.exchange.move_price("AAPL", peak)
        await until(lambda: (desk.bracket(bracket.id).stop_price or first) > peak * Decimal("0.985"))
        stepped, high_water = desk.bracket(bracket.id).stop_price, desk.bracket(bracket.id).high_water
        assert high_water is not None
        assert desk.bracket(bracket.id).trail is not None
        assert stepped is not None
        assert desk.bracket(bracket.id).status.value == "protected"
        (entry,) = await rig.entries()
        assert all("trail" not in key for leg in entry["legs"] for key, value in leg.items() if value)
    async with rig.desk(protection={"trail_every_s": 0.2}) as desk:
        assert (desk.bracket(bracket.id).stop_price, desk.bracket(bracket.id).high_water) == (stepped, high_water)
        rig.exchange.exchange.move_price("AAPL", round(peak * Decimal("0.996"), 2))
        higher = round(peak * Decimal("1.02"), 2)
        rig.exchange.exchange.move_price("AAPL", higher)
        await until(lambda: (desk.bracket(bracket.id).stop_price or first) > higher * Decimal("0.985"))
        rig.exchange.exchange.move_price("AAPL", round(higher * Decimal("0.98"), 2))
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
        assert await rig.positions() == []


async def test_the_preview_of_a_trailing_stop_says_how_far_it_stays(rig: Rig) -> None:
    async with rig.desk() as desk:
        view, _ = await desk.receive(rig.signal("MSFT", stop_loss={"trail_amount": "3.00"}))
        await until(lambda: desk.quote("MSFT"))
        assert "trailing 3.00" in desk.preview(view.id).sentence
