"""Every panel of the window, made before the window itself: one a turn of the loop.

Made in one go they keep the loop away for a tenth of a second, several times that while a worker thread imports; the
desk beneath may have exits to place meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gui.actions import Actions
from gui.bridge import Bridge
from gui.door import Door
from gui.panels.activity import ActivityPanel
from gui.panels.brackets import BracketsPanel
from gui.panels.detail import DetailPanel
from gui.panels.incidents import IncidentsPanel
from gui.panels.latency import LatencyPanel
from gui.panels.orders import OrdersPanel
from gui.panels.signals import SignalsPanel
from gui.panels.state_bar import StateBar


@dataclass(frozen=True, slots=True)
class PanelSet:
    state_bar: StateBar
    signals: SignalsPanel
    brackets: BracketsPanel
    orders: OrdersPanel
    detail: DetailPanel
    incidents: IncidentsPanel
    latency: LatencyPanel
    activity: ActivityPanel


async def build_panels(desk: Door, actions: Actions, bridge: Bridge, now: Callable[[], datetime]) -> PanelSet:
    mode = desk.mode

    async def turn[P](panel: P) -> P:
        await asyncio.sleep(0)
        return panel

    return PanelSet(
        state_bar=await turn(StateBar(mode)),
        signals=await turn(SignalsPanel(mode, actions, bridge, now)),
        brackets=await turn(BracketsPanel(mode, actions, now)),
        orders=await turn(OrdersPanel(mode, actions, now)),
        detail=await turn(DetailPanel(mode, actions, quote=desk.quote, timeline=bridge.timeline, now=now)),
        incidents=await turn(IncidentsPanel(mode, actions, bridge.alarm_stats, now)),
        latency=await turn(LatencyPanel(mode, actions, desk.latency_samples)),
        activity=await turn(ActivityPanel(mode)),
    )
