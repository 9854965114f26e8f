"""The desk's own signal form, as the operator API documents it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from engine.intake.draft import SignalDraft
from engine.intake.envelope import DEFAULT_TTL_S, Envelope
from engine.intake.exits import check_exits
from engine.intake.fields import Fields
from engine.intake.jsontext import object_from, refusal
from engine.intake.targets import check_targets, size_of_targets, target_list
from engine.model.signal import EntrySpec, ExitSpec, SizeSpec, SizeUnit
from engine.model.words import Intent, OrderType, Side, TimeInForce

NAME: Final = "native"
LONGEST_NOTE: Final = 2_000
ENTRY_TYPES: Final = (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)
_WITH_LIMIT: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_WITH_STOP: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_SIZE_UNITS: Final[tuple[SizeUnit, ...]] = ("notional", "risk_pct", "risk_usd")
TRAILS: Final[dict[str, Literal["percent", "amount"]]] = {"trail_percent": "percent", "trail_amount": "amount"}
_BELONGS_INTO_ENTRY: Final = ("type", "limit_price", "stop_price", "time_in_force")


def parse_signal(
    raw: bytes, *, source: str | None, received_at: datetime, default_ttl_s: float = DEFAULT_TTL_S
) -> SignalDraft:
    """The signal in a body of the native form.

    ``source`` is that of the sender's token, None for a token that may speak for any.

    Raises:
        CommandRefused: 400 for a body that is not JSON, 403 for a foreign source, else 422, with code and field.
    """
    envelope = Envelope(raw=raw, source=source, received_at=received_at, default_ttl_s=default_ttl_s)
    return map_fields(Fields(object_from(raw)), envelope)


def map_fields(fields: Fields, envelope: Envelope) -> SignalDraft:
    """As ``parse_signal``, for a body that is already an object."""
    symbol = fields.symbol("symbol")
    side = fields.word("side", Side, "UNKNOWN_SIDE")
    if side is None:
        raise fields.missing("side")
    intent = fields.word("intent", Intent, "UNKNOWN_INTENT")
    entry = _entry(fields)
    stop = _stop_loss(fields)
    size = _size(fields)
    targets = target_list(fields, "take_profit", size, _target)
    target = targets[0].exit if targets else _take_profit(fields)
    reference = fields.amount("reference_price")
    if intent is not Intent.CLOSE:
        check_exits(side, entry, stop, target, reference)
        check_targets(side, entry, stop, targets, reference)
    source = envelope.source_of(fields.label("source"))
    return SignalDraft(
        source=source,
        source_id=envelope.source_id_of(fields.label("id")),
        strategy=fields.label("strategy") or source,
        symbol=symbol,
        side=side,
        intent=intent,
        size=size_of_targets(size, targets),
        entry=entry,
        stop_loss=stop,
        take_profit=target,
        targets=targets,
        reference_price=reference,
        made_at=fields.time("made_at") or envelope.received_at,
        received_at=envelope.received_at,
        expires_at=envelope.expires_at(fields),
        confidence=_confidence(fields),
        note=fields.text("note", longest=LONGEST_NOTE) or "",
    )


def entry_spec(fields: Fields, time_in_force: TimeInForce) -> EntrySpec:
    """The entry whose ``type``, ``limit_price`` and ``stop_price`` stand in ``fields``; the prices imply the type."""
    limit = fields.price("limit_price")
    stop = fields.price("stop_price")
    kind = fields.word("type", OrderType, "UNKNOWN_ORDER_TYPE", ENTRY_TYPES)
    if kind is None:
        kind = {
            (False, False): OrderType.MARKET,
            (True, False): OrderType.LIMIT,
            (False, True): OrderType.STOP,
            (True, True): OrderType.STOP_LIMIT,
        }[limit is not None, stop is not None]
    if kind in _WITH_LIMIT and limit is None:
        field = fields.where("limit_price")
        raise refusal("LIMIT_PRICE_REQUIRED", f"a {kind} entry needs {field}", field)
    if kind in _WITH_STOP and stop is None:
        field = fields.where("stop_price")
        raise refusal("STOP_PRICE_REQUIRED", f"a {kind} entry needs {field}", field)
    if limit is not None and kind not in _WITH_LIMIT:
        field = fields.where("limit_price")
        raise refusal("CONFLICTING_FIELDS", f"a {kind} entry takes no {field}", field)
    if stop is not None and kind not in _WITH_STOP:
        field = fields.where("stop_price")
        raise refusal("CONFLICTING_FIELDS", f"a {kind} entry takes no {field}", field)
    return EntrySpec(type=kind, limit_price=limit, stop_price=stop, time_in_force=time_in_force)


def _entry(fields: Fields) -> EntrySpec:
    for name in _BELONGS_INTO_ENTRY:
        # Ignoring these as unknown would turn a limit order into a market order.
        if name in fields:
            raise refusal("MISPLACED_FIELD", f"{name} belongs into entry: entry.{name}", name)
    group = fields.group("entry")
    if group is None:
        return EntrySpec()
    time_in_force = group.word("time_in_force", TimeInForce, "UNKNOWN_TIME_IN_FORCE") or TimeInForce.DAY
    return entry_spec(group, time_in_force)


def _size(fields: Fields) -> SizeSpec | None:
    if not fields.is_group("qty"):
        qty = fields.amount("qty")
        return None if qty is None else SizeSpec(unit="qty", value=qty)
    group = fields.group("qty")
    assert group is not None
    unit = one_of(group, _SIZE_UNITS)
    value = group.amount(unit)
    assert value is not None
    if unit == "risk_pct" and value > 100:
        raise refusal("OUT_OF_RANGE", f"qty.risk_pct must be at most 100, not {value}", "qty.risk_pct")
    return SizeSpec(unit=unit, value=value)


def _stop_loss(fields: Fields) -> ExitSpec | None:
    group = fields.group("stop_loss")
    if group is None:
        return None
    if "r" in group:
        text = "R is the distance of the stop itself; give stop_loss as stop_price, percent or amount"
        raise refusal("CONFLICTING_FIELDS", text, "stop_loss.r")
    name = one_of(group, ("stop_price", "percent", "amount", "trail_percent", "trail_amount"))
    if name in TRAILS:
        return trailing_stop(group, name, TRAILS[name])
    return exit_spec(group, name, limit_price=group.price("limit_price"))


def _take_profit(fields: Fields) -> ExitSpec | None:
    group = fields.group("take_profit")
    return None if group is None else _target(group)


def _target(group: Fields) -> ExitSpec:
    return exit_spec(group, one_of(group, ("limit_price", "percent", "amount", "r")))


def trailing_stop(group: Fields, name: str, unit: Literal["percent", "amount"]) -> ExitSpec:
    """The stop that follows the best price at the distance in the field ``name``."""
    if "limit_price" in group:
        text = f"{group.where('limit_price')}: a trailing stop takes no limit"
        raise refusal("CONFLICTING_FIELDS", text, group.where("limit_price"))
    value = group.amount(name)
    assert value is not None
    if unit == "percent" and value >= 100:
        raise refusal("OUT_OF_RANGE", f"{group.where(name)} must be below 100, not {value}", group.where(name))
    return ExitSpec(unit=unit, value=value, trails=True)


def exit_spec(group: Fields, name: str, limit_price: Decimal | None = None) -> ExitSpec:
    """The exit that the field ``name`` gives, as a price or as a distance."""
    value = group.amount(name)
    assert value is not None
    match name:
        case "percent" | "amount" | "r":
            return ExitSpec(unit=name, value=value, limit_price=limit_price)
        case _:
            price = group.price(name)
            assert price is not None
            return ExitSpec(unit="price", value=price, limit_price=limit_price)


def one_of[N: str](group: Fields, names: tuple[N, ...]) -> N:
    """The one of ``names`` that is there."""
    there = [name for name in names if name in group]
    if not there:
        raise group.missing(names[0], f"; give one of {', '.join(names)}")
    if len(there) > 1:
        field = group.where(there[1])
        raise refusal("CONFLICTING_FIELDS", f"{group.where(there[0])} and {field} exclude each other", field)
    return there[0]


def _confidence(fields: Fields) -> float | None:
    value = fields.number("confidence")
    if value is None:
        return None
    if not 0 <= value <= 1:
        raise refusal("OUT_OF_RANGE", f"confidence must lie between 0 and 1, not {value}", "confidence")
    return float(value)
