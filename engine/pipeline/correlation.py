"""Stage *correlation*: how much of the same bet is already on.

Two trades belong to one cluster when the correlation of their symbols' daily log returns, signed by their sides,
reaches the threshold: long NVDA and long AMD are one bet, long NVDA and short AMD are a hedge.
"""

from __future__ import annotations

from decimal import Decimal

from engine.model.money import ZERO
from engine.model.signal import Reason
from engine.rules.facts import Case, Exposure, denied, passed, shown_pct, warned


def check_correlation(case: Case) -> list[Reason]:
    """Held, working and approved trades count; pending ones do not."""
    rules = case.facts.config.correlation
    if not rules.enabled:
        return []
    others = [exposure for exposure in case.facts.exposures if exposure.symbol != case.signal.symbol]
    blind = sorted({e.symbol for e in others if case.facts.correlations.get(e.symbol) is None})
    reasons = []
    if blind:
        verdict = denied if rules.missing_history == "deny" else warned
        reasons.append(
            verdict("CORRELATION_HISTORY", f"Too little shared history with {', '.join(blind)}.", len(blind), 0)
        )
    cluster = [exposure for exposure in others if _is_same_bet(case, exposure)]
    reasons.append(_judge(case, cluster))
    return reasons


def _is_same_bet(case: Case, other: Exposure) -> bool:
    rho = case.facts.correlations.get(other.symbol)
    if rho is None:
        return False
    return rho * case.signal.side.sign * other.side.sign >= case.facts.config.correlation.threshold


def _judge(case: Case, cluster: list[Exposure]) -> Reason:
    rules = case.facts.config.correlation
    verdict = denied if rules.on_breach == "deny" else warned
    count = len({exposure.symbol for exposure in cluster}) + 1
    names = ", ".join(sorted({exposure.symbol for exposure in cluster}))
    if count > rules.max_cluster_count:
        return verdict("CORRELATION", f"{count} trades of one bet with {names}.", count, rules.max_cluster_count)
    account, notional = case.facts.account, case.plan.notional
    if cluster and account is not None and notional is not None and account.equity > 0:
        total = sum((exposure.notional for exposure in cluster), ZERO) + notional
        exact, limit = total / account.equity * 100, Decimal(str(rules.max_cluster_pct))
        pct = shown_pct(exact, limit, Decimal("0.1"))
        text = f"With {names} {pct} % of equity in one bet, limit {rules.max_cluster_pct:g} %."
        if exact > limit:
            return verdict("CORRELATION", text, f"{pct} %", f"{rules.max_cluster_pct:g} %")
        return passed("CORRELATION", text, f"{pct} %", f"{rules.max_cluster_pct:g} %")
    return passed("CORRELATION", "No other trade is the same bet.", count, rules.max_cluster_count)
