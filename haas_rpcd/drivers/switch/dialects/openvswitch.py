"""Open vSwitch, reached by a login to a POSIX shell on its machine.

Facts from ovs-vsctl(8), ovs-ofctl(8), ovs-vswitchd.conf.db(5) and ip-link(8), tried on Open
vSwitch 3.1 with its datapath in user space:

* Each ``ovs-vsctl set`` is one transaction, carried out by the time the command returns: a port has
  its old columns or its new ones, never a mixture. So one line describes a port absolutely.
* The trap: a trunk port whose ``trunks`` are empty carries *all* VLANs, and that is what a fresh
  port without any column set is. So no line empties ``trunks`` in a mode that uses them.
* What stops frames at once, in the kernel's datapath as in that of user space, is taking the link
  down: it is the port's netdev that no longer sends or receives, and the machine behind it loses
  its carrier. ``ip link`` does that without asking the switch's daemon, and works whatever OpenFlow
  version a bridge is limited to. For ports that the kernel doesn't know (DPDK) there is
  ``ovs-ofctl mod-port``, which does the same by way of the bridge: option ``bridge``.
* The link's state is not in the database, and a restart may bring the link up again. The columns
  are, and are saved at once: so a parked port is also a trunk of nothing but VLAN 4095, which
  802.1Q reserves, and is ``protected``, by which such ports don't hear each other either.

Bridges are taken to forward as switches do (the action NORMAL), as they come; what a site's own
OpenFlow rules do besides is the site's matter. A port is one interface (no bond).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from haas_rpcd.drivers.switch.dialect import Options, PortState
from haas_rpcd.drivers.switch.shell import Shell
from haas_rpcd.model import PortConfig, vlan_ranges

NOWHERE = 4095
"""The VLAN id of parked ports: reserved (IEEE 802.1Q, table 9-2), so no network ever has it."""

ALL_VLANS = frozenset(range(4096))
"""All that a trunk port can carry; 0 stands for frames without a tag."""

_OPENFLOW = "-O OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15"


class OpenVSwitch(Shell):
    """``openvswitch``.

    Option ``sudo``: true when the login is not root and may use sudo(8). Option ``bridge``: the
    bridge that the ports are on, when the kernel doesn't know them (DPDK).
    """

    name = "openvswitch"
    title = "Open vSwitch"
    options = frozenset({"sudo", "bridge"})
    declares_vlans = False
    saves = False
    show_version = ("ovs-vsctl --version", "uname -sr")
    model = re.compile(r"\((Open vSwitch)\)")
    version = re.compile(r"\(Open vSwitch\) (\S+)")
    max_list_length = (
        1000  # a terminal's line in canonical mode ends at 4095 characters: termios(3)
    )

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """What the switch's daemon could not do is said only: the exit status is 0 all the same."""
        found = re.search(r"^ovs-vsctl: Error detected while setting up .*", answer, re.M)
        return found[0].strip() if found else super().error_in(answer, prompt)

    # --- lines ------------------------------------------------------------------------------------

    def port_lines(
        self, port: str, config: PortConfig, options: Options, current: PortConfig | None
    ) -> list[list[str]]:
        """Describe the port in one line, and open or shut it in another."""
        if config.parked:
            stages = [[self._link(port, "down", options)], self._columns(port, config)]
        else:
            stages = [self._columns(port, config), [self._link(port, "up", options)]]
        return [[self.as_root(line, options) for line in stage] for stage in stages]

    def _columns(self, port: str, config: PortConfig) -> list[str]:
        first, *more = self.split_list(vlan_ranges(config.tagged))
        tag = "[]" if config.untagged is None else config.untagged
        mode = "trunk" if config.untagged is None else "native-untagged"
        if config.parked:
            columns = f"vlan_mode=trunk tag=[] trunks={NOWHERE} protected=true"
        elif not config.tagged:
            columns = f"vlan_mode=access tag={tag} trunks=[] protected=false"
        else:
            columns = f"vlan_mode={mode} tag={tag} trunks={first} protected=false"
        # Without a time-out it waits for ever for a daemon that is not running.
        return [
            f"ovs-vsctl --timeout=10 set port {port} {columns}",
            *(f"ovs-vsctl --timeout=10 add port {port} trunks {row}" for row in more),
        ]

    @staticmethod
    def _link(port: str, state: str, options: Options) -> str:
        if bridge := options.get("bridge"):
            return f"ovs-ofctl {_OPENFLOW} mod-port {bridge} {port} {state}"
        return f"ip link set dev {port} {state}"

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show all ports' columns, and which links are up, in two lines however many they are."""
        columns = "name,vlan_mode,tag,trunks,protected"
        bridge = options.get("bridge")
        links = f"ovs-ofctl {_OPENFLOW} show {bridge}" if bridge else "ip -json link show"
        lines = f"ovs-vsctl --timeout=10 --format=json --columns={columns} list port", links
        return [self.as_root(line, options) for line in lines]

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read the table of ports, and the links' states; a port without a link is none."""
        table, links = answers
        rows = json.loads(table[table.index("{") :])
        up = _openflow_links(links) if options.get("bridge") else _kernel_links(links)
        ports = [dict(zip(rows["headings"], row, strict=True)) for row in rows["data"]]
        return {
            port["name"]: PortState(_carried(port), up[port["name"]])
            for port in ports
            if port["name"] in up
        }


def _kernel_links(answer: str) -> dict[str, bool]:
    links = json.loads(answer[answer.index("[") :])
    return {link["ifname"]: "UP" in link["flags"] for link in links}


def _openflow_links(answer: str) -> dict[str, bool]:
    """Read ``ovs-ofctl show``: a line for each port, and below it its configuration."""
    found = re.findall(r"^ \w+\((.+)\): addr:.*\n\s+config:\s+(.*)", answer.replace("\r", ""), re.M)
    return {port: "PORT_DOWN" not in config for port, config in found}


def _carried(columns: dict[str, Any]) -> PortConfig:
    """Say what a port carries, by the table "Port" of ovs-vswitchd.conf.db(5)."""
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
        case _:  # QinQ, and what we never set: it may carry anything
            carried, untagged = ALL_VLANS, tag
    return PortConfig(untagged=untagged, tagged=tuple(sorted(carried - {untagged})))


def _set(cell: Any) -> frozenset[Any]:
    """Read a cell of OVSDB's JSON (RFC 7047, 5.1): a set, or the one element of one."""
    return frozenset(cell[1]) if isinstance(cell, list) else frozenset({cell})
