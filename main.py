"""Greenlight's command line and composition root: reads the arguments, picks the loop, starts desk and window.

Nothing heavy is imported before it is known to be needed: the window first, then what it shows.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.commandline import (
    FAILED,
    address,
    data_dir_of,
    date_of,
    journals,
    name_of_person,
    not_negative,
    on_signals,
    port_number,
    run_doctor,
    run_exchange,
    run_export,
    run_second_person,
    run_signal,
    run_verify,
    share,
    speed,
    time_of,
)

if TYPE_CHECKING:
    from engine.alpaca.endpoints import Access
    from engine.desk import Desk
    from engine.drills.room import DrillRoom

log = logging.getLogger("greenlight")

LOG_BYTES: Final = 5_000_000
LOG_FILES: Final = 5
DEFAULT_SEED: Final = 7
DEFAULT_API: Final = ("127.0.0.1", 8787)
BROKERS: Final = ("sim", "paper", "live")


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0 done, 1 failed with one sentence on standard error, 2 wrong usage."""
    arguments = parse_arguments(argv)
    from engine.errors import EngineError

    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        return 0
    except EngineError as failed:
        print(f"greenlight: {failed.operator_text}", file=sys.stderr)
        return FAILED
    except BaseExceptionGroup as group:
        known = _engine_error_in(group)
        if known is None:
            raise
        print(f"greenlight: {known}", file=sys.stderr)
        return FAILED


def _engine_error_in(group: BaseExceptionGroup[BaseException]) -> str | None:
    """The sentence of the first expected failure in a group of tasks, None when there is only unexpected trouble."""
    from engine.errors import EngineError

    matched, rest = group.split(EngineError)
    if matched is None or (rest is not None and rest.subgroup(lambda e: not isinstance(e, asyncio.CancelledError))):
        return None
    found: BaseException = matched
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return str(found)


# --- arguments -----------------------------------------------------------------------------------------------------


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="main.py", description="Greenlight, an operator's desk for Alpaca.")
    _add_desk_arguments(parser)
    parser.set_defaults(run=run_desk)
    commands = parser.add_subparsers(title="commands", metavar="")
    _add_exchange_command(commands)
    _add_signal_command(commands)
    _add_replay_command(commands)
    _add_second_person_command(commands)
    for name, text, run in (
        ("doctor", "check keys, reachability, clock, streams, data folder, journal; say what to fix", run_doctor),
        ("verify", "check the journal's hash chain", run_verify),
        ("export", "write signals, orders, fills, brackets and latencies as CSV", run_export),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--broker", choices=BROKERS, default="sim")
        command.add_argument("--data-dir", type=Path, default=None)
        command.set_defaults(run=run)
        if name == "export":
            command.add_argument("--to", type=Path, required=True, metavar="DIR")
        if name == "doctor":
            command.add_argument("--config", type=Path, default=None)
    return parser.parse_args(argv)


def _add_desk_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--broker", choices=BROKERS, default="sim", help="default: sim")
    parser.add_argument("--headless", action="store_true", help="the same engine and API without a window")
    parser.add_argument("--confirm-live", metavar="ACCOUNT", help="account number; needed for live without a window")
    parser.add_argument("--data-dir", type=Path, default=None, help="journal, tokens, settings")
    parser.add_argument("--config", type=Path, default=None, help="default: greenlight.toml in the data folder")
    parser.add_argument("--api", type=address, default=DEFAULT_API, metavar="HOST:PORT", help="port 0: a free one")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of the embedded market")
    parser.add_argument("--no-demo", action="store_true", help="no demo strategy, no demo faults")


def _add_exchange_command(commands: Any) -> None:
    command = commands.add_parser("exchange", help="the Alpaca in the box alone, for any Alpaca client")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=port_number, default=0)
    command.add_argument("--seed", type=int, default=DEFAULT_SEED)
    command.add_argument("--latency-ms", type=not_negative, default=80.0)
    command.add_argument("--faults", type=Path, default=None, metavar="FILE")
    command.add_argument("--key", default=None)
    command.add_argument("--secret", default=None)
    command.add_argument("--session", choices=("open", "real"), default="open")
    command.add_argument("--db", type=Path, default=None, metavar="FILE", help="keep the book here; default: in memory")
    command.add_argument("--partial-fill-rate", type=share, default=0.0, help="Alpaca's paper: 0.1")
    command.add_argument("--requests-per-minute", type=int, default=None)
    command.add_argument("--replay", type=Path, default=None, metavar="FILE", help="play these one-minute bars (CSV)")
    command.add_argument("--replay-speed", type=speed, default=1.0, metavar="N", help="times faster than they were")
    command.set_defaults(run=run_exchange)


def _add_signal_command(commands: Any) -> None:
    command = commands.add_parser("signal", help="send a signal to a running desk")
    command.add_argument("side", choices=("buy", "sell"))
    command.add_argument("symbol")
    command.add_argument("--stop", default=None)
    command.add_argument("--target", default=None)
    command.add_argument("--qty", default=None)
    command.add_argument("--limit", default=None)
    command.add_argument("--intent", choices=("open", "close"), default="open")
    command.add_argument("--data-dir", type=Path, default=None)
    command.set_defaults(run=run_signal)


def _add_replay_command(commands: Any) -> None:
    command = commands.add_parser("replay", help="open a day that is over in a window, read-only, beside a desk or not")
    command.add_argument("--broker", choices=BROKERS, default="sim")
    command.add_argument("--account", default=None, help="where there are journals of several")
    command.add_argument(
        "--day", type=date_of, default=None, help="New York's date; default: the newest in the journal"
    )
    command.add_argument("--at", type=time_of, default=None, metavar="HH:MM", help="New York's time to begin at")
    command.add_argument("--data-dir", type=Path, default=None)
    command.set_defaults(run=run_replay)


def _add_second_person_command(commands: Any) -> None:
    command = commands.add_parser(
        "second-person", help="seal the word of a second person, who has to agree to leave a halt"
    )
    command.add_argument("name", type=name_of_person)
    command.set_defaults(run=run_second_person)


# --- the desk ------------------------------------------------------------------------------------------------------


def import_before_qt() -> None:
    """What a window stands on, in the order that is cheap.

    Once PySide6 is there, its hook in ``import`` reads the source of every module that comes after it, to see whether
    it uses Qt (and ``linecache`` keeps some 20 MB of lines). So the engine comes first. The hook also asks each module
    for attributes, at which pydantic imports more of itself; while another thread imports too, that can fail with
    "partially initialized module". So pydantic, which alpaca-py's request models stand on, comes first as well.
    """
    import engine.drills.room
    import engine.intake.api
    import engine.past.opening
    import engine.start  # noqa: F401
    from engine.alpaca.check import import_request_models

    import_request_models()


def run_desk(arguments: argparse.Namespace) -> int:
    if arguments.headless:
        start_logging(data_dir_of(arguments))
        return asyncio.run(_run_headless(arguments))
    return _run_with_window(arguments)


async def _run_headless(arguments: argparse.Namespace) -> int:
    quit_requested = asyncio.Event()
    on_signals(asyncio.get_running_loop(), quit_requested.set)
    async with _serving_desk(arguments):
        await quit_requested.wait()
        log.info("stopping: working orders and stops stay at the broker")
    return 0


def _run_with_window(arguments: argparse.Namespace) -> int:
    import_before_qt()
    from engine.past.opening import PastDays
    from engine.settings import SettingsFile
    from gui.app import make_application, show_window

    application = make_application(sys.argv[:1])
    from qasync import QEventLoop

    async def run() -> int:
        quit_requested = asyncio.Event()
        on_signals(asyncio.get_running_loop(), quit_requested.set)
        async with _serving_desk(arguments) as (desk, drills):
            from engine.clock import SystemClock
            from engine.config_file import load_config
            from engine.key_cabinet import KeyCabinet
            from gui.sounds.speaker import Speaker
            from gui.sounds.voice import Voice

            layout = data_dir_of(arguments) / "layout.ini"
            settings_file = arguments.config or data_dir_of(arguments) / "greenlight.toml"
            keys = KeyCabinet(os.environ, load_config(settings_file, required=False), SystemClock())
            speaker, voice = Speaker(), Voice()
            async with show_window(
                desk,
                drills=drills,
                layout_file=layout,
                on_close=quit_requested.set,
                settings=SettingsFile(settings_file),
                keys=keys,
                speaker=speaker,
                voice=voice,
                welcome=not layout.exists(),
                past=PastDays(desk.journal_path, desk.mode),
            ):
                await quit_requested.wait()
            speaker.close()
            voice.close()
            keys.close()
        return 0

    start_logging(data_dir_of(arguments))
    with asyncio.Runner(loop_factory=lambda: QEventLoop(application)) as runner:
        return runner.run(run())


def run_replay(arguments: argparse.Namespace) -> int:
    import_before_qt()
    from engine.past.opening import day_of, journal_of, opened

    journal = journal_of(journals(arguments), arguments.account)
    day = day_of(journal, arguments.day)
    from gui.app import make_application, show_past

    application = make_application(sys.argv[:1])
    from qasync import QEventLoop

    from engine.model.words import Mode

    async def run() -> int:
        quit_requested = asyncio.Event()
        on_signals(asyncio.get_running_loop(), quit_requested.set)
        layout = data_dir_of(arguments) / "layout-replay.ini"
        async with (
            opened(journal, Mode(arguments.broker), day, arguments.at) as past,
            show_past(past, layout_file=layout, on_close=quit_requested.set),
        ):
            print(f"greenlight replay of {past.day.date} data={journal.parent}", flush=True)
            await quit_requested.wait()
        return 0

    with asyncio.Runner(loop_factory=lambda: QEventLoop(application)) as runner:
        return runner.run(run())


@asynccontextmanager
async def _serving_desk(arguments: argparse.Namespace) -> AsyncIterator[tuple[Desk, DrillRoom | None]]:
    """A desk with its broker and its API, and on the embedded exchange a room for drills; prints the ready line once
    the API listens.
    """
    from concurrent.futures import ThreadPoolExecutor

    from engine.clock import SystemClock
    from engine.config_file import load_config
    from engine.drills.room import open_drills
    from engine.garbage import short_pauses
    from engine.heap import small_heap
    from engine.hosting import (
        EmbeddedExchange,
        account_folder,
        account_number,
        alpaca_access,
        embedded_exchange,
        lock_folder,
    )
    from engine.intake.api import ApiSettings, serve_api
    from engine.model.words import Mode
    from engine.past.recording import taping
    from engine.past.tape_file import TAPE_FILE
    from engine.start import DeskSettings, start_desk
    from engine.watchdog import Watchdog, watched_loop

    clock, data_dir, mode = SystemClock(), data_dir_of(arguments), Mode(arguments.broker)
    lock = lock_folder(data_dir)
    config = load_config(arguments.config or data_dir / "greenlight.toml", required=arguments.config is not None)
    async with AsyncExitStack() as stack:
        stack.callback(lock.release)
        access: Access
        symbols: tuple[str, ...] = ()
        embedded: EmbeddedExchange | None = None
        drills: DrillRoom | None = None
        if mode is Mode.SIM:
            demo = not arguments.no_demo
            embedded = await stack.enter_async_context(
                embedded_exchange(data_dir, clock, config, arguments.seed, demo=demo)
            )
            access = embedded.access
            symbols = embedded.symbols if demo else ()
            folder = data_dir / mode.value
        else:
            with ThreadPoolExecutor(1) as pool:
                access = await alpaca_access(mode, os.environ, config, pool)
            number = await account_number(access, clock)
            _confirm_live(arguments, mode, number)
            folder = account_folder(data_dir, mode, number)
        settings = DeskSettings(
            mode=mode,
            folder=folder,
            config=config,
            demo_symbols=symbols,
            seed=arguments.seed,
            asks_confirmation=mode is Mode.LIVE and not arguments.headless,
        )
        desk = await stack.enter_async_context(start_desk(settings, access, clock))
        if embedded is not None:
            drills = await stack.enter_async_context(
                open_drills(desk, desk.bus, embedded, clock, max_attempts=config.protection.max_attempts)
            )
        host, port = arguments.api
        api = await stack.enter_async_context(
            serve_api(
                desk,
                ApiSettings(
                    host=host,
                    port=port,
                    data_dir=data_dir,
                    allowed_hosts=config.api.allowed_hosts,
                    token_override=os.environ.get("GREENLIGHT_API_TOKEN") or None,
                    signal_tokens=config.api.signal_tokens,
                    read_tokens=config.api.read_tokens,
                ),
                clock,
                drills=drills,
            )
        )
        await stack.enter_async_context(taping(desk, folder / TAPE_FILE, clock, keep_days=config.replay.keep_days))
        await stack.enter_async_context(short_pauses(clock, desk.is_quiet))
        await stack.enter_async_context(small_heap(clock, desk.is_quiet))
        await stack.enter_async_context(watched_loop(Watchdog(data_dir / "stalls", clock), desk.note_stall))
        print(f"greenlight ready mode={mode.value} api={api.url} data={data_dir}", flush=True)
        yield desk, drills


def _confirm_live(arguments: argparse.Namespace, mode: Any, number: str | None) -> None:
    from engine.errors import EngineError
    from engine.model.words import Mode

    if mode is not Mode.LIVE or not arguments.headless:
        return
    if number is None:
        raise EngineError("The live account cannot be read, so it cannot be confirmed: check keys and connection.")
    if arguments.confirm_live != number:
        raise EngineError("Live without a window needs --confirm-live with the account's number.")


def start_logging(data_dir: Path) -> None:
    """To standard error and a rotating file. Nothing but the ready line ever goes to standard output."""
    form = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        handlers.append(RotatingFileHandler(data_dir / "greenlight.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES))
    except OSError as why:
        print(f"greenlight: no log file: {why}", file=sys.stderr)
    for handler in handlers:
        handler.setFormatter(form)
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)


if __name__ == "__main__":
    sys.exit(main())
