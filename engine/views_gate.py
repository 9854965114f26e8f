"""What a preview shows of the whole book: how much of the same bet is on before and after, and its beta."""

from __future__ import annotations

from decimal import Decimal

from engine.view import View


class ClusterView(View, frozen=True, kw_only=True):
    """Trades that are the same bet as the signal, itself included in all but ``before``. Percent of equity."""

    symbols: tuple[str, ...]
    """Of what is held, working or approved; the signal's own is not among them."""
    count_before: int
    count_after: int
    count_if_pending: int
    """If everything that waits were approved."""
    max_count: int
    pct_before: Decimal | None
    pct_after: Decimal | None
    pct_if_pending: Decimal | None
    max_pct: Decimal
    unknown: tuple[str, ...]
    """On, but without enough shared history."""


class BetaView(View, frozen=True, kw_only=True):
    """What the book moves by, in percent of equity, when SPY moves by one percent."""

    before: Decimal
    after: Decimal
    unknown: tuple[str, ...]
    """On, but without enough history: not in the numbers."""
