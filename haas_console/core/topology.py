"""The picture of the data centre, drawn from the inventory. Pure.

The nics of nodes are on the left, the switches with their ports in the middle, and on the right,
past the trunk, the master with its bridges and headnodes. Only visible lines are drawn:
:class:`Picture` computes where each one is, and draws it on demand.
"""

from __future__ import annotations

from bisect import bisect_right

from haas_console.core.cablingtext import LOOKS, SIGNS, SWAPPED
from haas_console.core.colours import network_look
from haas_console.core.contact import SILENT, sign
from haas_console.core.inventory import Inventory
from haas_console.core.master import RAIL, master_lines, master_width
from haas_console.core.natural import natural
from haas_console.core.portviews import (
    DRIFTED,
    Plug,
    PortView,
    Span,
    network_of,
    plugs,
    view,
    vlan_text,
)
from haas_console.core.topology_parts import Block, Spot, Widths
from haas_schemas.node import Nic, Node

WIDE = 116
"""From this width on, there is room for ``access`` and the names of networks."""

WIRES = {"connected": "─", "staged": "╌", "parked": "·", "unconfirmed": "?"}
"""The wire of a nic by the state of its port: distinct even without colours."""

_SIDE: Span = ("│", "rule")


class Picture:
    """The picture at one moment, for one width."""

    def __init__(self, inventory: Inventory, project: str | None, width: int) -> None:
        self.inventory = inventory
        self.project = project
        self._plugged = plugs(inventory)
        self.blocks = self._blocks()
        self._starts: list[int] = []
        at = 0
        for block in self.blocks:
            self._starts.append(at)
            at += block.height
        self.right = master_lines(inventory, width >= WIDE)
        self.widths = self._widths(width)
        self._rail_end = self._last_trunk()
        self._height = max(at, len(self.right))

    # --- what there is ---

    def _blocks(self) -> list[Block]:
        inventory = self.inventory
        names = sorted({*inventory.switches, *self._plugged}, key=natural)
        blocks = [self._block(name) for name in names]
        loose = [
            (node, nic)
            for node in inventory.nodes.values()
            for nic in node.nics
            if nic.state == "unwired"
        ]
        if loose:
            blocks.append(Block(None, {}, [], 0, len(loose) + 2, loose))
        return blocks

    def _block(self, switch: str) -> Block:
        plugged = self._plugged.get(switch, {})
        known = self.inventory.ports.get(switch)
        trunks = [p.port for p in known if p.role == "trunk"] if known is not None else [""]
        access = sum(p.role == "access" and p.port not in plugged for p in known or ())
        height = 1 + len(plugged) + (access > 0) + len(trunks) + 1 + 1
        return Block(switch, plugged, trunks, access, height)

    def _widths(self, width: int) -> Widths:
        nodes = self.inventory.nodes.values()
        node = max((len(n.node) for n in nodes), default=4) + 2
        nic = max((len(i.nic) for n in nodes for i in n.nics), default=3) + 2
        port = max((len(p) for ports in self._plugged.values() for p in ports), default=4)
        wide = width >= WIDE
        right = min(master_width(self.right), max(29, width // 3))
        node, nic, port = min(node, 24 if wide else 11), min(nic, 20 if wide else 13), min(port, 14)
        wire = 7 if wide else 1
        box = width - (node + 1 + nic + wire) - len(RAIL) - right - 2
        most = port + (40 if wide else 22)
        return Widths(node, nic, max(16, min(box, most)), port, right, wide)

    def _last_trunk(self) -> int:
        """The last line of the rail to the master."""
        last = 0
        for start, block in zip(self._starts, self.blocks, strict=True):
            if block.trunks:
                last = start + block.height - 3
        return last

    # --- lines ---

    def __len__(self) -> int:
        return self._height

    def _find(self, index: int) -> tuple[Block, int] | None:
        at = bisect_right(self._starts, index) - 1
        if at < 0 or index - self._starts[at] >= self.blocks[at].height:
            return None
        return self.blocks[at], index - self._starts[at]

    def spot(self, index: int) -> Spot:
        """What is at a line."""
        found = self._find(index)
        if found is None:
            return Spot()
        block, at = found
        if not 1 <= at <= block.count + (block.free > 0) + len(block.trunks):
            return Spot(block.switch)
        if at <= block.count:
            port, plug = block.entries[at - 1]
            if block.switch is None:
                return Spot(None, None, plug)
            return Spot(block.switch, self._view(block.switch, port, plug), plug)
        trunk = at - 1 - block.count - (block.free > 0)
        if trunk < 0 or not block.trunks[trunk] or block.switch is None:
            return Spot(block.switch)
        return Spot(block.switch, self._trunk(block.switch, block.trunks[trunk]))

    def _trunk(self, switch: str, name: str) -> PortView:
        known = next(p for p in self.inventory.ports[switch] if p.port == name)
        return view(self.inventory, switch, name, known, None)

    def _view(self, switch: str, port: str, plug: Plug | None) -> PortView:
        return view(self.inventory, switch, port, None, plug)

    def switches_in(self, first: int, last: int) -> list[str]:
        """The switches between two lines."""
        return [
            block.switch
            for start, block in zip(self._starts, self.blocks, strict=True)
            if block.switch is not None and start <= last and start + block.height > first
        ]

    def line_of(self, switch: str, port: str | None = None) -> int | None:
        """The line of a switch, or of one of its ports."""
        for start, block in zip(self._starts, self.blocks, strict=True):
            if block.switch == switch:
                for number, (name, _) in enumerate(block.entries, 1):
                    if name == port:
                        return start + number
                return start
        return None

    def find(self, text: str, after: int) -> int | None:
        """The next line whose switch, port, node or nic contains the text."""
        wanted = text.lower()
        lines = [*range(after + 1, self._height), *range(after + 1)]
        return next((i for i in lines if wanted in self._names(i)), None)

    def _names(self, index: int) -> str:
        found = self._find(index)
        if found is None:
            return ""
        block, at = found
        if at == 0:
            return block.switch or ""
        if at > block.count:
            return ""
        port, plug = block.entries[at - 1]
        return f"{port} {plug[0].node}:{plug[1].nic}".lower() if plug else port.lower()

    def line(self, index: int) -> list[Span]:
        """Draw a line: nics, switch, rail, master."""
        left, right = self.halves(index)
        return left + right

    def halves(self, index: int) -> tuple[list[Span], list[Span]]:
        """Draw a line in two halves: nics and switch; rail and master."""
        w = self.widths
        left = w.node + 1 + w.nic + (7 if w.wide else 1)
        found = self._find(index)
        tap = False
        if found is None:
            spans: list[Span] = [(" " * (left + w.box + 2), "")]
        else:
            spans, tap = self._block_line(*found, left)
        return spans, [self._rail(index, tap), *self._master(index)]

    def _block_line(self, block: Block, at: int, left: int) -> tuple[list[Span], bool]:
        w = self.widths
        inner = w.box
        if at == 0 and block.switch is None:
            return [(_fit("plugged into no registered port:", left + inner + 2), "dim")], False
        if at == 0:
            return [(" " * left, ""), *self._head(block.switch or "", inner)], False
        at -= 1
        if at < block.count:
            return self._entry(block, at, left), False
        at -= block.count
        if block.switch is None:
            return [(" " * (left + inner + 2), "")], False
        if block.free and at == 0:
            text = f" {block.free} more, no nic"
            return [(" " * left, ""), _SIDE, (_fit(text, inner), "dim"), _SIDE], False
        at -= block.free > 0
        if at < len(block.trunks):
            name = block.trunks[at]
            trunk = self._trunk(block.switch, name) if name else None
            carried = vlan_text(trunk) + (DRIFTED if trunk.drift else "") if trunk else ""
            if trunk and trunk.leads_to:
                sign = SWAPPED if trunk.wrong else "=" if trunk.declared else "to"
                carried += f" {sign} {trunk.leads_to}"
            text = f"{name} {carried}".strip()
            text = f"trunk {text}".strip() if len(text) + 6 < inner else text
            text = _fit(text, inner - 1).rstrip().rjust(inner - 1) + " "
            look = "bad" if trunk and (trunk.drift or trunk.wrong) else "head"
            return [(" " * left, ""), _SIDE, (text, look), ("[", "head")], True
        if at == len(block.trunks):
            return [(" " * left, ""), ("└" + "─" * inner + "┘", "rule")], False
        return [(" " * (left + inner + 2), "")], False

    def _head(self, switch: str, inner: int) -> list[Span]:
        known = self.inventory.switches.get(switch)
        title, drifted = f" {switch} ", self.inventory.drifted(switch)
        badge = f"{mark} " if (mark := sign(known)) == SILENT else ""
        badge += f"{drifted}{DRIFTED} " if drifted else ""
        more = f"{known.dialect} " if known else ""
        more += "unsaved! " if known and known.unsaved else ""
        more += f"VLAN {known.vlans} " if known and known.vlans else ""
        title = _fit(title, max(0, min(len(title), inner - 1 - len(badge))))
        more = _fit(more, min(len(more), max(0, inner - 1 - len(title) - len(badge))))
        tail = "─" * (inner - 1 - len(title) - len(badge) - len(more))
        parts = [("┌─", "rule"), (title, "head"), (badge, "bad"), (more, "dim")]
        parts.append((tail + "┐", "rule"))
        return [part for part in parts if part[0]]

    def _entry(self, block: Block, at: int, left: int) -> list[Span]:
        w = self.widths
        port, plug = block.entries[at]
        if plug is None:
            return [(" " * (left + w.box + 2), "")]
        node, nic = plug
        before = block.entries[at - 1][1] if at else None
        first = before is None or before[0].node != node.node
        mine = self.project is None or node.project in (self.project, None)
        name = f"={_fit(node.node, min(len(node.node), w.node - 2))}=" if first else ""
        label = f"<{_fit(nic.nic, min(len(nic.nic), w.nic - 2))}>"
        dim = "" if mine else "dim"
        spans: list[Span] = [(name, dim or "head"), (" " * (w.node + 1 - len(name)) + label, dim)]
        if block.switch is None:
            return [*spans, (" " * (left - w.node - 1 - len(label) + w.box + 2), "")]
        seen = self._view(block.switch, port, plug)
        look = self._look(seen, mine)
        wire = DRIFTED if seen.drift else WIRES[seen.state]
        wire = SWAPPED if seen.cabling == "swapped" else wire
        wire = wire * (left - w.node - 1 - len(label)) + "]"
        spans += [(wire, dim if seen.state == "parked" and not seen.drift else look)]
        sign = SIGNS.get(seen.cabling or "", " ")
        spans += [(_fit(f" {port}", w.port + 1), dim)]
        spans += [(sign, LOOKS.get(seen.cabling or "", "") or dim)]
        text, names, room = vlan_text(seen), self._names_of(node, nic), w.box - w.port - 2
        text += DRIFTED if seen.drift else ""
        text = f"access{text}{names}" if w.wide else text
        if len(text) + len(names) <= room and not w.wide:
            text += names
        if seen.drift and w.wide and len(text) + len(seen.drift) + 6 <= room:
            text += f"  now {seen.drift}"
        return [*spans, (_fit(text, room), look), _SIDE]

    def _names_of(self, node: Node, nic: Nic) -> str:
        if node.project is None:
            return f" {node.state}"
        if not nic.networks and not nic.staged:
            return ""
        return " " + (", ".join(k.network or "deleted" for k in nic.networks) or "parked")

    def _look(self, seen: PortView, mine: bool) -> str:
        if seen.drift or seen.cabling == "swapped":
            return "bad"
        if seen.state in ("staged", "unconfirmed"):
            return "staged" if seen.state == "staged" else "bad"
        if not mine or seen.state == "parked":
            return "dim"
        key = network_of(self.inventory, seen)
        return network_look(key) if key else ""

    # --- the right side ---

    def _rail(self, index: int, tap: bool) -> Span:
        top = 1  # the line of the master
        if not self.blocks or not any(b.trunks for b in self.blocks):
            return (" " * len(RAIL), "")
        end = max(self._rail_end, top)
        if index == top:
            return ("─┬─" if tap else " ┌─", "dim")
        if top < index < end:
            return ("─┤ " if tap else " │ ", "dim")
        if index == end:
            return ("─┘ " if tap else " │ ", "dim")
        return (" " * len(RAIL), "")

    def _master(self, index: int) -> list[Span]:
        return self.right[index] if index < len(self.right) else []


def _fit(text: str, width: int) -> str:
    if len(text) > width:
        return text[: max(0, width - 1)] + "…" if width > 1 else text[: max(0, width)]
    return text.ljust(width)
