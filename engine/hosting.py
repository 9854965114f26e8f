"""Where a desk lives and whom it talks to: its folder, its lock, its broker.

One desk per data folder (an operating-system lock, free again after kill -9). Inside, each mode and account has a
folder of its own, so that a paper fill can never be folded into a live book.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor as Pool
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from engine.alpaca.client import open_client
from engine.alpaca.credentials import live_keys, paper_keys, sim_keys
from engine.alpaca.endpoints import (
    Access,
    LiveAccess,
    PaperAccess,
    SimAccess,
    live_endpoint,
    paper_endpoint,
    sim_endpoint,
)
from engine.clock import Clock
from engine.config import Config
from engine.errors import BrokerError, EngineError
from engine.exchange.assets import LISTED
from engine.exchange.faults import ExitsRefused
from engine.exchange.server import RunningExchange, serve_exchange
from engine.exchange.settings import ExchangeSettings
from engine.model.words import Mode

log = logging.getLogger(__name__)

LOCK_FILE: Final = "desk.lock"
EQUITIES: Final = tuple(asset.symbol for asset in LISTED if not asset.is_crypto)
UNBOUND: Final = "unbound"
"""Folder of a desk that started while its broker could not be asked which account it is."""
ACCOUNT_DEADLINE_S: Final = 5.0


class FolderInUse(EngineError):
    """Another desk works in this data folder."""


def lock_folder(data_dir: Path) -> FileLock:
    """Hold the data folder for this process; released with it, however it ends.

    Raises:
        FolderInUse: another process holds it.
        EngineError: the folder cannot be made or written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(data_dir / LOCK_FILE)
        lock.acquire(timeout=0)
    except Timeout:
        raise FolderInUse(f"Another desk is running in {data_dir}: stop it, or use another --data-dir.") from None
    except OSError as why:
        raise EngineError(f"The data folder {data_dir} cannot be used: {why}") from why
    return lock


@dataclass(frozen=True, slots=True)
class EmbeddedExchange:
    """The exchange inside this process. Only ``embedded_exchange`` makes one: who has it is on no real account."""

    access: SimAccess
    running: RunningExchange
    symbols: tuple[str, ...]
    """Shares that it lists."""
    folder: Path
    """Where its book lies."""


@asynccontextmanager
async def embedded_exchange(
    data_dir: Path, clock: Clock, config: Config, seed: int, *, demo: bool
) -> AsyncIterator[EmbeddedExchange]:
    """The exchange in the box, its book in ``sim/exchange.db``."""
    folder = data_dir / Mode.SIM.value
    folder.mkdir(parents=True, exist_ok=True)
    settings = ExchangeSettings(
        seed=seed,
        db_path=folder / "exchange.db",
        requests_per_minute=config.broker.requests_per_minute,
    )
    async with serve_exchange(settings, clock) as running:
        if demo:
            # So that there is an incident to see, and Retry to press: the exchange refuses exactly as many
            # placements as the supervisor makes before it calls the operator.
            running.faults.add(ExitsRefused(then_refuse_oco=config.protection.max_attempts, seed=seed))
        yield EmbeddedExchange(SimAccess(sim_endpoint(running.url), sim_keys()), running, EQUITIES, folder)


async def alpaca_access(mode: Mode, environ: Mapping[str, str], config: Config, pool: Pool) -> Access:
    """Keys and addresses of Alpaca paper or live.

    Raises:
        EngineError: no keys, or an address that is not allowed.
    """
    if mode is Mode.LIVE:
        return LiveAccess(live_endpoint(environ, config.quotes.feed), await live_keys(environ, pool))
    return PaperAccess(paper_endpoint(environ, config.quotes.feed), await paper_keys(environ, pool))


async def account_number(access: Access, clock: Clock) -> str | None:
    """Whose keys these are; None when the broker cannot be asked now."""
    async with open_client(access, clock) as client:
        try:
            return (await client.account(deadline_s=ACCOUNT_DEADLINE_S)).value.account_number
        except BrokerError as lost:
            log.warning("the account cannot be read yet: %s", lost)
            return None


def account_folder(data_dir: Path, mode: Mode, number: str | None) -> Path:
    """``paper-ACCT`` or ``live-ACCT``.

    Without a number it is the only folder of this mode that exists, else an ``unbound`` one, which the next start
    names when the account is known.
    """
    unbound = data_dir / f"{mode.value}-{UNBOUND}"
    if number is None:
        known = [path for path in sorted(data_dir.glob(f"{mode.value}-*")) if path.is_dir() and path != unbound]
        return known[0] if len(known) == 1 else unbound
    folder = data_dir / f"{mode.value}-{number}"
    if unbound.exists() and not folder.exists():
        unbound.rename(folder)
    return folder
