"""A table of the book that only grows: what is over and has rested for a while is kept packed, a tenth of its size.

Whoever reads a packed row gets it unpacked (some thirty microseconds), so that nobody has to know. Packing changes
nothing that anybody sees and is no fact: two tables with the same rows are equal, whichever of them are packed.

Rows are packed several at a time into a block: msgspec's MessagePack, deflated together, since neighbours have much in
common. A few of the first ones that rest serve the compressor as its dictionary. A row that is written again leaves its
block, where the old one stays without a use.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, overload

import msgspec

_encode: Final = msgspec.msgpack.Encoder().encode
_LEVEL: Final = 6
_RAW: Final = -15
"""Deflate without header and checksum."""
SAMPLES: Final = 8
"""Rows that make the compressor's dictionary: the longest of those at hand."""
BLOCK: Final = 16
"""Rows of a block, at most."""
_rows_of: Final = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode


class _Block:
    """Rows that are packed together."""

    __slots__ = ("deflated", "keys", "words")

    def __init__(self, keys: tuple[str, ...], words: bytes, deflated: bytes) -> None:
        self.keys = keys
        self.words = words
        """The number of each row's word in the table's list."""
        self.deflated = deflated


class LongTable[T: msgspec.Struct](Mapping[str, T]):
    """Rows by id, in the order in which they came. Values are swapped, never changed in place and never removed."""

    def __init__(self, kind: type[T], word: Callable[[T], str] | None = None) -> None:
        """``word`` of a row (its status) can be looked for without unpacking it."""
        self._rows: dict[str, T | _Block] = {}
        self._word = word
        self._words: list[str] = []
        self._awake: dict[str, bool] = {}
        """Rows that are not packed, the one that came or woke longest ago first; True: see ``stored``."""
        self._packed_unstored: dict[str, None] = {}
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._dictionary = b""
        self._newest: tuple[_Block | None, list[msgspec.Raw]] = (None, [])
        """The block that was read last, inflated: whoever reads history reads neighbours."""

    def __getitem__(self, key: str) -> T:
        row = self._rows[key]
        return self._unpacked(key, row) if type(row) is _Block else row  # type: ignore[return-value]

    def __setitem__(self, key: str, value: T) -> None:
        self._rows[key] = value
        self._awake[key] = True

    @overload
    def get(self, key: str, /) -> T | None: ...
    @overload
    def get[D](self, key: str, /, default: D) -> T | D: ...
    def get(self, key: str, /, default: Any = None) -> Any:
        row = self._rows.get(key, default)
        return self._unpacked(key, row) if type(row) is _Block else row

    def of(self, keys: Sequence[str]) -> list[T]:
        """Several rows, in the order of their ids."""
        rows = self._rows
        found: list[Any] = [rows[key] for key in keys]
        if _Block in map(type, found):
            return [
                self._unpacked(key, row) if type(row) is _Block else row for key, row in zip(keys, found, strict=True)
            ]
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
            row: Any = self._rows[key]
            known = self._words[row.words[row.keys.index(key)]] if type(row) is _Block else self._word(row)
            if known == word:
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
        return type(self._rows.get(key)) is _Block

    def awake(self) -> int:
        """How many rows are not packed."""
        return len(self._awake)

    def rest(self, most: int, *, but: int, may_rest: Callable[[T], bool], least: int = 1) -> list[str]:
        """Pack a block of the rows that have been awake longest, but for the newest ``but``; returns which.

        ``most`` rows are looked at. A row that may not rest yet, and rows that are fewer than ``least``, are asked for
        again after all the others.
        """
        resting: dict[str, bool] = {}
        for key in list(islice(self._awake, max(0, min(most, len(self._awake) - but)))):
            is_changed = self._awake.pop(key)
            if may_rest(self._rows[key]):  # type: ignore[arg-type]
                resting[key] = is_changed
                if len(resting) == BLOCK:
                    break
            else:
                self._awake[key] = is_changed
        if len(resting) < least:
            self._awake |= resting
            return []
        self._pack(tuple(resting))
        self._packed_unstored |= dict.fromkeys(key for key, is_changed in resting.items() if is_changed)
        return list(resting)

    def _pack(self, keys: tuple[str, ...]) -> None:
        if not self._dictionary:
            self._learn()
        rows: list[Any] = [self._rows[key] for key in keys]
        compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, zdict=self._dictionary)
        deflated = compressor.compress(_encode(rows)) + compressor.flush()
        self._rows.update(dict.fromkeys(keys, _Block(keys, bytes(map(self._number_of, rows)), deflated)))

    def _number_of(self, row: T) -> int:
        word = self._word(row) if self._word is not None else ""
        if word not in self._words:
            self._words.append(word)
        return self._words.index(word)

    def _learn(self) -> None:
        rows = (_encode(row) for row in islice(self._rows.values(), 50 * SAMPLES) if type(row) is not _Block)
        self._dictionary = b"".join(sorted(rows, key=len)[-SAMPLES:])

    def _unpacked(self, key: str, block: _Block) -> T:
        return self._decode(self._inflated(key, block))

    def _inflated(self, key: str, block: _Block) -> msgspec.Raw:
        newest, rows = self._newest
        if newest is not block:
            rows = _rows_of(zlib.decompressobj(_RAW, zdict=self._dictionary).decompress(block.deflated))
            self._newest = (block, rows)
        return rows[block.keys.index(key)]

    # --- the table on disk -------------------------------------------------------------------------------------------

    def encoded(self, key: str, row: T | _Block) -> bytes:
        """A row of ``stored`` as MessagePack. Any thread may ask."""
        return bytes(self._inflated(key, row)) if type(row) is _Block else _encode(row)

    def stored(self, *, changed: bool) -> dict[str, T | _Block]:
        """The rows as they are kept, to be ``encoded`` by a worker thread: all, or those that have ``changed``.

        Both in the order of the table: a file that takes them in turn keeps it.
        """
        if not changed:
            return dict(self._rows)
        wanted = self._packed_unstored.keys() | {key for key, is_changed in self._awake.items() if is_changed}
        found: dict[str, T | _Block] = {}
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
