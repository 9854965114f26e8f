"""What a drill is worth: pure arithmetic over the moments that were seen.

A hundred points: forty for noticing, forty for the right action, twenty for uncovered time. Each falls in a straight
line from all of it (at once; ten seconds for noticing) to nothing at sixty seconds. A mistake before the right action
costs half of the action's points.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from engine.drills.acts import Act

NOTICE_POINTS: Final = 40
ACTION_POINTS: Final = 40
COVER_POINTS: Final = 20
FULL_UNTIL_S: Final = 10.0
"""Seconds to the first act that cost nothing."""
NOTHING_AT_S: Final = 60.0


class Score(msgspec.Struct, frozen=True, kw_only=True):
    noticed_s: float | None
    """From the moment it struck to the person's first act; None when there was none."""
    act: str | None
    """The right action that was taken."""
    act_s: float | None
    mistakes: tuple[str, ...]
    naked_s: float
    notice_points: int
    action_points: int
    cover_points: int

    @property
    def points(self) -> int:
        return self.notice_points + self.action_points + self.cover_points


def score(
    struck_at: datetime, acts: Sequence[Act], *, right: frozenset[str], wrong: frozenset[str], naked_s: float
) -> Score:
    """``acts`` in order, all of the person's since it struck; ``right`` and ``wrong`` are words of ``acts.WORDS``."""
    noticed_s = _since(struck_at, acts[0]) if acts else None
    rightly = next((act for act in acts if act.word in right), None)
    mistakes = tuple(act.word for act in acts if act.word in wrong)
    before = [act for act in acts if act.word in wrong and (rightly is None or act.at < rightly.at)]
    act_s = _since(struck_at, rightly) if rightly is not None else None
    action = 0.0 if act_s is None else _falling(act_s, FULL_UNTIL_S) * ACTION_POINTS
    return Score(
        noticed_s=noticed_s,
        act=rightly.word if rightly is not None else None,
        act_s=act_s,
        mistakes=mistakes,
        naked_s=naked_s,
        notice_points=round(0 if noticed_s is None else _falling(noticed_s, FULL_UNTIL_S) * NOTICE_POINTS),
        action_points=round(action / 2 if before else action),
        cover_points=round(_falling(naked_s, 0.0) * COVER_POINTS),
    )


def _since(struck_at: datetime, act: Act) -> float:
    return max(0.0, (act.at - struck_at).total_seconds())


def _falling(seconds: float, full_until_s: float) -> float:
    """1 up to ``full_until_s``, then straight down to 0 at ``NOTHING_AT_S``."""
    return min(1.0, max(0.0, (NOTHING_AT_S - seconds) / (NOTHING_AT_S - full_until_s)))
