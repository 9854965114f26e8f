"""The desk's door for exits: repairing a trade, leaving it, moving its stop and target, running it unprotected.

Each command records what is wanted as a fact and lets the supervisor do it, so that a crash after the answer changes
nothing. What cannot be is refused before anything is sent, with a stable code.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Final

import msgspec

from engine.alpaca.budget import Lane, reading_for
from engine.book import Book
from engine.clock import Clock
from engine.config import Config
from engine.errors import BrokerError, CommandRefused
from engine.model import events as ev
from engine.model.bracket import Bracket, Repair
from engine.model.money import ZERO, plain
from engine.model.words import ExitWhen, Session
from engine.present import Presenter
from engine.protection.moving import breakeven_price, improves, leaves_room
from engine.protection.repair import CONFIRMS, plans_of
from engine.protection.repair_asking import RUN_UNPROTECTED_MIN
from engine.protection.repair_states import Look
from engine.protection.supervisor import Supervisor
from engine.reconcile import Reconciler
from engine.recorder import Recorder
from engine.surroundings import World
from engine.views import BracketView, PlansView, PlanView

RUN_UNPROTECTED: Final = CONFIRMS["run_unprotected"]
LONGEST_UNPROTECTED_MIN: Final = 60
MOVE_WAIT_S: Final = 3.0
LOOK_S: Final = 0.01
BY_SUPERVISOR: Final = frozenset(
    {"attach_oco", "replace_stop", "replace_both", "cut_short", "trim", "close_flip", "match_broker", "adopt"}
)
"""Kinds of plans that the supervisor carries out from a ``RepairBegan``."""
LEAVES: Final = {
    "flatten": ExitWhen.NOW,
    "target_to_market": ExitWhen.NOW,
    "flatten_open": ExitWhen.OPEN,
    "flatten_extended": ExitWhen.EXTENDED,
}


class ExitCommands:
    def __init__(
        self,
        recorder: Recorder,
        book: Book,
        world: World,
        clock: Clock,
        config: Config,
        supervisor: Supervisor,
        reconciler: Reconciler,
        presenter: Presenter,
    ) -> None:
        self._recorder = recorder
        self._book = book
        self._world = world
        self._clock = clock
        self._config = config
        self._supervisor = supervisor
        self._reconciler = reconciler
        self._presenter = presenter
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._readings: dict[str, tuple[float, BrokerError | None]] = {}
        """Symbol -> when its newest reading began, in the loop's seconds, and how it failed."""

    # --- repair ------------------------------------------------------------------------------------------------------

    def plans(self, bracket_id: str) -> PlansView:
        """What is wrong with a trade, and what fits it, the best first."""
        bracket = self._open(bracket_id, even_closed=True)
        state, plans = plans_of(self._look(bracket), self._book.desk_id)
        return PlansView(bracket_id=bracket_id, state=state.name, sentence=state.sentence, plans=plans)

    async def repair(
        self, bracket_id: str, *, plan_id: str, actor: str, confirm: str | None = None
    ) -> tuple[BracketView, PlanView]:
        """Read the broker's truth, and carry the plan out if it still fits; else refused with the new plans."""
        bracket = self._open(bracket_id)
        await self._read(bracket.symbol)
        shown = self.plans(bracket_id)
        plan = next((plan for plan in shown.plans if plan.id == plan_id), None)
        if plan is None:
            text = f"{bracket.symbol} has changed since that plan was shown: {shown.sentence}"
            raise CommandRefused("PLAN_STALE", text, field="plan_id", reasons=shown.plans)
        if plan.confirm is not None and confirm != plan.confirm:
            raise _must_type(plan.confirm)
        await self._carry_out(bracket_id, plan, shown.state, actor)
        return self._presenter.bracket(bracket_id), plan

    async def retry(self, bracket_id: str, *, actor: str) -> BracketView:
        """Read the broker's truth, then run the top plan without finishing any pause; the answer names that plan."""
        view = self._presenter.bracket(self._open(bracket_id, even_closed=True).id)
        if not view.can_retry:
            raise CommandRefused("NOTHING_TO_RETRY", f"{view.symbol} is {view.status.value}: no exits are missing.")
        await self._read(view.symbol)
        if not self._presenter.bracket(bracket_id).can_retry:
            return self._presenter.bracket(bracket_id)
        shown = self.plans(bracket_id)
        top = shown.plans[0]
        await self._carry_out(bracket_id, top, shown.state, actor)
        return _with_plan(self._presenter.bracket(bracket_id), top.id)

    async def _carry_out(self, bracket_id: str, plan: PlanView, state: str, actor: str) -> None:
        bracket = self._book.brackets[bracket_id]
        if plan.kind in BY_SUPERVISOR:
            await self._settle_shares(bracket, plan.kind)
            repair = Repair(
                plan_id=plan.id,
                kind=plan.kind,
                state=state,
                actor=actor,
                began_at=self._clock.now(),
                text=plan.sentence,
            )
            await self._recorder.commit_exit(ev.RepairBegan(bracket_id=bracket_id, repair=repair))
        elif plan.kind in LEAVES:
            await self._ask_out(bracket, actor, LEAVES[plan.kind])
        elif plan.kind in ("watch_stop", "watch_target"):
            why = f"chosen by {actor}"
            began = ev.WatchBegan(bracket_id=bracket_id, target=plan.kind == "watch_target", why=why)
            await self._recorder.commit_exit(began)
        elif plan.kind == "break_even":
            await self.break_even(bracket_id, actor=actor)
        elif plan.kind == "run_unprotected":
            await self.run_unprotected(bracket_id, minutes=RUN_UNPROTECTED_MIN, confirm=RUN_UNPROTECTED, actor=actor)
        elif plan.kind == "protect_again":
            await self.protect_again(bracket_id, actor=actor)
        # "look_up" has been done by reading, and "wait" lets the desk go on.
        self._supervisor.hurry(bracket.symbol)

    async def _settle_shares(self, bracket: Bracket, kind: str) -> None:
        """Take shares into the trade that nobody explains, or out of it that are gone; the plan shown said how many."""
        if kind not in ("adopt", "match_broker"):
            return
        broker_qty = self._look(bracket).broker_qty
        if broker_qty is None:
            return
        qty = broker_qty - self._book.cover(bracket.id).held
        word = "adopted into the trade" if qty > 0 else "gone at the broker"
        why = f"{plain(abs(qty))} {bracket.symbol} {word}, by the operator's choice."
        await self._recorder.commit_exit(ev.BracketAdjusted(bracket_id=bracket.id, qty=qty, why=why))
        self._reconciler.doubt(bracket.symbol)

    def _look(self, bracket: Bracket) -> Look:
        case = self._supervisor.case(bracket.id)
        elsewhere = ZERO
        for other in self._book.open_brackets_of(bracket.symbol):
            if other.id != bracket.id:
                cover = self._book.cover(other.id)
                elsewhere += cover.signed(other.side)
        trip_ms = self._world.rest_ms
        return Look(
            case=case,
            verified_at=self._presenter.bracket(bracket.id).verified_at,
            trusted_since=self._world.trusted_since,
            elsewhere=elsewhere,
            trip_s=trip_ms / 1000 if trip_ms is not None else 0.1,
        )

    async def _read(self, symbol: str) -> None:
        """The broker's truth as of after this call, without queueing behind those who only look.

        Many who ask at the same time share a reading that has begun after each of them asked.
        """
        asked_s = self._clock.monotonic_s()
        async with self._reading[symbol]:
            began_s, lost = self._readings.get(symbol, (float("-inf"), None))
            if began_s < asked_s:
                began_s, lost = self._clock.monotonic_s(), None
                try:
                    with reading_for(Lane.PROTECT):
                        await self._reconciler.symbols([symbol])
                except BrokerError as error:
                    lost = error
                self._readings[symbol] = (began_s, lost)
        if lost is not None:
            raise CommandRefused("BROKER_UNREACHABLE", lost.operator_text) from lost

    # --- the way out -------------------------------------------------------------------------------------------------

    async def flatten(self, bracket_id: str, *, actor: str, when: ExitWhen = ExitWhen.NOW) -> BracketView:
        """Ask for the way out. In a halt or outside the core session nothing is stripped: it says so, and what else."""
        bracket = self._open(bracket_id, even_closed=True)
        view = self._presenter.bracket(bracket_id)
        if not view.can_flatten and not (bracket.closed_at is None and bracket.exit_when is not when):
            raise CommandRefused("NOTHING_TO_FLATTEN", f"{view.symbol} is {view.status.value} already.")
        self._refuse_closed_market(bracket, when)
        await self._ask_out(bracket, actor, when)
        self._supervisor.hurry(bracket.symbol)
        return self._presenter.bracket(bracket_id)

    async def flatten_all(self, *, symbol: str | None, actor: str, when: ExitWhen = ExitWhen.NOW) -> list[BracketView]:
        """All trades, or those of one symbol. Those already on their way out are not asked again.

        Refused when none of them can leave now; else those that cannot say so in their incident.
        """
        chosen = [
            bracket_id
            for bracket_id in tuple(self._book.open_brackets)
            if symbol is None or self._book.brackets[bracket_id].symbol == symbol
        ]
        if symbol is not None and not chosen:
            raise CommandRefused("NOTHING_TO_FLATTEN", f"There is no open trade in {symbol}.")
        refused: CommandRefused | None = None
        asked = 0
        for bracket_id in chosen:
            if self._presenter.bracket(bracket_id).can_flatten:
                try:
                    await self.flatten(bracket_id, actor=actor, when=when)
                    asked += 1
                except CommandRefused as why:
                    refused = why
        if refused is not None and asked == 0:
            raise refused
        return [self._presenter.bracket(bracket_id) for bracket_id in chosen]

    def _refuse_closed_market(self, bracket: Bracket, when: ExitWhen) -> None:
        """Nothing that protects is stripped for a close that could not execute. A working entry may always go."""
        cover, session = self._book.cover(bracket.id), self._supervisor.session(bracket.symbol)
        if cover.held == 0:
            return
        if self._supervisor.is_halted(bracket.symbol) and when is not ExitWhen.OPEN:
            text = (
                f"Trading in {bracket.symbol} is halted: its exits stay, a stop fires at the reopening. "
                'Ask again with when = "open" to close as soon as it trades.'
            )
            raise CommandRefused("HALTED", text, field="when")
        if when is ExitWhen.NOW and session is not Session.CORE:
            also = '"extended" (a limit now) or ' if session is Session.EXTENDED else ""
            text = (
                f'The core session is closed: the exits of {bracket.symbol} stay. Ask again with when = {also}"open".'
            )
            raise CommandRefused("SESSION_CLOSED", text, field="when")
        if when is ExitWhen.EXTENDED and session is Session.CLOSED:
            text = 'No session is open: ask again with when = "open".'
            raise CommandRefused("SESSION_CLOSED", text, field="when")

    async def _ask_out(self, bracket: Bracket, actor: str, when: ExitWhen) -> None:
        reason = "flatten asked by the operator" if when is ExitWhen.NOW else f"flatten ({when.value}) by the operator"
        asked = ev.ExitRequested(bracket_id=bracket.id, actor=actor, reason=reason, when=when)
        await self._recorder.commit_exit(asked)

    # --- moving exits ------------------------------------------------------------------------------------------------

    async def move(
        self,
        bracket_id: str,
        *,
        actor: str,
        stop_price: Decimal | None = None,
        take_profit_price: Decimal | None = None,
        reason: str = "",
        is_breakeven: bool = False,
    ) -> BracketView:
        """Move stop, target or both. Answers when the broker has confirmed, or after 3 s with the move under way.

        Where no exit stands at the broker, the new prices hold for the next placement and for what the desk watches.
        """
        bracket = self._open(bracket_id)
        self._refuse_move(bracket, stop_price, take_profit_price)
        await self._recorder.commit_exit(
            ev.ExitsMoveAsked(
                bracket_id=bracket_id,
                stop_price=stop_price,
                take_profit_price=take_profit_price,
                actor=actor,
                reason=reason,
                is_breakeven=is_breakeven,
            )
        )
        self._supervisor.hurry(bracket.symbol)
        await self._until(lambda: self._book.brackets[bracket_id].moves_asked_at is None, MOVE_WAIT_S)
        refused = self._book.brackets[bracket_id].move_refused
        if refused is not None:
            stands = plain(self._book.brackets[bracket_id].stop_price)
            raise CommandRefused("BROKER_REFUSED", f"Not moved, the old exits stand (stop {stands}): {refused}")
        return self._presenter.bracket(bracket_id)

    def _refuse_move(self, bracket: Bracket, stop: Decimal | None, target: Decimal | None) -> None:
        cover, case = self._book.cover(bracket.id), self._supervisor.case(bracket.id)
        if bracket.exit_requested_at is not None:
            raise CommandRefused("EXITING", f"{bracket.symbol} is on its way out: its exits serve the close.")
        if cover.held == 0:
            raise CommandRefused("NOT_HELD", f"No {bracket.symbol} is held by this trade yet.")
        if target is not None and bracket.targets:
            text = "This trade leaves in parts: move each target by its own order."
            raise CommandRefused("NOT_REPLACEABLE", text, field="take_profit_price", http_status=422)
        new_stop, new_target = stop or bracket.stop_price, target or bracket.take_profit_price
        if new_target is not None and (new_target - new_stop) * bracket.side.sign <= 0:
            text = f"Stop {plain(new_stop)} and target {plain(new_target)} lie on the wrong sides of each other."
            raise CommandRefused("EXITS_CROSSED", text, field="stop_price", http_status=422)
        same_stop = stop is None or stop == bracket.stop_price
        if same_stop and (target is None or target == bracket.take_profit_price):
            raise CommandRefused("NOTHING_TO_MOVE", "The exits stand there already.")
        if case.mark is not None:
            self._refuse_beyond_market(bracket, case.mark, None if same_stop else stop, target)

    def _refuse_beyond_market(
        self, bracket: Bracket, mark: Decimal, stop: Decimal | None, target: Decimal | None
    ) -> None:
        if stop is not None and not leaves_room(bracket.side, stop, mark):
            text = f"The market is at {plain(mark)}: a stop at {plain(stop)} would fire at once. Flatten instead."
            raise CommandRefused("STOP_BEYOND_MARKET", text, field="stop_price")
        if target is not None and (target - mark) * bracket.side.sign <= 0:
            text = f"The market is at {plain(mark)}: a target at {plain(target)} would fill at once. Flatten instead."
            raise CommandRefused("TARGET_BEYOND_MARKET", text, field="take_profit_price")
        widest = self._config.limits.max_stop_distance_pct
        if stop is not None and widest is not None and not improves(bracket, stop):
            distance_pct = abs(mark - stop) / mark * 100
            if distance_pct > Decimal(str(widest)):
                text = f"The stop would be {distance_pct:.1f} % away, {widest} % are allowed (max_stop_distance_pct)."
                raise CommandRefused("DENIED", text, field="stop_price")

    async def break_even(self, bracket_id: str, *, actor: str) -> BracketView:
        """The stop goes to the average entry plus a tick for its costs."""
        bracket = self._open(bracket_id)
        price = breakeven_price(bracket, self._book.cover(bracket_id))
        if price is None:
            raise CommandRefused("NOT_HELD", f"No {bracket.symbol} is held by this trade yet.")
        if not improves(bracket, price):
            text = f"The stop at {plain(bracket.stop_price)} is at break-even or better already."
            raise CommandRefused("NOTHING_TO_MOVE", text)
        return await self.move(bracket_id, actor=actor, stop_price=price, reason="break-even", is_breakeven=True)

    # --- unprotected by a person's word ------------------------------------------------------------------------------

    async def run_unprotected(self, bracket_id: str, *, minutes: int, confirm: str | None, actor: str) -> BracketView:
        """Keep the supervisor's hands off for 1 to 60 minutes. Exits that stand are left standing."""
        bracket = self._open(bracket_id)
        if confirm != RUN_UNPROTECTED:
            raise _must_type(RUN_UNPROTECTED)
        if not 1 <= minutes <= LONGEST_UNPROTECTED_MIN:
            text = f"minutes must be 1 to {LONGEST_UNPROTECTED_MIN}, not {minutes}"
            raise CommandRefused("OUT_OF_RANGE", text, field="minutes", http_status=422)
        if self._book.cover(bracket_id).held == 0:
            raise CommandRefused("NOT_HELD", f"No {bracket.symbol} is held by this trade yet.")
        until = self._clock.now() + timedelta(minutes=minutes)
        await self._recorder.commit_exit(ev.UnprotectedBegan(bracket_id=bracket_id, until=until, actor=actor))
        return self._presenter.bracket(bracket_id)

    async def protect_again(self, bracket_id: str, *, actor: str) -> BracketView:
        """End an unprotected run before its time."""
        bracket = self._open(bracket_id)
        if bracket.unprotected_until is None:
            raise CommandRefused("NOT_UNPROTECTED", f"{bracket.symbol} does not run unprotected.")
        ended = ev.UnprotectedEnded(bracket_id=bracket_id, why=f"ended by {actor}", actor=actor)
        await self._recorder.commit_exit(ended)
        self._supervisor.hurry(bracket.symbol)
        return self._presenter.bracket(bracket_id)

    # --- consequences ------------------------------------------------------------------------------------------------

    def consequence_of_canceling_entries(self) -> str | None:
        """What halting or reducing would leave naked for a while: every part-filled entry goes through the rescue."""
        trip_s = (self._world.rest_ms or 100.0) / 1000
        parts = [
            f"{plain(cover.held)} {self._book.brackets[key].symbol}"
            for key in self._book.open_brackets
            if (cover := self._book.cover(key)).entry_open and cover.naked > 0
        ]
        if not parts:
            return None
        naked_s = 3 * trip_s
        return (
            f"{', '.join(parts)} of part-filled entries stay naked about {naked_s:.1f} s until their rest is canceled "
            "and exits of their own stand; longer if a cancel sticks."
        )

    # --- helpers -----------------------------------------------------------------------------------------------------

    async def _until(self, true: Callable[[], bool], at_most_s: float) -> None:
        ends_s = self._clock.monotonic_s() + at_most_s
        while not true() and self._clock.monotonic_s() < ends_s:
            await self._clock.sleep(LOOK_S)

    def _open(self, bracket_id: str, *, even_closed: bool = False) -> Bracket:
        bracket = self._book.brackets.get(bracket_id)
        if bracket is None:
            raise CommandRefused("NOT_FOUND", f"There is no bracket {bracket_id}.", http_status=404)
        if bracket.closed_at is not None and not even_closed:
            raise CommandRefused("CLOSED", f"The trade in {bracket.symbol} is closed.")
        return bracket


def _must_type(words: str) -> CommandRefused:
    return CommandRefused("CONFIRM_REQUIRED", f'This needs confirm = "{words}".', field="confirm")


def _with_plan(view: BracketView, plan_id: str) -> BracketView:
    return msgspec.structs.replace(view, plan_id=plan_id)
