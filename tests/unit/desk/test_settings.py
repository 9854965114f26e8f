"""The settings' file: what is changed is changed in its place, what is not allowed is written nowhere."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from engine.config import Config
from engine.config_file import ConfigError, load_config
from engine.settings import SettingsFile, settings_of, shown, value_of

FILE = """# Mine.
[limits]
max_open_positions = 5   # no more than five

[approval]
max_drift_pct = 0.5
"""


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    path = tmp_path / "greenlight.toml"
    path.write_text(FILE)
    path.chmod(0o600)
    return SettingsFile(path)


def test_a_change_stays_among_the_operators_own_words(file: SettingsFile) -> None:
    file.save({("limits", "max_open_positions"): 7, ("trips", "max_rejects"): 4, ("approval", "max_drift_pct"): None})
    text = file.path.read_text()
    assert text.startswith("# Mine.\n[limits]\nmax_open_positions = 7   # no more than five\n")
    assert "max_drift_pct" not in text
    config = load_config(file.path, required=True)
    assert (config.limits.max_open_positions, config.trips.max_rejects) == (7, 4)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["greenlight.toml"]


@pytest.mark.parametrize("value", [0, "five", -3, 1.5])
def test_what_is_not_allowed_changes_nothing_and_is_named(file: SettingsFile, value: object) -> None:
    for act in (file.check, file.save):
        with pytest.raises(ConfigError, match=r"limits\.max_open_positions"):
            act({("limits", "max_open_positions"): value, ("limits", "max_order_qty"): 10})
    assert file.path.read_text() == FILE


def test_without_a_file_there_are_defaults_and_the_first_change_makes_it(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "data" / "greenlight.toml")
    assert file.read() == {}
    file.save({("limits", "max_order_qty"): None})
    file.save({("limits", "max_order_qty"): 100})
    assert load_config(file.path, required=True).limits.max_order_qty == 100


def test_a_file_that_is_none_or_cannot_be_written_is_said(file: SettingsFile, tmp_path: Path) -> None:
    file.path.write_text("limits = [")
    with pytest.raises(ConfigError, match="not valid TOML"):
        file.read()
    blocked = SettingsFile(tmp_path / "greenlight.toml" / "inside.toml")
    with pytest.raises(ConfigError, match="cannot be"):
        blocked.save({("limits", "max_order_qty"): 1})


@pytest.mark.parametrize("section", [name for name in Config.__struct_fields__ if name != "strategies"])
def test_every_default_can_be_typed_as_it_is_shown(section: str, tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "greenlight.toml")
    for setting in settings_of(section):
        if setting.kind == "table":
            continue
        value = value_of(setting, shown(setting.default))
        file.save({(section, setting.key): value})
        loaded = getattr(getattr(load_config(file.path, required=True), section), setting.key)
        assert loaded == setting.default or (value is None and loaded == setting.default), setting.key


@pytest.mark.parametrize(("key", "typed"), [("max_open_positions", "a few"), ("max_order_notional", "1.2.3")])
def test_what_is_no_value_says_what_is_allowed(key: str, typed: str) -> None:
    setting = next(each for each in settings_of("limits") if each.key == key)
    with pytest.raises(ConfigError, match="allowed is"):
        value_of(setting, typed)
