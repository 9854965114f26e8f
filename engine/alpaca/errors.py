"""The one classifier: what an outcome at the broker means for the request that met it.

The key is (outcome, verb, purpose). The outcome is a whole HTTP answer or a failure of the way there; the verb says
what the request would have done; the purpose says what for, and so whether waiting makes sense. Decisions rest on HTTP
status, then Alpaca's code, then extra fields of the body; message text comes last, where nothing else tells the cases
apart ("message strings can change without notice").

    outcome                                        read        write
    nothing left this machine                      Retryable   Retryable
    429                                            Retryable   Retryable: not processed
    408, 5xx, reset, time-out, unreadable answer   Retryable   Ambiguous
    4xx that isn't JSON: a gateway spoke           Retryable   Ambiguous (a read's 401 stays: keys refused)
    any other 4xx                                  first match in ``refusals.REFUSALS``, else Terminal

Sources: the Trading API specification; bodies quoted and recorded in public, which stand in the tests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

from engine.alpaca.outcomes import FailureKind, Outcome, Purpose, Response, TransportFailure, Verb
from engine.alpaca.reading import Malformed, decode, number_from
from engine.alpaca.refusals import (
    REFUSALS,
    AlreadyDone,
    DayOrdersOnly,
    DuplicateClientOrderId,
    KeysRefused,
    NotFound,
    PositionSmaller,
    PriceRefused,
    Unchanged,
    WaitsFor,
)
from engine.errors import AmbiguousError, BrokerError, NotYetError, RetryableError, TerminalError

__all__ = [
    "AlreadyDone",
    "DayOrdersOnly",
    "DuplicateClientOrderId",
    "FailureKind",
    "KeysRefused",
    "NotFound",
    "Outcome",
    "PositionSmaller",
    "PriceRefused",
    "Purpose",
    "Response",
    "TransportFailure",
    "Unchanged",
    "Verb",
    "WaitsFor",
    "classify",
    "retry_after_s",
]

LONGEST_QUOTE: Final = 160
"""Characters of the broker's own words in a sentence."""

MEANING_IF_NOTHING_HAPPENED: Final[Mapping[Purpose, str]] = {
    Purpose.ENTRY: "nothing was opened",
    Purpose.PROTECT: "this exit is not in place",
    Purpose.CLOSE: "the position is unchanged",
    Purpose.CANCEL: "the order is not canceled",
    Purpose.REPLACE: "the order keeps its terms",
    Purpose.CONFIGURE: "the account's settings are as they were",
    Purpose.READ: "what is shown may be out of date",
}

MEANING_IF_UNKNOWN: Final[Mapping[Purpose, str]] = {
    Purpose.ENTRY: "the order may be at the broker or not",
    Purpose.PROTECT: "the exit may be in place or not",
    Purpose.CLOSE: "the position may be closing or not",
    Purpose.CANCEL: "the order may be canceled or still working",
    Purpose.REPLACE: "the order may have its old terms or the new ones",
    Purpose.CONFIGURE: "the account's settings may have changed or not",
    Purpose.READ: "what is shown may be out of date",
}


SAFE_TO_REPEAT: Final[Mapping[Verb, str]] = {
    Verb.CANCEL: "canceling again is safe",
    Verb.CONFIGURE: "asking again is safe",
}


def classify(outcome: Outcome, verb: Verb, purpose: Purpose, *, now_unix_s: float | None = None) -> BrokerError:
    """The error for a request that did not simply succeed. Pure.

    A ``Response`` below 400 means that its answer could not be understood. ``now_unix_s`` turns ``X-RateLimit-Reset``
    into ``retry_after_s``. The caller raises the result ``from`` what it caught.
    """
    if isinstance(outcome, TransportFailure):
        return _lost(outcome, verb, purpose)
    body = _body_of(outcome)
    details = _Details(outcome, body)
    if outcome.status == 429:
        return RetryableError(
            _sentence(
                "Alpaca's request limit is used up", MEANING_IF_NOTHING_HAPPENED[purpose], "it is sent again soon"
            ),
            **details,
            retry_after_s=retry_after_s(outcome.headers, now_unix_s),
        )
    is_answer = body is not None or (outcome.status == 401 and verb is Verb.READ)
    if not is_answer or outcome.status < 400 or outcome.status == 408 or outcome.status >= 500:
        # Every answer tells when the request window ends: that is a wait for a limit, and for no other trouble.
        asked = {name: value for name, value in outcome.headers.items() if name == "retry-after"}
        return _unsettled(_what_came(outcome), verb, purpose, details, retry_after_s(asked, now_unix_s))
    return _refused(outcome, body or {}, verb, purpose, details)


def retry_after_s(headers: Mapping[str, str], now_unix_s: float | None) -> float | None:
    """Seconds the broker asks us to wait: ``Retry-After`` (seconds or a date), else until ``X-RateLimit-Reset``.

    Never negative; None when nothing usable was said. Header names are lower case.
    """
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    if now_unix_s is None:
        return None
    if asked:
        try:
            at = parsedate_to_datetime(asked)
        except ValueError:
            return None
        return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now_unix_s)
    try:
        reset = number_from(headers.get("x-ratelimit-reset", ""))
    except Malformed:
        return None
    return None if reset is None else max(0.0, float(reset) - now_unix_s)


class _Details(dict[str, Any]):
    """The keyword arguments every ``BrokerError`` of an answer shares."""

    def __init__(self, response: Response, body: dict[str, Any] | None) -> None:
        found = body or {}
        code = found.get("code")
        super().__init__(
            status_code=response.status,
            code=code if isinstance(code, int) and not isinstance(code, bool) else None,
            message=str(found.get("message", "")),
            request_id=response.request_id,
            body=found,
        )


def _lost(failure: TransportFailure, verb: Verb, purpose: Purpose) -> BrokerError:
    detail = f" ({failure.detail})" if failure.detail else ""
    what = f"{failure.kind.value[0].upper()}{failure.kind.value[1:]}{detail}"
    details: dict[str, Any] = {"message": failure.detail or failure.kind.value}
    if failure.was_sent:
        return _unsettled(what, verb, purpose, details, None)
    todo = "check the network; the desk keeps trying" if verb is Verb.READ else "nothing was sent; it is tried again"
    return RetryableError(_sentence(what, MEANING_IF_NOTHING_HAPPENED[purpose], todo), **details)


def _unsettled(
    what: str, verb: Verb, purpose: Purpose, details: Mapping[str, Any], wait_s: float | None
) -> BrokerError:
    if verb is Verb.READ:
        text = _sentence(what, MEANING_IF_NOTHING_HAPPENED[purpose], "it is read again")
        return RetryableError(text, **details, retry_after_s=wait_s)
    todo = SAFE_TO_REPEAT.get(verb, "it is looked up before anything is sent again")
    return AmbiguousError(_sentence(what, MEANING_IF_UNKNOWN[purpose], todo), **details)


def _refused(
    response: Response, body: dict[str, Any], verb: Verb, purpose: Purpose, details: Mapping[str, Any]
) -> BrokerError:
    usual_meaning = MEANING_IF_NOTHING_HAPPENED[purpose]
    for row in REFUSALS:
        if not row.matches(response.status, details["code"], body, verb, purpose):
            continue
        values = defaultdict(lambda: "", {name: _quoted(value) for name, value in body.items()})
        text = _sentence(row.what.format_map(values), row.meaning or usual_meaning, row.todo)
        if row.waits_for is not None:
            return NotYetError(text, waits_for=row.waits_for, **details)
        return row.error(text, **details)
    said = _quoted(details["message"]) or f"HTTP {response.status} without a reason"
    todo = "the same request would be refused again"
    return TerminalError(_sentence(f"Alpaca refused the request ({said})", usual_meaning, todo), **details)


def _body_of(response: Response) -> dict[str, Any] | None:
    """The error body, or None when what came isn't Alpaca's JSON (a gateway's page, say)."""
    if not response.is_json:
        return None
    try:
        body = decode(response.body)
    except Malformed:
        return None
    return body if isinstance(body, dict) else None


def _what_came(response: Response) -> str:
    if response.status < 300:
        return "Alpaca answered, but the answer could not be read"
    if response.status < 400:
        return f"Alpaca's address answered with a redirect (HTTP {response.status})"
    if response.status < 500 and response.status != 408:
        return f"A gateway before Alpaca answered with HTTP {response.status}"
    return f"Alpaca is in trouble (HTTP {response.status})"


def _sentence(what: str, meaning: str, todo: str) -> str:
    return f"{what}; {meaning}; {todo}."


def _quoted(value: object) -> str:
    text = str(value).replace("\n", " ").strip().rstrip(".")
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
