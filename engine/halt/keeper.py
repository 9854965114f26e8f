"""Keeps a halt true for as long as it stands, however it came about and however often the desk was restarted.

In a scope that is reducing or halted no entry stays at work: one that was under way when the state was set, that turned
up at the broker later, or whose cancel was lost, is taken back too. As soon as the book knows of nothing any more, the
broker is asked whether that is so. And what the broker says of the account's own switch is written down.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from engine.alpaca.budget import Lane
from engine.alpaca.client import AlpacaClient
from engine.alpaca.reading import Rows
from engine.book import DESK_SCOPE, Book
from engine.clock import Clock
from engine.errors import BrokerError
from engine.halt.ladder import CANCELS_ENTRIES, left_in
from engine.model import events as ev
from engine.model.halt import FlatProof
from engine.model.order import Evidence, Order
from engine.model.words import Source
from engine.recorder import Recorder
from engine.surroundings import World
from engine.withdrawal import Withdrawal

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.25
PROOF_PAUSE_S: Final = 5.0
"""Between two tries of the desk itself to prove that it is flat. A person's try waits for nothing."""
SWITCH_SETTLES_S: Final = 15.0
"""A switch that the broker does not show so long after it was asked for was not set."""


class HaltKeeper:
    def __init__(
        self, client: AlpacaClient, recorder: Recorder, book: Book, world: World, clock: Clock, withdrawal: Withdrawal
    ) -> None:
        self._client = client
        self._recorder = recorder
        self._book = book
        self._world = world
        self._clock = clock
        self._withdrawal = withdrawal
        self._proving = asyncio.Lock()
        self._tried_at_s = float("-inf")
        self._disproved: tuple[tuple[str, ...], object] = ((), None)
        """What the broker showed to the newest try, and the stamp of the book at that moment."""

    @property
    def disproved(self) -> tuple[str, ...]:
        """What the broker showed that the book does not know of; empty once anything has been told since."""
        found, stamp = self._disproved
        return found if stamp is self._book.stamp else ()

    # --- entries -----------------------------------------------------------------------------------------------------

    async def keep_entries_out(self) -> None:
        """For ever. On a task of its own: a cancel that takes long delays no proof."""
        while True:
            if any(known.state in CANCELS_ENTRIES for known in self._book.states.values()):
                await self._withdrawal.cancel_entries(
                    actor="desk", reason="no entries in this state", chosen=self.is_forbidden
                )
            await self._clock.sleep(LOOK_EVERY_S)

    def is_forbidden(self, order: Order) -> bool:
        """Whether desk, strategy or symbol let no entry work now."""
        return any(self._book.state_of(scope) in CANCELS_ENTRIES for scope in self._scopes_of(order))

    def is_in(self, order: Order, scope: str) -> bool:
        return scope in self._scopes_of(order)

    def _scopes_of(self, order: Order) -> tuple[str, ...]:
        bracket = self._book.brackets.get(order.bracket_id or "")
        of_trade = (f"strategy:{bracket.strategy}",) if bracket is not None else ()
        return (DESK_SCOPE, f"symbol:{order.symbol}", *of_trade)

    # --- flat --------------------------------------------------------------------------------------------------------

    async def keep_proof(self) -> None:
        """For ever: the proof of being flat, and what the broker says of its switch."""
        while True:
            self._note_switch()
            if self._wants_proof():
                try:
                    await self.prove(actor="desk")
                except BrokerError as lost:
                    log.info("whether the desk is flat: %s", lost)
            await self._clock.sleep(LOOK_EVERY_S)

    def _wants_proof(self) -> bool:
        book = self._book
        if book.state_of(DESK_SCOPE) not in CANCELS_ENTRIES or book.flat_proof is not None or left_in(book):
            return False
        return self._clock.monotonic_s() - self._tried_at_s >= PROOF_PAUSE_S

    async def prove(self, *, actor: str) -> tuple[str, ...]:
        """Ask the broker whether anything is left; what it is, or nothing and the proof is on record.

        Orders are read first: with none left that could fill, the positions read after them are final. The book must
        know of nothing before and after, since it may be ahead of both answers.

        Raises:
            BrokerError: it could not be asked.
        """
        async with self._proving:
            left = left_in(self._book)
            if left:
                return left
            self._tried_at_s = self._clock.monotonic_s()
            left = await self._left_at_broker(len(self._book.orders), actor)
            self._disproved = left, self._book.stamp
            return left

    async def _left_at_broker(self, known: int, actor: str) -> tuple[str, ...]:
        orders = await self._world.asking(self._client.orders(status="open", lane=Lane.EXIT))
        orders_read = self._proof(orders.request_id)
        positions = await self._world.asking(self._client.positions(lane=Lane.EXIT))
        positions_read = self._proof(positions.request_id)
        left = [
            *(f"order {order.symbol} {order.status} at the broker" for order in orders.value.items),
            *(f"{position.qty} {position.symbol} at the broker" for position in positions.value.items),
            *_unreadable("orders", orders.value),
            *_unreadable("positions", positions.value),
            *left_in(self._book),
        ]
        if not left and len(self._book.orders) == known:
            proof = FlatProof(orders=orders_read, positions=positions_read, actor=actor)
            self._recorder.record(ev.FlatProved(proof=proof))
            return ()
        return tuple(left) or ("an order came up while the broker was asked",)

    def _proof(self, request_id: str | None) -> Evidence:
        return Evidence(source=Source.REST, id=request_id, at=self._clock.now())

    # --- the account's own switch ------------------------------------------------------------------------------------

    def _note_switch(self) -> None:
        """What the newest account says, unless it was asked for before what is already known."""
        account, known = self._world.account, self._book.suspension
        if account is None:
            return
        is_newer = known.evidence is None or account.as_of > known.evidence.at
        is_settled = known.asked_at is None or account.as_of > known.asked_at
        if is_newer and is_settled and account.suspended is not known.is_on:
            proof = Evidence(source=Source.REST, id=account.request_id, at=account.as_of)
            self._recorder.record(ev.SuspensionSeen(suspended=account.suspended, evidence=proof))
        elif known.asked is not None and known.asked_at is not None:
            shown_s = (account.as_of - known.asked_at).total_seconds()
            if shown_s >= SWITCH_SETTLES_S and account.suspended is not known.asked:
                text = "The broker does not show it."
                self._recorder.record(ev.SuspensionRefused(suspended=known.asked, text=text))


def _unreadable(what: str, rows: Rows[object]) -> tuple[str, ...]:
    return (f"{len(rows.unreadable)} {what} that cannot be read",) if rows.unreadable else ()
