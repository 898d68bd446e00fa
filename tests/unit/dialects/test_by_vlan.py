"""Dialects in which ports join VLANs by lines under the VLAN, against their simulated switches.

``dell_os9`` is tested on a Dell S4810, ``brocade_fastiron`` on a current ICX and on one before
08.0.80, over real telnet. All are strict: a port must leave one VLAN before it joins another.
"""

from __future__ import annotations

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PortConfig, SetPort, SetVlan
from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.os9 import Os9Switch
from tests.unit.dialects.harness import Recorder, driving, send
from tests.unit.dialects.kinds import KINDS

# --- ports ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [name for name in KINDS if name.startswith(("dell_os9", "brocade"))]
)
async def test_if_entering_a_vlan_is_refused_its_lines_do_not_change_another(name: str) -> None:
    """Not even on ports that stay open because their untagged VLANs stay."""
    kind = KINDS[name]
    switch = kind.switch()
    first, second, *_ = switch.port_list
    names = [kind.port(switch, at) for at in range(2)]
    async with driving(switch, options={**kind.options, "window": 16}) as driver:
        await send(driver, *(SetPort(name, PortConfig(100, (101,))) for name in names))
        switch.faults.refuse = {"vlan 103$": kind.refusal}
        changes = [
            SetPort(names[0], PortConfig(100, (101, 102))),
            SetPort(names[1], PortConfig(100, (101, 103))),
        ]
        outcomes = await driver.send(changes, Recorder())
        assert [outcome.state for outcome in outcomes][1] == "refused"
        assert switch.carried(first) == Carried(100, frozenset({101, 102}))
        assert switch.carried(second) == Carried(100, frozenset({101}))


async def test_a_port_in_an_unknown_state_opens_only_if_it_left_every_vlan() -> None:
    change = SetPort("te0/1", PortConfig(100))
    script = DIALECTS["dell_os9"].writer.script([change], {})
    texts = [line.text for line in script]
    assert texts.index("shutdown") < texts.index("no switchport") < texts.index("no shutdown")
    last_stage = max(at for at, line in enumerate(script) if line.barrier)
    assert texts.index("untagged TenGigabitEthernet 0/1") < last_stage < texts.index("no shutdown")
    unknown = DIALECTS["brocade_fastiron"].writer.script([SetPort("1/1/1", PortConfig(100))], {})
    said = [line.text for line in unknown]
    assert said == ["interface ethernet 1/1/1", "disable", "no voice-vlan", "exit"]


# --- sessions -------------------------------------------------------------------------------------


async def test_an_icx_may_ask_for_a_user_name_at_enable() -> None:
    switch = KINDS["brocade_fastiron"].switch(hostname="ICX7150-24 Switch", enable_asks_user=True)
    login = Credential(username="haas", password="s3cret")
    async with driving(switch, login) as driver:
        assert (await driver.probe()).prompt == "telnet@ICX7150-24 Switch#"
        await send(driver, SetVlan(100, True))


async def test_a_locked_configuration_is_reported() -> None:
    switch = KINDS["dell_os9"].switch()
    assert isinstance(switch, Os9Switch)
    async with driving(switch) as driver:
        switch.locked_by = "admin"
        [outcome] = await driver.send([SetVlan(100, True)], Recorder())
        assert outcome.error is not None
        busy = DIALECTS["dell_os9"].dialogue.busy
        assert busy is not None
        assert busy.search(outcome.error.message)
        switch.locked_by = None
        await send(driver, SetVlan(100, True))


@pytest.mark.parametrize("config", [PortConfig(100, (101,)), PortConfig(None, (101,))])
async def test_with_a_wrong_dual_mode_option_an_icx_refuses_and_the_port_stays_shut(
    config: PortConfig,
) -> None:
    """An old release registered as a new one, and the other way round."""
    for device_options, options in (({"release": "08.0.30"}, {}), ({}, {"dual_mode": True})):
        switch = KINDS["brocade_fastiron"].switch(4, **device_options)
        async with driving(switch, options=options) as driver:
            with pytest.raises(DeviceError, match="refused"):
                await send(driver, SetPort("1/1/1", config))
            assert switch.is_shut(switch.port_list[0])


# --- names and texts ------------------------------------------------------------------------------


def test_an_ambiguous_port_name_is_refused() -> None:
    with pytest.raises(ValueError, match="may be TenGigabitEthernet or twentyFiveGigE"):
        DIALECTS["dell_os9"].canonical_port("t0/1")


def test_a_configuration_of_os9_is_read() -> None:
    text = """
Current Configuration ...
! Version 9.14(2.4)
default vlan-id 4000
!
interface TenGigabitEthernet 0/8
 description %error% % Error: none
 no ip address
 switchport
 no shutdown
!
interface TenGigabitEthernet 0/14
 no ip address
 portmode hybrid
 switchport
 shutdown
!
interface TenGigabitEthernet 1/6
 no ip address
 switchport
 no shutdown
!
interface Vlan 11
 ip address 10.11.1.10/16
 tagged TenGigabitEthernet 0/8-13
 tagged Port-channel 1-5,11,13-14
 untagged TenGigabitEthernet 0/14,19-20,1/5-1/8
 no shutdown
!
interface Vlan 12
 tagged TenGigabitEthernet 0/8,14
!
end
"""
    found = DIALECTS["dell_os9"].reader.parse_ports([text], {})
    assert found == {
        "TenGigabitEthernet 0/8": PortState(PortConfig(None, (11, 12)), open=True),
        "TenGigabitEthernet 0/14": PortState(PortConfig(11, (12,)), open=False),
        "TenGigabitEthernet 1/6": PortState(PortConfig(11), open=True),
    }
    assert DIALECTS["dell_os9"].reader.parse_ports([text.replace(" untagged", " !")], {})[
        "TenGigabitEthernet 1/6"
    ] == PortState(PortConfig(4000), open=True)


def test_a_configuration_of_fastiron_is_read() -> None:
    brief = """
Port       Link    State   Dupl Speed Trunk Tag Pvid Pri MAC             Name
SYSLOG: <14>Dec 15 18:46:17 sw1 Interface ethernet 1/1/3, state up
1/1/1      Up      Forward Full 1G    None  Yes 5    0   d4c1.9e8f.1108
1/1/2      Disable None    None None  None  No  1    0   d4c1.9e8f.1109
1/1/3      Down    None    None None  None  No  1    0   d4c1.9e8f.110a
1/2/1      Up      Forward Full 1G    None  Yes N/A  0   d4c1.9e8f.1139
mgmt1      Down    None    None None  None  No  None 0   d4c1.9e8f.1108
"""
    text = """Current configuration:
!
ver 08.0.95bT213
!
default-vlan-id 666
!
vlan 5 name APS by port
 tagged ethe 1/2/1 \n untagged ethe 1/1/1 to 1/1/2 \n!
vlan 10 by port
 tagged ethe 1/1/1 ethe 1/2/1 \n tagged ethe 1/2/2 lag 3 \n!
vlan 666 name DEFAULT-VLAN by port
 no untagged ethe 1/2/1 \n!
interface ethernet 1/1/2
 port-name error box
 disable
!
end
"""
    dialect = DIALECTS["brocade_fastiron"]
    assert dialect.reader.parse_ports([text, brief], {}) == {
        "ethernet 1/1/1": PortState(PortConfig(5, (10,)), open=True),
        "ethernet 1/1/2": PortState(PortConfig(5), open=False),
        "ethernet 1/1/3": PortState(PortConfig(666), open=True),
        "ethernet 1/2/1": PortState(PortConfig(None, (5, 10)), open=True),
    }
    assert dialect.reader.parse_vlans([text]) == {5, 10, 666}
