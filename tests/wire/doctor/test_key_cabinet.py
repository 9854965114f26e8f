"""Keys as a person handles them: stored and read back, paper and live apart, tried at a real exchange, never shown."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from engine.alpaca.credentials import LIVE_SERVICE, PAPER_SERVICE, NoCredentials
from engine.clock import SystemClock
from engine.config import Config
from engine.exchange.server import ExchangeSettings, serve_exchange
from engine.key_cabinet import KeyCabinet
from engine.model.words import Mode
from tests.unit.alpaca.test_credentials import Keyring

KEY, SECRET = "PKOFPAPER7QX2", "s3cret-of-the-paper-account"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    keyring = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    return keyring


@asynccontextmanager
async def cabinet(environ: Mapping[str, str] | None = None) -> AsyncIterator[KeyCabinet]:
    made = KeyCabinet(environ or {}, Config(), SystemClock())
    try:
        yield made
    finally:
        made.close()


async def test_what_is_stored_is_what_a_desk_of_that_mode_finds_and_no_other(keyring: Keyring) -> None:
    async with cabinet() as keys:
        assert (await keys.state(Mode.PAPER)).source == "none"
        state = await keys.store(Mode.PAPER, f" {KEY} ", f"{SECRET}\n")
        assert (state.source, state.hint) == ("keyring", "…7QX2")
        assert {service for service, _ in keyring.entries} == {PAPER_SERVICE}
        assert (await keys.state(Mode.LIVE)).source == "none"
        await keys.store(Mode.LIVE, "AKLIVE0001", "another")
        assert (await keys.forget(Mode.PAPER)).source == "none"
        assert {service for service, _ in keyring.entries} == {LIVE_SERVICE}
        assert (await keys.forget(Mode.PAPER)).source == "none", "forgetting twice is no fault"


async def test_the_environment_comes_first_and_says_so(keyring: Keyring) -> None:
    async with cabinet({"APCA_API_KEY_ID": "PKENV0001", "APCA_API_SECRET_KEY": "x"}) as keys:
        state = await keys.store(Mode.PAPER, KEY, SECRET)
        assert (state.source, state.hint) == ("environment", "…0001")
        assert keyring.entries, "it is stored all the same"


@pytest.mark.parametrize(
    ("key_id", "secret"), [("", SECRET), (KEY, ""), ("  ", " "), (KEY, "with space in it"), ("ключ", SECRET)]
)
async def test_what_cannot_be_keys_is_refused_and_nothing_is_stored(keyring: Keyring, key_id: str, secret: str) -> None:
    async with cabinet() as keys:
        with pytest.raises(NoCredentials) as refused:
            await keys.store(Mode.PAPER, key_id, secret)
        assert SECRET not in str(refused.value)
        assert keyring.entries == {}


async def test_a_keyring_that_fails_or_forgets_is_said_without_the_secret(keyring: Keyring) -> None:
    async with cabinet() as keys:
        keyring.fails = True
        for asked in (keys.store(Mode.PAPER, KEY, SECRET), keys.forget(Mode.PAPER)):
            with pytest.raises(NoCredentials) as refused:
                await asked
            assert SECRET not in str(refused.value)
        keyring.fails = False
        keyring.set_password = lambda *_: None  # type: ignore[method-assign]
        with pytest.raises(NoCredentials):
            await keys.store(Mode.PAPER, KEY, SECRET)


async def test_the_connection_is_tried_with_what_is_typed_or_with_what_is_stored(keyring: Keyring) -> None:
    settings = ExchangeSettings(latency_ms=0, key=KEY, secret=SECRET)
    async with (
        serve_exchange(settings, SystemClock()) as exchange,
        cabinet({"APCA_API_BASE_URL": exchange.url}) as keys,
    ):
        missing = await keys.test(Mode.PAPER)
        assert [(finding.what, finding.ok) for finding in missing] == [("keys", False)]
        typed = await keys.test(Mode.PAPER, KEY, SECRET)
        assert {finding.what: finding.ok for finding in typed} == {
            "account": True, "clock": True, "order stream": True, "data stream": True,
        }  # fmt: skip
        wrong = await keys.test(Mode.PAPER, KEY, "another-secret")
        assert not any(finding.ok for finding in wrong if finding.what == "account")
        assert SECRET not in str(wrong)
        await keys.store(Mode.PAPER, KEY, SECRET)
        assert all(finding.ok for finding in await keys.test(Mode.PAPER))
        half = await keys.test(Mode.PAPER, KEY, "")
        assert [(finding.what, finding.ok) for finding in half] == [("keys", False)]


async def test_paper_keys_are_never_tried_at_the_live_address(keyring: Keyring) -> None:
    async with cabinet({"APCA_API_BASE_URL": "https://api.alpaca.markets"}) as keys:
        [finding] = await keys.test(Mode.PAPER, KEY, SECRET)
        assert not finding.ok
        assert "not an address for paper" in finding.text
