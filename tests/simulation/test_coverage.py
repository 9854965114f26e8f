"""The storms leave nothing out: what can go wrong or be commanded, somebody in the simulation does."""

from __future__ import annotations

import inspect
import re
from typing import get_args

from engine.commands.alarms import AlarmCommands
from engine.commands.exits import ExitCommands
from engine.commands.halt import HaltCommands
from engine.commands.mandates import MandateCommands
from engine.commands.replacing import ReplaceCommands
from engine.commands.ticket import TicketCommands
from engine.desk import Desk
from engine.exchange import faults
from engine.intake.door import Door
from tests.simulation import acts, tickets
from tests.simulation.breakage import MAKERS
from tests.simulation.case import Case
from tests.simulation.happenings import Kind
from tests.simulation.remote import CALLS
from tests.simulation.test_seeds import SEEDS

NOT_OF_A_STORM = {
    "bars": "reads only",
    "facts_about": "reads only",
    "confirm_account": "of a live account",
    "set_demo": "of the demo",
    "receive": "the strategies do that",
}


def _commands(door: type) -> set[str]:
    return {
        name
        for name, member in inspect.getmembers(door, inspect.iscoroutinefunction)
        if not name.startswith("_") and name not in NOT_OF_A_STORM
    }


def test_every_fault_that_the_exchange_knows_strikes_in_the_storms() -> None:
    assert set(get_args(faults.AnyFault)) == MAKERS.keys()


def test_every_command_of_the_desk_is_given_in_the_storms() -> None:
    given = set(re.findall(r"\bdesk\.(\w+)", inspect.getsource(acts)))
    assert _commands(Desk) - given == set()


def test_every_command_of_tickets_and_of_changes_in_a_row_is_given_in_the_storms() -> None:
    given = inspect.getsource(tickets)
    assert {*_commands(TicketCommands), "preview", "leave"} - set(re.findall(r"\bdesk\.ticket\.(\w+)", given)) == set()
    assert _commands(ReplaceCommands) - set(re.findall(r"\bdesk\.replacing\.(\w+)", given)) == set()


def test_every_kind_of_happening_comes_in_the_storms_of_the_suite() -> None:
    drawn = {happening.kind for seed in SEEDS for happening in Case(seed).happenings()}
    assert drawn == set(Kind)
    assert any(Case(seed).weather().odd_rules for seed in SEEDS)


def test_what_the_storms_learned_later_leaves_all_else_of_a_seed_as_it_was() -> None:
    for seed in SEEDS:
        before = Case(seed, before=True).happenings()
        assert [each for each in Case(seed).happenings() if each.number <= len(before)] == before


def test_every_command_about_exits_alarms_and_mandates_is_given_in_the_storms() -> None:
    for part, commands in (("exits", ExitCommands), ("alarms", AlarmCommands), ("mandates", MandateCommands)):
        given = set(re.findall(rf"\bdesk\.{part}\.(\w+)", inspect.getsource(acts))) | _commands(Desk)
        # What Retry, Flatten and their like are made of goes by the desk's own names.
        assert _commands(commands) - given - {"retry", "flatten", "flatten_all"} == set(), part


def test_every_command_about_a_halt_is_given_at_the_door_and_over_the_network() -> None:
    given = set(re.findall(r"\bdesk\.halt\.(\w+)", inspect.getsource(acts))) | _commands(Desk)
    assert _commands(HaltCommands) - given - {"cancel_entries"} == set()
    assert {"halt.prove", "halt.suspend", "halt.resume"} <= CALLS.keys()


def test_every_command_of_the_api_is_also_given_over_the_network() -> None:
    assert _commands(Door) - CALLS.keys() == set()
