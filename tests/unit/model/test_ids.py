from __future__ import annotations

import re

import pytest

from engine.model import ids


def test_a_signal_its_trade_and_its_orders_share_one_number() -> None:
    signal = ids.signal_id(17)
    bracket = ids.bracket_id_of(signal)
    assert (signal, bracket) == ("s000017", "b000017")
    assert ids.client_order_id("7f3a2c", bracket, "entry", 1) == "gl-7f3a2c-000017-entry-1"
    assert ids.leg_id("gl-7f3a2c-000017-entry-1", "sl") == "gl-7f3a2c-000017-entry-1.sl"


def test_the_millionth_signal_still_has_an_id() -> None:
    made = ids.client_order_id("7f3a2c", ids.bracket_id_of(ids.signal_id(1_234_567)), "oco", 12)
    assert ids.desk_of(made) == "7f3a2c"


def test_a_trade_of_a_signal_that_was_returned_has_ids_of_its_own() -> None:
    again = ids.client_order_id("7f3a2c", "b000017r2", "entry", 1)
    assert again != ids.client_order_id("7f3a2c", "b000017", "entry", 1)
    assert ids.desk_of(again) == "7f3a2c"


def test_another_desks_order_is_told_from_ours() -> None:
    assert ids.desk_of("gl-0a1b2c-000001-entry-1") == "0a1b2c"


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "6f1c2f0e-7b1e-4a5b-9f1e-000000000000",
        "gl-7f3a2c-17-entry-1",
        "gl-7F3A2C-000017-entry-1",
        "gl-7f3a2c-000017-entry-1.sl",
        "gl-7f3a2c-000017-entry-",
        "my-gl-7f3a2c-000017-entry-1",
        "gl-7f3a2c-000017-entry-1\n",
    ],
)
def test_ids_of_other_programs_belong_to_no_desk(foreign: str) -> None:
    assert ids.desk_of(foreign) is None


def test_a_desk_id_is_six_hexadecimal_digits_and_new_each_time() -> None:
    made = {ids.new_desk_id() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch("[0-9a-f]{6}", one) for one in made)


@pytest.mark.parametrize("purpose", ["entry", "oco", "stop", "close", "patch"])
def test_ids_fit_into_what_alpaca_takes(purpose: str) -> None:
    assert len(ids.client_order_id("7f3a2c", "b999999999r99", purpose, 999)) <= 48
