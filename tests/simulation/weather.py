"""How rough one seed is: how long it lasts, how often things happen, and which kind of broker it has to do with."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from engine.exchange.settings import ExchangeSettings

SYMBOLS: Final = ("AAPL", "AMD", "COIN", "INTC", "NFLX", "PLTR", "BTC/USD")
MIDDAY: Final = datetime(2026, 8, 21, 14, 0, tzinfo=UTC)
BEFORE_CLOSE: Final = datetime(2026, 8, 20, 19, 53, tzinfo=UTC)
"""A Thursday, seven minutes before New York closes."""


NIGHT: Final = {
    600.0: datetime(2026, 8, 21, 7, 59, tzinfo=UTC),
    780.0: datetime(2026, 8, 21, 13, 27, tzinfo=UTC),
}
"""A minute before the early session, and three before the core one."""


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """Durations in seconds of virtual time."""

    lasts_s: float
    fault_every_s: float
    shock_every_s: float
    signal_every_s: float
    act_every_s: float
    kills: int
    """Processes that are killed, or stopped in order, on the way."""
    latency_ms: float
    partial_fill_rate: float
    quote_interval_s: float
    stream_legs: bool
    sibling_cancel_event: bool
    list_held_legs: bool
    replace_held_legs: bool
    resize_stop_by_replacing: bool
    session: Literal["open", "real"] = "open"
    """``real``: over a close, a night whose dead hours are leapt over, and an opening."""
    requests_per_minute: int | None = None
    """The broker's own limit; what comes beyond it is answered with 429."""
    http_share: float = 0.3
    """Of the acts: they come through the operator API from another machine, the others through the desk's door."""
    checkpoint_after: int = 150
    hands: float = 0.3
    """How often another hand works at the broker, beside the faults."""
    tickets: float = 0.0
    """How often the operator trades by hand, and as often changes an order in its row."""
    busts: float = 0.0
    """How often the venue takes an execution back."""
    odd_rules: bool = False
    """There are rules of the operator's own, which now and then answer oddly."""

    undo_s: float = 0.0

    @property
    def night(self) -> dict[float, datetime]:
        """When in the storm the clocks go on, and to what: the close, the small hours and the opening are lived."""
        return NIGHT if self.session == "real" else {}

    @property
    def starts_at(self) -> datetime:
        return MIDDAY if self.session == "open" else BEFORE_CLOSE

    def settings(self, seed: int) -> ExchangeSettings:
        return ExchangeSettings(
            seed=seed,
            latency_ms=self.latency_ms,
            partial_fill_rate=self.partial_fill_rate,
            quote_interval_s=self.quote_interval_s,
            symbols=SYMBOLS,
            session=self.session,
            requests_per_minute=self.requests_per_minute,
            stream_legs=self.stream_legs,
            sibling_cancel_event=self.sibling_cancel_event,
            list_held_legs=self.list_held_legs,
            replace_held_legs=self.replace_held_legs,
            resize_stop_by_replacing=self.resize_stop_by_replacing,
        )


def weather_of(seed: int) -> Weather:
    """That of ``weather_before``, and in most storms what was learned later: tickets, busts, rules of one's own.

    They are drawn with dice of their own: all else of the seed is what it was without them.
    """
    rng = random.Random(f"{seed}/weather/later")
    return msgspec.structs.replace(
        weather_before(seed),
        tickets=rng.choice((0.0, 0.5, 1.0)),
        busts=rng.choice((0.0, 0.0, 0.5, 1.5)),
        odd_rules=rng.random() < 0.2,
    )


def weather_before(seed: int) -> Weather:
    """Mostly a rough minute or two, now and then a calmer half hour or a night, rarely hours."""
    rng = random.Random(f"{seed}/weather")
    session: Literal["open", "real"] = "real" if rng.random() < 0.03 else "open"
    lasts_s = rng.choices((45.0, 90.0, 180.0, 1200.0, 5400.0), (55, 36, 7.2, 1.5, 0.3))[0]
    if session == "real":
        lasts_s = 1200.0
    slower = max(1.0, lasts_s / 180)
    return Weather(
        lasts_s=lasts_s,
        fault_every_s=rng.choice((0.7, 2.0, 5.0, 15.0)) * slower,
        shock_every_s=rng.choice((3.0, 8.0, 30.0)) * slower,
        signal_every_s=rng.choice((1.5, 2.5, 5.0)) * slower,
        act_every_s=rng.choice((0.7, 1.2, 2.5)) * slower,
        kills=rng.choices((0, 1, 2, 4), (25, 35, 28, 12))[0],
        latency_ms=rng.choice((0.0, 20.0, 80.0, 200.0)),
        partial_fill_rate=rng.choice((0.0, 0.1, 0.5)),
        quote_interval_s=1.0 if lasts_s < 600 else 4.0,
        stream_legs=rng.random() < 0.3,
        sibling_cancel_event=rng.random() < 0.7,
        list_held_legs=rng.random() < 0.3,
        replace_held_legs=rng.random() < 0.8,
        resize_stop_by_replacing=rng.random() < 0.3,
        session=session,
        requests_per_minute=rng.choices((None, 200, 90), (6, 3, 1))[0],
        http_share=rng.choice((0.0, 0.3, 0.9)),
        checkpoint_after=rng.choice((40, 150, 2_000)),
        undo_s=rng.choice((0.0, 0.0, 1.0)),
        hands=rng.choice((0.0, 0.0, 0.3, 1.0)),
    )
