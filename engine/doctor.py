"""The doctor: is everything there that a desk needs, and if not, what is to be done.

It looks and changes nothing: it makes no folder, sends no order, keeps no connection, and works beside a running desk.
Every check ends in a ``Finding``; one that fails says in its text what to fix. Secrets are used where they have to be
and shown nowhere.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from filelock import FileLock, Timeout

from engine.alpaca.client import AlpacaClient, open_client
from engine.alpaca.credentials import NoCredentials, sim_keys
from engine.alpaca.endpoints import Access, EndpointRefused, SimAccess, sim_endpoint
from engine.alpaca.quotes import QuoteStream
from engine.alpaca.refusals import KeysRefused
from engine.alpaca.stream import AuthFailed, Connected, Disconnected, SlotTaken, Stream
from engine.alpaca.trades import OrderStream
from engine.clock import Clock, SystemClock
from engine.config import Config
from engine.errors import BrokerError, JournalUnavailable
from engine.exchange.server import serve_exchange
from engine.exchange.settings import ExchangeSettings
from engine.hosting import LOCK_FILE, alpaca_access
from engine.journal.reader import verify
from engine.model.words import Mode
from engine.start import JOURNAL_FILE
from engine.tasks import task_scope

CLOCK_OFFSET_MAX_MS: Final = 1_000.0
"""Beyond this, ages of quotes and times to live of signals are judged wrongly."""
FREE_BYTES_MIN: Final = 500_000_000
"""Some ten busy days of journal and log."""
SHORT_TOKEN: Final = 16
"""Characters; a shorter token can be guessed."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    ok: bool
    what: str
    """The thing that was looked at, in two or three words."""
    text: str
    """What was found; when not ``ok``, what to do about it."""


async def examine(data_dir: Path, broker: str, config: Config, environ: Mapping[str, str]) -> list[Finding]:
    """Look at everything, in the order in which a start would need it.

    Args:
        broker: ``sim``, ``paper`` or ``live``.
        config: already read, so that a file that cannot be used has been refused by name before.
        environ: where keys and addresses are looked for first.
    """
    loop, clock = asyncio.get_running_loop(), SystemClock()
    with ThreadPoolExecutor(1, thread_name_prefix="doctor") as pool:
        folder = [_folder(data_dir), _disk_space(data_dir)]
        desk_runs = _is_locked(data_dir)
        folder.insert(1, _lock(data_dir, desk_runs))
        journals = loop.run_in_executor(pool, _journals, data_dir)
        # The keyring may keep its thread waiting for a person: the journals have their own.
        with ThreadPoolExecutor(1, thread_name_prefix="keyring") as keyring:
            at_broker = await _broker(Mode(broker), config, environ, keyring, clock, desk_runs)
        return [*folder, _configuration(config), *at_broker, *await journals]


# --- this machine ----------------------------------------------------------------------------------------------------


def _folder(data_dir: Path) -> Finding:
    what = "data folder"
    if data_dir.exists():
        if not data_dir.is_dir():
            return Finding(ok=False, what=what, text=f"{data_dir} is a file: choose another --data-dir.")
        if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
            text = f"{data_dir} cannot be written: give this user the right to, or choose another --data-dir."
            return Finding(ok=False, what=what, text=text)
        return Finding(ok=True, what=what, text=f"{data_dir} can be written.")
    parent = _nearest(data_dir)
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        text = f"{data_dir} cannot be made in {parent}: give this user the right to, or choose another --data-dir."
        return Finding(ok=False, what=what, text=text)
    return Finding(ok=True, what=what, text=f"{data_dir} is not there yet; the first start makes it.")


def _nearest(path: Path) -> Path:
    """The path itself, or the closest of its parents that exists."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())


def _is_locked(data_dir: Path) -> bool | None:
    """Whether a desk runs on the folder; None when that cannot be found out.

    The lock is taken and given back at once: asking is the only way to know. A file that is not there is not made.
    """
    if not (data_dir / LOCK_FILE).exists():
        return False
    try:
        with FileLock(data_dir / LOCK_FILE, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return None


def _lock(data_dir: Path, desk_runs: bool | None) -> Finding:
    what = "desk lock"
    if desk_runs is None:
        text = f"{data_dir / LOCK_FILE} cannot be opened: it must belong to the user who starts the desk."
        return Finding(ok=False, what=what, text=text)
    text = "A desk runs on this folder; that is fine, a second one would be refused." if desk_runs else "Free."
    return Finding(ok=True, what=what, text=text)


def _disk_space(data_dir: Path) -> Finding:
    what = "disk space"
    place = _nearest(data_dir)
    try:
        free = shutil.disk_usage(place).free
    except OSError as why:
        return Finding(ok=False, what=what, text=f"The disk of {place} cannot be asked: {why}")
    text = f"{free / 1e9:.1f} GB are free at {place}"
    if free < FREE_BYTES_MIN:
        return Finding(
            ok=False, what=what, text=f"{text}: make room; without it the journal stops, and with it every entry."
        )
    return Finding(ok=True, what=what, text=f"{text}.")


def _configuration(config: Config) -> Finding:
    what = "configuration"
    tokens = {**config.api.signal_tokens, **config.api.read_tokens}
    short = sorted(name for name, token in tokens.items() if len(token) < SHORT_TOKEN)
    if short:
        text = f"The token of {', '.join(short)} is shorter than {SHORT_TOKEN} characters: make it longer."
        return Finding(ok=False, what=what, text=text)
    given = [*config.api.signal_tokens.values(), *config.api.read_tokens.values()]
    if len(set(given)) < len(given):
        text = "Two names in [api] share a token, so that nobody can tell who it was: give each its own."
        return Finding(ok=False, what=what, text=text)
    stop = config.protection.default_stop_pct
    without = "are denied" if stop is None else f"get one at {stop:g} %"
    text = f"Valid: {config.broker.requests_per_minute} requests a minute, signals without a stop {without}."
    return Finding(ok=True, what=what, text=text)


# --- the journals ----------------------------------------------------------------------------------------------------


def _journals(data_dir: Path) -> list[Finding]:
    found = sorted(data_dir.glob(f"*/{JOURNAL_FILE}"))
    if not found:
        return [Finding(ok=True, what="journal", text="There is none yet; the first start makes one.")]
    return [_journal(path) for path in found]


def _journal(path: Path) -> Finding:
    what = f"journal {path.parent.name}"
    try:
        checked = verify(path)
    except JournalUnavailable as why:
        text = f"{why.operator_text}. If it stays so, set the file aside, or restore a copy of it."
        return Finding(ok=False, what=what, text=text)
    if not checked.ok:
        where = f"from event {checked.first_bad_seq} on" if checked.first_bad_seq is not None else "as a whole"
        text = (
            f"{path} cannot be trusted {where} ({checked.why}): keep it as it is for evidence, and restore a copy, or "
            f"start in another --data-dir and let the desk reconcile with the broker."
        )
        return Finding(ok=False, what=what, text=text)
    if not os.access(path, os.W_OK):
        return Finding(ok=False, what=what, text=f"{path} cannot be written: it must belong to the desk's user.")
    return Finding(ok=True, what=what, text=f"{checked.events} events, the chain holds.")


# --- the broker ------------------------------------------------------------------------------------------------------


async def _broker(
    mode: Mode,
    config: Config,
    environ: Mapping[str, str],
    pool: ThreadPoolExecutor,
    clock: Clock,
    desk_runs: bool | None,
) -> list[Finding]:
    """The way to the broker, and what it says."""
    if mode is Mode.SIM:
        try:
            async with _exchange_in_memory(clock) as simulated:
                started = Finding(ok=True, what="exchange", text="The embedded exchange starts and listens.")
                return [started, *await at_broker(simulated, clock, desk_runs=False)]
        except OSError as why:
            text = f"The embedded exchange cannot listen on this machine: {why}. Allow programs to use 127.0.0.1."
            return [Finding(ok=False, what="exchange", text=text)]
    unseen = "Nothing was asked at the broker."
    try:
        access = await alpaca_access(mode, environ, config, pool)
    except NoCredentials as missing:
        return [Finding(ok=False, what="keys", text=f"{missing.operator_text} {unseen}")]
    except EndpointRefused as refused:
        return [Finding(ok=False, what="address", text=f"{refused.operator_text} {unseen}")]
    source = "the environment" if environ.get("APCA_API_KEY_ID", "").strip() else "the system's keyring"
    keys = Finding(ok=True, what="keys", text=f"Present, from {source}; not shown.")
    return [keys, *await at_broker(access, clock, desk_runs=bool(desk_runs))]


@asynccontextmanager
async def _exchange_in_memory(clock: Clock) -> AsyncIterator[SimAccess]:
    """A fresh exchange that leaves the desk's own book of it alone."""
    async with serve_exchange(ExchangeSettings(latency_ms=0.0), clock) as running:
        yield SimAccess(sim_endpoint(running.url), sim_keys())


async def at_broker(access: Access, clock: Clock, *, desk_runs: bool) -> list[Finding]:
    """Two reads and two streams at once: each ends by its own deadline, so all of it takes ten seconds at most."""
    async with open_client(access, clock) as client:
        return list(
            await asyncio.gather(
                _account(client),
                _clock_offset(client, clock),
                _stream("order stream", OrderStream(client.transport), desk_runs),
                _stream("data stream", QuoteStream(client.transport), desk_runs),
            )
        )


async def _account(client: AlpacaClient) -> Finding:
    what = "account"
    host = client.transport.endpoint.trading_url.host
    try:
        answer = await client.account()
    except BrokerError as lost:
        return Finding(ok=False, what=what, text=_trouble(lost, host))
    account = answer.value
    blocks = {
        "trading is blocked": account.trading_blocked,
        "the account is blocked": account.account_blocked,
        "trading is suspended by its owner": account.trade_suspended_by_user,
    }
    wrong = [text for text, is_so in blocks.items() if is_so]
    if account.status != "ACTIVE":
        wrong.insert(0, f"its status is {account.status}")
    if wrong:
        text = f"{account.account_number} cannot trade: {', '.join(wrong)}. Settle it in Alpaca's dashboard."
        return Finding(ok=False, what=what, text=text)
    took_ms = (answer.answered_at_s - answer.sent_at_s) * 1_000
    return Finding(
        ok=True, what=what, text=f"{account.account_number} is {account.status}; {host} answered in {took_ms:.0f} ms."
    )


async def _clock_offset(client: AlpacaClient, clock: Clock) -> Finding:
    what = "clock"
    try:
        answer = await client.clock()
    except BrokerError as lost:
        trouble = _trouble(lost, client.transport.endpoint.trading_url.host)
        return Finding(ok=False, what=what, text=f"The broker's time cannot be read. {trouble}")
    if answer.value.timestamp is None:
        return Finding(
            ok=False, what=what, text="The broker sent no time: ask its support whether the API has changed."
        )
    half_trip_ms = (answer.answered_at_s - answer.sent_at_s) * 500
    offset_ms = (answer.value.timestamp - clock.now()).total_seconds() * 1_000 + half_trip_ms
    session = "open" if answer.value.is_open else "closed"
    text = f"{abs(offset_ms):.0f} ms {'behind' if offset_ms > 0 else 'ahead of'} the broker's (± {half_trip_ms:.0f})"
    if abs(offset_ms) - half_trip_ms > CLOCK_OFFSET_MAX_MS:
        return Finding(ok=False, what=what, text=f"This machine's clock is {text}: let it follow a time server (NTP).")
    return Finding(ok=True, what=what, text=f"This machine's clock is {text}; the session is {session}.")


def _trouble(lost: BrokerError, host: str | None) -> str:
    if lost.status_code is None:
        return f"{host} cannot be reached ({lost.message}): check the network, the firewall and the address."
    if isinstance(lost, KeysRefused):
        return f"{host} does not accept the keys (HTTP {lost.status_code}): check that they belong to this mode."
    return f"{host} answered with HTTP {lost.status_code} ({lost.message}): {lost.operator_text}"


async def _stream(what: str, stream: Stream[Any], desk_runs: bool) -> Finding:
    """Connect once, and leave."""
    first = await _first_word(stream)
    match first:
        case Connected():
            return Finding(ok=True, what=what, text="Connected, and confirmed by the broker.")
        case SlotTaken() if desk_runs:
            text = "Its one connection is in use: by the desk that runs on this folder, as it should be."
            return Finding(ok=True, what=what, text=text)
        case SlotTaken(why=why):
            text = (
                f"{why[:1].upper()}{why[1:]}: no desk runs on this folder, so stop the program that uses the account, "
                f"or wait some minutes for a stale connection to end."
            )
            return Finding(ok=False, what=what, text=text)
        case AuthFailed(why=why):
            text = f"Refused: {why}. Check the keys, and that the account's data plan has the feed of [quotes] feed."
            return Finding(ok=False, what=what, text=text)
        case Disconnected(why=why):
            return Finding(ok=False, what=what, text=f"No connection: {why}. Check network, proxy and firewall.")
        case _:
            return Finding(ok=False, what=what, text=f"An unexpected first message: {first}. Try again.")


async def _first_word(stream: Stream[Any]) -> object:
    """How the first attempt to connect ended; the connection is closed again when this returns."""
    async with task_scope() as spawn:
        spawn("doctor-stream", stream.run())
        [first] = await stream.batch(1)
    return first
