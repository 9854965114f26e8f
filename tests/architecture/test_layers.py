"""Who may know whom: the import contracts, and the engine without a window."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT, files, name_of, tree

LONGEST = 450
"""Lines."""

WALK = """import sys; sys.modules.update(dict.fromkeys(("PySide6", "qasync", "pyqtgraph", "gui")))
import engine, importlib, pkgutil
for module in pkgutil.walk_packages(engine.__path__, "engine."): importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("engine.")]))"""


def test_every_engine_module_imports_with_qt_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WALK], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= len(files("engine")) - 1


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kept, 0 broken" in done.stdout


def test_every_engine_module_says_in_a_docstring_what_it_is() -> None:
    """An empty package needs none."""
    silent = [name_of(path) for path in files("engine") if tree(path).body and not ast.get_docstring(tree(path))]
    assert silent == []


def test_a_file_holds_one_idea_and_not_a_novel() -> None:
    lines = {name_of(path): path.read_text(encoding="utf-8").count("\n") for path in files("engine", "gui")}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
