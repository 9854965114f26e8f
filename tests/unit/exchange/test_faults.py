"""Faults: what they match, how they count, and the demo's script."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.exchange.faults import (
    Delay,
    ExitsRefused,
    Facts,
    Faults,
    FaultsFileError,
    LoseAnswer,
    Refuse,
    RejectLegs,
)
from tests.unit.exchange.trader import Trader

POST = Facts(method="POST", path="/v2/orders", symbol="AAPL", order_class="bracket", side="buy", type="market")


@pytest.mark.parametrize(
    ("fault", "strikes"),
    [
        (Refuse(), True),
        (Refuse(method="POST", path="/v2/orders", symbol="AAPL", order_class="bracket", side="buy"), True),
        (Refuse(path="/v2/*"), True),
        (Refuse(method="GET"), False),
        (Refuse(symbol="SPY"), False),
        (Refuse(role="entry"), False),
        (Delay(), False),
    ],
)
def test_a_fault_strikes_where_all_its_facts_match(fault: Refuse | Delay, *, strikes: bool) -> None:
    assert (Faults([fault]).take(Refuse, POST) is not None) is strikes


def test_a_fault_lets_some_pass_and_strikes_a_counted_number_of_times() -> None:
    faults = Faults([Refuse(after=2, count=2)])
    assert [faults.take(Refuse, POST) is not None for _ in range(6)] == [False, False, True, True, False, False]
    for_ever = Faults([Refuse(count=None)])
    assert all(for_ever.take(Refuse, POST) for _ in range(10))


def test_a_refusal_carries_its_status_code_and_extras() -> None:
    trader = Trader()
    trader.fault(Refuse(method="POST", status=422, code=42210000, message="no", extra={"base_price": "1"}))
    answer = trader.order()
    assert (answer.status, answer.json) == (422, {"code": 42210000, "message": "no", "base_price": "1"})
    assert trader.order().status == 200


def test_faults_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text('[{"do": "lose_answer", "hang_s": 2}, {"do": "reject_legs", "symbol": "AAPL", "count": null}]')
    lose, reject = Faults.load(path).listing()
    assert isinstance(lose, LoseAnswer)
    assert lose.hang_s == 2
    assert isinstance(reject, RejectLegs)
    assert reject.count is None


@pytest.mark.parametrize("text", ['[{"do": "dance"}]', '[{"do": "drop", "symbl": "AAPL"}]', "[", '{"count": 1}'])
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faults.json"
    path.write_text(text)
    with pytest.raises(FaultsFileError, match=r"faults\.json"):
        Faults.load(path)
    with pytest.raises(FaultsFileError, match="cannot read"):
        Faults.load(tmp_path / "absent.json")


class TestExitsRefused:
    def test_about_one_in_six_groups_from_the_fourth_on_loses_its_exits(self) -> None:
        script = ExitsRefused(from_group=4, every=6, seed=7)
        struck = [number for number in range(1, 64) if script.strikes_group(number)]
        assert struck[0] == 4
        assert len(struck) == 10
        assert [number for number in range(1, 64) if ExitsRefused(seed=7).strikes_group(number)] == struck

    def test_the_next_exits_of_that_symbol_are_refused_and_then_all_is_normal(self) -> None:
        trader = Trader(venue_ms=1)
        trader.fault(ExitsRefused(from_group=2, every=6, then_refuse_oco=2))
        first = trader.bracket(symbol="SPY", target="700", stop="600", qty="1")
        naked = trader.bracket()
        trader.wait()
        assert [leg["status"] for leg in trader.read(first["id"])["legs"]] == ["new", "held"]
        assert [leg["status"] for leg in trader.read(naked["id"])["legs"]] == ["rejected", "rejected"]
        for attempt in (trader.oco(), trader.order(side="sell", type="stop", stop_price="260")):
            assert (attempt.status, attempt.json) == (403, {"code": 40310000, "message": "request is forbidden"})
        assert trader.oco().status == 200
        trader.wait()
        assert trader.position()["qty_available"] == "0"
