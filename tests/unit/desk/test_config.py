"""``greenlight.toml``: documented, defaulted, and refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect

from engine.config import Config, StrategyRules
from engine.config_file import ConfigError, config_from_table, load_config

SECTIONS = {name: type(getattr(Config(), name)) for name in Config.__struct_fields__} | {"strategies": StrategyRules}
KEYS = [
    (section, field)
    for section, schema in SECTIONS.items()
    for field in inspect.type_info(schema).fields  # type: ignore[attr-defined]
]
FIXED = {
    "limits": {
        "max_open_positions",
        "max_order_notional",
        "max_order_qty",
        "max_gross_exposure_pct",
        "max_symbol_exposure_pct",
        "max_orders_per_day",
        "max_signals_per_minute",
        "max_stop_distance_pct",
    },
    "approval": {"undo_s", "default_ttl_s", "max_drift_pct"},
    "session": {"entries"},
    "correlation": {"enabled", "threshold", "max_cluster_count", "max_cluster_pct", "on_breach", "missing_history"},
    "prop_firm": {"enabled", "preset"},
    "protection": {"partial_rescue_after_s", "stop_through", "max_attempts"},
    "broker": {"requests_per_minute", "resend_within_s"},
    "quotes": {"max_age_s"},
}
"""Names that other people's files rely on."""


def refused(table: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as raised:
        config_from_table(table, "greenlight.toml")
    said = raised.value.operator_text
    assert said.startswith("greenlight.toml: ")
    return said.removeprefix("greenlight.toml: ")


@pytest.mark.parametrize(("section", "field"), KEYS, ids=[f"{section}.{field.name}" for section, field in KEYS])
def test_every_key_has_a_sentence_and_a_default(section: str, field: Any) -> None:
    assert isinstance(field.type, inspect.Metadata)
    described = (field.type.extra_json_schema or {})["description"]
    assert described.endswith(".")
    assert described[0].isupper()
    assert not field.required


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"a": {"on_position": "x"}}, "strategies.a.on_position = x: allowed are refuse, add, reverse"),
        ({"a": {"max_adds": 0}}, "strategies.a.max_adds = 0: expected `int` >= 1"),
        ({"a": 5}, "strategies.a = 5: expected `object`, got `int`"),
    ],
)
def test_a_wrong_key_of_a_strategy_is_refused_by_its_name(table: dict[str, Any], said: str) -> None:
    assert refused({"strategies": table}) == said


def test_a_strategy_without_a_table_takes_the_default_one() -> None:
    config = config_from_table({"strategies": {"default": {"on_position": "add"}, "a": {"max_adds": 1}}}, "t")
    assert (config.strategy("b").on_position, config.strategy("a").on_position) == ("add", "refuse")


def test_the_names_that_were_promised_exist() -> None:
    for section, keys in FIXED.items():
        assert keys <= set(getattr(Config(), section).__struct_fields__)


def test_limits_are_off_but_for_the_two_that_keep_an_accident_small() -> None:
    limits = Config().limits
    on = {name: getattr(limits, name) for name in limits.__struct_fields__ if getattr(limits, name) not in (None, ())}
    assert on == {"max_symbol_exposure_pct": 10.0, "max_stop_distance_pct": 20.0}
    assert Config().correlation.on_breach == "warn"
    assert Config().broker.resend_within_s == 10.0


@pytest.mark.parametrize(
    ("table", "key", "found", "allowed"),
    [
        ({"limits": {"max_order_qty": 0}}, "limits.max_order_qty", "0", ">= 1"),
        ({"limits": {"max_order_qty": 1.5}}, "limits.max_order_qty", "1.5", "`int | null`"),
        ({"limits": {"max_order_notional": -5}}, "limits.max_order_notional", "-5", "> 0"),
        ({"limits": {"max_symbol_exposure_pct": "ten"}}, "limits.max_symbol_exposure_pct", "ten", "`float`"),
        ({"approval": {"undo_s": 31}}, "approval.undo_s", "31", "<= 30"),
        ({"approval": {"default_ttl_s": 90_000}}, "approval.default_ttl_s", "90000", "<= 86400"),
        ({"correlation": {"threshold": 1.1}}, "correlation.threshold", "1.1", "<= 1"),
        ({"correlation": {"enabled": "yes"}}, "correlation.enabled", "yes", "`bool`"),
        ({"protection": {"max_attempts": 21}}, "protection.max_attempts", "21", "<= 20"),
        ({"broker": {"requests_per_minute": 9}}, "broker.requests_per_minute", "9", ">= 10"),
        ({"limits": 5}, "limits", "5", "`object`"),
    ],
)
def test_a_value_outside_what_is_allowed_is_refused_with_key_value_and_what_is(
    table: dict[str, Any], key: str, found: str, allowed: str
) -> None:
    said = refused(table)
    assert said.startswith(f"{key} = {found}: ")
    assert allowed in said


@pytest.mark.parametrize(
    ("section", "key", "words"),
    [
        ("session", "entries", ("core", "extended", "any")),
        ("correlation", "on_breach", ("warn", "deny")),
        ("protection", "stop_through", ("exit", "ask")),
        ("sizing", "method", ("risk_pct", "qty")),
        ("quotes", "feed", ("iex", "sip")),
    ],
)
def test_a_word_that_is_not_allowed_is_refused_with_the_words_that_are(
    section: str, key: str, words: tuple[str, ...]
) -> None:
    said = refused({section: {key: "sometimes"}})
    assert said.startswith(f"{section}.{key} = sometimes: ")
    assert all(word in said for word in words)


def test_a_misspelt_key_is_refused_with_those_that_exist() -> None:
    said = refused({"limits": {"max_orders": 5}})
    assert "[limits]" in said
    assert "max_orders" in said
    assert "max_orders_per_day" in said


def test_a_misspelt_section_is_refused_with_those_that_exist() -> None:
    said = refused({"limit": {}})
    assert "`limit`" in said
    assert "limits, sizing, approval" in said


def test_a_preset_is_not_looked_for_here_so_that_a_broken_one_stops_entries_and_never_the_desk() -> None:
    config = config_from_table({"prop_firm": {"enabled": True, "preset": "no such firm"}}, "greenlight.toml")
    assert (config.prop_firm.enabled, config.prop_firm.preset) == (True, "no such firm")


@pytest.mark.parametrize("section", [{"signal_tokens": "tok-secret"}, {"signal_tokens": {"breakout": ["tok-secret"]}}])
def test_a_refused_token_is_not_printed(section: dict[str, Any]) -> None:
    said = refused({"api": section})
    assert "signal_tokens" in said
    assert "tok-secret" not in said


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_file_is_read_with_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "greenlight.toml"
    path.write_text("# mine\n[limits]\nmax_order_notional = 25000\n[api]\nallowed_hosts = ['desk.lan']\n", "utf-8")
    config = load_config(path, required=True)
    assert (config.limits.max_order_notional, config.api.allowed_hosts) == (25000, ("desk.lan",))
    assert config.approval == Config().approval


def test_an_absent_file_means_the_defaults_unless_it_was_named(tmp_path: Path) -> None:
    path = tmp_path / "greenlight.toml"
    assert load_config(path, required=False) == Config()
    with pytest.raises(ConfigError, match="there is no such file"):
        load_config(path, required=True)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"[limits\n", "is not valid TOML"), (b"\xff\xfe", "cannot be read")],
)
def test_a_file_that_is_none_is_refused_by_its_name(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "greenlight.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=why) as raised:
        load_config(path, required=False)
    assert str(path) in raised.value.operator_text


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path, required=False)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"windows": ["9:45-11:30"]}, "strategies.a.windows = ['9:45-11:30']: allowed are times such as 09:45-11:30"),
        (
            {"windows": ["11:30-09:45"]},
            "strategies.a.windows = 11:30-09:45: the end is allowed after the beginning only",
        ),
        (
            {"allow_symbols": ["aapl"]},
            "strategies.a.allow_symbols = ['aapl']: allowed are symbols in capital letters, such as BRK.B",
        ),
        (
            {"sizing": "kelly"},
            "strategies.a.sizing = kelly: allowed are risk_pct, risk_usd, notional, qty, atr",
        ),
    ],
)
def test_what_a_strategy_may_say_is_told_in_words(rules: dict[str, Any], said: str) -> None:
    assert refused({"strategies": {"a": rules}}) == said


def test_a_list_of_symbols_that_could_never_match_is_refused() -> None:
    found = refused({"limits": {"deny_symbols": ["TSLA", "gme"]}})
    assert found == "limits.deny_symbols = ['TSLA', 'gme']: allowed are symbols in capital letters, such as BRK.B"


@pytest.mark.parametrize("name", ["../rules.py", "/etc/rules.py", "rules", "my rules.py"])
def test_rules_of_ones_own_lie_in_the_data_folder_and_nowhere_else(name: str) -> None:
    said = refused({"rules": {"user_file": name}})
    assert said == f"rules.user_file = {name}: allowed is the name of a Python file, such as rules.py"
