"""A Linux switch: a bridge with ``vlan_filtering 1``, reached by a login to a POSIX shell.

Sources: bridge(8) and ip-link(8) of iproute2. Nothing is saved: after a restart the site's own
network files apply. They should put no VLAN on any port.

Option ``sudo``: true if the login is not root and may use sudo(8). Option ``bridge``: the name of
the bridge, if it is not ``br0``; only channels need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from haas_rpcd.drivers.switch import linuxbonds, linuxlinks, lldptables, mactables
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.dialect import Dialect, Reader
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.shell import SHELL, SHELL_ABOUT, PortByPort, as_root
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.writer import Options, PortStages, Writer
from haas_rpcd.model import Channel, PortConfig, SetPort
from haas_rpcd.vlanranges import vlan_ranges


def _settings(port: str, config: PortConfig, options: Options) -> list[list[str]]:
    """Remove the VLANs that the port must not carry, and add the wanted ones; shut one to park."""
    if config.parked:
        return [[f"ip link set dev {port} down"], [f"bridge vlan del dev {port} vid 1-4094"]]
    unwanted = vlan_ranges(set(range(1, 4095)) - config.vlans).split(",")
    lines = [f"bridge vlan del dev {port} vid {part}" for part in unwanted]
    if config.untagged is not None:
        lines.append(f"bridge vlan add dev {port} vid {config.untagged} pvid untagged")
    if config.tagged:
        parts = vlan_ranges(config.tagged).split(",")
        lines += [f"bridge vlan add dev {port} vid {part}" for part in parts]
    return [lines]


def _opening(port: str, options: Options) -> str:
    return f"ip link set dev {port} up"


def _bonded(
    change: SetPort, channel: Channel, state: PortState | None, options: Options
) -> PortStages:
    settings = _settings(change.port, change.config, options)
    return linuxbonds.commands(settings, change, channel, state, options)


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show the VLANs of all ports, and which ports are up, in two lines in all."""
    lines = ("bridge -json -compressvlans vlan show", "ip -json -details link show")
    return [as_root(line, options) for line in lines]


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read the two JSON documents."""
    return linuxlinks.read_ports(answers, harmless_lines((), options))


DIALECT = Dialect(
    name="linux_bridge",
    title="Linux bridge (vlan_filtering)",
    options=frozenset({"sudo", linuxbonds.BRIDGE}),
    canonical_port=str,
    example_ports=("swp1", "swp2"),
    numbered_ports=False,
    declares_vlans=False,
    channels=linuxbonds.CHANNELS,
    dialogue=SHELL,
    writer=Writer(ports=PortByPort(_settings, _opening, _bonded)),
    reader=Reader(read_ports=_read_ports, parse_ports=_parse_ports),
    # Root's PATH has the programs of /sbin.
    cabling=CablingReader(
        neighbours=Table(
            lines=("lldpcli -f json0 show neighbors",),
            read=lldptables.lldpd,
            as_root=True,
        ),
        learnt=Table(
            lines=("bridge -json fdb show",),
            read=mactables.linux,
            as_root=True,
        ),
    ),
    about=replace(SHELL_ABOUT, show_version=("uname -sr", "bridge -V"), as_root=True),
)
