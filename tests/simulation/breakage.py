"""Faults of the exchange, one maker for each kind that it knows, each with its weight.

A kind without a maker fails ``test_coverage.py``: what the exchange can do wrong, the storms do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from engine.exchange import faults as f
from tests.simulation.weather import SYMBOLS

ORDERS: Final = "/v2/orders*"
STRANGE: Final[tuple[dict[str, Any], ...]] = ({"status": "frozen"}, {"legs": None}, {"filled_qty": None}, {"new": [1]})
"""Words and shapes that nobody has seen before."""

Dice = random.Random
Maker = Callable[[Dice], f.Fault]


def _request(dice: Dice) -> dict[str, Any]:
    """Which requests: mostly writes of orders, now and then reads, or anything."""
    method = dice.choices(("POST", "PATCH", "DELETE", "GET", None), (6, 2, 3, 2, 1))[0]
    return {
        "method": method,
        "path": ORDERS if method in ("POST", "PATCH", "DELETE") else None,
        "count": dice.choice((1, 1, 1, 2, 4)),
        "after": dice.choice((0, 0, 0, 1)),
    }


def _event(dice: Dice) -> dict[str, Any]:
    """Which trade updates."""
    name = dice.choice((None, None, "fill", "partial_fill", "new", "canceled"))
    return {"event": name, "count": dice.choice((1, 1, 2, 5))}


def _symbol(dice: Dice) -> str | None:
    return dice.choice((None, *SYMBOLS))


def _refuse(dice: Dice) -> f.Fault:
    if dice.random() < 0.6:
        return f.Refuse(**_request(dice), status=dice.choice((403, 422, 429, 500)))
    order_class, most = dice.choice((("oco", 8), ("simple", 3)))
    return f.Refuse(method="POST", path=ORDERS, order_class=order_class, count=dice.choice((1, 3, most)))


def _mangle(dice: Dice) -> f.Fault:
    if dice.random() < 0.5:
        return f.Mangle(**_event(dice), set=dice.choice(STRANGE))
    return f.Mangle(method=dice.choice(("POST", "GET")), path=ORDERS, set=dice.choice(STRANGE))


def _lose_answer(dice: Dice) -> f.Fault:
    return f.LoseAnswer(**_request(dice), hang_s=dice.choice((0.0, 0.0, 0.0, 3.0, 14.0)))


def _exits_refused(dice: Dice) -> f.Fault:
    return f.ExitsRefused(
        from_group=1, every=dice.choice((1, 3)), then_refuse_oco=dice.choice((1, 2, 5)), seed=dice.randrange(100)
    )


MAKERS: Final[Mapping[type[f.Fault], tuple[float, Maker]]] = {
    f.Refuse: (1.9, _refuse),
    f.Html: (
        0.9,
        lambda dice: f.Html(**_request(dice), status=dice.choice((502, 503, 504)), accepted=dice.random() < 0.5),
    ),
    f.Drop: (0.9, lambda dice: f.Drop(**_request(dice))),
    f.LoseAnswer: (1.8, _lose_answer),
    f.CutBody: (0.9, lambda dice: f.CutBody(**_request(dice))),
    f.Garbage: (0.9, lambda dice: f.Garbage(**_request(dice))),
    f.Delay: (0.9, lambda dice: f.Delay(**_request(dice), seconds=dice.choice((0.3, 1.0, 4.0, 12.0)))),
    f.Mangle: (1.5, _mangle),
    f.RefuseStream: (0.6, lambda dice: f.RefuseStream(count=dice.choice((1, 3)))),
    f.CutStream: (0.6, lambda dice: f.CutStream(event=_event(dice)["event"])),
    f.LoseEvent: (1.3, lambda dice: f.LoseEvent(**_event(dice))),
    f.DoubleEvent: (0.6, lambda dice: f.DoubleEvent(**_event(dice))),
    f.DelayEvent: (0.6, lambda dice: f.DelayEvent(**_event(dice), seconds=dice.choice((0.2, 1.0, 6.0)))),
    f.SwapEvents: (0.6, lambda dice: f.SwapEvents(**_event(dice))),
    f.RejectLegs: (1.3, lambda dice: f.RejectLegs(symbol=_symbol(dice))),
    f.StickCancel: (0.7, lambda dice: f.StickCancel(symbol=_symbol(dice))),
    f.CancelRejected: (0.0, lambda dice: f.CancelRejected(symbol=_symbol(dice), count=dice.choice((1, 1, 3)))),
    f.PartialFill: (
        0.7,
        lambda dice: f.PartialFill(
            symbol=_symbol(dice), shares=Decimal(dice.choice((1, 2, 5))), count=dice.choice((1, 3))
        ),
    ),
    f.ExitsRefused: (0.2, _exits_refused),
    f.FalseRefusal: (
        1.2,
        lambda dice: f.FalseRefusal(method=dice.choice(("PATCH", "POST")), path=ORDERS, count=dice.choice((1, 2))),
    ),
    f.Hang: (0.4, lambda dice: f.Hang(**_request(dice), seconds=dice.choice((5.0, 60.0)))),
    f.Dribble: (0.3, lambda dice: f.Dribble(**_request(dice), every_s=dice.choice((0.002, 0.1)))),
    f.MuteStream: (0.4, lambda _: f.MuteStream()),
    f.KeepSlot: (0.2, lambda dice: f.KeepSlot(seconds=dice.choice((3.0, 20.0)))),
    f.CutData: (0.3, lambda _: f.CutData()),
    f.StaleQuotes: (0.2, lambda dice: f.StaleQuotes(symbol=dice.choice(SYMBOLS))),
    f.LegsStayHeld: (0.3, lambda dice: f.LegsStayHeld(symbol=_symbol(dice))),
    f.LegsDie: (0.4, lambda dice: f.LegsDie(symbol=_symbol(dice))),
    f.BothExitsFill: (0.3, lambda dice: f.BothExitsFill(symbol=_symbol(dice))),
}


LEARNED_LATER: Final[Mapping[type[f.Fault], type[f.Fault]]] = {f.StickCancel: f.CancelRejected}
"""The second strikes in place of every other one of the first: storms drawn before it stay what they were, nearly."""


def draw_fault(dice: Dice) -> f.Fault:
    """One fault of any kind."""
    kinds = tuple(MAKERS)
    kind = dice.choices(kinds, [MAKERS[each][0] for each in kinds])[0]
    fault = MAKERS[kind][1](dice)
    later = LEARNED_LATER.get(kind)
    return fault if later is None or dice.random() < 0.5 else MAKERS[later][1](dice)
