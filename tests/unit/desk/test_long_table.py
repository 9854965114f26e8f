"""The book's long tables: packed or not, a row reads the same."""

from __future__ import annotations

import msgspec
import pytest

from engine.book import Book
from engine.checkpoint import tables_of
from engine.incidents.stats import alarm_stats
from engine.long_table import LongTable
from engine.model import events as ev
from engine.model.words import SignalStatus
from engine.resting import AWAKE, KINDS, MOST, rest
from tests.unit.builders import T0, after, make_signal
from tests.unit.desk.test_alarms import desk_incident
from tests.unit.rules.test_mandates import mandate


class Row(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    word: str
    text: str = ""


def table_of(count: int) -> LongTable[Row]:
    table = LongTable(Row, word=lambda row: row.word)
    for number in range(count):
        table[f"r{number}"] = Row(id=f"r{number}", word="even" if number % 2 == 0 else "odd", text=f"text {number}")
    return table


def test_a_packed_row_reads_as_it_was_written() -> None:
    table, same = table_of(20), table_of(20)
    assert table.rest(50, but=5, may_rest=lambda _: True) == [f"r{number}" for number in range(15)]
    assert [table.is_packed(f"r{number}") for number in (0, 14, 15, 19)] == [True, True, False, False]
    assert table == same
    assert table["r3"] == table.get("r3") == Row(id="r3", word="odd", text="text 3")
    assert table.of(["r17", "r3"]) == [same["r17"], same["r3"]]
    assert (len(table), "r3" in table, "r99" in table, table.get("r99")) == (20, True, False, None)
    assert [list(table), list(reversed(table))] == [list(same), list(reversed(same))]
    with pytest.raises(KeyError):
        table["r99"]


def test_rows_are_found_by_their_word_whether_they_are_packed_or_not() -> None:
    table = table_of(6)
    table.rest(3, but=0, may_rest=lambda _: True)
    assert list(table.having("odd")) == ["r5", "r3", "r1"]
    table["r3"] = Row(id="r3", word="even")
    assert list(table.having("odd")) == ["r5", "r1"]
    assert list(table.having("neither")) == []


def test_a_row_that_may_not_rest_stays_and_stands_in_nobodys_way() -> None:
    table = table_of(6)
    assert table.rest(2, but=0, may_rest=lambda row: row.word == "odd") == ["r1"]
    assert table.rest(2, but=0, may_rest=lambda row: row.word == "odd") == ["r3"]
    assert table.rest(9, but=0, may_rest=lambda row: row.word == "odd") == ["r5"]
    assert table.awake() == 3


def test_a_packed_row_that_is_written_again_is_awake_and_among_the_newest() -> None:
    table = table_of(4)
    table.rest(4, but=0, may_rest=lambda _: True)
    table["r1"] = Row(id="r1", word="odd", text="anew")
    assert not table.is_packed("r1")
    assert list(table) == ["r0", "r1", "r2", "r3"], "its place in the table is the old one"
    assert table.rest(4, but=1, may_rest=lambda _: True) == []


def test_what_is_stored_is_what_was_written_since_and_packed_rows_store_as_the_others() -> None:
    table = table_of(4)
    table.note_stored()
    table["r2"] = Row(id="r2", word="even", text="anew")
    table["r4"] = Row(id="r4", word="even")
    plain = {key: table.encoded(row) for key, row in table.stored(changed=True).items()}
    table.rest(9, but=0, may_rest=lambda _: True)
    assert {key: table.encoded(row) for key, row in table.stored(changed=True).items()} == plain
    assert list(plain) == ["r2", "r4"]
    assert list(table.stored(changed=False)) == list(table)


def test_what_is_stored_comes_in_the_order_of_the_table_whatever_rests() -> None:
    table = table_of(6)
    table.rest(6, but=0, may_rest=lambda row: row.word == "odd")
    assert list(table.stored(changed=True)) == list(table)
    table.note_stored()
    table["r6"] = Row(id="r6", word="even")
    table["r1"] = Row(id="r1", word="odd")
    assert list(table.stored(changed=True)) == ["r1", "r6"]


def test_what_is_over_rests_and_what_is_open_does_not() -> None:
    book = Book()
    for number in range(AWAKE + MOST + 2):
        signal = make_signal(id=f"s{number:06d}", source_id=f"{number}")
        book.apply(ev.Recorded(number, T0, ev.SignalReceived(signal=signal)))
        if number != 1:
            book.apply(ev.Recorded(number, T0, ev.SignalExpired(signal_id=signal.id)))
    for _ in range(3):
        rest(book, "signals")
    assert book.signals.is_packed("s000000")
    assert not book.signals.is_packed("s000001"), "it waits for a decision"
    assert book.signals.awake() == AWAKE
    assert book.signals["s000000"].status is SignalStatus.EXPIRED
    assert list(book.signals.having(SignalStatus.PENDING)) == ["s000001"]


def test_every_long_table_has_its_rule() -> None:
    book = Book()
    assert set(KINDS) == set(tables_of(book))
    for kind in KINDS:
        rest(book, kind, awake=0)


def test_a_mandate_rests_when_it_is_revoked_or_over_and_counts_as_given_until_then() -> None:
    book = Book()
    given = [mandate(id=f"m{number:04d}", until=after(60 if number < 3 else 3600)) for number in range(6)]
    for number, each in enumerate(given[:5]):
        book.apply(ev.Recorded(number, T0, ev.MandateGranted(mandate=each)))
    book.apply(ev.Recorded(5, after(1), ev.MandateRevoked(mandate_id="m0004", actor="ann")))
    assert [m.mandate.id for m in book.live_mandates(after(59))] == ["m0000", "m0001", "m0002", "m0003"]
    assert [m.mandate.id for m in book.live_mandates(after(60))] == ["m0003"]
    book.apply(ev.Recorded(6, after(100), ev.MandateGranted(mandate=given[5])))
    rest(book, "mandates", awake=0)
    assert [key for key in book.mandates if not book.mandates.is_packed(key)] == ["m0003", "m0005"]
    assert (book.mandates["m0004"].revoked_by, book.mandates["m0000"].mandate) == ("ann", given[0])
    assert [m.mandate.id for m in book.live_mandates(after(101))] == ["m0003", "m0005"]
    assert [book.is_in_force(key, after(101)) for key in book.mandates] == [False, False, False, True, False, True]
    assert not book.is_in_force("m0000", after(1)), "the clock was set back: it does not come to life again"
    assert not book.is_in_force("m0003", after(3600))


def test_an_incident_that_is_over_rests_and_the_figures_of_its_day_stay() -> None:
    book = Book()
    for number in range(3):
        raised = msgspec.structs.replace(desk_incident(f"link:{number}"), id=f"i{number}")
        book.apply(ev.Recorded(number, T0, ev.IncidentRaised(incident=raised)))
    book.apply(ev.Recorded(3, after(2), ev.IncidentAcked(incident_id="i0", actor="ann")))
    for number in (0, 1):
        book.apply(ev.Recorded(4 + number, after(3), ev.IncidentCleared(incident_id=f"i{number}", why="over")))
    before = alarm_stats(book, after(4))
    rest(book, "incidents", awake=0)
    assert [book.incidents.is_packed(f"i{number}") for number in range(3)] == [True, True, False]
    assert alarm_stats(book, after(4)) == before
    assert (before.raised, before.acked_share, before.standing) == (3, 0.333, 1)
