"""An excerpt of a body for the journal and the log, without what looks like a secret."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 500
_SECRET: Final = re.compile(
    r"""(["']?[\w-]*(?:api_?key|secret|token|password|passphrase|auth)[\w-]*["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?|[^\s,;&}]+)""",
    re.IGNORECASE,
)


def excerpt(raw: bytes) -> str:
    """At most 500 characters; values of fields named like a key, token, secret or password become ``"…"``."""
    # Cut after the blanking: a secret that the cut runs through would keep its first half.
    text = raw[: 8 * LONGEST].decode("utf-8", "backslashreplace")
    return _SECRET.sub(r'\1"…"', text)[:LONGEST]
