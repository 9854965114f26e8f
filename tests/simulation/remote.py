"""The desk as another machine sees it: commands go as HTTP requests to its operator API, on the simulated network.

Reads come from the desk itself, as an operator's eyes do; so a command may be about what is no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, override

import aiohttp
import msgspec

from engine.desk import Desk
from engine.errors import CommandRefused
from engine.model.commands import NO_EDITS, Edits, OrderChange

SCREEN: Final = "screen"
"""The machine from which it is asked."""
API_PORT: Final = 8787
TOKEN: Final = "a-token-of-the-simulated-operator"
PATIENCE_S: Final = 60.0
"""A command may have to read the broker first, which may be slow to answer."""
UNAVAILABLE: Final = 503
"""The journal takes nothing: the one failure that the API owns up to."""

Call = tuple[str, str, dict[str, Any] | bytes]


class NoAnswer(Exception):
    """The API did not answer: the command may have been taken, or not."""


class NotTheApi(Exception):
    """An answer that the API's contract does not know."""


def _approve(signal_id: str, *, preview_id: str | None = None, edits: Edits = NO_EDITS) -> Call:
    changed = {name: value for name, value in msgspec.structs.asdict(edits).items() if value is not None}
    shown = {"preview_id": preview_id} if preview_id is not None else {}
    return "POST", f"/v1/signals/{signal_id}/approve", changed | shown


def _approve_batch(ids: Sequence[str], *, preview_id: str | None = None) -> Call:
    shown = {"preview_id": preview_id} if preview_id is not None else {}
    return "POST", "/v1/signals/approve", {"ids": list(ids), **shown}


def _flatten(*, symbol: str | None) -> Call:
    return "POST", "/v1/flatten", {"all": True} if symbol is None else {"symbol": symbol}


def _state(state: str, *, scope: str = "desk", confirm: str | None = None) -> Call:
    typed = {"confirm": confirm} if confirm is not None else {}
    return "POST", "/v1/state", {"state": state, "scope": scope, **typed}


def _settle(difference_id: str, *, settlement: str) -> Call:
    return "POST", "/v1/start-gate", {"difference_id": difference_id, "settlement": settlement}


def _change(order_id: str, change: OrderChange) -> Call:
    numbers = msgspec.structs.asdict(change)
    return "PATCH", f"/v1/orders/{order_id}", {name: value for name, value in numbers.items() if value is not None}


CALLS: Final[dict[str, Callable[..., Call]]] = {
    "receive": lambda raw: ("POST", "/v1/signals", raw),
    "approve": _approve,
    "reject": lambda key, reason="": ("POST", f"/v1/signals/{key}/reject", {"reason": reason}),
    "undo": lambda key: ("POST", f"/v1/signals/{key}/undo", {}),
    "approve_batch": _approve_batch,
    "reject_batch": lambda ids, reason="": ("POST", "/v1/signals/reject", {"ids": list(ids), "reason": reason}),
    "cancel_order": lambda key: ("DELETE", f"/v1/orders/{key}", {}),
    "lookup_order": lambda key: ("POST", f"/v1/orders/{key}/lookup", {}),
    "attest_order": lambda key, settlement: ("POST", f"/v1/orders/{key}/attest", {"settlement": settlement}),
    "retry_bracket": lambda key: ("POST", f"/v1/brackets/{key}/retry", {}),
    "flatten_bracket": lambda key: ("POST", f"/v1/brackets/{key}/flatten", {}),
    "reprice_bracket": lambda key: ("POST", f"/v1/brackets/{key}/reprice", {}),
    "flatten": _flatten,
    "set_state": _state,
    "poll_orders": lambda on: ("POST", "/v1/stream", {"polling": on}),
    "ack_incident": lambda key: ("POST", f"/v1/incidents/{key}/ack", {}),
    "settle_difference": _settle,
    "halt.prove": lambda: ("POST", "/v1/halt/prove", {}),
    "halt.suspend": lambda: ("POST", "/v1/halt/suspend", {}),
    "replacing.replace": _change,
    "halt.resume": lambda confirm: ("POST", "/v1/halt/resume", {"confirm": confirm}),
}
"""Every command of the API by the name that it has at the desk's door, or at one of its parts."""
PARTS: Final = frozenset(name.partition(".")[0] for name in CALLS if "." in name)


class RemotePart:
    """A part of the remote desk: its commands go over the network, reading is plain."""

    def __init__(self, desk: RemoteDesk, name: str, part: object) -> None:
        self._desk = desk
        self._name = name
        self._part = part

    def __getattr__(self, name: str) -> Any:
        call = CALLS.get(f"{self._name}.{name}")
        if call is None:
            return getattr(self._part, name)
        return lambda *args, actor="", **options: self._desk._send(*call(*args, **options))


class RemoteDesk:
    """To be used like the ``Desk`` that it stands for, by what runs on the machine ``SCREEN``."""

    def __init__(self, desk: Desk, machine: str) -> None:
        self._desk = desk
        self._base = f"http://{machine}:{API_PORT}"

    @override
    def __getattribute__(self, name: str) -> Any:
        if name in CALLS:
            return lambda *args, actor="", **options: self._send(*CALLS[name](*args, **options))
        if name.startswith("_"):
            return super().__getattribute__(name)
        if name in PARTS:
            return RemotePart(self, name, getattr(self._desk, name))
        return getattr(self._desk, name)

    async def _send(self, method: str, path: str, body: dict[str, Any] | bytes) -> Any:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        try:
            async with (
                aiohttp.ClientSession(self._base, headers=headers, timeout=timeout) as session,
                session.request(method, path, data=raw) as response,
            ):
                status, answered = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as lost:
            raise NoAnswer(f"{method} {path}: {lost!r}") from lost
        return _judge(f"{method} {path}", status, answered)


def _judge(call: str, status: int, answered: bytes) -> Any:
    try:
        decoded = msgspec.json.decode(answered)
    except msgspec.DecodeError:
        raise NotTheApi(f"{call} was answered with {status} {answered[:200]!r}") from None
    if status < 300:
        return decoded
    error = decoded.get("error") if isinstance(decoded, dict) else None
    if (
        (status >= 500 and status != UNAVAILABLE)
        or not isinstance(error, dict)
        or not {"code", "message"} <= error.keys()
    ):
        raise NotTheApi(f"{call} was answered with {status} {answered[:200]!r}")
    raise CommandRefused(error["code"], error["message"], field=error.get("field"), http_status=status)
