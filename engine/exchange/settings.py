"""Every switch of the exchange, with its default and why it is so.

What Alpaca's public material leaves open (``docs/exchange.md``, "unverified") is a switch here; its default is the
behaviour that is harder for a client, so that a client that copes with it copes with the other one too.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSettings:
    """Settings of one exchange. Durations in the unit of their name."""

    seed: int = 7
    """Prices, ids, delays and random faults are functions of it."""
    latency_ms: float = 80.0
    """Round trip between client and exchange; half before the request is handled, half before its answer is sent."""
    latency_jitter: float = 0.25
    """Standard deviation of a half, as a fraction of it; cut at two."""
    session: Literal["open", "real"] = "open"
    db_path: Path | None = None
    """The book on disk; None keeps it in memory."""
    cash: Decimal = Decimal("100000")
    """Of a new book; an existing one keeps its own."""
    key: str | None = None
    secret: str | None = None
    """When None, any key (also none) is accepted."""
    partial_fill_rate: float = 0.0
    """Chance that an eligible fill comes as a random part first and the rest within a second. Alpaca's paper: 0.1."""
    requests_per_minute: int | None = None
    """Trading requests per minute and account (Alpaca: 200); None sets no limit and sends no rate-limit headers."""
    data_requests_per_minute: int | None = None
    faults_path: Path | None = None
    """A JSON file of faults, read at the start."""

    multiplier: int = 4
    """1 cash, 2 margin, 4 intraday margin."""
    venue_ms: float = 4.0
    """Between acceptance and routing, routing and execution, a cancel's request and its completion."""
    quote_interval_s: float = 0.25
    """One step of the prices. A symbol's quote changes at most once a step."""
    stream_symbols_max: int = 30
    """Symbols per channel of a data connection; more is error 405 (the free plan's limit)."""
    data_connections_max: int = 1
    """Data connections at a time; more is error 406."""
    symbols: tuple[str, ...] | None = None
    """Only these are listed and priced; None lists all."""
    replay: Path | None = None
    """A CSV of real one-minute bars to play instead of seeded prices (``replay.py``)."""
    replay_speed: float = 1.0
    """How many times faster than they were."""

    orders_kept: int = 20_000
    """Orders, and as many executions, that memory keeps; live ones always. Older groups that are over are answered from
    the book on disk; without one they are forgotten, their client ids with them."""

    stream_legs: bool = False
    """Whether trade updates of a group's parent carry ``legs`` (unverified)."""
    sibling_cancel_event: bool = True
    """Whether the exit that dies with its sibling is reported on the stream; clients reported both."""
    list_held_legs: bool = False
    """Whether ``status=open`` lists a ``held`` stop and the legs of a filled parent (2020 reports: no)."""
    replace_held_legs: bool = True
    """Whether a ``held`` stop leg can be patched (unverified)."""
    client_id_lookup_ms: float = 0.0
    """So long after its acceptance an order is not found by its client id yet (unverified)."""
    suspend_blocks_exits: bool = True
    """Whether ``suspend_trade``, or a block of the account, refuses closing orders too (unverified)."""
    resize_stop_by_replacing: bool = False
    """When a target is partly filled, the stop is reduced under its own id, or replaced by a new order (unverified)."""
