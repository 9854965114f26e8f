"""Paper, live and simulated addresses, and that none can be taken for another."""

from __future__ import annotations

from itertools import product

import pytest

from engine.alpaca.credentials import LiveKeys, PaperKeys, Secret, SimKeys, sim_keys
from engine.alpaca.endpoints import (
    EndpointRefused,
    LiveAccess,
    LiveEndpoint,
    PaperAccess,
    PaperEndpoint,
    SimAccess,
    is_loopback,
    live_endpoint,
    paper_endpoint,
    sim_endpoint,
)

ENDPOINTS = {
    "paper": paper_endpoint({}),
    "live": live_endpoint({}),
    "sim": sim_endpoint("http://127.0.0.1:9000"),
}
KEYS = {"paper": PaperKeys("P", Secret("p")), "live": LiveKeys("L", Secret("l")), "sim": sim_keys()}
ACCESS = {"paper": PaperAccess, "live": LiveAccess, "sim": SimAccess}


def test_alpacas_own_addresses_are_the_defaults() -> None:
    paper, live = ENDPOINTS["paper"], ENDPOINTS["live"]
    assert str(paper.trading_url) == "https://paper-api.alpaca.markets"
    assert str(paper.order_stream_url) == "wss://paper-api.alpaca.markets/stream"
    assert str(live.trading_url) == "https://api.alpaca.markets"
    assert str(live.order_stream_url) == "wss://api.alpaca.markets/stream"
    for endpoint in (paper, live):
        assert str(endpoint.data_url) == "https://data.alpaca.markets"
        assert str(endpoint.data_stream_url) == "wss://stream.data.alpaca.markets/v2/iex"
    assert str(paper_endpoint({}, feed="sip").data_stream_url).endswith("/v2/sip")


@pytest.mark.parametrize(
    ("environ", "data", "stream"),
    [
        ({"APCA_API_BASE_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:9", "ws://127.0.0.1:9/v2/iex"),
        (
            {"APCA_API_BASE_URL": "http://localhost:9/", "APCA_API_DATA_URL": "https://data.alpaca.markets"},
            "https://data.alpaca.markets",
            "wss://stream.data.alpaca.markets/v2/iex",
        ),
        (
            {"APCA_API_DATA_URL": "https://prices.example.com"},
            "https://prices.example.com",
            "wss://prices.example.com/v2/iex",
        ),
        (
            {"APCA_API_DATA_URL": "https://prices.example.com", "APCA_API_STREAM_URL": "wss://s.example.com/v2"},
            "https://prices.example.com",
            "wss://s.example.com/v2/iex",
        ),
        (
            {"APCA_API_STREAM_URL": "ws://[::1]:7000"},
            "https://data.alpaca.markets",
            "ws://[::1]:7000/v2/iex",
        ),
    ],
)
def test_the_environment_moves_data_and_streams(environ: dict[str, str], data: str, stream: str) -> None:
    endpoint = paper_endpoint(environ)
    assert str(endpoint.data_url).rstrip("/") == data
    assert str(endpoint.data_stream_url) == stream


def test_a_base_url_with_version_or_slash_means_the_same() -> None:
    for text in (
        "https://paper-api.alpaca.markets/v2",
        "https://paper-api.alpaca.markets/",
        " https://paper-api.alpaca.markets",
    ):
        assert paper_endpoint({"APCA_API_BASE_URL": text}).order_stream_url == ENDPOINTS["paper"].order_stream_url


@pytest.mark.parametrize(
    "spelling",
    [
        "https://api.alpaca.markets",
        "https://API.Alpaca.Markets/",
        "https://api.alpaca.markets:443/v2",
        "https://api.alpaca.markets./",
        "https://api%2Ealpaca.markets",
        "https://api。alpaca.markets",
        "https://user@api.alpaca.markets",
        "http://api.alpaca.markets",
        "api.alpaca.markets",
    ],
)
def test_no_spelling_of_the_live_address_reaches_a_paper_desk(spelling: str) -> None:
    with pytest.raises(EndpointRefused):
        paper_endpoint({"APCA_API_BASE_URL": spelling})


def test_a_paper_desk_cannot_hold_the_live_address_nor_a_live_desk_the_paper_one() -> None:
    live, paper = (
        {"APCA_API_BASE_URL": "https://API.alpaca.markets"},
        {"APCA_API_BASE_URL": "https://paper-api.alpaca.markets"},
    )
    with pytest.raises(EndpointRefused, match="not an address for paper trading"):
        paper_endpoint(live)
    with pytest.raises(EndpointRefused, match="not an address for live trading"):
        live_endpoint(paper)
    values = (ENDPOINTS["live"].trading_url, ENDPOINTS["live"].order_stream_url)
    rest = (ENDPOINTS["live"].data_url, ENDPOINTS["live"].data_stream_url, "iex")
    with pytest.raises(EndpointRefused):
        PaperEndpoint(*values, *rest)
    with pytest.raises(EndpointRefused):
        LiveEndpoint(ENDPOINTS["live"].trading_url, ENDPOINTS["paper"].order_stream_url, *rest)


@pytest.mark.parametrize("address", ["https://10.0.0.7:9", "https://paper-api.alpaca.markets", "https://example.com"])
def test_the_embedded_exchange_is_on_this_machine(address: str) -> None:
    with pytest.raises(EndpointRefused):
        sim_endpoint(address)


@pytest.mark.parametrize(("kind", "endpoint", "keys"), list(product(ACCESS, ENDPOINTS, KEYS)))
def test_endpoints_and_keys_pair_only_with_their_own_kind(kind: str, endpoint: str, keys: str) -> None:
    if kind == endpoint == keys:
        assert ACCESS[kind](ENDPOINTS[endpoint], KEYS[keys]).mode == kind  # type: ignore[arg-type]
        return
    with pytest.raises(EndpointRefused, match="pairs"):
        ACCESS[kind](ENDPOINTS[endpoint], KEYS[keys])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "environ",
    [
        {"APCA_API_BASE_URL": "http://paper-api.alpaca.markets"},
        {"APCA_API_BASE_URL": "http://192.168.1.5:8000"},
        {"APCA_API_BASE_URL": "http://localhost.example.com"},
        {"APCA_API_DATA_URL": "http://data.alpaca.markets"},
        {"APCA_API_STREAM_URL": "ws://stream.data.alpaca.markets"},
    ],
)
def test_plain_http_and_ws_never_leave_the_machine(environ: dict[str, str]) -> None:
    with pytest.raises(EndpointRefused, match="unencrypted"):
        paper_endpoint(environ)


@pytest.mark.parametrize(
    "text",
    [
        "paper-api.alpaca.markets",
        "ftp://host",
        "https://",
        "https://user:pw@host",
        "https://host?key=1",
        "https://h:99999",
    ],
)
def test_an_impossible_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(EndpointRefused, match="APCA_API_BASE_URL"):
        paper_endpoint({"APCA_API_BASE_URL": text})


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), (None, False)],
)
def test_loopback_names(host: str | None, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_an_access_never_shows_its_secret() -> None:
    access = SimAccess(sim_endpoint("http://127.0.0.1:9"), SimKeys("KEY", Secret("hush-hush")))
    assert "hush-hush" not in f"{access!r} {access}"
