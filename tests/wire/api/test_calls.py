from __future__ import annotations

import json
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from engine.errors import EngineError, JournalUnavailable, OrderDenied, RetryableError
from engine.model.commands import NO_EDITS, Edits
from engine.model.words import Stage
from tests.unit.intake.bodies import SAMPLE, body
from tests.wire.api import views
from tests.wire.api.conftest import Client, Reply
from tests.wire.api.scripted import ScriptedDesk


async def sent(client: Client, **changes: Any) -> str:
    reply = await client.post("/v1/signals", raw=body(**changes))
    assert reply.status == 202, reply.raw
    signal_id = reply.json["id"]
    assert isinstance(signal_id, str)
    return signal_id


async def test_health_has_the_fields_of_the_contract(client: Client) -> None:
    health = (await client.get("/v1/health")).json
    assert list(health)[:10] == [
        "status", "mode", "account", "desk_state", "start_gate", "rest", "stream", "quotes", "journal_seq",
        "loop_lag_ms",
    ]  # fmt: skip
    assert (health["mode"], health["desk_state"], health["journal_seq"]) == ("sim", "active", 0)
    assert health["loop_lag_ms"] == {"p50": 0.1, "p99": 1.0, "max": 2.0}


async def test_a_signal_is_accepted_once_and_known_ever_after(client: Client) -> None:
    first = await client.post("/v1/signals", SAMPLE)
    assert (first.status, first.json) == (202, {"id": "s000001", "status": "pending", "duplicate": False})
    again = await client.post("/v1/signals", SAMPLE)
    assert (again.status, again.json) == (200, {"id": "s000001", "status": "pending", "duplicate": True})


async def test_a_signal_is_told_apart_by_shape_or_pinned(client: Client) -> None:
    order = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day", "qty": 1}
    assert (await client.post("/v1/signals", order)).status == 202
    assert (await client.post("/v1/signals?format=native", order)).error == (422, "MISPLACED_FIELD", "type")
    assert (await client.post("/v1/signals?format=morse", order)).error == (422, "UNKNOWN_FORMAT", "format")


async def test_a_signal_of_wrong_form_is_refused_by_name(client: Client) -> None:
    assert (await client.post("/v1/signals", raw=b"{")).error == (400, "MALFORMED_JSON", None)
    assert (await client.post("/v1/signals", raw=b"")).error == (400, "MALFORMED_JSON", None)
    assert (await client.post("/v1/signals", SAMPLE | {"qty": -1})).error == (422, "NOT_POSITIVE", "qty")


async def test_a_signal_is_shown_with_the_fields_of_the_contract(client: Client) -> None:
    signal = (await client.get(f"/v1/signals/{await sent(client)}")).json
    assert list(signal)[:17] == [
        "id", "source", "strategy", "symbol", "side", "status", "qty", "entry", "stop_loss", "take_profit", "reasons",
        "preview", "created_at", "received_at", "expires_at", "order_ids", "bracket_id",
    ]  # fmt: skip
    assert (signal["qty"], signal["entry"]["limit_price"], signal["bracket_id"]) == ("10", "187.20", None)
    assert signal["created_at"] == "2026-08-21T14:03:07.250000Z"
    assert set(signal["reasons"][0]) == {"code", "text", "measured", "limit", "verdict"}


async def test_signals_are_listed_newest_first_by_status_and_limit(client: Client) -> None:
    ids = [await sent(client, id=f"n{number}") for number in range(120)]

    async def listed(query: str) -> list[str]:
        return [signal["id"] for signal in (await client.get(f"/v1/signals{query}")).json["signals"]]

    assert await listed("") == ids[::-1]
    assert await listed("?limit=2") == ids[:-3:-1]
    await client.post(f"/v1/signals/{ids[7]}/reject")
    assert await listed("?status=rejected") == [ids[7]]
    assert await listed("?status=filled") == []


@pytest.mark.parametrize(
    ("path", "code", "field"),
    [
        ("/v1/signals?limit=0", "OUT_OF_RANGE", "limit"),
        ("/v1/orders?limit=10001", "OUT_OF_RANGE", "limit"),
        ("/v1/brackets?limit=1.5", "OUT_OF_RANGE", "limit"),
        ("/v1/positions?limit=ten", "WRONG_TYPE", "limit"),
        ("/v1/signals?status=open", "UNKNOWN_STATUS", "status"),
        ("/v1/orders?status=filled", "UNKNOWN_STATUS", "status"),
        ("/v1/brackets?status=closed", "UNKNOWN_STATUS", "status"),
        ("/v1/incidents?status=x", "UNKNOWN_STATUS", "status"),
        ("/v1/events?after=-1", "WRONG_TYPE", "after"),
        ("/v1/events?after=x", "WRONG_TYPE", "after"),
        ("/v1/events?after=1", "OUT_OF_RANGE", "after"),
    ],
)
async def test_a_wrong_question_is_refused_by_name(client: Client, path: str, code: str, field: str) -> None:
    assert (await client.get(path)).error == (422, code, field)


async def test_a_preview_can_be_asked_for_with_other_numbers(client: Client) -> None:
    signal_id = await sent(client)
    preview = (await client.get(f"/v1/signals/{signal_id}/preview")).json
    assert list(preview)[:6] == ["preview_id", "sentence", "requests", "verdicts", "risk", "headroom"]
    assert preview["headroom"]["buying_power_before"] == "100000", "no exponent"
    changed = (await client.get(f"/v1/signals/{signal_id}/preview?qty=3&stop_price=185.00")).json
    assert (changed["qty"], changed["stop_price"]) == ("3", "185.00")
    assert (await client.get(f"/v1/signals/{signal_id}/preview?qty=no")).error == (422, "WRONG_TYPE", "qty")


async def test_an_approval_needs_no_body_and_names_its_actor(client: Client, desk: ScriptedDesk) -> None:
    signal_id = await sent(client)
    reply = await client.post(f"/v1/signals/{signal_id}/approve")
    assert (reply.status, reply.json["id"], reply.json["status"]) == (202, signal_id, "approved")
    assert reply.json["preview"] is None
    assert desk.did == [("approve", signal_id, "operate", None, NO_EDITS)]
    assert (await client.post(f"/v1/signals/{signal_id}/approve")).error == (409, "ALREADY_DECIDED", None)


async def test_an_approval_carries_the_preview_and_the_changed_numbers(client: Client, desk: ScriptedDesk) -> None:
    signal_id = await sent(client)
    changes = {"preview_id": "p1", "qty": 5, "limit_price": "187.10", "stop_price": 185.5, "take_profit_price": "190"}
    assert (await client.post(f"/v1/signals/{signal_id}/approve", changes)).status == 202
    edits = Edits(
        qty=Decimal(5), limit_price=Decimal("187.10"), stop_price=Decimal("185.5"), take_profit_price=Decimal(190)
    )
    assert desk.did == [("approve", signal_id, "operate", "p1", edits)]


async def test_an_approval_carries_why_where_a_rule_warns(client: Client, desk: ScriptedDesk) -> None:
    signal_id = await sent(client)
    too_long = await client.post(f"/v1/signals/{signal_id}/approve", {"reason": "x" * 201})
    assert (too_long.status, too_long.json["error"]["field"]) == (422, "reason")
    assert (await client.post(f"/v1/signals/{signal_id}/approve", {"reason": "earnings are out"})).status == 202
    assert desk.did[-1][-1] == "earnings are out"


async def test_an_approval_of_something_else_than_shown_is_refused_with_reasons(client: Client) -> None:
    reply = await client.post(f"/v1/signals/{await sent(client)}/approve", {"preview_id": "old"})
    assert reply.error == (409, "CHANGED_SINCE_SHOWN", None)
    assert [reason["code"] for reason in reply.json["error"]["reasons"]] == ["STALE_QUOTE"]


@pytest.mark.parametrize(
    ("path", "sent_body", "code", "field"),
    [
        ("/v1/signals/s000001/approve", {"quantity": 5}, "UNKNOWN_FIELD", "quantity"),
        ("/v1/signals/s000001/approve", {"qty": "0"}, "NOT_POSITIVE", "qty"),
        ("/v1/signals/s000001/approve", {"limit_price": "187.201"}, "SUB_PENNY", "limit_price"),
        ("/v1/signals/s000001/approve", [], "WRONG_TYPE", None),
        ("/v1/signals/s000001/reject", {"reason": {}}, "WRONG_TYPE", "reason"),
        ("/v1/orders/x/attest", {}, "MISSING_FIELD", "settlement"),
        ("/v1/orders/x/attest", {"settlement": "filled"}, "UNKNOWN_SETTLEMENT", "settlement"),
        ("/v1/orders/x/lookup", {"now": True}, "UNKNOWN_FIELD", "now"),
        ("/v1/start-gate", {"settlement": "adopt"}, "MISSING_FIELD", "difference_id"),
        ("/v1/start-gate", {"difference_id": "d1"}, "MISSING_FIELD", "settlement"),
        ("/v1/state", None, "MISSING_FIELD", "state"),
        ("/v1/state", {"state": "asleep"}, "UNKNOWN_STATE", "state"),
        ("/v1/state", {"state": "paused", "scope": "moon"}, "BAD_SCOPE", "scope"),
        ("/v1/flatten", None, "MISSING_FIELD", "symbol"),
        ("/v1/flatten", {}, "MISSING_FIELD", "symbol"),
        ("/v1/flatten", {"all": False}, "WRONG_TYPE", "all"),
        ("/v1/flatten", {"all": "true"}, "WRONG_TYPE", "all"),
        ("/v1/flatten", {"all": True, "symbol": "AAPL"}, "MISSING_FIELD", "symbol"),
        ("/v1/flatten", {"symbol": ""}, "MISSING_FIELD", "symbol"),
        ("/v1/flatten", {"all": True, "now": 1}, "UNKNOWN_FIELD", "now"),
    ],
)
async def test_a_wrong_command_is_refused_by_name_and_never_reaches_the_desk(
    client: Client, desk: ScriptedDesk, path: str, sent_body: Any, code: str, field: str | None
) -> None:
    assert (await client.post(path, sent_body)).error == (422, code, field)
    assert desk.did == []
    assert desk.journal == []


async def test_a_command_that_is_no_json_is_malformed(client: Client) -> None:
    assert (await client.post("/v1/flatten", raw=b"all")).error == (400, "MALFORMED_JSON", None)


async def test_a_rejection_carries_its_reason(client: Client) -> None:
    reply = await client.post(f"/v1/signals/{await sent(client)}/reject", {"reason": "earnings tonight"})
    assert (reply.status, reply.json["status"]) == (200, "rejected")
    assert reply.json["decision_note"] == "earnings tonight"


async def test_orders_are_shown_with_the_fields_of_the_contract(client: Client) -> None:
    [order] = (await client.get("/v1/orders")).json["orders"]
    assert list(order)[:16] == [
        "id", "client_order_id", "broker_id", "symbol", "side", "type", "status", "qty", "filled_qty",
        "filled_avg_price", "limit_price", "stop_price", "order_class", "role", "bracket_id", "unresolved_since",
    ]  # fmt: skip
    assert (await client.get(f"/v1/orders/{order['id']}")).json == order
    assert (await client.get("/v1/orders?status=all&limit=1")).json["orders"] == [order]


async def test_every_command_reaches_the_desk_and_answers_its_picture(client: Client, desk: ScriptedDesk) -> None:
    order, bracket = f"/v1/orders/{views.ORDER.id}", "/v1/brackets/b000001"
    replies = [
        await client.call("DELETE", order),
        await client.post(f"{order}/lookup"),
        await client.post(f"{order}/attest", {"settlement": "never_reached"}),
        await client.post(f"{bracket}/retry"),
        await client.post(f"{bracket}/flatten", {}),
        await client.post("/v1/flatten", {"symbol": "aapl"}),
        await client.post("/v1/flatten", {"all": True}),
        await client.post("/v1/incidents/i000001/ack"),
    ]
    assert [reply.status for reply in replies] == [202, 200, 200, 202, 202, 202, 202, 200]
    assert [reply.json["id"] for reply in replies[:5]] == [views.ORDER.id] * 3 + ["b000001"] * 2
    assert [bracket["id"] for bracket in replies[5].json["brackets"]] == ["b000001"]
    assert replies[7].json["acked_by"] == "operate"
    assert desk.did == [
        ("cancel", views.ORDER.id, "operate"),
        ("lookup", views.ORDER.id, "operate"),
        ("attest", views.ORDER.id, "operate", "never_reached"),
        ("retry", "b000001", "operate"),
        ("flatten", "b000001", "operate"),
        ("flatten", "AAPL", "operate"),
        ("flatten", None, "operate"),
    ]


async def test_brackets_and_positions_have_the_fields_of_the_contract(client: Client) -> None:
    [bracket] = (await client.get("/v1/brackets")).json["brackets"]
    assert list(bracket)[:16] == [
        "id", "signal_id", "symbol", "side", "status", "qty", "held_qty", "covered_qty", "cover_kind", "naked_qty",
        "naked_s", "plan", "legs", "attempts", "last_error", "evidence",
    ]  # fmt: skip
    assert list(bracket["legs"]) == ["entry", "take_profit", "stop_loss"]
    assert bracket["evidence"] == {"source": "rest", "id": "req-1", "at": "2026-08-21T14:03:07.250000Z"}
    assert (await client.get("/v1/brackets/b000001")).json == bracket
    [position] = (await client.get("/v1/positions")).json["positions"]
    assert list(position)[:8] == [
        "symbol", "qty", "avg_entry_price", "market_price", "unrealized_pl", "covered_qty", "naked_qty", "strategy",
    ]  # fmt: skip
    assert (position["qty"], position["market_price"]) == ("-4", None)


async def test_the_account_the_incidents_and_the_latencies_are_shown(client: Client) -> None:
    account = (await client.get("/v1/account")).json
    assert (account["equity"], account["cash"]) == ("100000.00", "0.000000001")
    [incident] = (await client.get("/v1/incidents?status=all")).json["incidents"]
    assert incident == (await client.get("/v1/incidents/i000001")).json
    latency = (await client.get("/v1/latency")).json
    assert list(latency["stages"]) == list(Stage)
    assert latency["stages"]["total"] == {"count": 0, "p50_ms": None, "p95_ms": None, "p99_ms": None, "max_ms": None}
    assert set(latency["loop_lag"]) == {"p50", "p99", "max"}


async def test_a_text_that_looks_like_a_number_with_an_exponent_stays_as_it_is(client: Client) -> None:
    signal_id = await sent(client, note="1E+5")
    assert (await client.get(f"/v1/signals/{signal_id}")).json["note"] == "1E+5"


async def test_the_state_is_set_by_scope_and_released_only_by_a_typed_word(client: Client, desk: ScriptedDesk) -> None:
    reply = await client.post("/v1/state", {"state": "halted"})
    assert (reply.status, reply.json["desk_state"]) == (200, "halted")
    assert (await client.post("/v1/state", {"state": "active"})).error == (409, "CONFIRM_REQUIRED", "confirm")
    assert (await client.post("/v1/state", {"state": "active", "confirm": "RELEASE"})).json["desk_state"] == "active"
    await client.post("/v1/state", {"state": "paused", "scope": "symbol:aapl"})
    await client.post("/v1/state", {"state": "reducing", "scope": "strategy:mean reversion"})
    assert desk.states == {"desk": "active", "symbol:AAPL": "paused", "strategy:mean reversion": "reducing"}


async def test_orders_are_polled_at_a_word(client: Client, desk: ScriptedDesk) -> None:
    assert (await client.post("/v1/stream", {"polling": True})).status == 200
    assert (await client.post("/v1/stream", {"polling": False})).status == 200
    assert [(what, on) for what, on, _ in desk.did] == [("poll", True), ("poll", False)]
    assert (await client.post("/v1/stream", {"polling": "yes"})).error == (422, "WRONG_TYPE", "polling")
    assert (await client.post("/v1/stream", {})).error == (422, "MISSING_FIELD", "polling")


async def test_the_start_gate_shows_its_differences_and_takes_their_settlement(
    client: Client, desk: ScriptedDesk
) -> None:
    gate = (await client.get("/v1/start-gate")).json
    assert gate["start_gate"] == "locked"
    assert [difference["id"] for difference in gate["differences"]] == ["d1"]
    asked = {"difference_id": "d1", "settlement": "adopt", "stop_price": "101.50"}
    settled = await client.post("/v1/start-gate", asked)
    assert (settled.status, settled.json) == (200, {"start_gate": "open", "differences": []})
    assert desk.did == [("settle", "d1", "adopt", "operate", Decimal("101.50"), None)]
    again = await client.post("/v1/start-gate", {"difference_id": "d1", "settlement": "adopt"})
    assert again.error == (404, "NOT_FOUND", None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/signals/s999999"),
        ("GET", "/v1/signals/s999999/preview"),
        ("POST", "/v1/signals/s999999/approve"),
        ("POST", "/v1/signals/s999999/reject"),
        ("GET", "/v1/orders/x"),
        ("DELETE", "/v1/orders/x"),
        ("POST", "/v1/orders/x/lookup"),
        ("GET", "/v1/brackets/x"),
        ("POST", "/v1/brackets/x/retry"),
        ("POST", "/v1/brackets/x/flatten"),
        ("POST", "/v1/incidents/x/ack"),
        ("GET", "/v1/nothing"),
        ("GET", "/v1"),
        ("GET", "/"),
        ("GET", "/v1/signals/a%2Fb"),
    ],
)
async def test_what_does_not_exist_is_not_found(client: Client, method: str, path: str) -> None:
    assert (await client.call(method, path)).error == (404, "NOT_FOUND", None)


async def test_a_method_that_a_path_does_not_take_is_named_with_those_it_takes(client: Client) -> None:
    reply = await client.call("PUT", "/v1/signals")
    assert reply.error == (405, "METHOD_NOT_ALLOWED", None)
    assert reply.headers["Allow"] == "GET,POST"


async def test_a_body_of_a_mebibyte_is_read_and_a_larger_one_is_not(client: Client) -> None:
    mebibyte = 1024 * 1024

    async def padded(size: int, **options: Any) -> Reply:
        text = json.dumps(SAMPLE).encode()
        return await client.post("/v1/signals", raw=BytesIO(text + b" " * (size - len(text))), **options)

    assert (await padded(mebibyte)).status == 202
    assert (await padded(mebibyte + 1)).error == (413, "TOO_LARGE", None)

    async def in_chunks() -> Any:
        for _ in range(33):
            yield b" " * 32_768

    assert (await client.post("/v1/signals", raw=in_chunks())).error == (413, "TOO_LARGE", None)
    assert (await client.post("/v1/brackets/b000001/retry", raw=BytesIO(b" " * (mebibyte + 1)))).error[0] == 413


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (JournalUnavailable("the disk is full"), 503, "JOURNAL_UNAVAILABLE"),
        (RetryableError("the broker is away"), 502, "BROKER_ERROR"),
        (OrderDenied("the quote is old", [views.DENY]), 409, "DENIED"),
        (EngineError("this must not be"), 500, "INTERNAL"),
        (ZeroDivisionError("a bug"), 500, "INTERNAL"),
        (RecursionError("a bug"), 500, "INTERNAL"),
    ],
)
async def test_a_desk_in_trouble_still_answers_in_form(
    client: Client, desk: ScriptedDesk, failure: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.fails = failure
    reply = await client.get("/v1/account")
    assert reply.error == (status, code, None)
    assert ("/v1/account failed" in caplog.text) == (status == 500)
    assert "bug" not in reply.raw.decode()
