"""Where the broker is: paper, live or the embedded exchange, as three types that cannot be taken for one another.

A ``PaperEndpoint`` cannot hold Alpaca's live address and a ``LiveEndpoint`` cannot hold the paper one: the types refuse
at construction, whatever the environment says. Keys are paired with an endpoint of their own kind in ``PaperAccess``,
``LiveAccess`` and ``SimAccess``, which is the only thing the transport takes.

The environment's names are Alpaca's usual ones: ``APCA_API_BASE_URL`` (trading), ``APCA_API_DATA_URL`` (market data),
``APCA_API_STREAM_URL`` (base of the data stream). The order stream is the trading address with ``ws(s)`` and
``/stream``. Unencrypted http and ws are allowed for loopback names alone, so that keys never travel in the clear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import ClassVar, Final, Literal

from yarl import URL

from engine.alpaca.credentials import Keys, LiveKeys, PaperKeys, SimKeys
from engine.errors import EngineError

type Mode = Literal["sim", "paper", "live"]

PAPER_HOST: Final = "paper-api.alpaca.markets"
LIVE_HOST: Final = "api.alpaca.markets"
DATA_URL: Final = "https://data.alpaca.markets"
DATA_STREAM_URL: Final = "wss://stream.data.alpaca.markets"
ALPACA_DOMAIN: Final = "alpaca.markets"
DEFAULT_FEED: Final = "iex"

_HOST: Final = re.compile(r"[a-z0-9.:-]+")
"""A name or number in its one spelling: nothing encoded that could hide which one it is."""
_SECURE: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


class EndpointRefused(EngineError):
    """An address that must not be used for this mode, or cannot be used at all."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Four addresses without a trailing slash. Use one of the three kinds below."""

    trading_url: URL
    """``https://host``; the calls add ``/v2/...``."""
    order_stream_url: URL
    data_url: URL
    data_stream_url: URL
    """With ``/v2/{feed}``."""
    feed: str

    mode: ClassVar[Mode]
    forbidden_hosts: ClassVar[frozenset[str]]

    def __post_init__(self) -> None:
        for url in (self.trading_url, self.order_stream_url):
            if (url.host or "").rstrip(".") in self.forbidden_hosts:  # a final dot is part of no other name
                raise EndpointRefused(
                    f"{url.host} is not an address for {self.mode} trading: start the desk in the mode that address "
                    f"belongs to, or correct APCA_API_BASE_URL."
                )
        for url in (self.trading_url, self.order_stream_url, self.data_url, self.data_stream_url):
            if url.scheme in {"http", "ws"} and not is_loopback(url.host):
                raise EndpointRefused(
                    f"{url.scheme}://{url.host} would carry the keys unencrypted: plain {url.scheme} is only for "
                    f"localhost; use {url.scheme}s://{url.host}."
                )


class PaperEndpoint(Endpoint):
    """Alpaca paper, or a stand-in for it."""

    mode = "paper"
    forbidden_hosts = frozenset({LIVE_HOST})


class LiveEndpoint(Endpoint):
    """Alpaca live: real money."""

    mode = "live"
    forbidden_hosts = frozenset({PAPER_HOST})


class SimEndpoint(Endpoint):
    """The embedded exchange; never a machine elsewhere."""

    mode = "sim"
    forbidden_hosts = frozenset({LIVE_HOST, PAPER_HOST})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_loopback(self.trading_url.host):
            raise EndpointRefused(f"The embedded exchange runs on this machine, not on {self.trading_url.host}.")


@dataclass(frozen=True, slots=True)
class _Access[E: Endpoint, K: Keys]:
    endpoint: E
    keys: K

    endpoint_kind: ClassVar[type[Endpoint]]
    keys_kind: ClassVar[type[Keys]]

    def __post_init__(self) -> None:
        # The type checker says it first; a desk that trades real money by mistake is worth saying it twice.
        if type(self.endpoint) is not self.endpoint_kind or type(self.keys) is not self.keys_kind:
            raise EndpointRefused(
                f"{type(self).__name__} pairs {self.endpoint_kind.__name__} with {self.keys_kind.__name__}, "
                f"not {type(self.endpoint).__name__} with {type(self.keys).__name__}."
            )

    @property
    def mode(self) -> Mode:
        return self.endpoint.mode


class PaperAccess(_Access[PaperEndpoint, PaperKeys]):
    endpoint_kind = PaperEndpoint
    keys_kind = PaperKeys


class LiveAccess(_Access[LiveEndpoint, LiveKeys]):
    endpoint_kind = LiveEndpoint
    keys_kind = LiveKeys


class SimAccess(_Access[SimEndpoint, SimKeys]):
    endpoint_kind = SimEndpoint
    keys_kind = SimKeys


type Access = PaperAccess | LiveAccess | SimAccess


def paper_endpoint(environ: Mapping[str, str], feed: str = DEFAULT_FEED) -> PaperEndpoint:
    """Alpaca paper unless the environment names another address. Raises ``EndpointRefused``."""
    return PaperEndpoint(*_addresses(environ, PAPER_HOST, feed))


def live_endpoint(environ: Mapping[str, str], feed: str = DEFAULT_FEED) -> LiveEndpoint:
    """Alpaca live unless the environment names another address. Raises ``EndpointRefused``."""
    return LiveEndpoint(*_addresses(environ, LIVE_HOST, feed))


def sim_endpoint(url: str, feed: str = DEFAULT_FEED) -> SimEndpoint:
    """The embedded exchange, which serves everything on one port. The environment has no say."""
    return SimEndpoint(*_addresses({"APCA_API_BASE_URL": url}, "localhost", feed))


def is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _addresses(environ: Mapping[str, str], host: str, feed: str) -> tuple[URL, URL, URL, URL, str]:
    trading = _base_url("APCA_API_BASE_URL", environ.get("APCA_API_BASE_URL") or f"https://{host}", {"http", "https"})
    if environ.get("APCA_API_DATA_URL"):
        data = _base_url("APCA_API_DATA_URL", environ["APCA_API_DATA_URL"], {"http", "https"})
    elif is_loopback(trading.host):
        data = trading  # a stand-in on this machine: its keys have no business at Alpaca's data host
    else:
        data = URL(DATA_URL)
    if environ.get("APCA_API_STREAM_URL"):
        stream = _base_url("APCA_API_STREAM_URL", environ["APCA_API_STREAM_URL"], set(_SECURE))
    elif _is_alpaca(data.host):
        stream = URL(DATA_STREAM_URL)
    else:
        stream = data
    return (
        trading,
        _as_websocket(trading) / "stream",
        data,
        _as_websocket(stream) / "v2" / feed,
        feed,
    )


def _base_url(name: str, text: str, schemes: set[str]) -> URL:
    try:
        url = URL(text.strip())
        port = url.port  # an impossible port shows only here
    except ValueError as error:
        raise EndpointRefused(f"{name} is not an address: {text!r}.") from error
    if url.scheme not in schemes or not port or not _HOST.fullmatch(url.raw_host or ""):
        raise EndpointRefused(f"{name} must be an address such as {max(schemes)}://host, found {text!r}.")
    if url.user is not None or url.password is not None or url.query_string or url.fragment:
        raise EndpointRefused(f"{name} must be a bare address without user, query or fragment.")
    path = url.path.rstrip("/").removesuffix("/v2")  # older tools put the version into the variable
    return url.with_path(path)


def _as_websocket(url: URL) -> URL:
    return url.with_scheme(_SECURE[url.scheme])


def _is_alpaca(host: str | None) -> bool:
    return host is not None and (host == ALPACA_DOMAIN or host.endswith("." + ALPACA_DOMAIN))
