"""Every kind of simulated switch and its peculiarities: data for the suites of all dialects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.model import PARKED, PortConfig
from haas_rpcd.sim import procurve
from haas_rpcd.sim.comware import Comware5Switch
from tests.unit.dialects.kind import ONCE, TWICE, Kind
from tests.unit.dialects.port_lines import (
    BY_VLAN_LINES,
    CISCO_LINES,
    COMWARE_LINES,
    DELL_LINES,
    DUAL_MODE_LINES,
    PROCURVE_LINES,
)
from tests.unit.dialects.port_states import (
    randomize_comware,
    randomize_dell,
    randomize_fastiron,
    randomize_ios,
    randomize_junos,
    randomize_junos_without_voice,
    randomize_nvue,
    randomize_os9,
    randomize_os10,
    randomize_procurve,
    randomize_routing,
    randomize_sonic,
)

NO_SPACE = "No space left on device"
INVALID = "% Invalid input detected at '^' marker."


class RefusingSwitch(procurve.ProcurveSwitch):
    """A ProVision switch on which no line removes a port from its last VLAN."""

    refuses_orphans = True


ENABLE = {"enable": "en4ble"}
_COMWARE: dict[str, Any] = {
    "longest": 200,
    "few": 7,
    "randomize": randomize_comware,
    "lines": COMWARE_LINES,
    "refusal": " % Unrecognized command found at '^' position.",
    "message": "%Jan  1 00:00:01:123 2013 sw1 IFNET/3/PHY_UPDOWN: Physical state on the interface"
    " GigabitEthernet1/0/4 changed to up.",
    "save_error": "Failed to save the configuration: not enough space on flash:.",
    "logins": (*ONCE, "nothing asked"),
    "wrong": "",
    "names": {
        "GigabitEthernet1/0/1; gigabitethernet 1/0/01; g1/0/1; GE1/0/1": "GigabitEthernet1/0/1",
        "XGE1/0/49; ten-g1/0/49": "Ten-GigabitEthernet1/0/49",
        "FortyGigE1/0/53:1": "FortyGigE1/0/53:1",
    },
}
_PROCURVE: dict[str, Any] = {
    "most": 300,
    "longest": 200,
    "few": 7,
    "ranged": ("interface 1-4,6,8-9 enable",),
    "randomize": randomize_procurve,
    "lines": PROCURVE_LINES,
    "refusal": "Invalid input: 5",
    "up_within": 86400,
    "message": "I 01/01/90 00:00:10 00076 ports: port 4 is now on-line",
    "save_error": "Unable to write the startup configuration.",
    "identity": ("HP J9773A 2530-24G-PoEP Switch", "YA.16.10.0010"),
    "logins": (*ONCE, "nothing asked"),
    "wrong": "",
    "names": {"1": "1", "ethernet 05": "5", "a1": "A1", "2/24": "2/24", "1/a3": "1/A3",
              "trk1": "Trk1"},
}  # fmt: skip
_FASTIRON: dict[str, Any] = {
    "ranged": ("interface ethernet 1/1/1 to 1/1/4 ethernet 1/1/6 ethernet 1/1/8 to 1/1/9",),
    "randomize": randomize_fastiron,
    "lines": BY_VLAN_LINES,
    "refusal": "Error - refused by the test",
    "message": "SYSLOG: <14>Dec 15 18:46:17 sw1 Interface ethernet 1/1/3, state up",
    "save_error": "Flash is busy.",
    "logins": TWICE,
    "wrong": "",
    "most": 600,
    "names": {
        "1/1/1; e1/1/1; ethe 1/1/01; Ethernet 1/1/1": "ethernet 1/1/1",
        "lag 3": "lag 3",
    },
}
_DELL: dict[str, Any] = {
    "randomize": randomize_dell,
    "lines": DELL_LINES,
    "refusal": INVALID,
    "logins": (*ONCE, "no enable password", "an empty enable password"),
    "wrong": "",
    "names": {
        "gi1/0/1; Gi1/0/1; gigabitethernet1/0/1; GigabitEthernet 1/0/1; gi1/0/01":
            "gigabitethernet1/0/1",
        "gi1/0/11": "gigabitethernet1/0/11",
        "gi2/0/1": "gigabitethernet2/0/1",
        "te1/0/1": "tengigabitethernet1/0/1",
    },
}  # fmt: skip

KINDS: dict[str, Kind] = {
    "arista_eos": Kind(
        "arista_eos",
        randomize_routing,
        ("^interface Ethernet1", *CISCO_LINES, "^switchport$"),
        "% Invalid input",
        ("DCS-7050TX-64-R", "4.22.4M"),
        device_options=ENABLE,
        logins=TWICE,
        names={
            "Et1; eth1; Ethernet 1; ethernet01; e1": "Ethernet1",
            "Et1/1": "Ethernet1/1",
            "po5": "Port-Channel5",
        },
        missing="Ethernet99",
        message="Nov 22 10:00:01 sw1 Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Interface "
        "Ethernet4 (node-4), changed state to down",
        save_error="% Error copying system:/running-config to flash:/startup-config "
        f"({NO_SPACE})",
        ranged=("interface Ethernet1-4,6,8-9",),
    ),
    "brocade_fastiron": Kind(
        "brocade_fastiron", **_FASTIRON, identity=("ICX7150-24", "08.0.95T211"),
        registered=("ethernet ", ""), device_options=ENABLE, missing="1/1/99",
    ),
    "brocade_fastiron before 08.0.80": Kind(
        "brocade_fastiron", **{**_FASTIRON, "lines": DUAL_MODE_LINES},
        identity=("ICX7150-24", "08.0.30T211"),
        dynamic=True,
        registered=("ethernet", "ethe"), missing="1/1/99",
        device_options={**ENABLE, "release": "08.0.30"}, options={"dual_mode": True},
    ),
    "cisco_ios": Kind(
        "cisco_ios",
        randomize_ios,
        ("^interface Gi", "^interface range", *CISCO_LINES),
        INVALID,
        ("WS-C2960S-24TS-L", "15.0(2)SE11"),
        dynamic=True,
        seen=PortConfig(1, tuple(range(2, 4095))),
        registered=("GigabitEthernet", "Gi"),
        device_options=ENABLE,
        logins=TWICE,
        wrong="% Login invalid",
        names={
            "Gi1/0/1; gi1/0/1; GigabitEthernet1/0/1": "GigabitEthernet1/0/1",
            "Gi1/0/10": "GigabitEthernet1/0/10",
            "Te1/0/1": "TenGigabitEthernet1/0/1",
        },
        missing="Gi1/0/99",
        message="*Mar  1 00:01:02.345: %LINK-3-UPDOWN: Interface GigabitEthernet1/0/4, changed "
        "state to up",
        save_error="startup-config file open failed (Device or resource busy)",
        ranged=("interface range Gi1/0/1 - 4 , Gi1/0/6 , Gi1/0/8 - 9",),
    ),
    "cisco_nxos": Kind(
        "cisco_nxos",
        randomize_routing,
        ("^interface Ethernet1/1", *CISCO_LINES, "^switchport$"),
        "ERROR: Ethernet1/1: no",
        ("Nexus9000 93180YC-EX", "9.3(8)"),
        names={
            "Ethernet1/1; Eth1/1; e1/1; ethernet 1/01": "Ethernet1/1",
            "Eth1/1/1": "Ethernet1/1/1",
            "Eth1/11": "Ethernet1/11",
        },
        missing="Ethernet1/99",
        message="2026 Jun  9 12:00:02 sw1 %$ VDC-1 %$ %ETHPORT-5-IF_DOWN_NONE: Interface "
        "Ethernet1/4 is down (None)",
        save_error="Configuration update aborted: system not ready",
        ranged=("interface Ethernet1/1-4,Ethernet1/6,Ethernet1/8-9",),
    ),
    "cumulus_nvue": Kind(
        "cumulus_nvue",
        randomize_nvue,
        ("link state up", "unset interface", "set interface .* bridge", "config apply"),
        "Error: not today",
        ("VX", "5.3.1"),
        names={"swp1": "swp1"},
        missing="swp99",
        save_error=f"/bin/sh: 1: cannot create: {NO_SPACE}",
        commit="nv config apply --assume-yes",
        names_vlans=False,
        fresh=PARKED,
        rounds=1,
        up_within=0,
        most=800,
        unsaved=False,
        apart=90,
        ranged=(
            "nv set interface swp1-4,swp6,swp8-9 link state down",
            "nv set interface swp1-4,swp6,swp8-9 link state up",
        ),
    ),
    "dell_os10": Kind(
        "dell_os10",
        randomize_os10,
        (
            "^interface ethernet1/1/1|^interface range",
            *(line for line in CISCO_LINES if line != "native vlan"),
            "^no switchport trunk allowed",
            "^no switchport access vlan",
        ),
        "% Error: no",
        ("S4148F-ON", "10.5.1.3"),
        names={
            "ethernet1/1/1; Eth1/1/1; e1/1/1; ethernet 1/1/1": "ethernet1/1/1",
            "eth1/1/1:1": "ethernet1/1/1:1",
        },
        missing="ethernet1/1/99",
        message="<165>1 2026-06-09T12:00:02.616888+00:00 sw1 dn_alm 669 - - Node.1-Unit.1:PRI "
        "[event], Dell EMC (OS10) %IFM_OSTATE_DN: Interface operational state is down "
        ":ethernet1/1/4",
        save_error=f"% Error: {NO_SPACE}",
        unsaved=False,
        apart=90,
        ranged=("interface range ethernet1/1/1-1/1/4", "interface ethernet1/1/6",
            "interface range ethernet1/1/8-1/1/9"),
    ),
    "dell_os6": Kind(
        "dell_os6", **_DELL | {"lines": (*DELL_LINES, "^no switchport")},
        identity=("N2048", "6.3.3.10"),
        registered=("gigabitethernet", "Gi"), missing="Gi1/0/99",
        message="<189> Oct 13 23:24:00 10.19.0.98-1 TRAPMGR[277167328]: traputil.c(638) 24282 %% "
        "Spanning Tree Topology Change Received: MSTID: 0 Te1/0/2",
        save_error="Configuration Not Saved!",
        ranged=("interface range Gi1/0/1-4,Gi1/0/6,Gi1/0/8-9",),
    ),
    "dell_os9": Kind(
        "dell_os9",
        randomize_os9,
        (*BY_VLAN_LINES, "^no switchport", "^(?:switchport|portmode)"),
        "% Error: refused by the test",
        ("S4810", "9.14(2.4)"),
        most=600,
        fresh=PARKED,
        registered=("TenGigabitEthernet ", "te"),
        device_options=ENABLE,
        logins=TWICE,
        wrong="",
        names={
            "te0/1; Te 0/01; tengigabitethernet0/1": "TenGigabitEthernet 0/1",
            "TenGigabitEthernet 1/49/1": "TenGigabitEthernet 1/49/1",
            "fo0/48": "fortyGigE 0/48",
            "twe1/1": "twentyFiveGigE 1/1",
            "Port-channel 3": "Port-channel 3",
        },
        missing="te0/99",
        message="Jun 18 13:52:30: %STKUNIT0-M:CP %IFMGR-5-OSTATE_UP: Changed interface state",
        save_error="Flash is busy.",
        ranged=("interface range TenGigabitEthernet 0/0-3,TenGigabitEthernet 0/5,"
            "TenGigabitEthernet 0/7-8",),
    ),
    "dell_powerconnect": Kind(
        "dell_powerconnect", **_DELL, identity=("PowerConnect 5548", "4.1.0.19"),
        registered=("gigabitethernet", "gi"), missing="gi1/0/99",
        message="04-Jun-2016 13:02:53 %LINK-W-Down:  gi1/0/4",
        save_error="Copy failed",
        ranged=("interface range gi1/0/1-4,gi1/0/6,gi1/0/8-9",),
    ),
    "hp_procurve": Kind("hp_procurve", **_PROCURVE, missing="99"),
    "hp_procurve that refuses": Kind(
        "hp_procurve", **_PROCURVE, missing="99", variant=RefusingSwitch
    ),
    "hpe_comware": Kind(
        "hpe_comware", **_COMWARE, registered=("GigabitEthernet", "GE"), missing="GE1/0/99",
        identity=("HPE 5130-24G-4SFP+ EI Switch JG932A", "7.1.070, Release 3506P02"),
        ranged=("interface range GE1/0/1 to GE1/0/4 GE1/0/6 GE1/0/8 to GE1/0/9",),
    ),
    "hpe_comware 5.20": Kind(
        "hpe_comware", **_COMWARE, missing="GigabitEthernet1/0/99", variant=Comware5Switch,
        identity=("HP A5120-24G EI Switch with 2 Slots", "5.20.99, Release 2221P02"),
        ranged=("interface range GigabitEthernet1/0/1 to GigabitEthernet1/0/4 "
            "GigabitEthernet1/0/6 GigabitEthernet1/0/8 to GigabitEthernet1/0/9",),
    ),
    "juniper_junos": Kind(
        "juniper_junos",
        randomize_junos,
        (
            "^(?:wildcard range )?delete interfaces .* native-vlan-id",
            "interface-mode access",
            "vlan members",
            "delete interfaces .* disable",
            "^(?:wildcard range )?set interfaces",
            "^commit$",
        ),
        "error: permission denied",
        ("ex4300-24t", "18.4R2.7"),
        names={"GE-0/0/1.0; ge-0/0/1; ge-0/0/01": "ge-0/0/1"},
        commit="commit",
        longest=300,
        ranged=("wildcard range delete interfaces ge-0/0/[0-3,5,7-8] native-vlan-id",),
    ),
    "juniper_junos without voice VLANs": Kind(
        "juniper_junos",
        randomize_junos_without_voice,
        (
            "^(?:wildcard range )?delete interfaces .* native-vlan-id",
            "interface-mode access",
            "vlan members",
            "delete interfaces .* disable",
            "^(?:wildcard range )?set interfaces",
            "^commit$",
        ),
        "error: permission denied",
        ("ex4300-24t", "18.4R2.7"),
        names={"GE-0/0/1.0; ge-0/0/1; ge-0/0/01": "ge-0/0/1"},
        options={"voip": False},
        commit="commit",
        longest=300,
        ranged=("wildcard range delete interfaces ge-0/0/[0-3,5,7-8] native-vlan-id",),
    ),
    "sonic": Kind(
        "sonic",
        randomize_sonic,
        ("member del 10", "member add", "interface startup"),
        "Error: not today",
        ("Mellanox-SN2700", "202012.74-59cae24e"),
        names={
            "Ethernet0; ethernet0": "Ethernet0",
            "portchannel0001; PortChannel0001": "PortChannel0001",
            "PortChannel1": "PortChannel1",
        },
        missing="Ethernet999",
        save_error=f"/bin/sh: 1: cannot create: {NO_SPACE}",
        names_vlans=False,
        fresh=PARKED,
        rounds=1,
        up_within=0,
        most=30,
        unsaved=False,
    ),
}  # fmt: skip

SHELLS = ("cumulus_nvue", "sonic")
"""Dialects of which each line starts a program; tests about them are slow."""


def about(dialect: str, *values: Any, id: str | None = None) -> Any:
    """Return the values of a parametrized test about a dialect."""
    return pytest.param(*values, id=id, marks=[pytest.mark.slow] * (dialect in SHELLS))


def those(has: Callable[[Kind], Any]) -> pytest.MarkDecorator:
    """Parametrize a test with the kinds for which ``has`` returns true."""
    return pytest.mark.parametrize(
        "kind", [about(kind.dialect, kind, id=name) for name, kind in KINDS.items() if has(kind)]
    )


EVERY = those(lambda kind: True)
SAVING = those(lambda kind: DIALECTS[kind.dialect].saves)
