"""The values of the domain: ports, changes, what was seen, and plans. No I/O.

The planner, the store, the engine and the drivers exchange these. The records that the API
answers with are in :mod:`haas_schemas`.
"""

from __future__ import annotations

import enum
from typing import Literal

import msgspec

from haas_rpcd.vlanranges import vlan_ranges
from haas_schemas.bmc import BootDevice, PowerState

ChannelMode = Literal["lacp", "static"]
"""How the ports of a channel are bundled: as LACP agrees (IEEE 802.1AX), or without a protocol."""


class Channel(msgspec.Struct, frozen=True, gc=False, order=True):
    """A channel that a switch makes of several ports: its name there, and how they are bundled.

    Vendors call it a port-channel, an aggregated Ethernet interface or a bond.
    """

    name: str
    mode: ChannelMode


class PortConfig(msgspec.Struct, frozen=True, gc=False):
    """The VLANs of a switch port: all that it carries. ``tagged`` is sorted.

    A port with no VLAN, and a member of no channel, is *parked*: it is shut. A channel that is
    parked does not exist. ``member``: the channel whose frames the port carries, on the same VLANs.
    """

    untagged: int | None = None
    tagged: tuple[int, ...] = ()
    member: Channel | None = None

    @property
    def parked(self) -> bool:
        """True if the port carries no VLAN."""
        return self.untagged is None and not self.tagged and self.member is None

    @property
    def vlans(self) -> frozenset[int]:
        """All VLAN ids the port carries."""
        own = () if self.untagged is None else (self.untagged,)
        return frozenset((*own, *self.tagged))

    def describe(self) -> str:
        """Return it as a phrase for people, such as ``untagged 104, tagged 105-107``."""
        if self.parked:
            return "parked"
        within = "" if self.member is None else f" in {self.member.name} ({self.member.mode})"
        if not self.vlans:
            return f"no VLAN{within}"
        if not self.tagged:
            return f"access {self.untagged}{within}"
        native = "" if self.untagged is None else f"untagged {self.untagged}, "
        return f"{native}tagged {vlan_ranges(self.tagged)}{within}"


PARKED = PortConfig()


class PortRef(msgspec.Struct, frozen=True, gc=False, order=True):
    """A port, identified by the names of its switch and of the port."""

    switch: str
    port: str


class HeadnodeNic(msgspec.Struct, frozen=True, order=True):
    """A nic of a headnode: its name, its MAC, and the VLAN whose bridge it is attached to.

    VLAN 0 occurs in observed states only: the nic is attached to something else, or will be after
    the next start.
    """

    nic: str
    mac: str
    vlan: int


# --- changes: what a step does, absolute and idempotent ------------------------------------------


class SetPort(msgspec.Struct, frozen=True, gc=False, tag="port"):
    """The port carries exactly ``config``.

    ``channel``: the channel that HaaS makes of this port and others, whether it is a member now or
    not. If it has the port's own name, the port is that channel, and ``members`` are the ports that
    are to join it: some switches make no channel without any.
    """

    port: str
    config: PortConfig
    channel: Channel | None = None
    members: tuple[str, ...] = ()

    @property
    def is_channel(self) -> bool:
        """True if the port is a channel that HaaS makes, and removes to park it."""
        return self.channel is not None and self.channel.name == self.port


class SetVlan(msgspec.Struct, frozen=True, gc=False, tag="vlan"):
    """The VLAN exists on the switch, named ``haas-<vlan>``, or does not exist."""

    vlan: int
    present: bool


class SetBridge(msgspec.Struct, frozen=True, gc=False, tag="bridge"):
    """The hypervisor has the VLAN interface and the bridge ``br-vlan<vlan>``, or neither."""

    vlan: int
    present: bool


class DefineHeadnode(msgspec.Struct, frozen=True, tag="headnode.define"):
    """The headnode's domain exists: a clone of ``image`` with these nics, powered off at first."""

    headnode: str
    uuid: str
    image: str
    nics: tuple[HeadnodeNic, ...] = ()


class SetHeadnodeNics(msgspec.Struct, frozen=True, tag="headnode.nics"):
    """The headnode's domain has exactly these nics, both now and after its next start."""

    headnode: str
    uuid: str
    nics: tuple[HeadnodeNic, ...]


class SetHeadnodePower(msgspec.Struct, frozen=True, tag="headnode.power"):
    """The headnode is running, or is not."""

    headnode: str
    uuid: str
    running: bool


class DeleteHeadnode(msgspec.Struct, frozen=True, tag="headnode.delete"):
    """Neither the headnode's domain nor its storage exists."""

    headnode: str
    uuid: str


class PrepareCopy(msgspec.Struct, frozen=True, tag="headnode.prepare"):
    """It is certain that a headnode on ``source`` can be copied. Nothing is changed for that."""

    headnode: str
    uuid: str
    image: str
    source: str


class CopyHeadnode(msgspec.Struct, frozen=True, tag="headnode.copy"):
    """The headnode's domain, off, and its storage exist as they are on the hypervisor ``source``.

    ``token`` is the move's own: what an earlier one left does not count. ``nics``: those that the
    headnode has or is to have.
    """

    headnode: str
    uuid: str
    image: str
    source: str
    token: str
    nics: tuple[HeadnodeNic, ...] = ()


class SaveConfig(msgspec.Struct, frozen=True, gc=False, tag="save"):
    """The switch's running configuration is saved as its start-up configuration."""


class SetNodePower(msgspec.Struct, frozen=True, gc=False, tag="node.power"):
    """The node is on, or off. ``boot``: what it boots from the next time."""

    node: str
    power: PowerState
    boot: BootDevice | None = None


HeadnodeChange = DefineHeadnode | SetHeadnodeNics | SetHeadnodePower | DeleteHeadnode
CopyChange = PrepareCopy | CopyHeadnode
HostChange = SetBridge | HeadnodeChange | CopyChange
"""A change on a hypervisor: on its network, on its libvirt, or a copy to it."""

SwitchChange = SetPort | SetVlan | SaveConfig
Change = SwitchChange | HostChange | SetNodePower


# --- observed states ------------------------------------------------------------------------------


class PortSeen(msgspec.Struct, frozen=True, gc=False, tag="port"):
    """What a port carries now, as far as its configuration is understood.

    A shut port carries nothing. ``not_understood`` is the first line of the port's configuration
    whose meaning is not known: the port may then carry anything.
    """

    config: PortConfig
    open_without_vlan: bool = False
    """The port is open though it carries no VLAN, as a routed port does. It is not parked."""

    not_understood: str | None = None
    unconfigured: tuple[int, ...] = ()
    """VLANs on which the switch has the port though its configuration does not say so, as 802.1X
    assigns them."""

    @property
    def open(self) -> bool:
        """True if the port is not shut. (One that is may still be a member of a channel.)"""
        return self.open_without_vlan or bool(self.config.vlans)

    @property
    def believed(self) -> PortConfig | None:
        """What the port is known to carry; None if that is not certain, or open and nothing."""
        uncertain = (
            self.open_without_vlan or self.not_understood is not None or bool(self.unconfigured)
        )
        return None if uncertain else self.config

    def describe(self) -> str:
        """Return it as a phrase for people."""
        if self.not_understood is not None:
            return f'not understood: "{self.not_understood}"'
        state = "open without a VLAN" if self.open_without_vlan else self.config.describe()
        if not self.unconfigured:
            return state
        return f"{state}, but operationally on VLAN {vlan_ranges(self.unconfigured)}"


class PresenceSeen(msgspec.Struct, frozen=True, gc=False, tag="presence"):
    """Whether a VLAN exists, or the configuration is saved."""

    present: bool


class BridgeSeen(msgspec.Struct, frozen=True, gc=False, tag="bridge"):
    """Whether a hypervisor has anything of a VLAN's interface and bridge.

    ``faults``: what is not as HaaS makes it, as phrases; none if all is. Somebody else's interface
    of the same name is a fault, and does not count as present.
    """

    present: bool
    faults: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """True if it is there, and all as HaaS makes it."""
        return self.present and not self.faults

    def describe(self) -> str:
        """Return it as a phrase for people."""
        return "; ".join(self.faults) or ("present" if self.present else "absent")


Condition = Literal["paused", "suspended", "crashed"]
"""Why a headnode does not run, if it was not just stopped. A paused one is still in memory, on its
networks. A suspended one is asleep, or saved to disk."""


class HeadnodeSeen(msgspec.Struct, frozen=True, tag="headnode"):
    """A headnode's domain on the hypervisor. ``nics`` are sorted by name.

    ``added``: devices that somebody gave it by hand and that may connect it with others, as phrases
    for its tenant.
    """

    defined: bool
    running: bool = False
    nics: tuple[HeadnodeNic, ...] = ()
    condition: Condition | None = None
    added: tuple[str, ...] = ()

    @property
    def off(self) -> bool:
        """True if the machine is stopped and keeps no memory. A crashed one is off as well."""
        return not self.running and self.condition in (None, "crashed")

    def describe(self) -> str:
        """Return it as a phrase for people."""
        if not self.defined:
            return "absent"
        power = self.condition or ("running" if self.running else "stopped")
        vlans = ", ".join(f"{nic.nic} on {nic.vlan or 'something else'}" for nic in self.nics)
        shown = f"{power} with {vlans}" if vlans else power
        if self.added:
            shown += f"; somebody added {' and '.join(self.added)}"
        return shown


class PowerSeen(msgspec.Struct, frozen=True, gc=False, tag="power"):
    """Whether a node is on, as its BMC said after the change; None if that was not carried out."""

    power: PowerState | None


Seen = PortSeen | PresenceSeen | BridgeSeen | HeadnodeSeen | PowerSeen


# --- a plan ---------------------------------------------------------------------------------------


class Phase(enum.IntEnum):
    """The order of steps within a job. It keeps tenants isolated; see :mod:`haas_rpcd.planner`.

    Channels are removed and made with the VLANs: after their members left, before any joins.
    Headnodes that move are stopped once their new networks are there, and copied while they are
    off. The store has these numbers.
    """

    LEAVE = 1
    VLANS = 2
    JOIN = 3
    BRIDGES = 4
    STOPS = 5
    COPIES = 6
    HEADNODES = 7
    REMOVE_HEADNODES = 8
    REMOVE = 9
    SAVE = 10
    POWER = 11


class Step(msgspec.Struct, frozen=True, gc=False):
    """One change on one device, with its phase and a sentence for people."""

    phase: Phase
    device: str
    kind: str
    target: str
    summary: str
    change: Change

    @property
    def parks(self) -> bool:
        """True if it can only shut a port."""
        return isinstance(self.change, SetPort) and self.change.config.parked


class Plan(msgspec.Struct, frozen=True):
    """The steps of an apply, in order. ``digest`` identifies exactly these steps.

    ``severed`` says, by VLAN, why its places may not reach each other afterwards.
    """

    steps: tuple[Step, ...]
    digest: str
    severed: dict[int, str] = {}

    @property
    def empty(self) -> bool:
        """True if there is nothing to do."""
        return not self.steps
