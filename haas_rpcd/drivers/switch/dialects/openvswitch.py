"""Open vSwitch, reached by a login to a POSIX shell on its machine.

Sources: ovs-vsctl(8), ovs-ofctl(8), ovs-vswitchd.conf.db(5) and ip-link(8), tried on Open vSwitch
3.1 with its datapath in user space:

* Each ``ovs-vsctl set`` is one transaction, complete when the command returns. A port has its old
  columns or its new ones, never a mixture. So one line describes a port absolutely.
* The trap: a trunk port with empty ``trunks`` carries *all* VLANs, and a fresh port, which has no
  column set, is such a port. So no line empties ``trunks`` in a mode that uses them.
* Taking the link down stops frames at once, in the kernel's datapath as well as in user space: the
  port's netdev no longer sends or receives, and the machine behind it loses its carrier. ``ip
  link`` does this without the switch's daemon, and works with any OpenFlow version that the bridge
  allows. For ports that the kernel does not know (DPDK), ``ovs-ofctl mod-port`` does the same
  through the bridge: option ``bridge``.
* The link's state is not in the database, and a restart may bring the link up again. The columns
  are in the database and saved at once. So a parked port is also a trunk of VLAN 4095 only, which
  802.1Q reserves, and ``protected``, which keeps such ports from reaching each other.

Bridges are assumed to forward like switches (the action NORMAL), which is their default. A site's
own OpenFlow rules are the site's responsibility. A port is one interface (no bond).

Option ``sudo``: true if the login is not root and may use sudo(8). Option ``bridge``: the bridge of
the ports, if the kernel does not know them (DPDK).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from haas_rpcd.drivers.switch import lldptables, mactables
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.dialect import Dialect, Reader
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.harmless import HarmlessLines, harmless_lines
from haas_rpcd.drivers.switch.jsonanswers import decoded
from haas_rpcd.drivers.switch.linuxlinks import read_links
from haas_rpcd.drivers.switch.shell import SHELL, SHELL_ABOUT, PortByPort, as_root, exit_status
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.writer import Options, Writer, rows_of
from haas_rpcd.model import PortConfig
from haas_rpcd.vlanranges import vlan_ranges

NOWHERE = 4095
"""The VLAN id of parked ports. It is reserved (IEEE 802.1Q, table 9-2), so no network has it."""

_NO_UUID = ["uuid", ""]

ALL_VLANS = frozenset(range(4096))
"""What a trunk port can carry; 0 stands for untagged frames."""

_OPENFLOW = "-O OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15"

_MAX_LIST = 1000
"""Characters of a list of VLANs on one line: a terminal takes lines of 4095 (termios(3))."""


def _find_error(dialogue: Dialogue, answer: str, prompt: re.Match[str]) -> str | None:
    """Find an error of the daemon, which is only printed: the exit status is 0 all the same."""
    found = re.search(r"^ovs-vsctl: Error detected while setting up .*", answer, re.M)
    return found[0].strip() if found else exit_status(dialogue, answer, prompt)


# --- lines ----------------------------------------------------------------------------------------


def _settings(port: str, config: PortConfig, options: Options) -> list[list[str]]:
    """Set the port's columns in one line; shut one to park."""
    columns = _columns(port, config)
    return [[_link(port, "down", options)], columns] if config.parked else [columns]


def _opening(port: str, options: Options) -> str:
    return _link(port, "up", options)


def _columns(port: str, config: PortConfig) -> list[str]:
    first, *more = rows_of(vlan_ranges(config.tagged), _MAX_LIST)
    tag = "[]" if config.untagged is None else config.untagged
    mode = "trunk" if config.untagged is None else "native-untagged"
    if config.parked:
        columns = f"vlan_mode=trunk tag=[] trunks={NOWHERE} protected=true"
    elif not config.tagged:
        columns = f"vlan_mode=access tag={tag} trunks=[] protected=false"
    else:
        columns = f"vlan_mode={mode} tag={tag} trunks={first} protected=false"
    # Without a time-out ovs-vsctl waits forever if the daemon is not running.
    return [
        f"ovs-vsctl --timeout=10 set port {port} {columns}",
        *(f"ovs-vsctl --timeout=10 add port {port} trunks {row}" for row in more),
    ]


def _link(port: str, state: str, options: Options) -> str:
    if bridge := options.get("bridge"):
        return f"ovs-ofctl {_OPENFLOW} mod-port {bridge} {port} {state}"
    return f"ip link set dev {port} {state}"


# --- reading back ---------------------------------------------------------------------------------


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show all ports' columns, and which links are up: three lines for any number of ports."""
    columns = "_uuid,name,vlan_mode,tag,trunks,protected,interfaces"
    bridge = options.get("bridge")
    show = "ovs-vsctl --timeout=10 --format=json"
    lines = (
        f"{show} --columns={columns} list port",
        f"ovs-ofctl {_OPENFLOW} show {bridge}" if bridge else "ip -json -details link show",
        f"{show} --columns=output_port list mirror",
    )
    return [as_root(line, options) for line in lines]


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read the table of ports and the links' states; leave out ports without a link."""
    table, links, mirrors = (*answers, "")[:3]
    up = _openflow_links(links) if options.get("bridge") else _kernel_links(links)
    outputs = [row["output_port"] for row in _rows(mirrors)] if mirrors.strip() else []
    harmless = harmless_lines((), options)
    return {
        port["name"]: _state(port, up[port["name"]], outputs, harmless)
        for port in _rows(table)
        if port["name"] in up
    }


class _Table(msgspec.Struct):
    headings: list[str]
    data: list[list[Any]]


def _rows(answer: str) -> list[dict[str, Any]]:
    """Read a table of OVSDB as JSON. Raises ValueError."""
    table = decoded(answer, "{", _Table)
    return [dict(zip(table.headings, row, strict=True)) for row in table.data]


def _state(
    columns: dict[str, Any], is_open: bool, outputs: Sequence[Any], harmless: HarmlessLines
) -> PortState:
    strange = [
        f"{name} {columns[name]}"
        for name, valid in _VALID.items()
        if not all(map(valid, _set(columns[name])))
    ]
    if not isinstance(columns.get("protected", False), bool):
        strange.append(f"protected {columns['protected']}")
    if strange:
        return PortState(PortConfig(None, tuple(ALL_VLANS)), is_open, strange[0])
    unknown = [
        f"vlan_mode {mode}"
        for mode in _set(columns["vlan_mode"])
        if mode not in ("access", "trunk", "native-untagged")
    ]
    if not _is_uuid(columns.get("interfaces", _NO_UUID)):
        unknown.append("interfaces: several (a bond)")
    uuid = columns.get("_uuid", _NO_UUID)
    if uuid in outputs or not _is_uuid(uuid):
        unknown.append("output_port of a mirror")
    unknown += [f"output_port {port}" for port in outputs if not _is_uuid(port) and _set(port)]
    unknown = [line for line in unknown if line not in harmless]
    return PortState(_carried(columns), is_open, next(iter(unknown), None))


def _kernel_links(answer: str) -> dict[str, bool]:
    return {name: "UP" in link.flags for name, link in read_links(answer).items()}


def _openflow_links(answer: str) -> dict[str, bool]:
    """Read ``ovs-ofctl show``: a line for each port, then its configuration on the next."""
    found = re.findall(r"^ \w+\((.+)\): addr:.*\n\s+config:\s+(.*)", answer.replace("\r", ""), re.M)
    return {port: "PORT_DOWN" not in config for port, config in found}


def _carried(columns: dict[str, Any]) -> PortConfig:
    """Return what a port carries, after the table "Port" of ovs-vswitchd.conf.db(5)."""
    tags, trunks = _set(columns["tag"]), _set(columns["trunks"])
    tag = min(tags, default=0)
    match min(_set(columns["vlan_mode"]), default="access" if tags else "trunk"):
        case "access":
            return PortConfig(untagged=tag)
        case "trunk":
            carried = trunks or ALL_VLANS
            if columns["protected"]:
                carried = carried - {NOWHERE}
            untagged = 0 if 0 in carried else None
        case "native-untagged":
            carried, untagged = trunks or ALL_VLANS, tag
        case _:  # QinQ and other modes that we never set: it may carry anything
            carried, untagged = ALL_VLANS, tag
    return PortConfig(untagged=untagged, tagged=tuple(sorted(carried - {untagged})))


def _set(cell: Any) -> frozenset[Any]:
    """Read a cell of OVSDB's JSON (RFC 7047, 5.1): a set, or the only element of a set."""
    match cell:
        case ["set", [*elements]] if not any(isinstance(each, list | dict) for each in elements):
            return frozenset(elements)
        case list() | dict():
            return frozenset({None})
        case _:
            return frozenset({cell})


def _is_uuid(cell: Any) -> bool:
    match cell:
        case ["uuid", str()]:
            return True
        case _:
            return False


def _is_vlan(element: Any) -> bool:
    return isinstance(element, int) and not isinstance(element, bool) and 0 <= element <= NOWHERE


_VALID: Mapping[str, Callable[[Any], bool]] = {
    "tag": _is_vlan,
    "trunks": _is_vlan,
    "vlan_mode": lambda element: isinstance(element, str),
}
"""Columns whose elements must be of a kind: ovs-vswitchd.conf.db(5), table "Port"."""


_SHOW_MACS = (
    "sh -c 'for bridge in $(ovs-vsctl --timeout=10 list-br); do"
    ' echo "bridge $bridge"; ovs-appctl --timeout=10 fdb/show "$bridge" || exit; done\''
)

DIALECT = Dialect(
    name="openvswitch",
    title="Open vSwitch",
    options=frozenset({"sudo", "bridge"}),
    canonical_port=str,
    example_ports=("eth1", "eth2"),
    numbered_ports=False,
    declares_vlans=False,
    dialogue=replace(SHELL, find_error=_find_error),
    writer=Writer(ports=PortByPort(_settings, _opening)),
    reader=Reader(read_ports=_read_ports, parse_ports=_parse_ports),
    cabling=CablingReader(
        neighbours=Table(
            lines=("lldpcli -f json0 show neighbors",),
            read=lldptables.lldpd,
            as_root=True,
        ),
        learnt=Table(
            lines=("ovs-appctl --timeout=10 dpif/show", _SHOW_MACS),
            read=mactables.openvswitch,
            as_root=True,
        ),
    ),
    about=replace(
        SHELL_ABOUT,
        show_version=("ovs-vsctl --version", "uname -sr"),
        as_root=True,  # whose PATH has the programs of /sbin
        model=re.compile(r"\((Open vSwitch)\)"),
        version=re.compile(r"\(Open vSwitch\) (\S+)"),
    ),
)
