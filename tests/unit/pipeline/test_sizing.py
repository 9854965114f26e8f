"""How many shares, worked by hand: entry 187.20, stop 184.90, so 2.30 of risk a share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.signal import Levels, SizeSpec, SizeUnit
from engine.model.words import Side
from engine.pipeline.sizing import size_entry
from tests.unit.builders import config_of, make_account, make_facts, make_signal, replace
from tests.unit.rules.judging import exposure, levels

BASIS = Decimal("187.20")
ROOMY = {"limits": {"max_symbol_exposure_pct": 1000}}


def sized(
    size: tuple[SizeUnit, str] | None,
    *,
    config: dict[str, Any] | None = None,
    basis: Decimal | None = BASIS,
    stop: Levels | None = None,
    wanted: str | None = None,
    **facts: Any,
) -> tuple[str, str]:
    spec = None if size is None else SizeSpec(unit=size[0], value=Decimal(size[1]))
    known = make_facts(config=config_of(ROOMY | (config or {})), **facts)
    qty, why = size_entry(
        make_signal(size=spec), known, basis, stop or levels("184.90"), None if wanted is None else Decimal(wanted)
    )
    return str(qty), why


@pytest.mark.parametrize(
    ("size", "qty", "why"),
    [
        (("qty", "10"), "10", "the signal's quantity"),
        (("qty", "10.7"), "10", "the signal's quantity 10.7, in whole shares"),
        (("qty", "0.5"), "0", "the signal's quantity 0.5, in whole shares"),
        # 5,000 / 187.20 = 26.7
        (("notional", "5000"), "26", "$5,000.00 at 187.20"),
        (("notional", "187.19"), "0", "$187.19 at 187.20"),
        # 0.5 % of 100,000 is 500; 500 / 2.30 = 217.4
        (("risk_pct", "0.5"), "217", "risk 0.5 % over 2.30"),
        # 200 / 2.30 = 86.96
        (("risk_usd", "200"), "86", "risk $200.00 over 2.30"),
        # The desk's own: 0.25 % of 100,000 is 250; 250 / 2.30 = 108.7
        (None, "108", "risk 0.25 % over 2.30"),
    ],
)
def test_each_way_to_ask_for_a_size(size: tuple[SizeUnit, str] | None, qty: str, why: str) -> None:
    assert sized(size) == (qty, why)


@pytest.mark.parametrize(
    ("size", "qty", "why"),
    [
        (("qty", "0.0123456789"), "0.012345678", "the signal's quantity 0.0123456789, in nine places"),
        (("qty", "10"), "10", "the signal's quantity"),
        # 5,000 / 92,400 = 0.054112554112...
        (("notional", "5000"), "0.054112554", "$5,000.00 at 92400.00"),
        # 0.5 % of 100,000 is 500; 500 / (92,400 - 90,552) = 500 / 1,848 = 0.270562770562...
        (("risk_pct", "0.5"), "0.27056277", "risk 0.5 % over 1848.00"),
    ],
)
def test_a_coin_is_sized_in_parts_rounded_down_to_nine_places(size: tuple[SizeUnit, str], qty: str, why: str) -> None:
    spec = SizeSpec(unit=size[0], value=Decimal(size[1]))
    known = make_facts(config=config_of(ROOMY))
    coin = make_signal(size=spec, symbol="BTC/USD")
    found, said = size_entry(coin, known, Decimal("92400.00"), levels("90552.00"), None)
    assert (str(found), said) == (qty, why)


def test_the_fixed_size_of_the_desk() -> None:
    assert sized(None, config={"sizing": {"method": "qty", "qty": 7}}) == ("7", "fixed 7")


def test_a_persons_own_quantity_wins_and_is_not_cut() -> None:
    tight = {"limits": {"max_order_qty": 5}}
    assert sized(("risk_pct", "0.5"), config=tight, wanted="40") == ("40", "your quantity")
    assert sized(("risk_pct", "0.5"), wanted="40.9") == ("40", "your quantity 40.9, in whole shares")


def test_a_quantity_that_a_strategy_named_is_left_to_the_limits_to_judge() -> None:
    assert sized(("qty", "50"), config={"limits": {"max_order_qty": 5}})[0] == "50"


@pytest.mark.parametrize(
    ("basis", "stop", "account", "why"),
    [
        (None, "184.90", True, "no price to size by"),
        (Decimal(0), "184.90", True, "no price to size by"),
        (BASIS, None, True, "no stop to size the risk by"),
        (BASIS, "187.20", True, "the stop is at the entry"),
        (BASIS, "184.90", False, "the account is not known yet"),
    ],
)
def test_what_cannot_be_sized_is_nothing_and_says_why(
    basis: Decimal | None, stop: str | None, account: bool, why: str
) -> None:
    found = sized(("risk_pct", "0.5"), basis=basis, stop=levels(stop), account=make_account() if account else None)
    assert found == ("0", why)


@pytest.mark.parametrize(
    ("config", "facts", "qty", "why"),
    [
        ({"limits": ROOMY["limits"] | {"max_order_qty": 50}}, {}, "50", "limited by the order limit: 217 → 50"),
        # 10,000 / 187.20 = 53.4
        (
            {"limits": ROOMY["limits"] | {"max_order_notional": 10_000}},
            {},
            "53",
            "limited by the notional limit: 217 → 53",
        ),
        # 20 % of 100,000 less 15,000 held elsewhere leaves 5,000: 26 shares
        (
            {"limits": ROOMY["limits"] | {"max_gross_exposure_pct": 20}},
            {"exposures": (exposure("MSFT", 15_000),)},
            "26",
            "limited by gross exposure: 217 → 26",
        ),
        # 200,000 less 190,000 leaves 10,000
        ({}, {"reserved": Decimal(190_000)}, "53", "limited by buying power: 217 → 53"),
        # nothing left at all
        ({}, {"reserved": Decimal(250_000)}, "0", "limited by buying power: 217 → 0"),
    ],
)
def test_a_computed_size_is_cut_by_each_cap_and_the_cap_is_named(
    config: dict[str, Any], facts: dict[str, Any], qty: str, why: str
) -> None:
    assert sized(("risk_pct", "0.5"), config=config, **facts) == (qty, why)


def test_the_tightest_of_several_caps_has_the_last_word() -> None:
    # 50 by the order limit; then 10 % of 100,000 less 8,100 held in the symbol leaves 1,900: 10 shares.
    config = {"limits": {"max_order_qty": 50, "max_symbol_exposure_pct": 10}}
    found = sized(("risk_pct", "0.5"), config=config, exposures=(exposure("AAPL", 8_100),))
    assert found == ("10", "limited by the symbol limit: 50 → 10")


def test_a_short_is_sized_by_its_own_distance() -> None:
    spec = SizeSpec(unit="risk_usd", value=Decimal(100))
    signal = make_signal(side=Side.SELL, size=spec)
    facts = make_facts(config=config_of(ROOMY))
    # 100 / (189.20 - 187.20)
    assert size_entry(signal, facts, BASIS, levels("189.20"), None)[0] == 50


def test_a_size_is_always_in_whole_shares_and_never_rounded_up() -> None:
    qty = Decimal(sized(("risk_usd", "229.99"))[0])
    assert qty == 99
    assert qty * Decimal("2.30") <= Decimal("229.99")


@pytest.mark.parametrize(
    ("sizing", "qty", "why"),
    [
        # 5,000 / 187.20 = 26.7
        ({"method": "notional", "notional": 5000}, "26", "$5,000.00 at 187.20"),
        # 150.50 / 2.30 = 65.4
        ({"method": "risk_usd", "risk_usd": 150.5}, "65", "risk $150.50 over 2.30"),
        # 0.5 % of 100,000 is 500; 500 / 3.6250 = 137.9: so many shares swing by 500 on an average day
        ({"method": "atr", "target_vol_pct": 0.5}, "137", "0.5 % of equity over an ATR of 3.6250"),
    ],
)
def test_the_methods_of_the_desk(sizing: dict[str, Any], qty: str, why: str) -> None:
    assert sized(None, config={"sizing": sizing}, average_true_range=Decimal("3.6250")) == (qty, why)


def test_a_volatility_size_does_not_ask_for_the_stop() -> None:
    found = sized(None, config={"sizing": {"method": "atr"}}, stop=levels(None), average_true_range=Decimal(5))
    assert found[0] == "100"


@pytest.mark.parametrize("known", [None, Decimal(0)])
def test_without_daily_bars_there_is_no_volatility_to_size_by(known: Decimal | None) -> None:
    found = sized(None, config={"sizing": {"method": "atr"}}, average_true_range=known)
    assert found == ("0", "no daily bars to size the volatility by")


def test_a_strategy_has_a_method_of_its_own_and_takes_the_rest_from_the_desk() -> None:
    config = {
        "sizing": {"method": "risk_pct", "risk_pct": 0.5, "notional": 5000},
        "strategies": {"breakout": {"sizing": "notional"}, "default": {"risk_pct": 0.1}},
    }
    assert sized(None, config=config) == ("26", "$5,000.00 at 187.20")
    known = config_of(config)
    assert (known.sizing_of("breakout").risk_pct, known.sizing_of("other").risk_pct) == (0.5, 0.1)
    assert known.sizing_of("other").method == "risk_pct"


@pytest.mark.parametrize(
    ("limits", "facts", "qty", "why"),
    [
        # 0.1 % of 120,000 shares a day
        ({"max_adv_pct": 0.1}, {"average_volume": Decimal(120_000)}, "120", "limited by average volume: 217 → 120"),
        # A volume that nobody knows allows nothing.
        ({"max_adv_pct": 0.1}, {}, "0", "limited by average volume: 217 → 0"),
        # 20 % of 100,000, long 15,000 already: 5,000 / 187.20
        (
            {"max_net_exposure_pct": 20},
            {"exposures": (exposure("MSFT", 15_000),)},
            "26",
            "limited by net exposure: 217 → 26",
        ),
        # Short 40,000: there is room for 60,000 long, more than is wanted.
        (
            {"max_net_exposure_pct": 20},
            {"exposures": (exposure("MSFT", 40_000, Side.SELL),)},
            "217",
            "risk 0.5 % over 2.30",
        ),
    ],
)
def test_the_later_caps_are_named_too(limits: dict[str, Any], facts: dict[str, Any], qty: str, why: str) -> None:
    assert sized(("risk_pct", "0.5"), config={"limits": ROOMY["limits"] | limits}, **facts) == (qty, why)


def test_a_strategys_own_share_cuts_its_size() -> None:
    # 5 % of 100,000 less 3,128 of its own: 1,872 are ten shares.
    own = replace(exposure("MSFT", 3_128), strategy="breakout")
    config = {"strategies": {"breakout": {"max_exposure_pct": 5}}}
    found = sized(("risk_pct", "0.5"), config=config, exposures=(own, exposure("SPY", 50_000)))
    assert found == ("10", "limited by the strategy's limit: 217 → 10")
