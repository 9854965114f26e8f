"""What a desk shows and does not journal: prices, previews of waiting signals, the state bar. One frame of the tape.

A key frame holds all of it, the frames behind it what has changed since.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from engine.model.order import Evidence
from engine.views import DeskView, PreviewView
from engine.views_limits import MandateView


class Prices(msgspec.Struct, frozen=True, array_like=True):
    """Of one symbol, in quote currency."""

    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    at: datetime
    """When the newest of them arrived."""


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    prices: dict[str, Prices] = {}
    """By symbol."""
    previews: dict[str, PreviewView] = {}
    """By signal."""
    proofs: dict[str, Evidence] = {}
    """Of each open order the newest reading that showed it as the book has it."""
    mandates: tuple[MandateView, ...] | None = None
    desk: DeskView | None = None

    def then(self, later: Frame) -> Frame:
        """This frame with what has changed since."""
        return Frame(
            prices=self.prices | later.prices,
            previews=self.previews | later.previews,
            proofs=self.proofs | later.proofs,
            mandates=self.mandates if later.mandates is None else later.mandates,
            desk=later.desk or self.desk,
        )


NOTHING: Final = Frame()
_LEVEL: Final = 3
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Frame).decode


def packed(frame: Frame) -> bytes:
    return zlib.compress(_encode(frame), _LEVEL)


def unpacked(body: bytes) -> Frame:
    """Raises ``ValueError`` for what another version of the program wrote in a form that this one does not know."""
    try:
        return _decode(zlib.decompress(body))
    except (msgspec.MsgspecError, zlib.error) as error:
        raise ValueError(str(error)) from error
