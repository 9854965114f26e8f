"""Numbers, ages and times as words: the same everywhere in the window.

Plain functions of values; minus is the true minus sign, absent is an en dash, times are New York time because that is
the market's.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from engine.model.words import Side

NONE: Final = "–"
MINUS: Final = "−"
MARKET_TIME: Final = ZoneInfo("America/New_York")


def price(value: Decimal | float | None) -> str:
    """Two decimals, four below one; thousands apart."""
    if value is None:
        return NONE
    number = Decimal(value)
    digits = 4 if number and abs(number) < 1 else 2
    return f"{number:,.{digits}f}".replace("-", MINUS)


def qty(value: Decimal | None) -> str:
    """As many decimals as it has, none for whole shares."""
    if value is None:
        return NONE
    whole = value.to_integral_value()
    text = f"{whole:,}" if value == whole else f"{value.normalize():,f}"
    return text.replace("-", MINUS)


def filled(done: Decimal, total: Decimal) -> str:
    return f"{qty(done)}/{qty(total)}"


def money(value: Decimal | None, *, signed: bool = False) -> str:
    """Whole dollars from 100 on, cents below; ``signed`` writes the plus too."""
    if value is None:
        return NONE
    size = abs(value)
    text = f"{size:,.0f}" if size >= 100 or size == size.to_integral_value() else f"{size:,.2f}"
    if value == 0 or not text.strip("0.,"):
        return "$0"
    sign = MINUS if value < 0 else "+" if signed else ""
    return f"{sign}${text}"


def signed(value: Decimal | float | None, digits: int = 2) -> str:
    if value is None:
        return NONE
    text = f"{abs(value):.{digits}f}"
    if not text.strip("0."):
        return text
    return (MINUS if value < 0 else "+") + text


def percent(value: Decimal | float | None, digits: int = 2) -> str:
    return NONE if value is None else f"{value:.{digits}f} %".replace("-", MINUS)


def ms(value: float | None) -> str:
    """A duration given in milliseconds, in the unit that suits it."""
    if value is None:
        return NONE
    if value < 10:
        return f"{value:.1f} ms"
    if value < 1_000:
        return f"{value:.0f} ms"
    return seconds(value / 1_000)


def seconds(value: float) -> str:
    """``0.4 s``, ``16 s``, ``1:12``, ``1:02:11``."""
    value = max(value, 0.0)
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 59.5:
        return f"{value:.0f} s"
    return countdown(value)


def span(value: float) -> str:
    """A time that only has to be known roughly: ``0.4 s``, ``16 s``, ``4 min``, ``2 h``."""
    if value < 59.5:
        return seconds(value)
    return f"{value / 60:.0f} min" if value < 3_570 else f"{value / 3_600:.0f} h"


def countdown(value: float) -> str:
    """``0:41``, ``12:31``, ``1:02:11``."""
    whole = int(max(value, 0.0) + 0.5)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def age(since: datetime | None, now: datetime) -> str:
    return NONE if since is None else seconds((now - since).total_seconds())


def clock(at: datetime | None, *, millis: bool = False) -> str:
    """Time of day at the market."""
    if at is None:
        return NONE
    local = at.astimezone(MARKET_TIME)
    text = f"{local:%H:%M:%S}"
    return f"{text}.{local.microsecond // 1000:03d}" if millis else text


def day(value: date) -> str:
    """``Wed 25 Nov 2026``."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def stamp(at: datetime | None) -> str:
    """Date and time at the market, for evidence."""
    return NONE if at is None else f"{at.astimezone(MARKET_TIME):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " ET"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def sentence(words: str) -> str:
    """Words that may stand in the middle of a sentence, as the start of one."""
    return words[:1].upper() + words[1:]


def side_letter(side: Side) -> str:
    return "B" if side is Side.BUY else "S"


def tinted_sentence(sentence: str, tint: str) -> str:
    """The order's sentence as rich text, its first three words (what, how many, of what) in the side's colour.

    Lines break only between the parts, so that no price stands apart from its name.
    """
    first, *parts = sentence.split(" · ")
    words = first.split(" ")
    head = " ".join(words[:3])
    rest = " · ".join([" ".join(words[3:]), *(part.replace(" ", "\u00a0") for part in parts)])
    return f'<span style="color:{tint};font-weight:600">{escape(head)}</span> {escape(rest)}'
