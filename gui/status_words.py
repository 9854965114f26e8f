"""One word and one glyph for each status: the language of the screen, made from the desk's words.

Every step where the truth is elsewhere (sending, canceling, unknown) has a face of its own. Never "safe", never "OK".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from engine.model.words import BracketStatus, OrderRole, OrderStatus, OrderType, SignalStatus
from engine.views import BracketView, OrderView
from gui.widgets.glyph import Glyph

Tone = Literal["high", "mid", "low", "p1_text", "p2_text"]
Fill = Literal["p1", "p2"]


@dataclass(frozen=True, slots=True)
class Face:
    """How a status looks. ``fill`` makes it an alarm: only P1 and P2 conditions have one."""

    glyph: Glyph
    word: str
    tone: Tone = "mid"
    fill: Fill | None = None
    meaning: str = ""


O = OrderStatus  # noqa: E741
B = BracketStatus

ORDER_FACES: Final[dict[OrderStatus, Face]] = {
    O.SENDING: Face(Glyph.SEND, "SENDING", "high", meaning="Intent on disk, no answer yet."),
    O.PENDING_NEW: Face(Glyph.RING, "ACCEPTED", meaning="Received, not yet in the book."),
    O.ACCEPTED: Face(Glyph.RING, "ACCEPTED", meaning="Received, not yet in the book."),
    O.ACCEPTED_FOR_BIDDING: Face(Glyph.RING, "ACCEPTED", meaning="Received, not yet in the book."),
    O.NEW: Face(Glyph.DISC, "WORKING", meaning="In the book."),
    O.HELD: Face(Glyph.DOTTED, "HELD", meaning="Waits for its entry and protects nothing yet."),
    O.PARTIALLY_FILLED: Face(Glyph.HALF, "PARTIAL", "high", meaning="Filled in part."),
    O.FILLED: Face(Glyph.SQUARE, "FILLED", meaning="Filled completely."),
    O.DONE_FOR_DAY: Face(Glyph.PAUSE, "SUSPENDED", "high", meaning="Done for the day, may go on tomorrow."),
    O.STOPPED: Face(Glyph.PAUSE, "STOPPED", "high", meaning="A trade is guaranteed, not yet reported."),
    O.SUSPENDED: Face(Glyph.PAUSE, "SUSPENDED", "high", meaning="Not eligible to trade now."),
    O.CALCULATED: Face(Glyph.PAUSE, "SUSPENDED", "high", meaning="Done for the day, being settled."),
    O.PENDING_CANCEL: Face(
        Glyph.CROSS, "CANCELLING", "high", meaning="Cancel asked, not confirmed; it may still fill."
    ),
    O.PENDING_REPLACE: Face(Glyph.SWAP, "CHANGING", "high", meaning="Change asked, not confirmed."),
    O.CANCELED: Face(Glyph.SQUARE_HOLLOW, "CANCELLED", "low", meaning="Canceled and confirmed."),
    O.EXPIRED: Face(Glyph.LAPSED, "LAPSED", "low", meaning="Its time in force ended."),
    O.REPLACED: Face(Glyph.CYCLE, "REPLACED", "low", meaning="Another order stands in its place."),
    O.REJECTED: Face(Glyph.CROSS_HEAVY, "REJECTED", "high", meaning="Refused by the broker."),
    O.NEVER_REACHED: Face(Glyph.SQUARE_HOLLOW, "NEVER REACHED", "low", meaning="The broker never had it."),
    O.UNRECOGNISED: Face(Glyph.QUESTION, "UNRECOGNISED", "p2_text", meaning="The broker used an unknown word."),
}

_UNKNOWN: Final = Face(
    Glyph.QUESTION, "UNKNOWN", fill="p2", meaning="No answer to the write: it may or may not be at the broker."
)
_ARMED: Final = Face(
    Glyph.DOTTED, "ARMED", meaning="Held at the broker, which is the normal state of a bracket's stop."
)

BRACKET_FACES: Final[dict[BracketStatus, Face]] = {
    B.ARMING: Face(Glyph.CLOCK, "ARMING", meaning="Entry under way, nothing held."),
    B.PROTECTED: Face(Glyph.DISC, "PROTECTED", meaning="A stop the broker confirmed stands under every share held."),
    B.PART_PROTECTED: Face(Glyph.HALF, "PART", fill="p2", meaning="Part of the shares held has no stop."),
    B.OVER_PROTECTED: Face(Glyph.WARNING, "OVER-PROTECTED", fill="p2", meaning="More shares under exits than held."),
    B.NAKED: Face(Glyph.DIAMOND, "NAKED", fill="p1", meaning="Shares held and no stop at the broker."),
    B.WATCHED: Face(Glyph.EYE, "WATCHED", "p2_text", meaning="This desk watches the stop; the broker has none."),
    B.REPAIRING: Face(Glyph.CYCLE, "REPAIRING", fill="p2", meaning="Cover is being placed again."),
    B.EXITING: Face(Glyph.PLAY, "EXITING", "high", meaning="An exit has triggered or the trade is being closed."),
    B.EXIT_STALLED: Face(Glyph.PAUSE, "EXIT STALLED", fill="p1", meaning="An exit triggered and does not fill."),
    B.CLOSED: Face(Glyph.SQUARE, "CLOSED", "low", meaning="Nothing held, nothing working."),
    B.UNVERIFIED: Face(
        Glyph.QUESTION, "UNVERIFIED", "p2_text", meaning="The evidence is too old to call it protected."
    ),
}

SIGNAL_FACES: Final[dict[SignalStatus, Face]] = {
    SignalStatus.PENDING: Face(Glyph.CLOCK, "PENDING"),
    SignalStatus.APPROVED: Face(Glyph.CHECK, "APPROVED", "high"),
    SignalStatus.WORKING: Face(Glyph.DISC, "WORKING", "high"),
    SignalStatus.FILLED: Face(Glyph.SQUARE, "FILLED", "high"),
    SignalStatus.CLOSED: Face(Glyph.SQUARE_HOLLOW, "CLOSED"),
    SignalStatus.DENIED: Face(Glyph.PAUSE, "DENIED"),
    SignalStatus.REJECTED: Face(Glyph.CROSS, "REJECTED"),
    SignalStatus.EXPIRED: Face(Glyph.LAPSED, "EXPIRED", "low"),
    SignalStatus.FAILED: Face(Glyph.CROSS_HEAVY, "FAILED", "p1_text"),
}

# What the eye must meet first: trouble, then motion, then rest.
BRACKET_RANK: Final[dict[BracketStatus, int]] = {
    B.NAKED: 0,
    B.EXIT_STALLED: 1,
    B.REPAIRING: 2,
    B.PART_PROTECTED: 3,
    B.OVER_PROTECTED: 4,
    B.UNVERIFIED: 5,
    B.WATCHED: 6,
}
REST_RANK: Final = 9


def order_face(order: OrderView) -> Face:
    """An order's face: an unsettled write before its status, a cancel under way before a live one."""
    if order.unresolved_since is not None:
        return _UNKNOWN
    if order.status is O.HELD and order.is_armed:
        return _ARMED
    live = order.status in (O.NEW, O.HELD, O.ACCEPTED, O.PARTIALLY_FILLED)
    if live and order.cancel_requested_at is not None:
        return ORDER_FACES[O.PENDING_CANCEL]
    return ORDER_FACES[order.status]


def order_tip(order: OrderView) -> str:
    """Meaning, Alpaca's own word and the broker's last refusal."""
    face = order_face(order)
    lines = [face.meaning, f"Alpaca: {order.raw_status or order.status.value}"]
    if order.last_error:
        lines.append(order.last_error)
    return "\n".join(line for line in lines if line)


def bracket_face(bracket: BracketView) -> Face:
    return BRACKET_FACES[bracket.status]


def role_words(order: OrderView) -> str:
    """``entry limit``, ``stop``, ``target``, ``exit oco``."""
    match order.role:
        case OrderRole.ENTRY:
            return f"entry {type_word(order.type)}"
        case OrderRole.STOP_LOSS:
            return "stop limit" if order.type is OrderType.STOP_LIMIT else "stop"
        case OrderRole.TAKE_PROFIT:
            return "target"
        case OrderRole.EXIT:
            return f"exit {type_word(order.type)}"
        case OrderRole.FOREIGN:
            return f"another's {type_word(order.type)}"


def type_word(kind: OrderType) -> str:
    return kind.value.replace("_", " ")
