"""A Linux switch: a bridge with ``vlan_filtering 1``, reached by a login to a POSIX shell.

Sources: bridge(8) and ip-link(8) of iproute2. Nothing is saved: after a restart the site's own
network files apply. They should put no VLAN on any port.
"""

from __future__ import annotations

from collections.abc import Sequence

from haas_rpcd.drivers.switch import linuxlinks
from haas_rpcd.drivers.switch.dialect import Options
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.shell import Shell
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PortConfig, vlan_ranges


class LinuxBridge(Shell):
    """``linux_bridge``. Option ``sudo``: true if the login is not root and may use sudo(8)."""

    name = "linux_bridge"
    title = "Linux bridge (vlan_filtering)"
    options = frozenset({"sudo"})
    declares_vlans = False
    saves = False
    show_version = ("uname -sr", "bridge -V")

    # --- lines ------------------------------------------------------------------------------------

    def port_lines(
        self, port: str, config: PortConfig, options: Options, current: PortConfig | None
    ) -> list[list[str]]:
        """Remove the VLANs that the port must not carry, add the wanted ones, then open it."""
        if config.parked:
            stages = [[f"ip link set dev {port} down"], [f"bridge vlan del dev {port} vid 1-4094"]]
        else:
            unwanted = vlan_ranges(set(range(1, 4095)) - config.vlans).split(",")
            lines = [f"bridge vlan del dev {port} vid {part}" for part in unwanted]
            if config.untagged is not None:
                lines.append(f"bridge vlan add dev {port} vid {config.untagged} pvid untagged")
            if config.tagged:
                parts = vlan_ranges(config.tagged).split(",")
                lines += [f"bridge vlan add dev {port} vid {part}" for part in parts]
            stages = [lines, [f"ip link set dev {port} up"]]
        return [[self.as_root(line, options) for line in stage] for stage in stages]

    # --- reading back -----------------------------------------------------------------------------

    def identity_lines(self, options: Options) -> list[str]:
        """Ask as root, whose PATH has the programs of ``/sbin``."""
        return [self.as_root(line, options) for line in self.show_version]

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show the VLANs of all ports, and which ports are up, in two lines in all."""
        lines = ("bridge -json -compressvlans vlan show", "ip -json -details link show")
        return [self.as_root(line, options) for line in lines]

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read the two JSON documents."""
        return linuxlinks.read_ports(answers, harmless_lines(self.harmless, options))
