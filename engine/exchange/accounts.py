"""The account: cash, positions, what orders reserve of them, and buying power.

Two kinds of reservation exist. Opening orders reserve buying power when they are accepted; closing orders reserve
shares of the position ("held for orders"). Both are kept as running sums, so that no check walks through the orders.

Sources: docs.alpaca.markets/docs/orders-at-alpaca ("Buying Power"), account-plans; FINRA's intraday margin rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from engine.exchange.orders import ZERO, Order

LONG_MAINTENANCE: Final = Decimal("0.25")
SHORT_MAINTENANCE: Final = Decimal("0.30")
INITIAL_MARGIN: Final = Decimal("0.5")
SHORT_EQUITY_MIN: Final = Decimal("2000")
"""Equity that a margin account needs before it may sell short (Regulation T)."""

Mark = Callable[[str], Decimal]
"""The current price of a symbol."""


class Position(msgspec.Struct, kw_only=True):
    """Shares held in one symbol; ``qty`` is negative for a short position."""

    symbol: str
    qty: Decimal
    avg_entry_price: Decimal
    overnight_qty: Decimal = ZERO
    """Part of ``qty`` carried over from the day before; its intraday profit counts from the last close."""

    @property
    def cost_basis(self) -> Decimal:
        return self.qty * self.avg_entry_price


class AccountState(msgspec.Struct, kw_only=True):
    """The scalars of the account; one row of the store."""

    id: str
    number: str
    cash: Decimal
    last_equity: Decimal
    last_maintenance: Decimal = ZERO
    created_at: int = 0
    multiplier: int = 4
    trading_blocked: bool = False
    account_blocked: bool = False
    transfers_blocked: bool = False
    suspend_trade: bool = False
    no_shorting: bool = False
    fractional_trading: bool = True
    disable_overnight_trading: bool = False
    ptp_no_exception_entry: bool = False
    max_options_trading_level: int = 0
    trade_confirm_email: str = "all"


class Account:
    """Cash and positions, changed by executions only."""

    def __init__(self, state: AccountState, mark: Mark) -> None:
        self.state = state
        self.positions: dict[str, Position] = {}
        self.reserved_power: Decimal = ZERO
        self._held: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        self._mark = mark

    # -- reservations -----------------------------------------------------------------------------------------------

    def reserve(self, order: Order, *, hold: Decimal | None = None, power: Decimal | None = None) -> None:
        """Sets what an order reserves from now on, in shares or in buying power."""
        if hold is not None:
            self._held[order.symbol] += hold - order.hold
            order.hold = hold
        if power is not None:
            self.reserved_power += power - order.buying_power
            order.buying_power = power

    def release(self, order: Order) -> None:
        self.reserve(order, hold=ZERO, power=ZERO)

    def held(self, symbol: str) -> Decimal:
        return self._held[symbol]

    def qty(self, symbol: str) -> Decimal:
        """Signed shares; zero without a position."""
        position = self.positions.get(symbol)
        return ZERO if position is None else position.qty

    def available(self, symbol: str) -> Decimal:
        """Shares of the position that no order reserves; never negative."""
        return max(abs(self.qty(symbol)) - self._held[symbol], ZERO)

    # -- executions -------------------------------------------------------------------------------------------------

    def execute(self, symbol: str, side: str, qty: Decimal, price: Decimal) -> Decimal:
        """Books an execution and returns the position's new signed quantity.

        Adding averages the entry price, reducing keeps it, crossing zero starts a new position at ``price``: two exits
        that both fill turn the position round.
        """
        signed = qty if side == "buy" else -qty
        self.state.cash -= signed * price
        position = self.positions.get(symbol)
        if position is None:
            self.positions[symbol] = Position(symbol=symbol, qty=signed, avg_entry_price=price)
            return signed
        before = position.qty
        after = before + signed
        if after == 0:
            del self.positions[symbol]
            return ZERO
        if before * signed > 0:
            position.avg_entry_price = (before * position.avg_entry_price + signed * price) / after
        elif before * after < 0:
            position.avg_entry_price = price
        position.qty = after
        if before * after < 0:
            position.overnight_qty = ZERO
        elif abs(position.overnight_qty) > abs(after):
            position.overnight_qty = after
        return after

    def set_position(self, symbol: str, qty: Decimal, price: Decimal) -> None:
        """A position as a hand at the broker would leave it (a transfer): cash is not touched."""
        if qty == 0:
            self.positions.pop(symbol, None)
        else:
            self.positions[symbol] = Position(symbol=symbol, qty=qty, avg_entry_price=price)

    def start_day(self) -> None:
        """Notes yesterday's equity and what is carried over."""
        self.state.last_equity = self.equity
        self.state.last_maintenance = self.maintenance_margin
        for position in self.positions.values():
            position.overnight_qty = position.qty

    # -- values -----------------------------------------------------------------------------------------------------

    def market_value(self, *, long: bool) -> Decimal:
        """Of all long (or all short, then negative) positions."""
        return sum(
            (p.qty * self._mark(p.symbol) for p in self.positions.values() if (p.qty > 0) is long),
            ZERO,
        )

    @property
    def equity(self) -> Decimal:
        return self.state.cash + sum((p.qty * self._mark(p.symbol) for p in self.positions.values()), ZERO)

    @property
    def gross(self) -> Decimal:
        return sum((abs(p.qty) * self._mark(p.symbol) for p in self.positions.values()), ZERO)

    @property
    def maintenance_margin(self) -> Decimal:
        return self.market_value(long=True) * LONG_MAINTENANCE - self.market_value(long=False) * SHORT_MAINTENANCE

    @property
    def initial_margin(self) -> Decimal:
        return self.gross * INITIAL_MARGIN

    def power(self, multiplier: int) -> Decimal:
        """Buying power at a multiplier, less what open orders reserve; never negative.

        ``multiplier * equity - gross`` is Alpaca's formula for 2, (equity - initial margin) * 2, and its like for 4.
        """
        room = self.state.cash if multiplier == 1 else multiplier * self.equity - self.gross
        return max(room - self.reserved_power, ZERO)

    @property
    def may_short(self) -> bool:
        """A margin account of at least 2,000 USD that has not been told to hold longs only."""
        state = self.state
        return state.multiplier > 1 and not state.no_shorting and self.equity >= SHORT_EQUITY_MIN

    @property
    def buying_power(self) -> Decimal:
        return self.power(self.state.multiplier)
