"""Everything that can be done in the window, by name: the command palette's list, put together when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from engine.model.words import DeskState
from gui import formatting as say
from gui.keys import KEYS, shown_for
from gui.widgets.panel import Panel

_MOVES: Final = frozenset({"up", "down", "left", "right", "next_tab", "previous_tab", "escape", "palette"})
"""Keys that only move about; by name they would be of no use."""
_STATES: Final = {
    DeskState.ACTIVE: "Desk active: entries are taken",
    DeskState.PAUSED: "Pause the desk: no new entries",
    DeskState.REDUCING: "Reducing: no entries, those that work are canceled",
    DeskState.HALTED: "Halt the desk",
}


@dataclass(frozen=True, slots=True)
class Command:
    title: str
    act: Callable[[], object]
    remark: str = ""
    """What kind of thing it is; found by typing, too."""
    key: str = ""
    """The key that does the same."""
    sends: bool = False
    """It sends an order at once: by name it asks first, since Enter never sends."""


def of_keys(acts: Mapping[str, Callable[[], object]]) -> list[Command]:
    return [
        Command(say.sentence(key.words), acts[key.name], "key", shown_for(key.shown), key.sends)
        for key in KEYS
        if key.name not in _MOVES
    ]


def of_states(ask: Callable[[DeskState], object]) -> list[Command]:
    """``ask`` itself asks for a word where one is needed."""
    return [Command(title, partial(ask, state), "desk") for state, title in _STATES.items()]


def of_pages(panels: Iterable[Panel]) -> list[Command]:
    """Every page of every panel, brought into sight."""
    return [
        Command(f"Show {title}" if not tab else f"Show {panel.title}: {title}", partial(panel.bring, tab), "page")
        for panel in panels
        for tab, title in enumerate(panel.header.tabs.titles)
    ]


def of_symbols(
    symbols: Iterable[str],
    traded: Container[str],
    *,
    ticket: Callable[[str], object],
    show: Callable[[str], object],
    flatten: Callable[[str], object],
) -> list[Command]:
    """``traded`` have an open trade; ``flatten`` itself asks first."""
    found = []
    for symbol in symbols:
        if symbol in traded:
            found.append(Command(f"{symbol}: show the trade", partial(show, symbol), "symbol"))
            found.append(Command(f"{symbol}: flatten", partial(flatten, symbol), "symbol"))
        found.append(Command(f"{symbol}: order ticket", partial(ticket, symbol), "symbol"))
    return found


def matching(commands: Sequence[Command], typed: str, recent: Sequence[str] = ()) -> list[Command]:
    """Those in which every typed word occurs; titles that begin with the words first, then words that begin so.

    Without anything typed all of them, the ones used lately on top.
    """
    words = typed.casefold().split()
    if not words:
        used = [command for title in recent for command in commands if command.title == title]
        return [*used, *(command for command in commands if command not in used)]
    ranked = [(_rank(command, words), number) for number, command in enumerate(commands)]
    return [commands[number] for rank, number in sorted(ranked) if rank < _NO]


_NO: Final = 9


def _rank(command: Command, words: Sequence[str]) -> int:
    title = command.title.casefold()
    text = f"{title} {command.remark} {command.key}".casefold()
    if not all(word in text for word in words):
        return _NO
    if title.startswith(" ".join(words)):
        return 0
    begins = title.replace(":", " ").split()
    return 1 if all(any(begin.startswith(word) for begin in begins) for word in words) else 2
