"""What a person sees before the click, under an id that the click names.

What they approve is *that*: if the verdict got worse since, the quantity or the risk rose, or the price moved beyond
tolerance, the click is refused with what changed.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec

from engine.errors import CommandRefused
from engine.model.money import plain, tick_of, usd
from engine.model.signal import Reason
from engine.model.words import OrderType, Side, Verdict
from engine.pipeline.correlation import book_beta, share_of_equity
from engine.pipeline.decide import Decision
from engine.prop.board import rule_view
from engine.rules.facts import denied
from engine.views import HeadroomView, PreviewView, RequestView, RiskView
from engine.views_gate import BetaView, ClusterView

PREVIEWS_KEPT: Final = 4096
PRICE_TOLERANCE_R: Final = Decimal("0.25")
"""How far, in units of the trade's risk, the price may move between the numbers shown and the click."""
TOO_OLD: Final = "That preview is too old: look at the current one."
HUNDREDTH: Final = Decimal("0.01")
DECIDED: Final = ("EXPIRED", "ENTRY_IN_FLIGHT")
NAMED: Final = frozenset({*DECIDED, "PRICE_DRIFT", "STALE_QUOTE"})
"""Denies that the API gives as its own code, the others being DENIED."""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What a preview showed, as far as a click is held to it. A few words: thousands of them are kept."""

    signal_id: str
    warned: tuple[str, ...]
    """Codes of all verdicts that did not pass, each once, in the order of the alphabet."""
    denied: tuple[str, ...]
    qty: Decimal
    basis: Decimal | None
    risk_per_share: Decimal | None

    @property
    def risk(self) -> Decimal | None:
        return None if self.risk_per_share is None else self.risk_per_share * self.qty


@lru_cache(maxsize=1024)
def _shared(codes: tuple[str, ...]) -> tuple[str, ...]:
    """The same object for the same codes, whose thousands of previews share. A set would take seven times the room."""
    return codes


def _codes(reasons: Iterable[Reason]) -> tuple[str, ...]:
    return _shared(tuple(sorted({reason.code for reason in reasons})))


def promise_of(decision: Decision) -> Promise:
    plan = decision.case.plan
    return Promise(
        signal_id=decision.case.signal.id,
        warned=_codes(reason for reason in decision.reasons if reason.verdict is not Verdict.PASS),
        denied=_codes(decision.denies),
        qty=plan.qty,
        basis=plan.basis,
        risk_per_share=plan.risk_per_share,
    )


class Previews:
    """The newest previews by id. Old ones are forgotten; approving one of those asks for a new look."""

    def __init__(self, *, reason_over_warnings: bool = False) -> None:
        """``reason_over_warnings``: a person says why, where a rule warns."""
        self._reason_over_warnings = reason_over_warnings
        self._shown: OrderedDict[str, Promise] = OrderedDict()
        self._numbers = itertools.count(1)

    def show(self, decision: Decision, requests: tuple[RequestView, ...], now: datetime) -> PreviewView:
        preview_id = f"p{next(self._numbers):08d}"
        self.keep(preview_id, promise_of(decision))
        view = preview_view(preview_id, decision, requests, now)
        return msgspec.structs.replace(view, wants_reason=True) if self.wants_reason(decision) else view

    def wants_reason(self, decision: Decision) -> bool:
        """Whether a yes to this is for a person to explain. What closes a position never waits for words."""
        return (
            self._reason_over_warnings and decision.approvable and not decision.closes and bool(warnings_of(decision))
        )

    def keep(self, preview_id: str, shown: Promise) -> None:
        self._shown[preview_id] = shown
        if len(self._shown) > PREVIEWS_KEPT:
            self._shown.popitem(last=False)

    def find(self, preview_id: str) -> Promise:
        """
        Raises:
            CommandRefused: CHANGED_SINCE_SHOWN, when it is too old to be known.
        """
        shown = self._shown.get(preview_id)
        if shown is None:
            raise CommandRefused("CHANGED_SINCE_SHOWN", TOO_OLD)
        return shown

    def recall(self, preview_id: str, signal_id: str) -> Promise:
        """
        Raises:
            CommandRefused: CHANGED_SINCE_SHOWN, when it is too old to be known or belongs to another signal.
        """
        shown = self.find(preview_id)
        if shown.signal_id != signal_id:
            raise CommandRefused("CHANGED_SINCE_SHOWN", TOO_OLD)
        return shown


def refuse_if_decided(decision: Decision) -> None:
    """Denies that make any comparison with what was shown pointless.

    Raises:
        CommandRefused: EXPIRED or ENTRY_IN_FLIGHT, with all reasons.
    """
    for reason in decision.denies:
        if reason.code in DECIDED:
            raise CommandRefused(reason.code, reason.text, reasons=decision.reasons)


def refuse_if_denied(decision: Decision) -> None:
    """
    Raises:
        CommandRefused: the code that the preview gave as ``blocked_code``, with all reasons, denies first.
    """
    blocked = blocked_by(decision)
    if blocked is not None:
        raise CommandRefused(blocked[0], blocked[1], reasons=decision.reasons)


def blocked_by(decision: Decision) -> tuple[str, str] | None:
    """Why it cannot be approved now, as code and sentence: the same on the button and from the API.

    The few denies that pass by themselves, or that only a fresh signal heals, name themselves when they are what
    stands first; everything else is DENIED with its reasons.
    """
    if not decision.denies:
        return None
    decided = next((reason for reason in decision.denies if reason.code in DECIDED), None)
    first = decided or decision.denies[0]
    return (first.code if first.code in NAMED else "DENIED"), first.text


def warnings_of(decision: Decision) -> tuple[Reason, ...]:
    return tuple(reason for reason in decision.reasons if reason.verdict is Verdict.WARN)


def refuse_without_reason(decision: Decision) -> None:
    """
    Raises:
        CommandRefused: REASON_REQUIRED; its reasons begin with the warnings.
    """
    warnings = warnings_of(decision)
    text = f"Say why, since a rule warns: {' '.join(reason.text for reason in warnings)}"
    others = tuple(reason for reason in decision.reasons if reason not in warnings)
    raise CommandRefused("REASON_REQUIRED", text, reasons=(*warnings, *others), field="reason")


def refuse_if_changed(shown: Promise, now: Decision) -> None:
    """Law 8: what you see is what you send.

    Raises:
        CommandRefused: CHANGED_SINCE_SHOWN; its reasons begin with what changed, each with the new value and the old.
    """
    changes = [*_worse_verdicts(shown, now), *_moved_numbers(shown, now)]
    if changes:
        others = tuple(reason for reason in now.reasons if reason not in changes)
        text = " ".join(reason.text for reason in changes)
        raise CommandRefused("CHANGED_SINCE_SHOWN", text, reasons=(*changes, *others))


def _worse_verdicts(shown: Promise, now: Decision) -> Iterator[Reason]:
    for reason in now.reasons:
        known = shown.denied if reason.verdict is Verdict.DENY else shown.warned
        if reason.verdict is not Verdict.PASS and reason.code not in known:
            yield reason


def _moved_numbers(old: Promise, now: Decision) -> Iterator[Reason]:
    new = now.case.plan
    if new.qty > old.qty:
        text = f"The quantity rose from {plain(old.qty)} to {plain(new.qty)}."
        yield denied("QUANTITY_ROSE", text, plain(new.qty), plain(old.qty))
    if old.basis is not None and new.basis is not None and old.risk_per_share:
        moved = abs(new.basis - old.basis)
        if moved > max(PRICE_TOLERANCE_R * old.risk_per_share, 2 * tick_of(old.basis)):
            text = f"The price moved from {plain(old.basis)} to {plain(new.basis)}."
            yield denied("PRICE_MOVED", text, plain(new.basis), plain(old.basis))
    risk_before, risk_now = old.risk, _risk(now)
    if risk_before is not None and risk_now is not None and risk_now > risk_before * (1 + PRICE_TOLERANCE_R):
        text = f"The risk rose from {usd(risk_before)} to {usd(risk_now)}."
        yield denied("RISK_ROSE", text, usd(risk_now), usd(risk_before))


def _risk(decision: Decision) -> Decimal | None:
    per_share = decision.case.plan.risk_per_share
    return None if per_share is None else per_share * decision.case.plan.qty


def sentence(decision: Decision) -> str:
    """The whole order as a person would say it."""
    signal, plan = decision.case.signal, decision.case.plan
    if decision.closes:
        return f"Close {plain(abs(decision.case.facts.position_qty))} {signal.symbol}"
    first = f"Close {plain(abs(decision.case.facts.position_qty))} {signal.symbol}, then " if decision.reverses else ""
    verb = "Buy" if signal.side is Side.BUY else "Short"
    how = f"limit {plain(plan.limit_price)}" if plan.limit_price is not None else "market"
    if plan.trigger_price is not None:
        how = f"{how}, held at the desk until {plain(plan.trigger_price)}"
    when = "extended hours, stop watched by the desk" if plan.extended else signal.entry.time_in_force.value
    words = [f"{first}{verb} {plain(plan.qty)} {signal.symbol} {how} {when}"]
    words.append(f"stop {plain(plan.levels.stop_price)}" if plan.levels.stop_price is not None else "no stop")
    if plan.trail is not None:
        words[-1] += f", trailing {plan.trail.sentence}"
    if plan.targets:
        words.append("targets " + ", ".join(f"{plain(part.qty)} at {plain(part.price)}" for part in plan.targets))
    elif plan.levels.take_profit_price is not None:
        words.append(f"target {plain(plan.levels.take_profit_price)}")
    if plan.follow is not None:
        words.append("exits follow the fill")
    return " · ".join(words)


def preview_view(preview_id: str, decision: Decision, requests: tuple[RequestView, ...], now: datetime) -> PreviewView:
    signal, plan, facts = decision.case.signal, decision.case.plan, decision.case.facts
    price = facts.quote.touch(signal.side.sign) if facts.quote is not None else None
    drift = None
    if price is not None and signal.reference_price is not None:
        drift = (price - signal.reference_price) * signal.side.sign
    per_share = plan.risk_per_share
    blocked = blocked_by(decision)
    return PreviewView(
        preview_id=preview_id,
        sentence=sentence(decision),
        requests=requests,
        verdicts=decision.reasons,
        risk=_risk_view(decision),
        headroom=_headroom(decision),
        qty=plan.qty,
        entry_type=OrderType.LIMIT if plan.limit_price is not None else signal.entry.type,
        limit_price=plan.limit_price,
        stop_price=plan.levels.stop_price,
        take_profit_price=plan.levels.take_profit_price,
        price=price,
        price_age_s=round(facts.quote.age_s, 3) if facts.quote is not None else None,
        drift_ticks=int(drift / tick_of(price)) if drift is not None and price is not None else None,
        drift_r=(drift / per_share).quantize(HUNDREDTH) if drift is not None and per_share else None,
        size_reason=plan.size_reason,
        approvable=decision.approvable,
        blocked_by=blocked[1] if blocked is not None else None,
        blocked_code=blocked[0] if blocked is not None else None,
        made_at=now,
        expires_at=signal.expires_at,
        targets=plan.targets,
        notional=plan.notional,
        cluster=_cluster_view(decision),
        beta=_beta_view(decision),
        prop_firm=tuple(rule_view(meter) for meter in decision.prop),
    )


def _risk_view(decision: Decision) -> RiskView | None:
    signal, plan, facts = decision.case.signal, decision.case.plan, decision.case.facts
    per_share, risk = plan.risk_per_share, _risk(decision)
    if per_share is None or risk is None:
        return None
    equity = facts.account.equity if facts.account is not None else None
    return RiskView(
        usd=risk.quantize(HUNDREDTH),
        pct_of_equity=(risk / equity * 100).quantize(HUNDREDTH) if equity else Decimal(0),
        per_share=per_share,
        reward_risk=_ratio(plan.levels.take_profit_price, plan.basis, plan.levels.stop_price),
        reward_risk_sent=_ratio(plan.levels.take_profit_price, signal.reference_price, plan.levels.stop_price),
    )


def _ratio(target: Decimal | None, entry: Decimal | None, stop: Decimal | None) -> Decimal | None:
    if target is None or entry is None or stop is None or entry == stop:
        return None
    return ((target - entry) / (entry - stop)).quantize(HUNDREDTH)


def _cluster_view(decision: Decision) -> ClusterView | None:
    case, cluster = decision.case, decision.cluster
    if cluster is None:
        return None
    rules = case.facts.config.correlation
    with_pending = cluster.notional + cluster.pending_notional
    return ClusterView(
        symbols=tuple(sorted(cluster.symbols)),
        count_before=len(cluster.symbols),
        count_after=len(cluster.symbols) + 1,
        count_if_pending=cluster.count_with_pending + 1,
        max_count=rules.max_cluster_count,
        pct_before=_hundredths(share_of_equity(case, cluster.notional, with_signal=False)),
        pct_after=_hundredths(share_of_equity(case, cluster.notional)),
        pct_if_pending=_hundredths(share_of_equity(case, with_pending)),
        max_pct=Decimal(str(rules.max_cluster_pct)),
        unknown=cluster.blind,
    )


def _beta_view(decision: Decision) -> BetaView | None:
    found = None if decision.closes else book_beta(decision.case)
    return None if found is None else BetaView(before=found.before, after=found.after, unknown=found.unknown)


def _hundredths(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(HUNDREDTH)


def _headroom(decision: Decision) -> HeadroomView | None:
    facts, plan = decision.case.facts, decision.case.plan
    if facts.account is None or plan.notional is None:
        return None
    free = facts.account.buying_power - facts.reserved
    before = facts.exposures.symbols
    gross = facts.exposures.gross + plan.notional
    equity = facts.account.equity
    return HeadroomView(
        buying_power_before=free,
        buying_power_after=(free - plan.notional).quantize(HUNDREDTH),
        open_positions_before=len(before),
        open_positions_after=len(before | {decision.case.signal.symbol}),
        gross_exposure_pct_after=(gross / equity * 100).quantize(HUNDREDTH) if equity else None,
    )
