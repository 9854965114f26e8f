"""The two stream protocols, frame by frame."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.exchange.market import Print, Quote, Tick
from engine.exchange.streams import DataProtocol, TradeUpdatesProtocol

TICK = Tick(
    "AAPL",
    Quote(187.1, 187.12, 2, 3, 1_787_320_987_123_456_789),
    Print(187.12, 50, 1_787_320_987_123_456_789, 5),
    None,
)


def is_right(key: str, secret: str) -> bool:
    return (key, secret) == ("K", "S")


class TestTradeUpdates:
    def ask(self, protocol: TradeUpdatesProtocol, message: object) -> Any:
        (frame,) = protocol.receive(msgspec.json.encode(message))
        return msgspec.json.decode(frame)

    @pytest.mark.parametrize(
        "form",
        [
            {"action": "authenticate", "data": {"key_id": "K", "secret_key": "S"}},
            {"action": "auth", "key": "K", "secret": "S"},
        ],
        ids=["older", "current"],
    )
    def test_both_forms_of_authentication(self, form: dict[str, Any]) -> None:
        protocol = TradeUpdatesProtocol(is_right)
        assert self.ask(protocol, form) == {
            "stream": "authorization",
            "data": {"status": "authorized", "action": "authenticate"},
        }
        wrong = {"action": "auth", "key": "K", "secret": "?"}
        assert self.ask(TradeUpdatesProtocol(is_right), wrong)["data"]["status"] == "unauthorized"

    def test_listening_needs_authentication_and_replaces_the_list(self) -> None:
        protocol = TradeUpdatesProtocol(is_right)
        listen = {"action": "listen", "data": {"streams": ["trade_updates", "other"]}}
        refused = self.ask(protocol, listen)
        assert refused["data"] == {"status": "unauthorized", "action": "listen"}
        self.ask(protocol, {"action": "auth", "key": "K", "secret": "S"})
        assert self.ask(protocol, listen)["data"] == {"streams": ["trade_updates"]}
        assert protocol.listening
        self.ask(protocol, {"action": "listen", "data": {"streams": []}})
        assert not protocol.listening

    @pytest.mark.parametrize("frame", ["{", "[]", '{"action": "dance"}', "null"])
    def test_nonsense_is_answered_with_an_error(self, frame: str) -> None:
        (answer,) = TradeUpdatesProtocol(is_right).receive(frame)
        assert msgspec.json.decode(answer)["action"] == "error"


class TestData:
    def authenticated(self, **settings: Any) -> DataProtocol:
        protocol = DataProtocol(is_right, **({"symbols_max": 30} | settings))
        self.ask(protocol, {"action": "auth", "key": "K", "secret": "S"})
        return protocol

    def ask(self, protocol: DataProtocol, message: object) -> Any:
        (frame,) = protocol.receive(msgspec.json.encode(message))
        (answer,) = msgspec.json.decode(frame)
        return answer

    def test_greeting_and_authentication(self) -> None:
        protocol = DataProtocol(is_right, symbols_max=30)
        assert msgspec.json.decode(protocol.greet()) == [{"T": "success", "msg": "connected"}]
        assert self.ask(protocol, {"action": "subscribe", "trades": ["AAPL"]})["code"] == 401
        assert self.ask(protocol, {"action": "auth", "key": "K", "secret": "S"})["msg"] == "authenticated"
        assert self.ask(protocol, {"action": "auth", "key": "K", "secret": "S"})["code"] == 403

    def test_wrong_keys_end_the_connection(self) -> None:
        protocol = DataProtocol(is_right, symbols_max=30)
        assert self.ask(protocol, {"action": "auth", "key": "K", "secret": ""})["code"] == 402
        assert protocol.fatal

    def test_subscriptions_add_up_and_are_taken_back(self) -> None:
        protocol = self.authenticated()
        self.ask(protocol, {"action": "subscribe", "trades": ["AAPL"], "quotes": ["SPY"]})
        answer = self.ask(protocol, {"action": "subscribe", "quotes": ["AAPL"], "bars": ["*"]})
        assert (answer["trades"], answer["quotes"], answer["bars"]) == (["AAPL"], ["AAPL", "SPY"], ["*"])
        answer = self.ask(protocol, {"action": "unsubscribe", "quotes": ["SPY"]})
        assert answer["quotes"] == ["AAPL"]

    def test_the_limit_counts_symbols_once_and_refuses_the_whole_request(self) -> None:
        protocol = self.authenticated(symbols_max=2)
        self.ask(protocol, {"action": "subscribe", "trades": ["A", "B"], "quotes": ["A", "B"]})
        assert self.ask(protocol, {"action": "subscribe", "quotes": ["C"]})["code"] == 405
        assert self.ask(protocol, {"action": "unsubscribe"})["quotes"] == ["A", "B"]

    def test_only_what_was_subscribed_to_is_sent(self) -> None:
        protocol = self.authenticated()
        assert protocol.render([TICK]) is None
        self.ask(protocol, {"action": "subscribe", "quotes": ["AAPL"]})
        frame = protocol.render([TICK])
        assert frame is not None
        (quote,) = msgspec.json.decode(frame)
        assert (quote["T"], quote["S"], quote["bp"], quote["t"]) == (
            "q",
            "AAPL",
            187.1,
            "2026-08-21T14:03:07.123456789Z",
        )

    def test_messagepack_carries_times_as_timestamps(self) -> None:
        protocol = DataProtocol(is_right, symbols_max=30, packed=True)
        for message in ({"action": "auth", "key": "K", "secret": "S"}, {"action": "subscribe", "trades": ["AAPL"]}):
            protocol.receive(msgspec.msgpack.encode(message))
        frame = protocol.render([TICK])
        assert frame is not None
        (trade,) = msgspec.msgpack.decode(frame)
        assert trade["t"].isoformat() == "2026-08-21T14:03:07.123456+00:00"

    @pytest.mark.parametrize("frame", ["{", "[]", '{"action": "dance"}', '{"action": "subscribe", "trades": "A"}'])
    def test_nonsense_is_invalid_syntax(self, frame: str) -> None:
        (answer,) = self.authenticated().receive(frame)
        assert msgspec.json.decode(answer)[0]["code"] == 400
