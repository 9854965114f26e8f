"""The catalogue of broken states: what can be wrong with a trade, how it is recognised, and what mends it.

``STATES`` is asked from the top and the first row that fits names the state; the last one is a sound trade. A row lists
the kinds of plans that fit it, the best first; ``repair.py`` makes exact requests of them. Documented row by row in
``docs/protection.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from engine.model.money import ZERO
from engine.model.symbols import is_coin
from engine.model.words import OrderRole, OrderStatus, Session
from engine.protection.case import CANCEL_STUCK_S, Case
from engine.protection.ledger import EXIT_STALL_S, is_unverified
from engine.protection.placing import GONE, PROMISED, VANISHED_MAX, vanished


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A case, and what the repair alone asks about."""

    case: Case
    verified_at: datetime | None = None
    trusted_since: datetime | None = None
    """What was proved before counts for nothing."""
    """When the broker last confirmed the cover."""
    elsewhere: Decimal = ZERO
    """Signed shares of the symbol that other trades of the desk explain."""
    trip_s: float = 0.1
    """One round trip to the broker."""

    @property
    def broker_qty(self) -> Decimal | None:
        """Shares of this trade by a reading newer than its orders, in its own direction; None without one."""
        case = self.case
        if not case.is_read or case.truth is None:
            return None
        return (case.truth.qty - self.elsewhere) * case.bracket.side.sign


class BrokenState(msgspec.Struct, frozen=True):
    name: str
    sentence: str
    fits: Callable[[Look], bool]
    plans: tuple[str, ...]
    """Kinds, the best first."""


def _exits_with(look: Look, statuses: frozenset[OrderStatus]) -> bool:
    return any(order.status in statuses for order in look.case.exits)


def _filled_exits(look: Look) -> set[OrderRole]:
    return {order.role for order in look.case.exits if order.status is OrderStatus.FILLED}


def _leaving(look: Look) -> bool:
    return look.case.bracket.exit_requested_at is not None and look.case.cover.held > 0


def _naked(look: Look) -> bool:
    return look.case.cover.naked > 0


def _stuck(look: Look, role_is_entry: bool) -> bool:
    case = look.case
    orders = case.open_entries if role_is_entry else case.open_exits
    asked = [order.cancel_since or order.cancel_requested_at for order in orders if order.cancel_requested_at]
    return any(at is not None and case.age_s(at) > CANCEL_STUCK_S for at in asked)


def _is_cancel_asked(look: Look) -> bool:
    return any(order.cancel_requested_at is not None for order in look.case.open_entries)


def _closing_age_s(look: Look) -> float:
    since = look.case.cover.closing_since
    return look.case.age_s(since) if since is not None else 0.0


def _last_close_refused(look: Look) -> bool:
    closes = [order for order in look.case.exits if order.role is OrderRole.EXIT]
    return bool(closes) and closes[-1].status is OrderStatus.REJECTED


def _live_target(look: Look) -> bool:
    return look.case.cover.is_target_live


def _has_unneeded_group(look: Look) -> bool:
    case = look.case
    stops = [o for o in case.open_exits if o.role is OrderRole.STOP_LOSS and case.is_armed(o)]
    return any(order.leaves_qty <= case.cover.over for order in stops)


def _placed(look: Look) -> bool:
    """Exits have stood, or were to stand, at some time."""
    return bool(look.case.exits)


def _newest_exits(look: Look, status: OrderStatus) -> bool:
    own = [order for order in look.case.exits if order.role is OrderRole.STOP_LOSS]
    return bool(own) and own[-1].status is status


def _target_gone(look: Look) -> bool:
    case = look.case
    wanted = case.bracket.take_profit_price is not None and case.cover.held > 0
    return wanted and not _naked(look) and not case.cover.is_target_live


def _unverified(look: Look) -> bool:
    at = look.verified_at
    return look.case.cover.covered > 0 and is_unverified(at, look.case.now, look.trusted_since)


def _smaller(look: Look) -> bool:
    qty = look.broker_qty
    return qty is not None and ZERO <= qty < look.case.cover.held


def _larger(look: Look) -> bool:
    qty = look.broker_qty
    return qty is not None and qty > look.case.cover.held > 0 and not look.case.cover.entry_open


def _moving(look: Look) -> bool:
    asked = look.case.bracket.moves_asked_at
    return asked is not None and look.case.age_s(asked) > EXIT_STALL_S


_S: Final = BrokenState
_MEND: Final = ("attach_oco", "replace_stop", "flatten", "watch_stop", "run_unprotected")

STATES: Final[tuple[BrokenState, ...]] = (
    _S("closed", "The trade is closed.", lambda k: k.case.bracket.closed_at is not None, ()),
    # Held the wrong way.
    _S(
        "flipped_both_exits",
        "Stop and target both filled: the position has turned round.",
        lambda k: k.case.cover.flipped > 0 and len(_filled_exits(k) - {OrderRole.EXIT}) > 1,
        ("close_flip", "wait"),
    ),
    _S(
        "flipped_by_hand",
        "More was closed than was held: the position has turned round.",
        lambda k: k.case.cover.flipped > 0,
        ("close_flip", "wait"),
    ),
    # Not known.
    _S(
        "exit_unknown",
        "An exit's fate at the broker is not known.",
        lambda k: any(o.unresolved_since is not None for o in k.case.open_exits),
        ("look_up", "wait"),
    ),
    _S(
        "entry_unknown",
        "The entry's fate at the broker is not known.",
        lambda k: any(o.unresolved_since is not None for o in k.case.open_entries),
        ("look_up", "wait"),
    ),
    # On the way out.
    _S(
        "exit_halted",
        "It is to be closed, and trading is halted.",
        lambda k: _leaving(k) and k.case.halted,
        ("wait", "attach_oco"),
    ),
    _S(
        "exit_after_hours",
        "It is to be closed, and the core session is closed.",
        lambda k: _leaving(k) and k.case.closed_market is not None,
        ("flatten_open", "flatten_extended", "wait"),
    ),
    _S(
        "exit_cancel_stuck",
        "It is to be closed, and the cancel of its exits is not confirmed.",
        lambda k: _leaving(k) and _stuck(k, role_is_entry=False),
        ("look_up", "wait"),
    ),
    _S(
        "exit_stalled",
        "The closing order has not filled.",
        lambda k: _closing_age_s(k) > EXIT_STALL_S,
        ("look_up", "wait"),
    ),
    _S(
        "exit_refused",
        "The broker refused the closing order.",
        lambda k: _leaving(k) and _last_close_refused(k) and not k.case.cover.closing,
        ("flatten", "look_up"),
    ),
    _S("exiting", "It is on its way out.", lambda k: _leaving(k) or k.case.cover.closing, ("wait",)),
    # Too much of it.
    _S(
        "exits_left_over",
        "Nothing is held, and exits still work: they would open a position.",
        lambda k: k.case.cover.held == 0 and not k.case.cover.entry_open and k.case.cover.orders_open,
        ("trim", "wait"),
    ),
    _S("flat", "Nothing is held yet.", lambda k: k.case.cover.held == 0, ("wait",)),
    _S(
        "position_smaller",
        "The broker holds fewer shares than this trade says.",
        _smaller,
        ("match_broker", "look_up"),
    ),
    _S(
        "position_larger",
        "The broker holds more shares than the trades explain.",
        _larger,
        ("adopt", "look_up"),
    ),
    _S(
        "surplus_group",
        "A whole group of exits covers what another one covers.",
        lambda k: k.case.cover.over > 0 and _has_unneeded_group(k),
        ("trim", "flatten"),
    ),
    _S(
        "surplus_in_one_stop",
        "A stop closes more shares than are held.",
        lambda k: k.case.cover.over > 0,
        ("trim", "flatten"),
    ),
    # By a person's word.
    _S(
        "unprotected_by_choice",
        "A person keeps the desk's hands off.",
        lambda k: k.case.bracket.unprotected_until is not None,
        ("protect_again", "flatten"),
    ),
    # Beyond the stop.
    _S(
        "stop_passed",
        "The price is beyond the stop, and no stop stands.",
        lambda k: _naked(k) and (k.case.bracket.stop_passed_at is not None or k.case.is_beyond_stop),
        ("flatten", "flatten_extended", "watch_stop", "run_unprotected"),
    ),
    # The entry is not whole.
    _S(
        "partial_cancel_stuck",
        "The entry is part-filled, and its cancel is not confirmed.",
        lambda k: _naked(k) and k.case.cover.entry_open and _stuck(k, role_is_entry=True),
        ("attach_oco", "watch_stop", "look_up"),
    ),
    _S(
        "partial_cancel_under_way",
        "The entry is part-filled and being cut short.",
        lambda k: _naked(k) and k.case.cover.entry_open and _is_cancel_asked(k),
        ("wait", "flatten"),
    ),
    _S(
        "partial_entry",
        "The entry is part-filled: its exits sleep until it is whole.",
        lambda k: _naked(k) and k.case.cover.entry_open,
        ("cut_short", "wait", "flatten"),
    ),
    # No stop can stand.
    _S(
        "cover_vanished",
        "Another hand takes the exits away again and again.",
        lambda k: _naked(k) and k.case.bracket.gave_up_at is not None and len(vanished(k.case)) >= VANISHED_MAX,
        ("attach_oco", "flatten", "watch_stop", "run_unprotected"),
    ),
    _S(
        "exits_refused",
        "The broker refused the exits, and the desk gave up.",
        lambda k: _naked(k) and k.case.bracket.gave_up_at is not None,
        _MEND,
    ),
    _S(
        "naked_in_halt",
        "No stop stands, and trading is halted.",
        lambda k: _naked(k) and k.case.halted,
        ("attach_oco", "flatten_open", "wait"),
    ),
    _S(
        "watched_in_extended_hours",
        "No stop works outside the core session: the desk watches it.",
        lambda k: _naked(k) and k.case.session is Session.EXTENDED,
        ("watch_stop", "flatten_extended", "flatten_open", "run_unprotected"),
    ),
    _S(
        "watched_fraction",
        "Part of a share stands without its stop, which the broker takes for the day only.",
        lambda k: _naked(k) and k.case.cover.naked < 1 and not is_coin(k.case.bracket.symbol),
        ("attach_oco", "flatten", "watch_stop"),
    ),
    _S(
        "naked_overnight",
        "No stop stands for the next open.",
        lambda k: _naked(k) and k.case.session is Session.CLOSED,
        ("attach_oco", "flatten_open", "run_unprotected"),
    ),
    # A stop is missing.
    _S(
        "exits_unnamed",
        "Exits were sent, and the answer that names them was lost.",
        lambda k: _naked(k) and any(o.broker_id is None and o.parent_id is not None for o in k.case.open_exits),
        ("look_up", "wait"),
    ),
    _S(
        "stop_promised",
        "The broker has taken the stop and not confirmed it.",
        lambda k: _naked(k) and any(o.role is OrderRole.STOP_LOSS and o.status in PROMISED for o in k.case.open_exits),
        ("wait", "look_up"),
    ),
    _S(
        "part_covered",
        "Some of the shares have no stop.",
        lambda k: _naked(k) and k.case.cover.covered > 0,
        ("attach_oco", "flatten", "run_unprotected"),
    ),
    _S(
        "stop_gone_target_alive",
        "The target works, and its stop is gone.",
        lambda k: _naked(k) and _live_target(k),
        ("attach_oco", "target_to_market", "flatten"),
    ),
    _S(
        "exits_expired",
        "The exits expired with the day.",
        lambda k: _naked(k) and _newest_exits(k, OrderStatus.EXPIRED),
        _MEND,
    ),
    _S(
        "legs_rejected",
        "The broker rejected the exits when the entry filled.",
        lambda k: _naked(k) and _newest_exits(k, OrderStatus.REJECTED),
        _MEND,
    ),
    _S(
        "exits_canceled",
        "Both exits were canceled.",
        lambda k: _naked(k) and _exits_with(k, GONE),
        _MEND,
    ),
    _S("exits_failed", "Exits were placed and none stands.", lambda k: _naked(k) and _placed(k), _MEND),
    _S("never_protected", "No exit was ever placed.", _naked, _MEND),
    # Covered, and yet not as it should be.
    _S(
        "move_stuck",
        "A move of the exits is not confirmed.",
        _moving,
        ("look_up", "wait"),
    ),
    _S(
        "move_refused",
        "The broker refused to move an exit: the old ones stand.",
        lambda k: k.case.bracket.move_refused is not None,
        ("break_even", "flatten"),
    ),
    _S(
        "target_watched",
        "No target stands: the desk watches its price beside the stop.",
        lambda k: _target_gone(k) and k.case.bracket.watch_target_since is not None,
        ("replace_both", "flatten"),
    ),
    _S(
        "target_gone",
        "The stop stands, and its target is gone.",
        _target_gone,
        ("watch_target", "replace_both", "flatten"),
    ),
    _S(
        "unverified",
        "Nobody has confirmed the stop for a minute.",
        _unverified,
        ("look_up", "flatten"),
    ),
    _S("sound", "Every share is covered.", lambda _: True, ("break_even", "target_to_market", "flatten")),
)


def diagnose(look: Look) -> BrokenState:
    return next(state for state in STATES if state.fits(look))
