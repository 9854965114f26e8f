"""What can go wrong, ordered by what may have happened at the broker.

    EngineError                    .operator_text: one sentence a person can act on
    ├─ BrokerError                 .request_id, .status_code, .code, .body
    │  ├─ RetryableError           nothing happened there; the same request may be sent again
    │  ├─ AmbiguousError           a write the broker may have acted on; find out before anything else
    │  ├─ NotYetError              refused for now; .waits_for names what has to happen first
    │  └─ TerminalError            refused for good; the same request fails again
    ├─ CommandRefused              the desk refuses a command; .code is stable, .field says where
    ├─ OrderDenied                 the gate said no before anything was sent; .reasons
    ├─ IllegalTransition           a report that the transition table does not know
    ├─ JournalUnavailable          the disk cannot take a fact now; entries stop, exits do not
    └─ InvariantViolated           a bug of ours: stop entries, keep the evidence

Callers choose by class, never by message text. Nothing here imports anything of the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EngineError(Exception):
    """Base of all expected failures. ``str(error)`` is ``operator_text``."""

    def __init__(self, operator_text: str) -> None:
        super().__init__(operator_text)
        self.operator_text = operator_text
        """What happened, what it means, what to do: one sentence."""


class BrokerError(EngineError):
    """The broker, or the way to it, failed a request. Made by ``alpaca/errors.py`` alone."""

    def __init__(
        self,
        operator_text: str,
        *,
        status_code: int | None = None,
        code: int | None = None,
        message: str = "",
        request_id: str | None = None,
        body: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(operator_text)
        self.status_code = status_code
        """HTTP status, or None when no answer came."""
        self.code = code
        """Alpaca's eight-digit code, or None when the body carried none."""
        self.message = message
        """Alpaca's own words (or the transport's), verbatim."""
        self.request_id = request_id
        """``X-Request-ID`` of the answer: the evidence."""
        self.body: Mapping[str, Any] = body or {}
        """The parsed error body with its extra fields (``held_for_orders``, ``base_price``, ...)."""
        self.retry_after_s = retry_after_s


class RetryableError(BrokerError):
    """Nothing happened at the broker (429, connection refused, a lost or failed read)."""


class AmbiguousError(BrokerError):
    """A write that the broker may have acted on (time-out, reset, 5xx, garbage)."""


class NotYetError(BrokerError):
    """Refused for now: wait for ``waits_for``, with a deadline; it does not count as a failure."""

    def __init__(self, operator_text: str, *, waits_for: str, **details: Any) -> None:
        super().__init__(operator_text, **details)
        self.waits_for = waits_for


class TerminalError(BrokerError):
    """The broker said no, and will say no again."""


class CommandRefused(EngineError):
    """A command that the desk does not take, with a code that other programs may rely on."""

    def __init__(
        self,
        code: str,
        operator_text: str,
        *,
        field: str | None = None,
        http_status: int = 409,
        reasons: Sequence[Any] = (),
    ) -> None:
        super().__init__(operator_text)
        self.code = code
        self.field = field
        self.http_status = http_status
        self.reasons = tuple(reasons)


class OrderDenied(EngineError):
    """The gate's no. Nothing was sent."""

    def __init__(self, operator_text: str, reasons: Sequence[Any]) -> None:
        super().__init__(operator_text)
        self.reasons = tuple(reasons)


class IllegalTransition(EngineError):
    """A state machine met an event its table does not know; nothing moved."""

    def __init__(self, machine: str, status: str, event: str) -> None:
        super().__init__(f"{machine} in {status} cannot take {event}")
        self.machine = machine
        self.status = status
        self.event = event


class JournalUnavailable(EngineError):
    """The journal could not be written (disk full, read-only, broken)."""


class InvariantViolated(EngineError):
    """Something that must be true is not: a bug of the desk's."""
