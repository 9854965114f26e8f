"""What a screen reader says: everything that can be pressed or typed into has a name."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget

from gui.tables.blotter import Blotter
from tests.gui.conftest import Screen
from tests.gui.scene_repair import naked


def nameless(screen: Screen) -> set[str]:
    """Object names, or kinds, of what a person can press or type into and nobody can call."""
    found = set()
    for widget in screen.window.findChildren(QWidget):
        is_typed = isinstance(widget, QLineEdit)
        is_pressed = isinstance(widget, QAbstractButton) or (
            widget.focusPolicy() & Qt.FocusPolicy.TabFocus and type(widget).__module__.startswith("gui.widgets")
        )
        said = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
        if widget.isVisible() and (is_typed or is_pressed) and not said and not widget.objectName().startswith("qt_"):
            found.add(widget.objectName() or type(widget).__name__)
    return found


@pytest.mark.parametrize("scene", ["empty", "busy", "trouble"])
async def test_everything_that_can_be_pressed_or_typed_into_has_a_name(opened: Any, scene: str) -> None:
    async with opened(scene) as screen:
        assert not (found := nameless(screen)), " ".join(sorted(found))


async def test_the_sheets_have_names_too(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.desk.planner.mending["b-TSLA"] = naked("b-TSLA")
        window = screen.window
        window._ticketing.ask("NVDA")
        window._layouts.ask()
        window._layout.save_as("mine")
        window._layouts.ask()
        window._commanding.ask()
        window._mandating.ask()
        window._repairing.ask(window.brackets.model.row("b-TSLA"))
        window.brackets.ask_flatten(window.brackets.model.row("b-TSLA"))
        window.state_bar.ladder_clicked.emit()
        assert not (found := nameless(screen)), " ".join(sorted(found))


async def test_tables_say_their_cells(opened: Any) -> None:
    async with opened("trouble") as screen:
        view = screen.window.brackets.view
        assert isinstance(view, Blotter)
        words = view.text_of("b-TSLA")
        assert "TSLA" in words
        assert any("NAKED" in word for word in words), "what the colour says is said in words"
