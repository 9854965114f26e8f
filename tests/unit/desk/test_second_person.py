"""The word of a second person: whose it is, how it may be written, and what guessing costs."""

from __future__ import annotations

import unicodedata

import msgspec
import pytest

from engine.config import Config
from engine.errors import CommandRefused
from engine.halt.second_person import WRONG_PAUSE_S, SecondPerson, sealed
from engine.model.commands import Agreement
from tests.unit.desk.desk_parts import HandClock


async def refusal(person: SecondPerson, given: Agreement | None) -> str:
    with pytest.raises(CommandRefused) as why:
        await person.agreed(given, actor="window")
    return why.value.code


async def test_only_the_words_own_name_agrees() -> None:
    clock = HandClock()
    person = SecondPerson({"ben": sealed("nine green bottles"), "cid": sealed("eight blue jars")}, clock)
    assert await person.agreed(Agreement("ben", "nine green bottles"), actor="window") == "ben"
    assert await refusal(person, Agreement("cid", "nine green bottles")) == "WRONG_WORD"
    assert await refusal(person, Agreement("dan", "nine green bottles")) == "WRONG_WORD"
    assert await refusal(person, Agreement("ben", "")) == "WRONG_WORD"
    assert await refusal(person, None) == "SECOND_PERSON"


async def test_the_first_person_is_no_second_one() -> None:
    person = SecondPerson({"window": sealed("nine green bottles")}, HandClock())
    assert await refusal(person, Agreement("window", "nine green bottles")) == "SECOND_PERSON"


async def test_a_wrong_word_is_answered_late_and_a_right_one_at_once() -> None:
    clock = HandClock()
    person = SecondPerson({"ben": sealed("nine green bottles")}, clock)
    await refusal(person, Agreement("ben", "a guess"))
    assert clock.at_s == WRONG_PAUSE_S
    await person.agreed(Agreement("ben", "nine green bottles"), actor="window")
    assert clock.at_s == WRONG_PAUSE_S


async def test_a_letter_with_an_accent_is_one_letter_however_it_is_written() -> None:
    word = "neuf bouteilles cass\u00e9es"
    person = SecondPerson({"ben": sealed(unicodedata.normalize("NFD", word) + " ")}, HandClock())
    assert await person.agreed(Agreement("ben", word), actor="window") == "ben"


def test_two_people_with_one_word_have_two_seals_and_neither_shows_it() -> None:
    assert sealed("nine green bottles") != sealed("nine green bottles")
    assert "bottles" not in repr(Agreement("ben", "nine green bottles"))


@pytest.mark.parametrize("seal", ["nine green bottles", "", "ab:cd", f"{'g' * 32}:{'0' * 64}"])
def test_what_is_no_seal_is_no_configuration(seal: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"halt": {"second_persons": {"ben": seal}}}, Config)
