"""Alpaca's refusals as a table: how each is recognised, what it means, what to do.

Rows are tried in order and the first match wins; no match is a plain ``TerminalError``. A row may ask for a status, a
code, verbs and purposes; then for one of its ``fields`` in the body (present and not zero) or, last resort, for one
of its ``words`` in the message. The same refusal may mean "wait" for an exit and "no" for an entry: shares that a
cancel is about to release are worth waiting for, a market that has moved on is not.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from engine.alpaca.outcomes import Purpose, Verb
from engine.alpaca.reading import Malformed, number_from
from engine.errors import NotYetError, TerminalError


class WaitsFor(enum.StrEnum):
    """What a ``NotYetError`` waits for (its ``waits_for``); the body has the particulars."""

    POSITION = "the position to appear at the broker"
    SHARES = "reserved shares to be released by cancels under way"
    OTHER_ORDER = "the opposite order to be done"
    """Its id is ``error.body["existing_order_id"]`` where the broker names it."""
    REPLACEMENT = "the replacement under way to settle"
    ACCEPTANCE = "the order to reach the market"
    CANCEL = "the cancel under way to complete"
    TRADING = "trading to resume"


class DuplicateClientOrderId(TerminalError):
    """The broker already has an order under this ``client_order_id``: it exists, look it up."""


class AlreadyDone(TerminalError):
    """The order is in a final state: there is nothing left to cancel or replace."""

    @property
    def state(self) -> str | None:
        """The final state as the broker named it, where it did."""
        found = _QUOTED_STATE.search(self.message)
        return (found.group(1) or found.group(2)) if found else None


class NotFound(TerminalError):
    """The broker knows no such order, position or symbol."""


class KeysRefused(TerminalError):
    """The API keys are wrong, revoked, or belong to another mode."""


class PriceRefused(TerminalError):
    """A stop or limit lies on the wrong side of the market: for a stop, it counts as triggered already."""

    @property
    def reference_price(self) -> Decimal | None:
        """The price that the broker compared with (``base_price`` or ``market_price``), where it said."""
        for name in ("base_price", "market_price"):
            try:
                price = number_from(self.body.get(name, ""))
            except Malformed:
                continue
            if price is not None:
                return price
        return None


class PositionSmaller(TerminalError):
    """The broker holds fewer shares than the order would close: read the position again."""


class Unchanged(TerminalError):
    """The order already has the terms that the replacement asked for."""


class DayOrdersOnly(TerminalError):
    """A hard-to-borrow symbol: the broker takes ``day`` orders alone, protective stops included."""


_QUOTED_STATE: Final = re.compile(r'"([a-z_]+)" state|in ([a-z_]+) status')

SUBMIT: Final = frozenset({Verb.SUBMIT})
REPLACE: Final = frozenset({Verb.REPLACE})
CANCEL: Final = frozenset({Verb.CANCEL})
WRITES: Final = SUBMIT | REPLACE | CANCEL
ORDERS: Final = SUBMIT | REPLACE
EXITS: Final = frozenset({Purpose.PROTECT, Purpose.CLOSE})
PROTECT: Final = frozenset({Purpose.PROTECT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One row. ``what`` and ``todo`` are halves of the operator's sentence; ``{field}`` quotes the body."""

    error: type[TerminalError] | type[NotYetError]
    what: str
    todo: str
    meaning: str | None = None
    """Instead of the purpose's usual meaning."""
    waits_for: WaitsFor | None = None
    statuses: frozenset[int] | None = None
    codes: frozenset[int] | None = None
    verbs: frozenset[Verb] | None = None
    purposes: frozenset[Purpose] | None = None
    fields: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def matches(self, status: int, code: int | None, body: Mapping[str, Any], verb: Verb, purpose: Purpose) -> bool:
        if self.statuses is not None and status not in self.statuses:
            return False
        if self.codes is not None and code not in self.codes:
            return False
        if self.verbs is not None and verb not in self.verbs:
            return False
        if self.purposes is not None and purpose not in self.purposes:
            return False
        if not self.fields and not self.words:
            return True
        if any(_counts(body.get(name)) for name in self.fields):
            return True
        message = str(body.get("message", "")).lower()
        return any(word in message for word in self.words)


def _counts(value: object) -> bool:
    """A field that is there and says something: an amount of zero reserves nothing."""
    if value is None or value == "":
        return False
    try:
        return number_from(value) != 0
    except Malformed:
        return True


REFUSALS: Final[tuple[Refusal, ...]] = (
    Refusal(
        error=KeysRefused,
        statuses=frozenset({401}),
        what="Alpaca does not accept the API keys",
        todo="check that they are complete, not revoked, and belong to this mode",
    ),
    # -- the same write arrived before ----------------------------------------------------------------------------
    Refusal(
        error=DuplicateClientOrderId,
        verbs=ORDERS,
        words=("client_order_id must be unique",),
        what="Alpaca already has an order under this id",
        meaning="so the order exists and was not sent twice",
        todo="it is being looked up",
    ),
    # -- the order to be changed is in the wrong state -----------------------------------------------------------
    Refusal(
        error=NotFound,
        statuses=frozenset({404}),
        what="Alpaca does not know it ({message})",
        todo="read the account again",
    ),
    Refusal(
        error=NotYetError,
        waits_for=WaitsFor.CANCEL,
        verbs=CANCEL,
        words=("order pending cancel", "pending_cancel"),
        what="A cancel of this order is already under way",
        todo="wait for it to complete",
    ),
    Refusal(
        error=NotYetError,
        waits_for=WaitsFor.REPLACEMENT,
        verbs=CANCEL | REPLACE,
        words=(
            "order chain not fully replaced",
            "pending replace",  # also "already pending replacement"
            "pending_replace",
        ),
        what="A replacement of this order is still settling",
        todo="wait for it, then try again",
    ),
    Refusal(
        error=NotYetError,
        waits_for=WaitsFor.ACCEPTANCE,
        verbs=REPLACE,
        words=(
            "cannot replace order in accepted status",
            "cannot replace order in pending_new status",
            "isn't sent to exchange yet",
        ),
        what="The order has not reached the market yet, and cannot be replaced before",
        todo="wait; outside market hours cancel it and place a new one",
    ),
    Refusal(
        error=Unchanged,
        verbs=REPLACE,
        words=("order parameters are not changed",),
        what="The order already has these terms",
        meaning="nothing had to change",
        todo="nothing is left to do",
    ),
    Refusal(
        error=AlreadyDone,
        verbs=CANCEL | REPLACE,
        words=(
            "order is already in",
            "order is not open",
            "order already replaced",
            "already canceled",
            "already filled",
            "order is not cancelable",
            "cannot replace order in filled status",
            "cannot replace order in canceled status",
            "cannot replace order in expired status",
            "cannot replace order in rejected status",
            "cannot replace order in replaced status",
        ),
        what="The order is already done ({message})",
        meaning="nothing of it is working any more",
        todo="read it again for its fills",
    ),
    # -- another order is in the way ------------------------------------------------------------------------------
    Refusal(
        error=NotYetError,
        waits_for=WaitsFor.OTHER_ORDER,
        verbs=ORDERS,
        purposes=EXITS,
        fields=("existing_order_id",),
        words=("wash trade",),
        what="An opposite order rests at the broker ({existing_order_id}), and Alpaca refuses a possible wash trade",
        todo="wait until that order is done",
    ),
    Refusal(
        error=TerminalError,
        verbs=ORDERS,
        fields=("existing_order_id",),
        words=("wash trade",),
        what="An opposite order rests at the broker ({existing_order_id}), and Alpaca refuses a possible wash trade",
        todo="cancel that order first, or enter with a bracket",
    ),
    Refusal(
        error=NotYetError,
        waits_for=WaitsFor.OTHER_ORDER,
        verbs=ORDERS,
        purposes=EXITS,
        words=("while a long buy order is open", "while a short sell order is open"),
        what="An entry in the other direction is still open ({message})",
        todo="wait until it is done, or cancel it",
    ),
    Refusal(
        error=NotYetError,
        waits_for=WaitsFor.SHARES,
        verbs=ORDERS,
        purposes=EXITS,
        fields=("held_for_orders",),
        words=("insufficient balance for",),  # crypto says it so, without the field
        what="The shares are still reserved by other orders (held: {held_for_orders}, available: {available})",
        todo="wait for their cancels to complete",
    ),
    Refusal(
        error=PositionSmaller,
        verbs=ORDERS,
        words=("insufficient qty available",),
        what="The broker has fewer free shares than this order needs (held: {existing_qty}, available: {available})",
        todo="read the position again",
    ),
    # -- the position is not there yet, or no longer -------------------------------------------------------------
    Refusal(
        error=NotYetError,
        waits_for=WaitsFor.POSITION,
        verbs=SUBMIT,
        purposes=PROTECT,
        words=("oco orders must be exit orders", "position intent mismatch", "cannot be sold short"),
        what="Alpaca does not see the position yet ({message})",
        todo="wait a moment and place the exits again",
    ),
    # -- prices ---------------------------------------------------------------------------------------------------
    Refusal(
        error=PriceRefused,
        verbs=ORDERS,
        fields=("base_price", "market_price"),
        words=("base_price", "stop price must be less than current", "stop price must be greater than current"),
        what="The price lies on the wrong side of the market ({message}; market {base_price}{market_price})",
        todo="a stop there counts as triggered: exit, or choose another price",
    ),
    # -- rules of the broker and the account ---------------------------------------------------------------------
    Refusal(
        error=NotYetError,
        waits_for=WaitsFor.TRADING,
        verbs=ORDERS,
        purposes=EXITS,
        words=("trading halt",),
        what="Trading in the symbol is halted",
        todo="wait for it to resume; stops fire at the reopening",
    ),
    Refusal(
        error=DayOrdersOnly,
        verbs=ORDERS,
        words=("only day orders are allowed",),
        what="The symbol is hard to borrow, and Alpaca takes day orders alone",
        todo="send it as a day order, and again each session",
    ),
    Refusal(
        error=TerminalError,
        verbs=ORDERS,
        fields=("buying_power",),
        words=("insufficient buying power",),
        what="Buying power is {buying_power}, the order needs {cost_basis}",
        todo="reduce the size or free buying power",
    ),
    Refusal(
        error=TerminalError,
        verbs=ORDERS,
        words=("new orders are rejected by user request",),
        what="Trading is suspended in the account's own settings (suspend_trade)",
        todo="lift the suspension at Alpaca first",
    ),
    Refusal(
        error=TerminalError,
        verbs=ORDERS,
        words=("not authorized to trade", "restricted to liquidation"),
        what="Alpaca has restricted the account ({message})",
        todo="contact Alpaca's support",
    ),
    Refusal(
        error=TerminalError,
        verbs=frozenset({Verb.READ}),
        words=("subscription does not permit",),
        what="The market-data subscription does not include this feed",
        todo="use the iex feed, or subscribe to sip",
    ),
)
