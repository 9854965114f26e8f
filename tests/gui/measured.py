"""Numbers that look measured: seeded price walks and latency samples."""

from __future__ import annotations

import random

from engine.views import BarView, EndpointView, LagView, LatencyView, StageStats
from tests.gui.scene_pieces import SceneSample
from tests.gui.scenery import ago


def _endpoint(name: str, count: int, p50: float, **bad: int) -> EndpointView:
    counted = {"refused": 0, "limited": 0, "failed": 0} | bad
    return EndpointView(
        endpoint=name, count=count, sampled=min(count, 1_000), p50_ms=p50, p95_ms=p50 * 1.7, p99_ms=p50 * 2.4,
        max_ms=p50 * 5, **counted,
    )  # fmt: skip


ENDPOINTS = (
    _endpoint("GET /v2/orders", 2_140, 71.0, limited=2),
    _endpoint("POST /v2/orders", 214, 84.0, refused=9),
    _endpoint("GET /v2/account", 190, 66.0, failed=1),
    _endpoint("GET /v2/positions", 186, 69.0),
    _endpoint("DELETE /v2/orders/{id}", 12, 73.0),
)


def walk(symbol: str, last: float, minutes: int = 90, step: float = 0.0012) -> list[BarView]:
    """Seeded 1-minute bars that end at ``last``."""
    dice = random.Random(symbol)
    closes = [last]
    for _ in range(minutes):
        closes.append(closes[-1] * (1 + dice.gauss(0, step)))
    closes.reverse()
    bars = []
    for number in range(1, len(closes)):
        first, end = closes[number - 1], closes[number]
        reach = abs(dice.gauss(0, step * 0.5)) * end
        bars.append(
            BarView(
                at=ago(60 * (minutes - number)),
                open=round(first, 2),
                high=round(max(first, end) + reach, 2),
                low=round(min(first, end) - reach, 2),
                close=round(end, 2),
                volume=float(dice.randint(1_000, 90_000)),
            )
        )
    return bars


def samples(count: int) -> list[SceneSample]:
    """An hour of trades, four stages each."""
    dice = random.Random(7)
    made: list[SceneSample] = []
    for number in range(count):
        at = ago(3600 * (1 - number / count))
        submit = 84 * dice.lognormvariate(0, 0.16) * (2.6 if dice.random() < 0.03 else 1)
        bracket = 2.2 * dice.lognormvariate(0, 0.4) * (30 if dice.random() < 0.05 else 1)
        for stage, ms in (
            ("decide", dice.uniform(1500, 14000)),
            ("submit", submit),
            ("bracket", bracket),
            ("total", submit + bracket + 1.2),
        ):
            made.append(SceneSample(len(made) + 1, at, "SPY", stage, ms))
    return made


def latency_of(made: list[SceneSample]) -> LatencyView:
    stages = {}
    for stage in ("receive", "decide", "gate", "journal", "submit", "working", "bracket", "total"):
        found = sorted(s.ms for s in made if s.stage == stage)
        count = len(found)

        def at(share: float, found: list[float] = found) -> float | None:
            return found[min(int(share * len(found)), len(found) - 1)] if found else None

        stages[stage] = StageStats(
            count=count, p50_ms=at(0.5), p95_ms=at(0.95), p99_ms=at(0.99), max_ms=found[-1] if found else None
        )
    return LatencyView(stages=stages, loop_lag=LagView(p50=0.4, p99=1.1, max=8.2), endpoints=ENDPOINTS if made else ())
