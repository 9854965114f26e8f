"""Keys come from the environment or the keyring, and are never seen."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest

from engine.alpaca import credentials
from engine.alpaca.client import open_client
from engine.alpaca.credentials import (
    LiveKeys,
    NoCredentials,
    PaperKeys,
    Secret,
    live_keys,
    paper_keys,
    store_keys,
)
from engine.alpaca.errors import Purpose
from engine.clock import SystemClock
from engine.errors import BrokerError
from tests.wire.adapter.raw_server import Answer, Cut, raw_server
from tests.wire.adapter.samples import BRACKET, SECRET, access_to

ENVIRON = {"APCA_API_KEY_ID": "ENV-ID", "APCA_API_SECRET_KEY": SECRET}


class Keyring(ModuleType):
    """Stands in for the operating system's keyring, which tests must not touch."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.entries: dict[tuple[str, str], str] = {}
        self.fails = False

    def get_password(self, service: str, name: str) -> str | None:
        if self.fails:
            raise RuntimeError(f"locked, and it mentions {SECRET}")
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        if self.fails:
            raise RuntimeError(f"cannot store {value}")
        self.entries[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        del self.entries[service, name]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    keyring = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    return keyring


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def test_the_environment_comes_first(keyring: Keyring, pool: ThreadPoolExecutor) -> None:
    keys = await paper_keys(ENVIRON, pool)
    assert isinstance(keys, PaperKeys)
    assert (keys.key_id, keys.secret.reveal()) == ("ENV-ID", SECRET)


async def test_half_a_pair_is_refused_by_name(keyring: Keyring, pool: ThreadPoolExecutor) -> None:
    for name, missing in [("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"), ("APCA_API_SECRET_KEY", "APCA_API_KEY_ID")]:
        with pytest.raises(NoCredentials, match=missing):
            await paper_keys({name: "x"}, pool)


@pytest.mark.parametrize("damaged", ["two words", "line\nbreak", "nul\x00", "dash–ed"])
async def test_a_damaged_key_is_refused_before_it_is_used(damaged: str, pool: ThreadPoolExecutor) -> None:
    with pytest.raises(NoCredentials, match="copy it again") as caught:
        await live_keys({"APCA_API_KEY_ID": "x", "APCA_API_SECRET_KEY": damaged}, pool)
    assert damaged not in str(caught.value)


async def test_paper_and_live_have_entries_of_their_own(keyring: Keyring, pool: ThreadPoolExecutor) -> None:
    await store_keys(PaperKeys("PAPER-ID", Secret("p")), pool)
    assert (await paper_keys({}, pool)).key_id == "PAPER-ID"
    with pytest.raises(NoCredentials, match="No API keys"):
        await live_keys({}, pool)
    await store_keys(LiveKeys("LIVE-ID", Secret("l")), pool)
    assert (await live_keys({}, pool)).key_id == "LIVE-ID"
    assert (await paper_keys({}, pool)).key_id == "PAPER-ID"


async def test_a_failing_keyring_means_no_keys_and_leaks_nothing(keyring: Keyring, pool: ThreadPoolExecutor) -> None:
    keyring.fails = True
    for attempt in (paper_keys({}, pool), store_keys(LiveKeys("L", Secret(SECRET)), pool)):
        with pytest.raises(NoCredentials, match="cannot be used") as caught:
            await attempt
        assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_an_absent_keyring_means_no_keys(monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(NoCredentials, match="cannot be used"):
        await paper_keys({}, pool)


async def test_a_keyring_that_hangs_is_not_waited_for_for_ever(
    keyring: Keyring, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "KEYRING_TIMEOUT_S", 0.02)
    blocked = pool.submit(asyncio.run, asyncio.sleep(0.1))  # the pool's only thread is busy, as if unlocking
    with pytest.raises(NoCredentials, match="did not answer"):
        await paper_keys({}, pool)
    blocked.result()


def test_a_secret_shows_itself_to_nothing_but_reveal() -> None:
    secret = Secret(SECRET)
    assert secret.reveal() == SECRET
    shown = f"{secret} {secret!r} {secret!s} {secret:>40} {[secret]} {PaperKeys('K', secret)}"
    assert SECRET not in shown
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(ValueError, match="empty"):
        Secret("")


@pytest.mark.parametrize("answer", [Cut(), Answer(401, {"message": "unauthorized."}), Answer(500), Answer(302)])
async def test_no_error_or_log_of_a_failing_request_shows_the_secret(
    answer: Cut | Answer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with raw_server(answer) as server, open_client(access_to(server.url), SystemClock()) as client:
            with pytest.raises(BrokerError) as caught:
                await client.submit(BRACKET, purpose=Purpose.ENTRY)
            shown = "".join(traceback.format_exception(caught.value))
            error: BaseException | None = caught.value
            while error is not None:
                shown += repr(error) + str(error) + repr(error.args) + repr(getattr(error, "__dict__", ""))
                error = error.__cause__ or error.__context__
            assert SECRET not in shown + caplog.text + repr(client.transport.recent)
