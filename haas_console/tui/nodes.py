"""The board's left side: one line for each nic, grouped by node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from haas_console.core.board import Board, key_of
from haas_console.core.boardfilter import Row
from haas_console.core.gestures import DragItem
from haas_console.core.nictext import network_text
from haas_console.tui.grip import Grip
from haas_console.tui.lines import BAR, Lines, Part, cut
from haas_schemas.node import Nic

GAP = 1


class Columns(msgspec.Struct, frozen=True):
    """The width of each column in cells; 0 if there is no room for it."""

    node: int
    state: int
    project: int
    nic: int
    port: int
    network: int


def columns(width: int, board: Board) -> Columns:
    """Distribute a width: names and networks first, then state, project and port."""
    wide = board.widths
    node, nic = min(wide.node, 20), min(wide.nic, 14)
    left = width - 2 - node - nic - 2 * GAP
    network = min(24, max(14, left))
    left -= network
    state, project, port = 11, min(max(wide.project, 7), 14), min(wide.port, 18)
    sizes = {"state": 0, "port": 0, "project": 0}
    for name, size in (("state", state), ("port", port), ("project", project)):
        if left < size + GAP:
            break
        sizes[name] = size
        left -= size + GAP
    return Columns(
        node, sizes["state"], sizes["project"], nic, sizes["port"], network + max(0, left)
    )


STATE_LOOK = {"free": "good", "unconfirmed": "leaves", "releasing": "staged", "allocated": ""}


class NodeTable(Grip, Lines):
    """The nodes with their nics."""

    def __init__(self, board: Board, *, id: str) -> None:
        super().__init__(id=id)
        self.board = board
        self.project: str | None = None
        self.guide: list[str] = []
        self.items_of: Callable[[int], Sequence[DragItem]] = lambda index: ()
        self.found_on: Callable[[Nic | None], str | None] = lambda nic: None

    def items_at(self, index: int) -> Sequence[DragItem]:
        """What a drag from a line takes: one nic, or all that are marked."""
        return self.items_of(index)

    def count(self) -> int:
        """One line for each row of the board; if it is empty, the lines that say what to do."""
        return len(self.board.rows) or len(self.guide)

    def title(self) -> str:
        """The names of the columns."""
        at = columns(self.scrollable_content_region.width - BAR, self.board)
        names = ("node", "state", "project", "nic", "port", "network")
        cells = [cut(n, getattr(at, n)) for n in names if getattr(at, n)]
        return "  " + (" " * GAP).join(cells)

    def parts(self, index: int, width: int) -> list[Part]:
        """Mark, node, state, project, nic, port and network."""
        rows = self.board.rows
        if not rows:
            return [(f" {self.guide[index]}", "")]
        node, nic = row = rows[index]
        at = columns(width, self.board)
        first = index == 0 or rows[index - 1][0] is not node
        top = index == self.scroll_offset.y
        marked = key_of(row) in self.board.marks
        named = first or top
        parts: list[Part] = [("● " if marked else "  ", "mark" if marked else "")]
        parts.append((cut(node.node if named else "", at.node + GAP), "head" if first else "dim"))
        if at.state:
            look = STATE_LOOK.get(node.state, "")
            parts.append((cut(node.state if named else "", at.state + GAP), look))
        if at.project:
            mine = node.project == self.project
            text = (node.project or "-") if named else ""
            parts.append((cut(text, at.project + GAP), "" if mine else "dim"))
        parts.append((cut(nic.nic if nic else "no nics", at.nic + GAP), ""))
        if at.port:
            text = f"{nic.switch} {nic.port}" if nic and nic.port else "-"
            parts.append((cut(text, at.port + GAP), "dim"))
        found = self.found_on(nic)
        parts.append(_network(row, at.network, bool(at.state), found))
        return parts


def _network(row: Row, width: int, shown: bool, found: str | None) -> Part:
    nic = row[1]
    state = row[0].state
    if nic is not None and found is not None:
        return (cut(network_text(nic, found), width), "drift")
    if nic is None or state != "allocated":
        return ("" if shown else f"({state})", "dim")
    look = "staged" if nic.staged else "" if nic.networks else "dim"
    return (cut(network_text(nic), width), look)
