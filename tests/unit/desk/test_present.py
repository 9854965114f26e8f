"""What the operator API shows: the fields of its contract, Decimals as plain digits in strings."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from engine.intake.encode import encoded
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.position import Position
from engine.model.words import OrderStatus, Side
from engine.pipeline.decide import decide
from engine.present import Presenter
from engine.preview import Previews
from engine.views import RequestView
from tests.unit.builders import ENTRY_ID, T0, Story, after, make_facts, make_signal, proof, replace
from tests.unit.desk.desk_parts import HandClock

S = OrderStatus
STOP_ID, TARGET_ID = f"{ENTRY_ID}.sl", f"{ENTRY_ID}.tp"

SIGNAL = """id source strategy symbol side status qty entry stop_loss take_profit reasons preview created_at received_at
    expires_at order_ids bracket_id"""
ORDER = """id client_order_id broker_id symbol side type status qty filled_qty filled_avg_price limit_price stop_price
    order_class role bracket_id unresolved_since"""
BRACKET = """id signal_id symbol side status qty held_qty covered_qty cover_kind naked_qty naked_s plan legs attempts
    last_error evidence"""
POSITION = "symbol qty avg_entry_price market_price unrealized_pl covered_qty naked_qty strategy"


class Scene(Story):
    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.quotes = QuoteBoard(self.clock, lambda symbol: None)
        self.verified: dict[str, Any] = {}
        self.presenter = Presenter(self.book, self.quotes, self.verified, self.clock.now)

    def signal(self, preview: Any = None) -> Any:
        return shown(self.presenter.signal(self.book.signals["s000001"], preview))

    def order(self, order_id: str) -> Any:
        return shown(self.presenter.order(self.book.orders[order_id]))

    def bracket(self) -> Any:
        return shown(self.presenter.bracket("b000001"))

    def position(self, symbol: str = "AAPL") -> Any:
        view = self.presenter.position(symbol)
        return None if view is None else shown(view)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def shown(view: Any) -> Any:
    """As a client reads it: no number that is money, no exponent anywhere."""
    raw = encoded(view)
    assert re.search(rb'"-?\d+(\.\d+)?E', raw) is None
    return json.loads(raw)


def begins_with(found: dict[str, Any], fields: str) -> None:
    wanted = fields.split()
    assert list(found)[: len(wanted)] == wanted


# --- the contract ----------------------------------------------------------------------------------------------------


def test_each_picture_begins_with_the_fields_of_the_contract_in_their_order(scene: Scene) -> None:
    scene.is_protected()
    begins_with(scene.signal(), SIGNAL)
    begins_with(scene.order(ENTRY_ID), ORDER)
    begins_with(scene.bracket(), BRACKET)
    begins_with(scene.position(), POSITION)
    assert list(scene.bracket()["legs"]) == ["entry", "take_profit", "stop_loss"]
    assert list(scene.bracket()["evidence"]) == ["source", "id", "at"]


def test_money_and_shares_are_strings_and_times_are_utc(scene: Scene) -> None:
    scene.is_protected()
    order = scene.order(ENTRY_ID)
    assert (order["qty"], order["filled_qty"], order["limit_price"]) == ("10", "10", "187.20")
    assert (order["stop_price"], order["unresolved_since"]) == (None, None)
    assert order["created_at"] == "2026-08-21T14:00:00Z"


def test_small_and_round_numbers_are_written_without_an_exponent(scene: Scene) -> None:
    position = Position(symbol="AAPL", qty=Decimal("1E+2"), avg_entry_price=Decimal("1E-9"), evidence=proof())
    scene.tell(ev.PositionReported(position=position))
    found = scene.position()
    assert (found["qty"], found["avg_entry_price"]) == ("100", "0.000000001")


# --- signals ---------------------------------------------------------------------------------------------------------


def test_a_pending_signal_shows_what_its_preview_would_send(scene: Scene) -> None:
    signal = replace(make_signal(), size=None)
    scene.tell(ev.SignalReceived(signal=signal))
    decision = decide(signal, make_facts())
    body = {"client_order_id": ENTRY_ID}
    preview = Previews().show(decision, (RequestView(method="POST", path="/v2/orders", body=body),), T0)
    found = scene.signal(preview)
    assert (found["status"], found["qty"]) == ("pending", str(decision.case.plan.qty))
    assert found["preview"]["requests"] == [{"method": "POST", "path": "/v2/orders", "body": body}]
    assert list(found["reasons"][0]) == ["code", "text", "verdict", "measured", "limit"]
    assert (found["order_ids"], found["bracket_id"]) == ([], None)
    assert {"preview_id", "sentence", "requests", "verdicts", "risk", "headroom"} <= found["preview"].keys()


def test_an_approved_signal_shows_what_was_approved_and_its_orders(scene: Scene) -> None:
    scene.is_protected()
    found = scene.signal()
    assert (found["status"], found["qty"], found["bracket_id"]) == ("filled", "10", "b000001")
    assert found["order_ids"] == [ENTRY_ID, TARGET_ID, STOP_ID]
    assert found["entry"] == {
        "type": "limit",
        "limit_price": "187.20",
        "stop_price": None,
        "time_in_force": "day",
    }
    assert found["stop_loss"] == {"stop_price": "184.90", "limit_price": None}
    assert found["take_profit"] == {"limit_price": "191.80"}


# --- orders ----------------------------------------------------------------------------------------------------------


def test_held_means_two_things_and_the_order_says_which(scene: Scene) -> None:
    scene.approve()
    scene.enter()
    scene.answer()
    waiting = scene.order(STOP_ID)
    assert (waiting["is_armed"], waiting["note"]) == (False, "waits for the fill")
    scene.report(ENTRY_ID, S.FILLED, 1, filled=10)
    armed = scene.order(STOP_ID)
    assert (armed["is_armed"], armed["note"]) == (True, "held is normal")


def test_an_order_without_an_answer_and_one_of_unknown_fate_say_so(scene: Scene) -> None:
    scene.approve()
    scene.enter()
    sending = scene.order(ENTRY_ID)
    assert (sending["status"], sending["note"], sending["can_cancel"]) == ("sending", "no answer yet", False)
    scene.tell(ev.OrderUnresolved(order_id=ENTRY_ID, text="no answer"), 2)
    unknown = scene.order(ENTRY_ID)
    assert (unknown["unresolved_since"], unknown["note"]) == ("2026-08-21T14:00:02Z", "fate at the broker unknown")


def test_a_cancel_says_before_what_it_would_leave_behind(scene: Scene) -> None:
    scene.is_protected()
    scene.report(TARGET_ID, S.NEW, 1)
    assert "leaves 10 AAPL naked" in scene.order(STOP_ID)["cancel_consequence"]
    assert "target" in scene.order(TARGET_ID)["cancel_consequence"]
    assert scene.order(ENTRY_ID)["cancel_consequence"] is None


# --- trades ----------------------------------------------------------------------------------------------------------


def test_a_protected_trade_shows_its_cover_its_proof_and_its_profit(scene: Scene) -> None:
    scene.is_protected()
    scene.quotes.take_quote("AAPL", Decimal("188.35"), Decimal("188.37"))
    found = scene.bracket()
    assert (found["status"], found["held_qty"], found["covered_qty"], found["naked_qty"]) == (
        "protected",
        "10",
        "10",
        "0",
    )
    assert (found["cover_kind"], found["plan"], found["exits_confirmed"]) == ("hard", "bracket", True)
    # (188.35 - 187.20) x 10; 1.15 of 2.30
    assert (found["market_price"], found["unrealized_pl"], found["r_multiple"]) == ("188.35", "11.50", "0.50")
    assert found["evidence"]["source"] == "stream"
    assert (found["can_retry"], found["can_flatten"]) == (False, True)


def test_the_running_naked_span_is_counted_up_to_the_picture(scene: Scene) -> None:
    scene.is_protected()
    scene.report(STOP_ID, S.REJECTED, 10)
    scene.clock.at_s = 12.5
    found = scene.bracket()
    assert (found["status"], found["naked_s"], found["naked_qty"], found["can_retry"]) == ("naked", 2.5, "10", True)
    assert found["naked_since"] == "2026-08-21T14:00:10Z"


def test_evidence_grows_old_and_is_renewed_by_a_sweep(scene: Scene) -> None:
    scene.is_protected()
    scene.clock.at_s = 61.0
    assert scene.bracket()["status"] == "unverified"
    scene.verified[STOP_ID] = proof(after(60), evidence_id="request-9")
    found = scene.bracket()
    assert (found["status"], found["evidence"]["id"]) == ("protected", "request-9")


def test_a_closed_trade_shows_what_it_made(scene: Scene) -> None:
    scene.is_protected()
    scene.report(TARGET_ID, S.FILLED, 5, filled=10, price="191.80")
    scene.report(STOP_ID, S.CANCELED, 5)
    found = scene.bracket()
    assert (found["status"], found["realized_pl"], found["held_qty"], found["can_flatten"]) == (
        "closed",
        "46.00",
        "0",
        False,
    )


# --- positions -------------------------------------------------------------------------------------------------------


def test_a_short_is_negative_and_gains_when_the_price_falls(scene: Scene) -> None:
    position = Position(symbol="MSFT", qty=Decimal(-5), avg_entry_price=Decimal("400.00"), evidence=proof())
    scene.tell(ev.PositionReported(position=position))
    scene.quotes.take_quote("MSFT", Decimal("397.90"), Decimal("398.00"))
    found = scene.position("MSFT")
    assert (found["qty"], found["market_price"], found["unrealized_pl"]) == ("-5", "398.00", "10.00")
    assert (found["covered_qty"], found["naked_qty"], found["strategy"]) == ("0", "5", None)
    assert found["market_value"] == "-1990.00"


def test_a_position_known_only_from_fills_is_shown_until_the_broker_speaks(scene: Scene) -> None:
    scene.is_protected()
    found = scene.position()
    assert (found["qty"], found["avg_entry_price"], found["strategy"]) == ("10", "187.20", "breakout")
    assert (found["covered_qty"], found["evidence"]) == ("10", None)


def test_a_symbol_without_shares_is_no_position(scene: Scene) -> None:
    scene.approve()
    scene.enter()
    assert scene.position() is None
    assert scene.presenter.positions() == []


def test_naked_symbols_are_named_once(scene: Scene) -> None:
    scene.is_protected()
    assert scene.presenter.naked_symbols() == ()
    scene.report(STOP_ID, S.REJECTED, 10)
    assert scene.presenter.naked_symbols() == ("AAPL",)


def test_a_short_trade_shows_its_side_and_counts_its_shares_without_a_sign(scene: Scene) -> None:
    scene.approve()
    scene.enter(side=Side.SELL)
    scene.answer()
    scene.report(ENTRY_ID, S.FILLED, 1, filled=10)
    found = scene.bracket()
    assert (found["side"], found["held_qty"], found["cover_kind"]) == ("sell", "10", "limited")
    assert scene.position()["qty"] == "-10"
