"""The domain's values: what is wanted, what was confirmed, what is to be changed. No I/O.

The planner, the store, the engine and the drivers all speak in these. The records that the API
answers with are in :mod:`haas_schemas`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

MASTER = "master"
"""The device name of the master's own network (VLAN interfaces and bridges)."""

LIBVIRT = "libvirt"
"""The device name of the master's hypervisor."""

RESERVED_DEVICES = frozenset({MASTER, LIBVIRT})
"""Names that no switch may take, because plans and jobs name devices by them."""


class PortConfig(msgspec.Struct, frozen=True):
    """What one switch port carries, absolutely: ``untagged`` VLAN id, ``tagged`` VLAN ids (sorted).

    Neither means *parked*: the port is shut and carries no VLAN.
    """

    untagged: int | None = None
    tagged: tuple[int, ...] = ()

    @property
    def parked(self) -> bool:
        """Whether the port is on no network."""
        return self.untagged is None and not self.tagged

    @property
    def vlans(self) -> frozenset[int]:
        """All VLAN ids the port carries."""
        own = () if self.untagged is None else (self.untagged,)
        return frozenset((*own, *self.tagged))

    def describe(self) -> str:
        """Say it in the words of a person, e.g. ``untagged 104, tagged 105-107``."""
        if self.parked:
            return "parked"
        if not self.tagged:
            return f"access {self.untagged}"
        native = "" if self.untagged is None else f"untagged {self.untagged}, "
        return f"{native}tagged {vlan_ranges(self.tagged)}"


PARKED = PortConfig()


def vlan_ranges(vlans: tuple[int, ...] | frozenset[int] | set[int] | list[int]) -> str:
    """Write VLAN ids as switches do: ``100-104,110``. The empty set is the empty string."""
    spans: list[tuple[int, int]] = []
    for vlan in sorted(vlans):
        if spans and vlan == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], vlan)
        else:
            spans.append((vlan, vlan))
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def parse_vlan_ranges(text: str) -> tuple[int, ...]:
    """Read ``100-104,110`` back into sorted VLAN ids.

    Raises ValueError with a sentence when the text is not such a list or an id is not in 1..4094
    (IEEE 802.1Q reserves 0 and 4095).
    """
    vlans: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.strip().isdecimal()):
            raise ValueError(f'"{part.strip()}" is not a VLAN id or a range such as 100-199')
        low, high = int(first), int(last or first)
        if not 1 <= low <= high <= 4094:
            raise ValueError(f'"{part.strip()}" is not a range of VLAN ids within 1-4094')
        vlans.update(range(low, high + 1))
    return tuple(sorted(vlans))


class PortRef(msgspec.Struct, frozen=True, order=True):
    """One port of one switch, by their names."""

    switch: str
    port: str


class HeadnodeNic(msgspec.Struct, frozen=True, order=True):
    """One nic of a headnode: its name, its MAC, and the VLAN whose bridge it hangs on.

    VLAN 0, only ever seen and never wanted: it hangs on something else, or does not stay as it is.
    """

    nic: str
    mac: str
    vlan: int


# --- changes: what a step does, absolute and idempotent ------------------------------------------


class SetPort(msgspec.Struct, frozen=True, tag="port"):
    """Port ``port`` carries exactly ``config``; parked when that is empty."""

    port: str
    config: PortConfig


class SetVlan(msgspec.Struct, frozen=True, tag="vlan"):
    """VLAN ``vlan`` exists on the switch (named ``haas-<vlan>``), or is gone."""

    vlan: int
    present: bool


class SetBridge(msgspec.Struct, frozen=True, tag="bridge"):
    """The master has ``TRUNK.vlan`` and ``br-vlan<vlan>``, or neither."""

    vlan: int
    present: bool


class DefineHeadnode(msgspec.Struct, frozen=True, tag="headnode.define"):
    """The headnode's domain exists, powered off: a clone of ``image`` with these nics."""

    headnode: str
    uuid: str
    image: str
    nics: tuple[HeadnodeNic, ...] = ()


class SetHeadnodeNics(msgspec.Struct, frozen=True, tag="headnode.nics"):
    """The headnode's domain has exactly these nics, now and after its next start."""

    headnode: str
    uuid: str
    nics: tuple[HeadnodeNic, ...]


class SetHeadnodePower(msgspec.Struct, frozen=True, tag="headnode.power"):
    """The headnode runs, or does not."""

    headnode: str
    uuid: str
    running: bool


class DeleteHeadnode(msgspec.Struct, frozen=True, tag="headnode.delete"):
    """The headnode's domain and its storage are gone."""

    headnode: str
    uuid: str


class SaveConfig(msgspec.Struct, frozen=True, tag="save"):
    """The switch's running configuration is its start-up configuration."""


HeadnodeChange = DefineHeadnode | SetHeadnodeNics | SetHeadnodePower | DeleteHeadnode
SwitchChange = SetPort | SetVlan | SaveConfig
Change = SwitchChange | SetBridge | HeadnodeChange


# --- what a device says now -----------------------------------------------------------------------


class PortSeen(msgspec.Struct, frozen=True, tag="port"):
    """What a port carries now; a shut port carries nothing."""

    config: PortConfig


class PresenceSeen(msgspec.Struct, frozen=True, tag="presence"):
    """Whether the VLAN, the bridge or the saved configuration is there."""

    present: bool


class HeadnodeSeen(msgspec.Struct, frozen=True, tag="headnode"):
    """A headnode's domain as the hypervisor has it; ``nics`` sorted by name."""

    defined: bool
    running: bool = False
    nics: tuple[HeadnodeNic, ...] = ()


Seen = PortSeen | PresenceSeen | HeadnodeSeen


# --- a plan ---------------------------------------------------------------------------------------


class Phase(enum.IntEnum):
    """The order within a job, for isolation (design.md, section 4)."""

    LEAVE = 1
    VLANS = 2
    JOIN = 3
    BRIDGES = 4
    HEADNODES = 5
    REMOVE_HEADNODES = 6
    REMOVE = 7
    SAVE = 8


class Step(msgspec.Struct, frozen=True):
    """One change on one device, with its place in the order and a sentence for people."""

    phase: Phase
    device: str
    kind: str
    target: str
    summary: str
    change: Change


class Plan(msgspec.Struct, frozen=True):
    """What an apply would do, in order; ``digest`` names exactly these steps."""

    steps: tuple[Step, ...]
    digest: str

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.steps


# --- switches as they are registered --------------------------------------------------------------


class RegisteredSwitch(msgspec.Struct, frozen=True):
    """What a switch is registered with. Two that are equal can share a session.

    ``credential`` names an entry of the credentials file; None means the switch's own name.
    """

    name: str
    dialect: str
    host: str
    port: int
    transport: str
    credential: str | None = None
    options: Mapping[str, Any] = {}


# --- the planner's two inputs ---------------------------------------------------------------------


class SwitchTraits(msgspec.Struct, frozen=True):
    """Traits of a switch that the planner depends on.

    ``declares_vlans``: a VLAN must be created before a port can carry it. ``saves``: the
    configuration must be saved to survive a restart. ``trunks``: number of registered trunk ports;
    a switch with one trunk cannot lie on the path between two others.
    """

    declares_vlans: bool
    saves: bool
    trunks: int


class HeadnodeGoal(msgspec.Struct, frozen=True):
    """What is wanted of a headnode. ``present`` false: it is to be deleted."""

    uuid: str
    image: str
    present: bool
    running: bool
    nics: tuple[HeadnodeNic, ...]


class PortGoal(msgspec.Struct, frozen=True):
    """What is wanted of a port, and what stands behind it (``node-1:ipmi``, or the port's role).

    A ``trunk`` port carries the whole pool always, so it does not make a VLAN one that is in use.
    """

    config: PortConfig
    behind: str
    trunk: bool = False


class AppliedPort(msgspec.Struct, frozen=True):
    """What a port was last confirmed to carry; ``config`` None: not known."""

    config: PortConfig | None = None


class Desired(msgspec.Struct, frozen=True):
    """What is wanted, within the scope of one plan.

    ``networks`` gives every VLAN the scope speaks of, and the network's name for the summaries.
    """

    ports: dict[PortRef, PortGoal] = {}
    headnodes: dict[str, HeadnodeGoal] = {}
    networks: dict[int, str] = {}


class Applied(msgspec.Struct, frozen=True):
    """What the devices confirmed.

    ``ports`` and ``headnodes`` cover the scope (a headnode that is missing was never defined; one
    that is None may be half made). ``vlans`` and ``bridges`` map what exists, or may exist, to
    whether that is confirmed, for the VLANs the scope speaks of. ``elsewhere`` names, for those
    VLANs, the devices on which something outside the scope uses them. ``unsaved`` are switches
    that hold changes which no save has confirmed.
    """

    ports: dict[PortRef, AppliedPort] = {}
    headnodes: dict[str, HeadnodeSeen | None] = {}
    vlans: dict[str, dict[int, bool]] = {}
    bridges: dict[int, bool] = {}
    elsewhere: dict[int, frozenset[str]] = {}
    unsaved: frozenset[str] = frozenset()
    switches: dict[str, SwitchTraits] = {}


# --- drift ----------------------------------------------------------------------------------------


class Observed(msgspec.Struct, frozen=True):
    """What the devices that were read say now, of what HaaS manages.

    ``devices`` are those that were read; nothing is said of any other. ``vlans`` are the pool's ids
    on each switch, ``bridges`` the pool's bridges on the master.
    """

    devices: frozenset[str]
    ports: dict[PortRef, PortConfig] = {}
    vlans: dict[str, frozenset[int]] = {}
    bridges: frozenset[int] = frozenset()
    headnodes: dict[str, HeadnodeSeen] = {}


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as it was applied. ``observed`` None: the device does not show it."""

    device: str
    kind: str
    target: str
    applied: PortConfig | HeadnodeSeen | bool
    observed: PortConfig | HeadnodeSeen | bool | None


class Uptime(NamedTuple):
    """Uptime in seconds, rounded down to the unit that the switch reports in.

    ``resolution`` is that unit in seconds: 60 for minutes, 86400 for days.
    """

    seconds: float
    resolution: float


class Probed(msgspec.Struct, frozen=True):
    """What a switch says it is. ``ports``: by canonical name, what each carries now.

    ``vlans`` exist on it, or are carried by a port. ``model`` and ``version`` are empty where it
    does not say; ``said`` is all it says of itself.
    """

    prompt: str
    model: str
    version: str
    said: list[str]
    ports: dict[str, PortConfig]
    vlans: frozenset[int]
