"""Under the state bar of a day looked at again: which day, where in it, how fast it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from gui import formatting as say
from gui.theme import CARD_PAD, Type
from gui.widgets.button import Button
from gui.widgets.segments import Segments
from gui.widgets.text import Text
from gui.widgets.time_slider import Mark, TimeSlider

SPEEDS: Final = (1, 5, 20, 100)
_HIGH: Final = 44
NO_TAPE: Final = "No prices taped"


class PastBar(QWidget):
    play_asked = Signal()
    """Go on, or stand still."""
    mark_asked = Signal(int)
    """To the next mark (1), or to the one before (-1)."""

    def __init__(self, began_at: datetime, ended_at: datetime, marks: Sequence[Mark]) -> None:
        super().__init__()
        self.setObjectName("past-bar")
        self.setProperty("part", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(_HIGH)
        self.slider = TimeSlider(began_at, ended_at, marks)
        self.speed = Segments([(str(each), f"{each}×") for each in SPEEDS], name="past-speed", said="Speed")
        self.play = Button("Play", name="past-play")
        self._time = Text(kind=Type.MONO_STRONG, name="past-time")
        self._note = Text(NO_TAPE, tone="p2_text", name="past-note")
        self._note.setToolTip(
            "Prices, previews and account figures were not written down at this time.\n"
            "Orders, trades, incidents and the log are exact: they come from the journal."
        )
        back = Button("‹ Mark", name="past-back", kind="quiet")
        forth = Button("Mark ›", name="past-forth", kind="quiet")
        back.setToolTip("The decision, incident or change of state before this one (,)")
        forth.setToolTip("The next decision, incident or change of state (.)")
        row = QHBoxLayout(self)
        row.setContentsMargins(CARD_PAD, 0, 10, 0)
        row.setSpacing(10)
        day = say.day(began_at.astimezone(say.MARKET_TIME).date())
        for widget in (Text("REPLAY", kind=Type.STRONG, tone="past", name="past-badge"), Text(day, kind=Type.STRONG)):
            row.addWidget(widget)
        row.addWidget(self.play)
        row.addWidget(self.speed)
        row.addWidget(back)
        row.addWidget(self.slider, 1)
        row.addWidget(forth)
        row.addWidget(self._note)
        row.addWidget(self._time)
        self.play.clicked.connect(self.play_asked)
        back.clicked.connect(lambda: self.mark_asked.emit(-1))
        forth.clicked.connect(lambda: self.mark_asked.emit(1))

    def show_moment(self, at: datetime, *, has_tape: bool) -> None:
        self.slider.show_at(at)
        self._time.say(f"{say.clock(at)} ET")
        self._note.setVisible(not has_tape)

    def show_playing(self, playing: bool) -> None:
        self.play.setText("Pause" if playing else "Play")
