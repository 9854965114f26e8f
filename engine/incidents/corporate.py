"""Splits and large dividends that would leave a trade's exits at prices of another share."""

from __future__ import annotations

from collections.abc import Iterator

from engine.book import NEW_YORK
from engine.incidents.scene import Scene, about_bracket
from engine.model.incident import Incident, Priority
from engine.model.money import plain


def corporate_action(scene: Scene) -> Iterator[Incident]:
    """From a week before until the exits have been placed anew."""
    today = scene.now.astimezone(NEW_YORK).date()
    for bracket_id in scene.book.open_brackets:
        bracket, cover = scene.book.brackets[bracket_id], scene.book.cover(bracket_id)
        change = scene.world.corporate.get(bracket.symbol)
        if change is None or cover.held == 0 or bracket.repriced_for == change.id:
            continue
        after = (
            f"{plain(change.shares_after(cover.held))} with the stop at {plain(change.price_after(bracket.stop_price))}"
        )
        yield about_bracket(
            scene,
            bracket,
            "corporate",
            Priority.NOW if today >= change.ex_date else Priority.SOON,
            change.sentence,
            f"The broker leaves the exits as they are: the stop at {plain(bracket.stop_price)} would trigger at once.",
            f"Flatten before that day, or reprice when the broker shows it: then {after}.",
            buttons=("reprice", "flatten"),
        )
