"""What can be made to go wrong, as small values that match requests, orders and stream events.

A fault names where it applies (``method``, ``path``, ``symbol``, ``order_class``, ``side``, ``type``, ``role``,
``event``; absent means any), lets ``after`` matches pass, and then strikes ``count`` times (null: for ever). The same
values come from Python, from a JSON file and over ``/_exchange/faults``::

    [{"do": "refuse", "method": "POST", "path": "/v2/orders", "symbol": "AAPL", "status": 403, "count": 2},
     {"do": "lose_answer", "method": "POST", "path": "/v2/orders"}]
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.exchange.errors import FORBIDDEN
from engine.exchange.orders import STOPS, Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a fault is matched against; None where a fact does not exist."""

    method: str | None = None
    path: str | None = None
    symbol: str | None = None
    order_class: str | None = None
    side: str | None = None
    type: str | None = None
    role: str | None = None
    event: str | None = None


class Fault(msgspec.Struct, kw_only=True, tag_field="do", forbid_unknown_fields=True):
    """Base of all faults; see the module for matching."""

    id: str = ""
    method: str | None = None
    path: str | None = None
    """May hold ``*``: ``/v2/orders/*``."""
    symbol: str | None = None
    order_class: str | None = None
    side: str | None = None
    type: str | None = None
    role: str | None = None
    event: str | None = None
    count: int | None = 1
    after: int = 0

    def matches(self, facts: Facts) -> bool:
        if self.path is not None and not fnmatchcase(facts.path or "", self.path):
            return False
        return all(
            wanted is None or wanted == found
            for wanted, found in (
                (self.method, facts.method),
                (self.symbol, facts.symbol),
                (self.order_class, facts.order_class),
                (self.side, facts.side),
                (self.type, facts.type),
                (self.role, facts.role),
                (self.event, facts.event),
            )
        )


class Refuse(Fault, tag="refuse"):
    """A JSON refusal; nothing happens."""

    status: int = 403
    code: int | None = FORBIDDEN
    message: str = "request is forbidden"
    extra: dict[str, Any] = {}


class Html(Fault, tag="html"):
    """A gateway's HTML page; with ``accepted`` the request was carried out all the same."""

    status: int = 503
    accepted: bool = False


class Drop(Fault, tag="drop"):
    """The connection goes away before the request is looked at."""


class Hang(Fault, tag="hang"):
    """The request is never looked at, and never answered: the connection stays open for ``seconds``."""

    seconds: float = 3600.0


class LoseAnswer(Fault, tag="lose_answer"):
    """The request is carried out, its answer never comes: the connection is dropped after ``hang_s``."""

    hang_s: float = 0.0


class CutBody(Fault, tag="cut_body"):
    """The answer's headers and half of its body, then nothing."""


class Dribble(Fault, tag="dribble"):
    """The answer's body comes byte by byte, one every ``every_s``."""

    every_s: float = 0.5


class FalseRefusal(Fault, tag="false_refusal"):
    """A JSON refusal, although the request was carried out (seen with replaces)."""

    status: int = 422
    code: int | None = 42210000
    message: str = "order chain not fully replaced"


class Garbage(Fault, tag="garbage"):
    """A 200 whose body is no JSON."""

    body: str = "<<<"


class Delay(Fault, tag="delay"):
    """The answer comes late; the request itself is carried out in time."""

    seconds: float = 1.0


class Mangle(Fault, tag="mangle"):
    """Orders in answers and trade updates carry other fields: an unknown status, a new key, a removed one (null)."""

    set: dict[str, Any] = {}

    def apply_to(self, order: dict[str, Any]) -> None:
        for name, value in self.set.items():
            if value is None:
                order.pop(name, None)
            else:
                order[name] = value

    def apply_to_body(self, body: bytes) -> bytes:
        """The JSON body with the fields set in it, or in each of its rows."""
        decoded = msgspec.json.decode(body)
        for each in decoded if isinstance(decoded, list) else [decoded]:
            if isinstance(each, dict):
                self.apply_to(each)
        return msgspec.json.encode(decoded)


class RefuseStream(Fault, tag="refuse_stream"):
    """The order stream's handshake is refused."""

    status: int = 429


class CutStream(Fault, tag="cut_stream"):
    """The order stream's connections go away just before the event would be sent, and the event with them."""


class LoseEvent(Fault, tag="lose_event"):
    """A trade update is never sent."""


class DoubleEvent(Fault, tag="double_event"):
    """A trade update is sent twice, with the same execution id."""


class DelayEvent(Fault, tag="delay_event"):
    """A trade update, and with it all that follow, comes late."""

    seconds: float = 1.0


class SwapEvents(Fault, tag="swap_events"):
    """A trade update is sent after the one that follows it."""


class MuteStream(Fault, tag="mute_stream"):
    """The order stream's connections fall silent: nothing comes any more, and pings are not answered."""


class KeepSlot(Fault, tag="keep_slot"):
    """The slot of an order stream that has gone stays taken for ``seconds``: the next handshakes get 429."""

    seconds: float = 30.0


class StaleQuotes(Fault, tag="stale_quotes"):
    """While it is set, a symbol's quotes and trades stop, over REST (the old ones stay) and on the data stream."""


class CutData(Fault, tag="cut_data"):
    """The data stream's connections are cut instead of the next message."""


class BothExitsFill(Fault, tag="both_exits_fill"):
    """When one exit of a group has executed, the other executes too before it is canceled: the position turns round."""


class LegsStayHeld(Fault, tag="legs_stay_held"):
    """A group's exits stay ``held`` and without effect although its entry has filled."""


class LegsDie(Fault, tag="legs_die"):
    """After a part of a group's target has executed, both exits are canceled."""


class RejectLegs(Fault, tag="reject_legs"):
    """A group's exits are rejected when its entry has filled: the position is naked."""


class StickCancel(Fault, tag="stick_cancel"):
    """A cancel stays ``pending_cancel``; the order can still fill."""


class CancelRejected(Fault, tag="cancel_rejected"):
    """The venue refuses a cancel that was taken: the order works on, and ``order_cancel_rejected`` says so."""


class PartialFill(Fault, tag="partial_fill"):
    """``shares`` of an order execute first, the rest within a second."""

    shares: Decimal = Decimal(1)


class ExitsRefused(Fault, tag="exits_refused"):
    """The demo's script: now and then a bracket loses its exits, and the first attempts to replace them are refused.

    Accepted bracket and OTO groups are counted. The ``from_group``-th, and then about one of ``every`` (drawn from
    ``seed``), has its exits rejected when its entry fills; the next ``then_refuse_oco`` OCO or stop orders in its
    symbol are refused with 403 ``request is forbidden``. After that all is normal.
    """

    from_group: int = 4
    every: int = 6
    then_refuse_oco: int = 2
    seed: int = 7
    count: int | None = None

    def strikes_group(self, number: int) -> bool:
        """Whether the n-th group (from 1) is one of those that lose their exits."""
        block, place = divmod(number - self.from_group, self.every)
        if block < 0:
            return False
        return place == (0 if block == 0 else random.Random(f"{self.seed}/{block}").randrange(self.every))


AnyFault = (
    Refuse | Html | Drop | Hang | LoseAnswer | CutBody | Dribble | FalseRefusal | Garbage | Delay | Mangle
    | RefuseStream | KeepSlot | CutStream | MuteStream | LoseEvent | DoubleEvent | DelayEvent | SwapEvents
    | StaleQuotes | CutData
    | RejectLegs | LegsStayHeld | LegsDie | BothExitsFill | StickCancel | CancelRejected | PartialFill
    | ExitsRefused
)  # fmt: skip

F = TypeVar("F", bound=Fault)


class FaultsFileError(ValueError):
    """A file of faults that cannot be read; the message names the file and what is wrong."""


def parse_faults(data: bytes) -> list[Fault]:
    """Faults of a JSON object or list. Raises ``msgspec.MsgspecError`` that names the place."""
    one_or_many = msgspec.json.decode(data)
    many = one_or_many if isinstance(one_or_many, list) else [one_or_many]
    return list(msgspec.convert(many, list[AnyFault]))


class Faults:
    """The faults of a running exchange; set them at any time."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults: list[Fault] = []
        self._matched: dict[str, int] = {}
        self._number = 0
        self._groups = 0
        self._naked: dict[str, int] = {}
        """Entries whose exits ``ExitsRefused`` will reject, with the exit orders that it refuses afterwards."""
        self._refusing: dict[str, int] = {}
        """Symbol to the exit orders that are still refused in it."""
        for fault in faults:
            self.add(fault)

    @classmethod
    def load(cls, path: Path) -> Faults:
        """Faults of a JSON file (an object or a list). Raises ``FaultsFileError``."""
        try:
            return cls(parse_faults(path.read_bytes()))
        except OSError as error:
            raise FaultsFileError(f"cannot read the faults file {path}: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            raise FaultsFileError(f"the faults file {path} is wrong: {error}") from error

    def add(self, fault: Fault) -> str:
        """Sets a fault and returns its id."""
        self._number += 1
        fault.id = fault.id or f"fault-{self._number}"
        self._faults.append(fault)
        self._matched[fault.id] = 0
        return fault.id

    def extend(self, others: Faults) -> None:
        for fault in others.listing():
            self.add(fault)

    def remove(self, fault_id: str) -> bool:
        before = len(self._faults)
        self._faults = [fault for fault in self._faults if fault.id != fault_id]
        return len(self._faults) < before

    def clear(self) -> None:
        """Takes back every fault and what the script has under way."""
        self._faults.clear()
        self._matched.clear()
        self._naked.clear()
        self._refusing.clear()

    def __bool__(self) -> bool:
        """Whether any fault is set; without one, nobody needs to gather facts."""
        return bool(self._faults)

    def listing(self) -> list[Fault]:
        return list(self._faults)

    def take(self, kind: type[F], facts: Facts) -> F | None:
        """The first fault of a kind that strikes now; every fault that matches counts it."""
        striking: F | None = None
        for fault in self._faults:
            if not isinstance(fault, kind) or not fault.matches(facts):
                continue
            self._matched[fault.id] += 1
            nth = self._matched[fault.id] - fault.after
            if striking is None and nth >= 1 and (fault.count is None or nth <= fault.count):
                striking = fault
        return striking

    # -- asked by the matching --------------------------------------------------------------------------------------

    def note_group(self, entry: Order) -> None:
        """A bracket or OTO group was accepted."""
        self._groups += 1
        for fault in self._faults:
            if isinstance(fault, ExitsRefused) and fault.matches(facts_of(entry)) and fault.strikes_group(self._groups):
                self._naked[entry.id] = fault.then_refuse_oco

    def rejects_legs(self, entry: Order) -> bool:
        refusals = self._naked.pop(entry.id, None)
        if refusals is not None:
            self._refusing[entry.symbol] = refusals
            return True
        return self.take(RejectLegs, facts_of(entry)) is not None

    def refuses_exit(self, facts: Facts) -> bool:
        """Whether the script refuses this OCO or stop order."""
        if not facts.symbol or not self._refusing.get(facts.symbol):
            return False
        is_stop = facts.order_class == "simple" and facts.type in STOPS
        if facts.order_class != "oco" and not is_stop:
            return False
        self._refusing[facts.symbol] -= 1
        return True

    def leaves_held(self, entry: Order) -> bool:
        return self.take(LegsStayHeld, facts_of(entry)) is not None

    def kills_legs(self, target: Order) -> bool:
        return self.take(LegsDie, facts_of(target)) is not None

    def fills_both(self, exited: Order) -> bool:
        return self.take(BothExitsFill, facts_of(exited)) is not None

    def silences(self, symbol: str) -> bool:
        """Whether a symbol's quotes have stopped: for as long as the fault is set."""
        facts = Facts(symbol=symbol)
        return any(isinstance(fault, StaleQuotes) and fault.matches(facts) for fault in self._faults)

    def sticks(self, order: Order) -> bool:
        return self.take(StickCancel, facts_of(order)) is not None

    def rejects_cancel(self, order: Order) -> bool:
        return self.take(CancelRejected, facts_of(order)) is not None

    def partial_fill(self, order: Order) -> Decimal | None:
        fault = self.take(PartialFill, facts_of(order))
        return None if fault is None else fault.shares


def facts_of(order: Order, event: str | None = None) -> Facts:
    """An order as a fault sees it."""
    return Facts(
        symbol=order.symbol,
        order_class=order.order_class or "simple",
        side=order.side,
        type=order.type,
        role=order.role,
        event=event,
    )
