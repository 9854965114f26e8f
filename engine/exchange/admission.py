"""Whether a well-formed order may enter now: price rules, wash trades, reservations, buying power, the account's state.

Reads the floor and changes nothing but the reservations of the orders it admits. A group is admitted or refused whole:
a refused bracket leaves no orphan legs.

Sources: docs.alpaca.markets/docs/orders-at-alpaca and /docs/user-protection; texts as quoted in public reports.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Final

from engine.exchange.assets import Asset, find_asset, tick_of
from engine.exchange.errors import Refusal, forbidden, insufficient_qty, malformed, unprocessable
from engine.exchange.floor import Floor, decimal_price
from engine.exchange.matching import trailing_stop_price
from engine.exchange.orders import STOPS, ZERO, Order
from engine.exchange.requests import Ticket
from engine.exchange.wire import number

CENT: Final = Decimal("0.01")
SHORT_MARKUP: Final = Decimal("1.03")
"""Short sales reserve at least this far above the ask."""
BUY_STOP_COLLAR_LOW: Final = Decimal("1.04")
BUY_STOP_COLLAR_HIGH: Final = Decimal("1.025")
BUY_STOP_STEP: Final = Decimal(50)
"""Buy stops become stop-limits 4 % above a stop under 50, 2.5 % above from 50 on."""
CRYPTO_MIN_COST: Final = Decimal(10)
GTC_DAYS: Final = timedelta(days=90)
_OPTION: Final = re.compile(r"[A-Z]{1,6}\d{6}[CP]\d{8}")
"""A contract's symbol: root, expiration, call or put, strike."""


class Admission:
    """The door: turns tickets into orders, and amendments into successors."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    # -- new orders -------------------------------------------------------------------------------------------------

    def admit(self, ticket: Ticket) -> tuple[Order, list[Order]]:
        """The order and its legs, reserved for and ready to be accepted; raises ``Refusal``."""
        floor = self._floor
        asset = self._listed(ticket)
        ticket.symbol = asset.symbol
        if ticket.client_order_id is not None and floor.orders.by_client_id(ticket.client_order_id) is not None:
            raise malformed("client_order_id must be unique")
        intent = self._intent(ticket, asset)
        state = floor.account.state
        if intent.endswith("open") or floor.settings.suspend_blocks_exits:
            if state.suspend_trade:
                raise forbidden("new orders are rejected by user request")
            if state.trading_blocked or state.account_blocked:
                raise forbidden("account is not authorized to trade")
        self._check_kind(ticket, asset)
        self._check_ticks(ticket, asset)
        if ticket.order_class:
            self._check_group(ticket, intent)
        self._check_stop_against_market(ticket)
        self._check_intent(ticket, intent)
        if not ticket.order_class:
            self._check_wash_trade(ticket)
        order, legs = self._build(ticket, asset, intent)
        if intent.endswith("close"):
            self._reserve_shares(order)
        else:
            self._reserve_power(order, asset)
        return order, legs

    def _listed(self, ticket: Ticket) -> Asset:
        symbol = ticket.symbol
        asset = find_asset(symbol)
        if asset is not None and self._floor.market.lists(asset.symbol):
            return asset
        if _OPTION.fullmatch(symbol) and ticket.order_class:
            raise unprocessable("complex orders not supported for options trading")
        if _OPTION.fullmatch(symbol):
            raise forbidden("account not eligible for level2 options trading")
        raise unprocessable(f'asset "{symbol}" not found')

    def _intent(self, ticket: Ticket, asset: Asset) -> str:
        """What the order does to the position as it is now."""
        held = self._floor.account.qty(asset.symbol)
        if ticket.side == "buy":
            return "buy_to_close" if held < 0 else "buy_to_open"
        return "sell_to_close" if held > 0 else "sell_to_open"

    def _check_intent(self, ticket: Ticket, inferred: str) -> None:
        if ticket.position_intent is not None and ticket.position_intent != inferred:
            raise unprocessable(f"position intent mismatch, inferred: {inferred}, specified: {ticket.position_intent}")

    def _check_kind(self, ticket: Ticket, asset: Asset) -> None:
        floor = self._floor
        fractional = ticket.notional is not None or (ticket.qty is not None and ticket.qty % 1 != 0)
        if asset.is_crypto:
            self._check_crypto(ticket)
        else:
            if ticket.extended_hours and (ticket.type != "limit" or ticket.time_in_force not in {"day", "gtc"}):
                raise unprocessable("extended hours order must be DAY or GTC limit orders")
            if fractional:
                self._check_fractional(ticket, asset)
            if not asset.easy_to_borrow and ticket.time_in_force != "day":
                raise unprocessable(f'only day orders are allowed for hard-to-borrow asset "{asset.symbol}"')
            if ticket.time_in_force in {"opg", "cls"} and ticket.type not in {"market", "limit"}:
                raise malformed("opg and cls orders must be market or limit orders")
            self._check_auction(ticket.time_in_force)
        if floor.market.is_halted(asset.symbol) and ticket.type == "market":
            raise forbidden(f"market order rejected due to trading halt on symbol: {asset.symbol}")

    def _check_auction(self, time_in_force: str) -> None:
        """On-open and on-close orders come before their auction's cutoff, or in the evening for the next day."""
        session, now = self._floor.session, self._floor.now()
        if time_in_force == "opg" and session.is_opening_shut(now):
            raise unprocessable("opg orders are not accepted between 9:28am and 7:00pm")
        if time_in_force == "cls" and session.is_closing_shut(now):
            raise unprocessable("cls orders are not accepted between 3:50pm and 7:00pm")

    def _check_crypto(self, ticket: Ticket) -> None:
        if ticket.order_class:
            name = "otoco" if ticket.order_class == "bracket" else ticket.order_class
            raise unprocessable(f"crypto orders not allowed for advanced order_class: {name}")
        if ticket.time_in_force not in {"gtc", "ioc"}:
            raise unprocessable("invalid crypto time_in_force")
        if ticket.type not in {"market", "limit", "stop_limit"}:
            raise unprocessable("invalid order type for crypto order")
        price = ticket.limit_price or self._floor.mark(ticket.symbol)
        cost = ticket.notional if ticket.qty is None else ticket.qty * price
        if ticket.side == "buy" and cost is not None and cost < CRYPTO_MIN_COST:
            raise forbidden(f"cost basis must be >= minimal amount of order {CRYPTO_MIN_COST}")

    def _check_fractional(self, ticket: Ticket, asset: Asset) -> None:
        if ticket.order_class:
            raise unprocessable("fractional orders must be simple orders")
        if not asset.fractionable:
            raise unprocessable(f'asset "{asset.symbol}" is not fractionable')
        if not self._floor.account.state.fractional_trading:
            raise forbidden("account is not allowed to trade fractional shares")
        if ticket.time_in_force != "day":
            raise unprocessable("fractional orders must be DAY orders")
        if ticket.type == "trailing_stop":
            raise unprocessable("fractional orders must be market, limit, stop or stop_limit orders")
        if ticket.notional is not None and ticket.notional < 1:
            raise unprocessable("notional must be >= 1.00")
        if ticket.side == "sell" and self._floor.account.qty(asset.symbol) <= 0:
            raise unprocessable("fractional orders cannot be sold short")

    def _check_ticks(self, ticket: Ticket, asset: Asset) -> None:
        for name, price in (
            ("limit_price", ticket.limit_price),
            ("stop_price", ticket.stop_price),
            ("take_profit.limit_price", ticket.take_profit_limit),
            ("stop_loss.stop_price", ticket.stop_loss_stop),
            ("stop_loss.limit_price", ticket.stop_loss_limit),
        ):
            check_tick(asset, name, price)

    def _check_group(self, ticket: Ticket, intent: str) -> None:
        """Class rules and the order of the prices: stop < base < target for a long group, mirrored for a short one."""
        if ticket.order_class == "oco":
            if intent.endswith("open"):
                raise unprocessable("oco orders must be exit orders")
        elif intent.endswith("close"):
            raise unprocessable(f"{ticket.order_class} orders must be entry orders")
        long = (ticket.side == "buy") != (ticket.order_class == "oco")
        target, stop = ticket.take_profit_limit, ticket.stop_loss_stop
        sign = 1 if long else -1
        if target is not None and stop is not None and sign * (target - stop) <= 0:
            relation = ">" if long else "<"
            raise unprocessable(f"take_profit.limit_price must be {relation} stop_loss.stop_price")
        market = self._floor.mark(ticket.symbol)
        bases = [market] if ticket.limit_price is None else [ticket.limit_price, market]
        if stop is not None:
            for base in bases:
                if sign * (base - stop) < CENT:
                    rule = "<= base_price - 0.01" if long else ">= base_price + 0.01"
                    raise unprocessable(f"stop_loss.stop_price must be {rule}", base_price=number(base))
            stop_limit = ticket.stop_loss_limit
            if stop_limit is not None and sign * (stop - stop_limit) < 0:
                relation = "<=" if long else ">="
                raise unprocessable(f"stop_loss.limit_price must be {relation} stop_loss.stop_price")
        if target is not None and ticket.order_class != "oco" and sign * (target - bases[0]) < CENT:
            rule = ">= base_price + 0.01" if long else "<= base_price - 0.01"
            raise unprocessable(f"take_profit.limit_price must be {rule}", base_price=number(bases[0]))

    def _check_stop_against_market(self, ticket: Ticket) -> None:
        if ticket.stop_price is not None:
            check_stop(self._floor, ticket.symbol, ticket.side, ticket.stop_price)

    def _check_wash_trade(self, ticket: Ticket) -> None:
        """No simple order against a resting one on the other side; exits of groups and trailing stops are exempt."""
        if ticket.type == "trailing_stop":
            return
        opposite = "sell" if ticket.side == "buy" else "buy"
        for other in self._floor.orders.live_on(opposite, ticket.symbol):
            if other.is_leg or other.type == "trailing_stop":
                continue
            if other.type in {"market", "stop"} or other.collared:
                reason = "opposite side market/stop order exists"
            elif ticket.type in {"market", "stop"} or _would_cross(ticket, other):
                reason = f"opposite side {other.type} order exists. use complex/limit/stop_limit orders"
            else:
                continue
            raise forbidden(
                "potential wash trade detected. use complex orders", existing_order_id=other.id, reject_reason=reason
            )

    # -- reservations -----------------------------------------------------------------------------------------------

    def _reserve_shares(self, order: Order) -> None:
        """Closing orders must find their shares free: a position can't be turned round by one order."""
        account = self._floor.account
        if order.qty is None:
            assert order.notional is not None
            order.qty = (order.notional / self._floor.mark(order.symbol)).quantize(Decimal("0.000000001"))
        available = account.available(order.symbol)
        if order.qty > available:
            if "/" in order.symbol:
                raise _insufficient_balance(order, available)
            related = [other.id for other in self._floor.orders.live_in(order.symbol) if other.hold > 0]
            raise insufficient_qty(
                symbol=order.symbol,
                requested=number(order.qty),
                available=number(available),
                existing=number(abs(account.qty(order.symbol))),
                held=number(account.held(order.symbol)),
                related=related,
            )
        account.reserve(order, hold=order.qty)

    def _reserve_power(self, order: Order, asset: Asset) -> None:
        floor = self._floor
        account = floor.account
        if not order.is_buy:
            self._check_short(order, asset)
        elif account.qty(order.symbol) == 0:
            for other in self._floor.orders.live_on("sell", order.symbol):
                if other.is_opening:
                    raise forbidden("cannot open a long buy while a short sell order is open")
        cost = cost_of(floor, order)
        power = account.power(1) if asset.is_crypto else account.buying_power
        if cost > power:
            raise forbidden("insufficient buying power", buying_power=number(power), cost_basis=number(cost))
        account.reserve(order, power=cost)

    def _check_short(self, order: Order, asset: Asset) -> None:
        account = self._floor.account
        if asset.is_crypto:
            raise _insufficient_balance(order, ZERO)
        if not (asset.shortable and asset.easy_to_borrow):
            raise unprocessable(f'asset "{asset.symbol}" cannot be sold short')
        if not account.may_short:
            raise forbidden("account is not allowed to short")
        for other in self._floor.orders.live_on("buy", order.symbol):
            if other.is_opening:
                raise forbidden("cannot open a short sell while a long buy order is open")

    # -- building ---------------------------------------------------------------------------------------------------

    def _build(self, ticket: Ticket, asset: Asset, intent: str) -> tuple[Order, list[Order]]:
        floor = self._floor
        order = Order(
            id=floor.new_id(),
            client_order_id=ticket.client_order_id or floor.new_id(),
            symbol=ticket.symbol,
            side=ticket.side,
            type=ticket.type,
            time_in_force=ticket.time_in_force,
            order_class=ticket.order_class,
            role={"": "simple", "oco": "take_profit"}.get(ticket.order_class, "entry"),
            position_intent=intent,
            qty=ticket.qty,
            notional=ticket.notional,
            limit_price=ticket.limit_price,
            stop_price=ticket.stop_price,
            trail_price=ticket.trail_price,
            trail_percent=ticket.trail_percent,
            extended_hours=ticket.extended_hours,
        )
        if order.type == "trailing_stop":
            order.hwm = floor.mark(order.symbol)
            order.stop_price = trailing_stop_price(order, order.hwm)
            check_trail(order.stop_price)
        if not asset.is_crypto:
            collar_buy_stop(order, asset)
        order.expires_at = self._expiry(order)
        legs = self._build_legs(order, ticket, asset)
        order.leg_ids = [leg.id for leg in legs]
        return order, legs

    def _expiry(self, order: Order) -> int:
        """Ninety days for good-till-canceled orders, for all others the end of their session."""
        now = self._floor.now()
        if order.time_in_force == "gtc":
            at = now + GTC_DAYS
        else:
            day = self._floor.session.closing_day(now)
            at = day.post_closes if order.extended_hours else day.closes
        return int(at.timestamp()) * 1_000_000_000

    def _build_legs(self, parent: Order, ticket: Ticket, asset: Asset) -> list[Order]:
        """Legs carry ids of their own: client ids and times in force inside the leg objects are ignored."""
        is_oco = parent.order_class == "oco"
        exit_side = parent.side if is_oco else ("sell" if parent.is_buy else "buy")
        legs: list[Order] = []

        def leg(role: str, kind: str, limit: Decimal | None, stop: Decimal | None) -> None:
            made = Order(
                id=self._floor.new_id(),
                client_order_id=self._floor.new_id(),
                symbol=parent.symbol,
                side=exit_side,
                type=kind,
                time_in_force=parent.time_in_force,
                order_class=parent.order_class,
                role=role,
                position_intent=f"{exit_side}_to_close",
                status="held",
                qty=parent.qty,
                limit_price=limit,
                stop_price=stop,
                expires_at=parent.expires_at,
                parent_id=parent.id,
            )
            collar_buy_stop(made, asset)
            legs.append(made)

        if ticket.take_profit_limit is not None and not is_oco:
            leg("take_profit", "limit", ticket.take_profit_limit, None)
        if ticket.stop_loss_stop is not None:
            kind = "stop" if ticket.stop_loss_limit is None else "stop_limit"
            leg("stop_loss", kind, ticket.stop_loss_limit, ticket.stop_loss_stop)
        return legs


def _insufficient_balance(order: Order, available: Decimal) -> Refusal:
    """403: more of a coin than there is."""
    requested = number(order.qty or order.notional or ZERO)
    coin = order.symbol.partition("/")[0]
    return forbidden(f"insufficient balance for {coin} (requested: {requested}, available: {number(available)})")


def cost_of(floor: Floor, order: Order) -> Decimal:
    """What an opening order costs at most: buys at their limit or the ask, shorts at max(limit, ask + 3 %)."""
    if order.qty is None:
        return order.notional or ZERO
    ask = decimal_price(floor.market.quote(order.symbol).ask)
    price = order.limit_price or order.stop_price or ask
    if not order.is_buy:
        price = max(price, ask * SHORT_MARKUP)
    return (order.leaves_qty * price).quantize(Decimal("0.0001"))


def check_tick(asset: Asset, name: str, price: Decimal | None) -> None:
    """Refuses a price off the grid; Alpaca rounds nothing."""
    if price is not None and price % tick_of(asset, price) != 0:
        raise unprocessable(
            f"invalid {name} {number(price)}. sub-penny increment does not fulfill minimum pricing criteria"
        )


def check_stop(floor: Floor, symbol: str, side: str, stop: Decimal) -> None:
    """Refuses a stop that the market has passed already."""
    market = floor.mark(symbol)
    if side == "sell" and stop >= market:
        raise unprocessable("stop price must be less than current price", market_price=number(market))
    if side == "buy" and stop <= market:
        raise unprocessable("stop price must be greater than current price", market_price=number(market))


def check_trail(stop: Decimal) -> None:
    """Refuses a trail that would put the stop of a sell order at or below nothing."""
    if stop <= 0:
        raise unprocessable("stop price of a trailing stop order must be > 0")


def collar_of(stop: Decimal, asset: Asset) -> Decimal:
    """The limit that Alpaca gives a buy stop."""
    factor = BUY_STOP_COLLAR_LOW if stop < BUY_STOP_STEP else BUY_STOP_COLLAR_HIGH
    return (stop * factor).quantize(tick_of(asset, stop))


def collar_buy_stop(order: Order, asset: Asset) -> None:
    """Makes a buy stop the stop-limit that it is at Alpaca."""
    if order.is_buy and order.type == "stop":
        assert order.stop_price is not None
        order.type = "stop_limit"
        order.collared = True
        order.limit_price = collar_of(order.stop_price, asset)


def _would_cross(ticket: Ticket, other: Order) -> bool:
    """Whether two limits on opposite sides could trade with each other."""
    if ticket.limit_price is None or other.limit_price is None:
        return ticket.type not in STOPS or ticket.limit_price is None
    buy, sell = ticket.limit_price, other.limit_price
    if ticket.side == "sell":
        buy, sell = sell, buy
    return buy >= sell
