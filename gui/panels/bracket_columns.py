"""Columns of the brackets: a trade a row, its orders beneath it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from engine.model.money import ZERO
from engine.model.words import BracketStatus, CoverKind
from engine.views import BracketView, OrderView, WatchView
from gui import formatting as say
from gui.order_words import filled_tip
from gui.status_words import BRACKET_RANK, REST_RANK, bracket_face, order_face, role_words
from gui.tables.cells import ButtonsCell, CoverCell, RowButton, SideCell, StatusCell, TextCell
from gui.tables.column import Column
from gui.tables.ruler_cell import RulerCell
from gui.theme import Type
from gui.widgets.price_ruler import Marks

QUOTE_STALE_S: Final = 15.0
"""From here on a price is shown grey, with its age in the tooltip."""

_TROUBLE: Final = frozenset(BRACKET_RANK)


def is_stale(age_s: float | None) -> bool:
    return age_s is None or age_s > QUOTE_STALE_S


def marks(bracket: BracketView) -> Marks:
    return Marks(
        bracket.stop_price,
        bracket.entry_price,
        bracket.take_profit_price,
        bracket.market_price,
        confirmed=bracket.exits_confirmed,
        stale=is_stale(bracket.quote_age_s),
        targets=tuple(part.price for part in bracket.targets) if len(bracket.targets) > 1 else (),
    )


def profit(bracket: BracketView) -> Decimal | None:
    """Open and closed part together."""
    if bracket.unrealized_pl is None and bracket.realized_pl is None:
        return None
    return (bracket.unrealized_pl or ZERO) + (bracket.realized_pl or ZERO)


def filled_qty(bracket: BracketView) -> Decimal:
    """Bought or sold by the entry; what is held may be less by now."""
    entry = bracket.legs.entry
    return entry.filled_qty if entry is not None else bracket.held_qty


def cover_share(bracket: BracketView) -> float | None:
    return float(bracket.covered_qty / bracket.held_qty) if bracket.held_qty else None


def cover_words(bracket: BracketView) -> str:
    if not bracket.held_qty:
        return "Nothing held"
    text = f"{say.qty(bracket.covered_qty)} of {say.qty(bracket.held_qty)} held under confirmed stops"
    if bracket.cover_kind is CoverKind.LIMITED:
        text += "\nLimited cover: a stop with a limit, a gap can jump it"
    if bracket.evidence is not None:
        text += f"\nProof: {bracket.evidence.source.value} {bracket.evidence.id or ''} {say.stamp(bracket.evidence.at)}"
    return text


def naked_text(bracket: BracketView) -> str:
    if not bracket.held_qty and not bracket.naked_s:
        return say.NONE
    return say.seconds(bracket.naked_s)


def plan_text(bracket: BracketView) -> str:
    """The plan and who keeps it; while something is wrong, the last refusal instead."""
    if bracket.last_error and bracket.status in _TROUBLE:
        return bracket.last_error
    if bracket.move_refused:
        return f"move refused: {bracket.move_refused}"
    if bracket.watch is not None:
        return _watch_words(bracket.watch)
    words = [bracket.plan]
    if len(bracket.targets) > 1:
        words.append(f"{len(bracket.targets)} targets")
    if bracket.trail is not None:
        words.append(f"trails {bracket.trail.sentence}")
    return " · ".join(words)


def _watch_words(watch: WatchView) -> str:
    """Only while this desk runs and quotes come, so the newest quote's age stands beside it."""
    age = watch.heartbeat_age_s
    return "desk watches · " + ("no quote yet" if age is None else f"quote {say.seconds(age)}")


def _plan_tone(bracket: BracketView) -> str:
    if (bracket.last_error and bracket.status in _TROUBLE) or bracket.move_refused:
        return "high"
    return "p2_text" if bracket.watch is not None else "mid"


def _plan_tip(bracket: BracketView) -> str:
    lines = [bracket.last_error or f"Exits as {bracket.plan}"]
    if bracket.move_refused:
        lines.append(f"The exits stand where they stood: {bracket.move_refused}")
    if bracket.watch is not None:
        lines.append(f"This desk watches the exits, for as long as it runs: {bracket.watch.why}")
    if bracket.trail is not None:
        best = f", best price {say.price(bracket.high_water)}" if bracket.high_water is not None else ""
        lines.append(f"The stop follows {bracket.trail.sentence} behind the best price{best}")
    lines += [f"Target {say.price(part.price)} for {say.qty(part.qty)}" for part in bracket.targets]
    return "\n".join(lines)


def rank(bracket: BracketView) -> int:
    return BRACKET_RANK.get(bracket.status, REST_RANK)


def wash(row: object) -> str | None:
    if isinstance(row, BracketView) and row.status in (BracketStatus.NAKED, BracketStatus.EXIT_STALLED):
        return "p1_wash"
    return None


def is_trouble(bracket: BracketView) -> bool:
    return bracket.status in _TROUBLE


def buttons(bracket: BracketView) -> Sequence[RowButton]:
    found = []
    trouble = is_trouble(bracket)
    if bracket.can_retry:
        tip = f"Place the exits of {say.qty(bracket.naked_qty)} {bracket.symbol} again, now  (B)"
        found.append(RowButton("retry", "Retry", "danger", tip=tip))
    if bracket.can_flatten:
        tip = f"Close {say.qty(bracket.held_qty)} {bracket.symbol}; asks once  (X)"
        found.append(RowButton("flatten", "Flatten", "plain" if trouble else "quiet", tip=tip))
    return found


def _price_words(order: OrderView) -> str:
    price = order.limit_price if order.limit_price is not None else order.stop_price
    words = say.price(price) if price is not None else "market"
    if order.filled_avg_price is not None:
        words += f"  avg {say.price(order.filled_avg_price)}"
    return words


def _evidence_words(order: OrderView) -> str:
    return f"evidence {say.clock(order.evidence.at)}" if order.evidence is not None else "no evidence yet"


def _status_tip(bracket: BracketView) -> str:
    lines = [bracket_face(bracket).meaning, bracket.last_error or ""]
    if bracket.gave_up:
        lines.append("The desk has given up placing exits: retry or flatten.")
    return "\n".join(line for line in lines if line)


def _last_tone(bracket: BracketView) -> str:
    return "low" if is_stale(bracket.quote_age_s) else "high"


def _last_tip(bracket: BracketView) -> str:
    return f"Quote {say.seconds(bracket.quote_age_s)} old" if bracket.quote_age_s is not None else "No quote"


def _naked_tone(bracket: BracketView) -> str:
    if bracket.naked_since is not None:
        return "high"
    return "mid" if bracket.naked_s else "faint"


_STATUS: Final[Column[BracketView]] = Column(
    "status",
    "Status",
    128,
    lambda b: bracket_face(b).word,
    rank,
    StatusCell(bracket_face, arrow=True),
    tip=_status_tip,
    child_text=lambda o: order_face(o).word.lower(),
    child_cell=StatusCell(order_face, inset=26),
    least=122,
)
_SYMBOL: Final[Column[BracketView]] = Column(
    "symbol",
    "Symbol",
    78,
    lambda b: b.symbol,
    lambda b: b.symbol,
    TextCell(kind=Type.STRONG),
    tip=lambda b: f"{b.strategy} · {b.id}",
    child_text=role_words,
    child_cell=TextCell("mid"),
    least=66,
)


def _held_tip(bracket: BracketView) -> str:
    taken_back = [filled_tip(order) for order in bracket.orders if order.busted_qty]
    return " · ".join((f"{say.qty(bracket.held_qty)} held now", *taken_back))


_SIDE: Final[Column[BracketView]] = Column(
    "side", "", 32, lambda b: say.side_letter(b.side), lambda b: b.side.value, SideCell(lambda b: b.side)
)
_FILLED: Final[Column[BracketView]] = Column(
    "filled",
    "Filled",
    74,
    lambda b: say.filled(filled_qty(b), b.qty),
    filled_qty,
    right=True,
    tip=_held_tip,
    spare=1,
    child_text=lambda o: say.filled(o.filled_qty, o.qty),
    child_cell=TextCell("mid"),
)
_PL: Final[Column[BracketView]] = Column(
    "pl",
    "P&L",
    78,
    lambda b: say.money(profit(b), signed=True),
    profit,
    TextCell(kind=Type.MEDIUM),
    right=True,
    spare=2,
)
_R: Final[Column[BracketView]] = Column(
    "r", "R", 56, lambda b: say.signed(b.r_multiple), lambda b: b.r_multiple, TextCell("mid"), right=True, spare=7
)
_NAKED: Final[Column[BracketView]] = Column(
    "naked",
    "Naked",
    58,
    naked_text,
    lambda b: b.naked_s,
    TextCell(_naked_tone, Type.MEDIUM),
    right=True,
    tip=lambda _b: "Seconds with shares held and no confirmed stop under them, in all",
)
_TRIES: Final[Column[BracketView]] = Column(
    "tries",
    "Tries",
    44,
    lambda b: str(b.attempts),
    lambda b: b.attempts,
    TextCell(lambda b: "high" if b.attempts > 1 else "faint"),
    right=True,
    spare=9,
)


def open_columns(more: Iterable[Column[BracketView]] = ()) -> tuple[Column[BracketView], ...]:
    """``more`` are those that are in sight only by somebody's wish."""
    return (
        _STATUS,
        _SYMBOL,
        _SIDE,
        _FILLED,
        Column(
            "ruler",
            "Stop – entry – target",
            126,
            lambda b: f"{say.price(b.stop_price)} – {say.price(b.entry_price)} – {say.price(b.take_profit_price)}",
            cell=RulerCell(marks),
            tip=lambda b: (
                f"stop {say.price(b.stop_price)} · entry {say.price(b.entry_price)} · "
                f"target {say.price(b.take_profit_price)}"
                + ("" if b.exits_confirmed else "\nExits not confirmed by the broker")
            ),
            child_text=_price_words,
            child_cell=TextCell("high"),
            stretch=True,
            least=92,
            spare=3,
        ),
        Column(
            "last",
            "Last",
            68,
            lambda b: say.price(b.market_price),
            lambda b: b.market_price,
            TextCell(_last_tone),
            right=True,
            tip=_last_tip,
            spare=5,
        ),
        _PL,
        _R,
        Column(
            "cover",
            "Cover",
            66,
            cover_words,
            cover_share,
            CoverCell(cover_share, limited=lambda b: b.cover_kind is CoverKind.LIMITED),
            tip=cover_words,
            least=50,
            spare=4,
        ),
        _NAKED,
        _TRIES,
        Column(
            "plan",
            "Plan",
            124,
            plan_text,
            lambda b: b.plan,
            TextCell(_plan_tone),
            tip=_plan_tip,
            child_text=lambda o: o.last_error or o.note or "",
            spare=8,
            child_cell=TextCell("low"),
        ),
        *more,
        Column(
            "acts",
            "",
            122,
            lambda b: " ".join(button.text for button in buttons(b)),
            cell=ButtonsCell(buttons),
            firm=True,
            right=True,
            child_text=_evidence_words,
            child_cell=TextCell("low", Type.SMALL),
        ),
    )


def closed_columns() -> tuple[Column[BracketView], ...]:
    return (
        _STATUS,
        _SYMBOL,
        _SIDE,
        _FILLED,
        Column("entry", "Entry", 76, lambda b: say.price(b.entry_price), lambda b: b.entry_price, right=True),
        _PL,
        _R,
        _NAKED,
        _TRIES,
        Column("plan", "Plan", 80, lambda b: b.plan, lambda b: b.plan, TextCell("mid"), spare=6),
        Column("strategy", "Strategy", 110, lambda b: b.strategy, lambda b: b.strategy, TextCell("mid"), stretch=True),
        Column(
            "opened", "Opened", 76, lambda b: say.clock(b.opened_at), lambda b: b.opened_at, TextCell("mid"), right=True
        ),
        Column("closed", "Closed", 76, lambda b: say.clock(b.closed_at), lambda b: b.closed_at, right=True),
    )
