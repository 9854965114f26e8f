"""Guards for all tests below.

A warning in the engine's log is a finding, unless the test asked for the log itself. An answer of the exchange that is
not as Alpaca documents it is one in any test.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests.conformance.checker import watched

settings.register_profile("suite", deadline=None)  # a busy machine is no finding
settings.load_profile("suite")

HERE: Final = Path(__file__).parent
GUARDED: Final = tuple(
    HERE / folder
    for folder in ("property", "unit/desk", "unit/model", "unit/pipeline", "unit/protection", "unit/rules")
)
"""Where nothing is meant to go wrong. Elsewhere tests break things on purpose, and the log says so."""


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _as_alpaca_documents_it() -> Iterator[None]:
    """Every answer that the exchange gives in any test holds to Alpaca's own schemas."""
    with watched() as notes:
        yield
    assert not notes, "not as Alpaca documents it: " + " | ".join(notes[:5])


@pytest.fixture(autouse=True)
def _no_unexpected_warning(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that expects a line takes ``caplog``, and says which."""
    guarded = any(folder in request.path.parents for folder in GUARDED)
    if not guarded or "caplog" in request.fixturenames:
        yield
        return
    heard = _Warnings()
    logger = logging.getLogger("engine")
    logger.addHandler(heard)
    try:
        yield
    finally:
        logger.removeHandler(heard)
    assert not heard.said, "the engine warned: " + " | ".join(heard.said)
