"""What the desk of a scene is made of, beside its views: a clock that stands, prices, samples, differences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


class FrozenClock:
    """The wall clock of a scene; moves only when told."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class SceneQuote:
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    at: datetime
    age_s: float


@dataclass(frozen=True)
class SceneSample:
    index: int
    at: datetime
    symbol: str
    stage: str
    ms: float
    signal_id: str = ""


@dataclass(frozen=True)
class SceneDifference:
    id: str
    symbol: str
    text: str
    settlements: tuple[str, ...] = ("ignore",)
    kind: str = "position"
