"""What approving a signal now would do. The preview shows this and the executor sends it: one function for both."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from engine.model.commands import NO_EDITS, Edits
from engine.model.money import ceil_to_tick, floor_to_tick, is_on_tick, plain, round_to_tick, tick_of
from engine.model.signal import ExitSpec, Levels, Reason, Signal, resolve_exits
from engine.model.symbols import is_coin
from engine.model.words import OrderType, Side, Verdict
from engine.pipeline.correlation import Cluster, check_correlation, cluster_of
from engine.pipeline.follow import follow_of, trail_of
from engine.pipeline.held import trigger_of
from engine.pipeline.position import check_close, check_position, is_close, is_reversal, without_the_closed
from engine.pipeline.sizing import size_entry
from engine.pipeline.targets import check_targets, plan_targets
from engine.pipeline.validate import denies_first, validate
from engine.prop.meters import Meter
from engine.rules.facts import Case, Facts, Plan, denied
from engine.rules.prop_firm import check_prop_firm, prop_meters
from engine.rules.user import check_user_rules


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A signal, what would be sent for it, and every verdict about that."""

    case: Case
    reasons: tuple[Reason, ...]
    """Denies first."""
    closes: bool
    """The signal leaves a position instead of entering one."""
    cluster: Cluster | None = None
    """The same bet; None of a closing signal, and when correlation is switched off."""
    prop: tuple[Meter, ...] = ()
    """The prop firm's rules before and after; empty when the mode is off or cannot be kept."""
    reverses: bool = False
    """The position held the other way is closed first; the entry follows when the broker shows nothing left."""

    @property
    def denies(self) -> tuple[Reason, ...]:
        return tuple(reason for reason in self.reasons if reason.verdict is Verdict.DENY)

    @property
    def approvable(self) -> bool:
        return not self.denies


def decide(signal: Signal, facts: Facts, edits: Edits = NO_EDITS) -> Decision:
    """All stages before the wire: plan, rules, position, correlation, size. Plain and well under a millisecond."""
    wanted = _edited(signal, edits)
    turns = is_reversal(wanted, facts)
    if turns:
        facts = without_the_closed(wanted, facts)
    basis = _basis(wanted, facts)
    levels = resolve_exits(_with_default_stop(wanted, facts), basis) if basis is not None else _own_levels(wanted)
    qty, why = size_entry(wanted, facts, basis, levels, edits.qty)
    plan = Plan(
        qty=qty,
        size_reason=why,
        basis=basis,
        levels=levels,
        limit_price=_limit_on_tick(wanted),
        targets=plan_targets(wanted, edits, qty, basis, levels),
        trigger_price=trigger_of(wanted),
        extended=not is_coin(wanted.symbol)
        and facts.session_open is False
        and facts.extended_open
        and facts.config.session.entries == "extended"
        and trigger_of(wanted) is None,
        # A coin's exits come after its fill anyway.
        follow=follow_of(_with_default_stop(signal, facts), edits)
        if _limit_on_tick(wanted) is None and not is_coin(wanted.symbol)
        else None,
        trail=trail_of(signal, edits, basis),
    )
    case = Case(signal=wanted, facts=facts, plan=plan)
    prop = prop_meters(case)
    if is_close(case):
        return Decision(case=case, reasons=denies_first(check_close(case)), closes=True, prop=prop)
    cluster = cluster_of(case)
    reasons = [
        *validate(case),
        *check_targets(case),
        *check_position(case),
        *check_correlation(case, cluster),
        *check_prop_firm(case, prop),
        *check_user_rules(case),
        *_edits_on_tick(edits),
    ]
    return Decision(case=case, reasons=denies_first(reasons), closes=False, reverses=turns, cluster=cluster, prop=prop)


def _edited(signal: Signal, edits: Edits) -> Signal:
    changes: dict[str, object] = {}
    is_typed = "limit_price" in edits.changed() or signal.entry.type is not OrderType.STOP_LIMIT
    if edits.limit_price is not None and is_typed:
        changes["entry"] = msgspec.structs.replace(
            signal.entry, type=OrderType.LIMIT, limit_price=edits.limit_price, stop_price=None
        )
    if edits.stop_price is not None:
        changes["stop_loss"] = _moved_stop(signal.stop_loss, edits.stop_price)
    if edits.take_profit_price is not None:
        changes["take_profit"] = ExitSpec(unit="price", value=edits.take_profit_price)
    return msgspec.structs.replace(signal, **changes) if changes else signal


def _moved_stop(stop: ExitSpec | None, price: Decimal) -> ExitSpec:
    """A stop-limit keeps the distance between its two prices."""
    limit = stop.limit_price if stop is not None else None
    if stop is not None and limit is not None and stop.unit == "price":
        moved = price - stop.value
        # Less than a tick is the rounding of the stop itself: the limit was shown as it is.
        limit = limit if abs(moved) < tick_of(price) else limit + moved
    return ExitSpec(unit="price", value=price, limit_price=limit)


def _with_default_stop(signal: Signal, facts: Facts) -> Signal:
    default_pct = facts.config.protection.default_stop_pct
    if signal.stop_loss is not None or default_pct is None:
        return signal
    stop = ExitSpec(unit="percent", value=Decimal(str(default_pct)))
    return msgspec.structs.replace(signal, stop_loss=stop)


def _basis(signal: Signal, facts: Facts) -> Decimal | None:
    """The price the entry is expected at: its limit, its trigger, or what a marketable order meets now."""
    if signal.entry.limit_price is not None:
        return _limit_on_tick(signal)
    if signal.entry.stop_price is not None:
        return trigger_of(signal)
    touch = facts.quote.touch(signal.side.sign) if facts.quote is not None else None
    return None if touch is None else round_to_tick(touch)


def _limit_on_tick(signal: Signal) -> Decimal | None:
    """Rounded so that it never pays more than was asked."""
    limit = signal.entry.limit_price
    if limit is None:
        return None
    return floor_to_tick(limit) if signal.side is Side.BUY else ceil_to_tick(limit)


def _own_levels(signal: Signal) -> Levels:
    """Without any price to start from, only exits given as prices are known."""

    def at(spec: ExitSpec | None) -> Decimal | None:
        return spec.value if spec is not None and spec.unit == "price" else None

    return Levels(stop_price=at(signal.stop_loss), stop_limit_price=None, take_profit_price=at(signal.take_profit))


def _edits_on_tick(edits: Edits) -> list[Reason]:
    """A person's own price is never rounded behind their back."""
    return [
        denied("SUB_PENNY", f"{name.replace('_', ' ')} {plain(price)} is not on the tick grid.", plain(price))
        for name in ("limit_price", "stop_price", "take_profit_price")
        if (price := getattr(edits, name)) is not None and not is_on_tick(price)
    ]
