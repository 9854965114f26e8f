"""Alpaca's refusals: HTTP status, eight-digit code, message and extra fields.

One exception class, raised anywhere in the exchange and rendered by ``rest.py``. The message texts are those quoted in
public material, because clients compare them. Status and code do not always match: form errors keep the prefix 400
under HTTP 422, as at Alpaca.
"""

from __future__ import annotations

from typing import Final

FORM: Final = 40010001
FORBIDDEN: Final = 40310000
NOT_FOUND: Final = 40410000
UNPROCESSABLE: Final = 42210000
RATE_LIMITED: Final = 42910000


class Refusal(Exception):
    """The answer to a request that the exchange does not carry out. Nothing has changed."""

    def __init__(self, status: int, code: int | None, message: str, extra: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.extra: dict[str, object] = extra or {}

    def body(self) -> dict[str, object]:
        """The JSON body; ``code`` is absent where Alpaca leaves it out (401)."""
        body: dict[str, object] = {} if self.code is None else {"code": self.code}
        body["message"] = self.message.encode(errors="replace").decode()  # it may quote what was no text
        body.update(self.extra)
        return body


def malformed(message: str) -> Refusal:
    """422/40010001: the request's form is wrong."""
    return Refusal(422, FORM, message)


def unprocessable(message: str, **extra: object) -> Refusal:
    """422/42210000: well-formed, and against a rule."""
    return Refusal(422, UNPROCESSABLE, message, extra)


def forbidden(message: str, **extra: object) -> Refusal:
    """403/40310000: the account may not do this now."""
    return Refusal(403, FORBIDDEN, message, extra)


def not_found(message: str) -> Refusal:
    """404/40410000."""
    return Refusal(404, NOT_FOUND, message)


def bad_request(message: str) -> Refusal:
    """400 without a code: parameter errors of the market data API and a few old checks."""
    return Refusal(400, None, message)


def unauthorized() -> Refusal:
    """401, without a code."""
    return Refusal(401, None, "unauthorized.")


def rate_limited() -> Refusal:
    """429/42910000."""
    return Refusal(429, RATE_LIMITED, "rate limit exceeded")


def too_many_requests() -> Refusal:
    """The market data API's 429, without a code."""
    return Refusal(429, None, "too many requests.")


def insufficient_qty(
    *, symbol: str, requested: str, available: str, existing: str, held: str, related: list[str]
) -> Refusal:
    """403 because other orders reserve the shares, or because the order is larger than the position."""
    extra: dict[str, object] = {
        "available": available,
        "existing_qty": existing,
        "held_for_orders": held,
        "symbol": symbol,
    }
    if related:
        extra["related_orders"] = related
    return Refusal(
        403, FORBIDDEN, f"insufficient qty available for order (requested: {requested}, available: {available})", extra
    )
