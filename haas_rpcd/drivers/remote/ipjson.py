"""Parses what ``ip -json``, ``bridge -json`` and ``tc`` of iproute2 print. No I/O.

Sources: ``ip-link(8)``, ``bridge(8)`` and ``tc(8)``; the names of a bridge's settings in JSON are
those of its options (``ip/iplink_bridge.c`` of iproute2). ``tc`` is read as text: up to iproute2
6.8 its JSON lacks what filters of kind u32 match.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from haas_rpcd.drivers.hostnet.filters import PROTOCOLS, Filter, Key
from haas_rpcd.drivers.hostnet.link import Link
from haas_rpcd.drivers.hostnet.network import PortVlan


def records(text: str) -> list[dict[str, Any]]:
    """Parse a list of objects; no text is no object. Raises ValueError."""
    found = json.loads(text) if text.strip() else []
    if not isinstance(found, list):
        raise ValueError("no list")
    return [one for one in found if isinstance(one, dict) and one]


def links(text: str) -> dict[str, Link]:
    """Parse ``ip -json -details link show``. Raises ValueError, KeyError and TypeError."""
    entries = records(text)
    indexes = {str(entry["ifname"]): int(entry["ifindex"]) for entry in entries}
    return {str(entry["ifname"]): _link(entry, indexes) for entry in entries}


def _link(entry: Mapping[str, Any], indexes: Mapping[str, int]) -> Link:
    info = entry.get("linkinfo", {})
    kind, data = info.get("info_kind"), info.get("info_data", {})
    lower = entry.get("link_index", indexes.get(str(entry.get("link"))))
    mode = entry.get("inet6_addr_gen_mode")
    return Link(
        index=int(entry["ifindex"]),
        name=str(entry["ifname"]),
        kind=kind,
        up="UP" in entry["flags"],
        mtu=int(entry["mtu"]),
        master=indexes.get(str(entry.get("master"))),
        link=None if lower is None else int(lower),
        vlan=int(data["id"]) if kind == "vlan" else None,
        arp="NOARP" not in entry["flags"],
        mac=str(entry.get("address", "")),
        alias=entry.get("ifalias"),
        makes_addresses=mode is not None and mode != "none",
        settings=_settings(data) if kind == "bridge" else {},
    )


def _settings(data: Mapping[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, value in data.items():
        if isinstance(value, bool | int):
            found[name] = int(value)
        elif isinstance(value, str) and re.fullmatch(r"(0x)?[0-9a-fA-F]{1,8}", value):
            found[name] = int(value, 16)  # as group_fwd_mask
    return found


def addresses(text: str) -> dict[int, list[str]]:
    """Parse ``ip -json address show``: addresses by index."""
    return {
        int(entry["ifindex"]): [
            f"{one['local']}/{one['prefixlen']}"
            for one in entry.get("addr_info", [])
            if "local" in one
        ]
        for entry in records(text)
        if entry.get("addr_info")
    }


def port_vlans(text: str) -> dict[str, list[PortVlan]]:
    """Parse ``bridge -json vlan show``: VLANs by the name of a port, or of a bridge."""
    found: dict[str, list[PortVlan]] = {}
    for entry in records(text):
        for one in entry.get("vlans", []):
            flags = one.get("flags", [])
            untagged = "PVID" in flags and "Egress Untagged" in flags
            for vlan in range(int(one["vlan"]), int(one.get("vlanEnd", one["vlan"])) + 1):
                found.setdefault(str(entry["ifname"]), []).append((vlan, untagged))
    return found


# --- filters --------------------------------------------------------------------------------------

_HEAD = re.compile(
    r"filter (?:parent \S+ )?protocol (\S+) pref (\d+) (\S+) chain (\d+)(?: (.*?))?\s*$"
)
_MATCH = re.compile(r"\s*match ([0-9a-f]{8})/([0-9a-f]{8}) at (-?\d+)\s*$")
_ACTION = re.compile(r"\s*action order \d+: (.*?)\s*$")


def filters(hook: Literal["ingress", "egress"], text: str) -> list[Filter]:
    """Parse ``tc filter show dev NAME ingress``, in the order in which filters are tried.

    What is not understood is a filter of another kind, never none.
    """
    found = []
    for head, lines in _blocks(text):
        matched = _HEAD.match(head)
        if matched is None:
            found.append(Filter(hook, 0, other=head))
            continue
        protocol, prio, kind, chain, rest = matched.groups()
        if _is_head(kind, rest or ""):
            continue
        found.append(_filter(hook, int(prio), protocol, kind, chain, lines))
    return found


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    head: str | None = None
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("filter "):
            if head is not None:
                yield head, lines
            head, lines = line, []
        elif line.strip():
            lines.append(line)
            head = head or line
    if head is not None:
        yield head, lines


def _is_head(kind: str, rest: str) -> bool:
    """Return whether a line only opens a table of filters."""
    if kind == "u32":
        return " order " not in f" {rest} "
    return kind == "matchall" and "handle" not in rest


def _filter(
    hook: Literal["ingress", "egress"],
    prio: int,
    protocol: str,
    kind: str,
    chain: str,
    lines: list[str],
) -> Filter:
    known = protocol if protocol in PROTOCOLS else _number(protocol)
    if kind not in ("u32", "matchall") or chain != "0":
        return Filter(hook, prio, known, other=kind)
    keys: list[Key] = []
    actions: list[str] = []
    for line in lines:
        if match := _MATCH.match(line):
            keys.append((int(match[1], 16), int(match[2], 16), int(match[3])))
        elif action := _ACTION.match(line):
            actions.append(action[1])
    return Filter(hook, prio, known, tuple(keys), _action(actions))


def _number(protocol: str) -> str:
    """Return a protocol's number as :class:`Filter` has it: ``[2054]`` is 2054."""
    return protocol.strip("[]")


def _action(actions: list[str]) -> Literal["drop", "admit", "other"]:
    if len(actions) != 1:
        return "other"
    words = actions[0].split()
    if words == ["gact", "action", "drop"]:
        return "drop"
    if words[:4] == ["vlan", "push", "id", "1"] and words[-1] == "pass":
        return "admit"
    return "other"
