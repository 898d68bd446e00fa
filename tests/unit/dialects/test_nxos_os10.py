"""Nexus and OS10: routed ports, and lists that only grow. Both read before they change a port."""

from __future__ import annotations

import pytest

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, SetPort, SetVlan
from tests.unit.dialects.harness import carried, driving, observe, send, vlans
from tests.unit.dialects.kinds import KINDS

# --- isolation ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["arista_eos", "cisco_nxos", "dell_os10"])
async def test_an_open_port_stays_open_from_one_network_to_another(name: str) -> None:
    switch = KINDS[name].switch()
    async with driving(switch) as driver:
        port = switch.port_list[0]
        for one, other in (
            (PortConfig(100), PortConfig(101)),
            (PortConfig(100, (101,)), PortConfig(101, (100, 102))),
        ):
            await send(driver, SetPort(port, one))
            assert "shutdown" not in await send(driver, SetPort(port, other))
            assert switch.carried(port) == carried(other)


@pytest.mark.parametrize("name", ["cisco_nxos", "dell_os10"])
async def test_the_lines_for_a_port_in_an_unknown_state_are_absolute(name: str) -> None:
    """As in a plan's preview, before the switch was read."""
    dialect = DIALECTS[name]
    port = KINDS[name].kind.port_names(1)[0]
    for config in (PARKED, PortConfig(100), PortConfig(None, (100,)), PortConfig(100, (101,))):
        _, first, second, *_ = [
            line.text for line in dialect.writer.script([SetPort(port, config)], {})
        ]
        assert first == "shutdown"
        assert second in ("switchport", "no switchport", "exit")


# --- Nexus ----------------------------------------------------------------------------------------


async def test_fresh_routed_ports_are_shut_before_they_switch() -> None:
    """They would come up on VLAN 1."""
    switch = KINDS["cisco_nxos"].switch(switched=False)
    ports = switch.port_list[:2]
    async with driving(switch) as driver:
        assert await observe(driver, ports) == [PARKED, PARKED]
        for port in ports:
            switch.running.ports[port].shutdown = False
        lines = await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))
        assert lines.index("shutdown") < lines.index("switchport")
        assert await observe(driver, ports) == [PortConfig(100), PortConfig(100)]
        assert {vlan for entry in switch.history for now in entry.changed.values()
                for vlan in vlans(now)} == {100}  # fmt: skip
        await send(driver, *(SetPort(port, PARKED) for port in ports))
        assert await observe(driver, ports) == [PARKED, PARKED]
        assert all(map(switch.is_shut, ports))


async def test_a_reserved_vlan_is_refused_on_its_own_line() -> None:
    async with driving(KINDS["cisco_nxos"].switch()) as driver:
        with pytest.raises(DeviceError, match=r'refused "vlan 3999": invalid vlan \(reserved'):
            await send(driver, SetVlan(3999, True))


# --- OS10 -----------------------------------------------------------------------------------------


async def test_a_tagged_vlan_of_an_os10_port_can_become_the_untagged_one() -> None:
    """It is removed from the list first; and the other way round."""
    switch = KINDS["dell_os10"].switch()
    port = switch.port_list[0]
    async with driving(switch) as driver:
        for config in (PortConfig(100, (101,)), PortConfig(101, (100,)), PortConfig(None, (101,))):
            await send(driver, SetPort(port, config))
            assert switch.carried(port) == carried(config)


def test_the_list_of_an_os10_port_that_leaves_trunk_mode_is_cleared() -> None:
    """Dell does not document that the list is lost with the mode, so it is cleared by name."""
    dialect = DIALECTS["dell_os10"]
    now = {"ethernet1/1/1": PortState(PortConfig(100, (101, 102, 7)))}
    for config in (PARKED, PortConfig(101)):
        lines = [
            line.text for line in dialect.writer.script([SetPort("ethernet1/1/1", config)], {}, now)
        ]
        emptied = lines.index("no switchport trunk allowed vlan 7,101-102")
        assert lines.index("shutdown") < emptied < lines.index("switchport mode access")


def test_an_os10_configuration_without_indentation_is_read() -> None:
    """Some releases print it so. Split ports have a colon in their names."""
    answer = (
        "!\ninterface ethernet1/1/30:2\nno shutdown\nswitchport mode trunk\n"
        "switchport access vlan 1\nswitchport trunk allowed vlan 2-3,40\n!\n"
        "interface ethernet1/1/31\n no shutdown\n switchport mode trunk\n!\n"
        "interface ethernet1/1/32\n shutdown\n no switchport\n"
    )
    dialect = DIALECTS["dell_os10"]
    assert dialect.reader.parse_ports([answer], {}) == {
        "ethernet1/1/30:2": PortState(PortConfig(1, (2, 3, 40)), open=True),
        "ethernet1/1/31": PortState(PARKED, open=True),
        "ethernet1/1/32": PortState(PARKED, open=False),
    }
