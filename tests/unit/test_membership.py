"""Operational membership, as real switches show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from haas_rpcd.drivers.switch import membership
from haas_rpcd.drivers.switch.dialects import DIALECTS

NTC = "ntc-templates, tests/"

IOS = """\
VLAN Name                             Status    Ports
---- -------------------------------- --------- -------------------------------
1    default                          active    Gi0/1
10   Management                       active    
50   VLan50                           active    Fa0/1, Fa0/2, Fa0/3, Fa0/4, Fa0/5, Fa0/6, Fa0/7
                                                Fa0/10, Fa0/11
1002 fddi-default                     act/unsup 

VLAN Type  SAID       MTU   Parent RingNo BridgeNo Stp  BrdgMode Trans1 Trans2
---- ----- ---------- ----- ------ ------ -------- ---- -------- ------ ------
1    enet  100001     1500  -      -      -        -    -        0      0   
"""  # noqa: W291 - as it was printed
NXOS = """\

VLAN Name                             Status    Ports
---- -------------------------------- --------- -------------------------------
1    default                          active    Po1, Eth1/53, Eth1/54

VLAN Type         Vlan-mode
---- -----        ----------
1    enet         CE

Primary  Secondary  Type             Ports
-------  ---------  ---------------  -------------------------------------------
"""
EOS = """\
VLAN  Name                             Status    Ports
----- -------------------------------- --------- -------------------------------
1     default                          active    Et1
10    Test1                            active    Et1, Et2
20    Test2                            suspended
"""
OS9 = """\

Codes: * - Default VLAN, G - GVRP VLANs, P - Primary, C - Community, I - Isolated
Q: U - Untagged, T - Tagged
   x - Dot1x untagged, X - Dot1x tagged

    NUM    Status    Description                     Q Ports
*   1      Inactive                                  U Te 0/42-43
                                                     U Fo 0/48,56,60
    13     Inactive  myvlan13                        
    100    Inactive  pixelrebel is awesome           T Te 0/30
                                                     U Te 0/40-41,44
    330    Inactive  tagged example                  T Te 0/30,35-37
"""  # noqa: W291 - as it was printed
FASTIRON = """\
PORT-VLAN 1, Name OPS, Priority level0, Off
 Untagged Ports: (U1/M1)   4   5
   Tagged Ports: (U1/M2)   1
 Mac-Vlan Ports: None
     Monitoring: Disabled
PORT-VLAN 9, Name Service_Desk, Priority level0, Off
 Untagged Ports: None
   Tagged Ports: (U1/M1)  29  45
   Tagged Ports: (LAG)     1   7
"""
JUNOS = """\
Routing instance        VLAN name             Tag          Interfaces
default-switch          v100-Control           100
                                                           ae0.0*
                                                           ge-0/0/3.0
default-switch          v109-TEMP-Project-Data 109
                                                           xe-0/0/22.0
default-switch          default

{master:0}
"""
COMWARE = """\
 VLAN ID: 1
 VLAN type: Static
 Route interface: Not configured
 Description: VLAN 0001
 Name: VLAN 0001
 Tagged ports:   None
 Untagged ports: 
    Bridge-Aggregation1           Bridge-Aggregation2           
    Ten-GigabitEthernet1/0/2      

 VLAN ID: 1002
 VLAN Type: static
 Route Interface: not configured
 Description: Ten-GigabitEthernet1/0/9
 Name: VLAN 1002
 Tagged   Ports:
    Bridge-Aggregation1
    Ten-GigabitEthernet1/0/29
 Untagged Ports:
    GigabitEthernet1/0/1     GigabitEthernet1/0/2     GigabitEthernet1/0/3
"""  # noqa: W291 - as it was printed
PROVISION = """\
 Status and Counters - VLAN Information - for ports 2/11

  Port name: 7 Elm Street

  VLAN ID Name                 | Status     Voice Jumbo Mode
  ------- -------------------- + ---------- ----- ----- --------
  60      ABC                  | Port-based No    No    Tagged
  101     GHIJ                 | Port-based No    No    Untagged

 Status and Counters - VLAN Information - for ports 2/12

  VLAN ID Name                 | Status     Voice Jumbo Mode
  ------- -------------------- + ---------- ----- ----- --------
  61      ABC                  | Port-based No    No    Tagged
"""
OS6 = """\

VLAN   Name                             Ports          Type
-----  ---------------                  -------------  --------------
1      default                          Po1-3,Po18,    Default
                                        Te1/0/51-52
20     your-name-is-way-too-long-for-th Po27           Static
300    VLAN0300                         Po27,          Static
                                        Te1/0/2-4,
                                        Te1/0/6
"""
ROS = """\

Vlan       Name                   Ports                Type     Authorization
---- ----------------- --------------------------- ------------ -------------
 1           1                 gi20,Po1-2            Default      Required
 58     GERAL-DADOS    gi1-4,gi5,gi7-8,            permanent     Required
                           gi17-18
100  0123456789                   gi13              permanent     Required
     123456789
"""
OS10 = """\
Codes: * - Default VLAN, M - Management VLAN, R - Remote Port Mirroring VLANs,
       @ - Attached to Virtual Network, P - Primary, C - Community, I - Isolated
Q: A - Access (Untagged), T - Tagged
    NUM    Status    Description                     Q Ports
*   1      Active                                    A Eth1/1/2,1/1/9-1/1/10,1/1/25
    3      Active    server-lan-idrac                T Eth1/1/13
                                                     A Eth1/1/19-1/1/20
    5      Active    server-lan-provision            A Eth1/1/3-1/1/4
"""
SONIC = "VLAN_MEMBER_TABLE|Vlan4|Ethernet16\nVLAN_MEMBER_TABLE|Vlan4|PortChannel1\n"
Read = Callable[[str], Iterable[tuple[int, str]]]

SAMPLES: dict[str, tuple[str, Read, str, dict[int, set[str]]]] = {
    "cisco_ios": (
        f"{NTC}cisco_ios/show_vlan",
        membership.table,
        IOS,
        {
            1: {"GigabitEthernet0/1"},
            50: {f"FastEthernet0/{port}" for port in (1, 2, 3, 4, 5, 6, 7, 10, 11)},
        },
    ),
    "cisco_nxos": (
        f"{NTC}cisco_nxos/show_vlan (2)",
        membership.table,
        NXOS,
        {1: {"port-channel1", "Ethernet1/53", "Ethernet1/54"}},
    ),
    "arista_eos": (
        f"{NTC}arista_eos/show_vlan",
        membership.table,
        EOS,
        {1: {"Ethernet1"}, 10: {"Ethernet1", "Ethernet2"}},
    ),
    "dell_os9": (
        f"{NTC}dell_force10/show_vlan (1)",
        membership.coded,
        OS9,
        {
            1: {
                *(f"TenGigabitEthernet 0/{port}" for port in (42, 43)),
                *(f"fortyGigE 0/{port}" for port in (48, 56, 60)),
            },
            100: {f"TenGigabitEthernet 0/{port}" for port in (30, 40, 41, 44)},
            330: {f"TenGigabitEthernet 0/{port}" for port in (30, 35, 36, 37)},
        },
    ),
    "brocade_fastiron": (
        f"{NTC}ruckus_fastiron/show_vlan (both)",
        membership.fastiron,
        FASTIRON,
        {
            1: {"ethernet 1/1/4", "ethernet 1/1/5", "ethernet 1/2/1"},
            9: {"ethernet 1/1/29", "ethernet 1/1/45", "lag 1", "lag 7"},
        },
    ),
    "dell_os6": (
        "fake-switches and netman (tests/adapters/switches/dell10g_test.py), shortened",
        membership.table,
        OS6,
        {
            1: {
                *(f"port-channel{port}" for port in (1, 2, 3, 18)),
                *(f"tengigabitethernet1/0/{port}" for port in (51, 52)),
            },
            20: {"port-channel27"},
            300: {"port-channel27", *(f"tengigabitethernet1/0/{port}" for port in (2, 3, 4, 6))},
        },
    ),
    "dell_powerconnect": (
        "published outputs of Marvell's ROS (an SG300 and a 3548), shortened",
        membership.table,
        ROS,
        {
            1: {"gigabitethernet20", "port-channel1", "port-channel2"},
            58: {f"gigabitethernet{port}" for port in (1, 2, 3, 4, 5, 7, 8, 17, 18)},
            100: {"gigabitethernet13"},
        },
    ),
    "dell_os10": (
        "a site's notes on an S5232 below OpenStack's Kayobe, shortened",
        membership.coded,
        OS10,
        {
            1: {f"ethernet1/1/{port}" for port in (2, 9, 10, 25)},
            3: {f"ethernet1/1/{port}" for port in (13, 19, 20)},
            5: {f"ethernet1/1/{port}" for port in (3, 4)},
        },
    ),
    "hpe_comware": (
        f"{NTC}hp_comware/display_vlan_all (Comware 7, then 5; the description is made up)",
        membership.comware,
        COMWARE,
        {
            1: {"Bridge-Aggregation1", "Bridge-Aggregation2", "Ten-GigabitEthernet1/0/2"},
            1002: {
                "Bridge-Aggregation1",
                "Ten-GigabitEthernet1/0/29",
                *(f"GigabitEthernet1/0/{port}" for port in (1, 2, 3)),
            },
        },
    ),
    "hp_procurve": (
        "ttp's tests, test_reddit_answer_1 (Aruba; its blanks and the port's name are made up)",
        membership.provision,
        PROVISION,
        {60: {"2/11"}, 61: {"2/12"}, 101: {"2/11"}},
    ),
    "sonic": (
        "sonic-utilities, tests/dump_tests/module_tests/vlan_test.py: the keys of STATE_DB",
        membership.sonic,
        SONIC,
        {4: {"Ethernet16", "PortChannel1"}},
    ),
    "juniper_junos": (
        f"{NTC}juniper_junos/show_vlans",
        membership.junos,
        JUNOS,
        {100: {"ae0", "ge-0/0/3"}, 109: {"xe-0/0/22"}},
    ),
}


@pytest.mark.parametrize("dialect", SAMPLES)
def test_the_ports_of_each_vlan_are_read(dialect: str) -> None:
    source, read, answer, members = SAMPLES[dialect]
    witness = DIALECTS[dialect].reader.witness
    assert witness is not None
    assert witness.read is read
    assert members_in(dialect, answer) == members, source


def members_in(dialect: str, answer: str) -> dict[int, set[str]]:
    """Return the ports of each VLAN by their canonical names."""
    witness = DIALECTS[dialect].reader.witness
    assert witness is not None
    found: dict[int, set[str]] = {}
    for vlan, port in witness.read(answer):
        name = DIALECTS[dialect].canonical_port(witness.written_out(port))
        found.setdefault(vlan, set()).add(name)
    return found


STRANGE = [
    "",
    "Unknown message 77",
    "   indented words",
    "%LINK-3-UPDOWN: Gi0/9, changed",
    "default",
]


@pytest.mark.parametrize("dialect", SAMPLES)
def test_a_strange_line_in_a_table_puts_no_port_on_a_vlan(dialect: str) -> None:
    """It may hide a membership, but it makes none, which would be false drift."""
    _, _, answer, members = SAMPLES[dialect]
    rows = answer.split("\n")
    for at in range(len(rows) + 1):
        for strange in STRANGE:
            found = members_in(dialect, "\n".join([*rows[:at], strange, *rows[at:]]))
            assert all(ports <= members.get(vlan, set()) for vlan, ports in found.items()), strange


def test_a_port_channel_is_shown_with_its_links() -> None:
    """(Dell's OS9 Configuration Guide, "Virtual LANs".)"""
    row = "    2      Active                                    U Po1(So 0/0-1)\n"
    assert list(membership.coded(row + f"{'':53}T So 3/0\n")) == [(2, "Po1"), (2, "So3/0")]


def test_short_names_that_only_the_switch_uses_are_written_out() -> None:
    """A Catalyst 9300 shows its ports for 2.5 Gbit/s so; not every model means them."""
    answer = IOS.replace("Gi0/1", "Tw1/0/1")
    assert members_in("cisco_ios", answer)[1] == {"TwoGigabitEthernet1/0/1"}


@pytest.mark.parametrize(
    ("listed", "ports"),
    [
        ("Gi1/0/1-3, Te1/0/1", ["Gi1/0/1", "Gi1/0/2", "Gi1/0/3", "Te1/0/1"]),
        ("Eth1/1/1-1/1/2,1/1/25:1", ["Eth1/1/1", "Eth1/1/2", "Eth1/1/25:1"]),
        ("Te 0/1-2,9", ["Te0/1", "Te0/2", "Te0/9"]),
        ("Po1(Te 0/0-1),Te 0/4", ["Po1", "Te0/4"]),
        ("Cpu, none", []),
    ],
)
def test_lists_of_ports_are_written_out(listed: str, ports: list[str]) -> None:
    assert list(membership.named(listed)) == ports


def test_every_family_has_a_second_witness_or_a_reason() -> None:
    """The reasons are in docs/switches.md."""
    without = {name for name, one in DIALECTS.items() if one.reader.witness is None}
    assert without == WITHOUT


WITHOUT = {"cumulus_nvue", "linux_bridge", "openvswitch"}
