"""What the state bar, the health call and the account panel show."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from engine import VERSION
from engine.alpaca.client import AlpacaClient
from engine.book import DESK_SCOPE, Book
from engine.book_status import book_part, naked_share_s_today
from engine.clock import Clock
from engine.journal.writer import Journal
from engine.latency import LoopLag
from engine.market.quotes import QuoteBoard
from engine.model.account import Account
from engine.model.money import ZERO
from engine.model.words import Mode
from engine.pipeline.picture import Pictures
from engine.surroundings import World
from engine.views import AccountView, DeskView, HealthView
from engine.views_limits import PropRuleView, TripView
from engine.views_truth import HeartbeatView, ReconciliationView

HUNDREDTH: Final = Decimal("0.01")


class StatusBoard:
    def __init__(
        self,
        *,
        mode: Mode,
        book: Book,
        journal: Journal,
        client: AlpacaClient,
        world: World,
        quotes: QuoteBoard,
        pictures: Pictures,
        lag: LoopLag,
        clock: Clock,
        has_demo: bool,
    ) -> None:
        self._mode = mode
        self._book = book
        self._journal = journal
        self._client = client
        self._world = world
        self._quotes = quotes
        self._pictures = pictures
        self._lag = lag
        self._clock = clock
        self._marks: dict[str, Decimal] = {}
        self.has_demo = has_demo
        self.started_at = clock.now()
        self.stopping = False
        self.trips: Callable[[], tuple[TripView, ...]] = tuple
        self.reconciliation: Callable[[], ReconciliationView | None] = lambda: None
        self.heartbeat: Callable[[], HeartbeatView | None] = lambda: None
        self.prop_rules: Callable[[], tuple[PropRuleView, ...]] = tuple
        """Set once their owners exist: they are built on this board."""

    def health(self) -> HealthView:
        world = self._world
        is_locked = world.gate_locked_by is not None or world.not_ready is not None
        fit = world.rest.up and world.stream.up and world.quotes.up and not is_locked
        return HealthView(
            status="stopping" if self.stopping else "ok" if fit and self._journal.healthy else "degraded",
            mode=self._mode,
            account=self._book.account_number,
            desk_state=self._book.state_of(DESK_SCOPE),
            start_gate="locked" if is_locked else "open",
            rest=world.rest.word,
            stream=world.stream.word,
            quotes=world.quotes.word,
            journal_seq=self._journal.seq,
            loop_lag_ms=self._lag.view(),
            version=VERSION,
            started_at=self.started_at,
            reconciliation=self.reconciliation(),
            heartbeat=self.heartbeat(),
        )

    def mark_equity(self) -> None:
        """Called when the account was read: from here on, gains are counted from these prices."""
        self._marks = {
            symbol: price
            for symbol, position in self._book.positions.items()
            if (price := self._quotes.mark(symbol, 1 if position.qty > 0 else -1)) is not None
        }

    def account(self) -> AccountView:
        account = self._world.account
        equity = self._marked_equity(account)
        return AccountView(
            account_number=self._book.account_number,
            status=account.status if account is not None else None,
            equity=equity,
            last_equity=account.last_equity if account is not None else None,
            cash=account.cash if account is not None else None,
            buying_power=account.buying_power if account is not None else None,
            day_pl=equity - account.last_equity if account is not None and equity is not None else None,
            reserved=self._pictures.reserved().quantize(HUNDREDTH),
            gross_exposure=self._pictures.exposures().gross.quantize(HUNDREDTH),
            blocked=account.blocked if account is not None else None,
            as_of=account.as_of if account is not None else None,
            request_id=account.request_id if account is not None else None,
            naked_share_s_today=naked_share_s_today(self._book, self._clock.now()),
        )

    def equity(self) -> Decimal | None:
        """The account's equity as of now, marked from quotes; None until it has been read."""
        return self._marked_equity(self._world.account)

    def balance(self) -> Decimal | None:
        """Equity without the open positions' profit; None while one of them has no price."""
        equity = self.equity()
        if equity is None:
            return None
        open_profit = ZERO
        for symbol, position in self._book.positions.items():
            mark = self._quotes.mark(symbol, 1 if position.qty > 0 else -1)
            if mark is None or position.avg_entry_price is None:
                return None
            open_profit += (mark - position.avg_entry_price) * position.qty
        return (equity - open_profit).quantize(HUNDREDTH)

    def day_loss(self) -> Decimal | None:
        """Since the last close, in account currency; a gain is negative. None until the account has been read."""
        equity, account = self.equity(), self._world.account
        return None if equity is None or account is None else account.last_equity - equity

    def _marked_equity(self, account: Account | None) -> Decimal | None:
        """The account's equity, moved by what open positions gained since it was read."""
        if account is None:
            return None
        moved = ZERO
        for symbol, position in self._book.positions.items():
            before = self._marks.get(symbol)
            now = self._quotes.mark(symbol, 1 if position.qty > 0 else -1)
            if before is not None and now is not None:
                moved += (now - before) * position.qty
        return (account.equity + moved).quantize(HUNDREDTH)

    def sign_of_life(self) -> dict[str, Any]:
        """What a third party is told: how the desk is, not whose it is."""
        desk = self.desk()
        return {
            "status": desk.health.status,
            "mode": desk.health.mode.value,
            "desk_state": desk.health.desk_state.value,
            "naked_s": round(desk.naked_s, 1),
            "incidents": list(desk.incidents),
            "version": VERSION,
        }

    def desk(self) -> DeskView:
        book, world = self._book, self._world
        budget = self._client.budget
        return DeskView(
            health=self.health(),
            account=self.account(),
            rest=world.rest.view(),
            stream=world.stream.view(),
            quotes=world.quotes.view(),
            rest_ms=world.rest_ms,
            clock_offset_ms=world.clock_offset_ms,
            clock_error_ms=world.clock_error_ms,
            budget_used=budget.limit - budget.remaining(),
            budget_limit=budget.limit,
            session_open=world.session_open,
            session_changes_at=world.session_changes_at,
            demo_on=book.demo_on if self.has_demo else None,
            gate_locked_by=world.gate_locked_by or world.not_ready,
            trips=self.trips(),
            prop_firm=self.prop_rules(),
            wants_confirmation=world.unconfirmed is not None,
            **book_part(book, self._clock.now()),
        )
