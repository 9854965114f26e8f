"""May an order that never arrived be sent once more? An entry while it is fresh and the gate says yes again."""

from __future__ import annotations

from collections.abc import Callable

from engine.book import Book
from engine.clock import Clock
from engine.model.order import Order
from engine.model.words import OrderRole
from engine.pipeline.decide import decide
from engine.pipeline.executor import approved_numbers
from engine.pipeline.held import signal_to_send
from engine.pipeline.picture import Pictures


def resending(book: Book, pictures: Pictures, clock: Clock, resend_within_s: float) -> Callable[[Order], bool]:
    """Asked of an exit: are its shares still uncovered?"""

    def may_resend(order: Order) -> bool:
        bracket = book.brackets.get(order.bracket_id or "")
        if order.role is not OrderRole.ENTRY:
            return bracket is not None and book.cover(bracket.id).naked >= order.qty
        record = book.signals.get(bracket.signal_id) if bracket is not None else None
        if record is None or record.approval is None:
            return False
        if (clock.now() - record.approval.at).total_seconds() > resend_within_s:
            return False
        signal = signal_to_send(record)
        return decide(signal, pictures.take_again(signal), approved_numbers(record.approval)).approvable

    return may_resend
