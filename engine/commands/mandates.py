"""The desk's door for mandates: giving, confirming, revoking and showing them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from engine.book import NEW_YORK, Book
from engine.clock import Clock
from engine.errors import CommandRefused, JournalUnavailable
from engine.mandates import Mandates
from engine.model import events as ev
from engine.model.ids import mandate_id
from engine.model.mandate import Mandate, MandateRecord, MandateTerms, bounds_of
from engine.model.money import ZERO
from engine.recorder import Recorder
from engine.rules.mandates import Burn
from engine.views_limits import MandateView

HUNDREDTH: Final = Decimal("0.01")


class MandateCommands:
    def __init__(self, mandates: Mandates, recorder: Recorder, book: Book, clock: Clock) -> None:
        self._mandates = mandates
        self._recorder = recorder
        self._book = book
        self._clock = clock

    async def grant(self, wanted: MandateTerms, *, actor: str) -> MandateView:
        """A new mandate, in force once it is on disk. Further days have to be asked for in so many words.

        Raises:
            CommandRefused: OUT_OF_RANGE; JOURNAL_UNAVAILABLE.
        """
        now = self._clock.now()
        latest = end_of_day(now, wanted.days)
        if not now < wanted.until <= latest:
            raise CommandRefused(
                "OUT_OF_RANGE",
                f"until must be after now and at most {latest.isoformat()}; further days are asked for with days.",
                field="until",
                http_status=422,
            )
        if wanted.max_notional_each > wanted.max_notional_day:
            raise CommandRefused(
                "OUT_OF_RANGE",
                "max_notional_each is more than max_notional_day allows.",
                field="max_notional_each",
                http_status=422,
            )
        mandate = Mandate(
            id=mandate_id(len(self._book.mandates) + 1),
            created_at=now,
            created_by=actor,
            **bounds_of(wanted),
        )
        try:
            await self._recorder.commit(ev.MandateGranted(mandate=mandate))
        except JournalUnavailable as why:
            self._recorder.record(ev.MandateRevoked(mandate_id=mandate.id, actor="desk"))
            raise CommandRefused("JOURNAL_UNAVAILABLE", f"Nothing can be recorded now: {why}", http_status=503) from why
        return self.view(mandate.id)

    async def confirm(self, wanted: str, *, actor: str) -> MandateView:
        """Let it go on after a restart. Raises ``CommandRefused``: NOT_FOUND, NOT_LIVE."""
        record = self._live(wanted)
        if record.run != self._book.run:
            await self._recorder.commit_exit(ev.MandateConfirmed(mandate_id=wanted, actor=actor))
        return self.view(wanted)

    async def revoke(self, wanted: str, *, actor: str) -> MandateView:
        """At once: nothing is approved by it from here on. Raises ``CommandRefused``: NOT_FOUND."""
        if self._record(wanted).revoked_at is None:
            await self._recorder.commit_exit(ev.MandateRevoked(mandate_id=wanted, actor=actor))
        return self.view(wanted)

    async def revoke_all(self, *, actor: str) -> list[MandateView]:
        """Every live one."""
        live = [record.mandate.id for record in self._book.live_mandates(self._clock.now())]
        if live:
            await self._recorder.commit_exit(*(ev.MandateRevoked(mandate_id=each, actor=actor) for each in live))
        return [self.view(each) for each in live]

    # --- reading -----------------------------------------------------------------------------------------------------

    def views(self, *, everything: bool = False, limit: int = 500) -> list[MandateView]:
        """Newest first; those in force unless ``everything`` is asked for."""
        live = {record.mandate.id for record in self._book.live_mandates(self._clock.now())}
        chosen = [key for key in reversed(self._book.mandates) if everything or key in live]
        return [self.view(key) for key in chosen[:limit]]

    def view(self, wanted: str) -> MandateView:
        record = self._record(wanted)
        mandate, burn = record.mandate, self._mandates.burn(record)
        return MandateView(
            id=mandate.id,
            status=self._status(record, burn),
            strategy=mandate.strategy,
            symbols=mandate.symbols,
            sides=mandate.sides,
            max_notional_each=mandate.max_notional_each,
            max_notional_day=mandate.max_notional_day,
            max_count=mandate.max_count,
            max_loss_day=mandate.max_loss_day,
            until=mandate.until,
            created_at=mandate.created_at,
            created_by=mandate.created_by,
            note=mandate.note,
            notional_today=burn.notional_today,
            notional_left_today=max(ZERO, mandate.max_notional_day - burn.notional_today),
            count=burn.count,
            count_left=max(0, mandate.max_count - burn.count),
            loss_today=burn.loss_today.quantize(HUNDREDTH) if mandate.max_loss_day is not None else None,
            signal_ids=tuple(use.signal_id for use in reversed(record.uses) if not use.is_returned),
            revoked_at=record.revoked_at,
            revoked_by=record.revoked_by,
            last_refusal=self._mandates.refusals.get(wanted, ""),
        )

    def _status(self, record: MandateRecord, burn: Burn) -> str:
        mandate = record.mandate
        if record.revoked_at is not None:
            return "revoked"
        if not self._book.is_in_force(mandate.id, self._clock.now()):
            return "over"
        if self._mandates.policy().confirm_after_restart and record.run != self._book.run:
            return "unconfirmed"
        is_used_up = burn.count >= mandate.max_count or burn.notional_today >= mandate.max_notional_day
        return "used_up" if is_used_up else "live"

    def _record(self, wanted: str) -> MandateRecord:
        record = self._book.mandates.get(wanted)
        if record is None:
            raise CommandRefused("NOT_FOUND", f"There is no mandate {wanted}.", http_status=404)
        return record

    def _live(self, wanted: str) -> MandateRecord:
        record = self._record(wanted)
        if not self._book.is_in_force(wanted, self._clock.now()):
            raise CommandRefused("NOT_LIVE", f"{wanted} is over or revoked: give a new one.")
        return record


def end_of_day(now: datetime, days: int) -> datetime:
    """Midnight in New York at the end of today, or of so many days later; in UTC."""
    tomorrow = now.astimezone(NEW_YORK).date() + timedelta(days=1 + days)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=NEW_YORK).astimezone(now.tzinfo)
