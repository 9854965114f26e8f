"""What you see is what you send: the request of the preview and the one made from its approval are the same bytes."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import assume, given, settings, strategies as st

from engine.alpaca.bodies import encode_body
from engine.model.commands import NO_EDITS, Edits
from engine.model.money import is_on_tick
from engine.model.signal import EntrySpec, ExitSpec, Signal, SizeSpec
from engine.model.words import OrderType, Side
from engine.pipeline.decide import Decision, decide
from engine.pipeline.entry import plan_entry
from engine.pipeline.executor import approved_numbers
from engine.rules.facts import Facts
from tests.unit.builders import DESK_ID, T0, config_of, make_approval, make_facts, make_quote, make_signal

ROOMY = config_of(
    {"limits": {"max_symbol_exposure_pct": 1000, "max_stop_distance_pct": 100}, "approval": {"max_drift_pct": 100}}
)
FINE = st.decimals(min_value="0.001", max_value="6", places=3)


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    """Any entry that can carry exits, near 187.10; prices and distances also between the ticks."""
    side = draw(st.sampled_from(Side))
    near = Decimal("187.10") - side.sign * draw(st.decimals(min_value=0, max_value=1, places=3))
    limit = draw(st.sampled_from([None, near]))
    stop = draw(
        st.one_of(
            st.builds(ExitSpec, unit=st.just("amount"), value=FINE),
            st.builds(ExitSpec, unit=st.just("percent"), value=FINE),
            st.builds(
                lambda away, gap: ExitSpec(
                    unit="price",
                    value=near - side.sign * (1 + away),
                    limit_price=None if gap is None else near - side.sign * (1 + away + gap),
                ),
                FINE,
                st.one_of(st.none(), FINE),
            ),
        )
    )
    target = draw(
        st.one_of(
            st.none(),
            st.builds(ExitSpec, unit=st.sampled_from(["amount", "percent", "r"]), value=FINE),
        )
    )
    size = draw(
        st.one_of(
            st.none(),
            st.builds(SizeSpec, unit=st.just("qty"), value=st.decimals(min_value=1, max_value=500, places=1)),
            st.builds(SizeSpec, unit=st.just("risk_usd"), value=st.decimals(min_value=10, max_value=900, places=2)),
        )
    )
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    return make_signal(
        side=side, entry=EntrySpec(type=kind, limit_price=limit), stop_loss=stop, take_profit=target, size=size
    )


def request(decision: Decision) -> bytes:
    return encode_body(plan_entry(decision, desk_id=DESK_ID, bracket_id="b000001", now=T0).intents[0].body)


def approved(decision: Decision) -> Edits:
    plan = decision.case.plan
    return approved_numbers(
        make_approval(
            qty=plan.qty,
            limit_price=plan.limit_price,
            stop_price=plan.levels.stop_price,
            take_profit_price=plan.levels.take_profit_price,
        )
    )


def facts(bid: str = "187.08", ask: str = "187.10") -> Facts:
    return make_facts(config=ROOMY, quote=make_quote(bid, ask))


@settings(max_examples=50)
@given(signals(), st.sampled_from([NO_EDITS, Edits(qty=Decimal(7)), Edits(stop_price=Decimal("181.00"))]))
def test_the_executor_sends_the_bytes_that_the_preview_showed(signal: Signal, edits: Edits) -> None:
    shown = decide(signal, facts(), edits)
    assume(shown.approvable)
    again = decide(signal, facts(), approved(shown))
    assert again.approvable
    assert request(again) == request(shown)


@settings(max_examples=50)
@given(signals())
def test_a_moving_market_does_not_move_what_was_approved(signal: Signal) -> None:
    shown = decide(signal, facts())
    assume(shown.approvable)
    later = decide(signal, facts("187.01", "187.03"), approved(shown))
    assert request(later) == request(shown)


@settings(max_examples=50)
@given(signals())
def test_every_price_that_is_sent_lies_on_the_tick_grid_and_every_quantity_is_whole(signal: Signal) -> None:
    decision = decide(signal, facts())
    assume(decision.approvable)
    plan = decision.case.plan
    levels = plan.levels
    prices = (plan.limit_price, levels.stop_price, levels.stop_limit_price, levels.take_profit_price)
    assert all(is_on_tick(price) for price in prices if price is not None)
    assert plan.qty == plan.qty.to_integral_value() >= 1
