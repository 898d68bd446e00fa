"""The three states, as the planner and the checks for drift compare them. No I/O."""

from __future__ import annotations

import msgspec

from haas_rpcd.devicenames import MASTER
from haas_rpcd.model import (
    BridgeSeen,
    Channel,
    HeadnodeNic,
    HeadnodeSeen,
    PortConfig,
    PortRef,
    PortSeen,
    SetNodePower,
)


class SwitchTraits(msgspec.Struct, frozen=True):
    """Traits of a switch that the planner depends on.

    ``declares_vlans``: a VLAN must be created before a port can carry it. ``saves``: the
    configuration must be saved to survive a restart. ``trunks``: number of registered trunk ports.
    """

    declares_vlans: bool
    saves: bool
    trunks: int


class Fabric(msgspec.Struct, frozen=True):
    """What trunk ports lead to, as far as an admin has declared it.

    - ``open_ends`` has every switch with the number of its trunk ports of which nothing is
      declared: they lead anywhere. One without any trunk port counts as one with one: what connects
      it with others, HaaS does not manage.
    - ``links`` are pairs of switches, ``hosts`` pairs of a hypervisor and a switch.
    - ``retired`` are the switches out of service.
    """

    open_ends: tuple[tuple[str, int], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    retired: frozenset[str] = frozenset()


class HeadnodeGoal(msgspec.Struct, frozen=True):
    """The desired state of a headnode. If ``present`` is false, it is to be deleted.

    It is on ``hypervisor``, or will be made there. ``move_to`` is where it is to be instead, and
    ``token`` identifies this move.
    """

    uuid: str
    image: str
    present: bool
    running: bool
    nics: tuple[HeadnodeNic, ...]
    hypervisor: str = MASTER
    move_to: str | None = None
    token: str = ""

    @property
    def place(self) -> str:
        """The hypervisor on which it is to be."""
        return self.move_to or self.hypervisor


class PortGoal(msgspec.Struct, frozen=True, gc=False):
    """The desired state of a port, and what is behind it: ``node-1:ipmi``, or the port's role.

    A ``trunk`` port always carries the whole pool, so its VLANs do not count as used. ``channel``:
    see :class:`SetPort`.
    """

    config: PortConfig
    behind: str
    trunk: bool = False
    channel: Channel | None = None


class AppliedPort(msgspec.Struct, frozen=True, gc=False):
    """What a port was last confirmed to carry. ``config`` is None if that is not known.

    ``channel``: see :class:`SetPort`.
    """

    config: PortConfig | None = None
    channel: Channel | None = None


class Desired(msgspec.Struct, frozen=True):
    """The desired state within the scope of one plan.

    ``networks`` has every VLAN that concerns the scope, with its network's name for summaries.
    ``retired`` are those of them that belong to no network any more: they are never made.
    ``passing`` are those of which only the existence on switches is planned. ``power`` has what is
    to be done to nodes once; what was done is not there any more.
    """

    ports: dict[PortRef, PortGoal] = {}
    headnodes: dict[str, HeadnodeGoal] = {}
    networks: dict[int, str] = {}
    retired: frozenset[int] = frozenset()
    passing: frozenset[int] = frozenset()
    power: tuple[SetNodePower, ...] = ()


class Applied(msgspec.Struct, frozen=True):
    """What the devices confirmed.

    - ``ports`` and ``headnodes`` are those of the scope. A headnode that is missing was never
      defined; one that is None may be half created.
    - ``hypervisors`` are those in service.
    - ``vlans``, by switch, and ``bridges``, by hypervisor, have the VLANs that concern the scope
      and exist or may exist; the value says whether that is confirmed.
    - ``elsewhere`` has, for each of these VLANs, the switches and hypervisors on which something
      outside the scope uses it.
    - ``copies`` has the hypervisors in service on which something is left of a headnode that is on
      another, or was copied in part.
    - ``placed`` has the hypervisor of each headnode that is not on the master.
    - ``fabric`` says what trunk ports lead to; None if nothing is declared of any.
    - ``unsaved`` has the switches with changes that no save has confirmed and that the scope is to
      save.
    """

    ports: dict[PortRef, AppliedPort] = {}
    headnodes: dict[str, HeadnodeSeen | None] = {}
    vlans: dict[str, dict[int, bool]] = {}
    bridges: dict[str, dict[int, bool]] = {}
    elsewhere: dict[int, frozenset[str]] = {}
    unsaved: frozenset[str] = frozenset()
    switches: dict[str, SwitchTraits] = {}
    hypervisors: frozenset[str] = frozenset({MASTER})
    placed: dict[str, str] = {}
    fabric: Fabric | None = None
    copies: dict[str, tuple[str, ...]] = {}


class Observed(msgspec.Struct, frozen=True):
    """The state of the ``devices`` that were read, as far as HaaS manages it.

    ``vlans`` has the ids of the pool that exist on each switch. ``bridges`` has what was read of
    each VLAN on each hypervisor.
    """

    devices: frozenset[str]
    ports: dict[PortRef, PortSeen] = {}
    vlans: dict[str, frozenset[int]] = {}
    bridges: dict[str, dict[int, BridgeSeen]] = {}
    headnodes: dict[str, HeadnodeSeen] = {}


class Difference(msgspec.Struct, frozen=True):
    """A target that is not as applied.

    ``applied`` is None for a port whose state is not known, ``observed`` for a target that the
    device does not show. ``channel``: that of a port; see :class:`SetPort`.
    """

    device: str
    kind: str
    target: str
    applied: PortConfig | HeadnodeSeen | bool | None
    observed: PortSeen | HeadnodeSeen | BridgeSeen | bool | None
    channel: Channel | None = None
