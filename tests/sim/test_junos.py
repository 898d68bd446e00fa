"""The simulated Junos switch, as a telnet client sees it. The expected texts are Junos's own."""

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
    """Log in."""
    async with connected(switch, PROMPT) as console:
        console.send("haas\rpw\r")
        assert "--- JUNOS 18.4R2.7" in await console.until(PROMPT)
        yield console


async def run(console: Console, *lines: str) -> list[str]:
    """Type lines; return the output without the first line of each prompt."""
    printed = await console.run_all(*lines)
    return [line for line in printed if line and not line.startswith("{master:0}")]


async def test_refusals_mark_the_mistake() -> None:
    async with ex4300() as switch, operating(switch) as console:
        assert await run(console, "shwo version") == [" " * 12 + "^", "unknown command."]
        assert await run(console, "show vlens") == [" " * 17 + "^", "syntax error."]
        assert await run(console, "commit") == [" " * 12 + "^", "unknown command."]
        await run(console, "configure private")
        assert (await run(console, "set interfaces"))[-1] == "missing argument."
        assert (await run(console, "set interfaces gee-0/0/1 disable"))[-1] == "syntax error."
        assert (await run(console, "set vlans v vlan-id 5000"))[-1] == "syntax error."


async def test_changes_take_effect_at_commit() -> None:
    async with ex4300() as switch, operating(switch) as console:
        assert await run(console, "configure private") == [
            "warning: uncommitted changes will be discarded on exit",
            "Entering configuration mode",
        ]
        await run(console, "set interfaces ge-0/0/0 disable")
        assert switch.carried(GE0) == Carried(1)
        assert await run(console, "run show configuration vlans | display set") == [
            "set vlans default vlan-id 1"
        ]
        assert await run(console, "commit check") == ["configuration check succeeds"]
        assert switch.carried(GE0) == Carried(1)
        assert await run(console, "commit") == ["configuration check succeeds", "commit complete"]
        assert (switch.carried(GE0), switch.modified) == (NOTHING, False)
        assert await run(console, "delete interfaces ge-0/0/0 disable", "rollback 0") == [
            "load complete"
        ]
        assert await run(console, "exit configuration-mode") == ["Exiting configuration mode"]


async def test_exit_asks_before_it_discards_changes() -> None:
    async with ex4300() as switch, operating(switch) as console:
        await run(console, "configure private", "set interfaces ge-0/0/0 disable")
        console.send("exit\r")
        await console.until(r"Discard uncommitted changes\? \[yes,no\] \(yes\) $")
        console.send("no\r")
        await console.until(PROMPT)
        console.send("exit\ryes\r")
        assert "Exiting configuration mode" in await console.until(r"haas@sw1> $")
        await run(console, "configure private")
        assert (await run(console, "commit"))[-1] == "commit complete"
        assert switch.carried(GE0) == Carried(1)


async def test_a_shared_candidate_and_an_exclusive_lock_keep_others_out() -> None:
    async with ex4300() as switch, operating(switch) as one, operating(switch) as other:
        await run(one, "configure", "set system host-name sw1", "set interfaces ge-0/0/0 disable")
        assert await run(other, "configure private") == [
            "error: shared configuration database modified"
        ]
        assert await run(other, "configure") == [
            "Entering configuration mode",
            "The configuration has been changed but not committed",
        ]
        await run(other, "rollback", "exit")
        await run(one, "exit", "configure exclusive")
        assert (await run(other, "configure private"))[:2] == [
            "error: configuration database locked by:",
            "  haas terminal p0 (pid 4201) on since 2026-01-01 00:00:00 UTC",
        ]
        one.writer.close()
        while switch.candidates.locker is not None:
            await other.run("")
        assert (await run(other, "configure private"))[-1] == "Entering configuration mode"


async def test_wildcard_range_changes_every_port_in_the_range() -> None:
    async with ex4300() as switch, operating(switch) as console:
        await run(
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
        gone = await run(console, "wildcard range delete interfaces ge-0/0/[0-1] native-vlan-id")
        assert gone == ["warning: statement not found"] * 2
        assert (await run(console, "wildcard range delete interfaces ge-0/0/0"))[-1].startswith(
            "error: "
        )


async def test_the_configuration_is_shown_in_braces() -> None:
    async with ex4300() as switch, operating(switch) as console:
        assert await run(console, "show configuration interfaces ge-0/0/0") == [
            "unit 0 {",
            "    family ethernet-switching;",
            "}",
        ]
        assert await run(console, "show configuration | match vlan | no-more") == [
            "vlans {",
            "        vlan-id 1;",
        ]
