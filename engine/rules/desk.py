"""Is the desk itself fit to enter anything? Any doubt stops entries; none of this is asked for exits."""

from __future__ import annotations

from typing import Final

from engine.model.signal import Reason
from engine.model.words import DeskState
from engine.rules.facts import Case, denied, passed

ACCOUNT_MAX_AGE_S: Final = 120.0
MAX_UNSETTLED: Final = 3


def desk_state(case: Case) -> Reason:
    state, scope = case.facts.state, case.facts.state_scope
    if state is DeskState.ACTIVE:
        return passed("DESK_STATE", "The desk is active.", state)
    kind, _, what = scope.partition(":")
    name = f"{kind.capitalize()} {what}" if what else "The desk"
    return denied("DESK_STATE", f"{name} is {state.value}: no new entries.", state, DeskState.ACTIVE)


def start_gate(case: Case) -> Reason:
    why = case.facts.gate_locked_by or case.facts.not_ready
    if why is None:
        return passed("START_GATE", "Book and broker agree.")
    return denied("START_GATE", f"The start gate is locked: {why}.")


def order_stream(case: Case) -> Reason:
    if case.facts.stream_up:
        return passed("STREAM_DOWN", "The order stream is connected.")
    return denied("STREAM_DOWN", "The order stream is down: fills would be seen late.")


def journal(case: Case) -> Reason:
    if case.facts.journal_failure is None:
        return passed("JOURNAL", "The journal takes writes.")
    return denied("JOURNAL", f"The journal cannot be written: {case.facts.journal_failure}.")


def account(case: Case) -> Reason:
    facts = case.facts
    if facts.account is None:
        return denied("ACCOUNT_STALE", "The account has not been read yet.")
    if facts.account.blocked:
        return denied("ACCOUNT_BLOCKED", f"The account is blocked: {facts.account.blocked}.")
    if facts.account_age_s > ACCOUNT_MAX_AGE_S:
        return denied(
            "ACCOUNT_STALE",
            f"The account was last read {facts.account_age_s:.0f} s ago.",
            f"{facts.account_age_s:.0f} s",
            f"{ACCOUNT_MAX_AGE_S:.0f} s",
        )
    return passed("ACCOUNT_STALE", "The account picture is fresh.", f"{facts.account_age_s:.0f} s")


def unknown_orders(case: Case) -> Reason:
    facts = case.facts
    if facts.unknown_order is not None:
        return denied(
            "UNKNOWN_ORDER", f"The fate of {facts.unknown_order} at the broker is not known: settle it first."
        )
    if facts.unsettled_orders >= MAX_UNSETTLED:
        return denied(
            "UNKNOWN_ORDER",
            f"{facts.unsettled_orders} orders are unsettled: no entries anywhere until they are.",
            facts.unsettled_orders,
            MAX_UNSETTLED,
        )
    return passed("UNKNOWN_ORDER", "No order of this symbol is unsettled.")


RULES: Final = (desk_state, start_gate, order_stream, journal, account, unknown_orders)
