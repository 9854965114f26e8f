"""API keys as a person handles them: which are there, storing them in the system's keyring, trying the connection.

Nothing here shows a secret. A key id is shown by its last four characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal

import msgspec

from engine.alpaca.credentials import (
    Keys,
    LiveKeys,
    NoCredentials,
    PaperKeys,
    Secret,
    forget_keys,
    live_keys,
    paper_keys,
    store_keys,
)
from engine.alpaca.endpoints import Access, LiveAccess, PaperAccess, live_endpoint, paper_endpoint
from engine.clock import Clock
from engine.config import Config
from engine.doctor import Finding, at_broker
from engine.errors import EngineError
from engine.model.words import Mode

ENVIRONMENT: Final = "APCA_API_KEY_ID"
TAIL: Final = 4


class KeyState(msgspec.Struct, frozen=True, kw_only=True):
    source: Literal["environment", "keyring", "none"]
    hint: str
    """The end of the key id; empty without one."""
    text: str
    """One sentence for the operator."""


class KeyCabinet:
    def __init__(self, environ: Mapping[str, str], config: Config, clock: Clock) -> None:
        self._environ = environ
        self._config = config
        self._clock = clock
        # A keyring may keep its thread waiting for a person who does not come.
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keyring")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def state(self, mode: Mode) -> KeyState:
        """Which keys a desk of this mode would use now."""
        try:
            keys = await self._known(mode)
        except NoCredentials as missing:
            return KeyState(source="none", hint="", text=missing.operator_text)
        hint = f"…{keys.key_id[-TAIL:]}"
        if self._environ.get(ENVIRONMENT, "").strip():
            text = f"{hint} from the environment, which comes before the keyring."
            return KeyState(source="environment", hint=hint, text=text)
        return KeyState(source="keyring", hint=hint, text=f"{hint} from the system's keyring.")

    async def store(self, mode: Mode, key_id: str, secret: str) -> KeyState:
        """Put them into the system's keyring, and read them back.

        Raises:
            NoCredentials: they cannot be keys, or the keyring does not take them.
        """
        keys = _made(mode, key_id, secret)
        await store_keys(keys, self._pool)
        found = await self._known(mode, {})
        if (found.key_id, found.secret.reveal()) != (keys.key_id, keys.secret.reveal()):
            raise NoCredentials("The system's keyring gives back other keys than it was given: set the environment.")
        return await self.state(mode)

    async def forget(self, mode: Mode) -> KeyState:
        """Take them out of the keyring; those of the environment are not touched. Raises ``NoCredentials``."""
        await forget_keys(LiveKeys if mode is Mode.LIVE else PaperKeys, self._pool)
        return await self.state(mode)

    async def test(self, mode: Mode, key_id: str = "", secret: str = "") -> Sequence[Finding]:
        """Account, clock and both streams at the broker, with these keys or those that a desk would use.

        Some ten seconds at most. Nothing is sent but reads.
        """
        try:
            keys = _made(mode, key_id, secret) if key_id or secret else await self._known(mode)
            access = self._access(mode, keys)
        except EngineError as why:
            return [Finding(ok=False, what="keys", text=why.operator_text)]
        return await at_broker(access, self._clock, desk_runs=False)

    async def _known(self, mode: Mode, environ: Mapping[str, str] | None = None) -> PaperKeys | LiveKeys:
        wanted = live_keys if mode is Mode.LIVE else paper_keys
        return await wanted(self._environ if environ is None else environ, self._pool)

    def _access(self, mode: Mode, keys: Keys) -> Access:
        feed = self._config.quotes.feed
        if isinstance(keys, LiveKeys):
            return LiveAccess(live_endpoint(self._environ, feed), keys)
        assert isinstance(keys, PaperKeys), mode
        return PaperAccess(paper_endpoint(self._environ, feed), keys)


def _made(mode: Mode, key_id: str, secret: str) -> PaperKeys | LiveKeys:
    if not key_id.strip() or not secret.strip():
        raise NoCredentials("Both are needed: the key id and its secret.")
    kind = LiveKeys if mode is Mode.LIVE else PaperKeys
    return kind(key_id.strip(), Secret(secret.strip()))
