"""Independent evidence of what simulated switches print of cables: ntc-templates.

See :mod:`tests.sim.test_against_templates`.
"""

from __future__ import annotations

from typing import Any

import pytest
from ntc_templates.parse import parse_output

from haas_rpcd.drivers.switch.cabling import mac_or_text
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.model import PortConfig, SetPort
from haas_rpcd.sim.cli import Announced, Plugged
from haas_rpcd.sim.personalities import personality
from tests.unit.dialects.harness import driving, make_switch, send

HOST, LEAF = "02:00:00:00:01:02", "00:1b:54:aa:bb:cc"

NEIGHBOURS = {
    "arista_eos": ("arista_eos", "show lldp neighbors detail", "local_interface"),
    "brocade_fastiron": ("brocade_fastiron", "show lldp neighbors detail", "local_interface"),
    "cisco_ios": ("cisco_ios", "show lldp neighbors detail", "local_interface"),
    "cisco_nxos": ("cisco_nxos", "show lldp neighbors detail", "local_interface"),
    "dell_powerconnect": ("cisco_s300", "show lldp neighbors", "local_interface"),
    "hp_procurve": ("hp_procurve", "show lldp info remote-device detail", "local_interface"),
    "juniper_junos": ("juniper_junos", "show lldp neighbors", "local_interface"),
}
MACS = {
    "arista_eos": ("arista_eos", "show mac address-table"),
    "brocade_fastiron": ("ruckus_fastiron", "show mac-address"),
    "cisco_ios": ("cisco_ios", "show mac address-table"),
    "cisco_nxos": ("cisco_nxos", "show mac address-table"),
    "dell_powerconnect": ("cisco_s300", "show mac address-table"),
    "hp_procurve": ("hp_procurve", "show mac-address"),
    "juniper_junos": ("juniper_junos", "show ethernet-switching table"),
}
"""Dialect -> what its family is called there, the command, and the column of the local port."""


async def shown(dialect: str, command: str) -> str:
    """Return what a switch with two machines prints."""
    switch = make_switch(personality(dialect))
    first, second = switch.port_list[:2]
    switch.plug(first, Plugged(macs=(HOST,), lldp=(Announced(HOST, HOST, "node-1"),)))
    switch.plug(second, Plugged(macs=(LEAF,), lldp=(Announced(LEAF, "Eth1/31", "leaf-7"),)))
    async with driving(switch) as driver:
        await send(driver, *(SetPort(port, PortConfig(100)) for port in (first, second)))
        [answer] = await driver.show([command])
    # Of Junos the templates know neither all names of VLANs nor, everywhere, the prompt's banner.
    return answer.replace("haas-100", "Vlan100").replace("{master:0}", "")


def values(row: dict[str, Any]) -> set[str]:
    """Return a row's values as we write them. Some templates list the parts of a long text."""
    texts = ["".join(value) if isinstance(value, list) else value for value in row.values()]
    return {mac_or_text(text.strip('"')) for text in texts}


@pytest.mark.parametrize("dialect", NEIGHBOURS)
async def test_the_templates_read_the_neighbours(dialect: str) -> None:
    family, command, column = NEIGHBOURS[dialect]
    answer = await shown(dialect, command)
    rows = parse_output(platform=family, command=command, data=answer)
    first, second = personality(dialect).port_names(2)
    canonical = DIALECTS[dialect].canonical_port
    assert [canonical(row[column]) for row in rows] == [canonical(first), canonical(second)]
    assert {HOST, "node-1"} <= values(rows[0])
    told = {LEAF, "leaf-7"} if family == "brocade_fastiron" else {LEAF, "Eth1/31", "leaf-7"}
    assert told <= values(rows[1])  # it reads no port ids but MAC addresses


@pytest.mark.parametrize("dialect", MACS)
async def test_the_templates_read_the_learnt_addresses(dialect: str) -> None:
    family, command = MACS[dialect]
    answer = await shown(dialect, command)
    rows = parse_output(platform=family, command=command, data=answer)
    found = {mac for row in rows for mac in (HOST, LEAF) if mac in values(row)}
    assert found == {HOST, LEAF}
