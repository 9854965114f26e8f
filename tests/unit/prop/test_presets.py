"""Presets: those that come along are usable, and a wrong one is refused with file, key, value and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import PropFirmRules
from engine.prop.loading import OURS, BrokenPreset, PresetError, load_preset, load_prop_firm, read_preset
from engine.prop.preset import Preset

SHAPES = sorted(path.stem for path in OURS.glob("*.toml"))


def test_the_usual_shapes_come_along() -> None:
    presets = {name: read_preset(OURS / f"{name}.toml") for name in SHAPES}
    kinds = {preset.drawdown.kind for preset in presets.values() if preset.drawdown is not None}
    assert kinds == {"static", "trailing_intraday", "trailing_end_of_day"}
    assert {p.daily_loss.basis for p in presets.values() if p.daily_loss is not None} == {"balance", "equity", "higher"}
    for part in ("profit_target", "consistency", "minimum_days", "size", "window"):
        assert any(getattr(preset, part) is not None for preset in presets.values()), part
    assert len({preset.name for preset in presets.values()}) == len(SHAPES) >= 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"\n[drawdown]\nkind = "static"\nusd = -5.0', "drawdown.usd = -5.0: expected `float` > 0"),
        ('name = "x"\n[drawdown]\nkind = "sideways"\nusd = 5.0', "drawdown.kind = sideways: invalid enum value"),
        ('name = "x"\n[drawdown]\nkind = "static"', "drawdown.usd = None, drawdown.pct = None: exactly one of both"),
        ('name = "x"\n[daily_loss]\nbasis = "balance"\nusd = 1.0\npct = 1.0', "exactly one of both is allowed"),
        (
            'name = "x"\n[drawdown]\nkind = "static"\nusd = 5.0\nlock_in_usd = 0.0',
            "allowed only for a trailing drawdown",
        ),
        ('name = "x"\n[reset]\ntime = "25:00"', "reset.time = 25:00: expected `str` matching regex"),
        ('name = "x"\n[reset]\nzone = "Mars/Olympus"', "reset.zone = Mars/Olympus: allowed is the name of a time zone"),
        ('name = "x"\n[window]\nopens = "16:00"\ncloses = "09:30"', "window.closes = 09:30: allowed is a time after"),
        (
            'name = "x"\n[window]\nopens = "09:30"\ncloses = "16:00"\nflat_by = "16:30"',
            "window.flat_by = 16:30: allowed is 09:30 to 16:00",
        ),
        ('name = "x"\n[window]\nopens = "09:30"\ncloses = "16:00"\ndays = []', "window.days = []"),
        ('name = "x"\nmax_fun = 1', "unknown field `max_fun`"),
        ("name = ", "is not valid TOML"),
        ("", "missing required field `name`"),
    ],
)
def test_a_wrong_preset_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PresetError) as refused:
        read_preset(path)
    assert refused.value.operator_text.startswith(f"{path}: ")
    assert said in refused.value.operator_text


def test_an_own_preset_comes_before_one_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "static_drawdown.toml").write_text('name = "Mine"', encoding="utf-8")
    assert load_preset("static_drawdown", (tmp_path, OURS)).name == "Mine"
    assert load_preset("static_drawdown.toml", (tmp_path, OURS)).name == "Mine"
    assert load_preset("trailing_end_of_day", (tmp_path, OURS)).drawdown is not None


def test_the_mode_is_off_broken_or_known(tmp_path: Path) -> None:
    assert load_prop_firm(PropFirmRules(), tmp_path) is None
    missing = load_prop_firm(PropFirmRules(enabled=True, preset="no_such"), tmp_path)
    assert isinstance(missing, BrokenPreset)
    assert 'prop_firm.preset = "no_such"' in missing.text
    assert all(name in missing.text for name in SHAPES)
    unnamed = load_prop_firm(PropFirmRules(enabled=True), tmp_path)
    assert isinstance(unnamed, BrokenPreset)
    assert isinstance(load_prop_firm(PropFirmRules(enabled=True, preset="static_drawdown"), tmp_path), Preset)
