"""The vocabulary: every enumerated word of the desk, spelled as Alpaca and FIX spell it.

Words that are ours alone (desk states, bracket statuses, ``sending``) are marked. Values are the
wire and journal form; nothing else may invent a spelling.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Mode(StrEnum):
    SIM = "sim"
    PAPER = "paper"
    LIVE = "live"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """+1 for buy, -1 for sell."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class OrderClass(StrEnum):
    SIMPLE = "simple"
    BRACKET = "bracket"
    OTO = "oto"
    OCO = "oco"


class TimeInForce(StrEnum):
    DAY = "day"
    GTC = "gtc"
    OPG = "opg"
    CLS = "cls"
    IOC = "ioc"
    FOK = "fok"


class OrderRole(StrEnum):
    """What an order is for in its trade."""

    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    EXIT = "exit"
    FOREIGN = "foreign"
    """Of another hand at the broker, and of no trade: it is only followed."""


class OrderStatus(StrEnum):
    SENDING = "sending"
    """Ours: the intent is on disk and no answer has come."""
    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    ACCEPTED_FOR_BIDDING = "accepted_for_bidding"
    NEW = "new"
    HELD = "held"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    DONE_FOR_DAY = "done_for_day"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    CALCULATED = "calculated"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"
    NEVER_REACHED = "never_reached"
    """Ours: look-ups and the operator agree that the broker never had it."""
    UNRECOGNISED = "unrecognised"
    """Ours: the broker used a word this program does not know; the raw word is kept beside it."""


TERMINAL: Final = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REPLACED,
        OrderStatus.REJECTED,
        OrderStatus.NEVER_REACHED,
    }
)
"""No further execution is expected. A cancel may still lose its race against a fill."""

COVERING: Final = frozenset(
    {OrderStatus.NEW, OrderStatus.ACCEPTED, OrderStatus.HELD, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_REPLACE}
)
"""Statuses in which the broker itself has confirmed that a stop stands. ``pending_new`` is only a promise,
``pending_cancel`` may be gone already, ``stopped`` and ``suspended`` do not trade."""


class SignalStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    WORKING = "working"
    FILLED = "filled"
    CLOSED = "closed"
    DENIED = "denied"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"


class Intent(StrEnum):
    OPEN = "open"
    CLOSE = "close"


class Verdict(StrEnum):
    PASS = "pass"
    WARN = "warn"
    DENY = "deny"


class DeskState(StrEnum):
    """In rising order of caution: each forbids all that its predecessor forbids."""

    ACTIVE = "active"
    PAUSED = "paused"
    REDUCING = "reducing"
    HALTED = "halted"


class Session(StrEnum):
    """Where the trading day stands, for a protective order: stops of the broker work in the core session alone."""

    CORE = "core"
    EXTENDED = "extended"
    CLOSED = "closed"


class ExitWhen(StrEnum):
    """When a trade is to be closed: at once, by an extended-hours limit, or when the core session opens."""

    NOW = "now"
    EXTENDED = "extended"
    OPEN = "open"


class CoverKind(StrEnum):
    HARD = "hard"
    """Sell stop-market: closes at any price."""
    LIMITED = "limited"
    """A stop-limit, or any buy stop (Alpaca makes it one): a gap can jump it."""
    NONE = "none"


class BracketStatus(StrEnum):
    """Computed from legs and position, never stored."""

    ARMING = "arming"
    PROTECTED = "protected"
    PART_PROTECTED = "part_protected"
    OVER_PROTECTED = "over_protected"
    NAKED = "naked"
    WATCHED = "watched"
    REPAIRING = "repairing"
    EXITING = "exiting"
    EXIT_STALLED = "exit_stalled"
    CLOSED = "closed"
    UNVERIFIED = "unverified"


class Purpose(StrEnum):
    """Why a request is made; decides lane, retry policy and the words of its errors."""

    ENTRY = "entry"
    PROTECT = "protect"
    CLOSE = "close"
    CANCEL = "cancel"
    REPLACE = "replace"
    READ = "read"


class Source(StrEnum):
    """Where a broker fact came from."""

    ANSWER = "answer"
    STREAM = "stream"
    REST = "rest"


class Stage(StrEnum):
    """The measured stages of a trade, in order."""

    RECEIVE = "receive"
    DECIDE = "decide"
    GATE = "gate"
    JOURNAL = "journal"
    SUBMIT = "submit"
    WORKING = "working"
    BRACKET = "bracket"
    TOTAL = "total"
