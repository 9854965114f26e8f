"""What a moved stop or target would mean, in words and in money. Views in, words out."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from engine.model.words import BracketStatus
from engine.views import BracketView
from gui import formatting as say

type Exit = Literal["stop", "target"]

_ON_THE_WAY_OUT = frozenset({BracketStatus.EXITING, BracketStatus.EXIT_STALLED, BracketStatus.CLOSED})


def movable(bracket: BracketView) -> frozenset[Exit]:
    """What of it a person can put elsewhere."""
    if bracket.held_qty <= 0 or bracket.entry_price is None or bracket.status in _ON_THE_WAY_OUT:
        return frozenset()
    found: set[Exit] = set()
    if bracket.stop_price is not None:
        found.add("stop")
    if bracket.take_profit_price is not None and len(bracket.targets) < 2:
        found.add("target")
    return frozenset(found)


def stands_at(bracket: BracketView, which: Exit) -> Decimal | None:
    """Where it is, or where it was last asked to be."""
    if which == "stop":
        return bracket.wanted_stop_price or bracket.stop_price
    return bracket.wanted_take_profit_price or bracket.take_profit_price


def outcome(bracket: BracketView, price: Decimal) -> Decimal:
    """Gain of the shares held now if they left at ``price``, in account currency; minus is a loss."""
    entry = bracket.entry_price
    assert entry is not None
    return (price - entry) * bracket.side.sign * bracket.held_qty


def standing_words(bracket: BracketView, which: Exit) -> str:
    """``Stop −$230 · −0.70 R``: what the trade makes if it leaves there; empty without that exit."""
    at = stands_at(bracket, which)
    return f"{say.sentence(which)} {_result(bracket, at)}" if at is not None else ""


def moved_words(bracket: BracketView, which: Exit, price: Decimal) -> str:
    """``Stop 185.10 · −$210 · −0.60 R · was −$230``."""
    was_at = stands_at(bracket, which)
    parts = [f"{say.sentence(which)} {say.price(price)}", _result(bracket, price)]
    if was_at is not None and was_at != price:
        parts.append(f"was {say.money(outcome(bracket, was_at), signed=True)}")
    return " · ".join(parts)


def why_not(bracket: BracketView, which: Exit, price: Decimal) -> str | None:
    """Why it cannot be there: the desk would refuse it."""
    sign, market = bracket.side.sign, bracket.market_price
    if which == "stop":
        if market is not None and (market - price) * sign <= 0:
            return "a stop there would fire at once"
        if bracket.take_profit_price is not None and (bracket.take_profit_price - price) * sign <= 0:
            return "the stop would lie beyond the target"
    else:
        if market is not None and (price - market) * sign <= 0:
            return "a target there would fill at once"
        if bracket.stop_price is not None and (price - bracket.stop_price) * sign <= 0:
            return "the target would lie beyond the stop"
    return None


def meaning(bracket: BracketView, which: Exit, price: Decimal) -> tuple[str, bool]:
    """What it would mean there, or why it cannot be there; and whether it can."""
    against = why_not(bracket, which, price)
    return (moved_words(bracket, which, price), True) if against is None else (say.sentence(against), False)


def loosens(bracket: BracketView, stop: Decimal) -> bool:
    """The stop would risk more than where it stands."""
    return bracket.stop_price is not None and (stop - bracket.stop_price) * bracket.side.sign < 0


def _result(bracket: BracketView, price: Decimal) -> str:
    made, one_r = outcome(bracket, price), _one_r(bracket)
    return say.money(made, signed=True) + (f" · {say.signed(made / one_r)} R" if one_r is not None else "")


def _one_r(bracket: BracketView) -> Decimal | None:
    """What the trade risked when it began, from what it says that it has made in R."""
    made, in_r = bracket.unrealized_pl, bracket.r_multiple
    return abs(made / in_r) if made and in_r else None
