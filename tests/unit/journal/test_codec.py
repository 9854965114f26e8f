from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest

from engine.journal.codec import KINDS, JournalUnreadable, chain_hash, kind_of, payload_of, recorded_of, text_of
from engine.model.events import AnyEvent, SignalExpired
from tests.unit.journal.events import EVERY_KIND, T0


def test_the_samples_hold_every_kind_that_exists() -> None:
    assert {type(event) for event in EVERY_KIND} == set(get_args(AnyEvent))
    assert {kind_of(event) for event in EVERY_KIND} == KINDS


@pytest.mark.parametrize("event", EVERY_KIND, ids=kind_of)
def test_every_fact_comes_back_as_it_went(event: AnyEvent) -> None:
    recorded = recorded_of(7, text_of(T0), payload_of(event))
    assert recorded.event == event
    assert (recorded.seq, recorded.at) == (7, T0)
    assert payload_of(recorded.event) == payload_of(event), "trailing zeros of prices count"


def test_a_whole_second_still_has_its_six_digits() -> None:
    assert text_of(T0.replace(microsecond=0)) == "2026-08-21T14:03:07.000000Z"
    assert text_of(T0.replace(year=999)) == "0999-08-21T14:03:07.000250Z"


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=2))])
def test_a_time_that_is_not_utc_is_a_bug_of_the_caller(zone: timezone | None) -> None:
    with pytest.raises(AssertionError):
        text_of(datetime(2026, 8, 21, tzinfo=zone))


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(JournalUnreadable, match="event 12 is of the kind 'order_teleported', which this version"):
        recorded_of(12, text_of(T0), '{"kind":"order_teleported","order_id":"x"}')


@pytest.mark.parametrize(
    "payload", ["", "[]", "{}", '{"kind":"signal_expired"}', '{"kind":"signal_expired","signal_id":1}']
)
def test_a_payload_that_does_not_fit_names_its_number(payload: str) -> None:
    with pytest.raises(JournalUnreadable, match="event 12"):
        recorded_of(12, text_of(T0), payload)


def test_a_fact_of_a_newer_program_with_more_fields_is_read() -> None:
    assert recorded_of(1, text_of(T0), '{"kind":"signal_expired","signal_id":"s1","new":1}').event == SignalExpired(
        signal_id="s1"
    )


def test_the_hash_binds_every_part() -> None:
    parts = ("0" * 64, 1, text_of(T0), "signal_expired", "{}")
    others = ("1" * 64, 2, text_of(T0.replace(year=2027)), "signal_denied", "{ }")
    base = chain_hash(*parts)
    assert len(base) == 64
    for number, other in enumerate(others):
        changed = (*parts[:number], other, *parts[number + 1 :])
        assert chain_hash(*changed) != base  # type: ignore[arg-type]
