"""The bridge: what changed together is handed over together, however many turns of the loop the reading takes."""

from __future__ import annotations

import gc
from decimal import Decimal

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from engine.bus import Change
from engine.model.words import BracketStatus, OrderRole, OrderStatus, Side
from engine.views import BracketView, OrderView
from gui.bridge import Bridge
from tests.gui import scenery as make
from tests.gui.stage import desk_of

MANY = 45
"""More than are read in one turn."""


def trade(number: int) -> tuple[BracketView, OrderView]:
    ident, symbol = f"b-{number:02d}", f"S{number:02d}"
    entry = make.order(
        ident, symbol, Side.BUY, OrderRole.ENTRY, OrderStatus.FILLED, "100", filled="100", limit="50.00",
        filled_avg_price=Decimal("50.00"),
    )  # fmt: skip
    held = make.trade(
        ident, symbol, Side.BUY, BracketStatus.PROTECTED, "100", entry="50.00", stop="49.00", target="52.00",
        last="50.50", pl="50.00", r="0.50", orders=(entry,),
    )  # fmt: skip
    return held, entry


def test_many_trades_come_in_one_piece_and_their_orders_after_them(qtbot: QtBot) -> None:
    desk = desk_of("empty")
    bridge = Bridge(desk)
    told: list[tuple[str, list[str], list[str]]] = []
    bridge.start()
    bridge.brackets_changed.connect(lambda views, gone: told.append(("brackets", [v.id for v in views], gone)))
    bridge.orders_changed.connect(lambda views, gone: told.append(("orders", [v.id for v in views], gone)))
    trades = [trade(number) for number in range(MANY)]
    ids = [held.id for held, _ in trades]
    desk.put(*(view for pair in trades for view in pair))
    desk.bus.publish((), [Change("bracket", "b-zz"), Change("order", "o-zz")])
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told == [("brackets", ids, ["b-zz"]), ("orders", ids, ["o-zz"])]
    bridge.stop()


def test_while_an_order_is_on_its_way_no_frame_gets_in_between(qtbot: QtBot) -> None:
    desk = desk_of("empty")
    bridge = Bridge(desk)
    told: list[bool] = []
    bridge.start()
    bridge.brackets_changed.connect(lambda *_: told.append(desk.is_sending))
    held, entry = trade(1)
    desk.put(held, entry)
    desk.is_sending = True
    bridge.clock.frame.connect(lambda: QTimer.singleShot(20, lambda: setattr(desk, "is_sending", False)))
    desk.bus.publish((), [Change("bracket", held.id)])
    qtbot.waitUntil(lambda: bool(told))
    assert told == [False], "it came once the order was away"
    bridge.stop()


def test_views_of_a_frame_die_with_it_and_wait_for_no_collector(qtbot: QtBot) -> None:
    """Else hundreds a frame are in cycles, and each walk of the collector holds the loop up."""
    desk = desk_of("empty")
    bridge = Bridge(desk)
    frames: list[int] = []
    bridge.start()
    bridge.orders_changed.connect(lambda views, _gone: frames.append(len(views)))
    gc.collect()
    for number in range(MANY):
        desk.put(*trade(number))
    qtbot.waitUntil(lambda: sum(frames) >= MANY)
    desk.put(*(view for number in range(MANY) for view in trade(number)))
    qtbot.waitUntil(lambda: sum(frames) >= 2 * MANY)
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        assert [each for each in gc.garbage if isinstance(each, BracketView | OrderView)] == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        bridge.stop()
