"""What takes minutes on all cores is done by one of the workers that share a test run; the others wait for it."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable

import pytest
from filelock import FileLock


def once[T](factory: pytest.TempPathFactory, name: str, make: Callable[[], T]) -> T:
    """What ``make`` returns, which has to be such that it can be pickled."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of the whole run
    file = folder / f"{name}.pickle"
    with FileLock(folder / f"{name}.lock"):
        if not file.exists():
            made = make()
            file.write_bytes(pickle.dumps(made))
            return made
    return pickle.loads(file.read_bytes())  # type: ignore[no-any-return]
