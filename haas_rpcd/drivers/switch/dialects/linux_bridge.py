"""A Linux switch: a bridge with ``vlan_filtering 1``, reached by a login to a POSIX shell.

Facts from bridge(8) and ip-link(8) of iproute2. There is nothing to save: what the site's own
network files say after a restart is the site's matter, and should be "no VLAN on any port".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from haas_rpcd.drivers.switch.dialect import Dialect, Options, at_end
from haas_rpcd.model import PARKED, PortConfig, vlan_ranges


class LinuxBridge(Dialect):
    """``linux_bridge``. Option ``sudo``: true when the login is not root and may use sudo(8).

    The shell's prompt is set to hold the exit status of the last command (POSIX shells expand
    parameters in PS1), so every single line's status is checked at no cost.
    """

    name = "linux_bridge"
    options = frozenset({"sudo"})
    declares_vlans = False
    saves = False
    any_prompt = at_end(r"(?![^\r\n]*haas-\$)[^\r\n]*[#$%>] ?(?:\x1b\[[0-9;?]*[a-zA-Z])*")
    setup = ("PS1='haas-$?# ' PS2=", "stty -echo")
    goodbye = ("exit",)
    version = ("uname -sr", "bridge -V")

    def own_prompt(self, prompt: str) -> re.Pattern[str]:
        """Match the prompt that :attr:`setup` sets; its number is the exit status."""
        return re.compile(r"(?:(?<=\n)|(?<=\r)|\A)haas-(\d+)# \Z")

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """A command that did not exit with 0 failed; what it printed says why."""
        status = prompt.group(1)
        if status == "0":
            return None
        return answer.strip() or f"it exited with status {status}"

    # --- lines ------------------------------------------------------------------------------------

    def set_port(self, port: str, config: PortConfig, options: Options) -> list[str]:
        """Take off what the port is not to carry, put on what it is, then open it."""
        if config.parked:
            lines = [f"ip link set dev {port} down", f"bridge vlan del dev {port} vid 1-4094"]
        else:
            unwanted = vlan_ranges(set(range(1, 4095)) - config.vlans).split(",")
            lines = [f"bridge vlan del dev {port} vid {part}" for part in unwanted]
            if config.untagged is not None:
                lines.append(f"bridge vlan add dev {port} vid {config.untagged} pvid untagged")
            if config.tagged:
                parts = vlan_ranges(config.tagged).split(",")
                lines += [f"bridge vlan add dev {port} vid {part}" for part in parts]
            lines.append(f"ip link set dev {port} up")
        return [self._as_root(line, options) for line in lines]

    def set_vlan(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Do nothing: a VLAN is there where a port carries it."""
        return []

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show the VLANs of all ports, and which are up, in two lines however many they are."""
        return [
            self._as_root("bridge -json -compressvlans vlan show", options),
            "ip -json link show",
        ]

    def parse_ports(self, ports: Sequence[str], answers: Sequence[str]) -> dict[str, PortConfig]:
        """Read the two JSON documents; a port that is down carries nothing."""
        vlans, links = (_json(answer) for answer in answers)
        up = {link["ifname"]: "UP" in link["flags"] for link in links}
        on = {entry["ifname"]: entry.get("vlans", ()) for entry in vlans}
        return {
            port: _carried(on.get(port, ())) if up[port] else PARKED for port in ports if port in up
        }

    def _as_root(self, line: str, options: Options) -> str:
        return f"sudo -n {line}" if options.get("sudo") else line


def _json(answer: str) -> list[dict[str, Any]]:
    """Read a JSON list out of an answer; iproute2 prints nothing at all for an empty one."""
    start = answer.find("[")
    return json.loads(answer[start:]) if start >= 0 else []


def _carried(entries: Sequence[dict[str, Any]]) -> PortConfig:
    untagged: int | None = None
    tagged: set[int] = set()
    for entry in entries:
        first, last = entry["vlan"], entry.get("vlanEnd", entry["vlan"])
        if "PVID" in entry.get("flags", ()) and "Egress Untagged" in entry["flags"]:
            untagged = first
        else:
            tagged.update(range(first, last + 1))
    return PortConfig(untagged=untagged, tagged=tuple(sorted(tagged)))
