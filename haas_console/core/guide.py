"""Hints on what to do next: on an empty site, and as a tour of the demo. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from haas_console.core.inventory import Inventory


def empty_board(inventory: Inventory) -> list[str]:
    """The text of a board without nodes."""
    info = inventory.info
    if info is None:
        return ["Connecting to the daemon …"]
    if not info.admin:
        lines = ["There are no nodes for you here yet.", ""]
        if info.projects:
            return [*lines, "An admin registers nodes; they appear here by themselves."]
        lines += ["An admin adds you to a project:", f"  project add_member PROJECT {info.user}"]
        return lines
    steps = []
    if not inventory.switches:
        dialect = "cisco_ios" if "cisco_ios" in info.dialects else "DIALECT"
        steps += [
            f":switch register sw1 {dialect} HOST",
            ":port register sw1 Gi1/0/1 Gi1/0/2",
            ":port register sw1 Gi1/0/24 --role trunk   (the master's)",
        ]
    steps += [
        ':node register node-01 \'{"nic": "primary-nic", "switch": "sw1", "port": "Gi1/0/1"}\'',
        ":apply --site   (parks its ports)",
    ]
    if not inventory.projects:
        steps += [":project create NAME", ":project add_member NAME USER"]
    return [
        "This site has no nodes yet. Register them:",
        "",
        *(f"  {step}" for step in steps),
        "",
        "Tab completes, I has forms. Or, at once (F):",
        "  :site import FILE --dry_run",
    ]


def wrapped(lines: Sequence[str], width: int) -> list[str]:
    """Wrap lines at a width in cells; indent the continuation lines."""
    found: list[str] = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        more = f"{indent}    " if indent else ""
        broken = textwrap.wrap(line, max(20, width), subsequent_indent=more, break_on_hyphens=False)
        found += broken or [""]
    return found


def no_project(inventory: Inventory) -> str:
    """The text in place of the networks when there is no project."""
    info = inventory.info
    if info is None:
        return ""
    return "First  :project create NAME" if info.admin else "You are in no project yet."


def tour(inventory: Inventory, project: str | None) -> str | None:
    """The next step of the demo's tour towards a first apply; None at its end, and elsewhere."""
    if inventory.info is None or not inventory.info.demo:
        return None
    if project is None:
        names = sorted(inventory.projects)
        if not names:
            return "Tour: make a project:  :project create NAME"
        return f"Tour: press p, and choose the project {names[0]}."
    held = [n for n in inventory.nodes_of(project) if n.state == "allocated"]
    networks = [n for n in inventory.networks_of(project) if n.project == project]
    nics = [(n.node, i) for n in held for i in n.nics]
    if not held:
        return f"Tour 1/4: nothing here is real. A gives the node at the cursor to {project}."
    if not networks:
        return "Tour 2/4: make a network: press n, type lab, and Enter."
    name = networks[0].network
    if not any(nic.networks or nic.applied for _, nic in nics):
        node = held[0].node
        return (
            f"Tour 3/4: drag {node}:primary-nic onto {name}; or cursor on it, c {name[:2]} Enter."
        )
    if not any(nic.applied for _, nic in nics):
        return "Tour 4/4: press a: it shows the lines for the switch, then sends them."
    if not inventory.headnodes_of(project):
        return "Applied: the switch is set. Next: h makes a headnode; drag it onto a network."
    if inventory.staged_count(project):
        return "What you do is staged until you press a; z takes it back."
    return None
