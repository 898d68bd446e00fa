"""What help explains besides commands, and what a wrong command is answered with."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from haas_console.batch.exitcodes import ExitCode
from haas_console.core.commands import Help
from haas_console.core.errors import CommandSyntaxError
from haas_console.core.help import help_text
from haas_console.core.language import Language
from haas_console.core.suggest import command_for
from haas_console.core.topics import TOPICS
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_schemas.job import JobState
from haas_schemas.node import NicState, NodeState
from tests.batch.conftest import ROOT


def test_all_dialects_are_explained_as_in_the_documentation() -> None:
    rows = dict(TOPICS["dialects"].rows)
    assert set(rows) == set(DIALECTS)
    table = (ROOT / "docs" / "switches.md").read_text()
    for name, family in rows.items():
        documented = re.search(rf"^\| `{name}` \| ([^|]+) \|", table, re.MULTILINE)
        assert documented is not None
        assert name == "linux_bridge" or documented[1] == family


def test_all_states_and_exit_codes_are_explained() -> None:
    rows = dict(TOPICS["states"].rows)
    for noun, states in (("node", NodeState), ("nic", NicState), ("job", JobState)):
        assert {f"{noun} {state}" for state in get_args(states)} <= rows.keys()
    assert {int(code) for code, _ in TOPICS["exit-codes"].rows} == {int(code) for code in ExitCode}


def test_help_shows_a_topic(released: Language) -> None:
    command = released.parse_line("help exit-codes")
    assert command == Help(("exit-codes",))
    text = help_text(released, command)
    assert "  3    no daemon answers\n" in text
    for topic in TOPICS:
        assert f"`help {topic}`" in help_text(released, Help())


@pytest.mark.parametrize(
    ("line", "topic"),
    [
        ("node list --help", ("node", "list")),
        ("node -h", ("node",)),
        ("network create red --vlan -h", ("network", "create")),
    ],
)
def test_help_can_be_asked_for_at_the_end(
    released: Language, line: str, topic: tuple[str, ...]
) -> None:
    assert released.parse_line(line) == Help(topic)


MEANT = {
    "nodes": "node list",
    "get nodes": "node list",
    "list switches": "switch list",
    "node ls": "node list",
    "describe node n1": "node show n1",
    "get node n1": "node show n1",
    "delete network red net": "network delete red net",
    "rm node n1": "node delete n1",
    "jobs": "job list",
    "status": "system health",
    "whoami": "system info",
    "version": "system info",
    "logs": "events",
    "diff red": "plan red",
    "deploy red": "apply red",
    "vlans": "network list",
    "net add red lab": "network create red lab",
    "add switch sw9 cisco_ios 192.0.2.1": "switch register sw9 cisco_ios 192.0.2.1",
    "vm start red login": "headnode start red login",
    "job watch 7": "job follow 7",
    "show job 7": "job show 7",
    "allocate red n1": "node allocate red n1",
    "node free n1": "node release n1",
    "member add red ann": "project add_member red ann",
    "servers": "node list",
    "explain node allocate": "help node allocate",
    "exec n1": "node console n1",
    "top": "system pulse",
    "wait 7": "job wait 7",
    "auth can-i create networks": "may network create",
}


@pytest.mark.parametrize(("line", "right"), MEANT.items())
def test_a_wrong_command_is_answered_with_the_right_one(
    released: Language, line: str, right: str
) -> None:
    with pytest.raises(CommandSyntaxError, match="did you mean") as error:
        released.parse_line(line)
    assert f', did you mean "{right}"?; there are: ' in error.value.message
    assert released.parse_line(right) is not None


@pytest.mark.parametrize("line", ["exit", "scale up", "headnode reboot", "7"])
def test_nothing_is_guessed_of_what_nobody_can_know(released: Language, line: str) -> None:
    assert command_for(line.split(), released.api) == ""
