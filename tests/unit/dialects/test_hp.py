"""HPE's two families, Comware and ProVision (ProCurve), against strict simulators of both.

Each in two kinds: Comware 7 and 5.20; a ProVision that returns a port to the default VLAN when it
loses its last VLAN, and one that refuses that. After each line, a port carries no VLAN that is in
neither its old nor its new configuration, even if a line is refused and the lines sent ahead of its
answer are carried out.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PortSeen, SaveConfig, SetPort, SetVlan
from haas_rpcd.sim import procurve
from haas_rpcd.sim.cli import Carried
from tests.unit.dialects.harness import FOREIGN, driving, send
from tests.unit.dialects.kinds import KINDS

GIGABIT = "GigabitEthernet1/0/{}"


# --- logging in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["haas", None])
async def test_a_procurve_operator_becomes_its_manager(username: str | None) -> None:
    """``enable`` also asks for the manager's name, if one is configured."""
    switch = KINDS["hp_procurve"].switch(username=username, enable="en4ble")
    async with driving(switch) as driver:
        await send(driver, SetPort("1", PortConfig(100)))
    with pytest.raises(DeviceError) as caught:
        async with driving(switch, Credential(username="haas", password="s3cret", enable="no")):
            pass
    assert caught.value.reason == "enable"


# --- one port -------------------------------------------------------------------------------------


async def test_an_open_port_that_routes_is_neither_parked_nor_set() -> None:
    switch = KINDS["hpe_comware"].switch()
    name = GIGABIT.format(1)
    switch.running.ports[name].routed = True
    async with driving(switch) as driver:
        assert await driver.observe([SetPort(name, PARKED)]) == [
            PortSeen(PARKED, open_without_vlan=True)
        ]
        with pytest.raises(DeviceError, match="Unrecognized command"):
            await send(driver, SetPort(name, PortConfig(100)))
        assert switch.is_shut(name)  # which comes first
        assert await driver.observe([SetPort(name, PARKED)]) == [PortSeen(PARKED)]


@pytest.mark.parametrize("name", [name for name in KINDS if name.startswith("hp")])
async def test_a_port_that_stays_in_use_is_never_shut(name: str) -> None:
    """A further VLAN, or another untagged one, does not take a node's link down."""
    switch = KINDS[name].switch()
    steps = [
        PortConfig(100, (101,)),
        PortConfig(100, (101, 102)),
        PortConfig(102, (100, 103)),
        PortConfig(None, (100, 103)),
        PortConfig(101, (100,)),
    ]
    async with driving(switch) as driver:
        await send(driver, SetPort(KINDS[name].port(switch, 0), steps[0]))
        for before, wanted in pairwise(steps):
            lines = await send(driver, SetPort(KINDS[name].port(switch, 0), wanted))
            stays = switch.dialect == "hpe_comware" or wanted.untagged is not None
            shut = [line for line in lines if line in ("shutdown", "interface 1 disable")]
            assert bool(shut) != stays, (before, wanted)


# --- VLANs ----------------------------------------------------------------------------------------


async def test_a_procurve_asks_before_it_removes_a_vlan_with_ports() -> None:
    """No line sent ahead answers the question."""
    switch = KINDS["hp_procurve"].switch()
    switch.running.vlans[100].untagged, switch.running.vlans[1].untagged = (
        frozenset({"3"}),
        switch.running.vlans[1].untagged - {"3"},
    )
    async with driving(switch) as driver:
        await send(driver, SetVlan(100, False), SetVlan(101, False), SetVlan(102, False))
        assert set(switch.running.vlans) == {1, FOREIGN, 103}
        assert switch.carried("3") == Carried(1)


async def test_a_procurve_without_room_for_another_vlan_is_reported() -> None:
    switch = KINDS["hp_procurve"].switch()
    assert isinstance(switch, procurve.ProcurveSwitch)
    switch.running.vlan_limit = 6
    async with driving(switch) as driver:
        await send(driver, SetVlan(103, True))
        with pytest.raises(DeviceError, match="Maximum number of VLANs"):
            await send(driver, SetVlan(104, True))


# --- saving, restarting ---------------------------------------------------------------------------


async def test_a_save_counts_on_an_old_procurve_that_cannot_show_its_state() -> None:
    switch = KINDS["hp_procurve"].switch()
    switch.faults.refuse[r"^show config status"] = "Invalid input: status"
    async with driving(switch) as driver:
        await send(driver, SetPort("1", PortConfig(100)), SaveConfig())
        assert switch.counters.saves == 1


# --- what it says of itself -----------------------------------------------------------------------


def test_an_ambiguous_comware_port_is_refused() -> None:
    with pytest.raises(ValueError, match="write the type out"):
        DIALECTS["hpe_comware"].canonical_port("t1/0/1")


def test_procurve_ports_of_modules_stacks_and_trunks_are_read() -> None:
    answer = (
        "; J8697A Configuration Editor; Created on release #K.15.18.0007\n"
        'hostname "core"\ninterface A2\n   disable\n   exit\ninterface Trk1\n   exit\n'
        'vlan 1\n   name "DEFAULT_VLAN"\n   no untagged A1-A2,Trk1\n'
        "   untagged A3-A24,2/1-2/3\n   ip address dhcp-bootp\n   exit\n"
        'vlan 100\n   name "haas-100"\n   untagged A1-A2\n   tagged A24,Trk1\n   exit\n'
    )
    found = DIALECTS["hp_procurve"].reader.parse_ports([answer], {})
    assert len(found) == 28
    assert found["A1"] == PortState(PortConfig(100))
    assert found["A2"] == PortState(PortConfig(100), open=False)
    assert found["A24"] == PortState(PortConfig(1, (100,)))
    assert found["2/2"] == PortState(PortConfig(1))
    assert found["Trk1"] == PortState(PortConfig(None, (100,)))


def test_comware_ports_of_every_link_type_are_read() -> None:
    answer = (
        "#\ninterface NULL0\n#\ninterface Vlan-interface1\n ip address dhcp-alloc\n#\n"
        "interface GigabitEthernet1/0/1\n port link-mode bridge\n port link-type trunk\n"
        " undo port trunk permit vlan 1\n port trunk permit vlan 100 to 102 200\n"
        " port trunk permit vlan 300\n port trunk pvid vlan 100\n#\n"
        "interface GigabitEthernet1/0/2\n port link-mode bridge\n port link-type trunk\n#\n"
        "interface GigabitEthernet1/0/3\n port link-mode bridge\n port link-type hybrid\n"
        " undo port hybrid vlan 1\n port hybrid vlan 100 tagged\n port hybrid vlan 101 untagged\n"
        " port hybrid pvid vlan 101\n shutdown\n#\n"
        "interface Ten-GigabitEthernet1/0/49\n port link-mode route\n#\nreturn\n"
    )
    found = DIALECTS["hpe_comware"].reader.parse_ports([answer], {})
    ten = "Ten-GigabitEthernet1/0/49"
    assert set(found) == {*(GIGABIT.format(number) for number in (1, 2, 3)), ten}
    assert found[GIGABIT.format(1)] == PortState(PortConfig(100, (101, 102, 200, 300)))
    assert found[GIGABIT.format(2)] == PortState(PortConfig(1), in_managed_form=False)
    assert found[GIGABIT.format(3)] == PortState(
        PortConfig(101, (100,)), open=False, in_managed_form=False
    )
    assert found[ten] == PortState(PARKED, in_managed_form=False)
