"""The simulated Junos switch, from outside; texts are Junos's own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from haas_rpcd.sim.cli import NOTHING, Carried
from haas_rpcd.sim.junos import JunosSwitch

from .console import Console, connected

PROMPT = re.compile(r"\n\{master:0\}(?:\[edit\])?\nhaas@sw1[>#] $")
GE0, GE1, GE2, GE3 = JunosSwitch.port_names(4)


def ex4300() -> JunosSwitch:
    return JunosSwitch("sw1", ports=JunosSwitch.port_names(4), username="haas", password="pw")


@asynccontextmanager
async def operating(switch: JunosSwitch) -> AsyncIterator[Console]:
    """Somebody who is logged in."""
    async with connected(switch, PROMPT) as console:
        console.send("haas\rpw\r")
        assert "--- JUNOS 18.4R2.7" in await console.until(PROMPT)
        yield console


async def says(console: Console, *lines: str) -> list[str]:
    """Type lines; give what is printed, without the line above the prompt."""
    printed = await console.run_all(*lines)
    return [line for line in printed if line and not line.startswith("{master:0}")]


async def test_refusals_mark_the_place() -> None:
    async with ex4300() as switch, operating(switch) as console:
        assert await says(console, "shwo version") == [" " * 12 + "^", "unknown command."]
        assert await says(console, "show vlens") == [" " * 17 + "^", "syntax error."]
        assert await says(console, "commit") == [" " * 12 + "^", "unknown command."]
        await says(console, "configure private")
        assert (await says(console, "set interfaces"))[-1] == "missing argument."
        assert (await says(console, "set interfaces gee-0/0/1 disable"))[-1] == "syntax error."
        assert (await says(console, "set vlans v vlan-id 5000"))[-1] == "syntax error."


async def test_nothing_counts_before_the_commit() -> None:
    async with ex4300() as switch, operating(switch) as console:
        assert await says(console, "configure private") == [
            "warning: uncommitted changes will be discarded on exit",
            "Entering configuration mode",
        ]
        await says(console, "set interfaces ge-0/0/0 disable")
        assert switch.carried(GE0) == Carried(1)
        assert await says(console, "run show configuration vlans | display set") == [
            "set vlans default vlan-id 1"
        ]
        assert await says(console, "commit check") == ["configuration check succeeds"]
        assert switch.carried(GE0) == Carried(1)
        assert await says(console, "commit") == ["configuration check succeeds", "commit complete"]
        assert (switch.carried(GE0), switch.modified) == (NOTHING, False)
        assert await says(console, "delete interfaces ge-0/0/0 disable", "rollback 0") == [
            "load complete"
        ]
        assert await says(console, "exit configuration-mode") == ["Exiting configuration mode"]


async def test_edits_that_are_left_behind_are_asked_for() -> None:
    async with ex4300() as switch, operating(switch) as console:
        await says(console, "configure private", "set interfaces ge-0/0/0 disable")
        console.send("exit\r")
        await console.until(r"Discard uncommitted changes\? \[yes,no\] \(yes\) $")
        console.send("no\r")
        await console.until(PROMPT)
        console.send("exit\ryes\r")
        assert "Exiting configuration mode" in await console.until(r"haas@sw1> $")
        await says(console, "configure private")
        assert (await says(console, "commit"))[-1] == "commit complete"
        assert switch.carried(GE0) == Carried(1)


async def test_edits_of_all_are_shared_and_of_one_are_not() -> None:
    async with ex4300() as switch, operating(switch) as one, operating(switch) as other:
        await says(one, "configure", "set system host-name sw1", "set interfaces ge-0/0/0 disable")
        assert await says(other, "configure private") == [
            "error: shared configuration database modified"
        ]
        assert await says(other, "configure") == [
            "Entering configuration mode",
            "The configuration has been changed but not committed",
        ]
        await says(other, "rollback", "exit")
        await says(one, "exit", "configure exclusive")
        assert (await says(other, "configure private"))[:2] == [
            "error: configuration database locked by:",
            "  haas terminal p0 (pid 4201) on since 2026-01-01 00:00:00 UTC",
        ]
        one.writer.close()
        while switch.locker is not None:
            await other.run("")
        assert (await says(other, "configure private"))[-1] == "Entering configuration mode"


async def test_ranges_are_written_out() -> None:
    async with ex4300() as switch, operating(switch) as console:
        await says(
            console,
            "configure private",
            "set vlans v100 vlan-id 100",
            "wildcard range set interfaces ge-0/0/[0-1,3] unit 0 family ethernet-switching vlan"
            " members v100",
            "commit",
        )
        assert [switch.carried(name) for name in (GE0, GE1, GE2, GE3)] == [
            Carried(100), Carried(100), Carried(1), Carried(100),
        ]  # fmt: skip
        gone = await says(console, "wildcard range delete interfaces ge-0/0/[0-1] native-vlan-id")
        assert gone == ["warning: statement not found"] * 2
        assert (await says(console, "wildcard range delete interfaces ge-0/0/0"))[-1].startswith(
            "error: "
        )


async def test_the_configuration_is_shown_in_braces_too() -> None:
    async with ex4300() as switch, operating(switch) as console:
        assert await says(console, "show configuration interfaces ge-0/0/0") == [
            "unit 0 {",
            "    family ethernet-switching;",
            "}",
        ]
        assert await says(console, "show configuration | match vlan | no-more") == [
            "vlans {",
            "        vlan-id 1;",
        ]
