"""What the desk knows of the world besides its book: links, account, session, assets, daily history.

None of it is journaled: it is read anew at each start. Events keep it fresh; nothing on the way of an approval asks
for it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time
from typing import Final

from engine.alpaca.calls import Answer
from engine.alpaca.client import AlpacaClient
from engine.alpaca.refusals import KeysRefused
from engine.alpaca.retry import is_limit, reads
from engine.alpaca.wire import Asset
from engine.book import NEW_YORK
from engine.clock import Clock
from engine.errors import BrokerError, RetryableError
from engine.links import Link, OrderStreamLink
from engine.market.daily import DailyBars
from engine.market.daily_file import DailyFile
from engine.market.statistics import Statistics
from engine.model.account import Account
from engine.model.corporate import CorporateChange
from engine.recorder import Recorder
from engine.reports import account_from
from engine.rules.facts import AssetFacts

log = logging.getLogger(__name__)

EXTENDED_FROM: Final = time(4, 0)
EXTENDED_TO: Final = time(20, 0)
UNKNOWN_ASSET_KEPT_S: Final = 60.0


class UnknownSymbol(Exception):
    """The broker has no such asset."""


class World:
    def __init__(
        self,
        client: AlpacaClient,
        recorder: Recorder,
        clock: Clock,
        *,
        equity_moved: Callable[[], None],
        daily_file: DailyFile | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._recorder = recorder
        self._equity_moved = equity_moved
        self.rest = Link("rest", recorder, clock)
        self.stream = OrderStreamLink("stream", recorder, clock)
        self.quotes = Link("quotes", recorder, clock)
        self.gate_locked_by: str | None = "book and broker have not been compared yet"
        self.has_differences = False
        """A person has to settle something before the start gate opens."""
        self.has_unexplained_shares = False
        """The broker holds shares that no trade of this desk explains, so nothing here protects them."""
        self.loading: str | None = None
        """A part of the desk that is not there yet."""
        self.stalled: tuple[datetime, float, str | None] | None = None
        """The newest stall of the loop: when it was over, how long it was, and the file about it."""
        self.waking: str | None = None
        """Why everything is read anew after the machine slept; None once it has been."""
        self.trusted_since: datetime | None = None
        """Since the newest sleep: what was proved before counts for nothing."""
        self.unread: str | None = None
        """Why everything is read anew: until it has been, nobody knows what was not told meanwhile."""
        self.unconfirmed: str | None = None
        """Why a live desk has not been let loose yet."""
        self.prop_firm_broken: str | None = None
        """Why prop-firm mode, though asked for, cannot be kept."""
        self.user_rules_broken: Callable[[], str | None] = lambda: None
        """Why the operator's own rules can answer nothing."""
        self.corporate: dict[str, CorporateChange] = {}
        """Splits and large dividends ahead, of symbols that are held."""
        self.account: Account | None = None
        self.account_at_s = float("-inf")
        self.session_open: bool | None = None
        self.session_changes_at: datetime | None = None
        self.extended_open = False
        self.halted: set[str] = set()
        """Symbols in which trading stands still, as the data stream last said."""
        self.looked_at: str | None = None
        """A symbol in which nothing is on, whose price somebody wants live."""
        self.session_opened_at: datetime | None = None
        """When today's core session opened, by the calendar; None outside of it."""
        self._trading_days: dict[date, time | None] = {}
        """Today, and when its core session opens; None: no trading."""
        self.clock_offset_ms: float | None = None
        self.clock_error_ms: float | None = None
        """How far that may be off either way: the answer may have taken all of its time on one half of the way."""
        self.rest_ms: float | None = None
        self.asked = 0
        """Requests made through here."""
        self._assets: dict[str, AssetFacts] = {}
        self._no_assets: dict[str, float] = {}
        self.history = Statistics(DailyBars(client, clock, daily_file), clock)

    @property
    def not_ready(self) -> str | None:
        return self.loading or self.waking or self.unread or self.unconfirmed

    @property
    def calendar_read(self) -> bool:
        """Whether the hours of today, by New York's date, are known."""
        return self._clock.now().astimezone(NEW_YORK).date() in self._trading_days

    @property
    def stream_up(self) -> bool:
        return self.stream.up

    @property
    def rest_up(self) -> bool:
        return self.rest.up

    # --- account and session -------------------------------------------------------------------------------------

    async def refresh_account(self) -> Account:
        """One request. Raises ``BrokerError``."""
        asked_at = self._clock.now()
        answer = await self.asking(self._client.account())
        # As of when it was asked: an order acknowledged while the answer travelled may not be in it.
        self.account = account_from(answer.value, answer.request_id, asked_at)
        self.account_at_s = self._clock.monotonic_s()
        self._equity_moved()
        return self.account

    async def refresh_session(self) -> None:
        """One request: is the core session open, and how far is our clock off? Raises ``BrokerError``."""
        answer = await self.asking(self._client.clock())
        clock = answer.value
        self.session_open = clock.is_open
        self.session_changes_at = clock.next_close if clock.is_open else clock.next_open
        if clock.timestamp is not None:
            half_trip_s = (answer.answered_at_s - answer.sent_at_s) / 2
            offset_s = (clock.timestamp - self._clock.now()).total_seconds() + half_trip_s
            self.clock_offset_ms = round(offset_s * 1000, 1)
            self.clock_error_ms = round(half_trip_s * 1000, 1)
        await self._refresh_extended()

    async def _refresh_extended(self) -> None:
        """Extended hours are those around the core session of a trading day; the calendar is asked once a day."""
        local = self._clock.now().astimezone(NEW_YORK)
        today = local.date()
        if today not in self._trading_days:
            days = await self.asking(self._client.calendar(today, today))
            self._trading_days = {today: next((day.open for day in days.value.items if day.date == today), None)}
        in_hours = EXTENDED_FROM <= local.time() < EXTENDED_TO
        opens = self._trading_days[today]
        self.extended_open = in_hours and opens is not None and not self.session_open
        opened_at = datetime.combine(today, opens, NEW_YORK) if opens is not None else None
        is_open = bool(self.session_open) and opened_at is not None and opened_at <= local
        self.session_opened_at = opened_at if is_open else None

    async def asking[T](self, request: Awaitable[Answer[T]]) -> Answer[T]:
        """Await a request of the adapter, and note whether REST is up."""
        self.asked += 1
        try:
            answer = await request
        except BrokerError as lost:
            if isinstance(lost, KeysRefused) or (isinstance(lost, RetryableError) and not _is_only_this(lost)):
                self.rest.set(False, lost.operator_text, is_final=isinstance(lost, KeysRefused))
            raise
        self.rest.set(True)
        self.rest_ms = round((answer.answered_at_s - answer.sent_at_s) * 1000, 1)
        return answer

    # --- assets --------------------------------------------------------------------------------------------------

    def asset(self, symbol: str) -> AssetFacts | None:
        return self._assets.get(symbol)

    async def load_assets(self) -> None:
        """The whole list, so that a signal's symbol costs no request; without it each symbol is asked for once."""
        try:
            answer = await self.asking(self._client.assets())
        except BrokerError as lost:
            log.info("the list of assets: %s", lost)
            return
        for found in answer.value.items:
            self._assets[found.symbol] = _asset_facts(found)

    async def ensure_asset(self, symbol: str) -> None:
        """Know the symbol, with one request when it is new.

        Raises:
            UnknownSymbol: the broker has no such asset; the no is remembered for a minute.
            BrokerError: the broker could not be asked.
        """
        if symbol in self._assets:
            return
        if self._clock.monotonic_s() - self._no_assets.get(symbol, float("-inf")) < UNKNOWN_ASSET_KEPT_S:
            raise UnknownSymbol(symbol)
        request: Awaitable[Answer[Asset | None]] = reads(self._clock)(self._client.asset, symbol)
        found = (await self.asking(request)).value
        if found is None:
            self._no_assets[symbol] = self._clock.monotonic_s()
            raise UnknownSymbol(symbol)
        self._assets[symbol] = _asset_facts(found)


def _is_only_this(lost: RetryableError) -> bool:
    """The broker answered: it had too much to do, or said something that cannot be read."""
    return is_limit(lost) or (lost.status_code is not None and lost.status_code < 300)


def _asset_facts(found: Asset) -> AssetFacts:
    return AssetFacts(
        tradable=found.tradable and found.status == "active",
        shortable=found.shortable,
        easy_to_borrow=found.borrow_status != "hard_to_borrow",
        fractionable=found.fractionable,
    )
