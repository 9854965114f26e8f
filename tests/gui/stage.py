"""The scenes: empty, busy, trouble, stale, two desks that may not enter yet, and one that tripped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Final

from engine.model.words import (
    BracketStatus,
    CoverKind,
    DeskState,
    Mode,
    OrderClass,
    OrderRole,
    OrderStatus,
    OrderType,
    Side,
    SignalStatus,
)
from engine.views import BracketView, OrderView, SignalView, SpanView
from engine.views_limits import TripView
from tests.gui import measured, scenery as make
from tests.gui.scene_gate import BETA, NEAR_A_LIMIT, SAME_BET
from tests.gui.scene_halt import flat
from tests.gui.scene_pieces import SceneDifference, SceneQuote
from tests.gui.scenes import SceneDesk, replace

BUY, SELL = Side.BUY, Side.SELL
ENTRY, TARGET, STOP, EXIT = OrderRole.ENTRY, OrderRole.TAKE_PROFIT, OrderRole.STOP_LOSS, OrderRole.EXIT
O, B = OrderStatus, BracketStatus  # noqa: E741


def _legs(
    ident: str, symbol: str, side: Side, qty: str, entry: str, stop: str, target: str, *, age_s: float, avg: str
) -> tuple[OrderView, ...]:
    """The orders of a trade that is on: filled entry, working target, armed stop."""
    naked = f"leaves {qty} {symbol} naked"
    return (
        make.order(
            ident, symbol, side, ENTRY, O.FILLED, qty, filled=qty, limit=entry, age_s=age_s,
            filled_avg_price=Decimal(avg),
        ),
        make.order(
            f"{ident}.tp", symbol, side.opposite, TARGET, O.NEW, qty, limit=target, age_s=age_s, note="bracket",
            parent_id=ident, cancel_consequence=naked,
        ),
        make.order(
            f"{ident}.sl", symbol, side.opposite, STOP, O.HELD, qty, stop=stop, age_s=age_s, note="held is normal",
            parent_id=ident, is_armed=True, cancel_consequence=naked,
        ),
    )  # fmt: skip


def _calm_trades() -> list[BracketView]:
    return [
        make.trade(
            "b-AAPL", "AAPL", BUY, B.PROTECTED, "100", entry="187.19", stop="184.90", target="191.80", last="188.34",
            pl="114.20", r="0.71",
            orders=_legs("b-AAPL", "AAPL", BUY, "100", "187.20", "184.90", "191.80", age_s=250, avg="187.19"),
        ),
        make.trade(
            "b-MSFT", "MSFT", BUY, B.PROTECTED, "75", entry="427.60", stop="424.00", target="434.00", last="428.90",
            pl="97.50", r="0.36",
            orders=_legs("b-MSFT", "MSFT", BUY, "75", "427.60", "424.00", "434.00", age_s=751, avg="427.60"),
        ),
        make.trade(
            "b-SPY", "SPY", SELL, B.PROTECTED, "50", entry="601.30", stop="604.20", target="595.00", last="600.10",
            pl="60.00", r="0.41", plan="oco", cover_kind=CoverKind.LIMITED,
            orders=_legs("b-SPY", "SPY", SELL, "50", "601.30", "604.20", "595.00", age_s=1324, avg="601.30"),
        ),
        make.trade(
            "b-COIN", "COIN", BUY, B.EXITING, "20", entry="318.40", stop="311.00", target="331.00", last="331.20",
            pl="256.00", r="1.73",
            orders=(
                make.order("b-COIN", "COIN", BUY, ENTRY, O.FILLED, "20", filled="20", limit="318.40", age_s=3000),
                make.order("b-COIN.tp", "COIN", SELL, TARGET, O.FILLED, "20", filled="20", limit="331.00", age_s=0.2),
                make.order(
                    "b-COIN.sl", "COIN", SELL, STOP, O.PENDING_CANCEL, "20", stop="311.00", age_s=0.2,
                    note="sibling filled",
                ),
            ),
        ),
        make.trade(
            "b-JPM", "JPM", BUY, B.ARMING, "55", held="0", entry="309.50", stop="306.10", target="316.00",
            last="309.90", pl="0", r=None, exits_confirmed=False, can_flatten=False,
            orders=(
                make.order("b-JPM", "JPM", BUY, ENTRY, O.NEW, "55", limit="309.50", age_s=72, note="bracket"),
                make.order(
                    "b-JPM.tp", "JPM", SELL, TARGET, O.HELD, "55", limit="316.00", age_s=72, note="waits for the fill"
                ),
                make.order(
                    "b-JPM.sl", "JPM", SELL, STOP, O.HELD, "55", stop="306.10", age_s=72, note="waits for the fill"
                ),
            ),
        ),
    ]  # fmt: skip


def _broken_trades() -> list[BracketView]:
    return [
        make.trade(
            "b-TSLA", "TSLA", BUY, B.NAKED, "40", entry="418.02", stop="409.50", target="431.20", last="416.90",
            pl="-44.80", r="-0.13", covered="0", naked_s=3.2, naked_since=make.ago(3.2), attempts=3,
            exits_confirmed=False, can_retry=True,
            last_error="stop price must be ≤ base price − 0.01 (42210000)",
            orders=(
                make.order(
                    "b-TSLA", "TSLA", BUY, ENTRY, O.FILLED, "40", filled="40", limit="418.10", age_s=3.2,
                    filled_avg_price=Decimal("418.02"),
                ),
                make.order(
                    "b-TSLA.tp", "TSLA", SELL, TARGET, O.REJECTED, "40", limit="431.20", age_s=2.4,
                    last_error="stop price must be ≤ base price − 0.01",
                ),
                make.order(
                    "b-TSLA.x3", "TSLA", SELL, EXIT, O.SENDING, "40", limit="431.20", stop="409.50", age_s=0.1,
                    order_class=OrderClass.OCO, note="attempt 3 of 5", evidence=None, can_cancel=False,
                ),
            ),
        ),
        make.trade(
            "b-QQQ", "QQQ", BUY, B.PART_PROTECTED, "100", held="60", covered="20", entry="509.40", stop="505.10",
            target="517.00", last="510.20", pl="48.00", r="0.11", naked_s=1.1, naked_since=make.ago(1.1),
            can_retry=True,
            orders=(
                make.order(
                    "b-QQQ", "QQQ", BUY, ENTRY, O.PARTIALLY_FILLED, "100", filled="60", limit="509.40", note="bracket"
                ),
                make.order("b-QQQ.tp", "QQQ", SELL, TARGET, O.HELD, "100", limit="517.00", note="waits for the fill"),
                make.order("b-QQQ.sl", "QQQ", SELL, STOP, O.HELD, "100", stop="505.10", note="waits for the fill"),
            ),
        ),
    ]  # fmt: skip


def _signals() -> list[SignalView]:
    nvda = make.preview(
        "NVDA", BUY, "120", entry="131.20", stop="128.90", target="136.40", price="131.44", risk="276", pct="0.28",
        rr="2.1", rr_sent="2.3", drift_r="0.3", ticks=7, size_reason="risk 0.4 %, limited by buying power: 180 → 120",
        warns=(
            ("CORRELATION", "Semis cluster 52 % of equity, limit 60 %"),
            ("SIZE_CAPPED", "Size limited by buying power: 180 → 120"),
        ),
    )  # fmt: skip
    meta = make.preview(
        "META", SELL, "30", entry=None, stop="598.10", target="581.00", price="590.30", risk="234", pct="0.23",
        rr="1.4",
        verb="Short",
    )  # fmt: skip
    xle = make.preview(
        "XLE", BUY, "210", entry="92.15", stop="91.10", target="94.30", price="92.20", risk="221", pct="0.22", rr="2.0"
    )
    denied = make.preview(
        "AMD", BUY, "85", entry="164.40", stop="161.90", target="169.00", price="167.20", risk="238", pct="0.24",
        rr="0.4", deny=("PRICE_DRIFT", "Moved 1.1 R since the signal, limit 0.5 R"), drift_r="1.1", ticks=280,
    )  # fmt: skip
    return [
        make.signal("s-XLE", "XLE", BUY, shown=xle, left_s=38),
        make.signal("s-META", "META", SELL, shown=meta, strategy="mean-rev-5", left_s=26),
        make.signal("s-NVDA", "NVDA", BUY, shown=nvda, left_s=18),
        make.signal("s-AMD", "AMD", BUY, shown=denied, left_s=52),
    ]


def _decided() -> list[SignalView]:
    rows = (
        ("AAPL", BUY, SignalStatus.FILLED, ""),
        ("TSLA", BUY, SignalStatus.FILLED, ""),
        ("SPY", SELL, SignalStatus.FILLED, ""),
        ("GOOG", BUY, SignalStatus.REJECTED, "Too much risk"),
        ("BA", SELL, SignalStatus.EXPIRED, ""),
        ("ORCL", BUY, SignalStatus.DENIED, "NO_STOP · no stop and no default for this strategy"),
        ("IWM", BUY, SignalStatus.CLOSED, ""),
    )
    return [
        make.signal(
            f"s-{symbol}", symbol, side, status=status, decision_note=note, left_s=-200 + 20 * number,
            decided_at=make.ago(400 - 40 * number),
            received_at=make.ago(8.43) if symbol == "TSLA" else make.ago(460 - 40 * number),
        )
        for number, (symbol, side, status, note) in enumerate(rows)
    ]  # fmt: skip


def _closed_trades() -> list[BracketView]:
    rows = (("IWM", "224.10", "46.20", "1.1"), ("DIA", "441.02", "-38.00", "-1.0"), ("XLF", "52.11", "71.50", "1.9"))
    return [
        make.trade(
            f"b-{symbol}", symbol, BUY, B.CLOSED, "60", held="0", entry=entry, stop="1", target=None, last=entry,
            pl=None, r=r, realized_pl=Decimal(pl), can_flatten=False, closed_at=make.ago(2000 - 300 * number),
            opened_at=make.ago(5000), orders=(),
        )
        for number, (symbol, entry, pl, r) in enumerate(rows)
    ]  # fmt: skip


def _timelines() -> dict[str, list[SpanView]]:
    def spans(protect_ms: float | None, *, trouble: bool) -> list[SpanView]:
        return [
            SpanView(label="You decided", start_ms=0, end_ms=5100, human=True),
            SpanView(label="Rules", start_ms=5100, end_ms=5100.4),
            SpanView(label="Journal", start_ms=5100.4, end_ms=5100.9),
            SpanView(label="Submit", start_ms=5100.9, end_ms=5184.9),
            SpanView(label="Fill", start_ms=5184.9, end_ms=5231.9),
            SpanView(label="Protect", start_ms=5231.9, end_ms=protect_ms, trouble=trouble),
        ]

    calm = ("AAPL", "MSFT", "SPY", "COIN", "JPM", "QQQ")
    return {f"s-{symbol}": spans(5234.1, trouble=False) for symbol in calm} | {"s-TSLA": spans(None, trouble=True)}


def _bars() -> dict[str, list]:
    last = {
        "TSLA": 416.9, "QQQ": 510.2, "AAPL": 188.34, "MSFT": 428.9, "SPY": 600.1, "COIN": 331.2, "JPM": 309.9,
        "NVDA": 131.44, "META": 590.3, "XLE": 92.2, "AMD": 167.2,
    }  # fmt: skip
    return {symbol: measured.walk(symbol, price) for symbol, price in last.items()}


LOSS: Final = TripView(
    code="DAILY_LOSS",
    state=DeskState.PAUSED,
    cause="The day's loss reached $1,000.00.",
    measured="$1,031.40",
    limit="$1,000.00",
    at=make.ago(312),
    stands=True,
    overridden_by=None,
    release="The day's loss is below the limit again, at the latest after the next close. "
    "Until then only RELEASE ANYWAY releases it.",
)


def empty() -> SceneDesk:
    return SceneDesk(make.desk_view(account=make.account(day_pl=Decimal(0))), latency=measured.latency_of([]))


def _full(
    trades: list[BracketView], *, more_orders: list[OrderView] | None = None, samples: int = 214, **view: object
) -> SceneDesk:
    made = measured.samples(samples)
    return SceneDesk(
        make.desk_view(**view),
        signals=_decided() + _signals(),
        orders=[order for trade in trades[::-1] for order in trade.orders] + (more_orders or []),
        brackets=_closed_trades() + trades,
        positions=[make.position_of(trade) for trade in trades if trade.held_qty],
        activity=_activity(),
        latency=measured.latency_of(made),
        samples=made,
        timelines=_timelines(),
        bars=_bars(),
        quotes={
            trade.symbol: SceneQuote(None, None, trade.market_price, make.NOW, trade.quote_age_s or 0)
            for trade in trades
        },
    )


def _activity() -> list:
    return [
        make.line(1, 57.1, None, "reconciled · 6 positions, 17 orders, 0 differences", "good"),
        make.line(2, 27.6, "MSFT", "target filled 25 @ 431.05 · +$186", "good"),
        make.line(3, 23.0, "XLE", "signal received · breakout-20"),
        make.line(4, 16.0, "AAPL", "stop 184.90 → 185.60 confirmed 91 ms", "good"),
        make.line(5, 2.48, "TSLA", "approved by you after 5.1 s"),
        make.line(6, 2.25, "TSLA", "filled 40 @ 418.02 · entry 84 ms"),
        make.line(7, 1.92, "TSLA", "exits rejected · 40 held, 0 covered", "bad"),
        make.line(8, 0.21, "TSLA", "retry 3 in 2.1 s · 42210000 base_price 418.02", "warn"),
    ]


def busy() -> SceneDesk:
    return _full(_calm_trades(), pending=4, health={"mode": Mode.PAPER, "account": "PA3ZQ7LM0K"})


def trouble() -> SceneDesk:
    desk = _full(
        _broken_trades() + _calm_trades(),
        pending=4,
        naked_qty=Decimal(40),
        naked_symbols=("TSLA",),
        naked_s=3.2,
        incidents=(1, 0, 2),
    )
    for incident in (
        make.incident(
            "i-rate", 3, "Rate budget at 71 %", "142 of 200 this minute; entries wait above 75 %.",
            "Nothing to do: exits keep their share.",
        ),
        make.incident(
            "i-xle", 3, "NVDA signal expires in 18 s", "No decision yet.", "Approve or reject it.",
            subject_kind="signal", subject_id="s-NVDA", symbol="NVDA", buttons=("show",),
        ),
        make.incident(
            "i-tsla", 1, "40 TSLA are naked",
            "Both exits were rejected after the fill: stop price must be ≤ base price − 0.01.",
            "Attempt 3 of 5 is on its way: retry now, or flatten.",
            subject_kind="bracket", subject_id="b-TSLA", symbol="TSLA", buttons=("retry", "flatten"), count=3,
        ),
    ):  # fmt: skip
        desk.put(incident)
    return desk


def stale() -> SceneDesk:
    trades = [
        replace(trade, status=B.UNVERIFIED, quote_age_s=94.0) if trade.status is B.PROTECTED else trade
        for trade in _calm_trades()
    ]
    unknown = make.order(
        "b-AMZN", "AMZN", BUY, ENTRY, O.SENDING, "40", limit="231.10", age_s=23, unresolved_since=make.ago(23),
        note="no answer to the submit", evidence=None, type=OrderType.LIMIT,
    )  # fmt: skip
    desk = _full(
        trades,
        more_orders=[unknown],
        samples=7,
        health={"desk_state": DeskState.PAUSED, "start_gate": "locked", "mode": Mode.LIVE, "account": "918273645"},
        desk_state_cause="stream down",
        stream=make.link(False, seen_s=94, since_s=94, why="Stream slot taken: another program uses it."),
        quotes=make.link(False, seen_s=94, since_s=94),
        clock_offset_ms=-1840.0,
        budget_used=151,
        incidents=(1, 1, 0),
        demo_on=None,
        account=make.account(account_number="918273645", day_pl=Decimal("1212.55")),
        session_open=False,
        session_changes_at=make.NOW + timedelta(hours=14),
    )
    desk.put(
        make.incident(
            "i-stream", 2, "Order stream is down", "Fills and cancels are seen only by reading, every 5 s.",
            "Close the other program that uses this account's stream.", raised_at=make.ago(94),
        ),
        make.incident(
            "i-amzn", 1, "40 AMZN buy is unknown", "The submit had no answer; it may have reached the broker.",
            "Look it up now.", subject_kind="order", subject_id="b-AMZN", symbol="AMZN", buttons=("lookup", "show"),
        ),
    )  # fmt: skip
    return desk


def tripped() -> SceneDesk:
    """A desk that paused itself, for a cause that still stands."""
    desk = _full(
        _calm_trades(),
        pending=4,
        health={"desk_state": DeskState.PAUSED, "mode": Mode.PAPER, "account": "PA3ZQ7LM0K"},
        desk_state_cause=LOSS.cause,
        trips=(LOSS,),
        mandates=1,
        account=make.account(day_pl=Decimal("-1031.40")),
        incidents=(1, 0, 0),
    )
    desk.put(
        make.incident(
            "i-trip", 1, LOSS.cause, "The desk is paused until it is released.",
            "Find out why; then release it.", buttons=("show",),
        )
    )  # fmt: skip
    return desk


def unconfirmed() -> SceneDesk:
    """A live desk whose account's number has not been typed yet."""
    return _full(
        _calm_trades(),
        pending=4,
        health={"mode": Mode.LIVE, "account": "918273645", "start_gate": "locked"},
        account=make.account(account_number="918273645", day_pl=Decimal("1212.55")),
        gate_locked_by="the live account has not been confirmed in the window",
        wants_confirmation=True,
        demo_on=None,
    )


def differing() -> SceneDesk:
    """A desk that found at its broker what its book does not explain."""
    desk = _full(_calm_trades(), pending=4, health={"mode": Mode.PAPER, "account": "PA3ZQ7LM0K"})
    desk.differ(*DIFFERENCES)
    return desk


DIFFERENCES = (
    SceneDifference(
        "position:NFLX", "NFLX", "25 NFLX are held that no trade explains", ("adopt", "watch", "ignore"), "position"
    ),
    SceneDifference(
        "order:61e69015-8549",
        "AAPL",
        "an order of AAPL was made by another program or by hand",
        ("watch", "cancel", "ignore"),
        "order",
    ),
    SceneDifference("order:904837e3-3b76", "DIS", "an order of DIS was made by desk k7", ("ignore",), "desk"),
)


def halted() -> SceneDesk:
    """Stopped, and proved flat."""
    desk = empty()
    view = desk.view()
    health = replace(view.health, desk_state=DeskState.HALTED)
    desk.put(replace(view, health=health, desk_state_cause="set by window", flat_proved_at=make.NOW))
    desk.ladder.shown = flat(make.NOW)
    return desk


def prop_firm() -> SceneDesk:
    """A day under a prop firm's rules, near its loss limit."""
    desk = busy()
    desk.put(replace(desk.view(), prop_firm=NEAR_A_LIMIT))
    for signal in desk.signals():
        if signal.preview is not None:
            desk.put(
                replace(signal, preview=replace(signal.preview, prop_firm=NEAR_A_LIMIT, cluster=SAME_BET, beta=BETA))
            )
    return desk


SCENES: dict[str, Callable[[], SceneDesk]] = {
    "empty": empty,
    "busy": busy,
    "trouble": trouble,
    "stale": stale,
    "unconfirmed": unconfirmed,
    "differing": differing,
    "tripped": tripped,
    "halted": halted,
    "prop_firm": prop_firm,
}


def desk_of(name: str) -> SceneDesk:
    desk = SCENES[name]()
    desk.clock.at = make.NOW
    return desk
