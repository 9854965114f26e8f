"""What a split or a dividend makes of shares and prices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from engine.alpaca.wire import CorporateAction
from engine.model.corporate import CorporateChange
from engine.protection.corporate import change_of

EX = date(2026, 11, 27)


def split(new: str, old: str = "1", kind: str = "forward_splits") -> CorporateAction:
    return CorporateAction(kind=kind, id="s", symbol="AAPL", ex_date=EX, new_rate=Decimal(new), old_rate=Decimal(old))


@pytest.mark.parametrize(
    ("action", "shares", "price"),
    [
        (split("4"), 40, "46.22"),  # 184.90 / 4 = 46.225, to even
        (split("3", "2"), 15, "123.27"),  # 184.90 * 2 / 3 = 123.2667
        (split("1", "8", "reverse_splits"), 1, "1479.20"),  # 10 / 8 = 1.25: the quarter is paid out
    ],
)
def test_a_split_moves_shares_and_prices_against_each_other(action: CorporateAction, shares: int, price: str) -> None:
    change = change_of(action, Decimal("187.00"))
    assert change is not None
    assert (change.shares_after(Decimal(10)), change.price_after(Decimal("184.90"))) == (shares, Decimal(price))


def dividend(rate: str) -> CorporateChange | None:
    action = CorporateAction(kind="cash_dividends", id="d", symbol="AAPL", ex_date=EX, rate=Decimal(rate))
    return change_of(action, Decimal("100.00"))


def test_only_a_dividend_of_three_percent_moves_a_stop() -> None:
    assert dividend("2.99") is None
    large = dividend("3.00")
    assert large is not None
    assert (large.shares_after(Decimal(10)), large.price_after(Decimal("95.00"))) == (10, Decimal("92.00"))


def test_what_is_neither_or_lacks_its_day_is_no_change_of_prices() -> None:
    assert change_of(CorporateAction(kind="name_changes", symbol="AAPL", ex_date=EX), Decimal(100)) is None
    assert change_of(CorporateAction(kind="forward_splits", symbol="AAPL", new_rate=Decimal(4)), Decimal(100)) is None
