"""The venue takes an execution back: what is held again is protected again, what never was is not closed twice."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine import order_reading
from engine.desk import Desk
from engine.exchange.faults import LoseEvent
from engine.model.words import BracketStatus
from engine.views import BracketView
from tests.wire.desk.conftest import Rig, approved, protected, until
from tests.wire.desk.trading_day import Day, play

SEEN = ("stream", "rest", "away")


def is_(desk: Desk, bracket_id: str, status: BracketStatus) -> bool:
    return desk.bracket(bracket_id).status is status


async def bust(rig: Rig, broker_id: str | None, *, seen: str) -> None:
    """While the desk listens, while the stream says nothing of it, or while there is no desk."""
    if seen == "rest":
        rig.exchange.faults.add(LoseEvent(count=None))
    answer = await rig.ask("POST", f"/_exchange/orders/{broker_id}/bust")
    assert "id" in answer, answer
    if seen == "rest":
        rig.exchange.faults.clear()
        await rig.ask("POST", "/_exchange/streams/cut")


async def closed_by_target(rig: Rig, desk: Desk) -> BracketView:
    bracket = await protected(desk, rig.signal("AAPL"))
    target = bracket.legs.take_profit
    assert target is not None
    assert target.broker_id is not None
    await rig.fill_by_hand(target.broker_id, 10)
    await until(lambda: is_(desk, bracket.id, BracketStatus.CLOSED))
    return bracket


@pytest.mark.parametrize("seen", SEEN)
async def test_an_exit_that_is_taken_back_reopens_its_trade_and_covers_it(rig: Rig, seen: str) -> None:
    async with rig.desk() as desk:
        bracket = await closed_by_target(rig, desk)
        if seen != "away":
            await bust(rig, bracket.legs.take_profit.broker_id, seen=seen)
            await until(lambda: is_(desk, bracket.id, BracketStatus.PROTECTED))
    if seen == "away":
        await bust(rig, bracket.legs.take_profit.broker_id, seen=seen)
    async with rig.desk() as desk:
        await until(lambda: is_(desk, bracket.id, BracketStatus.PROTECTED))
        again = desk.bracket(bracket.id)
        assert (again.held_qty, again.covered_qty, again.naked_qty) == (10, 10, 0)
        assert again.legs.stop_loss.stop_price == bracket.legs.stop_loss.stop_price
        assert desk.differences() == []
        target = next(order for order in again.orders if order.broker_id == bracket.legs.take_profit.broker_id)
        assert (target.filled_qty, target.busted_qty, again.realized_pl) == (0, 10, None)
        await until(lambda: any("took back 10 executed shares" in each.cause for each in desk.incidents()))
        await desk.flatten(symbol="AAPL", actor="test")
        await until(lambda: is_(desk, bracket.id, BracketStatus.CLOSED))
    assert await rig.positions() == []


@pytest.mark.parametrize("seen", SEEN)
async def test_an_entry_that_is_taken_back_leaves_no_exit_that_would_open_a_position(rig: Rig, seen: str) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("AAPL"))
        if seen != "away":
            await bust(rig, bracket.legs.entry.broker_id, seen=seen)
            await until(lambda: is_(desk, bracket.id, BracketStatus.CLOSED))
    if seen == "away":
        await bust(rig, bracket.legs.entry.broker_id, seen=seen)
    async with rig.desk() as desk:
        await until(lambda: is_(desk, bracket.id, BracketStatus.CLOSED))
        assert desk.differences() == []
        assert [order.id for order in desk.orders()] == []
        entry = desk.bracket(bracket.id).legs.entry
        assert (entry.filled_qty, entry.busted_qty) == (0, 10)
        assert desk.signal(bracket.signal_id).outcome == "taken back by the venue"
    assert await rig.positions() == []
    assert await rig.ask("GET", "/v2/orders?status=open&nested=true") == []


async def test_a_part_of_an_entry_that_is_taken_back_shrinks_the_cover(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket_id = await approved(desk, rig.resting("JPM"))
        (entry,) = await rig.entries()
        await rig.fill_by_hand(entry["id"], 4)
        await rig.fill_by_hand(entry["id"], 6)
        await until(lambda: is_(desk, bracket_id, BracketStatus.PROTECTED))
        await bust(rig, entry["id"], seen="stream")
        await until(lambda: desk.bracket(bracket_id).held_qty == 4)
        await until(lambda: is_(desk, bracket_id, BracketStatus.PROTECTED))
        shrunk = desk.bracket(bracket_id)
        assert (shrunk.covered_qty, shrunk.naked_qty) == (4, 0)
        live = [order for order in desk.orders() if order.type.value == "stop"]
        assert [order.qty - order.filled_qty for order in live] == [4], "no stop for shares that are not held"


@pytest.mark.parametrize("seen", SEEN)
async def test_an_entry_that_is_taken_back_after_its_exit_is_a_flip_that_is_closed(rig: Rig, seen: str) -> None:
    async with rig.desk() as desk:
        bracket = await closed_by_target(rig, desk)
        if seen != "away":
            await bust(rig, bracket.legs.entry.broker_id, seen=seen)
            await until(lambda: closed_again(desk, bracket.id))
    if seen == "away":
        await bust(rig, bracket.legs.entry.broker_id, seen=seen)
    async with rig.desk() as desk:
        await until(lambda: closed_again(desk, bracket.id))
        assert desk.differences() == []
        again = desk.bracket(bracket.id)
        bought_back = next(order for order in again.orders if order.role.value == "exit")
        sold = next(order for order in again.orders if order.role.value == "take_profit" and order.filled_qty)
        assert again.realized_pl == round((sold.filled_avg_price - bought_back.filled_avg_price) * 10, 2)
    assert await rig.positions() == []


def stop_shares(desk: Desk) -> Decimal:
    return sum((order.qty for order in desk.orders() if order.type.value == "stop"), Decimal(0))


def closed_again(desk: Desk, bracket_id: str) -> bool:
    view = desk.bracket(bracket_id)
    return view.status is BracketStatus.CLOSED and any(order.role.value == "exit" for order in view.orders)


async def closed_within(day: Day, desk: Desk) -> BracketView:
    """A trade of the day whose target has closed it."""
    bracket = desk.bracket(await day.protected(desk, day.signal()))
    assert bracket.legs.take_profit is not None
    await day.ask("POST", f"/_exchange/orders/{bracket.legs.take_profit.broker_id}/fill", {"qty": "10"})
    await day.until(lambda: is_(desk, bracket.id, BracketStatus.CLOSED))
    return bracket


def test_trades_that_a_bust_sets_against_each_other_are_out_of_each_other_at_once(tmp_path: Path) -> None:
    """Storm 710589: half a second later a price passed the stop of one, for shares that the account did not hold."""

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            long = await closed_within(day, desk)
            limit = round(day.price() * Decimal("1.05"), 2)
            raw = day.signal(
                side="sell",
                qty=4,
                entry={"type": "limit", "limit_price": str(limit)},
                stop_loss={"stop_price": str(limit + 3)},
                take_profit={"limit_price": str(limit - 30)},
            )
            short_id = await day.approved(desk, raw)
            await day.until(lambda: desk.bracket(short_id).legs.entry.broker_id)
            await day.ask("POST", f"/_exchange/orders/{long.legs.take_profit.broker_id}/bust")
            await day.until(lambda: is_(desk, long.id, BracketStatus.PROTECTED))
            await day.clock.sleep(7)  # whatever was doubted then has been looked at
            entry = desk.bracket(short_id).legs.entry
            await day.ask("POST", f"/_exchange/orders/{entry.broker_id}/fill", {"qty": "4"})
            await day.until(lambda: desk.bracket(short_id).held_qty, patience_s=1.0)
            await day.until(lambda: is_(desk, short_id, BracketStatus.CLOSED), patience_s=0.4)
            await day.until(lambda: desk.bracket(long.id).held_qty == 6, patience_s=0.1)
            await day.until(lambda: stop_shares(desk) == 6, patience_s=0.5)
            await day.until(lambda: desk.bracket(long.id).covered_qty == 6, patience_s=0.5)

    play(tmp_path, scene, begins=datetime(2026, 11, 24, 15, 0, tzinfo=UTC))


async def lists_begin_behind(day: Day, desk: Desk) -> None:
    """What has been made so far is in no list any more that looks for what is alive."""
    await day.clock.sleep(600)
    resting = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "limit", "limit_price": "1"}
    await day.ask("POST", "/v2/orders", resting | {"time_in_force": "day"})
    await day.until(lambda: desk.differences())
    await desk.settle_difference(desk.differences()[0].id, settlement="cancel", actor="test")
    await day.clock.sleep(120)


def test_the_bust_of_an_order_that_no_list_shows_any_more_is_found_by_the_position(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            old = await closed_within(day, desk)
            await lists_begin_behind(day, desk)
            day.running.faults.add(LoseEvent(count=None))
            await day.ask("POST", f"/_exchange/orders/{old.legs.take_profit.broker_id}/bust")
            day.running.faults.clear()
            await day.until(lambda: is_(desk, old.id, BracketStatus.PROTECTED))
            again = desk.bracket(old.id)
            assert [order.busted_qty for order in again.orders if order.busted_qty] == [10]
            assert desk.differences() == []

    play(tmp_path, scene, begins=datetime(2026, 11, 24, 15, 0, tzinfo=UTC))


def test_busts_that_cancel_out_and_that_nobody_tells_of_are_found_by_reading_again(tmp_path: Path) -> None:
    """The position stays right, and no list of what is alive shows either order: only they themselves tell."""

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            first, second = await closed_within(day, desk), await closed_within(day, desk)
            await lists_begin_behind(day, desk)
            day.running.faults.add(LoseEvent(event="trade_bust", count=2))
            sold = first.legs.take_profit
            assert sold is not None
            for broker_id in (sold.broker_id, second.legs.entry.broker_id):
                await day.ask("POST", f"/_exchange/orders/{broker_id}/bust")
            assert await day.shares() == 0
            await day.until(lambda: desk.order(sold.id).busted_qty, patience_s=80)
            await day.until(lambda: desk.order(second.legs.entry.id).busted_qty, patience_s=5)
            await day.clock.sleep(10)
            assert {desk.bracket(each.id).naked_qty for each in (first, second)} == {0}
            assert {desk.bracket(each.id).held_qty for each in (first, second)} == {0}, "out of each other"
            assert await day.shares() == 0
            assert desk.differences() == []

    play(tmp_path, scene, begins=datetime(2026, 11, 24, 15, 0, tzinfo=UTC))


def test_orders_that_are_over_are_read_again_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_reading, "AGAIN_PAGE", 2)

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            oldest = (await closed_within(day, desk)).legs.entry
            for _ in range(2):
                await closed_within(day, desk)
            await lists_begin_behind(day, desk)
            verified = desk._reconciler.reader.verified
            before = verified[oldest.id]
            await day.clock.sleep(600)
            once = verified[oldest.id]
            await day.clock.sleep(600)
            assert before.at < once.at < verified[oldest.id].at, "and then from the newest on"

    play(tmp_path, scene, begins=datetime(2026, 11, 24, 15, 0, tzinfo=UTC))


async def test_executions_are_taken_back_one_after_the_other_and_each_once(rig: Rig) -> None:
    resting = {"symbol": "JPM", "qty": "10", "side": "buy", "type": "limit", "limit_price": "1", "time_in_force": "day"}
    order = await rig.ask("POST", "/v2/orders", resting)
    await rig.fill_by_hand(order["id"], 4)
    await rig.fill_by_hand(order["id"], 6)
    left = [(await rig.ask("POST", f"/_exchange/orders/{order['id']}/bust")).get("filled_qty") for _ in range(3)]
    assert left == ["4", "0", None]
    assert await rig.positions() == []


async def test_what_never_executed_cannot_be_taken_back(rig: Rig) -> None:
    resting = {"symbol": "JPM", "qty": "1", "side": "buy", "type": "limit", "limit_price": "1", "time_in_force": "day"}
    order = await rig.ask("POST", "/v2/orders", resting)
    answer = await rig.ask("POST", f"/_exchange/orders/{order['id']}/bust")
    assert answer["message"] == "no execution to take back"
