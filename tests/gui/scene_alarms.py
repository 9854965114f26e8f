"""Alarms of a scene: the shelf works as the desk's does, the figures are made by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from engine.views import IncidentView
from engine.views_truth import AlarmStatsView, ChatteringView
from tests.gui.scenery import NOW

replace = msgspec.structs.replace

STATS = AlarmStatsView(
    raised=41, per_hour=7.0, last_10_min=3, is_flood=False, by_priority=(3, 8, 30), acked_share=0.93, ack_s_p50=4.2,
    ack_s_p90=31.0, standing=3, unacked=1, overdue=1, shelved=0,
    chattering=(ChatteringView(key="stream", cause="The order stream is down", count=4),),
    top=(ChatteringView(key="expiry", cause="NVDA signal is about to expire", count=12),),
)  # fmt: skip


class SceneAlarms:
    def __init__(
        self,
        take: Callable[..., Awaitable[None]],
        incident: Callable[[str], IncidentView],
        put: Callable[..., None],
    ) -> None:
        self._take = take
        self._incident = incident
        self._put = put
        self.shown = STATS

    def stats(self) -> AlarmStatsView:
        return self.shown

    async def shelve(self, incident_id: str, *, minutes: int, reason: str, actor: str) -> IncidentView:
        await self._take("shelve", incident_id, minutes, reason)
        until = NOW + timedelta(minutes=minutes)
        known = self._incident(incident_id)
        shelved = replace(known, shelved_until=until, shelved_by=actor, shelved_why=reason, can_shelve=False)
        self._put(shelved)
        return shelved

    async def unshelve(self, incident_id: str, *, actor: str) -> IncidentView:
        await self._take("unshelve", incident_id)
        back = replace(
            self._incident(incident_id), shelved_until=None, shelved_by=None, shelved_why="", can_shelve=True
        )
        self._put(back)
        return back
