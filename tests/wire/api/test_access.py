from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import aiohttp
import msgspec
import pytest

from engine.clock import SystemClock
from engine.errors import EngineError
from engine.intake.api import ApiSettings, serve_api
from engine.intake.auth import load_token
from engine.intake.cli_client import send_signal
from tests.unit.intake.bodies import SAMPLE
from tests.wire.api.conftest import READ_TOKENS, SIGNAL_TOKENS, Client, Reply
from tests.wire.api.scripted import ScriptedDesk

CLOCK = SystemClock()


async def raw_request(client: Client, request: bytes) -> Reply:
    """What the server answers to these very bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return Reply(int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body)


def request(token: str, *headers: str, path: str = "/v1/health") -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Authorization: Bearer {token}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nonsense", "Basic b3BlcmF0ZQ==", "Bearer é"])
@pytest.mark.parametrize("path", ["/v1/health", "/v1/nothing", "/v1/events"])
async def test_nothing_under_v1_is_told_without_a_token(client: Client, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with client.session.get(client.server.url + path, headers=headers) as response:
        reply = Reply(response.status, response.headers, await response.read())
    assert reply.error == (401, "UNAUTHORIZED", None)
    assert reply.headers["WWW-Authenticate"] == "Bearer"


async def test_a_sources_token_posts_its_signals_and_nothing_else(client: Client, desk: ScriptedDesk) -> None:
    token = SIGNAL_TOKENS["breakout"]
    anonymous = {name: value for name, value in SAMPLE.items() if name != "source"}
    assert (await client.post("/v1/signals", anonymous, token=token)).status == 202
    assert desk.signals_by_id["s000001"].source == "breakout"
    foreign = await client.post("/v1/signals", SAMPLE | {"source": "meanrev"}, token=token)
    assert foreign.error == (403, "SOURCE_MISMATCH", "source")
    for method, path in [
        ("GET", "/v1/signals"),
        ("POST", "/v1/signals/s000001/approve"),
        ("GET", "/v1/health"),
        ("GET", "/v1/events"),
    ]:
        assert (await client.call(method, path, token=token)).error == (403, "FORBIDDEN_SCOPE", None)


async def test_a_readers_token_watches_and_nothing_else(client: Client) -> None:
    token = READ_TOKENS["wall"]
    assert (await client.get("/v1/health", token=token)).status == 200
    for method, path in [
        ("POST", "/v1/signals"),
        ("POST", "/v1/flatten"),
        ("DELETE", "/v1/orders/x"),
        ("POST", "/v1/state"),
    ]:
        assert (await client.call(method, path, token=token)).error == (403, "FORBIDDEN_SCOPE", None)


async def test_the_token_is_made_once_for_its_owners_eyes(client: Client, settings: ApiSettings) -> None:
    file = settings.data_dir / "api-token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(client.token) >= 40
    assert load_token(settings.data_dir) == client.token
    file.chmod(0o644)
    load_token(settings.data_dir)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("")
    assert load_token(settings.data_dir) not in ("", client.token)


async def test_a_token_from_outside_takes_the_files_place(desk: ScriptedDesk, tmp_path: Path) -> None:
    settings = ApiSettings(port=0, data_dir=tmp_path, token_override="from outside")
    async with serve_api(desk, settings, CLOCK) as server, aiohttp.ClientSession() as session:
        client = Client(server, session, "from outside")
        assert (await client.get("/v1/health")).status == 200
    assert not (tmp_path / "api-token").exists()


async def test_two_equal_tokens_are_refused(desk: ScriptedDesk, tmp_path: Path) -> None:
    settings = ApiSettings(port=0, data_dir=tmp_path, signal_tokens={"a": "same", "b": "same"})
    with pytest.raises(EngineError, match="its own"):
        async with serve_api(desk, settings, CLOCK):
            pass


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "127.0.0.1", "localhost:{port}", "LOCALHOST", "desk.example:443"])
async def test_the_bound_address_and_the_allowed_names_are_answered(client: Client, host: str) -> None:
    name = host.format(port=client.server.port)
    assert (await raw_request(client, request(client.token, f"Host: {name}"))).status == 200


@pytest.mark.parametrize("host", ["Host: evil.example", "Host: 127.0.0.1.evil.example", "Host: 10.0.0.1", "Host:"])
@pytest.mark.parametrize("path", ["/v1/health", "/"])
async def test_any_other_host_is_forbidden(client: Client, host: str, path: str) -> None:
    reply = await raw_request(client, request(client.token, host, path=path))
    assert reply.error == (403, "FORBIDDEN_HOST", None)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:{other}", "https://localhost:{port}", ""]
)
async def test_a_foreign_page_is_forbidden(client: Client, origin: str) -> None:
    port = client.server.port
    name = origin.format(port=port, other=port + 1)
    reply = await raw_request(client, request(client.token, f"Host: localhost:{port}", f"Origin: {name}"))
    assert reply.error == (403, "FORBIDDEN_HOST", None)


async def test_a_page_of_the_api_itself_is_no_foreign_one(client: Client) -> None:
    host = f"localhost:{client.server.port}"
    assert (await raw_request(client, request(client.token, f"Host: {host}", f"Origin: http://{host}"))).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\n\r\n",  # without a host
        b"GET /v1/health HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nA B: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
)
async def test_what_is_no_http_gets_the_same_form_of_answer(client: Client, sent: bytes) -> None:
    assert (await raw_request(client, sent)).error == (400, "BAD_REQUEST", None)


async def test_the_live_address_stands_in_a_file_as_long_as_it_lives(desk: ScriptedDesk, settings: ApiSettings) -> None:
    file = settings.data_dir / "api-url"
    async with serve_api(desk, settings, CLOCK) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert file.read_text() == server.url
    assert [path.name for path in settings.data_dir.iterdir()] == ["api-token"]
    async with serve_api(desk, settings, CLOCK):
        file.write_text("http://somebody.else")
    assert file.read_text() == "http://somebody.else"


async def test_a_taken_address_is_one_clear_sentence(desk: ScriptedDesk, settings: ApiSettings, tmp_path: Path) -> None:
    async with serve_api(desk, settings, CLOCK) as server:
        second = ApiSettings(port=server.port, data_dir=tmp_path / "second")
        with pytest.raises(EngineError, match=rf"cannot listen on 127.0.0.1:{server.port}"):
            async with serve_api(desk, second, CLOCK):
                pass
    assert not (tmp_path / "second" / "api-url").exists()


async def test_the_command_line_sends_a_signal_to_the_running_desk(
    client: Client, desk: ScriptedDesk, settings: ApiSettings
) -> None:
    order = {"side": "buy", "symbol": "aapl", "stop": "184.9", "target": "191.8", "qty": "10", "limit": "187.2"}
    answer = await send_signal(settings.data_dir, **order, note="by hand")
    assert msgspec.structs.asdict(answer) == {"id": "s000001", "status": "pending", "duplicate": False}
    assert (await send_signal(settings.data_dir, **order)).id == "s000002", "typed twice is meant twice"
    assert [signal.source for signal in desk.signals()] == ["cli", "cli"]
    with pytest.raises(EngineError, match=r"the desk refuses the signal: .* \(STOP_ON_WRONG_SIDE\)"):
        await send_signal(settings.data_dir, **order | {"stop": "190"})
    with pytest.raises(EngineError, match="UNAUTHORIZED"):
        await send_signal(settings.data_dir, **order, token_override="wrong")


async def test_the_command_line_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no desk runs on"):
        await send_signal(tmp_path, side="buy", symbol="AAPL")
    (tmp_path / "api-url").write_text("http://127.0.0.1:1")
    with pytest.raises(EngineError, match="api-token is missing"):
        await send_signal(tmp_path, side="buy", symbol="AAPL")
    (tmp_path / "api-token").write_text("x")
    with pytest.raises(EngineError, match="cannot be reached"):
        await send_signal(tmp_path, side="buy", symbol="AAPL")


async def test_the_command_line_tells_a_desk_from_another_server(tmp_path: Path) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        (tmp_path / "api-url").write_text(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        (tmp_path / "api-token").write_text("x")
        with pytest.raises(EngineError, match="is no desk: it answered 200"):
            await send_signal(tmp_path, side="buy", symbol="AAPL")


async def test_many_callers_are_served_at_once(client: Client) -> None:
    replies = await asyncio.gather(*(client.post("/v1/signals", SAMPLE | {"id": f"n{n}"}) for n in range(100)))
    assert {reply.status for reply in replies} == {202}
    assert len({json.loads(reply.raw)["id"] for reply in replies}) == 100
