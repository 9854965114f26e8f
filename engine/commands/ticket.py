"""An entry by hand: a form that is judged as it is typed, and becomes a signal only when it is sent.

What is sent goes the way of every signal: received, on disk, approved under the preview that was shown, judged once
more at the click. A ticket that is refused leaves nothing behind that could be approved later, by anybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import msgspec

from engine.approval import ApprovalQueue
from engine.book import Book
from engine.errors import BrokerError, CommandRefused
from engine.intake.fields import Fields
from engine.model.commands import NO_EDITS
from engine.model.ids import signal_id
from engine.model.signal import SignalRecord
from engine.model.words import SignalStatus
from engine.pipeline.picture import Pictures
from engine.reception import Reception, unknown_symbol
from engine.surroundings import UnknownSymbol, World
from engine.views import PreviewView

SOURCE: Final = "ticket"


class TicketCommands:
    def __init__(
        self,
        book: Book,
        reception: Reception,
        queue: ApprovalQueue,
        pictures: Pictures,
        world: World,
        *,
        fetch_quotes: Callable[[list[str]], Awaitable[None]],
    ) -> None:
        self._book = book
        self._reception = reception
        self._queue = queue
        self._pictures = pictures
        self._world = world
        self._fetch_quotes = fetch_quotes

    async def look(self, symbol: str) -> str:
        """Have the symbol's asset, price and history at hand, and keep its price live until ``leave``.

        Returns:
            The symbol as the desk writes it.

        Raises:
            CommandRefused: 422 BAD_SYMBOL or the like, UNKNOWN_SYMBOL; 503 BROKER_UNREACHABLE.
        """
        name = Fields({"symbol": symbol}).symbol("symbol")
        try:
            await self._world.ensure_asset(name)
        except UnknownSymbol:
            raise unknown_symbol(name) from None
        except BrokerError as lost:
            raise CommandRefused("BROKER_UNREACHABLE", lost.operator_text, http_status=503) from lost
        self._world.looked_at = name
        await self._fetch_quotes([name])
        await self._world.history.ensure({*self._pictures.in_play(), name})
        return name

    def leave(self) -> None:
        """Nobody looks at a ticket any more."""
        self._world.looked_at = None

    def preview(self, raw: bytes) -> PreviewView:
        """What sending this form now would do, under an id that ``send`` names. Nothing is recorded.

        Args:
            raw: the desk's own signal form (``docs/api.md``).

        Raises:
            CommandRefused: the form is not complete, or wrong; with its field.
        """
        draft = self._reception.read(raw, source=SOURCE)
        record = SignalRecord(signal=draft.to_signal(signal_id(self._book.next_signal_number())))
        return self._queue.show(record, self._pictures.take(record.signal))

    async def send(self, raw: bytes, *, preview_id: str, actor: str, reason: str = "") -> str:
        """Receive and approve it; returns the signal's id. The same form a second time is the same signal.

        Raises:
            CommandRefused: as ``approve``; the signal is rejected then, with the reason on record.
        """
        shown = self._queue.previews.find(preview_id)
        try:
            wanted, was_known = await self._reception.receive(raw, source=SOURCE, pinned_format=None, began_s=None)
        except CommandRefused as refused:
            self._take_back(raw, refused, actor)
            raise
        if was_known and self._book.signals[wanted].status is not SignalStatus.PENDING:
            return wanted
        self._queue.previews.keep(preview_id, msgspec.structs.replace(shown, signal_id=wanted))
        try:
            await self._queue.approve(wanted, actor=actor, preview_id=preview_id, edits=NO_EDITS, reason=reason)
        except CommandRefused as refused:
            record = self._book.signals[wanted]
            if record.approval is not None:  # a mandate was quicker, or the other of two clicks
                return wanted
            self._reject(wanted, refused, actor)
            raise
        return wanted

    def _take_back(self, raw: bytes, refused: CommandRefused, actor: str) -> None:
        """A disk that takes nothing refuses what stands in the book already: nobody may approve it later."""
        with suppress(CommandRefused):  # it was no form at all
            received = self._reception.known(self._reception.read(raw, source=SOURCE))
            if received is not None:
                self._reject(received, refused, actor)

    def _reject(self, wanted: str, refused: CommandRefused, actor: str) -> None:
        if self._book.signals[wanted].status is SignalStatus.PENDING:
            self._queue.reject(wanted, actor=actor, reason=f"not sent: {refused.operator_text}")
