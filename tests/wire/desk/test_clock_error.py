"""How far off this machine's clock is, and how sure that is: the question's way may have been all on one side."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.wire.desk.trading_day import Day, play


@pytest.mark.parametrize("latency_ms", [20.0, 200.0])
def test_the_error_is_half_the_way_of_the_question(tmp_path: Path, latency_ms: float) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            view = desk.view()
            assert view.clock_offset_ms is not None
            assert view.clock_error_ms == pytest.approx(latency_ms / 2, rel=0.6)
            assert abs(view.clock_offset_ms) <= view.clock_error_ms + 1

    play(tmp_path, scene, begins=datetime(2026, 8, 20, 14, 0, tzinfo=UTC), latency_ms=latency_ms)
