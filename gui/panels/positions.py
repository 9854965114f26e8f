"""Columns of the positions: what the account holds, whoever bought it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.views import PositionView
from gui import formatting as say
from gui.panels.bracket_columns import is_stale
from gui.tables.cells import ButtonsCell, CoverCell, RowButton, TextCell
from gui.tables.column import Column
from gui.theme import Type


def cover_share(position: PositionView) -> float | None:
    return float(position.covered_qty / abs(position.qty)) if position.qty else None


def rank(position: PositionView) -> int:
    return 0 if position.naked_qty else 1


def wash(row: object) -> str | None:
    return "p1_wash" if isinstance(row, PositionView) and row.naked_qty else None


def _buttons(position: PositionView) -> Sequence[RowButton]:
    tip = f"Close {say.qty(abs(position.qty))} {position.symbol}; asks once"
    return (RowButton("flatten", "Flatten", "plain" if position.naked_qty else "quiet", tip=tip),)


def _proof(position: PositionView) -> str:
    proof = position.evidence
    return f"Read from {proof.source.value} {proof.id or ''} at {say.stamp(proof.at)}" if proof is not None else ""


COLUMNS: tuple[Column[PositionView], ...] = (
    Column("symbol", "Symbol", 84, lambda p: p.symbol, lambda p: p.symbol, TextCell(kind=Type.STRONG), tip=_proof),
    Column("qty", "Quantity", 82, lambda p: say.qty(p.qty), lambda p: p.qty, right=True, tip=_proof),
    Column("avg", "Average", 84, lambda p: say.price(p.avg_entry_price), lambda p: p.avg_entry_price, right=True),
    Column(
        "last",
        "Last",
        84,
        lambda p: say.price(p.market_price),
        lambda p: p.market_price,
        TextCell(lambda p: "low" if is_stale(p.quote_age_s) else "high"),
        right=True,
        tip=lambda p: f"Quote {say.seconds(p.quote_age_s)} old" if p.quote_age_s is not None else "No quote",
    ),
    Column(
        "value",
        "Value",
        92,
        lambda p: say.money(p.market_value),
        lambda p: p.market_value,
        TextCell("mid"),
        right=True,
        spare=3,
    ),
    Column(
        "pl",
        "P&L",
        84,
        lambda p: say.money(p.unrealized_pl, signed=True),
        lambda p: p.unrealized_pl,
        TextCell(kind=Type.MEDIUM),
        right=True,
    ),
    Column(
        "cover",
        "Cover",
        90,
        lambda p: f"{say.qty(p.covered_qty)} of {say.qty(abs(p.qty))} covered",
        cover_share,
        CoverCell(cover_share, limited=lambda _p: False),
        tip=lambda p: f"{say.qty(p.covered_qty)} of {say.qty(abs(p.qty))} under confirmed stops",
    ),
    Column(
        "naked",
        "Naked",
        64,
        lambda p: say.qty(p.naked_qty),
        lambda p: p.naked_qty,
        TextCell(lambda p: "p1_text" if p.naked_qty else "faint", Type.MEDIUM),
        right=True,
    ),
    Column(
        "strategy",
        "Strategy",
        120,
        lambda p: p.strategy or "not from this desk",
        lambda p: p.strategy,
        TextCell(lambda p: "mid" if p.strategy else "p2_text"),
        stretch=True,
    ),
    Column("acts", "", 90, lambda _p: "", cell=ButtonsCell(_buttons)),
)
