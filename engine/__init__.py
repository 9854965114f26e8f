"""The engine: everything but the window. Imports no Qt and runs headless under plain asyncio."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
