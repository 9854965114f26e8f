"""The book of an exchange that keeps none: what has left memory is gone."""

from __future__ import annotations

from collections.abc import Iterator

from engine.exchange.accounts import AccountState, Position
from engine.exchange.floor import Changes, Execution
from engine.exchange.market import MarketState
from engine.exchange.orders import Order

EQUITY_KEPT = 60 * 24 * 40
"""Minutes of the account's history: more than the longest period that is shown by the minute."""


class Unstored:
    """Answers as ``store.Store`` does on its first day."""

    def __init__(self) -> None:
        self._equity: dict[int, float] = {}

    def close(self) -> None:
        """Nothing is open."""

    def commit(self, changed: Changes, _positions: dict[str, Position], _account: AccountState) -> None:
        changed.clear()

    def save_market(self, _state: MarketState) -> None:
        """Nobody will go on from here."""

    def add_equity(self, minute: int, value: float) -> None:
        self._equity[minute] = value
        if len(self._equity) > EQUITY_KEPT:
            del self._equity[next(iter(self._equity))]

    def load_orders(self, _most: int) -> tuple[list[Order], int]:
        return [], 0

    def order(self, _order_id: str) -> Order | None:
        return None

    def order_of_client_id(self, _client_order_id: str) -> Order | None:
        return None

    def orders_up_to(self, _seq: int, *, newest_first: bool) -> Iterator[Order]:  # noqa: ARG002 - the archive's own signature
        return iter(())

    def load_executions(self, _most: int) -> tuple[list[Execution], int]:
        return [], 0

    def executions_up_to(self, _number: int, *, newest_first: bool) -> Iterator[Execution]:  # noqa: ARG002
        return iter(())

    def load_positions(self) -> dict[str, Position]:
        return {}

    def load_account(self) -> AccountState | None:
        return None

    def load_market(self) -> MarketState | None:
        return None

    def load_equity(self, first: int, last: int) -> list[tuple[int, float]]:
        return [(minute, value) for minute, value in self._equity.items() if first <= minute <= last]
