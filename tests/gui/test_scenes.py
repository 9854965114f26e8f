"""The desk of scenes behaves as the door says."""

from __future__ import annotations

import asyncio

import pytest

from engine.bus import Change
from engine.errors import CommandRefused
from engine.model.words import DeskState, SignalStatus
from tests.gui.stage import desk_of


async def test_a_decision_moves_the_signal_and_is_told_on_the_bus() -> None:
    desk, told = desk_of("trouble"), []
    desk.bus.on_changes(told.append)
    signal = await desk.approve("s-NVDA", actor="window", preview_id="p")
    assert signal.status is SignalStatus.APPROVED
    assert signal.preview is None
    assert told == [frozenset({Change("signal", "s-NVDA")})]
    assert desk.commands == [("approve", "s-NVDA", "p")]


async def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(CommandRefused) as refused:
        desk_of("empty").order("nothing")
    assert (refused.value.code, refused.value.http_status) == ("NOT_FOUND", 404)


async def test_a_refusal_is_used_up_and_a_hold_ends_with_its_release() -> None:
    desk = desk_of("trouble")
    desk.refuse("retry_bracket", "NOTHING_TO_RETRY", "No exits are missing.")
    with pytest.raises(CommandRefused):
        await desk.retry_bracket("b-TSLA", actor="window")
    desk.hold("retry_bracket")
    task = asyncio.ensure_future(desk.retry_bracket("b-TSLA", actor="window"))
    await asyncio.sleep(0.01)
    assert not task.done()
    desk.release("retry_bracket")
    assert (await task).attempts == 4


async def test_halted_is_left_by_the_word_alone() -> None:
    desk = desk_of("trouble")
    await desk.set_state(DeskState.HALTED, actor="window")
    with pytest.raises(CommandRefused):
        await desk.set_state(DeskState.ACTIVE, actor="window")
    health = await desk.set_state(DeskState.ACTIVE, actor="window", confirm="RELEASE")
    assert health.desk_state is DeskState.ACTIVE
