"""Days that are over: each opens in a window of its own, beside the desk and without a way to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Final, Protocol

from PySide6.QtCore import QProcess, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.errors import EngineError
from gui import formatting as say
from gui.actions import Spawn
from gui.dialogs.sheet import Centred, RowList, Sheet, under_rule
from gui.door import Day
from gui.theme import Type
from gui.widgets.button import Button
from gui.widgets.text import Text

_WIDTH: Final = 520
_MOST_LIST: Final = 380


class PastDays(Protocol):
    """The days of this desk's journal, and the command that opens one: a program and what it is told."""

    def days(self) -> Awaitable[Sequence[Day]]: ...
    def command(self, day: date) -> tuple[str, list[str]]: ...


class DayRow(QWidget):
    def __init__(self, day: Day, opens: Callable[[Day], object]) -> None:
        super().__init__()
        self.setObjectName(f"day-{day.date.isoformat()}")
        hours = f"{say.clock(day.began_at)} to {say.clock(day.ended_at)} ET · {say.plural(day.facts, 'fact')}"
        button = Button("Open", name="day-open")
        button.setAccessibleName(f"Open {day.date.isoformat()}")
        button.clicked.connect(lambda: opens(day))
        row = QHBoxLayout()
        row.addWidget(Text(say.day(day.date), kind=Type.MEDIUM, name="day-date"))
        row.addWidget(Text(hours, tone="mid", name="day-hours"), 1)
        row.addWidget(button)
        under_rule(row, self)


class PastSheet(Sheet):
    def __init__(self, past: PastDays, spawn: Spawn, parent: QWidget) -> None:
        super().__init__(parent, name="past-sheet", width=_WIDTH)
        self._past = past
        self._spawn = spawn
        self._rows: list[DayRow] = []
        self._is_reading = False
        self._note = Text(tone="mid", wrap=True, name="past-sheet-note")
        self._list = RowList(name="past-days", width=_WIDTH - 36, most=_MOST_LIST)
        back = Button("Back", name="past-sheet-back")
        back.clicked.connect(self.dismiss)
        foot = QHBoxLayout()
        foot.addWidget(Text("Read-only, in a window of its own.", kind=Type.SMALL, tone="low"), 1)
        foot.addWidget(back)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 12)
        column.setSpacing(8)
        column.addWidget(Text("Replay a day", kind=Type.SYMBOL))
        column.addWidget(self._note)
        column.addWidget(self._list, 1)
        column.addLayout(foot)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._place = Centred(self, parent, width=_WIDTH)

    def ask(self) -> None:
        self._note.say("Reading the journal ...")
        self._place.bring()
        self.setFocus()
        if not self._is_reading:
            self._is_reading = True
            self._spawn("window:past-days", self._read())

    async def _read(self) -> None:
        try:
            days = await self._past.days()
        except EngineError as failed:
            self._note.say(failed.operator_text)
            return
        finally:
            self._is_reading = False
        for row in self._rows:
            self._list.drop(row)
        self._rows = [DayRow(day, self._open) for day in days]
        for row in self._rows:
            self._list.add(row)
        self._note.say("Every panel as it was, from the journal and from the tape of prices beside it.")
        self._place.place()

    def _open(self, day: Day) -> None:
        program, arguments = self._past.command(day.date)
        started, _ = QProcess.startDetached(program, arguments)
        opened = f"The window of {day.date.isoformat()} opens." if started else f"{program} could not be started."
        self._note.say(opened)
