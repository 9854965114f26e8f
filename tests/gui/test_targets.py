"""Several targets are marks on ruler and chart; an entry that the desk holds says what it waits for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPixmap

from engine.model.targets import TargetPart
from engine.model.words import Side, SignalStatus
from gui.charts.price_chart import Scale
from gui.panels.bracket_columns import marks
from gui.panels.signal_words import outcome_reason
from gui.widgets.price_ruler import Marks, paint_ruler
from tests.gui import scenery as make
from tests.gui.conftest import until
from tests.gui.scenes import replace

PARTS = tuple(TargetPart(price=Decimal(price), qty=Decimal(50)) for price in ("191.80", "195.00"))


def painted(of: Marks) -> dict[str, float]:
    picture = QPixmap(200, 24)
    painter = QPainter(picture)
    try:
        return paint_ruler(painter, QRectF(0, 0, 200, 22), of)
    finally:
        painter.end()


def test_the_ruler_reaches_to_the_furthest_target_and_marks_each(qapp: Any) -> None:
    one = Marks(Decimal(185), Decimal(187), Decimal("191.80"), Decimal(188))
    two = replace_marks(one, (Decimal("191.80"), Decimal(195)))
    assert painted(one)["target"] > 190
    xs = painted(two)
    assert xs["stop"] < xs["entry"] < xs["target 1"] == xs["target"] < xs["target 2"]


def replace_marks(of: Marks, targets: tuple[Decimal, ...]) -> Marks:
    return Marks(of.stop, of.entry, of.target, of.live, targets=targets)


async def test_a_trade_with_two_targets_shows_both_on_ruler_and_chart(opened: Any) -> None:
    async with opened("busy") as screen:
        trade = replace(screen.desk.bracket("b-AAPL"), targets=PARTS)
        screen.desk.put(trade)
        screen.choose("bracket-table", "b-AAPL")
        chart = screen.window.detail.chart
        await until(lambda: len(chart._lines.targets) == 2)
        assert marks(trade).targets == (Decimal("191.80"), Decimal("195.00"))
        tags = [tag.text for tag in chart._tags(Scale(180, 200, QRectF(0, 0, 200, 200)))]
        assert "Target 191.80" in tags
        assert "Target 2 195.00" in tags


def test_one_target_is_one_mark() -> None:
    trade = make.trade(
        "b", "AAPL", Side.BUY, make.BracketStatus.PROTECTED, "10", entry="187", stop="185", target="191", last="188",
        pl="1", r="0.1", orders=(),
    )  # fmt: skip
    assert marks(replace(trade, targets=PARTS[:1])).targets == ()


async def test_an_entry_that_the_desk_holds_says_what_it_waits_for(opened: Any) -> None:
    async with opened("busy") as screen:
        held = make.signal(
            "s-held", "NVDA", Side.BUY, status=SignalStatus.WORKING, decided_at=make.NOW, decided_by="window",
            trigger_price=Decimal("132.50"),
        )  # fmt: skip
        assert "until 132.50 is seen" in outcome_reason(held)
        screen.desk.put(held)
        history = screen.window.signals.history
        await until(lambda: history.row("s-held") is not None)
        screen.window.signals.header.tabs.choose(1)
        screen.choose("signal-history", "s-held")
        await until(lambda: screen.window.detail.chart._lines.entry == Decimal("132.50"))
        assert "held until 132.50" in screen.text("detail-remark")
