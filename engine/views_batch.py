"""Pictures of decisions about several signals at once, and of the usual reasons for a no."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from engine.model.signal import Reason
from engine.view import View
from engine.views import PreviewView


class BatchRowView(View, frozen=True, kw_only=True):
    """One signal of a batch, judged as if all before it had been approved."""

    id: str
    preview: PreviewView | None
    """None when it cannot be previewed any more."""
    code: str | None
    """Why it would not be approved; None when it would."""
    text: str


class BatchPreviewView(View, frozen=True, kw_only=True):
    """Several approvals, added up. Sums are over those that would be approved, in account currency."""

    preview_id: str
    rows: tuple[BatchRowView, ...]
    approvable: int
    risk_usd: Decimal
    risk_pct_of_equity: Decimal | None
    notional: Decimal
    buying_power_after: Decimal | None
    gross_exposure_pct_after: Decimal | None
    open_positions_after: int | None
    made_at: datetime


class OutcomeView(View, frozen=True, kw_only=True):
    """What became of one signal of a batch command."""

    id: str
    done: bool
    code: str | None
    """Why it was not done, as from the call for one."""
    text: str
    reasons: tuple[Reason, ...] = ()


class RejectReasonView(View, frozen=True, kw_only=True):
    """A usual reason for a no, under the digit that gives it."""

    code: int
    text: str
