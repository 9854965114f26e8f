"""What a request asks for: its body, its query and its edits, checked before the desk hears of it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from aiohttp import hdrs, web

from engine.intake.door import Span
from engine.intake.fields import Fields
from engine.intake.jsontext import object_from, refusal
from engine.model.commands import Agreement, Edits
from engine.model.rejections import REJECTIONS
from engine.model.words import DeskState, ExitWhen, SignalStatus

DEFAULT_LIMIT: Final = 500
LARGEST_LIMIT: Final = 10_000
_SCOPE: Final = re.compile(r"desk|strategy:[^\x00-\x1f]{1,128}|symbol:[A-Za-z0-9./-]{1,32}")
_LONGEST_WHY: Final = 200
_EDITABLE: Final = ("qty", "limit_price", "stop_price", "take_profit_price")


async def body_of(request: web.Request, *known: str) -> Fields:
    """The JSON object in the body, with no other fields than ``known``; an empty body is an empty object."""
    raw = await request.read()
    fields = Fields(object_from(raw) if raw.strip() else {})
    fields.refuse_others(known)
    return fields


def query_of(request: web.Request) -> Fields:
    return Fields(dict(request.query))


def limit_of(query: Fields) -> int:
    limit = query.number("limit")
    if limit is None:
        return DEFAULT_LIMIT
    if limit != int(limit) or not 1 <= limit <= LARGEST_LIMIT:
        raise refusal("OUT_OF_RANGE", f"limit must be a whole number from 1 to {LARGEST_LIMIT}, not {limit}", "limit")
    return int(limit)


def status_of(query: Fields) -> SignalStatus | None:
    return query.word("status", SignalStatus, "UNKNOWN_STATUS")


def span_of(query: Fields) -> Span:
    match query.text("status"):
        case None | "open":
            return "open"
        case "all":
            return "all"
        case other:
            raise refusal("UNKNOWN_STATUS", f"status is {other[:40]!r}; it must be open or all", "status")


def edits_of(fields: Fields) -> Edits:
    return Edits(
        qty=fields.amount("qty"),
        limit_price=fields.price("limit_price"),
        stop_price=fields.price("stop_price"),
        take_profit_price=fields.price("take_profit_price"),
    )


async def approval_of(request: web.Request) -> tuple[str | None, Edits, str]:
    """The preview that was shown, what was changed in it, and why it is a yes although a rule warns."""
    fields = await body_of(request, "preview_id", "reason", *_EDITABLE)
    return fields.label("preview_id"), edits_of(fields), _why(fields)


async def rejection_of(request: web.Request) -> tuple[str, int | None]:
    """The reason of a no: own words, or the digit of a usual one."""
    fields = await body_of(request, "reason", "code")
    return _rejection(fields)


def _rejection(fields: Fields) -> tuple[str, int | None]:
    code = fields.number("code")
    if code is not None and code not in REJECTIONS:
        raise refusal("OUT_OF_RANGE", f"code is {code}; the usual reasons are 1 to {len(REJECTIONS)}", "code")
    return fields.text("reason", longest=2_000) or "", None if code is None else int(code)


async def batch_of(request: web.Request) -> list[str]:
    return _ids(await body_of(request, "ids"))


async def batch_approval_of(request: web.Request) -> tuple[list[str], str | None, str]:
    fields = await body_of(request, "ids", "preview_id", "reason")
    return _ids(fields), fields.label("preview_id"), _why(fields)


def _why(fields: Fields) -> str:
    return fields.text("reason", longest=_LONGEST_WHY) or ""


async def batch_rejection_of(request: web.Request) -> tuple[list[str], str, int | None]:
    fields = await body_of(request, "ids", "reason", "code")
    return _ids(fields), *_rejection(fields)


def _ids(fields: Fields) -> list[str]:
    ids = fields.labels("ids")
    if not ids:
        raise fields.missing("ids")
    return ids


async def settlement_of(request: web.Request) -> Literal["never_reached"]:
    fields = await body_of(request, "settlement")
    settlement = fields.text("settlement")
    if settlement is None:
        raise fields.missing("settlement", ": never_reached")
    if settlement != "never_reached":
        text = f"settlement is {settlement[:40]!r}; a person's word can only be never_reached"
        raise refusal("UNKNOWN_SETTLEMENT", text, "settlement")
    return "never_reached"


class SettlementAsked(NamedTuple):
    difference_id: str
    settlement: str
    stop_price: Decimal | None
    take_profit_price: Decimal | None


async def difference_of(request: web.Request) -> SettlementAsked:
    """Which difference of the start gate, how it is to be settled, and an adopted position's exits."""
    fields = await body_of(request, "difference_id", "settlement", "stop_price", "take_profit_price")
    difference_id, settlement = fields.text("difference_id"), fields.text("settlement")
    if difference_id is None:
        raise fields.missing("difference_id")
    if settlement is None:
        raise fields.missing("settlement")
    return SettlementAsked(difference_id, settlement, fields.price("stop_price"), fields.price("take_profit_price"))


class StateAsked(NamedTuple):
    state: DeskState
    scope: str
    confirm: str | None
    """The typed confirmation."""
    second: Agreement | None


async def state_of(request: web.Request) -> StateAsked:
    fields = await body_of(request, "state", "scope", "confirm", "second_person", "second_word")
    state = fields.word("state", DeskState, "UNKNOWN_STATE")
    if state is None:
        raise fields.missing("state")
    scope = fields.text("scope") or "desk"
    if not _SCOPE.fullmatch(scope):
        raise refusal("BAD_SCOPE", "scope must be desk, strategy:NAME or symbol:SYM", "scope")
    kind, _, name = scope.partition(":")
    if kind == "symbol":
        scope = f"symbol:{name.upper()}"
    return StateAsked(state, scope, fields.text("confirm"), _agreement_of(fields))


def _agreement_of(fields: Fields) -> Agreement | None:
    person, word = fields.text("second_person"), fields.text("second_word")
    if person is None and word is None:
        return None
    if person is None or word is None:
        raise fields.missing("second_person" if person is None else "second_word", ": both or neither")
    return Agreement(person, word)


async def polling_of(request: web.Request) -> bool:
    """Whether orders are to be polled in place of the order stream."""
    fields = await body_of(request, "polling")
    polling = fields.flag("polling")
    if polling is None:
        raise fields.missing("polling", ": true or false")
    return polling


async def prop_correction_of(request: web.Request) -> dict[str, Decimal | None]:
    """The firm's own numbers; at least one."""
    names = ("start_balance", "start_equity", "high_equity", "high_close")
    fields = await body_of(request, *names)
    if not any(name in fields for name in names):
        raise fields.missing("start_balance", f": say at least one of {', '.join(names)}")
    return {name: fields.amount(name) for name in names}


async def flatten_target_of(request: web.Request) -> tuple[str | None, ExitWhen]:
    """The symbol, or None for everything, which has to be asked for in so many words; and when."""
    fields = await body_of(request, "symbol", "all", "when")
    when = fields.word("when", ExitWhen, "UNKNOWN_WHEN") or ExitWhen.NOW
    if ("symbol" in fields) == ("all" in fields):
        raise refusal("MISSING_FIELD", 'say either {"symbol": "SYM"} or {"all": true}', "symbol")
    if "symbol" in fields:
        return fields.symbol("symbol"), when
    if not fields.is_true("all"):
        raise fields.wrong_type("all", "true")
    return None, when


def start_of(request: web.Request, journal_seq: int) -> int:
    """The number behind which a stream begins: ``Last-Event-ID`` of one that resumes, else ``?after=``, else 0."""
    resumed = request.headers.get(hdrs.LAST_EVENT_ID)
    name, value = ("Last-Event-ID", resumed) if resumed is not None else ("after", request.query.get("after", "0"))
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise refusal("WRONG_TYPE", f"{name} must be the number of an event, not {value[:40]!r}", name)
    if int(value) > journal_seq:
        text = f"{name} is {value}, but the journal ends at {journal_seq}: this is not the journal that was read before"
        raise refusal("OUT_OF_RANGE", text, name)
    return int(value)
