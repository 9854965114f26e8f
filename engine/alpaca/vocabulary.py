"""Alpaca's words, as sets: what we know today. The wire may say more; an unknown word is kept, never refused.

Sources: the Trading API specification of 2026-06-24 (its enums of the same names), alpaca-py 0.44 (``pending_review``),
the websocket page (events). A test asserts that alpaca-py knows none that we don't.
"""

from __future__ import annotations

from typing import Final

SIDES: Final = frozenset({"buy", "sell"})
ORDER_TYPES: Final = frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop"})
ORDER_CLASSES: Final = frozenset({"simple", "bracket", "oco", "oto", "mleg"})
TIMES_IN_FORCE: Final = frozenset({"day", "gtc", "opg", "cls", "ioc", "fok"})
POSITION_INTENTS: Final = frozenset({"buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"})

TERMINAL_STATUSES: Final = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})
"""Nothing more happens to the order; ``replaced`` continues under ``replaced_by``. filled_qty may be above 0 in all."""

WORKING_STATUSES: Final = frozenset(
    {
        "new",
        "partially_filled",
        "accepted",
        "pending_new",
        "accepted_for_bidding",
        "held",  # the normal state of a bracket's stop: the broker watches its trigger
        "pending_cancel",
        "pending_replace",
        "stopped",
        "suspended",
        "done_for_day",
        "calculated",
        "pending_review",
    }
)

ORDER_STATUSES: Final = TERMINAL_STATUSES | WORKING_STATUSES

TRADE_EVENTS: Final = frozenset(
    {
        "new",
        "fill",
        "partial_fill",
        "canceled",
        "expired",
        "done_for_day",
        "replaced",
        "rejected",
        "pending_new",
        "stopped",
        "pending_cancel",
        "pending_replace",
        "calculated",
        "suspended",
        "accepted",
        "order_replace_rejected",
        "order_cancel_rejected",
        "held",
        "restated",
        "trade_bust",
        "trade_correct",
        "pending_review",
    }
)
