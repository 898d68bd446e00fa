"""What ``show`` and ``sonic-cfggen`` print."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from haas_rpcd.sim.sonic.state import CHANNEL, Config

RELEASE, HWSKU = "202012.74-59cae24e", "Mellanox-SN2700"

LANES = 4
"""Lanes of a port; a port is named after its first lane."""

VERSION = f"""
SONiC Software Version: SONiC.{RELEASE}
Distribution: Debian 10.9
Kernel: 4.19.0-12-2-amd64
Build commit: 59cae24e
Build date: Wed Apr 28 07:35:32 UTC 2021
Built by: johnar@jenkins-worker-1

Platform: x86_64-mlnx_msn2700-r0
HwSKU: {HWSKU}
ASIC: mellanox
ASIC Count: 1
Serial Number: MT16{{serial}}
Uptime: 15:21:47 up 10:27,  2 users,  load average: 2.29, 2.69, 2.68
"""

BANNER = """\
Debian GNU/Linux 10

You are on
  ____   ___  _   _ _  ____
 / ___| / _ \\| \\ | (_)/ ___|
 \\___ \\| | | |  \\| | | |
  ___) | |_| | |\\  | | |___
 |____/ \\___/|_| \\_|_|\\____|

-- Software for Open Networking in the Cloud --"""


def database(config: Config) -> str:
    """Write the database as JSON, as sonic-cfggen does; empty tables are left out."""
    tables: dict[str, dict[str, Any]] = {
        "DEVICE_METADATA": {"localhost": {"hostname": config.hostname, "hwsku": HWSKU}},
        "PORT": {
            name: {
                "admin_status": "up" if port.up else "down",
                "alias": f"etp{number}",
                "lanes": ",".join(str(LANES * number + lane) for lane in range(LANES)),
                **({"mode": port.mode} if port.mode else {}),
                "mtu": "9100",
                "speed": "100000",
            }
            for number, (name, port) in enumerate(config.ports.items())
            if not name.startswith(CHANNEL)
        },
        "PORTCHANNEL": {
            name: {
                "admin_status": "up" if port.up else "down",
                "fast_rate": "false",
                "lacp_key": "auto",
                "min_links": "1",
                **({"mode": port.mode} if port.mode else {}),
                "mtu": "9100",
            }
            for name, port in config.ports.items()
            if name.startswith(CHANNEL)
        },
        "INTERFACE": {
            key: {}
            for name, port in config.ports.items()
            if port.addresses
            for key in (name, *(f"{name}|{address}" for address in port.addresses))
        },
        "PORTCHANNEL_MEMBER": {
            f"PortChannel{port.channel[0]}|{name}": {}
            for name, port in config.ports.items()
            if port.channel is not None
        },
        "VLAN": {f"Vlan{vlan}": {"vlanid": str(vlan)} for vlan in sorted(config.vlans)},
        "VLAN_MEMBER": {
            f"Vlan{vlan}|{name}": {"tagging_mode": "tagged" if tagged else "untagged"}
            for (vlan, name), tagged in sorted(config.members.items())
        },
    }
    return json.dumps({name: table for name, table in tables.items() if table}, indent=4)


def vlan_config(config: Config) -> Iterator[str]:
    """Write ``show vlan config``."""
    yield "Name      VID  Member      Mode"
    yield "------  -----  ----------  --------"
    for vlan in sorted(config.vlans):
        members = sorted(item for item in config.members.items() if item[0][0] == vlan)
        if not members:
            yield f"Vlan{vlan:<4}  {vlan:>3}"
        for (_, name), tagged in members:
            mode = "tagged" if tagged else "untagged"
            yield f"Vlan{vlan:<4}  {vlan:>3}  {name:<10}  {mode}"


def vlan_members(config: Config, assigned: Mapping[str, int]) -> Iterator[str]:
    """Write the keys of the state database's table of members, in no order."""
    for vlan, port in config.members:
        if port not in assigned:
            yield f"VLAN_MEMBER_TABLE|Vlan{vlan}|{port}"
    yield from (f"VLAN_MEMBER_TABLE|Vlan{vlan}|{port}" for port, vlan in assigned.items())
