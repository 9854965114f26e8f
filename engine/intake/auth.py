"""Who may ask what: bearer tokens with scopes, and the names a request may come to and from.

The check of ``Host`` and ``Origin`` keeps web pages out: a page can make a browser send requests to a loopback address,
but not with this address as its own origin, and a name that it rebinds to 127.0.0.1 still stands in ``Host``.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import hdrs, web
from yarl import URL

from engine.errors import CommandRefused, EngineError

TOKEN_FILE: Final = "api-token"
OPERATOR: Final = "operate"
"""Name of the desk's own token: the actor of what is done with it."""


class Scope(StrEnum):
    OPERATE = "operate"
    """Everything."""
    SIGNAL = "signal"
    """Posting signals of one source, and nothing else."""
    READ = "read"
    """Every GET."""


class Holder(NamedTuple):
    name: str
    scope: Scope

    @property
    def source(self) -> str | None:
        """The one source that this token speaks for; None when it may speak for any."""
        return self.name if self.scope is Scope.SIGNAL else None


class Tokens:
    """``signal`` and ``read`` map the holder's name to its token."""

    def __init__(
        self, operate: str, signal: Mapping[str, str] | None = None, read: Mapping[str, str] | None = None
    ) -> None:
        self._holders = [(_digest(operate), Holder(OPERATOR, Scope.OPERATE))]
        self._holders += [(_digest(token), Holder(name, Scope.SIGNAL)) for name, token in (signal or {}).items()]
        self._holders += [(_digest(token), Holder(name, Scope.READ)) for name, token in (read or {}).items()]
        if len({digest for digest, _ in self._holders}) < len(self._holders):
            raise EngineError("two API tokens are the same: every source and reader needs its own")

    def holder_of(self, request: web.BaseRequest) -> Holder:
        """Raises:
        CommandRefused: 401 ``UNAUTHORIZED``.
        """
        kind, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        found = None
        if kind.lower() == "bearer":
            presented = _digest(token.strip())
            # Every token is compared in full, so that the time taken tells nothing.
            for digest, holder in self._holders:
                if hmac.compare_digest(digest, presented):
                    found = holder
        if found is None:
            text = "this needs the header Authorization: Bearer TOKEN with the token from the file api-token"
            raise CommandRefused("UNAUTHORIZED", text, http_status=401)
        return found


def require(holder: Holder, allowed: Iterable[Scope]) -> None:
    """Raises:
    CommandRefused: 403 ``FORBIDDEN_SCOPE``.
    """
    if holder.scope not in allowed:
        text = f"the token {holder.name!r} has the scope {holder.scope}, which does not allow this"
        raise CommandRefused("FORBIDDEN_SCOPE", text, http_status=403)


class Names:
    """The names under which this API may be addressed, beside the address of the connection itself."""

    def __init__(self, bound: str, allowed: Iterable[str] = ()) -> None:
        self._names = {"localhost", bound.strip("[]").lower(), *(name.strip("[]").lower() for name in allowed)}

    def check(self, request: web.BaseRequest) -> None:
        """Raises:
        CommandRefused: 403 ``FORBIDDEN_HOST``.
        """
        host = request.headers.get(hdrs.HOST, "")
        if not self._is_ours(_name_of(f"http://{host}"), request):
            text = (
                f"requests for the host {host[:80]!r} are not answered; if it is yours, list it in [api] allowed_hosts"
            )
            raise CommandRefused("FORBIDDEN_HOST", text, http_status=403)
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            text = f"requests from pages of {origin[:80]!r} are not answered"
            raise CommandRefused("FORBIDDEN_HOST", text, http_status=403)

    def _is_ours(self, name: str | None, request: web.BaseRequest) -> bool:
        if name is None:
            return False
        if name in self._names:
            return True
        # Bound to a wildcard, the address is the one that the connection was made to.
        sockname = request.get_extra_info("sockname")
        return isinstance(sockname, tuple) and name == str(sockname[0]).lower()


def load_token(data_dir: Path) -> str:
    """The operator's token: from ``api-token`` in the data folder, made there on the first start, for its owner's eyes.

    Raises:
        OSError: the folder cannot be read or written.
    """
    path = data_dir / TOKEN_FILE
    try:
        if token := path.read_text(encoding="ascii").strip():
            path.chmod(0o600)
            return token
        path.unlink()
    except FileNotFoundError:
        pass
    token = secrets.token_urlsafe(32)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token)
    return token


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


def _name_of(url: str) -> str | None:
    try:
        return URL(url).host
    except ValueError:
        return None
