"""The right side of the picture: the master, its bridges, and the headnodes on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from haas_console.core.colours import network_look
from haas_console.core.inventory import Inventory
from haas_console.core.portviews import DRIFTED, Span
from haas_schemas import headnode as states
from haas_schemas.headnode import Headnode

RAIL = " │ "
"""The line from the trunk ports to the master; each line of the rail is as wide."""


@dataclass
class Bridge:
    """A VLAN on the master, and its headnodes. ``sign``: ``+`` it is added, ``-`` removed."""

    vlan: int
    exists: bool = False
    wanted: bool = False
    headnodes: list[tuple[str, Headnode]] = field(default_factory=list)

    @property
    def sign(self) -> str:
        """What an apply does to it."""
        if self.exists == self.wanted:
            return " "
        return "+" if self.wanted else "-"


def bridges(inventory: Inventory) -> list[Bridge]:
    """The bridges of all known headnodes, by VLAN id."""
    found: dict[int, Bridge] = {}
    for headnode in inventory.headnodes_of(None):
        stays = headnode.state != "deleting"
        for nic in headnode.nics:
            for vlan in {nic.applied, nic.vlan} - {None}:
                bridge = found.setdefault(int(vlan or 0), Bridge(int(vlan or 0)))
                was, will = nic.applied == vlan, nic.vlan == vlan and stays
                bridge.exists |= was
                bridge.wanted |= will
                sign = " " if was and will else "-" if was else "+"
                bridge.headnodes.append((sign, headnode))
    return [found[vlan] for vlan in sorted(found)]


def state_text(headnode: Headnode) -> str:
    """``running``; if an apply would change it, ``stopped → running*``, ``new*`` or ``deleting*``.

    With a sign if it is not as it was applied: ``≠ crashed → running*``. While a move is staged:
    ``running, moving to hv2*``.
    """
    text = _without_move(headnode)
    if headnode.moving_to is None:
        return text
    return f"{text.removesuffix('*')}, moving to {headnode.moving_to}*"


def _without_move(headnode: Headnode) -> str:
    if headnode.state == "staged":
        return "new*"
    if headnode.state == "deleting":
        return "deleting*"
    wanted = "running" if headnode.running else "stopped"
    sign = f"{DRIFTED} " if drifted(headnode) else ""
    if headnode.state != "unknown" and headnode.state != wanted:
        return f"{sign}{headnode.state} → {wanted}*"
    return f"{sign}{headnode.state}"


def drifted(headnode: Headnode) -> bool:
    """Return whether the hypervisor has something else than what was applied."""
    return headnode.observed is not None or headnode.state in states.DRIFTED


def master_lines(inventory: Inventory, wide: bool) -> list[list[Span]]:
    """The lines from the top of the picture; the second one is the master."""
    info = inventory.info
    if info is not None and not info.master:
        return [[], [("(no master is configured)", "dim")]]
    lines: list[list[Span]] = [[], [("<trunk-nic>=", ""), ("haas-master", "head"), ("=", "")]]
    names = {network.vlan: network for network in inventory.networks.values()}
    rule = "────" if wide else "─"
    for bridge in bridges(inventory):
        network = names.get(bridge.vlan)
        look = network_look(network.key) if network else ""
        look = {"+": "staged", "-": "leaves"}.get(bridge.sign, look)
        star = "*" if bridge.sign != " " else " "
        title = f"{network.project}/{network.network}" if network else "a deleted network"
        span = f"( ^br-vlan{bridge.vlan}^{rule}^trunk-nic.{bridge.vlan}^ )"
        if not wide:
            span = span[2:-2]
        lines += [[], [(f"{bridge.sign} ", look), (title, "dim")], [(span + star, look)]]
        for sign, headnode in bridge.headnodes:
            text = f"{sign} %{headnode.headnode}% {state_text(headnode)}"
            room = len(span) - 4 if wide else len(span)
            text = text.ljust(room) if len(text) <= room else text[: room - 1] + "…"
            part = (text, _headnode_look(sign, headnode))
            lines.append([("( ", look), part, (" )", look)] if wide else [part])
    loose = [
        h for h in inventory.headnodes_of(None) if not any(n.vlan or n.applied for n in h.nics)
    ]
    if loose:
        lines += [[], [("  on no network", "dim")]]
        lines += [[(f"  %{h.headnode}% {state_text(h)}", _headnode_look(" ", h))] for h in loose]
    return lines


def _headnode_look(sign: str, headnode: Headnode) -> str:
    if sign == "-" or headnode.state == "deleting":
        return "leaves"
    if drifted(headnode) or headnode.state == "unknown":
        return "drift"
    return "staged" if sign == "+" or "*" in state_text(headnode) else ""


def master_width(lines: list[list[Span]]) -> int:
    """The width of the lines, in columns."""
    return max((sum(len(text) for text, _ in line) for line in lines), default=0)
