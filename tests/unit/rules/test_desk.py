"""Is the desk fit to enter anything? Any doubt stops entries."""

from __future__ import annotations

import pytest

from engine.model.words import DeskState
from engine.rules import desk
from tests.unit.builders import make_account
from tests.unit.rules.judging import make_case, told


def test_an_active_desk_passes() -> None:
    assert told(desk.desk_state(make_case())) == ("DESK_STATE", "pass", "active", None)


@pytest.mark.parametrize("state", [DeskState.PAUSED, DeskState.REDUCING, DeskState.HALTED])
def test_every_other_state_denies_and_says_which(state: DeskState) -> None:
    reason = desk.desk_state(make_case(state=state))
    assert told(reason) == ("DESK_STATE", "deny", state.value, "active")
    assert reason.text == f"The desk is {state.value}: no new entries."


@pytest.mark.parametrize(("scope", "name"), [("symbol:AAPL", "Symbol AAPL"), ("strategy:meanRev", "Strategy meanRev")])
def test_the_scope_that_denies_is_named_as_it_is_spelled(scope: str, name: str) -> None:
    reason = desk.desk_state(make_case(state=DeskState.PAUSED, state_scope=scope))
    assert reason.text.startswith(f"{name} is paused")


def test_a_locked_start_gate_denies_with_what_locks_it() -> None:
    reason = desk.start_gate(make_case(gate_locked_by="1 difference"))
    assert told(reason) == ("START_GATE", "deny", None, None)
    assert "1 difference" in reason.text
    assert told(desk.start_gate(make_case(not_ready="the calendar is loading")))[1] == "deny"
    assert told(desk.start_gate(make_case()))[1] == "pass"


def test_a_dead_order_stream_denies() -> None:
    assert told(desk.order_stream(make_case(stream_up=False))) == ("STREAM_DOWN", "deny", None, None)
    assert told(desk.order_stream(make_case()))[1] == "pass"


def test_a_journal_that_cannot_be_written_denies_with_its_cause() -> None:
    reason = desk.journal(make_case(journal_failure="disk full"))
    assert told(reason) == ("JOURNAL", "deny", None, None)
    assert "disk full" in reason.text
    assert told(desk.journal(make_case()))[1] == "pass"


def test_an_account_never_read_denies() -> None:
    assert told(desk.account(make_case(account=None))) == ("ACCOUNT_STALE", "deny", None, None)


def test_a_blocked_account_denies_with_the_brokers_reason() -> None:
    reason = desk.account(make_case(account=make_account(blocked="its status is CLOSED")))
    assert told(reason)[:2] == ("ACCOUNT_BLOCKED", "deny")
    assert "its status is CLOSED" in reason.text


@pytest.mark.parametrize(("age_s", "verdict"), [(120.0, "pass"), (120.5, "deny"), (3600.0, "deny")])
def test_an_account_picture_older_than_two_minutes_denies(age_s: float, verdict: str) -> None:
    found = told(desk.account(make_case(account_age_s=age_s)))
    assert found[:2] == ("ACCOUNT_STALE", verdict)
    assert found[2] == f"{age_s:.0f} s"
    assert found[3] == ("120 s" if verdict == "deny" else None)


def test_an_unsettled_order_of_the_symbol_denies_and_is_named() -> None:
    reason = desk.unknown_orders(make_case(unknown_order="gl-7f3a2c-000001-entry-1"))
    assert told(reason)[:2] == ("UNKNOWN_ORDER", "deny")
    assert "gl-7f3a2c-000001-entry-1" in reason.text


@pytest.mark.parametrize(("unsettled", "verdict"), [(0, "pass"), (2, "pass"), (3, "deny"), (9, "deny")])
def test_three_unsettled_orders_anywhere_deny_everywhere(unsettled: int, verdict: str) -> None:
    found = told(desk.unknown_orders(make_case(unsettled_orders=unsettled)))
    assert found[:2] == ("UNKNOWN_ORDER", verdict)
    if verdict == "deny":
        assert found[2:] == (str(unsettled), "3")
