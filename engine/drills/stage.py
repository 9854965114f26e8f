"""What a scene works with: the desk's own door, the exchange behind it, and a list of all that has to be taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import ROUND_DOWN, Decimal
from typing import Final, Protocol

import msgspec

from engine.clock import Clock
from engine.drills.acts import ACTOR
from engine.errors import CommandRefused, EngineError
from engine.exchange.errors import Refusal
from engine.exchange.faults import Fault
from engine.exchange.server import RunningExchange
from engine.model.commands import NO_EDITS, Edits
from engine.views import BracketView, HealthView, OrderView, PositionView, SignalView

LOOK_S: Final = 0.1
SETTING_S: Final = 20.0
"""A scene that has not come about by then is given up."""
QTY: Final = 5
CENT: Final = Decimal("0.01")


class NotSet(EngineError):
    """The trouble could not be brought about."""


class DrillDoor(Protocol):
    """The part of the desk that a drill uses: the same commands as everybody's."""

    def health(self) -> HealthView: ...
    def signals(self, status: None = None, limit: int = 500) -> list[SignalView]: ...
    def signal(self, signal_id: str) -> SignalView: ...
    def brackets(self) -> list[BracketView]: ...
    def bracket(self, bracket_id: str) -> BracketView: ...
    def order(self, order_id: str) -> OrderView: ...
    def positions(self) -> list[PositionView]: ...
    def differences(self) -> Sequence[object]: ...
    async def receive(self, raw: bytes, *, source: str | None = None) -> tuple[SignalView, bool]: ...
    async def approve(
        self, signal_id: str, *, actor: str, preview_id: str | None = None, edits: Edits = NO_EDITS
    ) -> SignalView: ...
    async def cancel_order(self, order_id: str, *, actor: str) -> OrderView: ...
    async def flatten_bracket(self, bracket_id: str, *, actor: str) -> BracketView: ...


class Stage:
    def __init__(
        self, desk: DrillDoor, broker: RunningExchange, clock: Clock, symbols: Sequence[str], max_attempts: int
    ) -> None:
        """``symbols``: two that nobody holds or is about to enter. ``max_attempts`` of the desk's protection."""
        self.desk = desk
        self.broker = broker
        self.clock = clock
        self.symbol, self.other = symbols[:2]
        self.max_attempts = max_attempts
        self.trades: list[str] = []
        """Trades of this drill; closed when it ends."""
        self._faults: list[str] = []
        self._transferred: set[str] = set()

    # --- bringing it about -------------------------------------------------------------------------------------------

    def add(self, *faults: Fault) -> None:
        self._faults += [self.broker.faults.add(fault) for fault in faults]

    def clear_faults(self) -> None:
        for fault_id in self._faults:
            self.broker.faults.remove(fault_id)
        self._faults.clear()

    async def enter(self, *, below: Decimal | None = None) -> str:
        """Approve an entry by the usual way; its bracket id. With ``below`` a limit that share under the market rests.

        Raises:
            NotSet: the gate or the broker does not let it in.
        """
        price = Decimal(str(self.broker.exchange.market.quote(self.symbol).ask))
        limit = (price * (1 - below)).quantize(CENT, ROUND_DOWN) if below is not None else None
        basis = limit or price
        entry = {"type": "market"} if limit is None else {"type": "limit", "limit_price": str(limit)}
        body = {
            "source": ACTOR,
            "id": f"drill-{self.clock.now():%Y%m%dT%H%M%S%f}",
            "strategy": ACTOR,
            "symbol": self.symbol,
            "side": "buy",
            "intent": "open",
            "qty": QTY,
            "entry": entry,
            "stop_loss": {"stop_price": str((basis * Decimal("0.97")).quantize(CENT))},
            "take_profit": {"limit_price": str((basis * Decimal("1.06")).quantize(CENT))},
            "note": "a drill",
        }
        try:
            signal, _ = await self.desk.receive(msgspec.json.encode(body), source=ACTOR)
            await self.desk.approve(signal.id, actor=ACTOR)
        except CommandRefused as refused:
            raise NotSet(f"The entry of the drill was refused: {refused.operator_text}") from refused
        await self.until(lambda: self.desk.signal(signal.id).bracket_id is not None, "the entry was not sent")
        bracket_id = self.desk.signal(signal.id).bracket_id or ""
        self.trades.append(bracket_id)
        return bracket_id

    async def until(self, true: Callable[[], object], otherwise: str, within_s: float = SETTING_S) -> None:
        """Raises ``NotSet`` with ``otherwise`` when it does not come true in time."""
        ends_s = self.clock.monotonic_s() + within_s
        while not true():
            if self.clock.monotonic_s() > ends_s:
                raise NotSet(f"The drill could not be set: {otherwise}.")
            await self.clock.sleep(LOOK_S)

    async def is_protected(self, bracket_id: str) -> None:
        await self.until(lambda: self.desk.bracket(bracket_id).status.value == "protected", "no cover came")

    def entry_of(self, bracket_id: str) -> OrderView | None:
        return self.desk.bracket(bracket_id).legs.entry

    def transfer(self, symbol: str, qty: int) -> None:
        """Shares come into the account without an order, as if by another hand."""
        self.broker.exchange.set_position(symbol, Decimal(qty), None)
        self.broker.exchange.settle()
        self._transferred.add(symbol)

    def answer_cancels(self) -> None:
        """The venue confirms the cancels that were stuck."""
        exchange = self.broker.exchange
        for order in list(exchange.floor.orders.live_in(self.symbol)):
            if order.status == "pending_cancel":
                exchange.matching.finish(order, "canceled")
        exchange.settle()

    # --- taking it back ----------------------------------------------------------------------------------------------

    async def clear(self) -> None:
        """No fault, no order and no share of the drill is left. A desk that is slow to close is not waited for."""
        self.clear_faults()
        self.answer_cancels()
        mine = [*self.trades, *(b.id for b in self.desk.brackets() if b.symbol in self._transferred)]
        for bracket_id in mine:
            if self.desk.bracket(bracket_id).closed_at is None:
                try:
                    await self.desk.flatten_bracket(bracket_id, actor=ACTOR)
                except CommandRefused:
                    continue  # closed, or on its way out already
        with suppress(NotSet):
            await self.until(lambda: all(self.desk.bracket(key).closed_at for key in mine), "it is still closing")
        for symbol in self._transferred:
            try:
                self.broker.exchange.set_position(symbol, Decimal(0), None)
            except Refusal:
                continue
        self.broker.exchange.settle()
