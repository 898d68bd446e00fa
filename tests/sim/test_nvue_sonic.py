"""The simulated Cumulus Linux and SONiC switches, as users of their shells see them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.nvue import NvueSwitch
from haas_rpcd.sim.sonic import SonicSwitch

from .console import Console, connected

PROMPT = re.compile(r"haas@sw1:(?:mgmt:)?~\$ $")


async def login(console: Console) -> None:
    await console.until("sw1 login: $")
    console.send("haas\rpw\r")
    await console.until(PROMPT)


async def run(console: Console, line: str) -> list[str]:
    console.send(f"{line}; echo $?\r")
    text = re.sub(r"\x1b\[\?2004[hl]\r?", "", await console.until(PROMPT))
    return text.split("\n")[1:-1]


def make_switch(kind: type[Any]) -> Any:
    return kind("sw1", ports=kind.port_names(3), username="haas", password="pw", history=True)


async def test_nvue_applies_all_edits_or_none() -> None:
    async with make_switch(NvueSwitch) as switch, connected(switch) as console:
        await login(console)
        assert await run(console, "nv set bridge domain br_default vlan 10,20") == [
            "created [rev_id: 2]",
            "0",
        ]
        assert await run(console, "nv set interface swp1-2 bridge domain br_default") == ["0"]
        assert await run(console, "nv set interface swp2 bridge domain br_default acess 9") == [
            "Error: Invalid parameter",
            "1",
        ]
        assert switch.history == []
        assert await run(console, "nv config apply") == ["applied [rev_id: 2]", "0"]
        assert switch.carried("swp2") == Carried(1, frozenset({10, 20}))
        assert switch.carried("swp3") == Carried()
        assert await run(console, "nv config apply") == [
            "  config apply executed with no config diff",
            "1",
        ]
        shown = "\n".join(await run(console, "nv config show -o json")).rpartition("\n")[0]
        assert set(json.loads(shown)[1]["set"]["interface"]) == {"eth0", "swp1-2"}
        await run(console, "nv set interface swp9 bridge domain br_default")
        assert (await run(console, "nv config apply -y"))[0] == (
            "Unable to restart services (ifreload-nvue.service):"
        )
        assert (await run(console, "nv config diff"))[0] == "- set:"
        assert await run(console, "nv config detach && nv config diff") == ["0"]


async def test_bridge_without_arguments_is_refused() -> None:
    async with make_switch(NvueSwitch) as switch, connected(switch) as console:
        await login(console)
        assert await run(console, "bridge") == ["Error: Invalid parameter", "1"]


async def test_sonic_refuses_config_without_arguments() -> None:
    async with make_switch(SonicSwitch) as switch, connected(switch) as console:
        await login(console)
        assert (await run(console, "sudo config"))[-2:] == ['Error: No such command "".', "2"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("config vlan add 1", "Vlan1 is default VLAN"),
        ("config vlan add 10", "Vlan10 already exists."),
        ("config vlan del 11", "Vlan11 does not exist"),
        ("config vlan del 10", "VLAN ID 10 can not be removed. First remove all members assigned"
                               " to this VLAN."),
        ("config vlan member add -u 20 Ethernet0", "Ethernet0 is already untagged member!"),
        ("config vlan member add 10 Ethernet0", "Ethernet0 is already a member of Vlan10"),
        ("config vlan member del 20 Ethernet0", "Ethernet0 is not a member of Vlan20"),
        ("config interface shutdown Ethernet3",
         "Interface name is invalid. Please enter a valid interface name!!"),
    ],
)  # fmt: skip
async def test_sonic_refuses_in_its_own_words(line: str, sentence: str) -> None:
    switch = make_switch(SonicSwitch)
    switch.running.vlans = {10: "", 20: ""}
    switch.running.members = {(10, "Ethernet0"): False}
    async with switch, connected(switch) as console:
        await login(console)
        if line == "config vlan add 1":
            assert await run(console, line) == ["Root privileges are required for this operation",
                                                "1"]  # fmt: skip
        *usage, last, status = await run(console, f"sudo {line}")
        assert (last, status) == (f"Error: {sentence}", "2")
        assert usage[0].startswith("Usage: config ")
        assert switch.history == []
