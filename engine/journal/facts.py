"""Facts about a thing, as a person reads them: the requests that were sent, and what came back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from engine.errors import CommandRefused, JournalUnavailable
from engine.journal.reader import read_about
from engine.views_truth import FactView

MOST: Final = 300
"""Facts, the newest."""
MOST_SUBJECTS: Final = 200


def facts_about(path: Path, subjects: Sequence[str], up_to: int) -> list[FactView]:
    """Oldest first; refused with JOURNAL_UNAVAILABLE when the file cannot be read. Blocking: for a worker thread."""
    try:
        rows = read_about(path, subjects[:MOST_SUBJECTS], up_to, MOST)
    except (JournalUnavailable, sqlite3.Error) as why:
        raise CommandRefused("JOURNAL_UNAVAILABLE", f"The journal cannot be read: {why}", http_status=503) from why
    return [
        FactView(seq=seq, at=datetime.fromisoformat(at), kind=kind, subject=subject, payload=_in_lines(payload))
        for seq, at, kind, subject, payload in rows
    ]


def _in_lines(payload: str) -> str:
    """Without what is absent: most fields of an order are."""
    fields = {name: value for name, value in msgspec.json.decode(payload).items() if name != "kind"}
    return msgspec.json.format(msgspec.json.encode(_present(fields)), indent=2).decode()


def _present(value: object) -> object:
    if isinstance(value, dict):
        return {name: _present(each) for name, each in value.items() if each not in (None, [], {}, "")}
    return [_present(each) for each in value] if isinstance(value, list) else value
