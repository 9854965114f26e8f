"""What the gate says beside its verdicts, made by hand: the same bet, the book's beta, a prop firm's headroom."""

from __future__ import annotations

from decimal import Decimal

from engine.model.words import Verdict
from engine.views_limits import PropRuleView
from engine.views_preview import BetaView, ClusterView

SAME_BET = ClusterView(
    symbols=("AMD", "SMH"),
    count_before=2,
    count_after=3,
    count_if_pending=4,
    max_count=4,
    pct_before=Decimal("41.2"),
    pct_after=Decimal("52.4"),
    pct_if_pending=Decimal(58),
    max_pct=Decimal(60),
    unknown=(),
)
BETA = BetaView(before=Decimal("0.92"), after=Decimal("1.05"), unknown=())


def _headroom(name: str, now: str, after: str, after_all: str, verdict: Verdict) -> PropRuleView:
    return PropRuleView(
        code="PROP_DAILY_LOSS",
        name=name,
        verdict=verdict,
        text=f"{name}: only ${after_all} would be left after the stop-outs.",
        unit="usd",
        limit=Decimal(2_000),
        floor=Decimal(48_000),
        headroom_now=Decimal(now),
        headroom_after_stop=Decimal(after),
        headroom_after_all_stops=Decimal(after_all),
    )


NEAR_A_LIMIT = (
    _headroom("Daily loss", "640", "364", "120", Verdict.WARN),
    _headroom("Maximum drawdown", "1800", "1524", "1280", Verdict.PASS),
)
"""Of a day that may not lose much more."""
