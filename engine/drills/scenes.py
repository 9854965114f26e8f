"""The six drills: how each is brought about, what is right and wrong to do about it, and when it is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from engine.drills.stage import Stage
from engine.exchange.faults import Html, LoseAnswer, LoseEvent, Refuse, RefuseStream, RejectLegs, StickCancel

HOLD_S: Final = 25.0
"""What ends by itself (a dead stream, a lost reply, a stuck cancel) lasts so long."""
NOTICED_WITHIN_S: Final = 45.0
"""The desk finds a foreign position by its own readings of the broker, the slowest of which is every thirty seconds."""
ORDERS: Final = "/v2/orders"


class Trouble(NamedTuple):
    """It has struck."""

    is_mended: Callable[[], bool]
    relief_s: float | None = None
    """After so many seconds the cause goes by itself: ``relieve``."""
    relieve: Callable[[], None] | None = None


class Drill(NamedTuple):
    name: str
    title: str
    about: str
    lesson: str
    right: frozenset[str]
    wrong: frozenset[str]
    scene: Callable[[Stage], Awaitable[Trouble]]
    time_limit_s: float = 90.0


async def _rejected_stop(stage: Stage) -> Trouble:
    stage.add(
        RejectLegs(symbol=stage.symbol),
        Refuse(method="POST", path=ORDERS, symbol=stage.symbol, order_class="oco", count=stage.max_attempts),
    )
    bracket_id = await stage.enter()
    await stage.until(lambda: stage.desk.bracket(bracket_id).naked_qty > 0, "the exits were not rejected")
    return Trouble(lambda: _is_safe(stage, bracket_id))


async def _lost_reply(stage: Stage) -> Trouble:
    stage.add(
        LoseAnswer(method="POST", path=ORDERS, symbol=stage.symbol),
        LoseEvent(symbol=stage.symbol, count=None),
        Html(method="GET", path=f"{ORDERS}*", status=503, count=None),
    )
    bracket_id = await stage.enter()
    await stage.until(lambda: _is_unknown(stage, bracket_id), "the answer was not lost")
    return Trouble(lambda: not _is_unknown(stage, bracket_id), HOLD_S, stage.clear_faults)


async def _dead_stream(stage: Stage) -> Trouble:
    bracket_id = await stage.enter()
    await stage.is_protected(bracket_id)
    stage.add(RefuseStream(status=429, count=None))
    stage.broker.cut_order_streams()
    await stage.until(lambda: stage.desk.health().stream == "down", "the stream stayed up")
    return Trouble(lambda: stage.desk.health().stream == "up", HOLD_S, stage.clear_faults)


async def _partial_fill(stage: Stage) -> Trouble:
    bracket_id = await stage.enter(below=Decimal("0.03"))
    await stage.until(lambda: _is_working(stage, bracket_id), "the entry does not rest at the broker")
    stage.add(StickCancel(symbol=stage.symbol, count=2))
    entry = stage.entry_of(bracket_id)
    assert entry is not None
    assert entry.broker_id is not None
    stage.broker.exchange.fill_by_hand(entry.broker_id, Decimal(2), None)
    stage.broker.exchange.settle()
    await stage.until(lambda: stage.desk.bracket(bracket_id).naked_qty > 0, "nothing was filled")
    return Trouble(lambda: _is_safe(stage, bracket_id), HOLD_S, stage.answer_cancels)


async def _hand_at_broker(stage: Stage) -> Trouble:
    known = len(stage.desk.differences())
    stage.transfer(stage.other, 7)
    await stage.until(
        lambda: len(stage.desk.differences()) > known, "the desk did not see the position", NOTICED_WITHIN_S
    )
    return Trouble(lambda: len(stage.desk.differences()) <= known)


async def _stuck_cancel(stage: Stage) -> Trouble:
    bracket_id = await stage.enter(below=Decimal("0.05"))
    await stage.until(lambda: _is_working(stage, bracket_id), "the entry does not rest at the broker")
    stage.add(StickCancel(symbol=stage.symbol, count=None))
    entry = stage.entry_of(bracket_id)
    assert entry is not None
    await stage.desk.cancel_order(entry.id, actor="drill")

    def answer() -> None:
        stage.clear_faults()
        stage.answer_cancels()

    return Trouble(lambda: stage.desk.bracket(bracket_id).closed_at is not None, HOLD_S, answer)


def _is_safe(stage: Stage, bracket_id: str) -> bool:
    bracket = stage.desk.bracket(bracket_id)
    return bracket.closed_at is not None or (bracket.held_qty > 0 and bracket.naked_qty == 0)


def _is_unknown(stage: Stage, bracket_id: str) -> bool:
    entry = stage.entry_of(bracket_id)
    return entry is not None and entry.unresolved_since is not None


def _is_working(stage: Stage, bracket_id: str) -> bool:
    entry = stage.entry_of(bracket_id)
    return entry is not None and entry.status.value == "new" and entry.broker_id is not None


DRILLS: Final[Mapping[str, Drill]] = {
    drill.name: drill
    for drill in (
        Drill(
            name="rejected_stop",
            title="Rejected stop",
            about="A position loses its exits, and new ones are refused until the desk gives up.",
            lesson="Retry runs the best repair plan; when the broker still refuses, flatten. Waiting is the mistake.",
            right=frozenset({"retry", "repair", "flatten"}),
            wrong=frozenset({"run unprotected", "shelve"}),
            scene=_rejected_stop,
        ),
        Drill(
            name="lost_reply",
            title="Lost reply",
            about="The answer to an entry never comes, and the broker cannot be asked for a while.",
            lesson="Look it up, or leave it to the desk, which asks again by itself. An order that may live is neither "
            "sent again nor attested away: it had filled all the time.",
            right=frozenset({"look up", "acknowledge"}),
            wrong=frozenset({"attest", "approve"}),
            scene=_lost_reply,
        ),
        Drill(
            name="dead_stream",
            title="Dead stream",
            about="The order stream goes down, and its slot stays taken.",
            lesson="Positions are protected at the broker and entries are denied by themselves: acknowledge, and pause "
            "if it lasts. Flattening sound positions for a lost connection costs money.",
            right=frozenset({"acknowledge", "paused", "reducing", "halted"}),
            wrong=frozenset({"flatten", "shelve"}),
            scene=_dead_stream,
        ),
        Drill(
            name="partial_fill",
            title="Partial fill",
            about="An entry fills in part, and the cancel of its rest is stuck.",
            lesson="The part has no stop until the entry ends. Cut it short at once, or flatten it; the desk does so "
            "by itself after a few seconds.",
            right=frozenset({"repair", "retry", "flatten", "cancel"}),
            wrong=frozenset({"run unprotected", "shelve"}),
            scene=_partial_fill,
        ),
        Drill(
            name="hand_at_broker",
            title="Hand at the broker",
            about="Shares turn up in the account that no order of this desk has bought.",
            lesson="The start gate holds entries back until somebody says what the shares are. Settle the difference.",
            right=frozenset({"settle"}),
            wrong=frozenset({"shelve"}),
            scene=_hand_at_broker,
        ),
        Drill(
            name="stuck_cancel",
            title="Stuck cancel",
            about="The desk cancels a resting entry, and the broker never confirms it.",
            lesson="The order may still fill. Acknowledge, ask again with Cancel, and enter nothing else there.",
            right=frozenset({"acknowledge", "cancel", "look up"}),
            wrong=frozenset({"approve", "attest", "shelve"}),
            scene=_stuck_cancel,
        ),
    )
}
