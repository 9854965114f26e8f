"""Many hands at once, on a real exchange: what fits is sent and nothing else, and nobody asks the broker for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from engine.desk import Desk
from engine.errors import CommandRefused
from engine.exchange.rest import Request, Response, Rest
from engine.reconcile import Reconciler
from tests.wire.desk.conftest import Rig, until

TEN = ("AAPL", "MSFT", "JPM", "NVDA", "AMZN", "META", "WMT", "TSLA", "XOM", "JNJ")
NO_LIMIT = {"max_symbol_exposure_pct": 100.0}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Requests that came to the exchange, by method and path, and the timer's looks that read the account."""
    counted: Counter[str] = Counter()
    handle, everything = Rest.handle, Reconciler.everything

    def count(self: Rest, request: Request) -> Response:
        counted[f"{request.method} {request.path.partition('?')[0]}"] += 1
        return handle(self, request)

    async def look(self: Reconciler, *, slow: bool = True) -> None:
        counted["looks"] += slow
        await everything(self, slow=slow)

    monkeypatch.setattr(Rest, "handle", count)
    monkeypatch.setattr(Reconciler, "everything", look)
    return counted


async def received(desk: Desk, raws: list[bytes]) -> list[str]:
    """Signals that could each be approved now."""
    ids = [(await desk.receive(raw))[0].id for raw in raws]
    await until(lambda: all(desk.preview(signal_id).approvable for signal_id in ids))
    return ids


async def click(desk: Desk, signal_ids: list[str]) -> list[str | None]:
    """Approve all of them at once; returns each one's refusal."""
    clicks = (desk.approve(signal_id, actor=f"hand {n}") for n, signal_id in enumerate(signal_ids))
    answers: list[Any] = await asyncio.gather(*clicks, return_exceptions=True)
    codes = [answer.code if isinstance(answer, CommandRefused) else None for answer in answers]
    assert not [one for one in answers if isinstance(one, BaseException) and not isinstance(one, CommandRefused)]
    return codes


def worth(rig: Rig, symbol: str, usd: int) -> bytes:
    """A resting entry of about so much."""
    return rig.resting(symbol, qty=int(usd / (rig.price(symbol) * Decimal("0.95"))))


@pytest.mark.parametrize(
    ("limits", "fitting"),
    [
        ({"max_open_positions": 3}, 3),
        ({"max_working_orders": 4}, 4),
        ({"max_orders_per_day": 6}, 6),
        # Each is some 9.5 % of the 100,000 of equity: four are 38 %, five would be 47.
        ({"max_gross_exposure_pct": 40.0}, 4),
        ({"max_net_exposure_pct": 20.0}, 2),
    ],
)
async def test_of_ten_that_exceed_a_limit_together_exactly_those_that_fit_are_sent(
    rig: Rig, limits: dict[str, Any], fitting: int
) -> None:
    async with rig.desk(limits=limits) as desk:
        ids = await received(desk, [worth(rig, symbol, 9_500) for symbol in TEN])
        codes = await click(desk, ids)
        assert codes == [None] * fitting + ["DENIED"] * (10 - fitting)
        await until(lambda: all(desk.signal(key).status.value == "working" for key in ids[:fitting]))
        assert {entry["symbol"] for entry in await rig.entries()} == set(TEN[:fitting])
        assert {desk.signal(key).status.value for key in ids[fitting:]} == {"pending"}


async def test_ten_market_entries_never_spend_more_than_the_broker_lends(rig: Rig) -> None:
    """They fill at once: what the first have cost must not be lent to the next by an older account picture."""
    async with rig.desk(limits=NO_LIMIT) as desk:
        lent = desk.account().buying_power
        assert lent is not None
        raws = [rig.signal(symbol, qty=int(lent * Decimal("0.22") / rig.price(symbol))) for symbol in TEN]
        ids = await received(desk, raws)
        codes = await click(desk, ids[:2])
        assert codes == [None, None]
        await until(lambda: all(desk.signal(key).status.value == "filled" for key in ids[:2]))
        # 44 % are spent: two more fit, a third does not, whether or not the account has been read since.
        codes = await click(desk, ids[2:])
        assert codes == [None, None] + ["DENIED"] * 6
        await until(lambda: all(desk.signal(key).status.value == "filled" for key in ids[:4]))
        assert len(await rig.entries()) == 4
        assert not [order for order in await rig.orders() if order["status"] == "rejected"]


async def test_two_signals_of_one_symbol_approved_at_once_make_one_entry(rig: Rig) -> None:
    async with rig.desk() as desk:
        ids = await received(desk, [rig.signal("NVDA", qty=2), rig.signal("NVDA", qty=3)])
        assert await click(desk, ids) == [None, "ENTRY_IN_FLIGHT"]
        await until(lambda: desk.signal(ids[0]).status.value == "filled")
        assert len(await rig.entries()) == 1
        assert await click(desk, ids[1:]) == ["DENIED"], "now it is held"


async def test_a_hundred_approvals_cause_no_account_request_beyond_the_timer(rig: Rig, asked: Counter[str]) -> None:
    """Four times 25 entries that rest; between them they are canceled, so that their symbols are free again."""
    symbols = [asset.symbol for asset in rig.exchange.exchange.market.assets if asset.easy_to_borrow][:25]
    async with rig.desk(broker={"requests_per_minute": 100_000}, correlation={"enabled": False}) as desk:
        waves = [await received(desk, [rig.resting(symbol, qty=1) for symbol in symbols]) for _ in range(4)]
        await asyncio.sleep(1.2)  # whatever receiving them has caused is over
        asked.clear()
        for wave in waves:
            assert await click(desk, wave) == [None] * 25
            await until(lambda wave=wave: all(desk.signal(key).status.value == "working" for key in wave))  # type: ignore[misc]
            for order in desk.orders("open"):
                if order.role == "entry":
                    await desk.cancel_order(order.id, actor="test")
            await until(lambda: not desk.orders("open"))
        await asyncio.sleep(1.2)  # time for whatever they would have caused
        assert asked["POST /v2/orders"] == 100
        assert asked["GET /v2/account"] == asked["looks"]
        assert asked["GET /v2/orders:by_client_order_id"] == 0


async def test_a_thousand_approvals_of_one_signal_send_one_request(rig: Rig, asked: Counter[str]) -> None:
    async with rig.desk() as desk:
        (signal_id,) = await received(desk, [rig.resting("XOM")])
        asked.clear()
        codes = await click(desk, [signal_id] * 1000)
        assert Counter(codes) == {None: 1, "ALREADY_DECIDED": 999}
        await until(lambda: desk.signal(signal_id).status.value == "working")
        assert asked["POST /v2/orders"] == 1
        assert len(await rig.entries()) == 1
