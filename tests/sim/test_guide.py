"""The example in the guide to simulated switches works as the guide says."""

from __future__ import annotations

import asyncio
import textwrap
from typing import Any

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Carried, CliSwitch

from .console import connected


def acme(**options: Any) -> CliSwitch[Any]:
    assert cli.__doc__ is not None
    names: dict[str, Any] = {}
    exec(textwrap.dedent(cli.__doc__.split("::\n", 1)[1]), names)
    kind = names["Acme"]
    return kind("sw1", ports=kind.port_names(4), username="u", password="pw", **options)


async def test_the_example_in_the_guide_works() -> None:
    async with acme(enable="e") as switch, connected(switch) as console:
        console.send("u\rno\ru\rpw\renable\re\r")
        assert "Pass:**\nNo.\nUser:u\nPass:**\nsw1>" in await console.until(r"sw1#$")
        assert await console.run("conf") == ["Configuring from terminal"]
        await console.run_all("vlan 7", "select p1-2", "access 7", "shut")
        assert (await console.run("no shut"), switch.carried("port 2")) == ([], Carried(7))
        assert await console.run("no vlan 1") == ["VLAN 1 stays"]
        await console.run("end")
        console.send("save\ry")
        assert await console.until("#$") == "save\nOverwrite? (y/n) y\nSaved.\nsw1#"
        assert await console.run("frob") == ["    ^", "% Invalid input detected at '^' marker.", ""]


async def test_faults_close_idle_sessions_and_slow_lines_down() -> None:
    async with acme() as switch, connected(switch) as console:
        console.send("u\rpw\r")
        await console.until("#$")
        switch.faults.slow["conf"] = 0.2
        begun = asyncio.get_running_loop().time()
        await console.run("configure")
        assert asyncio.get_running_loop().time() - begun >= 0.2
        switch.faults.idle_timeout = 0.1
        await console.run("vlan 7")
        assert await console.hung_up() == "\n"
