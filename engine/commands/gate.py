"""How the operator settles what book and broker disagree on, one difference at a time.

``adopt``: shares become a trade with a stop of the person's, an order that the broker lost is over here too.
``watch``: an order is followed in the book, shares stay in sight as an incident. ``cancel``: it ends at the broker.
``ignore``: it is none of this desk's business. Nothing is guessed, and each is on record with who said so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Final

from engine.book import Book
from engine.clock import Clock
from engine.differences import Difference
from engine.errors import BrokerError, CommandRefused
from engine.gateway import Gateway
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.ids import bracket_id_of, signal_id
from engine.model.money import is_on_tick, plain
from engine.model.order import Order
from engine.model.position import Position
from engine.model.signal import Approval, EntrySpec, ExitSpec, Signal, SizeSpec
from engine.model.words import Intent, OrderClass, OrderRole, OrderStatus, OrderType, Side, TimeInForce
from engine.protection.moving import leaves_room
from engine.reconcile import Reconciler
from engine.recorder import Recorder
from engine.reports import order_from

SOURCE: Final = "start-gate"
STRATEGY: Final = "adopted"
"""Of trades whose shares this desk did not buy."""


class GateCommands:
    def __init__(
        self,
        recorder: Recorder,
        book: Book,
        reconciler: Reconciler,
        gateway: Gateway,
        quotes: QuoteBoard,
        clock: Clock,
        *,
        hurry: Callable[[str], None],
    ) -> None:
        """``hurry`` wakes the protection of a symbol."""
        self._recorder = recorder
        self._book = book
        self._reconciler = reconciler
        self._gateway = gateway
        self._quotes = quotes
        self._clock = clock
        self._hurry = hurry

    def differences(self) -> list[Difference]:
        return list(self._reconciler.differences.values())

    async def settle(
        self,
        difference_id: str,
        settlement: str,
        *,
        actor: str,
        stop_price: Decimal | None = None,
        take_profit_price: Decimal | None = None,
    ) -> list[Difference]:
        """The prices are of an adopted position: a stop is required, a target is not."""
        difference = self._open(difference_id)
        if settlement not in difference.settlements:
            allowed = ", ".join(difference.settlements)
            raise CommandRefused(
                "BAD_SETTLEMENT", f"It can be settled by: {allowed}.", field="settlement", http_status=422
            )
        match difference.kind, settlement:
            case "position", "adopt":
                await self._adopt_position(difference, actor, stop_price, take_profit_price)
            case "order", "watch" | "cancel":
                await self._take_order(difference, settlement, actor)
            case "missing", "adopt":
                self._reconciler.settle_difference(difference_id, settlement, actor)
                why = f"The broker does not know it any more; taken over by {actor}."
                never = ev.OrderNeverReached(order_id=difference.subject, why=why, actor=actor)
                await self._recorder.commit_exit(never)
                self._hurry(difference.symbol)
            case _:
                self._reconciler.settle_difference(difference_id, settlement, actor)
        return self.differences()

    def _open(self, difference_id: str) -> Difference:
        difference = self._reconciler.differences.get(difference_id)
        if difference is None:
            raise CommandRefused("NOT_FOUND", f"There is no difference {difference_id}.", http_status=404)
        return difference

    # --- an order of another hand ------------------------------------------------------------------------------------

    async def _take_order(self, difference: Difference, settlement: str, actor: str) -> None:
        """Into the book, where it is followed; then the cancel, by intent as any."""
        try:
            found = await self._reconciler.reader.ask(difference.subject)
        except BrokerError as lost:
            raise CommandRefused("BROKER_UNREACHABLE", lost.operator_text) from lost
        self._open(difference.id)  # another click may have settled it meanwhile
        if found is None:
            raise CommandRefused("NOT_FOUND", f"The broker does not know {difference.subject} any more.")
        order_id = f"foreign-{found.id}"
        self._reconciler.settle_difference(difference.id, settlement, actor)
        if order_id not in self._book.orders:
            adopted = order_from(found, order_id, OrderRole.FOREIGN, None, self._clock.now())
            self._recorder.record(ev.OrderAdopted(order=adopted))
        self._reconciler.reader.take_now(found)
        if settlement == "cancel" and self._book.orders[order_id].is_open:
            refused = await self._gateway.cancel(order_id, actor=actor, reason="settled at the start gate")
            if refused is not None:
                raise CommandRefused("BROKER_REFUSED", refused.operator_text)

    # --- shares that no trade explains -------------------------------------------------------------------------------

    async def _adopt_position(
        self, difference: Difference, actor: str, stop: Decimal | None, target: Decimal | None
    ) -> None:
        symbol, qty = difference.symbol, difference.qty
        side = Side.BUY if qty > 0 else Side.SELL
        if stop is None:
            raise CommandRefused(
                "NO_STOP", f"Adopted {symbol} need a stop: give stop_price.", field="stop_price", http_status=422
            )
        self._check_prices(symbol, side, stop, target)
        try:
            now_held = await self._reconciler.unexplained_qty(symbol)
        except BrokerError as lost:
            raise CommandRefused("BROKER_UNREACHABLE", lost.operator_text) from lost
        self._open(difference.id)
        position = self._book.positions.get(symbol)
        if position is None or now_held != qty:
            text = f"{plain(now_held)} {symbol} are unexplained by now, not {plain(qty)}: look again."
            raise CommandRefused("CHANGED_SINCE_SHOWN", text)
        self._reconciler.settle_difference(difference.id, "adopt", actor)
        await self._recorder.commit_exit(*self._trade_of(position, abs(qty), side, stop, target, actor))
        self._hurry(symbol)

    def _check_prices(self, symbol: str, side: Side, stop: Decimal, target: Decimal | None) -> None:
        for field, price in (("stop_price", stop), ("take_profit_price", target)):
            if price is not None and not is_on_tick(price):
                text = f"{field} {plain(price)} is not on the price grid."
                raise CommandRefused("OFF_TICK", text, field=field, http_status=422)
        if target is not None and (target - stop) * side.sign <= 0:
            text = f"Stop {plain(stop)} and target {plain(target)} lie on the wrong sides of each other."
            raise CommandRefused("EXITS_CROSSED", text, field="stop_price", http_status=422)
        mark = self._quotes.mark(symbol, side.sign)
        if mark is not None and not leaves_room(side, stop, mark):
            text = f"The market is at {plain(mark)}: a stop at {plain(stop)} would fire at once."
            raise CommandRefused("STOP_BEYOND_MARKET", text, field="stop_price")
        if mark is not None and target is not None and (target - mark) * side.sign <= 0:
            text = f"The market is at {plain(mark)}: a target at {plain(target)} would fill at once."
            raise CommandRefused("TARGET_BEYOND_MARKET", text, field="take_profit_price")

    def _trade_of(
        self, position: Position, qty: Decimal, side: Side, stop: Decimal, target: Decimal | None, actor: str
    ) -> tuple[ev.AnyEvent, ...]:
        """A trade as any other, whose entry is over: its shares are held, and want their exits.

        The entry stands for executions that this desk never saw: it has no id at the broker, and nothing is asked
        about it. Its price is the broker's average of the position.
        """
        now, number = self._clock.now(), signal_id(self._book.next_signal_number())
        bracket_id = bracket_id_of(number)
        signal = Signal(
            id=number,
            source=SOURCE,
            source_id=number,
            strategy=STRATEGY,
            symbol=position.symbol,
            side=side,
            intent=Intent.OPEN,
            size=SizeSpec(unit="qty", value=qty),
            entry=EntrySpec(),
            stop_loss=ExitSpec(unit="price", value=stop),
            take_profit=ExitSpec(unit="price", value=target) if target is not None else None,
            reference_price=position.avg_entry_price,
            made_at=now,
            received_at=now,
            expires_at=now + timedelta(minutes=1),
            note="shares found in the account",
        )
        approval = Approval(
            actor=actor,
            at=now,
            preview_id=None,
            qty=qty,
            limit_price=None,
            stop_price=stop,
            take_profit_price=target,
        )
        bracket = Bracket(
            id=bracket_id,
            signal_id=number,
            strategy=STRATEGY,
            symbol=position.symbol,
            side=side,
            qty=qty,
            stop_price=stop,
            take_profit_price=target,
            opened_at=now,
        )
        entry = Order(
            id=f"adopted-{bracket_id[1:]}",
            client_order_id=None,
            symbol=position.symbol,
            side=side,
            type=OrderType.MARKET,
            order_class=OrderClass.SIMPLE,
            role=OrderRole.ENTRY,
            qty=qty,
            bracket_id=bracket_id,
            time_in_force=TimeInForce.DAY,
            status=OrderStatus.FILLED,
            filled_qty=qty,
            filled_avg_price=position.avg_entry_price,
            created_at=now,
            status_since=now,
            evidence=position.evidence,
        )
        return (
            ev.SignalReceived(signal=signal),
            ev.SignalApproved(signal_id=number, bracket_id=bracket_id, approval=approval),
            ev.BracketOpened(bracket=bracket),
            ev.OrderAdopted(order=entry),
        )
