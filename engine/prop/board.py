"""Prop-firm mode as the gate and the screen see it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engine.book import Book
from engine.clock import Clock
from engine.market.quotes import QuoteBoard
from engine.model.bracket import Bracket
from engine.model.money import ZERO
from engine.model.words import Side
from engine.prop.ledger import PropDay
from engine.prop.loading import BrokenPreset
from engine.prop.meters import Meter, PropFacts, meters
from engine.prop.preset import Preset
from engine.protection.ledger import Cover
from engine.views_limits import PropBreachView, PropDayView, PropFirmView, PropRuleView

HUNDREDTH: Final = Decimal("0.01")

type Quoted = tuple[Decimal | None, Decimal | None]
"""What a position could be closed at, and what an entry would meet."""


class PropBoard:
    def __init__(
        self,
        preset: Preset | BrokenPreset | None,
        warn_within_pct: float,
        book: Book,
        quotes: QuoteBoard,
        clock: Clock,
        *,
        equity: Callable[[], Decimal | None],
        balance: Callable[[], Decimal | None],
    ) -> None:
        self.preset = preset
        self._warn_within_pct = Decimal(str(warn_within_pct))
        self._book = book
        self._quotes = quotes
        self._clock = clock
        self._kept: dict[str, tuple[Bracket, Cover, Quoted, tuple[Decimal, Decimal]]] = {}
        """Bracket id -> its risk and exposure, with what they were made of."""
        self.equity = equity
        self.balance = balance

    def facts(self, besides: str = "") -> PropFacts | str | None:
        """What the rules look at now; ``besides`` is the signal that is asked about. Text: the mode cannot be kept."""
        preset = self.preset
        if preset is None:
            return None
        if isinstance(preset, BrokenPreset):
            return preset.text
        ledger = self._book.prop
        if ledger.preset != preset.name:
            return "the day's ledger has not been opened yet"
        risk, exposure, symbols, unstopped = self._at_risk(besides)
        return PropFacts(
            preset=preset,
            ledger=ledger,
            equity=self.equity(),
            balance=self.balance(),
            open_risk=risk,
            unstopped=unstopped,
            exposure=exposure,
            symbols=symbols,
            warn_within_pct=self._warn_within_pct,
            now=self._clock.now(),
        )

    def _at_risk(self, besides: str) -> tuple[Decimal, Decimal, frozenset[str], tuple[str, ...]]:
        """Risk from now to the stops, exposure, symbols, and those held without a stop of this desk."""
        book = self._book
        risk = exposure = ZERO
        for gone in self._kept.keys() - book.open_brackets.keys():
            del self._kept[gone]
        symbols: set[str] = set()
        explained: dict[str, Decimal] = {}
        for bracket_id in book.open_brackets:
            bracket, cover = book.brackets[bracket_id], book.cover(bracket_id)
            if bracket.symbol in book.positions:
                held = cover.held * bracket.side.sign
                explained[bracket.symbol] = explained.get(bracket.symbol, ZERO) + held
            if cover.held + cover.entry_leaves == 0 or bracket.signal_id == besides:
                continue
            own_risk, own_exposure = self._of_trade(bracket, cover)
            risk += own_risk
            exposure += own_exposure
            symbols.add(bracket.symbol)
        for signal_id in (*book.approved, *book.held_entries):
            record = book.signals[signal_id]
            approval, signal = record.approval, record.signal
            if (
                signal_id == besides
                or approval is None
                or record.bracket_id is None
                or record.bracket_id in book.brackets
            ):
                continue
            wanted = approval.limit_price or approval.trigger_price
            price = self._entry_price(signal.symbol, signal.side, wanted) or ZERO
            stop = approval.stop_price or ZERO
            risk += max(ZERO, (price - stop) * signal.side.sign) * approval.qty
            exposure += price * approval.qty
            symbols.add(signal.symbol)
        unstopped = []
        for position in book.positions.values():
            foreign = position.qty - explained.get(position.symbol, ZERO)
            if foreign != 0:
                mark = self._quotes.mark(position.symbol, 1 if foreign > 0 else -1) or position.avg_entry_price or ZERO
                exposure += abs(foreign) * mark
                symbols.add(position.symbol)
                unstopped.append(position.symbol)
        return risk, exposure, frozenset(symbols), tuple(sorted(unstopped))

    def _of_trade(self, bracket: Bracket, cover: Cover) -> tuple[Decimal, Decimal]:
        """Risk down to the stop, and exposure. The same again while neither the trade nor its quote moved."""
        quotes, sign = self._quotes, bracket.side.sign
        quoted = quotes.mark(bracket.symbol, sign), quotes.touch(bracket.symbol, sign)
        known = self._kept.get(bracket.id)
        if known is not None and known[0] is bracket and known[1] is cover and known[2] == quoted:
            return known[3]
        limit = cover.entry.limit_price if cover.entry is not None else None
        mark = quoted[0] or cover.avg_entry_price or limit or bracket.stop_price
        price = limit or quoted[1] or mark
        risk = max(ZERO, (mark - bracket.stop_price) * sign) * cover.held
        risk += max(ZERO, (price - bracket.stop_price) * sign) * cover.entry_leaves
        made = risk, mark * cover.held + price * cover.entry_leaves
        self._kept[bracket.id] = bracket, cover, quoted, made
        return made

    def _entry_price(self, symbol: str, side: Side, limit: Decimal | None) -> Decimal | None:
        if limit is not None:
            return limit
        return self._quotes.touch(symbol, side.sign)

    def rules(self) -> tuple[PropRuleView, ...]:
        """As the account is now."""
        facts = self.facts()
        return tuple(rule_view(meter) for meter in meters(facts, None)) if isinstance(facts, PropFacts) else ()

    def view(self) -> PropFirmView:
        preset, ledger = self.preset, self._book.prop
        known = preset if isinstance(preset, Preset) else None
        begun = known is not None and ledger.preset == known.name
        standing = ledger.standing()
        return PropFirmView(
            enabled=preset is not None,
            broken=preset.text if isinstance(preset, BrokenPreset) else None,
            preset=known.name if known is not None else None,
            about=known.about if known is not None else "",
            size=ledger.size if begun else None,
            equity=self.equity(),
            balance=self.balance(),
            high_equity=ledger.high_equity if begun else None,
            high_close=ledger.high_close if begun else None,
            rules=self.rules(),
            day=_day_view(ledger.day) if begun and ledger.day is not None else None,
            days=tuple(_day_view(day) for day in reversed(ledger.closed)) if begun else (),
            breaches=tuple(
                PropBreachView(rule=b.rule, day=b.day, text=b.text, at=b.at, stands=b in standing)
                for b in ledger.breaches
            )
            if begun
            else (),
        )


def rule_view(meter: Meter) -> PropRuleView:
    return PropRuleView(
        code=meter.code,
        name=meter.name,
        verdict=meter.verdict,
        text=meter.text,
        unit=meter.unit,
        limit=meter.limit,
        floor=_cents(meter.floor),
        headroom_now=_cents(meter.now),
        headroom_after_stop=_cents(meter.after_stop),
        headroom_after_all_stops=_cents(meter.after_all_stops),
    )


def _cents(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(HUNDREDTH)


def _day_view(day: PropDay) -> PropDayView:
    return PropDayView(
        day=day.day,
        began_at=day.began_at,
        start_balance=day.start_balance,
        start_equity=day.start_equity,
        high_equity=day.high_equity,
        balance=day.balance,
        equity=day.equity,
        profit=day.balance - day.start_balance,
        traded=day.traded,
        is_late=day.is_late,
        corrected_by=day.corrected_by,
    )
