"""``nv show interface lldp-detail`` and ``bridge fdb show`` of Cumulus Linux.

Sources: NVIDIA's NVUE Reference, "LLDP", and iproute2's bridge(8).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from haas_rpcd.sim.cli.device import Device
from haas_rpcd.sim.nvue.state import BRIDGE
from haas_rpcd.sim.shell.lldpctl import RULE, chassis


def neighbors(switch: Device[Any]) -> Iterator[str]:
    """Write ``nv show interface lldp-detail``."""
    yield from [RULE, "LLDP neighbors:", RULE]
    for port, said in switch.neighbours():
        yield from ["", f"Interface:    {port}", RULE]
        yield from ["  Time:  ", "    0 days, 00:02:34", ""]
        yield from chassis(said)


def fdb(switch: Device[Any]) -> Iterator[dict[str, Any]]:
    """Yield the entries of the kernel's bridge, as bridge(8) writes them."""
    yield {"mac": "01:00:5e:00:00:01", "ifname": "eth0", "flags": ["self"], "state": "permanent"}
    for number, port in enumerate(switch.port_list):
        own = {"mac": f"44:38:39:00:01:{number:02x}", "ifname": port, "flags": []}
        yield {**own, "master": BRIDGE, "state": "permanent"}
    for port, vlan, mac in switch.heard():
        at = switch.running.ports[port].channel or port
        learnt = {"mac": mac, "ifname": at, "vlan": vlan, "master": BRIDGE}
        yield {**learnt, "flags": [], "state": ""}
