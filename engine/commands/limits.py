"""The desk's door for what bounds it: trips of its state and the prop firm's ledger."""

from __future__ import annotations

from decimal import Decimal

from engine.book import Book
from engine.errors import CommandRefused
from engine.model import events as ev
from engine.prop.board import PropBoard
from engine.recorder import Recorder
from engine.trip_wire import TripWire
from engine.views_limits import PropFirmView, TripView


class LimitCommands:
    def __init__(self, trips: TripWire, prop: PropBoard, recorder: Recorder, book: Book) -> None:
        self.trips = trips
        self._prop = prop
        self._recorder = recorder
        self._book = book

    def trip_views(self) -> list[TripView]:
        """Not released, or released while the cause stood."""
        return list(self.trips.views())

    def prop_firm(self) -> PropFirmView:
        return self._prop.view()

    async def correct_prop_day(
        self,
        *,
        actor: str,
        start_balance: Decimal | None = None,
        start_equity: Decimal | None = None,
        high_equity: Decimal | None = None,
        high_close: Decimal | None = None,
    ) -> PropFirmView:
        """The firm's own numbers for the running day and the highs; None leaves one as it is."""
        day = self._book.prop.day
        if day is None:
            raise CommandRefused("NO_PROP_DAY", "Prop-firm mode is off, or its day has not been opened yet.")
        await self._recorder.commit_exit(
            ev.PropDayCorrected(
                day=day.day,
                actor=actor,
                start_balance=start_balance,
                start_equity=start_equity,
                high_equity=high_equity,
                high_close=high_close,
            )
        )
        return self.prop_firm()
