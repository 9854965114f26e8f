"""Finds and reads a preset. What is wrong with it is said by file, key, value and what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.config import PropFirmRules
from engine.errors import EngineError
from engine.prop.preset import Amount, Preset, clock_time, zone_of

OURS: Final = Path(__file__).parents[2] / "resources" / "prop_firm"


class PresetError(EngineError):
    """The preset cannot be used."""


class BrokenPreset(msgspec.Struct, frozen=True):
    """Prop-firm mode is asked for and cannot be kept: entries are denied with this text, the desk runs."""

    text: str


def load_prop_firm(rules: PropFirmRules, own_folder: Path) -> Preset | BrokenPreset | None:
    """Once, at the start. None when the mode is off. ``own_folder`` is searched before the presets that come along."""
    if not rules.enabled:
        return None
    try:
        return load_preset(rules.preset, (own_folder, OURS))
    except PresetError as why:
        return BrokenPreset(why.operator_text)


def load_preset(name: str, folders: Iterable[Path]) -> Preset:
    """The preset ``name``, or the file that it names when it ends in ``.toml``.

    Raises:
        PresetError: no such preset, not TOML, an unknown key, or a value outside what is allowed.
    """
    folders = tuple(folders)
    known = sorted({path.stem for folder in folders for path in folder.glob("*.toml")})
    if not name:
        raise PresetError(f'prop_firm.preset = "": name one of {", ".join(known)}')
    if name.endswith(".toml"):
        candidates = [folder / name for folder in folders]
    else:
        candidates = [folder / f"{name}.toml" for folder in folders]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise PresetError(f'prop_firm.preset = "{name}": there is no such preset; allowed are {", ".join(known)}')
    return read_preset(path)


def read_preset(path: Path) -> Preset:
    """Raises ``PresetError``."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as why:
        raise PresetError(f"{path}: cannot be read: {why}") from why
    except tomllib.TOMLDecodeError as why:
        raise PresetError(f"{path}: is not valid TOML: {why}") from why
    try:
        preset = msgspec.convert(table, Preset, strict=True)
    except msgspec.ValidationError as why:
        raise PresetError(f"{path}: {_named(str(why), table)}") from why
    wrong = _wrong_among_each_other(preset)
    if wrong is not None:
        raise PresetError(f"{path}: {wrong}")
    return preset


def _named(message: str, table: dict[str, Any]) -> str:
    """msgspec's ``Expected `float` > 0 - at `$.drawdown.usd``` with key, value and what is allowed."""
    what, _, path = message.partition(" - at `$.")
    keys = path.rstrip("`").split(".") if path else []
    if not keys:
        return f"{what[0].lower()}{what[1:]}"
    found: Any = table
    for key in keys:
        found = found.get(key.partition("[")[0], "nothing") if isinstance(found, dict) else found
    return f"{'.'.join(keys)} = {found}: {what[0].lower()}{what[1:]}"


def _wrong_among_each_other(preset: Preset) -> str | None:
    for key in ("drawdown", "daily_loss", "profit_target"):
        amount: Amount | None = getattr(preset, key)
        if amount is not None and (amount.usd is None) is (amount.pct is None):
            return f"{key}.usd = {amount.usd}, {key}.pct = {amount.pct}: exactly one of both is allowed"
    if preset.drawdown is not None and preset.drawdown.kind == "static" and preset.drawdown.lock_in_usd is not None:
        return f"drawdown.lock_in_usd = {preset.drawdown.lock_in_usd}: allowed only for a trailing drawdown"
    zones = {"reset.zone": preset.reset.zone}
    if preset.window is not None:
        zones["window.zone"] = preset.window.zone
    for key, zone in zones.items():
        try:
            zone_of(zone)
        except (KeyError, ValueError, OSError):
            return f"{key} = {zone}: allowed is the name of a time zone, such as America/New_York"
    return _wrong_window(preset)


def _wrong_window(preset: Preset) -> str | None:
    window = preset.window
    if window is None:
        return None
    opens, closes = clock_time(window.opens), clock_time(window.closes)
    if opens >= closes:
        return f"window.closes = {window.closes}: allowed is a time after window.opens = {window.opens}"
    if window.flat_by is not None and not opens < clock_time(window.flat_by) <= closes:
        return f"window.flat_by = {window.flat_by}: allowed is {window.opens} to {window.closes}"
    if not window.days:
        return "window.days = []: allowed is at least one day"
    return None
