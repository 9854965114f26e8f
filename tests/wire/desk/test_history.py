"""Daily bars of a running desk: one batch for what is in play, none for what is known, and the figures they give."""

from __future__ import annotations

import pytest

from engine.exchange.rest import Request, Response, Rest
from tests.wire.desk.conftest import Rig, protected, until


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths with query of all requests that reach the exchange."""
    seen: list[str] = []
    handle = Rest.handle

    def noted(rest: Rest, request: Request) -> Response:
        seen.append(f"{request.method} {request.path} {request.query.get('symbols', '')}".strip())
        return handle(rest, request)

    monkeypatch.setattr(Rest, "handle", noted)
    return seen


def bars_of(asked: list[str]) -> list[str]:
    return [line.rpartition(" ")[2] for line in asked if "/stocks/bars" in line]


async def test_bars_are_asked_for_once_and_a_restart_reads_them_from_its_folder(rig: Rig, asked: list[str]) -> None:
    async with rig.desk(sizing={"method": "atr"}) as desk:
        for symbol in ("AAPL", "MSFT", "AAPL"):
            view, _ = await desk.receive(rig.signal(symbol, qty=None))
            await until(
                lambda view=view: (
                    "ATR" in desk.preview(view.id).size_reason or "limited" in desk.preview(view.id).size_reason
                )
            )
        assert sorted(",".join(bars_of(asked)).split(",")) == ["AAPL", "MSFT", "SPY"]
    asked.clear()
    async with rig.desk(sizing={"method": "atr"}) as desk:
        view, _ = await desk.receive(rig.signal("MSFT", qty=None))
        await until(lambda: desk.preview(view.id).qty > 0)
        assert bars_of(asked) == []
    assert (rig.folder / "daily-bars.json").is_file()


async def test_a_preview_shows_the_cluster_and_the_beta_before_and_after(rig: Rig) -> None:
    async with rig.desk(correlation={"threshold": 0.05, "max_cluster_pct": 15.0}) as desk:
        held = await protected(desk, rig.signal("NVDA", qty=20))
        waiting, _ = await desk.receive(rig.signal("MSFT", qty=20))
        await until(lambda: desk.preview(waiting.id).beta)
        view, _ = await desk.receive(rig.signal("AAPL", qty=20))
        await until(lambda: desk.preview(view.id).beta and len(desk.preview(view.id).cluster.symbols) == 1)
        shown = desk.preview(view.id)
        assert shown.cluster is not None
        assert shown.beta is not None
        assert shown.beta.after > shown.beta.before > 0
        assert (shown.cluster.symbols, shown.cluster.unknown) == (("NVDA",), ())
        assert (shown.cluster.count_before, shown.cluster.count_after, shown.cluster.count_if_pending) == (1, 2, 3)
        assert shown.cluster.pct_before is not None
        assert shown.cluster.pct_after is not None
        assert shown.cluster.pct_if_pending is not None
        assert 0 < shown.cluster.pct_before < shown.cluster.pct_after < shown.cluster.pct_if_pending
        assert {"CORRELATION", "CORRELATION_PENDING"} <= {reason.code for reason in shown.verdicts}
        assert held.held_qty == 20
