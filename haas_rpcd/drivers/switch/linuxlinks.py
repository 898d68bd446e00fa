"""Reads what bridge(8) and ip-link(8) show of the ports of a Linux bridge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from haas_rpcd.drivers.switch.harmless import HarmlessLines
from haas_rpcd.drivers.switch.jsonanswers import decoded
from haas_rpcd.drivers.switch.portnames import numbers
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, PortConfig

_NO_PORTS = ("bridge", "vlan", "vrf", "vxlan", "macvlan", "macvtap", "ipvlan", "wireguard", "ifb")
"""Kinds of links that are not ports: bridges, sub-interfaces, tunnels, the machine's own."""

_TAGGED: frozenset[str] = frozenset()
_UNTAGGED = frozenset({"PVID", "Egress Untagged"})


class _Entry(msgspec.Struct):
    vlan: int
    vlanEnd: int = 0
    flags: list[str] = []


class _Vlans(msgspec.Struct):
    ifname: str
    vlans: list[_Entry] = []


class _Info(msgspec.Struct):
    info_kind: str = ""
    info_data: dict[str, Any] = {}
    info_slave_kind: str = ""
    info_slave_data: dict[str, Any] = {}


class Link(msgspec.Struct):
    """A link of the kernel."""

    ifname: str = ""
    flags: list[str] = []
    master: str = ""
    link: str | None = None
    """The link below a sub-interface; None if that is in another namespace."""

    linkinfo: _Info = msgspec.field(default_factory=_Info)


def read_links(answer: str) -> dict[str, Link]:
    """Return all links by name. Raises ValueError."""
    return {link.ifname: link for link in decoded(answer, "[", list[Link]) if link.ifname}


def read_ports(answers: Sequence[str], harmless: HarmlessLines) -> dict[str, PortState]:
    """Return the state of all ports. Raises ValueError.

    ``answers``: to ``bridge -json -compressvlans vlan show``, ``ip -json -details link show``.
    """
    vlans, links = _vlans(answers[0]), read_links(answers[1])
    bridged = _bridged_apart(links)
    return {
        name: _state(link, links, vlans.get(name, ()), harmless, bridged.get(name, ()))
        for name, link in links.items()
        if "LOOPBACK" not in link.flags and link.linkinfo.info_kind not in _NO_PORTS
    }


def _bridged_apart(links: dict[str, Link]) -> dict[str, list[str]]:
    """Return ports of which a sub-interface is on a bridge, with what it is.

    It takes the frames with its tag before the port's own bridge sees them. (NVIDIA's "Cumulus
    Linux User Guide", "Traditional Bridge Mode": "bridge-ports swp1.100 swp2.100".) If it does not
    say whose it is, it may be any port's.
    """
    found: dict[str, list[str]] = {}
    for name, link in links.items():
        master = links.get(link.master)
        if link.linkinfo.info_kind != "vlan" or not link.master:
            continue
        if master is not None and master.linkinfo.info_kind in ("", "vrf"):
            continue  # it routes
        below, seen = link.link, {name}
        if below not in links:
            seen |= links.keys()
        while below in links and below not in seen:
            seen.add(below)
            below = links[below].link
        for port in seen - {name}:
            found.setdefault(port, []).append(f"{name} master {link.master}")
    return found


def _vlans(answer: str) -> dict[str, Sequence[_Entry]]:
    """Read a list, or one object with a key for each port, which iproute2 4.15 writes.

    iproute2 prints nothing for an empty list.
    """
    if not answer.strip():
        return {}
    if answer.lstrip().startswith("["):
        return {entry.ifname: entry.vlans for entry in decoded(answer, "[", list[_Vlans])}
    return {**decoded(answer, "{", dict[str, list[_Entry]])}


def doubts_about(link: Link, links: dict[str, Link]) -> Iterator[str]:
    """Yield the settings that make a port's frames take another way than its VLANs say."""
    if "SLAVE" in link.flags:
        bond = links.get(link.master)
        mode = bond.linkinfo.info_data.get("mode") if bond is not None else None
        yield f"master {link.master} (a bond{f', {mode}' if mode else ''})"
    master = links.get(link.master)
    if master is None or not master.linkinfo.info_kind:
        return
    kind, data = master.linkinfo.info_kind, master.linkinfo.info_data
    if kind not in ("bridge", "vrf") and "SLAVE" not in link.flags:
        yield f"master {link.master} ({kind})"
    filtering = data.get("vlan_filtering", 1)
    if kind == "bridge" and (filtering != 1 or filtering is True):
        yield f"master {link.master}, vlan_filtering {filtering}"
    if kind == "bridge" and data.get("vlan_protocol", "802.1Q") != "802.1Q":
        yield f"master {link.master}, vlan_protocol {data['vlan_protocol']}"
    # "locked": of 802.1X (bridge(8)).
    for setting in ("isolated", "vlan_tunnel", "locked"):
        if link.linkinfo.info_slave_data.get(setting, False) is not False:
            yield f"{setting} on"


def _state(
    link: Link,
    links: dict[str, Link],
    entries: Sequence[_Entry],
    harmless: HarmlessLines,
    bridged: Sequence[str],
) -> PortState:
    untagged: int | None = None
    tagged: set[int] = set()
    unknown = [*doubts_about(link, links), *bridged]
    for entry in entries:
        vlans = numbers(str(entry.vlan), str(entry.vlanEnd or entry.vlan))
        flags = frozenset(entry.flags)
        if flags == _UNTAGGED and len(vlans) == 1:
            untagged = entry.vlan
            continue
        tagged.update(vlans)
        if flags != _TAGGED:
            unknown.append(f"vlan {entry.vlan} {' '.join(entry.flags)}")
    unknown = [line for line in unknown if line not in harmless]
    config = PortConfig(untagged, tuple(sorted(tagged - {untagged}))) if entries else PARKED
    state = PortState(config, "UP" in link.flags, next(iter(unknown), None))
    return state._replace(members=_members(link, links)) if _is_bond(link) else state


def _is_bond(link: Link) -> bool:
    return link.linkinfo.info_kind == "bond"


def _members(bond: Link, links: dict[str, Link]) -> frozenset[str]:
    there = (name for name, link in links.items() if link.master == bond.ifname)
    return frozenset(name for name in there if "SLAVE" in links[name].flags)
