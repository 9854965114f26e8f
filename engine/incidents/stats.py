"""How good the alarms are, by the measures of control rooms: rate, floods, time to acknowledge, what chatters.

Source: EEMUA 191 and ISA-18.2, as the brief of the screen quotes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from engine.book import Book
from engine.latency import quantile
from engine.model.incident import Incident, Priority
from engine.views_truth import AlarmStatsView, ChatteringView

WINDOW: Final = timedelta(hours=24)
FLOOD_WITHIN: Final = timedelta(minutes=10)
FLOOD: Final = 10
CHATTERS: Final = 3
TOP: Final = 10


def alarm_stats(book: Book, now: datetime) -> AlarmStatsView:
    # Numbers rise with time: the walk ends at the first incident that is too old, whatever the length of history.
    newest_first = (book.incidents[key] for key in reversed(book.incidents))
    recent = list(takewhile(lambda incident: incident.raised_at > now - WINDOW, newest_first))
    just_now = [incident for incident in recent if incident.raised_at > now - FLOOD_WITHIN]
    waits_s = sorted(
        (incident.acked_at - incident.raised_at).total_seconds() for incident in recent if incident.acked_at is not None
    )
    standing = [book.incidents[key] for key in book.open_incidents.values()]
    in_sight = [incident for incident in standing if not incident.is_shelved]
    unacked = [incident for incident in in_sight if incident.acked_at is None]
    return AlarmStatsView(
        raised=len(recent),
        per_hour=float(sum(1 for incident in recent if incident.raised_at > now - timedelta(hours=1))),
        last_10_min=len(just_now),
        is_flood=len(just_now) >= FLOOD,
        by_priority=_by_priority(recent),
        acked_share=round(len(waits_s) / len(recent), 3) if recent else None,
        ack_s_p50=quantile(waits_s, 0.5),
        ack_s_p90=quantile(waits_s, 0.9),
        standing=len(in_sight),
        unacked=len(unacked),
        overdue=sum(1 for incident in unacked if incident.deadline_at is not None and incident.deadline_at < now),
        shelved=len(standing) - len(in_sight),
        chattering=_most_frequent(just_now, at_least=CHATTERS),
        top=_most_frequent(recent, at_least=1),
    )


def _by_priority(incidents: Iterable[Incident]) -> tuple[int, int, int]:
    counted = Counter(incident.priority for incident in incidents)
    return counted[Priority.NOW], counted[Priority.SOON], counted[Priority.LATER]


def _most_frequent(newest_first: list[Incident], *, at_least: int) -> tuple[ChatteringView, ...]:
    causes: dict[str, str] = {}
    for incident in newest_first:
        causes.setdefault(incident.key, incident.cause)
    counted = Counter(incident.key for incident in newest_first)
    return tuple(
        ChatteringView(key=key, cause=causes[key], count=count)
        for key, count in counted.most_common(TOP)
        if count >= at_least
    )
