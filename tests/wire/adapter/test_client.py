"""The typed calls: what goes out, and what comes back as what."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from engine.alpaca import market_data
from engine.alpaca.bodies import encode_body
from engine.alpaca.budget import Lane
from engine.alpaca.client import AlpacaClient, open_client
from engine.alpaca.errors import DuplicateClientOrderId, Purpose
from engine.clock import SystemClock
from engine.errors import AmbiguousError, RetryableError, TerminalError
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock
from tests.wire.adapter.raw_server import Answer, RawServer, raw_server
from tests.wire.adapter.samples import BRACKET, CLOCK, ORDER, REPLACEMENT, SECRET, access_to


@dataclass
class Pair:
    server: RawServer
    client: AlpacaClient

    @property
    def sent(self) -> tuple[str, str]:
        request = self.server.seen[-1]
        return request.method, request.path


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with raw_server(Answer(200, ORDER)) as server, open_client(access_to(server.url), SystemClock()) as client:
        yield Pair(server, client)


async def test_the_journaled_body_is_sent_byte_for_byte(pair: Pair) -> None:
    answer = await pair.client.submit(BRACKET, purpose=Purpose.ENTRY)
    assert pair.sent == ("POST", "/v2/orders")
    assert pair.server.seen[-1].body == encode_body(BRACKET)
    assert pair.server.seen[-1].headers["content-type"] == "application/json"
    assert answer.value.id == "o-1"


async def test_keys_travel_in_headers_of_rest_requests(pair: Pair) -> None:
    await pair.client.order("o-1")
    headers = pair.server.seen[-1].headers
    assert headers["apca-api-key-id"] == "KEY-ID"
    assert headers["apca-api-secret-key"] == SECRET


async def test_an_answer_carries_its_evidence(pair: Pair) -> None:
    pair.server.usual = Answer(
        200, CLOCK, {"X-Request-ID": "req-7", "X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "150"}
    )
    clock = SystemClock()
    before_s = clock.monotonic_s()
    first, second = await pair.client.clock(), await pair.client.clock()
    assert first.request_id == "req-7"
    assert first.status_code == 200
    assert before_s <= first.sent_at_s <= first.answered_at_s <= second.sent_at_s
    assert (first.opened_connection, second.opened_connection) == (True, False)
    assert (first.rate_limit, first.rate_remaining) == (200, 150)
    assert first.value.timestamp == datetime(2026, 8, 21, 14, 0, 0, 123456, tzinfo=UTC)
    assert [request.request_id for request in pair.client.transport.recent] == ["req-7", "req-7"]


async def test_another_program_on_the_account_is_seen_in_the_headers(pair: Pair) -> None:
    pair.server.usual = Answer(200, CLOCK, {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "40"})
    await pair.client.clock()
    assert pair.client.budget.would_wait(Lane.ENTRY)
    assert not pair.client.budget.would_wait(Lane.EXIT)
    assert pair.client.budget.remaining(Lane.EXIT) == 40


async def test_writes_go_where_they_should(pair: Pair) -> None:
    pair.server.usual = Answer(200, ORDER | {"id": "o-2", "client_order_id": "c-2", "replaces": "o-1"})
    await pair.client.replace("o-1", REPLACEMENT, purpose=Purpose.PROTECT)
    assert pair.sent == ("PATCH", "/v2/orders/o-1")
    pair.server.usual = Answer(204)
    answer = await pair.client.cancel("o-1")
    assert pair.sent == ("DELETE", "/v2/orders/o-1")
    assert (answer.value, answer.status_code) == (None, 204)


async def test_absence_is_none(pair: Pair) -> None:
    pair.server.usual = Answer(404, {"code": 40410000, "message": "not found"}, {"X-Request-ID": "req-9"})
    assert (await pair.client.position("AAPL")).value is None
    assert (await pair.client.order("o-9")).value is None
    assert (await pair.client.asset("NOPE")).value is None
    answer = await pair.client.order_by_client_id("c 9/ä")
    assert (answer.value, answer.status_code, answer.request_id) == (None, 404, "req-9")
    assert pair.sent[1] == "/v2/orders:by_client_order_id?client_order_id=c+9/%C3%A4"


async def test_a_gateways_404_is_no_absence(pair: Pair) -> None:
    pair.server.usual = Answer(404, b"<html>no such page</html>", {"Content-Type": "text/html"})
    with pytest.raises(RetryableError):
        await pair.client.position("AAPL")


async def test_a_crypto_symbol_stays_one_path_segment(pair: Pair) -> None:
    pair.server.usual = Answer(404, {"code": 40410000, "message": "position does not exist"})
    await pair.client.position("BTC/USD")
    assert pair.sent[1] == "/v2/positions/BTC%2FUSD"


async def test_order_queries_are_spelled_as_the_api_wants(pair: Pair) -> None:
    pair.server.usual = Answer(200, [])
    after = datetime(2026, 8, 21, 14, 0, tzinfo=UTC)
    answer = await pair.client.orders(status="all", symbols=["AAPL", "MSFT"], after=after, direction="asc")
    assert answer.value.items == ()
    assert pair.sent[1] == (
        "/v2/orders?status=all&symbols=AAPL,MSFT&after=2026-08-21T14:00:00%2B00:00&limit=500&nested=true&direction=asc"
    )


async def test_one_bad_row_leaves_its_neighbours(pair: Pair) -> None:
    bad = {"id": "o-2", "status": "new", "qty": "NaN"}
    pair.server.usual = Answer(200, [ORDER, bad, {"status": "new"}, 5, ORDER | {"id": "o-3"}])
    rows = (await pair.client.orders()).value
    assert [order.id for order in rows.items] == ["o-1", "o-3"]
    assert [row.why for row in rows.unreadable] == [
        "Order.qty: not a number: 'NaN'",
        "Order.id is missing",
        "expected a JSON object, found 5",
    ]
    assert json.loads(rows.unreadable[0].raw) == bad


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>maintenance</html>", {"Content-Type": "text/html"}),
        Answer(200, b'{"id": "o-1", "status"'),
        Answer(200, {"status": "accepted"}),
        Answer(200, []),
        Answer(200, b"[" * 100_000),
        Answer(200, b"\xff\xfe"),
    ],
    ids=["html", "cut json", "no id", "a list", "deep", "no utf-8"],
)
async def test_an_unreadable_answer_to_a_submit_is_ambiguous(pair: Pair, answer: Answer) -> None:
    pair.server.usual = answer
    with pytest.raises(AmbiguousError):
        await pair.client.submit(BRACKET, purpose=Purpose.ENTRY)


async def test_a_refusal_comes_classified(pair: Pair) -> None:
    pair.server.usual = Answer(422, {"code": 40010001, "message": "client_order_id must be unique"})
    with pytest.raises(DuplicateClientOrderId):
        await pair.client.submit(BRACKET, purpose=Purpose.ENTRY)


async def test_a_slot_taken_beforehand_is_used(pair: Pair) -> None:
    slot = await pair.client.budget.acquire(Lane.ENTRY)
    await pair.client.submit(BRACKET, purpose=Purpose.ENTRY, slot=slot)
    assert not slot.is_open
    assert pair.client.budget.remaining(Lane.EXIT) == pair.client.budget.limit - 1


async def test_warming_up_opens_connections_that_the_first_order_uses(pair: Pair) -> None:
    pair.server.usual = Answer(200, CLOCK)
    assert await pair.client.warm_up(3) == 3
    assert pair.server.connections == 3
    pair.server.usual = Answer(200, ORDER)
    answer = await pair.client.submit(BRACKET, purpose=Purpose.ENTRY)
    assert not answer.opened_connection
    assert pair.server.connections == 3


def test_connections_are_kept_warm_while_the_budget_has_room() -> None:
    async def main() -> None:
        clock = virtual_clock()
        async with raw_server(Answer(200, CLOCK)) as server, open_client(access_to(server.url), clock) as client:
            task = asyncio.create_task(client.keep_warm(), name="keep warm")
            await clock.sleep(59)
            assert len(server.seen) == 6
            for _ in range(client.budget.remaining(Lane.READ)):
                (await client.budget.acquire(Lane.READ)).spend()
            await clock.sleep(20)
            assert len(server.seen) == 6
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run_virtually(main())


async def test_warming_up_survives_a_broker_in_trouble(pair: Pair) -> None:
    pair.server.usual = Answer(503, {"message": "maintenance"})
    assert await pair.client.warm_up(2) == 0


async def test_assets_come_in_full(pair: Pair) -> None:
    rows = [{"id": f"a-{number}", "symbol": f"S{number}", "class": "us_equity"} for number in range(450)]
    pair.server.usual = Answer(200, [*rows, {"symbol": "no id"}])
    assets = (await pair.client.assets()).value
    assert len(assets.items) == 450
    assert len(assets.unreadable) == 1
    assert pair.sent[1] == "/v2/assets?status=active&asset_class=us_equity"


async def test_calendar_and_activities(pair: Pair) -> None:
    pair.server.usual = Answer(200, [{"date": "2026-11-27", "open": "09:30", "close": "13:00", "session_open": "0400"}])
    day = (await pair.client.calendar(date(2026, 11, 27), date(2026, 11, 27))).value.items[0]
    assert (day.date, day.close.hour) == (date(2026, 11, 27), 13)
    pair.server.usual = Answer(200, [{"id": "1::x", "activity_type": "FILL", "price": "1.63", "qty": "1"}])
    fill = (await pair.client.activities(page_token="0::w")).value.items[0]
    assert fill.price == Decimal("1.63")
    assert pair.sent[1] == "/v2/account/activities/FILL?page_token=0::w&page_size=100&direction=asc"


async def test_one_orders_executions_and_pages_by_order_id(pair: Pair) -> None:
    pair.server.usual = Answer(200, [])
    await pair.client.activities(order_id="o-1", page_size=50)
    assert pair.sent[1] == "/v2/account/activities/FILL?order_id=o-1&page_size=50&direction=asc"
    await pair.client.orders(status="all", before_order_id="o-1", limit=100)
    assert pair.sent[1] == "/v2/orders?status=all&before_order_id=o-1&limit=100&nested=true&direction=desc"
    with pytest.raises(ValueError, match="not by both"):
        await pair.client.orders(before_order_id="o-1", after=datetime(2026, 8, 21, tzinfo=UTC))


async def test_the_accounts_own_settings_are_read_and_suspended(pair: Pair) -> None:
    pair.server.usual = Answer(200, {"suspend_trade": False, "max_margin_multiplier": "4", "pdt_check": "entry"})
    found = (await pair.client.configurations()).value
    assert (found.suspend_trade, found.max_margin_multiplier) == (False, Decimal(4))
    pair.server.usual = Answer(200, {"suspend_trade": True})
    assert (await pair.client.suspend_trade(True)).value.suspend_trade
    assert pair.sent == ("PATCH", "/v2/account/configurations")
    assert pair.server.seen[-1].body == b'{"suspend_trade":true}'


async def test_an_answer_that_does_not_say_suspended_proves_nothing(pair: Pair) -> None:
    pair.server.usual = Answer(200, {"suspend_trade": False})
    with pytest.raises(AmbiguousError, match="asking again is safe"):
        await pair.client.suspend_trade(True)


@pytest.mark.parametrize("other", [{"client_order_id": "c-7"}, {"client_order_id": None}, {"client_order_id": 5}])
async def test_an_answer_about_another_order_is_an_open_question(pair: Pair, other: dict[str, object]) -> None:
    pair.server.usual = Answer(200, ORDER | other)
    with pytest.raises(AmbiguousError):
        await pair.client.submit(BRACKET, purpose=Purpose.CLOSE)
    with pytest.raises(AmbiguousError):
        await pair.client.replace("o-1", REPLACEMENT, purpose=Purpose.CLOSE)


@pytest.mark.parametrize("body", [b"<<<", b"[]", b'"canceled"', b"null"])
async def test_a_cancel_is_acknowledged_without_a_word_or_not_at_all(pair: Pair, body: bytes) -> None:
    pair.server.usual = Answer(200, body, {"Content-Type": "application/json"})
    with pytest.raises(AmbiguousError, match="canceling again is safe"):
        await pair.client.cancel("o-1")


async def test_rows_for_an_answer_to_one_write_are_an_open_question(pair: Pair) -> None:
    pair.server.usual = Answer(207, [{"id": "o-1", "status": 500, "body": None}])
    with pytest.raises(AmbiguousError):
        await pair.client.cancel("o-1")
    with pytest.raises(AmbiguousError):
        await pair.client.submit(BRACKET, purpose=Purpose.CLOSE)


async def test_coins_have_paths_of_their_own_and_no_feed(pair: Pair) -> None:
    good = {"ap": 64_001.5, "as": 1, "bp": 64_000, "bs": 2, "t": "2026-08-17T10:07:40.286587431Z"}
    pair.server.usual = Answer(200, {"quotes": {"BTC/USD": good}})
    assert (await pair.client.latest_crypto_quotes(["BTC/USD"])).value.items[0].ask_price == Decimal("64001.5")
    assert pair.sent[1] == "/v1beta3/crypto/us/latest/quotes?symbols=BTC/USD"
    pair.server.usual = Answer(200, {"bars": {}, "next_page_token": None})
    await pair.client.crypto_daily_bars(["BTC/USD"], datetime(2026, 6, 1, tzinfo=UTC))
    assert pair.sent[1].startswith("/v1beta3/crypto/us/bars?symbols=BTC/USD&timeframe=1Day&start=")
    assert "feed" not in pair.sent[1]
    assert "adjustment" not in pair.sent[1]


async def test_corporate_actions_come_by_kind_and_page(pair: Pair) -> None:
    split = {"id": "a", "symbol": "NVDA", "old_rate": 1, "new_rate": 10, "ex_date": "2026-08-24", "cusip": "67066G104"}
    merger = {"id": "b", "acquiree_symbol": "X", "rate": 55.0, "process_date": "2026-08-25"}
    pages = [
        {"corporate_actions": {"forward_splits": [split]}, "next_page_token": "more"},
        {"corporate_actions": {"cash_mergers": [merger], "moon_landings": [{"ex_date": "soon"}]}},
    ]
    pair.server.script.extend(Answer(200, page) for page in pages)
    found = (await pair.client.corporate_actions(["X", "NVDA"], date(2026, 8, 21), date(2026, 8, 28))).value
    assert [(action.kind, action.id, action.new_rate) for action in found.items] == [
        ("forward_splits", "a", Decimal(10)),
        ("cash_mergers", "b", None),
    ]
    assert [row.why for row in found.unreadable] == ["moon_landings: CorporateAction.ex_date: not a date: 'soon'"]
    assert pair.sent[1] == (
        "/v1/corporate-actions?symbols=NVDA,X&start=2026-08-21&end=2026-08-28&limit=1000&sort=asc&page_token=more"
    )


async def test_quotes_name_the_feed_and_keep_what_is_readable(pair: Pair) -> None:
    good = {"ap": 172.7, "as": 1, "bp": 172.62, "bs": 2, "t": "2026-08-17T10:07:40.286587431Z"}
    pair.server.usual = Answer(200, {"quotes": {"AAPL": good, "TSLA": {"ap": 1}}})
    rows = (await pair.client.latest_quotes(["TSLA", "AAPL"])).value
    assert pair.sent[1] == "/v2/stocks/quotes/latest?symbols=AAPL,TSLA&feed=iex"
    assert [(quote.symbol, quote.ask_price) for quote in rows.items] == [("AAPL", Decimal("172.7"))]
    assert rows.unreadable[0].why == "TSLA: Quote.t is missing"
    assert pair.client.budget.remaining(Lane.EXIT) == pair.client.budget.limit, "market data has its own budget"


async def test_bars_are_read_page_by_page(pair: Pair) -> None:
    bar = {"o": 1, "h": 2, "l": 0.5, "c": 1.5, "v": 100, "t": "2026-08-17T04:00:00Z"}
    pages = [
        {"bars": {"AAPL": [bar, bar]}, "next_page_token": "next=="},
        {"bars": {"AAPL": [bar], "MSFT": [bar, {"o": 1}]}, "next_page_token": None},
    ]
    pair.server.script.extend(Answer(200, page) for page in pages)
    bars = (await pair.client.daily_bars(["AAPL", "MSFT"], datetime(2026, 6, 1, tzinfo=UTC))).value
    assert [len(bars["AAPL"].items), len(bars["MSFT"].items), len(bars["MSFT"].unreadable)] == [3, 1, 1]
    assert bars["AAPL"].items[0].low == Decimal("0.5")
    assert "page_token=next%3D%3D" in pair.sent[1]
    pair.server.usual = Answer(200, {"bars": None, "next_page_token": None})
    assert (await pair.client.minute_bars(["AAPL"], datetime(2026, 6, 1, tzinfo=UTC))).value == {}


async def test_long_pages_are_read_in_steps_and_endless_ones_refused(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = {"o": 1, "h": 2, "l": 0.5, "c": 1.5, "t": "2026-08-17T04:00:00Z"}
    pair.server.usual = Answer(200, {"bars": {"AAPL": [bar] * 450}, "next_page_token": "more"})
    monkeypatch.setattr(market_data, "MAX_PAGES", 2)
    with pytest.raises(ValueError, match="bars asked for at once"):
        await pair.client.minute_bars(["AAPL"], datetime(2026, 6, 1, tzinfo=UTC))
    assert len(pair.server.seen) == 2


async def test_snapshots_keep_what_is_readable(pair: Pair) -> None:
    bar = {"o": 1, "h": 2, "l": 0.5, "c": 1.5, "t": "2026-08-17T04:00:00Z"}
    found = {"AAPL": {"dailyBar": bar, "latestTrade": None}, "MSFT": {"dailyBar": {}}, "NOPE": None}
    pair.server.usual = Answer(200, found)
    rows = (await pair.client.snapshots(["AAPL", "MSFT", "NOPE"])).value
    assert [snapshot.symbol for snapshot in rows.items] == ["AAPL"]
    assert [row.why for row in rows.unreadable] == ["MSFT: Bar.o is missing"]


@pytest.mark.parametrize("body", [{}, [], 5, {"quotes": []}])
async def test_an_answer_of_another_shape_is_lost_not_empty(pair: Pair, body: object) -> None:
    pair.server.usual = Answer(200, body)
    with pytest.raises(RetryableError):
        await pair.client.latest_quotes(["AAPL"])
    with pytest.raises(RetryableError):
        await pair.client.account()
    pair.server.usual = Answer(200, {"positions": []})
    with pytest.raises(RetryableError):
        await pair.client.positions()


async def test_no_symbols_or_too_many_are_a_bug_of_the_callers(pair: Pair) -> None:
    for symbols in ([], [f"S{number}" for number in range(501)]):
        with pytest.raises(ValueError, match="symbols a request"):
            await pair.client.latest_quotes(symbols)


async def test_refused_data_subscription_says_what_to_do(pair: Pair) -> None:
    pair.server.usual = Answer(403, {"message": "subscription does not permit querying recent SIP data"})
    with pytest.raises(TerminalError, match="iex feed"):
        await pair.client.snapshots(["AAPL"])
