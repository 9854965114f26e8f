"""Answers by endpoint: ids are one address, the newest are kept, every kind of no is counted for itself."""

from __future__ import annotations

import pytest

from engine.alpaca.endpoint_times import KEPT, MOST, EndpointTimes, endpoint_of
from engine.latency import endpoint_views


@pytest.mark.parametrize(
    ("method", "path", "endpoint"),
    [
        ("POST", "/v2/orders", "POST /v2/orders"),
        ("DELETE", "/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d", "DELETE /v2/orders/{id}"),
        ("GET", "/v2/orders:by_client_order_id", "GET /v2/orders:by_client_order_id"),
        ("GET", "/v2/assets/BRK.B", "GET /v2/assets/{id}"),
        ("GET", "/v2/positions/BTC%2FUSD", "GET /v2/positions/{id}"),
        ("GET", "/v2/stocks/quotes/latest", "GET /v2/stocks/quotes/latest"),
        ("GET", "/v2/account/activities", "GET /v2/account/activities"),
    ],
)
def test_what_names_one_thing_is_no_part_of_the_address(method: str, path: str, endpoint: str) -> None:
    assert endpoint_of(method, path) == endpoint


def test_times_are_of_the_newest_and_counts_of_all() -> None:
    times = EndpointTimes()
    for number in range(KEPT + 500):
        times.note("GET", "/v2/account", 200, 1_000.0 if number < 500 else 10.0)
    [view] = endpoint_views(times.all())
    assert (view.count, view.sampled, view.p50_ms, view.max_ms) == (KEPT + 500, KEPT, 10.0, 10.0)


def test_every_kind_of_no_is_counted_for_itself_and_the_most_asked_stands_first() -> None:
    times = EndpointTimes()
    for status in (200, 403, 422, 429, 500, 504, 204):
        times.note("POST", "/v2/orders", status, 80.0)
    times.note("GET", "/v2/clock", 200, 5.0)
    first, second = endpoint_views(times.all())
    assert (first.endpoint, first.refused, first.limited, first.failed) == ("POST /v2/orders", 2, 1, 2)
    assert (second.endpoint, second.count) == ("GET /v2/clock", 1)


def test_addresses_without_end_do_not_fill_the_memory() -> None:
    times = EndpointTimes()
    for number in range(10 * MOST):
        times.note("GET", f"/v9/thing/{number}", 200, 1.0)
    assert len(times.all()) == MOST
