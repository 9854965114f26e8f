"""Columns that every table of orders has."""

from __future__ import annotations

from typing import Final

from engine.views import OrderView
from gui import formatting as say
from gui.order_words import filled_tip
from gui.status_words import order_face, order_tip, role_words
from gui.tables.cells import SideCell, StatusCell, TextCell
from gui.tables.column import Column
from gui.theme import Type

STATUS: Final[Column[OrderView]] = Column(
    "status",
    "Status",
    122,
    lambda o: order_face(o).word,
    lambda o: order_face(o).word,
    StatusCell(order_face),
    tip=order_tip,
    least=108,
)
SYMBOL: Final[Column[OrderView]] = Column(
    "symbol", "Symbol", 64, lambda o: o.symbol, lambda o: o.symbol, TextCell(kind=Type.STRONG), least=56
)
SIDE: Final[Column[OrderView]] = Column(
    "side", "", 32, lambda o: say.side_letter(o.side), lambda o: o.side.value, SideCell(lambda o: o.side), spare=1
)
ROLE: Final[Column[OrderView]] = Column(
    "role", "Role", 86, role_words, role_words, TextCell("mid"), tip=lambda o: o.order_class.value, least=76, spare=3
)
FILLED: Final[Column[OrderView]] = Column(
    "filled",
    "Filled",
    70,
    lambda o: say.filled(o.filled_qty, o.qty),
    lambda o: o.filled_qty,
    right=True,
    tip=filled_tip,
    least=62,
    spare=2,
)
