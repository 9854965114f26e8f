"""A room for drills made by hand: what the window shows of it is set, and what it is asked for is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.bus import Bus, Change
from engine.drills.scenes import DRILLS
from engine.errors import CommandRefused
from engine.views_drills import DrillResultView, DrillsView, DrillView, RunningDrillView
from tests.gui.scenes import replace


def result(name: str = "rejected_stop", now: datetime | None = None, **changes: object) -> DrillResultView:
    drill = DRILLS[name]
    shown = DrillResultView(
        drill=name,
        title=drill.title,
        began_at=now or datetime.fromtimestamp(0).astimezone(),
        outcome="mended",
        points=84,
        noticed_s=3.2,
        act="retry",
        act_s=5.1,
        mistakes=(),
        naked_s=48.0,
        notice_points=40,
        action_points=40,
        cover_points=4,
        lesson=drill.lesson,
    )
    return replace(shown, **changes)


class SceneDrills:
    def __init__(self, bus: Bus, now: datetime) -> None:
        self._bus = bus
        self._now = now
        self.asked: list[tuple[str, str]] = []
        self.refusal: CommandRefused | None = None
        best = {"rejected_stop": 84, "lost_reply": 100}
        self.shown = DrillsView(
            drills=tuple(
                DrillView(name=drill.name, title=drill.title, about=drill.about, best=best.get(drill.name))
                for drill in DRILLS.values()
            ),
            running=None,
            results=(),
        )

    def view(self) -> DrillsView:
        return self.shown

    async def begin(self, name: str, *, actor: str) -> DrillsView:
        self.asked.append((name, actor))
        if self.refusal is not None:
            raise self.refusal
        self.strike(name)
        return self.shown

    async def end(self, *, actor: str) -> DrillsView:
        self.asked.append(("end", actor))
        self.is_over(result(outcome="stopped", points=20, noticed_s=None, act=None, act_s=None, notice_points=0,
                            action_points=0, naked_s=0.0, cover_points=20))  # fmt: skip
        return self.shown

    def strike(self, name: str) -> None:
        self._set(
            running=RunningDrillView(
                drill=name,
                title=DRILLS[name].title,
                stage="struck",
                task=DRILLS[name].about,
                symbol="XOM",
                since=self._now - timedelta(seconds=12),
                ends_at=self._now + timedelta(seconds=78),
            )
        )

    def is_over(self, found: DrillResultView) -> None:
        self._set(running=None, results=(found, *self.shown.results))

    def _set(self, **changes: object) -> None:
        self.shown = replace(self.shown, **changes)
        self._bus.publish((), (Change("desk", ""),))
