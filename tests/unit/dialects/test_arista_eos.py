"""Arista EOS: routed ports, and lists of ports that name their type once."""

from __future__ import annotations

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, PortConfig, SetPort
from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.eos.state import Port
from tests.unit.dialects.harness import driving, observe, send
from tests.unit.dialects.kinds import KINDS

EOS = DIALECTS["arista_eos"]
ET1, ET2, ET3, ET4 = (f"Ethernet{number}" for number in range(1, 5))


# --- isolation ------------------------------------------------------------------------------------


async def test_a_routed_port_switches_only_after_everything_else_is_set() -> None:
    """The configuration that it had before it was routed must not come back for a moment."""
    switch = KINDS["arista_eos"].switch()
    for port in (ET1, ET2):
        switch.running.ports[port] = Port(mode="trunk", access_vlan=7, switched=False)
        switch.touch(port)
        switch.settle()
    async with driving(switch) as driver:
        assert await observe(driver, [ET1, ET2]) == [PARKED, PARKED]
        seen = len(switch.history)
        await send(driver, SetPort(ET1, PortConfig(100)), SetPort(ET2, PortConfig(None, (101,))))
        changes = [change for entry in switch.history[seen:] for change in entry.changed.items()]
        assert len(changes) == 2
        assert dict(changes) == {ET1: Carried(100), ET2: Carried(None, frozenset({101}))}


# --- names and ranges -----------------------------------------------------------------------------


def test_ports_of_several_types_and_modules_are_entered_by_type() -> None:
    ports = ["Et3/1", "Et3/2", "Et49/1/1", "Port-Channel5", "Ethernet7", "ethernet9"]
    script = EOS.writer.script([SetPort(port, PARKED) for port in ports], {})
    entered = [(line.text, line.changes) for line in script if line.text.startswith("interface")]
    assert entered[:3] == [
        ("interface Et3/1-2,49/1/1", (0, 1, 2)),
        ("interface Port-Channel5", (3,)),
        ("interface Ethernet7,9", (4, 5)),
    ]


def test_a_configuration_is_read_that_has_other_interfaces_than_ports() -> None:
    answer = (
        "interface Port-Channel5\n   description to sw2\n   switchport trunk native vlan tag\n"
        "   switchport trunk allowed vlan 100-101\n   switchport mode trunk\n!\n"
        "interface Ethernet1\n   shutdown\n!\ninterface Ethernet2\n   no switchport\n"
        "   ip address 192.0.2.1/31\n!\ninterface Management1\n   ip address dhcp\n!\nend\n"
    )
    found = EOS.reader.parse_ports([answer], {})
    assert found["Port-Channel5"] == PortState(PortConfig(None, (100, 101)), open=True)
    assert found[ET1].carries == PARKED
    assert found[ET2] == PortState(PARKED, open=True)


def test_a_vlan_that_a_routed_port_uses_internally_is_not_there() -> None:
    """(Real outputs show it with a star; that the star means this is not confirmed.)"""
    table = (
        "VLAN  Name                             Status    Ports\n"
        "----- -------------------------------- --------- -------------------------------\n"
        "1     default                          active    Et2\n"
        "1006* VLAN1006                         active    Cpu, Et1\n"
    )
    assert EOS.reader.parse_vlans([table]) == {1}
