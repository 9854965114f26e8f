"""Submit, close, cancel and replace while the wire to the broker breaks: one order there, and the same in the book.

The real desk, the real exchange and real aiohttp in virtual time; what the adapter makes of each cut by itself stands
in ``tests/wire/adapter/test_cuts.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from tests.wire.desk.cut_proxy import HEAD_END, Break, Length, Message
from tests.wire.desk.virtual_rig import Scene, play

REFUSED_ALL_THE_SAME: Final = (
    b"HTTP/1.1 422 Unprocessable Entity\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n"
    b'{"code":42210000,"message":"order chain not fully replaced"}'
)


def _first_line(message: Message) -> int:
    return message.head.index(b"\r\n") + 2


CUTS: Final[dict[str, dict[str, Length]]] = {
    "before the request": {"request": lambda _: 0},
    "within the request's head": {"request": lambda request: len(request.head) // 2},
    "one byte before the request's end": {"request": lambda request: len(request.whole) - 1},
    "before the answer": {"answer": lambda _: 0},
    "after the status line": {"answer": _first_line},
    "within the answer's head": {"answer": lambda answer: answer.head.index(HEAD_END)},
    "half way through the answer": {"answer": lambda answer: len(answer.head) + len(answer.body) // 2 - 1},
    "one byte before the answer's end": {"answer": lambda answer: len(answer.whole) - 1},
}


@pytest.mark.parametrize("cut", CUTS)
def test_an_entry_exists_once(tmp_path: Path, cut: str) -> None:
    async def scene(told: Scene) -> None:
        told.proxy.armed = Break(method="POST", path="/v2/orders", **CUTS[cut])
        bracket_id = await told.protected()
        assert told.proxy.broke == 1
        assert await told.shares() == 10
        assert len(await told.at_the_broker()) == 3  # the entry and its two exits
        view = told.desk.bracket(bracket_id)
        assert (view.held_qty, view.covered_qty) == (10, 10)
        await told.agree()

    play(tmp_path, scene)


@pytest.mark.parametrize("cut", CUTS)
def test_a_close_exists_once_and_never_flips(tmp_path: Path, cut: str) -> None:
    async def scene(told: Scene) -> None:
        bracket_id = await told.protected(target=False)
        told.proxy.armed = Break(method="POST", path="/v2/orders", **CUTS[cut])
        await told.desk.flatten_bracket(bracket_id, actor="test")
        await told.until(lambda: told.desk.bracket(bracket_id).status.value == "closed")
        assert told.proxy.broke == 1
        assert await told.shares() == 0
        assert await told.sold() == [10]
        await told.agree()

    play(tmp_path, scene)


@pytest.mark.parametrize("cut", CUTS)
def test_a_cancel_is_asked_until_it_is_heard(tmp_path: Path, cut: str) -> None:
    async def scene(told: Scene) -> None:
        bracket_id = await told.approved(told.signal(resting=True))
        entry = told.desk.bracket(bracket_id).legs.entry
        assert entry is not None
        entry_id = entry.id
        await told.until(lambda: told.desk.order(entry_id).status.value == "new")
        told.proxy.armed = Break(method="DELETE", path="/v2/orders/", **CUTS[cut])
        await told.desk.cancel_order(entry_id, actor="test")
        await told.until(lambda: told.desk.order(entry_id).status.value == "canceled")
        assert told.proxy.broke == 1
        assert await told.shares() == 0
        assert {order["status"] for order in await told.at_the_broker()} == {"canceled"}
        await told.agree()

    play(tmp_path, scene)


@pytest.mark.parametrize("cut", CUTS)
def test_a_replacement_exists_once_or_is_settled_as_never_made(tmp_path: Path, cut: str) -> None:
    async def scene(told: Scene) -> None:
        bracket_id = await told.protected()
        told.proxy.armed = Break(method="PATCH", path="/v2/orders/", **CUTS[cut])
        await told.desk.flatten_bracket(bracket_id, actor="test")
        await told.until(lambda: told.desk.bracket(bracket_id).status.value == "closed")
        assert told.proxy.broke == 1
        assert await told.shares() == 0
        assert await told.sold() == [10]
        patches = [request for request in told.proxy.arrived if request.method == "PATCH"]
        assert len({json.loads(request.body)["client_order_id"] for request in patches}) == len(patches)
        await told.agree()

    play(tmp_path, scene)


def test_a_replacement_that_was_refused_and_made_all_the_same_is_found(tmp_path: Path) -> None:
    async def scene(told: Scene) -> None:
        bracket_id = await told.protected()
        told.proxy.armed = Break(method="PATCH", path="/v2/orders/", instead=REFUSED_ALL_THE_SAME)
        await told.desk.flatten_bracket(bracket_id, actor="test")
        await told.until(lambda: told.desk.bracket(bracket_id).status.value == "closed")
        assert told.proxy.broke == 1
        assert await told.shares() == 0
        (patched,) = [order for order in told.desk.orders("all") if "-patch-" in order.id]
        assert patched.status.value == "filled"
        await told.agree()

    play(tmp_path, scene)


def test_an_old_order_that_fills_before_its_replacement_is_counted_once(tmp_path: Path) -> None:
    async def scene(told: Scene) -> None:
        bracket_id = await told.protected()
        target = told.desk.bracket(bracket_id).legs.take_profit
        await told.desk.flatten_bracket(bracket_id, actor="test")
        assert target is not None
        await told.until(lambda: told.desk.order(target.id).status.value == "pending_replace")
        await told.ask("POST", f"/_exchange/orders/{target.broker_id}/fill", {"qty": "10"})
        await told.until(lambda: told.desk.bracket(bracket_id).status.value == "closed")
        assert await told.shares() == 0
        assert told.desk.order(target.id).status.value == "filled"
        (patched,) = [order for order in told.desk.orders("all") if "-patch-" in order.id]
        assert patched.status.value == "rejected"
        await told.agree()

    play(tmp_path, scene, venue_ms=300.0)
