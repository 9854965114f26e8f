"""What a desk is made of: every part built once, in the order of its dependencies, and set to work.

Opening and closing what it stands on (journal, connection, tasks) is ``start.py``'s part.
"""

from __future__ import annotations

from concurrent.futures import Executor as Pool
from pathlib import Path
from typing import Final

import msgspec

from engine.account_after_fills import AccountAfterFills
from engine.activity import ActivityLog
from engine.adoption import Adopter
from engine.alpaca.client import AlpacaClient
from engine.approval import ApprovalQueue
from engine.batch import Batches
from engine.book import Book
from engine.bus import Bus, Change
from engine.busts import Busts
from engine.checkpoint import WORTH_IT
from engine.chores import LOADING_MODELS, chores
from engine.clock import Clock
from engine.commands.alarms import AlarmCommands
from engine.commands.exits import ExitCommands
from engine.commands.gate import GateCommands
from engine.commands.halt import HaltCommands
from engine.commands.limits import LimitCommands
from engine.commands.mandates import MandateCommands
from engine.commands.replacing import ReplaceCommands
from engine.commands.signals import SignalParts
from engine.commands.ticket import TicketCommands
from engine.config import Config
from engine.desk import Desk
from engine.differences import Differences
from engine.feeds import OrderFeed, QuoteFeed
from engine.gateway import Gateway
from engine.halt.cooling import CoolingOff
from engine.halt.keeper import HaltKeeper
from engine.halt.second_person import SecondPerson
from engine.heartbeat import Heartbeat
from engine.incidents.protection import has_flipped
from engine.incidents.watch import Watch
from engine.intake.demo import DemoStrategy
from engine.journal.reader import Tail
from engine.journal.writer import Journal
from engine.latency import LatencyLog, LoopLag
from engine.mandates import Mandates
from engine.market.daily_file import DAILY_FILE, DailyFile
from engine.market.quotes import QuoteBoard
from engine.model.words import Mode
from engine.order_reading import OrderReader
from engine.pipeline.executor import Executor
from engine.pipeline.picture import Pictures
from engine.pipeline.resending import resending
from engine.pipeline.resolve import Resolver
from engine.pipeline.reverse import Reversals
from engine.pipeline.track import Tracker
from engine.present import Presenter
from engine.preview_feed import PreviewFeed
from engine.prop.board import PropBoard
from engine.prop.keeper import PropKeeper
from engine.prop.loading import BrokenPreset, load_prop_firm
from engine.protection.around import Around
from engine.protection.carry import CarryKeeper
from engine.protection.corporate import CorporateDesk
from engine.protection.leaving import requests_to_leave
from engine.protection.overnight import DayEntries
from engine.protection.supervisor import Supervisor
from engine.protection.triggers import Triggers
from engine.protection.watched import Watcher
from engine.reception import Reception
from engine.reconcile import Reconciler
from engine.recorder import Recorder
from engine.status import StatusBoard
from engine.stopwatch import Stopwatch
from engine.surroundings import World
from engine.tasks import Spawn, SymbolLocks
from engine.trip_wire import TripWire
from engine.user_rules.board import UserRulesBoard
from engine.user_rules.process import Rules
from engine.waking import Waking
from engine.withdrawal import Withdrawal

NOT_CONFIRMED: Final = "the live account has not been confirmed in the window"


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    mode: Mode
    folder: Path
    """Of this mode and account; holds the journal."""
    config: Config
    demo_symbols: tuple[str, ...] = ()
    """The embedded market's symbols when the demo strategy runs, else empty."""
    seed: int = 7
    asks_confirmation: bool = False
    """A live desk with a window: no entries until its account's number was typed there."""
    checkpoint_after: int = WORTH_IT
    """Facts since the last checkpoint that make a new one worth its cost."""


def assemble(
    settings: DeskSettings,
    wall: Clock,
    clock: Clock,
    spawn: Spawn,
    client: AlpacaClient,
    journal: Journal,
    book: Book,
    bus: Bus,
    recorder: Recorder,
    activity: ActivityLog,
    latency: LatencyLog,
    read_pool: Pool,
    checkpoint: Tail,
    rules: Rules | None,
) -> Desk:
    """Build every part, tie the knots between them, and set them to work."""
    config = settings.config
    quotes = QuoteBoard(clock, lambda symbol: recorder.tell(Change("quote", symbol)))
    lag = LoopLag(clock)
    world = World(
        client,
        recorder,
        clock,
        equity_moved=lambda: status.mark_equity(),
        daily_file=DailyFile(settings.folder / DAILY_FILE, config.quotes.feed, read_pool),
    )
    world.loading = LOADING_MODELS
    world.unconfirmed = NOT_CONFIRMED if settings.asks_confirmation else None
    prop_board = PropBoard(
        load_prop_firm(config.prop_firm, settings.folder.parent / "prop_firm"),
        config.prop_firm.warn_within_pct,
        book,
        quotes,
        clock,
        equity=lambda: status.equity(),
        balance=lambda: status.balance(),
    )
    if isinstance(prop_board.preset, BrokenPreset):
        world.prop_firm_broken = prop_board.preset.text
    pictures = Pictures(book, quotes, world, clock, config, lambda: journal.failure, prop_board.facts)
    user_rules = UserRulesBoard(rules, clock, lambda signal_id: recorder.tell(Change("signal", signal_id)))
    pictures.judge_by(user_rules.facts)
    world.user_rules_broken = lambda: user_rules.broken
    status = StatusBoard(
        mode=settings.mode,
        book=book,
        journal=journal,
        client=client,
        world=world,
        quotes=quotes,
        pictures=pictures,
        lag=lag,
        clock=clock,
        has_demo=bool(settings.demo_symbols),
    )

    resolver = Resolver(
        client, recorder, book, clock, may_resend=resending(book, pictures, clock, config.broker.resend_within_s)
    )
    bus.on_records(resolver.remember)
    busts = Busts(recorder, book, clock)
    gateway = Gateway(
        client,
        recorder,
        book,
        clock,
        busts,
        unsettled=resolver.settle,
        surprised=lambda symbol: reconciler.doubt(symbol),
        answered=lambda: tracker.retry_waiting(),
    )
    adopter = Adopter(recorder, book, clock)
    differences = Differences(recorder, book, world, clock)
    reader = OrderReader(client, book, world, clock, adopter, differences, busts, take_answer=gateway.take_answer)
    reconciler = Reconciler(client, recorder, book, world, clock, differences, reader, busts, settle=resolver.settle)
    bus.on_records(reader.remember)
    after_fills = AccountAfterFills(clock, reconciler.doubt_account)
    bus.on_records(after_fills.note)
    tracker = Tracker(recorder, book, clock, adopter, surprised=reconciler.doubt, busts=busts)
    stopwatch = Stopwatch(recorder, book, clock, bus)
    watcher = Watcher(clock, config.quotes.max_age_s)
    executor = Executor(
        pictures,
        gateway,
        recorder,
        book,
        clock,
        SymbolLocks(),
        stopwatch,
        config,
        session_ends_at=lambda: world.session_changes_at if world.session_open else None,
        ask_user_rules=user_rules.ask,
    )
    triggers = Triggers(
        recorder,
        book,
        quotes,
        clock,
        bus,
        quote_max_age_s=config.quotes.max_age_s,
        is_session_open=lambda: bool(world.session_open),
        state_of=pictures.strictest_state,
        execute=executor.execute_signal,
    )
    reversals = Reversals(
        client,
        recorder,
        book,
        clock,
        execute=executor.execute_signal,
        hurry=lambda symbol: supervisor.hurry(symbol),
    )
    supervisor = Supervisor(
        gateway,
        recorder,
        book,
        quotes,
        clock,
        bus,
        config.protection,
        config.quotes.max_age_s,
        around=Around(world, reconciler),
        watcher=watcher,
        doubted=reconciler.doubt,
        may_act=lambda: reconciler.has_read,
    )

    def in_play() -> list[str]:
        """Held, working and pending symbols in that order, then a ticket's, then the demo's market."""
        wanted = dict.fromkeys(
            [
                *book.positions,
                *(book.brackets[key].symbol for key in book.open_brackets),
                *(book.signals[key].signal.symbol for key in (*book.approved, *book.held_entries)),
                *(book.signals[key].signal.symbol for key in book.pending),
                *([world.looked_at] if world.looked_at is not None else []),
                *settings.demo_symbols,
            ]
        )
        return list(wanted)

    quote_feed = QuoteFeed(client, quotes, world, clock, in_play=in_play)
    order_feed = OrderFeed(client, tracker, world, clock, doubtful=reconciler.doubt_all)
    reception = Reception(
        book=book,
        recorder=recorder,
        world=world,
        pictures=pictures,
        stopwatch=stopwatch,
        clock=clock,
        default_ttl_s=config.approval.default_ttl_s,
        default_stop=config.protection.default_stop_pct is not None,
        fetch_quotes=quote_feed.fetch,
    )
    queue = ApprovalQueue(
        book=book,
        recorder=recorder,
        journal=journal,
        pictures=pictures,
        executor=executor,
        stopwatch=stopwatch,
        clock=clock,
        user_rules=user_rules,
        undo_s=config.approval.undo_s,
        reason_over_warnings=config.approval.reason_over_warnings,
        to_close=lambda symbol: tuple(
            request
            for trade in book.open_brackets_of(symbol)
            for request in requests_to_leave(supervisor.case(trade.id), book.desk_id)
        ),
    )
    previews = PreviewFeed(queue.preview, book, recorder, clock, bus)
    pictures.size_pending_by(previews.notional)
    mandates = Mandates(queue, book, clock, bus, config.mandates)
    withdrawal = Withdrawal(book, recorder, gateway, supervisor, clock)
    halt_keeper = HaltKeeper(client, recorder, book, world, clock, withdrawal)
    trip_wire = TripWire(recorder, book, world, clock, config, withdrawal, day_loss=status.day_loss)
    bus.on_records(trip_wire.note)
    prop_keeper = PropKeeper(prop_board, recorder, book, world, clock, withdrawal)
    status.trips, status.prop_rules, status.reconciliation = trip_wire.views, prop_board.rules, reconciler.view
    heartbeat = Heartbeat(config.heartbeat, clock, status.sign_of_life)
    status.heartbeat = heartbeat.view
    watch = Watch(recorder, book, world, clock, clock.now(), journal.torn)
    watch.heartbeat = heartbeat.view
    watch.mandates_wait = config.mandates.confirm_after_restart
    bus.on_changes(lambda changes: watch.look() if has_flipped(book, changes) else None)
    presenter = Presenter(
        book,
        quotes,
        reader.verified,
        clock.now,
        watcher,
        trip_s=lambda: (world.rest_ms or 100.0) / 1000,
        look_ups=resolver.look_ups,
        trusted_since=lambda: world.trusted_since,
    )
    carry = CarryKeeper(gateway, recorder, book, world, quotes, clock, config)
    corporate = CorporateDesk(client, gateway, recorder, book, world, quotes, clock)
    exits = ExitCommands(recorder, book, world, clock, config, supervisor, reconciler, presenter)
    gate = GateCommands(recorder, book, reconciler, gateway, quotes, clock, hurry=supervisor.hurry)
    desk = Desk(
        gate=gate,
        carry=carry,
        corporate=corporate,
        mode=settings.mode,
        book=book,
        bus=bus,
        recorder=recorder,
        journal=journal,
        client=client,
        world=world,
        quotes=quotes,
        signals=SignalParts(
            reception=reception, queue=queue, previews=previews, batches=Batches(queue, pictures, clock)
        ),
        limits=LimitCommands(trip_wire, prop_board, recorder, book),
        halt=HaltCommands(
            client,
            recorder,
            book,
            clock,
            trip_wire,
            halt_keeper,
            withdrawal,
            reconciler,
            reader,
            CoolingOff(book, clock, config.halt.cooling_off_s),
            SecondPerson(config.halt.second_persons, clock),
        ),
        ticket=TicketCommands(book, reception, queue, pictures, world, fetch_quotes=quote_feed.fetch),
        mandates=MandateCommands(mandates, recorder, book, clock),
        exits=exits,
        alarms=AlarmCommands(recorder, book, clock, presenter),
        replacing=ReplaceCommands(book, gateway, pictures, exits, presenter, clock, user_rules),
        gateway=gateway,
        resolver=resolver,
        supervisor=supervisor,
        reconciler=reconciler,
        presenter=presenter,
        status=status,
        latency=latency,
        lag=lag,
        activity=activity,
        clock=clock,
        read_pool=read_pool,
    )

    resolver.start(spawn, gateway)
    supervisor.start(spawn)
    reception.start(spawn)
    user_rules.start(spawn)
    queue.start(spawn)
    mandates.start(spawn)
    for name, work in {
        "loop-lag": lag.measure(),
        "order-feed": order_feed.run(),
        "quote-feed": quote_feed.run(),
        "reconcile": reconciler.run(),
        "watch": watch.run(),
        "previews": previews.run(),
        "trips": trip_wire.run(),
        "waking": Waking(wall, clock, recorder, book, world, reconciler, (order_feed.renew, quote_feed.renew)).run(),
        "halt-entries": halt_keeper.keep_entries_out(),
        "halt-proof": halt_keeper.keep_proof(),
        "cancels": withdrawal.keep_asking(),
        "prop-firm": prop_keeper.run(),
        "triggers": triggers.run(spawn),
        "reversals": reversals.run(spawn),
        "carry": carry.run(),
        "corporate-actions": corporate.run(),
        "day-entries": DayEntries(gateway, book, world, clock).run(),
        "assets": world.load_assets(),
        "keep-warm": client.keep_warm(),
        **chores(
            journal=journal,
            book=book,
            checkpoint=checkpoint,
            watch=watch,
            after_fills=after_fills,
            world=world,
            pictures=pictures,
            queue=queue,
            clock=clock,
            pool=read_pool,
        ),
    }.items():
        spawn(name, work)
    if config.heartbeat.url:
        spawn("heartbeat", heartbeat.run())
    if settings.demo_symbols:
        spawn("demo-strategy", DemoStrategy(desk, book, quotes, clock, settings.demo_symbols, settings.seed).run())
    return desk
