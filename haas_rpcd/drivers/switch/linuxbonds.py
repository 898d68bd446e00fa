"""Bonds of a Linux switch: the kernel's own bonds, as ports of the bridge.

Sources: the kernel's Documentation/networking/bonding.rst, and ip-link(8). A port is up as soon
as a bond takes it, and down once the bond gives it up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haas_rpcd.drivers.switch.channels import Channels, member_line
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.writer import Options, PortStages, is_gone
from haas_rpcd.model import Channel, ChannelMode, SetPort

BRIDGE = "bridge"
"""The option with the name of the bridge to which channels, and ports that leave one, are added."""

_USUAL_BRIDGE = "br0"

_MODES: Mapping[str, ChannelMode] = {"802.3ad": "lacp", "balance-xor": "static"}
"""The modes that bundle the ports on the far side as well, by the kernel's names."""

_OPTIONS: Mapping[ChannelMode, str] = {
    "lacp": "mode 802.3ad miimon 100 lacp_rate fast xmit_hash_policy layer2+3",
    "static": "mode balance-xor miimon 100 xmit_hash_policy layer2+3",
}


def _name(number: int) -> str:
    return f"bond{number}"


CHANNELS = Channels(
    name=_name,
    member=member_line(r"master bond(?P<number>\d+) \(a bond, (?P<mode>\S+)\)", _name, _MODES),
)
"""As ``linuxlinks`` quotes a port that is a member."""


def commands(
    settings: Sequence[Sequence[str]],
    change: SetPort,
    channel: Channel,
    state: PortState | None,
    options: Options,
) -> PortStages:
    """Return the commands for a channel, or for a port that becomes a member or leaves.

    ``settings``: those that give it its VLANs, or none, as a port of the bridge.
    """
    port, bridge = change.port, options.get(BRIDGE, _USUAL_BRIDGE)
    up = f"ip link set dev {port} up"
    if change.is_channel:
        if change.config.parked:
            return PortStages((), [] if is_gone(state) else [[f"ip link delete dev {port}"]])
        made = [f"ip link add dev {port} type bond {_OPTIONS[channel.mode]}"]
        made.append(f"ip link set dev {port} master {bridge}")
        return PortStages((), [[] if state is not None else made, *settings], [up])
    if change.config.parked:
        back = f"ip link set dev {port} master {bridge}"
        return PortStages(
            [f"ip link set dev {port} down"], [[back, f"bridge vlan del dev {port} vid 1-4094"]]
        )
    if state is not None and state.open and state.config.member == channel:
        return PortStages()
    return PortStages(
        [f"ip link set dev {port} down"], [[f"ip link set dev {port} master {channel.name}"]], [up]
    )
