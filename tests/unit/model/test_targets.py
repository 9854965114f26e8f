"""Shares cut into parts: whole, at least one each, none lost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from engine.model.targets import split_shares


def D(*numbers: object) -> list[Decimal]:
    return [Decimal(str(number)) for number in numbers]


@pytest.mark.parametrize(
    ("qty", "weights", "parts"),
    [
        (10, (0.5, 0.5), (5, 5)),
        (11, (0.5, 0.5), (6, 5)),  # 5.5 and 5.5: equal remainders, the nearer target gets the odd share
        (10, (0.5, 0.3, 0.2), (5, 3, 2)),
        (7, (0.5, 0.3, 0.2), (4, 2, 1)),  # 3.5, 2.1, 1.4: rounded down 3, 2, 1, and the one left to .5
        (3, (0.9, 0.05, 0.05), (1, 1, 1)),  # 2.7, 0.15, 0.15: everybody gets one, the largest gives
        (6, (4, 2), (4, 2)),
        (3, (4, 2), (2, 1)),
    ],
)
def test_shares_are_cut_in_proportion(qty: int, weights: tuple[float, ...], parts: tuple[int, ...]) -> None:
    assert split_shares(Decimal(qty), D(*weights)) == tuple(D(*parts))


def test_fewer_shares_than_targets_cannot_be_cut() -> None:
    assert split_shares(Decimal(1), D(0.5, 0.5)) is None


@given(qty=st.integers(1, 5000), weights=st.lists(st.integers(1, 100), min_size=1, max_size=5))
def test_no_share_is_lost_and_no_part_is_empty(qty: int, weights: list[int]) -> None:
    parts = split_shares(Decimal(qty), D(*weights))
    if qty < len(weights):
        assert parts is None
        return
    assert parts is not None
    assert sum(parts) == qty
    assert min(parts) >= 1
    exact = [Decimal(qty) * weight / sum(weights) for weight in weights]
    if min(exact) >= 1:
        assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))
