"""Closes every exchange that a test has opened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.exchange.trader import Trader


@pytest.fixture(autouse=True)
def close_traders() -> Iterator[None]:
    yield
    for trader in list(Trader.opened):
        trader.close()
