"""The calls about exits over HTTP, with a real desk and a real exchange behind them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import aiohttp

from engine.clock import SystemClock
from engine.intake.api import ApiSettings, serve_api
from tests.wire.api.conftest import Client
from tests.wire.desk.conftest import Rig, protected, until


async def test_every_call_about_exits_does_what_the_manual_says(rig: Rig, tmp_path: Path) -> None:
    settings = ApiSettings(port=0, data_dir=tmp_path)
    async with (
        rig.desk() as desk,
        serve_api(desk, settings, SystemClock()) as server,
        aiohttp.ClientSession() as session,
    ):
        token = (tmp_path / "api-token").read_text(encoding="utf-8").strip()
        api = Client(server, session, token)
        bracket = await protected(desk, rig.signal("AAPL"))
        path = f"/v1/brackets/{bracket.id}"
        assert bracket.stop_price is not None

        await until(lambda: desk.exits.plans(bracket.id).plans[0].kind == "target_to_market")  # its target works now
        shown = (await api.call("GET", f"{path}/plans")).json
        assert shown["state"] == "sound"
        assert {"id", "kind", "sentence", "requests", "naked_s", "worst_loss_usd", "if_step_two_fails"} <= set(
            shown["plans"][0]
        )

        stop = str(bracket.stop_price + Decimal("0.10"))
        moved = await api.call("POST", f"{path}/exits", {"stop_price": stop})
        assert (moved.status, moved.json["stop_price"]) == (202, stop)
        assert (await api.call("POST", f"{path}/exits", {})).error == (422, "MISSING_FIELD", "stop_price")
        assert (await api.call("POST", f"{path}/exits", {"stop_price": "1.001"})).error[1] == "SUB_PENNY"
        high = str(bracket.take_profit_price)
        assert (await api.call("POST", f"{path}/exits", {"stop_price": high})).error[:2] == (422, "EXITS_CROSSED")
        assert (await api.call("POST", f"{path}/breakeven")).error[:2] == (409, "STOP_BEYOND_MARKET")

        order_id = moved.json["legs"]["stop_loss"]["id"]
        assert (await api.call("PATCH", f"/v1/orders/{order_id}", {"qty": 5})).error == (422, "NOT_REPLACEABLE", "qty")
        assert (await api.call("PATCH", f"/v1/orders/{order_id}", {})).error[:2] == (422, "MISSING_FIELD")
        patched = await api.call("PATCH", f"/v1/orders/{order_id}", {"stop_price": str(bracket.stop_price)})
        assert (patched.status, patched.json["stop_price"]) == (202, str(bracket.stop_price))

        stale = await api.call("POST", f"{path}/repair", {"plan_id": shown["plans"][0]["id"]})
        assert stale.error == (409, "PLAN_STALE", "plan_id")
        fresh = stale.json["error"]["reasons"]
        assert fresh[0]["kind"] == shown["plans"][0]["kind"]

        untyped = await api.call("POST", f"{path}/unprotected", {"minutes": 5})
        assert untyped.error == (409, "CONFIRM_REQUIRED", "confirm")
        typed = {"minutes": 5, "confirm": "RUN UNPROTECTED"}
        assert (await api.call("POST", f"{path}/unprotected", typed)).json["unprotected_until"] is not None
        assert (await api.call("DELETE", f"{path}/unprotected")).json["unprotected_until"] is None
        assert (await api.call("DELETE", f"{path}/unprotected")).error[:2] == (409, "NOT_UNPROTECTED")

        assert (await api.call("POST", f"{path}/flatten", {"when": "later"})).error[:2] == (422, "UNKNOWN_WHEN")
        assert (await api.call("POST", "/v1/flatten", {"all": True, "when": "now"})).status == 202
