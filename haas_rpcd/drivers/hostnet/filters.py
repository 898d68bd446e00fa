"""Filters on HaaS's interfaces: what may pass from a network to the master, and from a headnode.

They are filters of traffic control (``tc``), attached to both directions of an interface by the
``clsact`` queueing discipline. Three reasons, against a table of nftables:

- They belong to the interface. They come and go with it, and whoever reloads the master's firewall
  (``nft flush ruleset``, as Debian's nftables.service does) does not remove them.
- A filter at the ingress of a *bridge* sees only the frames that go up to the master. Frames that
  are forwarded between ports never pass it, so it costs tenants nothing.
- Every distribution's kernel has the modules (sch_ingress, cls_matchall, cls_u32, act_gact,
  act_vlan) and loads them by itself. No program is needed: the daemon speaks netlink.

Linux hands a frame to packet sockets of all protocols (tcpdump) before these filters. That is the
administrator's own doing.

Sources: ``tc(8)``, ``tc-u32(8)``, ``tc-matchall(8)``, and ``br_handle_frame()`` in Linux's
``net/bridge/br_input.c`` for what a bridge does with reserved addresses.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from socket import htons
from typing import Any, Literal

from pyroute2.netlink import NLA_F_NESTED

INGRESS = 0xFFFFFFF2
EGRESS = 0xFFFFFFF3
HOOKS = {"ingress": INGRESS, "egress": EGRESS}

_ETH_P_ALL = 0x0003
VLAN = 1
"""The one VLAN id of a bridge, inside it only. A port that is not in it carries nothing."""

PROTOCOLS = {"all": _ETH_P_ALL, "802.1Q": 0x8100, "802.1ad": 0x88A8}
_DROP, _PASS = 2, 0  # TC_ACT_SHOT, TC_ACT_OK
_PUSH = 2  # TCA_VLAN_ACT_PUSH
_SELECTOR = struct.Struct("=BBBxHHhhI")  # struct tc_u32_sel (linux/pkt_cls.h), without its keys

Key = tuple[int, int, int]
"""A value, a mask, and their offset from the start of the network header, in bytes."""


@dataclass(frozen=True)
class Filter:
    """One filter. Those of one direction are tried by ``prio``; the first that matches decides.

    A priority is used in one direction only: the kernel lists filters of kind ``u32`` under both.

    ``keys`` must all match; without any, every frame of the protocol does. ``admit`` gives the
    frame the tag of the bridge's one VLAN. ``other`` is the kind of a filter that HaaS does not
    make.
    """

    hook: Literal["ingress", "egress"]
    prio: int
    protocol: str = "all"
    keys: tuple[Key, ...] = ()
    action: Literal["drop", "admit", "other"] = "drop"
    other: str = ""

    @property
    def kind(self) -> str:
        """The kernel's classifier: ``matchall`` or ``u32``."""
        return "u32" if self.keys else "matchall"

    def line(self, name: str) -> str:
        """Return the line of ``tc`` that adds it to an interface."""
        matches = "".join(
            f" match u32 {value:#010x} {mask:#010x} at {at}" for value, mask, at in self.keys
        )
        action = "drop" if self.action == "drop" else f"vlan push id {VLAN} pass"
        return (
            f"tc filter add dev {name} {self.hook} prio {self.prio} protocol {self.protocol} "
            f"{self.kind}{matches} action {action}"
        )


# An Ethernet header is at -14 to -1: the destination from -14, the source from -8. The offsets of
# keys are multiples of 4, because tc takes no others.

RESERVED = ((0x00000180, 0x0000FFFF, -16), (0xC2000000, 0xFFFFFFF0, -12))
"""01:80:C2:00:00:00 to 0F: spanning tree, pause, LACP, 802.1X, LLDP (IEEE 802.1Q, table 8-1).

A bridge hands most of them to the port's own stack instead of forwarding them, whatever is in the
frame: an IP packet to 01:80:C2:00:00:0E would be received on ``eth0.104`` or on a tap.
"""

CISCO = ((0x00000100, 0x0000FFFF, -16), (0x0CCCCCCC, 0xFFFFFFFE, -12))
"""01:00:0C:CC:CC:CC and CD: CDP, VTP, DTP, UDLD, and the spanning tree of a VLAN (PVST+).

Switches send them untagged or in a VLAN and trust what they hear on a trunk.
"""

REGISTRATION = ((0x00000180, 0x0000FFFF, -16), (0xC2000020, 0xFFFFFFF0, -12))
"""01:80:C2:00:00:20 to 2F: GVRP and MVRP, by which a neighbour asks a switch for VLANs (IEEE
802.1Q, table 10-1)."""

BRIDGE = (Filter("ingress", 1), Filter("egress", 11))
"""The master neither hears nor sends anything on a bridge."""

_UNTAGGED_ONLY = (
    Filter("ingress", 1, protocol="802.1Q"),
    Filter("ingress", 2, protocol="802.1ad"),
    Filter("ingress", 3, keys=RESERVED),
)

VLAN_LINK = (
    *_UNTAGGED_ONLY,
    Filter("ingress", 4, action="admit"),
    Filter("egress", 11, protocol="802.1Q"),
    Filter("egress", 12, protocol="802.1ad"),
    Filter("egress", 13, keys=RESERVED),
    Filter("egress", 14, keys=CISCO),
    Filter("egress", 15, keys=REGISTRATION),
)
"""Frames get the tag of the bridge's VLAN as they come in. br_netfilter leaves tagged frames alone
(unless ``bridge-nf-filter-vlan-tagged`` is on), so the master's firewall does not see them. The
bridge's own ``nf_call_iptables`` cannot keep it off: it is ignored while the one of the whole
system is on (``br_nf_pre_routing()`` in Linux's ``net/bridge/br_netfilter_hooks.c``).

A frame leaves on the trunk with its network's tag as its only one. A switch that strips the outer
tag, as one does of its native VLAN, would forward an inner one.
"""

TAP_ANY_SOURCE = (*_UNTAGGED_ONLY, Filter("ingress", 4, action="admit"))
"""A headnode that may send from any MAC sends untagged frames, to no reserved address."""


def tap(mac: str) -> tuple[Filter, ...]:
    """Return the filters of a headnode's tap: it sends untagged frames from its own MAC only."""
    high, low = struct.unpack("!IH", bytes.fromhex(mac.replace(":", "")))
    own = ((high, 0xFFFFFFFF, -8), (low << 16, 0xFFFF0000, -4))
    return (
        *_UNTAGGED_ONLY,
        Filter("ingress", 4, keys=own, action="admit"),
        Filter("ingress", 5),
    )


# --- netlink --------------------------------------------------------------------------------------


def info(filter: Filter) -> int:
    """Return a filter's priority and protocol as netlink has them."""
    number = PROTOCOLS.get(filter.protocol) or int(filter.protocol)
    return filter.prio << 16 | htons(number)


def read(hook: Literal["ingress", "egress"], message: Any) -> Filter | None:
    """Parse the kernel's RTM_NEWTFILTER message; None for the head of a table of filters."""
    kind, options = message.get_attr("TCA_KIND"), message.get_attr("TCA_OPTIONS")
    if not message["handle"] or options is None:
        return None
    number, prio = htons(message["info"] & 0xFFFF), message["info"] >> 16
    protocol = next((name for name, known in PROTOCOLS.items() if known == number), str(number))
    keys: tuple[Key, ...] = ()
    if kind == "u32":
        selector = options.get_attr("TCA_U32_SEL")
        if selector is None:
            return None
        keys = _keys(selector)
    elif kind != "matchall":
        return Filter(hook, prio, protocol, other=kind)
    action = options.get_attr(f"TCA_{kind.upper()}_ACT")
    return Filter(hook, prio, protocol, keys, _action(action))


def _keys(selector: Any) -> tuple[Key, ...]:
    """Parse struct tc_u32_sel and its keys. pyroute2 0.9 reads the keys 4 bytes too early."""
    content = bytes(selector.data[selector.offset + 4 : selector.offset + selector.length])
    keys = content[_SELECTOR.size :]
    masks, offsets = struct.iter_unpack("!II8x", keys), struct.iter_unpack("=8xi4x", keys)
    return tuple((value, mask, at) for (mask, value), (at,) in zip(masks, offsets, strict=True))


def _action(found: Any) -> Literal["drop", "admit", "other"]:
    first = None if found is None else found.get_attr("TCA_ACT_PRIO_1")
    if first is None or found.get_attr("TCA_ACT_PRIO_2") is not None:
        return "other"
    kind, options = first.get_attr("TCA_ACT_KIND"), first.get_attr("TCA_ACT_OPTIONS")
    if kind == "gact" and options.get_attr("TCA_GACT_PARMS")["action"] == _DROP:
        return "drop"
    if kind == "vlan" and options.get_attr("TCA_VLAN_PUSH_VLAN_ID") == VLAN:
        parameters = options.get_attr("TCA_VLAN_PARMS")
        if (parameters["v_action"], parameters["action"]) == (_PUSH, _PASS):
            return "admit"
    return "other"


def u32_options(filter: Filter) -> bytes:
    """Return TCA_OPTIONS of a filter of kind ``u32``. pyroute2 knows no negative offsets."""
    selector = _SELECTOR.pack(1, 0, len(filter.keys), 0, 0, 0, 0, 0)  # 1: terminal
    for value, mask, at in filter.keys:
        selector += struct.pack("!II", mask, value) + struct.pack("=ii", at, 0)
    # struct tc_gact: index, capab, action, refcnt, bindcnt
    general = struct.pack("=IIiii", 0, 0, _DROP if filter.action == "drop" else _PASS, 0, 0)
    if filter.action == "drop":
        kind, options = b"gact\0", _attribute(2, general)
    else:  # struct tc_vlan: the same, and v_action
        kind, options = b"vlan\0", _attribute(2, general + struct.pack("=i", _PUSH))
        options += _attribute(3, struct.pack("=H", VLAN))
    action = _attribute(1, kind) + _attribute(2 | NLA_F_NESTED, options)
    return _attribute(5, selector) + _attribute(7, _attribute(1, action))


def _attribute(number: int, content: bytes) -> bytes:
    header = struct.pack("=HH", 4 + len(content), number)
    return header + content + bytes(-len(content) % 4)
