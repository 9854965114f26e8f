"""What the desk shows of a signal before the click: what approving it would send, cost and leave."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.model.signal import Reason
from engine.model.targets import TargetPart
from engine.model.words import OrderType
from engine.view import View
from engine.views_gate import BetaView, ClusterView
from engine.views_limits import PropRuleView


class RequestView(View, frozen=True, kw_only=True):
    """A request as it would be, or was, sent."""

    method: str
    path: str
    body: dict[str, Any]


class RiskView(View, frozen=True, kw_only=True):
    """What a stop-out would cost, without slippage. Amounts in account currency."""

    usd: Decimal
    pct_of_equity: Decimal
    per_share: Decimal
    reward_risk: Decimal | None
    """Reward divided by risk, from the live price; None without a target."""
    reward_risk_sent: Decimal | None = None
    """The same from the strategy's own prices."""


class HeadroomView(View, frozen=True, kw_only=True):
    buying_power_before: Decimal
    buying_power_after: Decimal
    open_positions_before: int
    open_positions_after: int
    gross_exposure_pct_after: Decimal | None = None


class PreviewView(View, frozen=True, kw_only=True):
    """What approving now would send and change, under an id that an approval can name."""

    preview_id: str
    sentence: str
    """The whole order: ``Buy 120 NVDA limit 131.20 day · stop 128.90 · target 136.40``."""
    requests: tuple[RequestView, ...]
    verdicts: tuple[Reason, ...]
    """All rules, denies first, then warnings, then passes."""
    risk: RiskView | None
    headroom: HeadroomView | None
    qty: Decimal
    entry_type: OrderType
    limit_price: Decimal | None
    stop_price: Decimal | None
    take_profit_price: Decimal | None
    price: Decimal | None
    """The live price all of this was computed at, None without a quote."""
    price_age_s: float | None
    drift_ticks: int | None
    """Since the signal's reference price; positive is against the trade."""
    drift_r: Decimal | None
    size_reason: str
    """Why this many: ``risk 0.5 % over 2.30``, ``limited by buying power: 120 → 80``."""
    approvable: bool
    blocked_by: str | None
    """First deny in words, None when approvable."""
    made_at: datetime
    blocked_code: str | None = None
    """The code that an approval would be refused with now; None when approvable."""
    expires_at: datetime | None = None
    """End of the signal's time to live."""
    targets: tuple[TargetPart, ...] = ()
    """Where there are several: price and shares of each, nearest first."""
    cluster: ClusterView | None = None
    """The same bet, before and after; None when correlation is switched off, and of a closing signal."""
    beta: BetaView | None = None
    """Of the whole book against the market; None without history of the signal's own symbol."""
    notional: Decimal | None = None
    """What would be bought or sold, in account currency; None without a price."""
    prop_firm: tuple[PropRuleView, ...] = ()
    """Each rule of prop-firm mode: headroom before, after this trade's stop-out, and after all stop-outs."""
    wants_reason: bool = False
    """A rule warns, and a person who approves it has to say why."""
