"""What is carried over the close: each position with what will protect it tomorrow, and what is done about the others.

Fifteen minutes before the core session closes (as the broker's clock says, early closes included) exits that die with
the day are replaced by ones that live on, or the position is flattened, or the operator is asked: ``[protection]
carry``. Ten minutes before it, strategies that are flat by the close are closed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from engine.book import Book
from engine.clock import Clock
from engine.config import Config
from engine.errors import BrokerError
from engine.gateway import Gateway
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.symbols import is_coin
from engine.model.words import OrderRole, Side, TimeInForce
from engine.protection.ledger import is_armed
from engine.recorder import Recorder
from engine.surroundings import World
from engine.view import View

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
SHEET_BEFORE: Final = timedelta(minutes=15)
FLAT_BEFORE: Final = timedelta(minutes=10)
HUNDREDTH: Final = Decimal("0.01")

Ends = Literal["carried", "replaced", "flattened", "flat_by_close", "asked", "leaving"]


class CarryRow(View, frozen=True, kw_only=True):
    bracket_id: str
    symbol: str
    side: Side
    strategy: str
    held_qty: Decimal
    carried_qty: Decimal
    """Shares whose stop at the broker lives on over the close."""
    dying_qty: Decimal
    """Shares whose stop dies at the close."""
    bare_qty: Decimal
    """Shares without a stop at the broker."""
    stop_price: Decimal
    stop_time_in_force: TimeInForce | None
    take_profit_time_in_force: TimeInForce | None
    risk_usd: Decimal | None
    """From the live price to the stop. A gap over night can cost more."""
    plan: Ends
    """What the desk does about it before the close."""


class CarrySheet(View, frozen=True, kw_only=True):
    closes_at: datetime | None
    """Of the core session that is open now; None outside of it."""
    is_due: bool
    """The last fifteen minutes have begun."""
    rows: tuple[CarryRow, ...]


def closing_soon(world: World, now: datetime) -> bool:
    closes_at = world.session_changes_at if world.session_open else None
    return closes_at is not None and closes_at - now <= SHEET_BEFORE


def carry_row(bracket: Bracket, book: Book, config: Config, mark: Decimal | None) -> CarryRow | None:
    """None of a trade that holds nothing, and of a coin, which knows no close."""
    cover = book.cover(bracket.id)
    if cover.held == 0 or is_coin(bracket.symbol):
        return None
    stops = list(_live(OrderRole.STOP_LOSS, bracket, book))
    carried = min(cover.held, sum((o.leaves_qty for o in stops if o.time_in_force is TimeInForce.GTC), ZERO))
    dying = cover.covered - min(carried, cover.covered)
    bare = cover.held - cover.covered
    target = next(_live(OrderRole.TAKE_PROFIT, bracket, book), None)
    risk = None if mark is None else max(ZERO, (mark - bracket.stop_price) * bracket.side.sign) * cover.held
    return CarryRow(
        bracket_id=bracket.id,
        symbol=bracket.symbol,
        side=bracket.side,
        strategy=bracket.strategy,
        held_qty=cover.held,
        carried_qty=carried,
        dying_qty=dying,
        bare_qty=bare,
        stop_price=bracket.stop_price,
        stop_time_in_force=_shortest(stops),
        take_profit_time_in_force=target.time_in_force if target is not None else None,
        risk_usd=None if risk is None else risk.quantize(HUNDREDTH),
        plan=_plan(bracket, config, is_whole=dying == 0 and bare == 0),
    )


def _plan(bracket: Bracket, config: Config, *, is_whole: bool) -> Ends:
    if bracket.exit_requested_at is not None:
        return "leaving"
    if config.strategy(bracket.strategy).flat_by_close:
        return "flat_by_close"
    if is_whole:
        return "carried"
    policy: dict[str, Ends] = {"protect": "replaced", "flatten": "flattened", "ask": "asked"}
    return policy[config.protection.carry]


def _live(role: OrderRole, bracket: Bracket, book: Book) -> Iterator[Order]:
    orders = {order.id: order for order in book.orders_of(bracket.id)}
    for order in orders.values():
        if order.role is role and is_armed(order, orders.get(order.parent_id or "")):
            yield order


def _shortest(stops: list[Order]) -> TimeInForce | None:
    found = [order.time_in_force for order in stops]
    return next((tif for tif in found if tif is not TimeInForce.GTC), found[0] if found else None)


class CarryKeeper:
    """Keeps the sheet, and does what it says."""

    def __init__(
        self,
        gateway: Gateway,
        recorder: Recorder,
        book: Book,
        world: World,
        quotes: QuoteBoard,
        clock: Clock,
        config: Config,
    ) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._book = book
        self._world = world
        self._quotes = quotes
        self._clock = clock
        self._config = config

    def sheet(self) -> CarrySheet:
        rows = (self._row(bracket_id) for bracket_id in self._book.open_brackets)
        return CarrySheet(
            closes_at=self._world.session_changes_at if self._world.session_open else None,
            is_due=closing_soon(self._world, self._clock.now()),
            rows=tuple(row for row in rows if row is not None),
        )

    def _row(self, bracket_id: str) -> CarryRow | None:
        bracket = self._book.brackets[bracket_id]
        mark = self._quotes.mark(bracket.symbol, bracket.side.sign)
        return carry_row(bracket, self._book, self._config, mark)

    async def run(self) -> None:
        """For ever. A session that should have changed by now is asked for, since exits wait for its open."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            changes_at = self._world.session_changes_at
            if changes_at is not None and self._clock.now() >= changes_at:
                try:
                    await self._world.refresh_session()
                except BrokerError as lost:
                    log.info("the session: %s", lost)
            sheet = self.sheet()
            if sheet.is_due and sheet.closes_at is not None:
                for row in sheet.rows:
                    await self._settle(row, sheet.closes_at)

    async def _settle(self, row: CarryRow, closes_at: datetime) -> None:
        match row.plan:
            case "replaced" if row.dying_qty > 0:
                await self._replace_dying(row.bracket_id)
            case "flattened":
                self._leave(row, "its exits would not outlive the close")
            case "flat_by_close" if closes_at - self._clock.now() <= FLAT_BEFORE:
                self._leave(row, f"{row.strategy} is flat by the close")

    async def _replace_dying(self, bracket_id: str) -> None:
        """The old exits make way; the supervisor covers with ones that are good till canceled, at once.

        The stop of a part of a share is left: the broker takes it for the day only. It is placed again for the next.
        """
        bracket = self._book.brackets[bracket_id]
        for order in tuple(_live(OrderRole.STOP_LOSS, bracket, self._book)):
            is_part = order.leaves_qty % 1 != 0
            if order.time_in_force is not TimeInForce.GTC and order.cancel_requested_at is None and not is_part:
                why = "it would die at the close: one that is good till canceled takes its place"
                await self._gateway.cancel(order.id, actor="desk", reason=why)

    def _leave(self, row: CarryRow, reason: str) -> None:
        self._recorder.record(ev.ExitRequested(bracket_id=row.bracket_id, actor="desk", reason=reason))
