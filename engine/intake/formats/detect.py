"""Which format a body is in, told by its shape and never by its headers (senders get those wrong)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from engine.errors import CommandRefused
from engine.intake.draft import SignalDraft
from engine.intake.envelope import DEFAULT_TTL_S, Envelope
from engine.intake.fields import Fields
from engine.intake.formats import alpaca, native, traderspost
from engine.intake.jsontext import object_from, refusal

Mapper = Callable[[Fields, Envelope], SignalDraft]

FORMATS: Final[Mapping[str, Mapper]] = MappingProxyType(
    {
        native.NAME: native.map_fields,
        alpaca.NAME: alpaca.map_fields,
        traderspost.NAME: traderspost.map_fields,
    }
)
_KNOWN_FIELDS: Final = MappingProxyType(
    {
        native.NAME: frozenset(
            {"source", "id", "strategy", "symbol", "side", "intent", "qty", "entry", "stop_loss", "take_profit"}
            | {"reference_price", "made_at", "expires_in_s", "confidence", "note"}
        ),
        alpaca.NAME: frozenset(
            {"symbol", "side", "qty", "notional", "type", "limit_price", "stop_price", "time_in_force", "order_class"}
            | {"stop_loss", "take_profit", "client_order_id", "position_intent", "extended_hours"}
        ),
        traderspost.NAME: frozenset(
            {
                "ticker",
                "action",
                "sentiment",
                "orderType",
                "limitPrice",
                "stopPrice",
                "price",
                "signalPrice",
                "quantity",
            }
            | {"quantityType", "takeProfit", "stopLoss", "timeInForce", "time", "interval", "extras"}
        ),
    }
)
_OTHERS: Final = frozenset({"apikey", "pricetype", "multiple_accounts", "trade_id", "positionDirection", "signalToken"})
"""Marks of formats that look like a known one and mean something else by the same words."""
_ONLY_ALPACA: Final = frozenset({"order_class", "time_in_force", "position_intent", "client_order_id", "type"})
_ONLY_NATIVE: Final = frozenset({"entry", "intent", "reference_price", "made_at", "confidence"})


def parse(
    raw: bytes,
    *,
    source: str | None,
    received_at: datetime,
    format: str | None = None,  # noqa: A002 - the query parameter's own name
    default_ttl_s: float = DEFAULT_TTL_S,
) -> SignalDraft:
    """The signal in a body of any known format.

    ``format`` pins one instead of looking at the shape; ``source`` is that of the sender's token, None for a free one.

    Raises:
        CommandRefused: 400 ``MALFORMED_JSON``, 403 ``SOURCE_MISMATCH``, 422 ``UNKNOWN_FORMAT`` (names the nearest
            format and its first failing field) or whatever the mapper of the format refuses.
    """
    envelope = Envelope(raw=raw, source=source, received_at=received_at, default_ttl_s=default_ttl_s)
    if format is not None and format not in FORMATS:
        raise refusal("UNKNOWN_FORMAT", f"there is no format {format[:40]!r}, only {', '.join(FORMATS)}", "format")
    fields = Fields(object_from(raw))
    name = format or _shape_of(fields)
    if name is None:
        raise _unknown(fields, envelope)
    return FORMATS[name](fields, envelope)


def _shape_of(fields: Fields) -> str | None:
    names = fields.names()
    if names & _OTHERS:
        return None
    if "action" in names and "side" not in names and names & {"ticker", "symbol"}:
        return traderspost.NAME
    if "action" in names or not names & {"symbol", "side"}:
        return None
    if names & _ONLY_ALPACA and not names & _ONLY_NATIVE:
        return alpaca.NAME
    return native.NAME


def _unknown(fields: Fields, envelope: Envelope) -> CommandRefused:
    """Says what the body comes nearest to, so that the sender knows where to begin."""
    names = fields.names()
    nearest = max(FORMATS, key=lambda name: len(names & _KNOWN_FIELDS[name]))
    try:
        FORMATS[nearest](fields, envelope)
    except CommandRefused as first:
        return refusal(
            "UNKNOWN_FORMAT", f"no known format; nearest is {nearest}, but {first.operator_text}", first.field
        )
    return refusal(
        "UNKNOWN_FORMAT", f"no known format; nearest is {nearest}: ?format={nearest} insists on it", "format"
    )
