"""The keys of the window, in one table: what the key sheet shows is what the window listens to.

They work only while the window has the focus. Enter is in no row: it shows the detail and never sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    keys: str
    """As ``QKeySequence`` reads it."""
    shown: str
    words: str
    sends: bool = False
    """It sends an order at once, without a question."""


KEYS: Final = (
    Key("up", "Up", "↑", "previous signal, trade, order or incident"),
    Key("down", "Down", "↓", "next signal, trade, order or incident"),
    Key("left", "Left", "←", "to the panel on the left: signals, trades, orders, incidents"),
    Key("right", "Right", "→", "to the panel on the right"),
    Key("next_tab", "Ctrl+PgDown", "Ctrl PgDn", "next page of the panel"),
    Key("previous_tab", "Ctrl+PgUp", "Ctrl PgUp", "page before"),
    Key(
        "approve",
        "A",
        "A",
        "approve the armed signal, with the numbers shown; one that opened by itself: twice",
        sends=True,
    ),
    Key("edit", "E", "E", "change quantity or prices: of the armed signal first, of the selected order; Esc goes back"),
    Key("reject", "R", "R", "reject it: again without reason, or 1–9 for the usual ones"),
    Key("tick", "Space", "Space", "choose the armed signal for a decision about several"),
    Key("undo", "U", "U", "take the newest approval back, while nothing has been sent"),
    Key("cancel", "C", "C", "cancel the selected order", sends=True),
    Key("retry", "B", "B", "place the exits of the selected trade again", sends=True),
    Key("flatten", "X", "X", "flatten the selected trade (asks once)"),
    Key("plans", "P", "P", "every way to mend the selected trade, with its requests"),
    Key("move", "S", "S", "type another stop or target for the trade in view; Esc goes back"),
    Key("break_even", "=", "=", "the stop of the trade in view to break-even", sends=True),
    Key("acknowledge", "K", "K", "acknowledge the selected incident; from elsewhere: to the incidents"),
    Key("shelve", "M", "M", "put it on the shelf, with a time and a reason; from elsewhere: to the incidents"),
    Key("halt", "H", "H", "the halt ladder: how far the desk is stopped, and what proves it"),
    Key("halt_anywhere", "Ctrl+Shift+K", "Ctrl Shift K", "the halt ladder, while you type too"),
    Key("mandates", "Ctrl+M", "Ctrl M", "mandates: what is approved without you, within which bounds"),
    Key("ticket", "T", "T", "order ticket: an entry by hand, for the symbol of the selected row"),
    Key("palette", "Ctrl+K", "Ctrl K", "everything by name: commands, symbols, layouts"),
    Key("filter", "/", "/", "filter"),
    Key(
        "filter_row", "Ctrl+/", "Ctrl /", "a filter under each column's head, of the table in view; again takes it away"
    ),
    Key("escape", "Escape", "Esc", "back out of a question or a filter"),
    Key("help", "F1", "F1", "this sheet"),
)

DIGITS: Final = tuple(str(number) for number in range(1, 10))

_own: dict[str, str] = {}


def show_own(shown: dict[str, str]) -> None:
    """Keys of the operator's own, by how they are shown as they come: buttons say what has to be pressed."""
    _own.clear()
    _own.update(shown)


def shown_for(default: str) -> str:
    """How a key is shown now that comes as ``default``."""
    return _own.get(default, default)


def shown_of(key: Key, own: str | None) -> str:
    return key.shown if own is None else own.replace("+", " ") if len(own) > 1 else own
