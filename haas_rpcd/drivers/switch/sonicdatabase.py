"""Reads the state of ports from the configuration database of a SONiC switch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from haas_rpcd.drivers.switch.harmless import HarmlessLines
from haas_rpcd.drivers.switch.jsonanswers import decoded
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, PortConfig

Database = dict[str, dict[str, Any]]

HARMLESS = (
    r"PORT \S+ (?:alias|description|index|lanes|mtu|speed|fec|autoneg|adv_speeds|"
    r"adv_interface_types|interface_type|link_training|pfc_asym|dhcp_rate_limit|mux_cable|"
    r"muxcable|asic_port_name|core_id|core_port_id|num_voq|subport|dom_polling|laser_freq|tx_power|"
    r"parent|valid_speeds|supported_fecs|override_unreliable_los|unreliable_los|macsec|"
    r"link_event_damping_\w+|pt_\w+|tpid 0x8100)",
    r"PORTCHANNEL \S+ (?:description|mtu|min_links|members@?|lacp_key|fast_rate|fallback|static|"
    r"system_mac|learn_mode|graceful_shutdown\w*|mixed_speed|tpid 0x8100)",
    r"(?:QUEUE|PORT_QOS_MAP|BUFFER_\w+|PFC_WD|CABLE_LENGTH|SCHEDULER|WRED_PROFILE|SFLOW\w*|STP\w*|"
    r"PVST\w*|LLDP\w*|UDLD\w*|PORT_STORM_CONTROL|BREAKOUT_\w+|DEVICE_NEIGHBOR|MUX_CABLE|FLEX_\w+|"
    r"LLR_PORT|POE\w*|TELEMETRY|DPB_\w+|MACSEC\w*|LINK_EVENT\w*|CRM|LOGGER|FABRIC_\w+|DHCP\w*|"
    r"VOQ_INBAND_INTERFACE|BGP_\w+|STATIC_ROUTE|NEIGH|ACL_RULE)",
)
"""Fields of a port, and tables with entries for a port, that add or remove no VLAN: beginnings of
``TABLE key field value``.

Sources: "SONiC Configuration Database Manual"; sonic-buildimage's YANG models; the databases in
sonic-utilities' tests."""

_KNOWN = {
    "admin_status": ("up", "down"),
    "mode": ("access", "trunk", "routed"),
    "role": ("Ext",),
}
"""Fields of a port, and their values that are understood."""

_INTERNAL = ("Int", "Inb", "Rec", "Dpc")
"""Roles of ports that lead to other parts of the same device."""


def database_in(answers: Sequence[str]) -> Database:
    """Decode the database. Raises ValueError."""
    return decoded("\n".join(answers), "{", Database)


def read_ports(database: Database, harmless: HarmlessLines) -> dict[str, PortState]:
    """Return the state of all ports and port channels."""
    links = {
        name: (table, _fields(given))
        for table in ("PORT", "PORTCHANNEL")
        for name, given in database.get(table, {}).items()
        if _fields(given).get("role") not in _INTERNAL
    }
    routed: set[str] = set()
    members: dict[str, list[tuple[int, str]]] = {}
    unknown: dict[str, list[str]] = {name: [] for name in links}
    for table, key, fields in _entries(database):
        parts = key.split("|")
        match table, parts:
            case ["INTERFACE" | "PORTCHANNEL_INTERFACE", [name, *_]]:
                routed.add(name)
            case ["VLAN_MEMBER", [vlan, name]] if vlan.removeprefix("Vlan").isdecimal():
                mode = str(fields.get("tagging_mode"))
                members.setdefault(name, []).append((int(vlan.removeprefix("Vlan")), mode))
            case _:
                text = f"{table} {key}"
                for name in _named_by(table, parts, fields):
                    if name in unknown and text not in harmless:
                        unknown[name].append(text)
    return {
        name: _state(name, table, fields, members.get(name, []), name in routed, unknown, harmless)
        for name, (table, fields) in links.items()
    }


def _entries(database: Database) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for table, entries in database.items():
        if table not in ("PORT", "PORTCHANNEL", "VLAN"):
            for key, fields in entries.items():
                yield table, key, _fields(fields)


def _fields(given: Any) -> dict[str, Any]:
    """Return the fields of an entry; an entry without fields yields one that is not known."""
    return given if isinstance(given, dict) else {"": given}


def _written_out(port: str) -> str:
    """Write out ``Eth64`` and ``Po10``, short forms in the names of sub-interfaces.

    (SONiC's "Sub port interface" design: a kernel's name has at most 15 characters.)
    """
    found = re.fullmatch(r"(Eth|Po)(\d+)", port)
    return {"Eth": "Ethernet", "Po": "PortChannel"}[found[1]] + found[2] if found else port


def _named_by(table: str, parts: Sequence[str], fields: Mapping[str, Any]) -> set[str]:
    """Return the ports that an entry is about."""
    found = {_written_out(part.partition(".")[0]) for part in parts}
    if table == "PORTCHANNEL_MEMBER":
        return set(parts[1:])
    if table == "MIRROR_SESSION":
        found |= {str(fields.get("dst_port"))}
    return found


def _state(
    name: str,
    table: str,
    fields: Mapping[str, Any],
    members: Sequence[tuple[int, str]],
    is_routed: bool,
    unknown: Mapping[str, Sequence[str]],
    harmless: HarmlessLines,
) -> PortState:
    """Return the state of a port. Old releases allow several untagged VLANs; the lowest counts."""
    strange = list(unknown[name])
    for field, value in fields.items():
        text = f"{table} {name} {field} {value}"
        known = value in _KNOWN.get(field, ())
        if not known and text not in harmless:
            strange.append(text)
    strange += [
        f"VLAN_MEMBER Vlan{vlan}|{name} tagging_mode {mode}"
        for vlan, mode in members
        if mode not in ("tagged", "untagged") or is_routed
    ]
    vlans = {vlan for vlan, _ in members}
    untagged = min((vlan for vlan, mode in members if mode != "tagged"), default=None)
    config = PortConfig(untagged, tuple(sorted(vlans - {untagged}))) if vlans else PARKED
    return PortState(config, fields.get("admin_status") != "down", next(iter(strange), None))
