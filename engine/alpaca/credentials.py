"""API keys: where they come from, and how they stay unseen.

The environment (``APCA_API_KEY_ID``, ``APCA_API_SECRET_KEY``) comes first, then the operating system's keyring, where
paper and live have entries of their own. The three kinds of keys are types of their own, so that paper keys cannot be
handed to live trading. No keyring, or one that fails or doesn't answer, means no keys, and the error says so plainly.

A ``Secret`` shows itself to no ``print``, log line, error or serialiser; ``reveal()`` is called where it goes on the
wire and where it is stored, nowhere else. On its way there it is an ``Unshown`` text, since a traceback with local
variables prints what the HTTP library holds by its ``repr``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final, NoReturn

from engine.errors import EngineError

KEYRING_TIMEOUT_S: Final = 30.0
"""A keyring may ask the person to unlock it."""
PAPER_SERVICE: Final = "greenlight alpaca paper"
LIVE_SERVICE: Final = "greenlight alpaca live"
KEY_ID_ENTRY: Final = "key_id"
SECRET_ENTRY: Final = "secret_key"


class NoCredentials(EngineError):
    """No usable keys; the text says where they were looked for and what to do."""


class Unshown(str):
    """A text like any other, but for what ``repr`` makes of it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Unshown(hidden)"


class Secret:
    """A text that is never shown."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        if not value:
            raise ValueError("a secret cannot be empty")
        self.__value = value

    def reveal(self) -> Unshown:
        return Unshown(self.__value)

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never serialised")


@dataclass(frozen=True, slots=True)
class Keys:
    """Use one of the three kinds below."""

    key_id: str = field(repr=False)
    secret: Secret

    def __post_init__(self) -> None:
        for name, text in (("key id", self.key_id), ("secret key", self.secret.reveal())):
            if not (text.isascii() and text.isprintable() and " " not in text and text):
                raise NoCredentials(f"The {name} holds characters that no API key has: copy it again.")


class PaperKeys(Keys):
    """For Alpaca paper alone."""


class LiveKeys(Keys):
    """For Alpaca live alone."""


class SimKeys(Keys):
    """For the embedded exchange, which accepts any."""


def sim_keys() -> SimKeys:
    return SimKeys("SIM", Secret("simulated"))


async def paper_keys(environ: Mapping[str, str], executor: Executor) -> PaperKeys:
    """Raises ``NoCredentials``. ``executor`` runs the keyring's blocking calls."""
    return await _keys(PaperKeys, environ, PAPER_SERVICE, executor)


async def live_keys(environ: Mapping[str, str], executor: Executor) -> LiveKeys:
    """Raises ``NoCredentials``. ``executor`` runs the keyring's blocking calls."""
    return await _keys(LiveKeys, environ, LIVE_SERVICE, executor)


async def store_keys(keys: PaperKeys | LiveKeys, executor: Executor) -> None:
    """Put keys into the operating system's keyring. Raises ``NoCredentials`` when there is none."""
    service = PAPER_SERVICE if isinstance(keys, PaperKeys) else LIVE_SERVICE

    def store() -> None:
        import keyring

        keyring.set_password(service, KEY_ID_ENTRY, keys.key_id)
        keyring.set_password(service, SECRET_ENTRY, str(keys.secret.reveal()))

    await _in_keyring(store, executor)


async def forget_keys(kind: type[PaperKeys] | type[LiveKeys], executor: Executor) -> None:
    """Take them out of the system's keyring, if they are there. Raises ``NoCredentials`` when it cannot be used."""
    service = PAPER_SERVICE if kind is PaperKeys else LIVE_SERVICE

    def forget() -> None:
        import keyring

        for entry in (KEY_ID_ENTRY, SECRET_ENTRY):
            if keyring.get_password(service, entry) is not None:
                keyring.delete_password(service, entry)

    await _in_keyring(forget, executor)


async def _keys[K: Keys](kind: type[K], environ: Mapping[str, str], service: str, executor: Executor) -> K:
    key_id, secret = environ.get("APCA_API_KEY_ID", "").strip(), environ.get("APCA_API_SECRET_KEY", "").strip()
    if key_id and secret:
        return kind(key_id, Secret(secret))
    if key_id or secret:
        missing = "APCA_API_SECRET_KEY" if key_id else "APCA_API_KEY_ID"
        raise NoCredentials(
            f"{missing} is not set although its counterpart is: set both, or neither to use the keyring."
        )

    def load() -> tuple[str | None, str | None]:
        import keyring  # its back ends are slow to import, and may block

        return keyring.get_password(service, KEY_ID_ENTRY), keyring.get_password(service, SECRET_ENTRY)

    stored_id, stored_secret = await _in_keyring(load, executor)
    if not stored_id or not stored_secret:
        raise NoCredentials(
            f"No API keys: the environment has no APCA_API_KEY_ID and APCA_API_SECRET_KEY, and the keyring has nothing "
            f"under '{service}'. Set the two variables, or store the keys in the keyring."
        )
    return kind(stored_id, Secret(stored_secret))


async def _in_keyring[T](work: Callable[[], T], executor: Executor) -> T:
    try:
        async with asyncio.timeout(KEYRING_TIMEOUT_S):
            return await asyncio.get_running_loop().run_in_executor(executor, work)
    except TimeoutError as error:
        raise NoCredentials(
            f"The system's keyring did not answer in {KEYRING_TIMEOUT_S:.0f} s: unlock it, or set APCA_API_KEY_ID and "
            f"APCA_API_SECRET_KEY."
        ) from error
    except Exception as error:  # back ends raise what they like; all of it means the same to us
        # The cause is not chained: a back end's message may quote what it was asked to store.
        raise NoCredentials(
            f"The system's keyring cannot be used ({type(error).__name__}): set APCA_API_KEY_ID and "
            f"APCA_API_SECRET_KEY instead."
        ) from None
