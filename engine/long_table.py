"""A table of the book that only grows: what is over and has rested for a while is kept packed, a tenth of its size.

Whoever reads a packed row gets it unpacked (some twenty microseconds), so that nobody has to know. Packing changes
nothing that anybody sees and is no fact: two tables with the same rows are equal, whichever of them are packed.

A row is packed as msgspec's MessagePack, deflated. Rows of one kind have the same field names, so that a few of the
first ones that rest serve the compressor as its dictionary.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, overload

import msgspec

_encode: Final = msgspec.msgpack.Encoder().encode
_LEVEL: Final = 6
_RAW: Final = -15
"""Deflate without header and checksum."""
SAMPLES: Final = 8
"""Rows that make the compressor's dictionary: the longest of those at hand."""


class LongTable[T: msgspec.Struct](Mapping[str, T]):
    """Rows by id, in the order in which they came. Values are swapped, never changed in place and never removed."""

    def __init__(self, kind: type[T], word: Callable[[T], str] | None = None) -> None:
        """``word`` of a row (its status) can be looked for without unpacking it."""
        self._rows: dict[str, T | bytes] = {}
        self._word = word
        self._words: list[str] = []
        """A packed row begins with the number of its word in this list."""
        self._awake: dict[str, bool] = {}
        """Rows that are not packed, the one that came or woke longest ago first; True: see ``stored``."""
        self._packed_unstored: dict[str, None] = {}
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._dictionary = b""

    def __getitem__(self, key: str) -> T:
        row = self._rows[key]
        return self._unpacked(row) if type(row) is bytes else row  # type: ignore[return-value]

    def __setitem__(self, key: str, value: T) -> None:
        self._rows[key] = value
        self._awake[key] = True

    @overload
    def get(self, key: str, /) -> T | None: ...
    @overload
    def get[D](self, key: str, /, default: D) -> T | D: ...
    def get(self, key: str, /, default: Any = None) -> Any:
        row = self._rows.get(key, default)
        return self._unpacked(row) if type(row) is bytes else row

    def of(self, keys: Iterable[str]) -> list[T]:
        """Several rows, in the order of their ids."""
        rows = self._rows
        found: list[Any] = [rows[key] for key in keys]
        if bytes in map(type, found):
            return [self._unpacked(row) if type(row) is bytes else row for row in found]
        return found

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._rows)

    def having(self, word: str) -> Iterator[str]:
        """Ids of the rows with that word, newest first."""
        assert self._word is not None
        for key in reversed(self._rows):
            row = self._rows[key]
            if (self._words[row[0]] if type(row) is bytes else self._word(row)) == word:  # type: ignore[arg-type]
                yield key

    # --- twins -------------------------------------------------------------------------------------------------------

    def copy(self) -> LongTable[T]:
        """Another table that goes its own way from here; rows are shared, since none changes in place."""
        twin = copy.copy(self)
        twin._rows = dict(self._rows)
        twin._words = list(self._words)
        twin._awake = dict(self._awake)
        twin._packed_unstored = dict(self._packed_unstored)
        return twin

    def unlike(self, other: LongTable[T]) -> set[str]:
        """Ids of the rows that one of the two twins has and the other has not, or has another one of."""
        here, there = self._rows, other._rows
        return {key for key, row in here.items() if there.get(key) is not row} | (there.keys() - here.keys())

    # --- rest --------------------------------------------------------------------------------------------------------

    def is_packed(self, key: str) -> bool:
        return type(self._rows.get(key)) is bytes

    def awake(self) -> int:
        """How many rows are not packed."""
        return len(self._awake)

    def rest(self, most: int, *, but: int, may_rest: Callable[[T], bool]) -> list[str]:
        """Pack up to ``most`` of the rows that have been awake longest, but for the newest ``but``; returns which.

        A row that may not rest yet is asked for again after all the others.
        """
        packed = []
        for key in list(islice(self._awake, max(0, min(most, len(self._awake) - but)))):
            row: Any = self._rows[key]
            is_changed = self._awake.pop(key)
            if may_rest(row):
                self._rows[key] = self._packed(row)
                packed.append(key)
                if is_changed:
                    self._packed_unstored[key] = None
            else:
                self._awake[key] = is_changed
        return packed

    def _packed(self, row: T) -> bytes:
        if not self._dictionary:
            self._learn()
        compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, zdict=self._dictionary)
        return bytes((self._number_of(row),)) + compressor.compress(_encode(row)) + compressor.flush()

    def _number_of(self, row: T) -> int:
        word = self._word(row) if self._word is not None else ""
        if word not in self._words:
            self._words.append(word)
        return self._words.index(word)

    def _learn(self) -> None:
        rows = (_encode(row) for row in islice(self._rows.values(), 50 * SAMPLES) if type(row) is not bytes)
        self._dictionary = b"".join(sorted(rows, key=len)[-SAMPLES:])

    def _unpacked(self, packed: bytes) -> T:
        return self._decode(self._inflated(packed))

    def _inflated(self, packed: bytes) -> bytes:
        return zlib.decompressobj(_RAW, zdict=self._dictionary).decompress(packed[1:])

    # --- the table on disk -------------------------------------------------------------------------------------------

    def encoded(self, row: T | bytes) -> bytes:
        """A row of ``stored`` as MessagePack. Any thread may ask."""
        return self._inflated(row) if type(row) is bytes else _encode(row)

    def stored(self, *, changed: bool) -> dict[str, T | bytes]:
        """The rows as they are kept, to be ``encoded`` by a worker thread: all, or those that have ``changed``.

        Both in the order of the table: a file that takes them in turn keeps it.
        """
        if not changed:
            return dict(self._rows)
        wanted = self._packed_unstored.keys() | {key for key, is_changed in self._awake.items() if is_changed}
        found: dict[str, T | bytes] = {}
        for key in reversed(self._rows):  # what has changed is mostly among the newest
            if len(found) == len(wanted):
                break
            if key in wanted:
                found[key] = self._rows[key]
        return dict(reversed(found.items()))

    def note_stored(self) -> None:
        """All rows stand on disk, or are about to: from here on only what is written anew has changed."""
        self._packed_unstored.clear()
        self._awake = dict.fromkeys(self._awake, False)
