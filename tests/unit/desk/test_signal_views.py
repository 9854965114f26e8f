"""A list of signals is a list, whatever the clock does while it is made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from engine.commands.signals import SignalCommands, SignalParts
from engine.errors import CommandRefused
from engine.model.signal import SignalRecord
from engine.model.words import SignalStatus
from tests.unit.builders import after, make_signal


def test_a_signal_that_expires_while_it_is_listed_is_listed_without_a_preview() -> None:
    """A soak found it: the price of a signal was asked for a microsecond after its time had ended."""
    record = SignalRecord(signal=make_signal(id="s000001", expires_at=after(60)))

    def expired(_signal_id: str) -> Any:
        raise CommandRefused("EXPIRED", "s000001 expired before it was decided.")

    queue = SimpleNamespace(record=lambda _wanted: record)
    parts = SimpleNamespace(queue=queue, previews=SimpleNamespace(get=expired), reception=None, batches=None)
    book = SimpleNamespace(pending={"s000001": None}, signals={"s000001": record})
    presenter = SimpleNamespace(signal=lambda record, preview: (record.signal.id, preview))
    clock = SimpleNamespace(now=lambda: after(59))
    commands = SignalCommands(cast("SignalParts", parts), cast("Any", book), cast("Any", presenter), cast("Any", clock))
    assert cast("Any", commands.signals(SignalStatus.PENDING)) == [("s000001", None)]
