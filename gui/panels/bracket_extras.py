"""Columns of a trade that are in sight once somebody wants them: the menu of the table's head offers them by group."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from engine.views import BracketView
from gui import formatting as say
from gui.panels.more_columns import away_pct, moment, number, words
from gui.tables.column import Column

SIZE, PRICES, TIMES, NAMES = "Size and risk", "Prices", "Times", "Names and plan"


def risk(trade: BracketView) -> Decimal | None:
    """What the held shares lose at the stop, in account currency; below zero where the stop locks a gain in."""
    if trade.entry_price is None or trade.stop_price is None or not trade.held_qty:
        return None
    return (trade.entry_price - trade.stop_price) * trade.side.sign * trade.held_qty


def open_value(trade: BracketView) -> Decimal | None:
    """Of the held shares at the market, in account currency."""
    return None if trade.market_price is None else trade.held_qty * trade.market_price


def extras(now: Callable[[], datetime]) -> tuple[Column[BracketView], ...]:
    """``now`` makes the ages."""

    def to_stop(trade: BracketView) -> Decimal | None:
        return away_pct(trade.stop_price, trade.market_price)

    def to_target(trade: BracketView) -> Decimal | None:
        return away_pct(trade.take_profit_price, trade.market_price)

    def trails(trade: BracketView) -> Decimal | None:
        """In percent of the best price, whichever way it was said."""
        best = trade.high_water or trade.entry_price
        return None if trade.trail is None or not best else 100 * trade.trail.distance(best) / best

    return (
        number("held", "Held", 64, lambda b: say.qty(b.held_qty), lambda b: b.held_qty, group=SIZE),
        number("covered", "Covered", 72, lambda b: say.qty(b.covered_qty), lambda b: b.covered_qty, group=SIZE),
        number("bare", "Naked now", 80, lambda b: say.qty(b.naked_qty or None), lambda b: b.naked_qty, group=SIZE),
        number("risk", "At risk", 76, lambda b: say.money(risk(b)), risk, group=SIZE),
        number("value", "Value", 86, lambda b: say.money(open_value(b)), open_value, group=SIZE),
        number(
            "bare_s", "Share-s naked", 96, lambda b: f"{b.naked_share_s:,.0f}", lambda b: b.naked_share_s, group=SIZE
        ),
        number("entry", "Entry", 72, lambda b: say.price(b.entry_price), lambda b: b.entry_price, group=PRICES),
        number("stop", "Stop", 72, lambda b: say.price(b.stop_price), lambda b: b.stop_price, group=PRICES),
        number(
            "target",
            "Target",
            72,
            lambda b: say.price(b.take_profit_price),
            lambda b: b.take_profit_price,
            group=PRICES,
        ),
        number("to_stop", "To the stop", 86, lambda b: say.percent(to_stop(b)), to_stop, group=PRICES),
        number("to_target", "To the target", 96, lambda b: say.percent(to_target(b)), to_target, group=PRICES),
        number("best", "Best seen", 76, lambda b: say.price(b.high_water), lambda b: b.high_water, group=PRICES),
        number("trail", "Trails by", 72, lambda b: b.trail.sentence if b.trail else say.NONE, trails, group=PRICES),
        moment("opened", "Opened", lambda b: b.opened_at, group=TIMES),
        number("open_for", "Open for", 72, lambda b: say.age(b.opened_at, now()), lambda b: b.opened_at, group=TIMES),
        moment("proved", "Proved", lambda b: b.verified_at, group=TIMES),
        words("strategy", "Strategy", 96, lambda b: b.strategy, group=NAMES),
        words("trade", "Trade", 72, lambda b: b.id, group=NAMES),
        words("signal", "Signal", 72, lambda b: b.signal_id, group=NAMES),
        words("carried_by", "Carried by", 150, lambda b: b.plan_id or say.NONE, group=NAMES),
        words("error", "Newest error", 160, lambda b: b.last_error or "", group=NAMES),
    )
