"""What is not to be used, each with what to use instead."""

from __future__ import annotations

import re

from tests.architecture.sources import ROOT, calls, comments, files, name_of, names

ENGINE = files("engine")
SOURCES = (*files("engine", "gui"), ROOT / "main.py")
TRADING = files("engine/model", "engine/rules", "engine/pipeline", "engine/protection")

CLOCK = "engine/clock.py"
COMMANDS = "engine/commandline.py"
"""Its commands are the program's answer on standard output."""
CALLS = {
    "datetime.now": "clock.now()",
    "datetime.utcnow": "clock.now()",
    "datetime.today": "clock.now()",
    "date.today": "clock.now().date()",
    "time.time": "clock.now()",
    "time.monotonic": "clock.monotonic_s()",
    "time.sleep": "await clock.sleep(...)",
    "asyncio.sleep": "await clock.sleep(...)",
    "asyncio.create_task": "the spawn of a task scope (engine/tasks.py)",
    "asyncio.ensure_future": "the spawn of a task scope (engine/tasks.py)",
    "asyncio.get_event_loop": "asyncio.get_running_loop()",
    "print": "logging: standard output belongs to main.py",
}
"""Calls that the engine does not make, but for the clock itself, and what to use instead."""

TASK_OWNERS = {
    "engine/tasks.py": "the task scope itself",
    "engine/journal/writer.py": "the flusher, awaited by close()",
    "engine/exchange/connections.py": "the task group of its connections",
    "engine/exchange/server.py": "the task group of the server",
    "engine/intake/sse.py": "the three tasks of one answer, awaited with it",
    "gui/actions.py": "the task group of the window's commands",
}
"""The only files that make tasks, each the owner of those it makes."""

NAMES = {
    "QTableWidget": "QAbstractTableModel with a QTableView",
    "QTableWidgetItem": "QAbstractTableModel with a QTableView",
    "QStandardItemModel": "QAbstractTableModel",
    "processEvents": "await: there is one loop",
    "asyncSlot": "gui/actions.py, which owns its tasks",
    "asyncClose": "the exit of main.py",
}

FLOATS = {
    "engine/protection/ledger.py": "share-seconds without cover, a statistic",
    "engine/protection/naked_days.py": "the same by day",
}
"""Files of the trading path that make a float, and of what."""

SWALLOWED = re.compile(
    r"except( Exception| BaseException)?( as \w+)?:\s*\n\s*(pass|\.\.\.|continue)\b"
    r"|suppress\((Exception|BaseException|asyncio\.CancelledError|CancelledError)\)"
)


def test_time_comes_from_the_clock_and_tasks_from_a_scope() -> None:
    found = [
        f"{name_of(path)}:{call.lineno}: {name}: use {CALLS[name.removeprefix('dt.')]}"
        for path in ENGINE
        for name, call in calls(path)
        if name.removeprefix("dt.") in CALLS and name_of(path) != CLOCK
        if not (name == "print" and name_of(path) == COMMANDS)
    ]
    assert found == []


def test_only_owners_make_tasks_and_every_task_has_a_name() -> None:
    makers = set()
    for path in SOURCES:
        for name, call in calls(path):
            if name.split(".")[-1] in ("create_task", "ensure_future"):
                makers.add(name_of(path))
                named = any(keyword.arg == "name" for keyword in call.keywords)
                assert named, f"{name_of(path)}:{call.lineno}: a task has a name"
    assert makers == set(TASK_OWNERS), "use the spawn of a task scope (engine/tasks.py)"


def test_no_nested_loops_and_no_widgets_that_hold_their_own_rows() -> None:
    found = [f"{name_of(path)}: {name}: use {NAMES[name]}" for path in SOURCES for name in names(path) & NAMES.keys()]
    found += [
        f"{name_of(path)}:{call.lineno}: {name}(): use open() and finished"
        for path in SOURCES
        for name, call in calls(path)
        if name.endswith((".exec", ".exec_"))
    ]
    assert found == []


def test_nothing_is_left_for_later() -> None:
    found = [
        f"{name_of(path)}:{line}: {comment}: do it, or write an ADR"
        for path in SOURCES
        for line, comment in comments(path)
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment)
    ]
    assert found == []


def test_no_failure_is_swallowed() -> None:
    found = [name_of(path) for path in SOURCES if SWALLOWED.search(path.read_text(encoding="utf-8"))]
    assert found == [], "log it, raise it, or name the expected error"


def test_money_is_never_a_float() -> None:
    """Floats are for charts and statistics; prices and quantities are compared as they were written."""
    makers = {name_of(path) for path in TRADING for name, _ in calls(path) if name == "float"}
    assert makers <= set(FLOATS), "use Decimal(str(...))"


def test_what_is_banned_would_be_found() -> None:
    """The scans above see what they look for."""
    assert "asyncio.sleep" in {name for name, _ in calls(ROOT / CLOCK)}
    assert any(name.endswith(".create_task") for name, _ in calls(ROOT / "engine/tasks.py"))
    assert SWALLOWED.search("try:\n    x()\nexcept Exception:\n    pass\n")
    assert not SWALLOWED.search("try:\n    x()\nexcept ValueError:\n    pass\n")
