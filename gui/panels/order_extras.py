"""Columns of an order that are in sight once somebody wants them: the menu of the table's head offers them by group."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.views import BracketView, OrderView
from gui import formatting as say
from gui.panels.bracket_columns import profit
from gui.panels.fills import value as executed_value
from gui.panels.more_columns import away_pct, moment, number, words
from gui.status_words import bracket_face
from gui.tables.column import Column

SIZE, TIMES, TRADE, NAMES = "Size and value", "Times", "Trade and market", "Names and evidence"

type TradeOf = Callable[[OrderView], BracketView | None]


def left(order: OrderView) -> Decimal:
    """Shares that may still execute."""
    return order.qty - order.filled_qty


def filled_share(order: OrderView) -> Decimal | None:
    """In percent."""
    return 100 * order.filled_qty / order.qty if order.qty else None


def working_price(order: OrderView) -> Decimal | None:
    """Where it waits: its limit, else its trigger."""
    return order.limit_price if order.limit_price is not None else order.stop_price


def working_value(order: OrderView) -> Decimal | None:
    """What is left of it, at its own price."""
    at = working_price(order)
    return None if at is None else left(order) * at


def distance_pct(order: OrderView, trade: BracketView | None) -> Decimal | None:
    """How far the market is from its price, in percent of the market's; None without a price."""
    return away_pct(working_price(order), trade.market_price if trade is not None else None)


def extras(now: Callable[[], datetime], trade_of: TradeOf) -> tuple[Column[OrderView], ...]:
    """``now`` makes the ages, ``trade_of`` knows the trade of an order."""

    def of_trade(show: Callable[[BracketView], str]) -> Callable[[OrderView], str]:
        def text(order: OrderView) -> str:
            trade = trade_of(order)
            return say.NONE if trade is None else show(trade)

        return text

    def in_words(key: str, title: str, width: int, show: Callable[[BracketView], str]) -> Column[OrderView]:
        return words(key, title, width, of_trade(show), group=TRADE, follows=True)

    def in_figures(
        key: str, title: str, width: int, value: Callable[[BracketView], Any], show: Callable[[Any], str]
    ) -> Column[OrderView]:
        def sort(order: OrderView) -> Any:
            trade = trade_of(order)
            return None if trade is None else value(trade)

        text = of_trade(lambda trade: show(value(trade)))
        return number(key, title, width, text, sort, group=TRADE, follows=True)

    def away(order: OrderView) -> Decimal | None:
        return distance_pct(order, trade_of(order))

    def evidence(of: Callable[[Any], Any]) -> Callable[[OrderView], Any]:
        return lambda o: of(o.evidence) if o.evidence is not None else None

    return (
        number("qty", "Quantity", 74, lambda o: say.qty(o.qty), lambda o: o.qty, group=SIZE),
        number("left", "Left", 64, lambda o: say.qty(left(o)), left, group=SIZE),
        number("done", "Done", 64, lambda o: say.percent(filled_share(o), 0), filled_share, group=SIZE),
        number(
            "average", "Average", 76, lambda o: say.price(o.filled_avg_price), lambda o: o.filled_avg_price, group=SIZE
        ),
        number("executed", "Executed", 86, lambda o: say.money(executed_value(o)), executed_value, group=SIZE),
        number("working", "At work", 86, lambda o: say.money(working_value(o)), working_value, group=SIZE),
        number("busted", "Taken back", 82, lambda o: say.qty(o.busted_qty or None), lambda o: o.busted_qty, group=SIZE),
        moment("created", "Created", lambda o: o.created_at, group=TIMES),
        moment("since", "Since", lambda o: o.status_since, group=TIMES),
        moment("updated", "Broker’s stamp", lambda o: o.updated_at, group=TIMES),
        moment("proved", "Proved", evidence(lambda proof: proof.at), group=TIMES),
        moment("canceling", "Cancel asked", lambda o: o.cancel_requested_at, group=TIMES),
        moment("unknown_since", "Unknown since", lambda o: o.unresolved_since, group=TIMES),
        number("lived", "Age", 62, lambda o: say.age(o.created_at, now()), lambda o: o.created_at, group=TIMES),
        in_words("strategy", "Strategy", 96, lambda t: t.strategy),
        in_words("trade_status", "Trade is", 110, lambda t: bracket_face(t).word),
        in_words("plan", "Plan", 70, lambda t: t.plan),
        in_figures("market", "Market", 76, lambda t: t.market_price, say.price),
        number("distance", "Away", 72, lambda o: say.percent(away(o)), away, group=TRADE, follows=True),
        in_figures("entry", "Entered at", 76, lambda t: t.entry_price, say.price),
        in_figures("held", "Held", 64, lambda t: t.held_qty, say.qty),
        in_figures("naked", "Naked", 64, lambda t: t.naked_qty or None, say.qty),
        in_figures("trade_pl", "Trade’s P&L", 86, profit, lambda gain: say.money(gain, signed=True)),
        words("type", "Type", 76, lambda o: o.type.value.replace("_", " "), group=NAMES),
        words("tif", "Lasts", 54, lambda o: o.time_in_force.value, group=NAMES),
        words("class", "Class", 64, lambda o: o.order_class.value, group=NAMES),
        words("armed", "Armed", 58, lambda o: "yes" if o.is_armed else "no", group=NAMES),
        words("alpaca", "Alpaca says", 96, lambda o: o.raw_status or say.NONE, group=NAMES),
        words("error", "Error", 140, lambda o: o.last_error or "", group=NAMES),
        words("source", "Proof from", 76, lambda o: evidence(lambda p: p.source.value)(o) or say.NONE, group=NAMES),
        words("proof", "Proof", 120, lambda o: evidence(lambda p: p.id)(o) or say.NONE, group=NAMES),
        words("order_id", "Order", 150, lambda o: o.id, group=NAMES),
        words("client_id", "Client id", 150, lambda o: o.client_order_id or say.NONE, group=NAMES),
        words("broker_id", "Broker id", 230, lambda o: o.broker_id or say.NONE, group=NAMES),
        words("trade_id", "Trade", 70, lambda o: o.bracket_id or say.NONE, group=NAMES),
        words("parent", "Parent", 150, lambda o: o.parent_id or say.NONE, group=NAMES),
    )
