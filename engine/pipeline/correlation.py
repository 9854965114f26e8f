"""Stage *correlation*: how much of the same bet is already on.

Two trades belong to one cluster when the correlation of their symbols' daily log returns, signed by their sides,
reaches the threshold: long NVDA and long AMD are one bet, long NVDA and short AMD are a hedge. Held, working and
approved trades count for the verdict. What only waits for a decision is shown, and warns at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from engine.model.money import ZERO
from engine.model.signal import Reason
from engine.rules.exposures import Bet
from engine.rules.facts import Case, denied, passed, shown_pct, warned

TENTH: Final = Decimal("0.1")
HUNDREDTH: Final = Decimal("0.01")


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Trades that are the same bet as the signal; amounts in account currency, without the signal itself."""

    on: tuple[Bet, ...]
    pending: tuple[Bet, ...]
    blind: tuple[str, ...]
    """Symbols that are on and whose correlation nobody knows."""

    @property
    def names(self) -> str:
        return ", ".join(sorted({bet.symbol for bet in self.on}))

    @property
    def notional(self) -> Decimal:
        return sum((bet.notional for bet in self.on), ZERO)

    @property
    def notional_pending(self) -> Decimal:
        return sum((bet.notional for bet in self.pending), ZERO)

    @property
    def count(self) -> int:
        return len({bet.symbol for bet in self.on})

    @property
    def count_with_pending(self) -> int:
        return len({bet.symbol for bet in (*self.on, *self.pending)})


class BookBeta(msgspec.Struct, frozen=True, kw_only=True):
    """What the book would move by, in percent of equity, when the market moves by one percent."""

    before: Decimal
    after: Decimal
    unknown: tuple[str, ...]
    """Symbols that are on without a beta: they are not in it."""


def cluster_of(case: Case) -> Cluster:
    facts, own = case.facts, case.signal.symbol
    row, threshold, sign = facts.correlations, facts.config.correlation.threshold, case.signal.side.sign

    def same(bets: Iterable[Bet]) -> tuple[Bet, ...]:
        return tuple(
            bet
            for bet in bets
            if bet.symbol != own and (rho := row.get(bet.symbol)) is not None and rho * sign * bet.sign >= threshold
        )

    blind = sorted({symbol for symbol in facts.exposures.symbols if row.get(symbol) is None} - {own})
    return Cluster(on=same(facts.exposures.bets), pending=same(facts.pending.bets), blind=tuple(blind))


def book_beta(case: Case) -> BookBeta | None:
    """None without equity, or without the beta of the signal's own symbol."""
    facts, signal, notional = case.facts, case.signal, case.plan.notional
    own = facts.betas.get(signal.symbol)
    if facts.account is None or facts.account.equity <= 0 or notional is None or own is None:
        return None
    known = [(bet, beta) for bet in facts.exposures.bets if (beta := facts.betas.get(bet.symbol)) is not None]
    before = sum((bet.sign * bet.notional * beta for bet, beta in known), ZERO)
    after = before + signal.side.sign * notional * own
    unknown = sorted(facts.exposures.symbols - {bet.symbol for bet, _ in known})
    return BookBeta(
        before=(before / facts.account.equity).quantize(HUNDREDTH),
        after=(after / facts.account.equity).quantize(HUNDREDTH),
        unknown=tuple(unknown),
    )


def check_correlation(case: Case) -> list[Reason]:
    """Nothing is passed quietly for want of history: the policy says whether that warns or denies."""
    rules = case.facts.config.correlation
    if not rules.enabled:
        return []
    cluster = cluster_of(case)
    reasons = []
    if cluster.blind:
        verdict = denied if rules.missing_history == "deny" else warned
        names = ", ".join(cluster.blind)
        reasons.append(
            verdict("CORRELATION_HISTORY", f"Too little shared history with {names}.", len(cluster.blind), 0)
        )
    reasons.append(_judge(case, cluster))
    if cluster.pending:
        reasons.append(_judge_pending(case, cluster))
    return reasons


def _judge(case: Case, cluster: Cluster) -> Reason:
    rules = case.facts.config.correlation
    verdict = denied if rules.on_breach == "deny" else warned
    count = cluster.count + 1
    if count > rules.max_cluster_count:
        text = f"{count} trades of one bet with {cluster.names}."
        return verdict("CORRELATION", text, count, rules.max_cluster_count)
    exact = share_of_equity(case, cluster.notional)
    if cluster.on and exact is not None:
        limit = Decimal(str(rules.max_cluster_pct))
        pct = shown_pct(exact, limit, TENTH)
        text = f"With {cluster.names} {pct} % of equity in one bet, limit {rules.max_cluster_pct:g} %."
        outcome = verdict if exact > limit else passed
        return outcome("CORRELATION", text, f"{pct} %", f"{rules.max_cluster_pct:g} %")
    return passed("CORRELATION", "No other trade is the same bet.", count, rules.max_cluster_count)


def _judge_pending(case: Case, cluster: Cluster) -> Reason:
    """The same limits, as if everything that waits were approved."""
    rules = case.facts.config.correlation
    count = cluster.count_with_pending + 1
    if count > rules.max_cluster_count:
        text = f"If all pending were approved: {count} trades of one bet."
        return warned("CORRELATION_PENDING", text, count, rules.max_cluster_count)
    exact = share_of_equity(case, cluster.notional + cluster.notional_pending)
    limit = Decimal(str(rules.max_cluster_pct))
    if exact is None:
        return passed("CORRELATION_PENDING", f"If all pending were approved: {count} trades of one bet.", count)
    pct = shown_pct(exact, limit, TENTH)
    text = f"If all pending were approved: {pct} % of equity in one bet."
    outcome = warned if exact > limit else passed
    return outcome("CORRELATION_PENDING", text, f"{pct} %", f"{rules.max_cluster_pct:g} %")


def share_of_equity(case: Case, others: Decimal, *, with_signal: bool = True) -> Decimal | None:
    """Percent of equity, not rounded; None while equity or price are not known."""
    account, notional = case.facts.account, case.plan.notional
    if account is None or account.equity <= 0 or notional is None:
        return None
    return (others + (notional if with_signal else ZERO)) / account.equity * 100
