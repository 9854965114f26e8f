"""What no order group covers: parts of a share, and coins. Their stop stands alone, and their target is watched."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.desk import Desk
from tests.wire.desk.conftest import Rig, approved, protected, rig_at, until

BTC = "BTC/USD"
COINS = {"limits": {"max_symbol_exposure_pct": 50}}
NEW_YORK = ZoneInfo("America/New_York")
BEFORE_CLOSE = datetime(2026, 11, 24, 15, 59, 40, tzinfo=NEW_YORK)
"""A Tuesday."""


def coins(rig: Rig, qty: str = "0.05", **changes: Any) -> bytes:
    return rig.signal(BTC, **{"qty": qty, **changes})


def exits(orders: list[dict[str, Any]], symbol: str = BTC) -> list[dict[str, Any]]:
    return [order for order in orders if order["symbol"] == symbol and order["side"] == "sell"]


def watches_target(desk: Desk, bracket_id: str) -> bool:
    watch = desk.bracket(bracket_id).watch
    return watch is not None and watch.take_profit_price is not None


async def pass_price(rig: Rig, desk: Desk, symbol: str, price: Decimal) -> None:
    """Two quotes at and beyond a price, each seen by the desk."""
    for step in (0, 1):
        rig.exchange.exchange.move_price(symbol, price * (1 + Decimal(step) / 1000))
        seen = desk.quote(symbol)
        before = seen.quoted_at if seen is not None else None
        await until(lambda before=before: (now := desk.quote(symbol)) is not None and now.quoted_at != before)  # type: ignore[misc]


# --- coins -----------------------------------------------------------------------------------------------------------


async def test_a_coin_is_bought_alone_and_its_stop_stands_at_the_broker_a_moment_later(rig: Rig) -> None:
    async with rig.desk(**COINS) as desk:
        view, _ = await desk.receive(coins(rig))
        await until(lambda: desk.quote(BTC) and desk.preview(view.id).approvable)
        preview = desk.preview(view.id)
        (request,) = preview.requests
        assert (request.body["qty"], request.body["type"], request.body["time_in_force"]) == ("0.05", "market", "gtc")
        assert "order_class" not in request.body
        assert [v.verdict.value for v in preview.verdicts if v.code == "COIN_EXITS"] == ["warn"]
        await desk.approve(view.id, actor="test", preview_id=preview.preview_id)
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        (trade,) = desk.brackets()
        (stop,) = exits(await rig.orders())
        assert (stop["type"], stop["time_in_force"], stop["qty"]) == ("stop_limit", "gtc", "0.05")
        assert Decimal(stop["stop_price"]) == trade.stop_price
        # A hundredth beneath, cut to the cent: 91,476.00 -> 90,561.24.
        assert Decimal(stop["limit_price"]) == (trade.stop_price * Decimal("0.99")).quantize(
            Decimal("0.01"), rounding="ROUND_FLOOR"
        )
        assert (trade.held_qty, trade.covered_qty, trade.cover_kind.value) == (
            Decimal("0.05"),
            Decimal("0.05"),
            "limited",
        )
        assert [position.symbol for position in desk.positions()] == [BTC]


async def test_a_coins_target_is_watched_and_its_stop_makes_way_before_it_is_sold(rig: Rig) -> None:
    async with rig.desk(**COINS) as desk:
        trade = await protected(desk, coins(rig))
        await until(lambda: watches_target(desk, trade.id))
        assert trade.take_profit_price is not None
        await pass_price(rig, desk, BTC, trade.take_profit_price * Decimal("1.001"))
        await until(lambda: desk.bracket(trade.id).status.value == "closed")
        stop, close = sorted(exits(await rig.orders()), key=lambda order: order["created_at"])
        assert (stop["status"], stop["filled_qty"]) == ("canceled", "0")
        assert (close["type"], close["time_in_force"], close["status"]) == ("market", "gtc", "filled")
        assert stop["canceled_at"] < close["submitted_at"], "never both"
        assert await rig.positions() == []


async def test_a_restart_knows_a_coin_by_the_name_that_its_orders_have(rig: Rig) -> None:
    async with rig.desk(**COINS) as desk:
        trade = await protected(desk, coins(rig))
    assert [position["symbol"] for position in await rig.positions()] == ["BTCUSD"]
    async with rig.desk(**COINS) as desk:
        assert desk.differences() == []
        assert desk.bracket(trade.id).status.value == "protected"
        await until(lambda: watches_target(desk, trade.id))
        assert len(exits(await rig.orders())) == 1, "armed once"
        await desk.flatten_bracket(trade.id, actor="ann")
        await until(lambda: desk.bracket(trade.id).status.value == "closed")
        assert await rig.positions() == []


async def test_a_fill_that_was_missed_is_covered_at_the_next_start(rig: Rig) -> None:
    """The entry rests, the desk dies, the entry fills: the stop follows when the desk is back."""
    limit = round(rig.price(BTC) * Decimal("0.97"), 2)
    raw = coins(
        rig,
        entry={"type": "limit", "limit_price": str(limit)},
        stop_loss={"stop_price": str(round(limit * Decimal("0.98"), 2))},
        take_profit={"limit_price": str(round(limit * Decimal("1.05"), 2))},
    )
    async with rig.desk(**COINS) as desk:
        bracket_id = await approved(desk, raw)
        await until(lambda: desk.bracket(bracket_id).orders[0].broker_id)
        entry = desk.bracket(bracket_id).orders[0]
    rig.exchange.exchange.move_price(BTC, limit * Decimal("0.999"))

    async def is_filled() -> bool:
        return any(o["id"] == entry.broker_id and o["status"] == "filled" for o in await rig.orders())

    while not await is_filled():
        pass
    async with rig.desk(**COINS) as desk:
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        (stop,) = exits(await rig.orders())
        assert stop["type"] == "stop_limit"


async def test_a_coins_moved_stop_takes_its_limit_along(rig: Rig) -> None:
    async with rig.desk(**COINS) as desk:
        trade = await protected(desk, coins(rig))
        (before,) = exits(await rig.orders())
        wanted = trade.stop_price - 100
        await desk.exits.move(trade.id, stop_price=wanted, take_profit_price=None, actor="ann")
        await until(lambda: desk.bracket(trade.id).stop_price == wanted)
        after = next(order for order in exits(await rig.orders()) if order["status"] in ("new", "accepted"))
        assert Decimal(after["stop_price"]) == wanted
        assert Decimal(after["limit_price"]) == Decimal(before["limit_price"]) - 100


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"qty": "0.00005"}, "QTY_BELOW_MINIMUM"),
        ({"side": "sell"}, "NOT_SHORTABLE"),
        ({"stop_loss": {"trail_percent": 1.5}}, "COIN_EXITS"),
        (
            {"take_profit": [{"percent": 1, "share": 0.5}, {"percent": 2, "share": 0.5}]},
            "COIN_EXITS",
        ),
    ],
)
async def test_what_cannot_be_kept_of_a_coin_is_denied(rig: Rig, changes: dict[str, Any], code: str) -> None:
    async with rig.desk(**COINS) as desk:
        view, _ = await desk.receive(coins(rig, **changes))
        await until(lambda: desk.quote(BTC) and "ASSET" not in {v.code for v in desk.preview(view.id).verdicts[:1]})
        denies = {v.code for v in desk.preview(view.id).verdicts if v.verdict.value == "deny"}
        assert code in denies


# --- parts of a share ------------------------------------------------------------------------------------------------


async def bought_by_hand(rig: Rig, qty: str) -> None:
    body = {"symbol": "AAPL", "qty": qty, "side": "buy", "type": "market", "time_in_force": "day"}
    await rig.ask("POST", "/v2/orders", body)
    while not await rig.positions():
        pass


async def adopted(rig: Rig, desk: Desk) -> str:
    (difference,) = desk.differences()
    stop = round(rig.price("AAPL") * Decimal("0.98"), 2)
    target = round(rig.price("AAPL") * Decimal("1.03"), 2)
    await desk.settle_difference(
        difference.id, settlement="adopt", actor="ann", stop_price=stop, take_profit_price=target
    )
    await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
    return desk.brackets()[0].id


async def test_whole_shares_get_a_group_and_the_part_that_is_left_a_stop_for_the_day(rig: Rig) -> None:
    await bought_by_hand(rig, "2.5")
    async with rig.desk() as desk:
        trade = desk.bracket(await adopted(rig, desk))
        assert (trade.held_qty, trade.covered_qty) == (Decimal("2.5"), Decimal("2.5"))
        found = {order["qty"]: order for order in exits(await rig.orders(), "AAPL")}
        assert set(found) == {"2", "0.5"}
        assert found["2"]["order_class"] == "oco"
        assert (found["0.5"]["type"], found["0.5"]["time_in_force"]) == ("stop", "day")


async def test_a_part_of_a_share_has_its_stop_at_the_broker_and_its_target_here(rig: Rig) -> None:
    await bought_by_hand(rig, "0.4")
    async with rig.desk() as desk:
        bracket_id = await adopted(rig, desk)
        await until(lambda: watches_target(desk, bracket_id))
        target = desk.bracket(bracket_id).take_profit_price
        assert target is not None
        await pass_price(rig, desk, "AAPL", target * Decimal("1.001"))
        await until(lambda: desk.bracket(bracket_id).status.value == "closed")
        stop, close = sorted(exits(await rig.orders(), "AAPL"), key=lambda order: order["created_at"])
        assert (stop["status"], close["status"], close["qty"]) == ("canceled", "filled", "0.4")
        assert await rig.positions() == []


async def test_when_its_stop_dies_with_the_day_another_stands_for_the_next(tmp_path: Path) -> None:
    """The carry sheet, due fifteen minutes before the close, leaves it alone: the broker takes no other."""
    async with rig_at(tmp_path, BEFORE_CLOSE) as rig:
        await bought_by_hand(rig, "0.4")
        async with rig.desk() as desk:
            bracket_id = await adopted(rig, desk)

            def stops() -> list[str]:
                return [o.status.value for o in desk.bracket(bracket_id).orders if o.type.value == "stop"]

            await until(lambda: stops() == ["expired", "accepted"], patience_s=40)
            old, new = sorted(exits(await rig.orders(), "AAPL"), key=lambda order: order["created_at"])
            assert (old["expires_at"], new["expires_at"]) == ("2026-11-24T21:00:00Z", "2026-11-25T21:00:00Z")
            assert desk.bracket(bracket_id).covered_qty == Decimal("0.4")
