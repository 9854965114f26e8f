from __future__ import annotations

from tests.unit.journal.conftest import disk as disk, path as path
