"""A course of many samples is short and keeps every peak."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from gui.charts.samples import SampleSeries


def series_of(count: int, seed: int = 1) -> SampleSeries:
    made = SampleSeries()
    for number, ms in enumerate(np.random.default_rng(seed).lognormal(4.0, 0.5, count)):
        made.append(float(number), float(ms))
    return made


def test_few_samples_are_drawn_as_they_are() -> None:
    made = series_of(100)
    at_s, log_ms = made.course(-1.0, 1_000.0, 2_000)
    assert at_s.tolist() == made.at_s.tolist()
    assert log_ms.tolist() == made.log_ms.tolist()


def test_only_the_part_in_view_is_drawn_with_one_sample_beyond_each_end() -> None:
    at_s, _ = series_of(100).course(10.0, 20.0, 2_000)
    assert (at_s[0], at_s[-1]) == (9.0, 21.0)


@pytest.mark.parametrize("count", [5_000, 40_000, 200_000])
def test_however_many_there_are_the_course_is_short(count: int) -> None:
    at_s, _ = series_of(count).course(-1.0, 1e9, 1_800)
    assert len(at_s) < 1_800 + 3 * 64


def test_a_single_peak_among_many_thousands_is_in_the_course() -> None:
    made = series_of(70_000)
    made.append(70_000.0, 9_999.0)
    for number in range(70_001, 140_000):
        made.append(float(number), 50.0)
    at_s, log_ms = made.course(-1.0, 1e9, 1_800)
    assert 10 ** log_ms.max() == pytest.approx(9_999.0)
    assert abs(at_s[log_ms.argmax()] - 70_000.0) <= 32**2


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.integers(1, 900), min_size=1, max_size=6),
    begin=st.floats(0, 1, exclude_max=True),
    share=st.floats(0.01, 1),
    most=st.sampled_from([64, 200, 1_000]),
)
def test_lowest_and_highest_of_what_is_in_view_are_in_the_course(
    steps: list[int], begin: float, share: float, most: int
) -> None:
    """Also when it was asked before more came in."""
    made = SampleSeries()
    dice = np.random.default_rng(sum(steps))
    for step in steps:
        for ms in dice.lognormal(3.0, 1.0, step):
            made.append(float(len(made)), float(ms))
        made.course(0.0, 1e9, most)
    first_s = begin * len(made)
    last_s = first_s + share * len(made)
    seen = made.log_ms[(made.at_s >= first_s) & (made.at_s <= last_s)]
    at_s, log_ms = made.course(first_s, last_s, most)
    assert (np.diff(at_s) >= 0).all()
    if len(seen):
        assert log_ms.max() >= seen.max()
        assert log_ms.min() <= seen.min()
    assert made.most_log_ms == made.log_ms.max()
