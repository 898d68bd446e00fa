"""The columns of the board: which fit a width, in what order, and what each shows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from haas_console.core.columns import Column, Shown, fitted
from haas_console.core.natural import natural
from haas_console.core.nictext import links_text, network_text
from haas_schemas.node import Nic, Node

NAMES = (
    "node", "state", "project", "nic", "port", "network", "mac", "kind", "tags", "until",
)  # fmt: skip
"""All columns there are."""

USUAL = NAMES[:6]
OF_NODES = frozenset({"node", "state", "project", "tags", "until"})
"""Columns that are the same for all nics of a node, and shown once for them."""

POWER = {"on": "↑", "off": "↓"}
"""The sign behind the state of a node that is on, or off; none while that is not known."""

MARK = 2
LEAST, MOST = 14, 24
"""Cells of the column of networks, if it is not the last."""


class Widths(msgspec.Struct, frozen=True):
    """The widest text in each column, in cells."""

    node: int = 4
    nic: int = 3
    project: int = 7
    port: int = 4
    tags: int = 4

    def of(self, name: str) -> int:
        """The natural width of a column, with room for the arrow in its title."""
        match name:
            case "node":
                return max(min(self.node, 20), 5)
            case "nic":
                return max(min(self.nic, 14), 4)
            case "project":
                return min(max(self.project, 7) + 1, 14)
            case "port":
                return min(self.port, 18)
            case "tags":
                return min(max(self.tags, 5), 20)
            case _:
                return {"state": 11, "mac": 17, "kind": 5, "until": 16}.get(name, LEAST)


def layout(
    width: int, widths: Widths, chosen: Sequence[Column], *, projects: bool, wide: bool
) -> Shown:
    """Return the columns that fit and their widths. The networks' takes what is left.

    ``chosen`` are those of console.toml, which fit from the first on. Without any, names and
    networks come first, and the project if there are several ``projects``; then state and port.
    ``wide``: all columns are wanted.
    """
    if chosen and not wide:
        order = [column.name for column in chosen]
        sizes = {column.name: column.width or widths.of(column.name) for column in chosen}
        wanted = order
    else:
        order = list(NAMES if wide else USUAL)
        sizes = {**{name: widths.of(name) for name in order}, "network": MOST}
        wanted = ["node", "nic", "network", "state", "port", "project", *order[6:]]
        if projects:
            wanted = ["node", "nic", "project", "network", "state", "port", *order[6:]]
    base = sizes.get("network", MOST)
    return fitted(width - MARK, order, wanted, sizes, "network", LEAST, base)


def cell(name: str, node: Node, nic: Nic | None, found: str | None = None) -> str:
    """The text of a cell; ``found`` is what the nic's port carries instead, if it drifted."""
    match name:
        case "node":
            return node.node
        case "state":
            return node.state if node.power is None else f"{node.state} {POWER[node.power]}"
        case "project":
            return node.project or "-"
        case "tags":
            return ",".join(node.tags) or "-"
        case "until":
            return node.until[:16].replace("T", " ") if node.until else "-"
        case "nic":
            return nic.nic if nic else "no nics"
        case "port":
            return (nic.place if nic else None) or "-"
        case "mac":
            return (nic.mac if nic else None) or "-"
        case "kind":
            return nic.kind if nic else "-"
        case _:
            if nic is None:
                return ""
            return network_text(nic, found) if node.state == "allocated" or found else ""


def sort_key(name: str, node: Node, nic: Nic | None) -> tuple[bool, str]:
    """What rows are compared by; those without a value come last."""
    if name == "network":
        text = links_text(nic.networks) if nic and nic.networks else ""
    else:
        text = cell(name, node, nic)
    return (text in ("", "-"), natural(text))
