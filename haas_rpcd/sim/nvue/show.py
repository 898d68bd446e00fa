"""What ``nv``, ``bridge`` and ``ip`` show."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from haas_rpcd.sim.cli import format_list
from haas_rpcd.sim.nvue.state import BRIDGE, Config

RELEASE, KERNEL = "5.3.1", "5.10.0-cl-1-amd64"

BANNER = """\
Linux {host} {kernel} #1 SMP Debian x86_64

Welcome to NVIDIA Cumulus (R) Linux (R)"""

IFRELOAD_FAILED = """\
Unable to restart services (ifreload-nvue.service):
  Job for ifreload-nvue.service failed because the control process exited with error code.
During restart of ifreload-nvue.service:
  Failed to start ifreload wrapper service (for NVUE compatibility).

Failure during apply. Ignore? [y/N] N
apply_fail [rev_id: {rev}]
  Rolling back to rev_{rev}_apply_1/start
applied [rev_id: rev_{rev}_apply_1/start]"""

PLATFORM = """\
              operational
------------  -----------
asic-model    VX
manufacturer  Cumulus
product-name  VX"""


# --- nv


def system(hostname: str) -> list[str]:
    """Write ``nv show system``."""
    rows = {
        "hostname": hostname,
        "product-name": "Cumulus Linux",
        "product-release": RELEASE,
    }
    return [
        "                 operational",
        "---------------  -----------",
        *(f"{name:<15}  {value}" for name, value in rows.items()),
    ]


def configuration(config: Config) -> list[dict[str, Any]]:
    """Build ``nv config show -o json``, in which ports with equal settings share an entry."""
    alike: dict[str, list[int]] = {}
    for name, port in config.ports.items():
        if port.configured and port.mode is None:
            number = int(name.removeprefix("swp"))
            alike.setdefault(json.dumps(port.as_json(), sort_keys=True), []).append(number)
    ports = {
        f"swp{format_list(numbers, pairs=False)}": json.loads(settings)
        for settings, numbers in alike.items()
    }
    bonds = {
        bond: {
            "bond": {"member": {name: {} for name in members}, "mode": config.ports[bond].mode},
            **config.ports[bond].as_json(),
        }
        for bond, members in config.bonds().items()
    }
    domain: dict[str, Any] = {}
    if config.untagged != 1:
        domain["untagged"] = config.untagged
    if config.vlans:
        domain["vlan"] = {format_list(config.vlans, pairs=False): {}}
    settings = {
        "bridge": {"domain": {BRIDGE: domain}},
        "interface": {"eth0": {"ip": {"vrf": "mgmt"}, "type": "eth"}, **bonds, **ports},
        "system": {"hostname": config.hostname},
    }
    header = {"model": "VX", "nvue-api-version": "nvue_v1", "version": RELEASE}
    return [{"header": header}, {"set": settings}]


def diff(edits: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write edits roughly as ``nv config diff`` does, but do not merge their paths."""
    paths: dict[str, list[Sequence[str]]] = {"unset": [], "set": []}
    for edit in edits:
        paths[edit[0]].append(edit[1:])
    for verb, chosen in paths.items():
        if chosen:
            yield f"- {verb}:"
        for path in chosen:
            yield from (f"{'  ' * (depth + 2)}{word}:" for depth, word in enumerate(path))


# --- bridge and ip

KERNEL_MODES = {"lacp": "802.3ad", "static": "balance-xor"}

SLAVE_OF_BRIDGE = {
    "info_slave_kind": "bridge",
    "info_slave_data": {"state": "forwarding", "isolated": False, "vlan_tunnel": False},
}


def bridge_vlans(config: Config) -> Iterator[dict[str, Any]]:
    """Yield the VLANs of each port on the bridge, as bridge(8) writes them."""
    for name in config.ports:
        carried = config.bridged(name)
        entries: list[dict[str, Any]] = []
        for first, last in _ranges(carried.tagged):
            entries.append({"vlan": first} | ({"vlanEnd": last} if last > first else {}))
        if carried.untagged is not None:
            flags = ["PVID", "Egress Untagged"]
            entries.append({"vlan": carried.untagged, "flags": flags})
        if entries:
            yield {"ifname": name, "vlans": sorted(entries, key=lambda entry: entry["vlan"])}


def _ranges(vlans: Iterable[int]) -> Iterator[tuple[int, int]]:
    for part in format_list(vlans, "", pairs=False).split(","):
        if part:
            first, _, last = part.partition("-")
            yield int(first), int(last or first)


def links(config: Config, unplugged: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield all links, as ip-link(8) writes them with ``-details``."""
    up = ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]
    yield {"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"]}
    yield {"ifindex": 2, "ifname": "eth0", "flags": up}
    for index, (name, port) in enumerate(config.ports.items(), 3):
        flags = up if name not in unplugged else ["NO-CARRIER", *up[:3]]
        flags = up[:2] if config.is_shut(name) else flags
        info: dict[str, Any] = {}
        master = port.channel or (BRIDGE if port.on_bridge else None)
        if port.mode is not None:
            flags = [*flags, "MASTER"]
            info = {"info_kind": "bond", "info_data": {"mode": KERNEL_MODES[port.mode]}}
        if port.channel is not None:
            flags = [*flags, "SLAVE"]
            info = {**info, "info_slave_kind": "bond"}
        elif port.on_bridge:
            info = {**info, **SLAVE_OF_BRIDGE}
        enslaved = {"master": master} if master else {}
        linked = {"linkinfo": info} if info else {}
        link = {"ifindex": index, "ifname": name, "flags": flags, "mtu": 9216}
        yield {**link, **enslaved, **linked}
    filtering = {"vlan_filtering": 1, "vlan_protocol": "802.1Q"}
    bridge = {"info_kind": "bridge", "info_data": filtering}
    last = 3 + len(config.ports)
    yield {"ifindex": last, "ifname": BRIDGE, "flags": up, "linkinfo": bridge}
