"""The strategies of a storm: proposals in every form that the desk takes, some of them twice, some of them nonsense."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.desk import Desk
from tests.simulation.breakage import Dice
from tests.simulation.weather import SYMBOLS

CENT: Final = Decimal("0.01")
LOWEST_PRICE: Final = Decimal(1)
REPEATED: Final = 0.1
"""Share of the signals that are an earlier one, sent once more."""


class Strategies:
    def __init__(self) -> None:
        self._sent: deque[bytes] = deque(maxlen=5)
        """The newest: in a soak of hours all of them would be a leak of the measure's own."""

    def next(self, dice: Dice, number: int, desk: Desk) -> bytes:
        """The body of a signal; ``number`` makes its id."""
        if self._sent and dice.random() < REPEATED:
            return dice.choice(self._sent)
        signal = _proposal(dice, number, desk)
        form = dice.choices((_native, _as_alpaca, _as_traderspost), (8, 1, 1))[0]
        raw = msgspec.json.encode(form(dice, signal, desk))
        self._sent.append(raw)
        return raw


def _proposal(dice: Dice, number: int, desk: Desk) -> dict[str, Any]:
    """In the native form, with distances for exits."""
    symbol = dice.choice(SYMBOLS)
    side = dice.choices(("buy", "sell"), (3, 1))[0]
    intent = dice.choices(("open", "close", None), (7, 1, 1))[0]
    signal: dict[str, Any] = {
        "source": "storm",
        "id": f"storm-{number}",
        "strategy": dice.choice(("storm", "surge")),
        "symbol": symbol,
        "side": side,
        "qty": dice.choices(_sizes(dice), (20, 2, 2, 2, 2, 1))[0],
        "stop_loss": {"percent": dice.choice((0.2, 0.6, 2.0))},
        "expires_in_s": dice.choice((20, 60, 120)),
    }
    if intent is not None:
        signal["intent"] = intent
    if "/" in symbol and isinstance(signal["qty"], int):
        signal["qty"] = str(Decimal(signal["qty"]) / 1000)
    if signal["qty"] is None:
        del signal["qty"]
    if dice.random() < 0.7:
        signal["take_profit"] = {"percent": dice.choice((0.2, 1.0, 3.0))}
    bid = _bid(desk, symbol)
    if dice.random() < 0.4 and bid is not None:
        up = 1 if side == "buy" else -1
        offset = Decimal(dice.choice(("-0.004", "-0.001", "0", "0.002")))
        limit = (bid * (1 + up * offset)).quantize(CENT)
        signal["entry"] = {"type": "limit", "limit_price": str(max(limit, LOWEST_PRICE))}
    if dice.random() < 0.3 and bid is not None:
        signal["reference_price"] = str(bid)
    return signal


def _sizes(dice: Dice) -> tuple[Any, ...]:
    return (
        dice.choice((1, 2, 5, 10, 20, 30)),
        {"notional": str(dice.choice((500, 4000, 30000)))},
        {"risk_pct": dice.choice((0.1, 0.5))},
        {"risk_usd": str(dice.choice((20, 200)))},
        None,
        dice.choice((-1, 0, "many", 1e9)),
    )


def _bid(desk: Desk, symbol: str) -> Decimal | None:
    quote = desk.quote(symbol)
    return quote.bid if quote is not None and quote.bid and quote.ask else None


def _native(dice: Dice, signal: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """Exits as distances, amounts, multiples of R, or prices."""
    bid = _bid(desk, signal["symbol"])
    if bid is not None and dice.random() < 0.3:
        signal["stop_loss"] = {"amount": str((bid * Decimal("0.01")).quantize(CENT))}
    elif bid is not None and dice.random() < 0.3:
        signal["stop_loss"] = {"stop_price": _exit_price(bid, signal, -1)}
    if "take_profit" in signal and dice.random() < 0.3:
        signal["take_profit"] = {"r": dice.choice((1, 2.5))}
    if dice.random() < 0.02:
        del signal["stop_loss"]
    return signal


def _exit_price(bid: Decimal, signal: dict[str, Any], sign: int) -> str:
    """On the right side of the market: ``sign`` is -1 for a stop and 1 for a target."""
    percent = Decimal(str(signal["stop_loss" if sign < 0 else "take_profit"]["percent"]))
    sign = sign if signal["side"] == "buy" else -sign
    return str((bid * (1 + sign * percent / 100)).quantize(CENT))


def _as_alpaca(dice: Dice, signal: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """An order body of Alpaca's; without a price to reckon exits from it stays as it is."""
    bid = _bid(desk, signal["symbol"])
    if bid is None:
        return signal
    entry = signal.get("entry", {"type": "market"})
    body: dict[str, Any] = {
        "client_order_id": signal["id"],
        "symbol": signal["symbol"],
        "side": signal["side"],
        "qty": str(dice.choice((1, 5, 10))),
        "time_in_force": dice.choice(("day", "gtc")),
        "order_class": "bracket" if "take_profit" in signal else "oto",
        "stop_loss": {"stop_price": _exit_price(bid, signal, -1)},
        **entry,
    }
    if "take_profit" in signal:
        body["take_profit"] = {"limit_price": _exit_price(bid, signal, 1)}
    return body


def _as_traderspost(dice: Dice, signal: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The ``ticker`` and ``action`` family."""
    body: dict[str, Any] = {
        "ticker": signal["symbol"],
        "action": signal["side"],
        "quantity": str(dice.choice((1, 5, 10))),
        "stopLoss": {"percent": signal["stop_loss"]["percent"]},
        "id": signal["id"],
    }
    if "take_profit" in signal:
        body["takeProfit"] = {"percent": signal["take_profit"]["percent"]}
    if "intent" in signal:
        opening = "bullish" if signal["side"] == "buy" else "bearish"
        body["sentiment"] = opening if signal["intent"] == "open" else "flat"
    bid = _bid(desk, signal["symbol"])
    if bid is not None:
        body["price"] = str(bid)
    return body
