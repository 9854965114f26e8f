"""Pictures of how long things take: stages of a trade, the loop, the broker's addresses."""

from __future__ import annotations

from engine.view import View


class LagView(View, frozen=True, kw_only=True):
    p50: float | None
    p99: float | None
    max: float | None


class StageStats(View, frozen=True, kw_only=True):
    count: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None


class EndpointView(View, frozen=True, kw_only=True):
    """The broker's answers at one address, from the first byte sent to the last one read."""

    endpoint: str
    """``POST /v2/orders``."""
    count: int
    """Answers since the desk started."""
    sampled: int
    """The newest of them, which the times are of."""
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    refused: int
    """Answers of 400 to 499 without those of the rate limit."""
    limited: int
    """Answers of 429."""
    failed: int
    """Answers of 500 and above."""


class LatencyView(View, frozen=True, kw_only=True):
    stages: dict[str, StageStats]
    loop_lag: LagView
    endpoints: tuple[EndpointView, ...] = ()
    """The most asked first."""


class SpanView(View, frozen=True, kw_only=True):
    """One bar of a trade's timeline. Milliseconds from the signal's arrival."""

    label: str
    start_ms: float
    end_ms: float | None
    """None while it runs."""
    human: bool = False
    trouble: bool = False
