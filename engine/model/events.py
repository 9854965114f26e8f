"""Every fact the journal can hold.

The state of the desk is the fold of these, oldest first (``book.py``). Each names its subject, in the past tense.
Fields may be added with a default, never renamed or removed: old journals must fold for ever. Intents
(``OrderIntended``, ``CancelIntended``, ``ReplaceIntended``, ``SignalApproved``) are on disk before anything is done.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from engine.model.bracket import Bracket, Repair
from engine.model.event import Event as Event
from engine.model.halt_events import (
    FlatProved as FlatProved,
    SuspensionAsked as SuspensionAsked,
    SuspensionRefused as SuspensionRefused,
    SuspensionSeen as SuspensionSeen,
)
from engine.model.limit_events import (
    DeskTripped as DeskTripped,
    MandateConfirmed as MandateConfirmed,
    MandateGranted as MandateGranted,
    MandateRevoked as MandateRevoked,
    PropBreached as PropBreached,
    PropDayClosed as PropDayClosed,
    PropDayCorrected as PropDayCorrected,
    PropDayOpened as PropDayOpened,
    PropMarked as PropMarked,
    TripRearmed as TripRearmed,
    TripReleased as TripReleased,
)
from engine.model.order import Order, OrderReport
from engine.model.position import Position
from engine.model.signal_events import (
    EntryHeld as EntryHeld,
    EntryReleased as EntryReleased,
    SignalApproved as SignalApproved,
    SignalDenied as SignalDenied,
    SignalExpired as SignalExpired,
    SignalReceived as SignalReceived,
    SignalRefused as SignalRefused,
    SignalRejected as SignalRejected,
    SignalReturned as SignalReturned,
)
from engine.model.targets import TargetPart
from engine.model.truth_events import (
    DeskStateSet as DeskStateSet,
    DeskWoke as DeskWoke,
    DifferenceLapsed as DifferenceLapsed,
    DifferenceSettled as DifferenceSettled,
    IncidentAcked as IncidentAcked,
    IncidentCleared as IncidentCleared,
    IncidentRaised as IncidentRaised,
    IncidentShelved as IncidentShelved,
    IncidentUnshelved as IncidentUnshelved,
    LinkChanged as LinkChanged,
    LoopStalled as LoopStalled,
)
from engine.model.words import ExitWhen, Purpose, Stage


class JournalOpened(Event, frozen=True, kw_only=True):
    """First line of a journal: whose it is."""

    desk_id: str
    mode: str
    schema: int = 1


class AccountBound(Event, frozen=True, kw_only=True):
    """From here on this journal refuses any other account."""

    account_number: str


class DeskStarted(Event, frozen=True, kw_only=True):
    """A process began to work on this journal."""

    version: str
    rules_file: str | None = None
    """Name of the operator's own rules; None: there were none."""
    rules_sha256: str | None = None
    """Of the text that this process judges by; empty when it could not be read."""


class DeskStopped(Event, frozen=True, kw_only=True):
    """The process left in order; a start without this before it follows a crash."""


class BracketOpened(Event, frozen=True, kw_only=True):
    SUBJECT = "id"
    bracket: Bracket

    @property
    def id(self) -> str:
        return self.bracket.id


class OrderIntended(Event, frozen=True, kw_only=True):
    """The full body of a submit, before its first byte is sent. ``legs`` are the children it will create."""

    SUBJECT = "id"
    order: Order
    body: dict[str, Any]
    purpose: Purpose
    legs: tuple[Order, ...] = ()

    @property
    def id(self) -> str:
        return self.order.id


class OrderReported(Event, frozen=True, kw_only=True):
    SUBJECT = "order_id"
    order_id: str
    report: OrderReport


class ExecutionsTakenBack(Event, frozen=True, kw_only=True):
    """The venue took executions of an order back (a bust, or a correction to fewer shares): they never were."""

    SUBJECT = "order_id"
    order_id: str
    qty: Decimal
    """Shares of them, by this."""
    report: OrderReport
    """What the broker shows of the order from here on; its filled quantity and price are net."""


class OrderRefused(Event, frozen=True, kw_only=True):
    """The broker's final no to a submit or a replace: nothing was created."""

    SUBJECT = "order_id"
    order_id: str
    text: str
    status_code: int | None = None
    code: int | None = None
    message: str = ""
    request_id: str | None = None


class OrderUnresolved(Event, frozen=True, kw_only=True):
    """A submit whose fate at the broker is not known."""

    SUBJECT = "order_id"
    order_id: str
    text: str


class OrderNeverReached(Event, frozen=True, kw_only=True):
    SUBJECT = "order_id"
    order_id: str
    why: str
    actor: str = "desk"


class OrderAdopted(Event, frozen=True, kw_only=True):
    """An order found at the broker that this desk did not make."""

    SUBJECT = "id"
    order: Order

    @property
    def id(self) -> str:
        return self.order.id


class LookupAsked(Event, frozen=True, kw_only=True):
    """Somebody wants to know what the broker says of an order now."""

    SUBJECT = "order_id"
    order_id: str
    actor: str


class CancelIntended(Event, frozen=True, kw_only=True):
    SUBJECT = "order_id"
    order_id: str
    actor: str
    reason: str = ""


class CancelRefused(Event, frozen=True, kw_only=True):
    SUBJECT = "order_id"
    order_id: str
    text: str


class ReplaceIntended(Event, frozen=True, kw_only=True):
    """A PATCH: ``order`` is the replacement under its new client id, ``order_id`` the one it replaces."""

    SUBJECT = "order_id"
    order_id: str
    order: Order
    body: dict[str, Any]
    purpose: Purpose
    actor: str


class ExitsAsleep(Event, frozen=True, kw_only=True):
    """The entry has filled, and the broker still does not act on these exits: from here on they are no cover."""

    SUBJECT = "bracket_id"
    bracket_id: str
    order_ids: tuple[str, ...]
    text: str


class ProtectionFailed(Event, frozen=True, kw_only=True):
    """One placement of exits failed."""

    SUBJECT = "bracket_id"
    bracket_id: str
    text: str


class ProtectionGaveUp(Event, frozen=True, kw_only=True):
    SUBJECT = "bracket_id"
    bracket_id: str
    text: str


class ProtectionRearmed(Event, frozen=True, kw_only=True):
    """Retry: the count of attempts starts anew."""

    SUBJECT = "bracket_id"
    bracket_id: str
    actor: str


class ExitRequested(Event, frozen=True, kw_only=True):
    """Somebody, or a rule, wants this trade closed."""

    SUBJECT = "bracket_id"
    bracket_id: str
    actor: str
    reason: str
    signal_id: str | None = None
    """The closing signal that asked for it."""
    when: ExitWhen = ExitWhen.NOW


class ExitsChanged(Event, frozen=True, kw_only=True):
    """The operator moved or dropped an exit; what is placed from here on follows."""

    SUBJECT = "bracket_id"
    bracket_id: str
    stop_price: Decimal
    take_profit_price: Decimal | None
    actor: str
    corporate_action: str = ""
    """Id of the split or dividend that they follow."""


class ExitsMoveAsked(Event, frozen=True, kw_only=True):
    """Stop or target are to be moved; ``ExitsChanged`` follows when the broker has confirmed it."""

    SUBJECT = "bracket_id"
    bracket_id: str
    stop_price: Decimal | None
    take_profit_price: Decimal | None
    """None leaves the exit where it is."""
    actor: str
    reason: str = ""
    is_breakeven: bool = False
    follows_fill: bool = False
    """The exits go to where the fill's price puts them."""
    targets: tuple[TargetPart, ...] = ()
    """All of them, where there are several to move."""
    high_water: Decimal | None = None
    """Of a trailing stop: the best price seen, for which it moves."""


class ExitsMoveRefused(Event, frozen=True, kw_only=True):
    """The broker did not take a move: the exits stand where they stood."""

    SUBJECT = "bracket_id"
    bracket_id: str
    text: str


class WatchBegan(Event, frozen=True, kw_only=True):
    """The desk itself holds this exit against live quotes, for as long as it runs."""

    SUBJECT = "bracket_id"
    bracket_id: str
    target: bool = False
    """False: the stop."""
    why: str = ""


class WatchEnded(Event, frozen=True, kw_only=True):
    SUBJECT = "bracket_id"
    bracket_id: str
    target: bool = False
    why: str = ""


class StopPassed(Event, frozen=True, kw_only=True):
    """The price is beyond a stop that does not stand, and the policy is to ask (``passed`` False: it came back)."""

    SUBJECT = "bracket_id"
    bracket_id: str
    passed: bool
    text: str = ""


class UnprotectedBegan(Event, frozen=True, kw_only=True):
    """A person keeps the supervisor's hands off for a while; the naked clock runs on."""

    SUBJECT = "bracket_id"
    bracket_id: str
    until: datetime
    actor: str


class UnprotectedEnded(Event, frozen=True, kw_only=True):
    SUBJECT = "bracket_id"
    bracket_id: str
    why: str
    actor: str = "desk"


class RepairBegan(Event, frozen=True, kw_only=True):
    """The operator chose a repair plan; the supervisor carries it out, also after a restart."""

    SUBJECT = "bracket_id"
    bracket_id: str
    repair: Repair


class RepairEnded(Event, frozen=True, kw_only=True):
    SUBJECT = "bracket_id"
    bracket_id: str
    plan_id: str
    done: bool
    text: str


class BracketAdjusted(Event, frozen=True, kw_only=True):
    """Another hand at the broker changed what is held: ``qty`` is added to the trade's held shares."""

    SUBJECT = "bracket_id"
    bracket_id: str
    qty: Decimal
    why: str


class PositionReported(Event, frozen=True, kw_only=True):
    SUBJECT = "symbol"
    position: Position

    @property
    def symbol(self) -> str:
        return self.position.symbol


class StageMeasured(Event, frozen=True, kw_only=True):
    SUBJECT = "signal_id"
    signal_id: str
    stage: Stage
    ms: float
    started_at: datetime


class DemoSwitched(Event, frozen=True, kw_only=True):
    on: bool
    actor: str


AnyEvent = (
    JournalOpened | AccountBound | DeskStarted | DeskStopped
    | SignalReceived | SignalRefused | SignalApproved | SignalRejected | SignalExpired | SignalDenied
    | SignalReturned | EntryHeld | EntryReleased
    | BracketOpened | OrderIntended | OrderReported | OrderRefused | OrderUnresolved | OrderNeverReached | OrderAdopted
    | ExecutionsTakenBack
    | LookupAsked | CancelIntended | CancelRefused | ReplaceIntended
    | ExitsAsleep | ProtectionFailed | ProtectionGaveUp | ProtectionRearmed
    | ExitRequested | BracketAdjusted | ExitsChanged
    | ExitsMoveAsked | ExitsMoveRefused | WatchBegan | WatchEnded | StopPassed | UnprotectedBegan | UnprotectedEnded
    | RepairBegan | RepairEnded
    | PositionReported | IncidentRaised | IncidentAcked | IncidentCleared
    | IncidentShelved | IncidentUnshelved
    | DeskStateSet | DifferenceSettled | DifferenceLapsed | LinkChanged | StageMeasured | DemoSwitched
    | DeskWoke | LoopStalled
    | PropDayOpened | PropMarked | PropDayClosed | PropDayCorrected | PropBreached
    | FlatProved | SuspensionAsked | SuspensionRefused | SuspensionSeen
    | DeskTripped | TripReleased | TripRearmed | MandateGranted | MandateConfirmed | MandateRevoked
)  # fmt: skip
"""The closed union that the codec decodes."""


class Recorded(msgspec.Struct, frozen=True):
    """A fact with its place in the journal."""

    seq: int
    at: datetime
    event: AnyEvent
