"""Ports as the screens show them: the nic behind, what is applied, what is staged. Pure.

Admins see all ports (``port.list``); a tenant sees those that the nics of its nodes name.
"""

from __future__ import annotations

import string
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from haas_console.core.cablingtext import SWAPPED, WORDS
from haas_console.core.colours import network_look
from haas_console.core.inventory import Inventory
from haas_console.core.natural import natural
from haas_console.core.trunktext import end_text
from haas_schemas.network import NetworkKey
from haas_schemas.node import Nic, NicNetwork, Node
from haas_schemas.switch import Port, Switch

Span = tuple[str, str]
"""Text, and the name of its style."""

DRIFTED = "≠"
"""The sign of drift."""

Plug = tuple[Node, Nic]
"""A node, and the nic that is plugged into a port."""


class PortView(msgspec.Struct, frozen=True):
    """One port of a switch.

    ``state`` is ``trunk``, ``connected`` or ``parked`` (both confirmed, nothing staged), ``staged``
    (an apply would change it) or ``unconfirmed`` (what it carries is not known).
    """

    switch: str
    port: str
    state: str
    role: str = "access"
    node: Node | None = None
    nic: Nic | None = None
    project: str | None = None
    applied: tuple[NicNetwork, ...] | None = None
    staged: tuple[NicNetwork, ...] = ()
    tagged: str = ""
    """The VLAN ids that the switch has confirmed on a trunk."""
    drift: str | None = None
    """What it carries instead of what is applied, if it has drifted."""
    cabling: str | None = None
    """Whether its nic is seen on it; None: never checked."""
    stranger: str | None = None
    """What was heard on it that nobody registered."""
    leads_to: str | None = None
    """The switch at the other end of its cable, and its port there; or a hypervisor."""
    declared: bool = False
    """True if an admin has declared what it leads to; otherwise LLDP shows it."""
    wrong: str | None = None
    """The neighbour by which LLDP contradicts the declaration."""

    @property
    def shown(self) -> NicNetwork | None:
        """Its main network: the first staged one, otherwise the one that it leaves."""
        links = self.staged or (self.applied or ())
        return links[0] if links else None

    @property
    def behind(self) -> str:
        """``node-1:primary-nic``, or empty."""
        return f"{self.node.node}:{self.nic.nic}" if self.node and self.nic else ""


def plugs(inventory: Inventory) -> dict[str, dict[str, Plug]]:
    """Switch -> port -> the nic behind it, for all known nodes."""
    found: dict[str, dict[str, Plug]] = {}
    for node in inventory.nodes.values():
        for nic in node.nics:
            for leg in nic.legs:
                found.setdefault(leg.switch, {})[leg.port] = (node, nic)
    return found


def views(inventory: Inventory, switch: str, plugged: dict[str, Plug]) -> list[PortView]:
    """All known ports of a switch, in natural order."""
    known = {port.port: port for port in inventory.ports.get(switch, ())}
    names = sorted({*known, *plugged}, key=natural)
    return [view(inventory, switch, name, known.get(name), plugged.get(name)) for name in names]


def view(
    inventory: Inventory, switch: str, name: str, port: Port | None, plug: Plug | None
) -> PortView:
    """One port, as its switch's list, its nic and the drift describe it."""
    seen = _view(switch, name, port, plug)
    found = inventory.drift.get((switch, name))
    known = inventory.switches.get(switch)
    cabling = plug[1].cabling if plug is not None else None
    stranger = port.stranger if port is not None else None
    if cabling is not None or stranger is not None:
        seen = replace(seen, cabling=cabling, stranger=stranger)
    if known is not None and (known.links or known.trunks):
        seen = _led(seen, known)
    return seen if found is None or found.kind != "port" else replace(seen, drift=found.observed)


def _led(seen: PortView, switch: Switch) -> PortView:
    """A port with what it leads to: as declared, or else as LLDP tells."""
    for end in switch.trunks:
        if end.port == seen.port:
            return replace(seen, leads_to=end_text(end), declared=True, wrong=end.wrong)
    for link in switch.links:
        if link.port == seen.port:
            return replace(seen, leads_to=f"{link.peer} {link.peer_port}")
    return seen


def _view(switch: str, name: str, port: Port | None, plug: Plug | None) -> PortView:
    if plug is not None:
        node, nic = plug
        state: str = nic.state if nic.state in ("staged", "unconfirmed") else "connected"
        if state == "connected" and not nic.networks:
            state = "parked"
        return PortView(
            switch, name, state, "access", node, nic, node.project, nic.applied, nic.networks
        )
    if port is None or port.applied is None:
        role = port.role if port else "access"
        return PortView(switch, name, "unconfirmed", role)
    if port.role == "trunk":
        return PortView(switch, name, "trunk", "trunk", tagged=port.applied.tagged)
    vlan = port.applied.untagged
    links = () if vlan is None else (NicNetwork(None, vlan),)
    return PortView(switch, name, "connected" if links else "parked", applied=links, staged=links)


def network_of(inventory: Inventory, seen: PortView) -> NetworkKey | None:
    """The main network of a port."""
    link = seen.shown
    if link is None or link.network is None or seen.project is None:
        return None
    found = inventory.network(seen.project, link.network)
    return found.key if found else None


def nic_network(inventory: Inventory, node: Node, nic: Nic) -> NetworkKey | None:
    """The first network of a nic; None if it is on none."""
    name = nic.networks[0].network if nic.networks else None
    found = inventory.network(node.project, name) if node.project and name else None
    return found.key if found else None


def nic_look(inventory: Inventory, node: Node, nic: Nic) -> str:
    """The style of the first network of a nic; empty if it is on none."""
    key = nic_network(inventory, node, nic)
    return network_look(key) if key else ""


def letters(inventory: Inventory) -> dict[NetworkKey, str]:
    """A letter for each network, if possible one of its name."""
    found: dict[NetworkKey, str] = {}
    taken: set[str] = set()
    for key in sorted(inventory.networks):
        wanted = [c for c in key[1] if c.isalpha()]
        letter = _free((*wanted, *(c.upper() for c in wanted), *string.ascii_letters), taken)
        found[key] = letter
        taken.add(letter)
    return found


def _free(wanted: Iterable[str], taken: set[str]) -> str:
    return next((c for c in wanted if c not in taken), "#")


# --- in words -------------------------------------------------------------------------------------


def _ids(links: tuple[NicNetwork, ...] | None) -> str:
    if links is None:
        return "{?}"
    return "{" + (",".join(("+" if k.tagged else "") + str(k.vlan) for k in links) or "-") + "}"


def vlan_text(seen: PortView) -> str:
    """``{104}`` applied, ``{-}`` parked, ``{?}`` unconfirmed; ``{-}→{104}*`` staged."""
    if seen.role == "trunk":
        return "{?}" if seen.state == "unconfirmed" else "{" + (seen.tagged or "-") + "}"
    before, after = _ids(seen.applied), _ids(seen.staged)
    changes = seen.state == "staged" or (seen.state == "unconfirmed" and seen.staged)
    return f"{before}→{after}*" if changes else before


def names_text(links: tuple[NicNetwork, ...] | None) -> str:
    """``lab (104), +storage (105)``; ``parked``; ``unconfirmed``."""
    if links is None:
        return "unconfirmed"
    words = [f"{'+' if k.tagged else ''}{k.network or 'deleted'} ({k.vlan})" for k in links]
    return ", ".join(words) or "parked"


def describe(seen: PortView) -> str:
    """One port in a line: the nic behind it, its project, what is applied and staged."""
    head = f"{seen.switch} {seen.port}"
    if seen.role == "trunk":
        carries = seen.tagged or ("unconfirmed" if seen.state == "unconfirmed" else "no VLAN")
        leads = ""
        if seen.leads_to:
            leads = f"   {'declared to lead' if seen.declared else 'leads'} to {seen.leads_to}"
        if seen.wrong:
            leads += f"   {SWAPPED} {seen.wrong}"
        return f"{head}   trunk   carries {carries}{leads}{_drifted(seen)}"
    parts = [head, seen.behind or "no nic behind it"]
    if seen.nic is not None and seen.nic.kind == "bmc":
        parts[-1] += " (bmc)"
    if seen.node is not None:
        parts.append(f"project {seen.project}" if seen.project else seen.node.state)
    networks = f"applied {names_text(seen.applied)}" if seen.applied else names_text(seen.applied)
    if seen.state == "staged" or (seen.state == "unconfirmed" and seen.staged):
        networks += f" → staged {names_text(seen.staged)}*"
    parts.append(networks)
    if seen.cabling is not None:
        parts.append(WORDS[seen.cabling])
    if seen.stranger is not None:
        parts.append(f"stranger {seen.stranger}")
    return "   ".join(parts) + _drifted(seen)


def _drifted(seen: PortView) -> str:
    return "" if seen.drift is None else f"   {DRIFTED} drifted, now {seen.drift}"
