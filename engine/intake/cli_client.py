"""The client behind ``main.py signal``: one signal to the desk that runs on a data folder."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from engine.errors import EngineError
from engine.intake.api import URL_FILE
from engine.intake.auth import TOKEN_FILE

ANSWER_WITHIN_S: Final = 10.0
SOURCE: Final = "cli"


class SignalAnswer(msgspec.Struct, frozen=True):
    id: str
    status: str
    duplicate: bool


class _Fault(msgspec.Struct):
    code: str
    message: str
    field: str | None = None


class _Refusal(msgspec.Struct):
    error: _Fault


async def send_signal(
    data_dir: Path,
    *,
    side: str,
    symbol: str,
    stop: str | None = None,
    target: str | None = None,
    qty: str | None = None,
    limit: str | None = None,
    intent: str | None = None,
    note: str = "",
    token_override: str | None = None,
) -> SignalAnswer:
    """Posts the signal and returns the desk's answer. Prices and quantity are texts, as they were typed.

    ``token_override`` is ``GREENLIGHT_API_TOKEN``, when it is set.

    Raises:
        EngineError: no desk runs there, it cannot be reached, or it refuses; one sentence that says what to do.
    """
    url = _first_line(data_dir / URL_FILE, f"no desk runs on {data_dir}: start one with main.py --data-dir {data_dir}")
    token = token_override or _first_line(
        data_dir / TOKEN_FILE, f"{data_dir / TOKEN_FILE} is missing: restart the desk"
    )
    # Typing the same command twice means two signals, so each gets an id of its own.
    body: dict[str, Any] = {"source": SOURCE, "id": f"{SOURCE}-{secrets.token_hex(8)}", "symbol": symbol, "side": side}
    if limit is not None:
        body["entry"] = {"type": "limit", "limit_price": limit}
    if stop is not None:
        body["stop_loss"] = {"stop_price": stop}
    if target is not None:
        body["take_profit"] = {"limit_price": target}
    if qty is not None:
        body["qty"] = qty
    if intent is not None:
        body["intent"] = intent
    if note:
        body["note"] = note
    status, answer = await _post(f"{url}/v1/signals", json.dumps(body).encode(), token)
    try:
        if status in (200, 202):
            return msgspec.json.decode(answer, type=SignalAnswer)
        fault = msgspec.json.decode(answer, type=_Refusal).error
    except msgspec.MsgspecError:
        raise EngineError(f"what listens on {url} is no desk: it answered {status}") from None
    raise EngineError(f"the desk refuses the signal: {fault.message} ({fault.code})")


async def _post(url: str, body: bytes, token: str) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            return response.status, await response.read()
    except TimeoutError:
        raise EngineError(
            f"the desk did not answer within {ANSWER_WITHIN_S:.0f} s: look there whether the signal arrived"
        ) from None
    except aiohttp.ClientError as error:
        raise EngineError(f"the desk at {url} cannot be reached ({error}): is it still running?") from error


def _first_line(path: Path, otherwise: str) -> str:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        raise EngineError(otherwise)
    return text
