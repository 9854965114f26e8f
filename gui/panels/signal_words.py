"""A signal in words: its sentence before there is a preview, its numbers, and how it ended."""

from __future__ import annotations

from decimal import Decimal

from engine.model.signal import Reason
from engine.model.words import OrderType, Side, SignalStatus, Verdict
from engine.views import PreviewView, SignalView
from gui import formatting as say
from gui.widgets.price_ruler import Marks


def sentence(signal: SignalView, preview: PreviewView | None) -> str:
    """The whole order; from the strategy's own words while the desk has not priced it yet."""
    if preview is not None:
        return preview.sentence
    entry = signal.entry
    words = ["Buy" if signal.side is Side.BUY else "Sell", say.qty(signal.qty) if signal.qty else "to size"]
    words += [signal.symbol, entry.type.value.replace("_", " ")]
    if entry.limit_price is not None:
        words.append(say.price(entry.limit_price))
    words.append(entry.time_in_force.value)
    text = " ".join(words)
    if signal.stop_loss is not None and signal.stop_loss.stop_price is not None:
        text += f" · stop {say.price(signal.stop_loss.stop_price)}"
    if signal.take_profit is not None and signal.take_profit.limit_price is not None:
        text += f" · target {say.price(signal.take_profit.limit_price)}"
    return text


def marks(signal: SignalView, preview: PreviewView | None, max_age_s: float = 15.0) -> Marks:
    if preview is None:
        stop = signal.stop_loss.stop_price if signal.stop_loss is not None else None
        target = signal.take_profit.limit_price if signal.take_profit is not None else None
        return Marks(stop, signal.entry.limit_price or signal.reference_price, target, None)
    return marks_of(preview, proposed_at=signal.reference_price, max_age_s=max_age_s)


def marks_of(preview: PreviewView, *, proposed_at: Decimal | None = None, max_age_s: float = 15.0) -> Marks:
    """``proposed_at`` is the price that a strategy looked at; None for an order that is being typed."""
    entry = preview.limit_price
    if entry is None and preview.entry_type is OrderType.MARKET:
        entry = proposed_at or preview.price
    stale = preview.price_age_s is None or preview.price_age_s > max_age_s
    return Marks(preview.stop_price, entry, preview.take_profit_price, preview.price, stale=stale)


def split_verdicts(reasons: tuple[Reason, ...]) -> tuple[list[Reason], list[Reason], list[Reason]]:
    """Denies, warnings, passes."""
    return (
        [r for r in reasons if r.verdict is Verdict.DENY],
        [r for r in reasons if r.verdict is Verdict.WARN],
        [r for r in reasons if r.verdict is Verdict.PASS],
    )


def same_bet(preview: PreviewView) -> str:
    """Correlation before and after a yes, with what could not be measured; empty when it is switched off."""
    parts = []
    cluster, beta = preview.cluster, preview.beta
    if cluster is not None:
        trades = f"{cluster.count_before} → {cluster.count_after} of {say.plural(cluster.max_count, 'trade')}"
        parts.append(f"Same bet: {trades}")
        if cluster.pct_before is not None and cluster.pct_after is not None:
            before, after = say.percent(cluster.pct_before, 0), say.percent(cluster.pct_after, 0)
            parts.append(f"{before} → {after} of equity, limit {say.percent(cluster.max_pct, 0)}")
        if cluster.symbols:
            parts.append(f"with {', '.join(cluster.symbols)}")
    if beta is not None:
        parts.append(f"book beta {say.signed(beta.before)} → {say.signed(beta.after)}")
    unknown = sorted({*(cluster.unknown if cluster else ()), *(beta.unknown if beta else ())})
    if unknown:
        parts.append(f"not measured: {', '.join(unknown)}")
    return say.sentence(" · ".join(parts))


def verdict_text(reason: Reason) -> str:
    measured = f" ({reason.measured}, limit {reason.limit})" if reason.measured and reason.limit else ""
    return reason.text if not measured or (reason.measured or "") in reason.text else reason.text + measured


def ratio(value: Decimal | None) -> str:
    return say.NONE if value is None else f"{value:.1f}"


def foot(preview: PreviewView | None) -> str:
    """A compact card's last line."""
    if preview is None:
        return "Being priced…"
    denies, warnings, passes = split_verdicts(preview.verdicts)
    if preview.blocked_by is not None:
        return f"Not approvable: {preview.blocked_by}"
    parts = []
    if preview.risk is not None:
        parts += [f"Risk {say.money(preview.risk.usd)}", say.percent(preview.risk.pct_of_equity)]
        if preview.risk.reward_risk is not None:
            parts.append(f"R:R {ratio(preview.risk.reward_risk)}")
    if denies or warnings:
        parts.append(say.plural(len(denies) + len(warnings), "warning"))
    parts.append(f"{say.plural(len(passes), 'rule')} pass" + ("es" if len(passes) == 1 else ""))
    return " · ".join(parts)


def changed_words(old: PreviewView | None, new: PreviewView) -> str:
    """What is different in the new numbers, most important first."""
    if old is None:
        return ""
    found = []
    if old.qty != new.qty:
        found.append(f"quantity {say.qty(old.qty)} → {say.qty(new.qty)}")
    if old.risk is not None and new.risk is not None and old.risk.usd != new.risk.usd:
        found.append(f"risk {say.money(old.risk.usd)} → {say.money(new.risk.usd)}")
    if old.price != new.price:
        found.append(f"price {say.price(old.price)} → {say.price(new.price)}")
    if old.approvable and not new.approvable:
        found.append(new.blocked_by or "now denied")
    return ", ".join(found)


OUTCOMES = {
    SignalStatus.APPROVED: "Approved",
    SignalStatus.WORKING: "Approved, working",
    SignalStatus.FILLED: "Approved, filled",
    SignalStatus.CLOSED: "Closed",
    SignalStatus.DENIED: "Denied",
    SignalStatus.REJECTED: "Rejected",
    SignalStatus.EXPIRED: "Expired",
    SignalStatus.FAILED: "Failed",
    SignalStatus.PENDING: "Pending",
}


def outcome_reason(signal: SignalView) -> str:
    """Why it ended as it did: the person's word, else the first rule that spoke against it."""
    if signal.trigger_price is not None:
        return f"the desk holds it until {say.price(signal.trigger_price)} is seen, for as long as it runs"
    if signal.decision_note:
        return signal.decision_note
    if signal.approve_reason:
        return f"although a rule warned · {signal.approve_reason}"
    against = next((r for r in signal.reasons if r.verdict is Verdict.DENY), None)
    if against is not None and signal.status in (SignalStatus.DENIED, SignalStatus.EXPIRED, SignalStatus.FAILED):
        return f"{against.code} · {against.text}"
    if signal.status is SignalStatus.EXPIRED:
        return "No decision in time"
    return f"by {signal.decided_by}" if signal.decided_by else ""
