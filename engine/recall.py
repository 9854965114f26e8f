"""What a desk remembers when it starts: the newest checkpoint that fits the journal, and every fact behind it."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.activity import ALWAYS_TOLD, KEPT, ActivityLog
from engine.book import Book
from engine.checkpoint import CHECKPOINT_FILE, program_fingerprint, restore
from engine.errors import JournalUnavailable
from engine.journal.reader import EMPTY, Tail, read_all, read_measured, seq_of_measured, seq_of_newest, tail_at
from engine.journal.sidecar import Sidecar, SidecarUnusable
from engine.latency import SAMPLES_KEPT, LatencyLog
from engine.model.events import StageMeasured

log = logging.getLogger(__name__)

NOTHING: Final = EMPTY


class Memory:
    """The book and the two logs that listen to every fact."""

    def __init__(self) -> None:
        self.is_restored = False
        """A checkpoint was used: its file holds what the book knew as of it."""
        self.book = Book()
        self.activity = ActivityLog(self.book)
        book = self.book
        self.latency = LatencyLog(lambda signal_id: book.signals[signal_id].signal.symbol)


def standing(path: Path) -> Tail:
    """The event that a usable checkpoint of this journal stands at; ``NOTHING`` without one.

    A checkpoint that does not fit is thrown away here: it would not fit tomorrow either.
    """
    sidecar = Sidecar(path.with_name(CHECKPOINT_FILE))
    try:
        head = sidecar.head()
        if head is None:
            return NOTHING
        if head.program != program_fingerprint():
            raise SidecarUnusable("another version of the program wrote it")
        tail = tail_at(path, head.seq)
        if tail is None or tail.hash != head.hash:
            raise SidecarUnusable(f"event {head.seq} of the journal is not the one it stands at")
        return tail
    except SidecarUnusable as why:
        log.info("the checkpoint is thrown away: %s", why)
        sidecar.discard()
    except JournalUnavailable as why:
        log.info("the checkpoint is not used: %s", why)
    return NOTHING


def recall(path: Path, at: Tail) -> Memory:
    """Everything up to the journal's end, with the help of the checkpoint at ``at`` when it can be used.

    Raises:
        JournalUnavailable, JournalUnreadable: the journal cannot be read.
    """
    with collector_paused():
        memory = _restored(path, at) if at.seq and tail_at(path, at.seq) == at else None
        if memory is not None:
            fold(path, memory, behind=at.seq)
        else:
            memory = Memory()
            fold(path, memory)
    return memory


def fold(path: Path, memory: Memory, *, behind: int = 0) -> int:
    """Fold the facts behind event ``behind``; returns how many there were."""
    count = 0
    apply, book = memory.book.apply, memory.book
    told_from, measured_from = seq_of_newest(path, ALWAYS_TOLD, KEPT), seq_of_measured(path, SAMPLES_KEPT)
    with book.untold():
        for recorded in read_all(path, behind=behind):
            apply(recorded)
            if recorded.seq >= told_from:  # the logs forget what is older
                memory.activity.fold((recorded,))
            if type(recorded.event) is StageMeasured and recorded.seq >= measured_from:
                memory.latency.fold((recorded,))
            count += 1
    return count


def _restored(path: Path, at: Tail) -> Memory | None:
    sidecar = Sidecar(path.with_name(CHECKPOINT_FILE))
    memory = Memory()
    try:
        restore(memory.book, memory.activity, sidecar.objects(), sidecar.state())
    except SidecarUnusable as why:
        log.warning("the checkpoint is thrown away, the whole journal is read instead: %s", why)
        sidecar.discard()
        return None
    memory.is_restored = True
    memory.latency.fold(read_measured(path, at.seq, SAMPLES_KEPT))
    return memory


@contextmanager
def collector_paused() -> Iterator[None]:
    """Folding makes objects that stay: walking them again and again would cost more than the fold."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
