"""How good the alarms are, by the measures of control rooms: rate, floods, time to acknowledge, what chatters.

Source: EEMUA 191 and ISA-18.2, as the brief of the screen quotes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from engine.book import Book
from engine.latency import quantile
from engine.model.incident import Alarm, Priority
from engine.views_truth import AlarmStatsView, ChatteringView

WINDOW: Final = timedelta(hours=24)
FLOOD_WITHIN: Final = timedelta(minutes=10)
FLOOD: Final = 10
CHATTERS: Final = 3
TOP: Final = 10


def alarm_stats(book: Book, now: datetime) -> AlarmStatsView:
    # The walk ends at the first that is too old, whatever the length of history.
    newest_first = reversed(book.alarms.items())
    recent = dict(takewhile(lambda known: known[1].raised_at > now - WINDOW, newest_first))
    alarms = recent.values()
    just_now = {key: alarm for key, alarm in recent.items() if alarm.raised_at > now - FLOOD_WITHIN}
    waits_s = sorted((alarm.acked_at - alarm.raised_at).total_seconds() for alarm in alarms if alarm.acked_at)
    standing = [book.incidents[key] for key in book.open_incidents.values()]
    in_sight = [incident for incident in standing if not incident.is_shelved]
    unacked = [incident for incident in in_sight if incident.acked_at is None]
    return AlarmStatsView(
        raised=len(recent),
        per_hour=float(sum(1 for alarm in alarms if alarm.raised_at > now - timedelta(hours=1))),
        last_10_min=len(just_now),
        is_flood=len(just_now) >= FLOOD,
        by_priority=_by_priority(alarms),
        acked_share=round(len(waits_s) / len(recent), 3) if recent else None,
        ack_s_p50=quantile(waits_s, 0.5),
        ack_s_p90=quantile(waits_s, 0.9),
        standing=len(in_sight),
        unacked=len(unacked),
        overdue=sum(1 for incident in unacked if incident.deadline_at is not None and incident.deadline_at < now),
        shelved=len(standing) - len(in_sight),
        chattering=_most_frequent(book, just_now, at_least=CHATTERS),
        top=_most_frequent(book, recent, at_least=1),
    )


def _by_priority(alarms: Iterable[Alarm]) -> tuple[int, int, int]:
    counted = Counter(alarm.priority for alarm in alarms)
    return counted[Priority.NOW], counted[Priority.SOON], counted[Priority.LATER]


def _most_frequent(book: Book, newest_first: Mapping[str, Alarm], *, at_least: int) -> tuple[ChatteringView, ...]:
    newest: dict[str, str] = {}
    for incident_id, alarm in newest_first.items():
        newest.setdefault(alarm.key, incident_id)
    counted = Counter(alarm.key for alarm in newest_first.values())
    return tuple(
        ChatteringView(key=key, cause=book.incidents[newest[key]].cause, count=count)
        for key, count in counted.most_common(TOP)
        if count >= at_least
    )
