"""The second person of a halt: with the setting, nobody leaves one alone.

They agree by their name and a word that only they know, at the seat of the first or in their request. The configuration
holds what ``scrypt`` makes of the word, not the word: whoever runs the desk and reads its file cannot speak for them.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from engine.clock import Clock
from engine.errors import CommandRefused
from engine.model.commands import Agreement

WRONG_PAUSE_S: Final = 1.0
"""After a wrong word, before the next one is looked at: a typing error costs little, guessing much."""
SHORTEST_WORD: Final = 8
_SALT_BYTES: Final = 16
_DIGEST_BYTES: Final = 32
_COST: Final = 2**14
_BLOCK: Final = 8
"""With that cost some 50 ms and 16 MB a word."""
_MEMORY: Final = 64 * 2**20


def plain(word: str) -> str:
    """Without blanks around it, and one way to write an accented letter: keyboards and systems differ."""
    return unicodedata.normalize("NFC", word.strip())


def sealed(word: str) -> str:
    """What the configuration holds of a word: salt and digest, both in hexadecimal digits."""
    salt = os.urandom(_SALT_BYTES)
    return f"{salt.hex()}:{_digest(word, salt).hex()}"


class SecondPerson:
    def __init__(self, seals: Mapping[str, str], clock: Clock) -> None:
        """``seals``: name -> what ``sealed`` made of their word; empty: nobody has to agree."""
        self._seals = {name: tuple(map(bytes.fromhex, seal.split(":"))) for name, seal in seals.items()}
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """Of whom one has to agree."""
        return tuple(self._seals)

    async def agreed(self, given: Agreement | None, *, actor: str) -> str:
        """Name of the one who agrees.

        Raises:
            CommandRefused: SECOND_PERSON when nobody was named, or the first person names themselves; WRONG_WORD
                when it is not theirs. Which of name and word is wrong is not said.
        """
        if given is None:
            names = " or ".join(self.names)
            text = f"A second person has to agree to leave the halt: {names}, with their own word."
            raise CommandRefused("SECOND_PERSON", text, field="second_person")
        if given.name == actor:
            text = f"{actor} asks for it already: the second person is another one."
            raise CommandRefused("SECOND_PERSON", text, field="second_person")
        async with self._one_at_a_time:
            if not await self._is_theirs(given):
                await self._clock.sleep(WRONG_PAUSE_S)
                text = "That is not the word of this second person: the halt stands."
                raise CommandRefused("WRONG_WORD", text, field="second_word", http_status=403)
        return given.name

    async def _is_theirs(self, given: Agreement) -> bool:
        # Somebody unknown takes as long as a wrong word.
        salt, digest = self._seals.get(given.name, (bytes(_SALT_BYTES), b""))
        # A pool for the moment: qasync's default executor makes QThreads that outlive their work.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="second-person") as pool:
            made = await asyncio.get_running_loop().run_in_executor(pool, _digest, given.word, salt)
        return hmac.compare_digest(made, digest)


def _digest(word: str, salt: bytes) -> bytes:
    return hashlib.scrypt(plain(word).encode(), salt=salt, n=_COST, r=_BLOCK, p=1, dklen=_DIGEST_BYTES, maxmem=_MEMORY)
