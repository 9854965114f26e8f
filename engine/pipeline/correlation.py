"""Stage *correlation*: how much of the same bet is already on.

Two trades belong to one cluster when the correlation of their symbols' daily log returns, signed by their sides,
reaches the threshold: long NVDA and long AMD are one bet, long NVDA and short AMD are a hedge. Held, working and
approved trades count for the verdict. What only waits for a decision is shown, and warns at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

    symbols: frozenset[str]
    notional: Decimal
    pending_symbols: frozenset[str]
    pending_notional: Decimal
    blind: tuple[str, ...]
    """Symbols that are on and whose correlation nobody knows."""

    @property
    def names(self) -> str:
        return ", ".join(sorted(self.symbols))

    @property
    def count_with_pending(self) -> int:
        return len(self.symbols | self.pending_symbols)


class BookBeta(msgspec.Struct, frozen=True, kw_only=True):
    """What the book would move by, in percent of equity, when the market moves by one percent."""

    before: Decimal
    after: Decimal
    unknown: tuple[str, ...]
    """Symbols that are on without a beta: they are not in it."""


def cluster_of(case: Case) -> Cluster | None:
    """None when the rule is switched off."""
    if not case.facts.config.correlation.enabled:
        return None
    facts, own = case.facts, case.signal.symbol
    row, rules = facts.correlations, facts.config.correlation
    blind = [symbol for symbol in facts.exposures.symbols if row.get(symbol) is None and symbol != own]
    on = _same_bet(facts.exposures.bets, row, case.signal.side.sign, rules.threshold, own)
    pending = _same_bet(facts.pending.bets, row, case.signal.side.sign, rules.threshold, own)
    return Cluster(
        symbols=frozenset([bet.symbol for bet in on]),
        notional=sum([bet.notional for bet in on], ZERO),
        pending_symbols=frozenset([bet.symbol for bet in pending]),
        pending_notional=sum([bet.notional for bet in pending], ZERO),
        blind=tuple(sorted(blind)),
    )


def _same_bet(bets: Iterable[Bet], row: Mapping[str, float | None], sign: int, threshold: float, own: str) -> list[Bet]:
    known = row.get
    return [bet for bet in bets if (known(bet[0]) or 0.0) * sign * bet[1] >= threshold and bet[0] != own]


def book_beta(case: Case) -> BookBeta | None:
    """None without equity, or without the beta of the signal's own symbol."""
    facts, signal, notional = case.facts, case.signal, case.plan.notional
    own = facts.betas.get(signal.symbol)
    if facts.account is None or facts.account.equity <= 0 or notional is None or own is None:
        return None
    moving = facts.exposures.moving_with(facts.betas)
    after = moving.amount + signal.side.sign * notional * own
    return BookBeta(
        before=(moving.amount / facts.account.equity).quantize(HUNDREDTH),
        after=(after / facts.account.equity).quantize(HUNDREDTH),
        unknown=moving.unknown,
    )


def check_correlation(case: Case, cluster: Cluster | None) -> list[Reason]:
    """Nothing is passed quietly for want of history: the policy says whether that warns or denies.

    ``cluster`` is None when the rule is switched off.
    """
    if cluster is None:
        return []
    rules = case.facts.config.correlation
    reasons = []
    if cluster.blind:
        verdict = denied if rules.missing_history == "deny" else warned
        names = ", ".join(cluster.blind)
        reasons.append(
            verdict("CORRELATION_HISTORY", f"Too little shared history with {names}.", len(cluster.blind), 0)
        )
    reasons.append(_judge(case, cluster))
    if cluster.pending_symbols:
        reasons.append(_judge_pending(case, cluster))
    return reasons


def _judge(case: Case, cluster: Cluster) -> Reason:
    rules = case.facts.config.correlation
    verdict = denied if rules.on_breach == "deny" else warned
    count = len(cluster.symbols) + 1
    if count > rules.max_cluster_count:
        text = f"{count} trades of one bet with {cluster.names}."
        return verdict("CORRELATION", text, count, rules.max_cluster_count)
    exact = share_of_equity(case, cluster.notional)
    if cluster.symbols and exact is not None:
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
    exact = share_of_equity(case, cluster.notional + cluster.pending_notional)
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
