"""Words for leaving a cautious state: what stands against it, what has to be typed, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from engine.model.commands import Agreement
from engine.model.words import DeskState, Mode
from engine.views_limits import TripView
from gui import formatting as say
from gui.actions import FORCE, RELEASE
from gui.dialogs.confirm import Question

STATE: Final = "state"
"""Subject of the question."""
_CAUTION: Final = {state: rank for rank, state in enumerate(DeskState)}


def against(trips: Sequence[TripView], state: DeskState) -> list[TripView]:
    """Trips that would have to be released to go to ``state``."""
    return [trip for trip in trips if trip.overridden_by is None and _CAUTION[trip.state] > _CAUTION[state]]


def needs_word(trips: Sequence[TripView], before: DeskState, state: DeskState) -> bool:
    return bool(against(trips, state)) or (before is DeskState.HALTED and state is not before)


def release_question(
    mode: Mode,
    state: DeskState,
    trips: Sequence[TripView],
    act: Callable[[str, Agreement | None], object],
    second_persons: tuple[str, ...] = (),
    *,
    refused: str | None = None,
) -> Question:
    """``act`` is called with the typed word, and with who agreed where one of ``second_persons`` has to.

    ``refused``: the desk's own words for why the last try was not taken.
    """
    held = against(trips, state)
    standing = [trip for trip in held if trip.stands]
    follows = "Approvals and entries are possible again." if state is DeskState.ACTIVE else ""
    if second_persons:
        follows = f"{follows} {' or '.join(second_persons)} has to agree, with their own word.".strip()
    name = mode.value.upper()
    if standing:
        causes = " ".join(trip.cause for trip in standing)
        return Question(
            STATE,
            f"{name}: what tripped the desk still stands. Go to {state.value} all the same?",
            " ".join(filter(None, (refused or causes, standing[0].release, follows))),
            f"Force to {state.value}",
            lambda: act(FORCE, None),
            typed=FORCE,
            agree=_agree(FORCE, act, second_persons),
        )
    what = "release the trip and" if held else "release the halt and"
    causes = " ".join(f"{trip.cause} That is over." for trip in held)
    return Question(
        STATE,
        f"{name}: {what} go to {state.value}?",
        " ".join(filter(None, (refused, causes, follows))),
        f"Release to {state.value}",
        lambda: act(RELEASE, None),
        typed=RELEASE,
        agree=_agree(RELEASE, act, second_persons),
    )


def _agree(
    word: str, act: Callable[[str, Agreement | None], object], names: tuple[str, ...]
) -> tuple[tuple[str, ...], Callable[[Agreement], object]] | None:
    return (names, lambda agreement: act(word, agreement)) if names else None


def trip_words(trips: Sequence[TripView]) -> str:
    """One line a trip: cause, figures, since when, and what releases it."""
    lines = []
    for trip in trips:
        figures = f" ({trip.measured}, limit {trip.limit})" if trip.measured and trip.limit else ""
        lines.append(f"{trip.cause}{figures} Since {say.stamp(trip.at)}. {trip.release}")
    return "\n".join(lines)
