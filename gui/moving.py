"""Moving the exits of a trade: dragged, typed, or to break-even. What would risk more asks first."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from engine.model.words import Mode
from engine.views import BracketView
from gui import formatting as say
from gui.actions import Actions
from gui.dialogs.confirm import Question
from gui.exit_words import loosens, moved_words


class Moving:
    def __init__(self, mode: Mode, actions: Actions, ask: Callable[[Question], object]) -> None:
        """``ask`` puts a question to the operator where the window asks them."""
        self._mode = mode
        self._actions = actions
        self._ask = ask

    def move(self, bracket: BracketView, stop: Decimal | None, target: Decimal | None) -> None:
        if stop is None or not loosens(bracket, stop):
            self._actions.move_exits(bracket.id, stop, target)
            return
        side = "long" if bracket.side.sign > 0 else "short"
        self._ask(
            Question(
                bracket.id,
                f"{self._mode.value.upper()}: Move the stop of {say.qty(bracket.held_qty)} {bracket.symbol} {side} "
                f"from {say.price(bracket.stop_price)} to {say.price(stop)}",
                f"It risks more than now. {moved_words(bracket, 'stop', stop)}.",
                "Move the stop",
                lambda: self._actions.move_exits(bracket.id, stop, target),
            )
        )

    def break_even(self, bracket: object) -> None:
        """Of the row in hand; nothing when that is no trade."""
        if isinstance(bracket, BracketView):
            self._actions.break_even(bracket.id)
