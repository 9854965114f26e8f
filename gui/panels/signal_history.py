"""What became of the signals: decision, reason, outcome."""

from __future__ import annotations

from engine.model.words import SignalStatus
from engine.views import SignalView
from gui import formatting as say
from gui.panels.signal_words import OUTCOMES, outcome_reason, sentence
from gui.status_words import SIGNAL_FACES
from gui.tables.blotter import Blotter
from gui.tables.cells import SideCell, StatusCell, TextCell
from gui.tables.column import Column
from gui.tables.row_model import RowModel
from gui.theme import Type


def _tip(signal: SignalView) -> str:
    lines = [
        sentence(signal, None),
        f"{OUTCOMES[signal.status]} {say.stamp(signal.decided_at)} by {signal.decided_by or 'nobody'}",
        outcome_reason(signal),
        f"{signal.strategy} · {signal.source} {signal.source_id} · {signal.id}",
        "A double click copies it to an order ticket." if signal.intent != "close" else "",
    ]
    return "\n".join(line for line in lines if line)


COLUMNS: tuple[Column[SignalView], ...] = (
    Column(
        "status",
        "Outcome",
        98,
        lambda s: SIGNAL_FACES[s.status].word,
        lambda s: s.status.value,
        StatusCell(lambda s: SIGNAL_FACES[s.status]),
        tip=_tip,
    ),
    Column("symbol", "Symbol", 62, lambda s: s.symbol, lambda s: s.symbol, TextCell(kind=Type.STRONG), tip=_tip),
    Column("side", "", 30, lambda s: say.side_letter(s.side), lambda s: s.side.value, SideCell(lambda s: s.side)),
    Column("why", "Reason", 90, outcome_reason, outcome_reason, TextCell("mid"), tip=_tip, stretch=True),
    Column(
        "at",
        "Decided",
        78,
        lambda s: say.clock(s.decided_at or s.received_at),
        lambda s: s.decided_at or s.received_at,
        TextCell("low"),
        right=True,
    ),
)


def history_blotter() -> tuple[RowModel[SignalView], Blotter]:
    """Newest decision on top."""
    model = RowModel(COLUMNS, lambda s: s.id, accepts=lambda s: s.status is not SignalStatus.PENDING, limit=2_000)
    view = Blotter(model)
    view.setObjectName("signal-history")
    view.sortByColumn(len(COLUMNS) - 1, view.header().sortIndicatorOrder().DescendingOrder)
    return model, view
