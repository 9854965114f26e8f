"""The commands that need neither window nor desk: exchange, signal, verify, export, doctor.

Each takes the parsed arguments and tells the exit status. What they need is imported when they run.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engine.config import Config

FAILED: Final = 1
LONGEST_PERSON: Final = 64


def data_dir_of(arguments: argparse.Namespace) -> Path:
    if arguments.data_dir is not None:
        return Path(arguments.data_dir)
    from platformdirs import user_data_path

    return user_data_path("greenlight", appauthor=False)


def on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)


# --- what arguments may be --------------------------------------------------------------------------------------------


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), port_number(port)


def port_number(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def name_of_person(text: str) -> str:
    from engine.intake.auth import OPERATOR
    from engine.model.commands import WINDOW

    name = text.strip()
    if not name or not name.isprintable() or len(name) > LONGEST_PERSON:
        raise argparse.ArgumentTypeError(f"a name has 1 to {LONGEST_PERSON} printable characters")
    if name in (WINDOW, OPERATOR):
        raise argparse.ArgumentTypeError(f"{name!r} is what the first person is called")
    return name


def date_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-25") from None


def time_of(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 10:32") from None


def not_negative(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 60_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 60000")
    return number


def speed(text: str) -> float:
    number = float(text)
    if not 0.01 <= number <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0.01 and 10000")
    return number


def share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1")
    return number


# --- the commands -----------------------------------------------------------------------------------------------------


def run_exchange(arguments: argparse.Namespace) -> int:
    from engine.clock import SystemClock
    from engine.errors import EngineError
    from engine.exchange.faults import FaultsFileError
    from engine.exchange.replay import ReplayError
    from engine.exchange.server import ExchangeSettings, serve_exchange
    from engine.exchange.store import StoreError

    settings = ExchangeSettings(
        seed=arguments.seed,
        latency_ms=arguments.latency_ms,
        session=arguments.session,
        db_path=arguments.db,
        key=arguments.key,
        secret=arguments.secret,
        faults_path=arguments.faults,
        partial_fill_rate=arguments.partial_fill_rate,
        requests_per_minute=arguments.requests_per_minute,
        replay=arguments.replay,
        replay_speed=arguments.replay_speed,
    )

    async def serve() -> int:
        stop = asyncio.Event()
        on_signals(asyncio.get_running_loop(), stop.set)
        try:
            async with serve_exchange(settings, SystemClock(), host=arguments.host, port=arguments.port) as running:
                print(f"greenlight exchange ready url={running.url}", flush=True)
                await stop.wait()
        except (FaultsFileError, ReplayError, StoreError, OSError) as why:
            raise EngineError(str(why)) from why
        return 0

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    return asyncio.run(serve())


def run_signal(arguments: argparse.Namespace) -> int:
    from engine.intake.cli_client import send_signal

    answer = asyncio.run(
        send_signal(
            data_dir_of(arguments),
            side=arguments.side,
            symbol=arguments.symbol,
            stop=arguments.stop,
            target=arguments.target,
            qty=arguments.qty,
            limit=arguments.limit,
            intent=arguments.intent,
            token_override=os.environ.get("GREENLIGHT_API_TOKEN") or None,
        )
    )
    print(f"{answer.id} {answer.status}")
    return 0


def journals(arguments: argparse.Namespace) -> list[Path]:
    """The journals of a mode, one an account."""
    from engine.errors import EngineError
    from engine.start import JOURNAL_FILE

    data_dir = data_dir_of(arguments)
    pattern = "sim" if arguments.broker == "sim" else f"{arguments.broker}-*"
    found = sorted(data_dir.glob(f"{pattern}/{JOURNAL_FILE}"))
    if not found:
        raise EngineError(f"There is no journal of a {arguments.broker} desk in {data_dir}.")
    return found


def run_verify(arguments: argparse.Namespace) -> int:
    from engine.journal.reader import verify

    status = 0
    for path in journals(arguments):
        checked = verify(path)
        if checked.ok:
            print(f"{path}: {checked.events} events, the chain holds")
        else:
            print(f"{path}: broken at event {checked.first_bad_seq}: {checked.why}", file=sys.stderr)
            status = FAILED
    return status


def run_export(arguments: argparse.Namespace) -> int:
    from engine.journal.export import export

    for path in journals(arguments):
        written = export(path, arguments.to if arguments.broker == "sim" else arguments.to / path.parent.name)
        for file, rows in written.items():
            print(f"{file}: {rows} rows")
    return 0


def run_second_person(arguments: argparse.Namespace) -> int:
    """Reads the word without showing it, twice; from a pipe one line is enough."""
    import getpass

    import tomlkit

    from engine.errors import EngineError
    from engine.halt.second_person import SHORTEST_WORD, plain, sealed

    if sys.stdin.isatty():
        word = getpass.getpass(f"The word of {arguments.name}, {SHORTEST_WORD} characters at least: ")
        if plain(getpass.getpass("Once more: ")) != plain(word):
            raise EngineError("The two words are different: try again.")
    else:
        word = sys.stdin.readline()
    if len(plain(word)) < SHORTEST_WORD:
        raise EngineError(f"A word of {SHORTEST_WORD} characters is needed at least: whoever can guess it agrees.")
    print("Under [halt] in greenlight.toml, then restart the desk:", file=sys.stderr)
    print(f'second_persons.{tomlkit.key(arguments.name).as_string()} = "{sealed(word)}"')
    return 0


def run_doctor(arguments: argparse.Namespace) -> int:
    from engine.doctor import examine

    findings = asyncio.run(_examine(examine, arguments))
    for finding in findings:
        print(f"{'ok  ' if finding.ok else 'FIX '} {finding.what}: {finding.text}")
    return 0 if all(finding.ok for finding in findings) else FAILED


async def _examine(examine: Callable[..., Coroutine[Any, Any, Any]], arguments: argparse.Namespace) -> Any:
    from engine.config_file import load_config

    data_dir = data_dir_of(arguments)
    config: Config = load_config(
        arguments.config or data_dir / "greenlight.toml", required=arguments.config is not None
    )
    return await examine(data_dir, arguments.broker, config, os.environ)
