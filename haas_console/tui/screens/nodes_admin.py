"""The inventory for admins: what is registered, and the forms that register more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import filters
from haas_console.core.boardfilter import places_of
from haas_console.core.commands import Call
from haas_console.core.contact import contact_text, sign
from haas_console.core.inventory import Inventory
from haas_console.core.natural import natural
from haas_console.core.objects import Ref, nic_ref
from haas_console.core.sync import Changes
from haas_console.tui.bars import Bar
from haas_console.tui.cabling import prove
from haas_console.tui.lines import ClickableLines, Part, cut
from haas_console.tui.prompt import filter_question
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_schemas.node import Nic, Node
from haas_schemas.switch import Switch


@dataclass(frozen=True, slots=True)
class Item:
    """A line: a heading, a switch, or a node with one of its nics."""

    text: str = ""
    switch: Switch | None = None
    node: Node | None = None
    nic: Nic | None = None
    first: bool = False
    """Whether this is the first line of its node."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the line across changes."""
        return (
            self.switch.switch if self.switch else self.text,
            self.node.node if self.node else "",
            self.nic.nic if self.nic else "",
        )


def items(inventory: Inventory, wanted: str) -> list[Item]:
    """The switches, then the nodes with their nics, that fit a filter. Raises ValueError."""
    switches = sorted(inventory.switches.values(), key=lambda s: natural(s.switch))
    nodes = sorted(inventory.nodes.values(), key=lambda n: natural(n.node))
    registered = [Item(switch=switch) for switch in switches]
    for node in nodes:
        registered += [Item(node=node, nic=nic) for nic in node.nics] or [Item(node=node)]
    fit, _ = filters.fitting(registered, wanted, FIELDS, _cells)
    found = [Item("switches"), *(item for item in fit if item.switch), Item("nodes")]
    for item in fit:
        if item.node is not None:
            found.append(replace(item, first=found[-1].node is not item.node))
    return found


FIELDS: dict[str, Callable[[Item], Iterable[str]]] = {
    "switch": lambda item: (
        (item.switch.switch,)
        if item.switch
        else places_of(item.nic, lambda place: place.switch) or ("none",)
    ),
    "dialect": lambda item: (item.switch.dialect,) if item.switch else (),
    "host": lambda item: (item.switch.host,) if item.switch else (),
    "answers": lambda item: (_answers(item.switch),) if item.switch else (),
    "node": lambda item: (item.node.node,) if item.node else (),
    "state": lambda item: (item.node.state,) if item.node else (),
    "project": lambda item: (item.node.project or "none",) if item.node else (),
    "tag": lambda item: item.node.tags if item.node else (),
    "nic": lambda item: (item.nic.nic,) if item.nic else (),
    "kind": lambda item: (item.nic.kind,) if item.nic else (),
    "port": lambda item: places_of(item.nic, lambda place: place.port),
    "mac": lambda item: (item.nic.mac or "none",) if item.nic else (),
}


def _answers(switch: Switch) -> str:
    return {True: "yes", False: "no", None: "never-asked"}[switch.reachable]


def _cells(item: Item) -> Iterable[str]:
    """All that is shown of a line."""
    for values in FIELDS.values():
        yield from values(item)
    if item.nic is not None and item.nic.place:
        yield item.nic.place


class ItemLines(ClickableLines):
    """The lines of the inventory."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.items: list[Item] = []
        self._widths = (4, 3)

    def show_items(self, found: list[Item]) -> None:
        """Show these items; the cursor stays on its item."""
        key = self.items[self.cursor].key if self.cursor < len(self.items) else None
        self.items = found
        self._widths = (
            min(max((len(i.node.node) for i in found if i.node), default=4), 24),
            min(max((len(i.nic.nic) for i in found if i.nic), default=3), 20),
        )
        keys = [item.key for item in found]
        if key in keys:
            self.cursor = keys.index(key)
        elif key is None:
            self.cursor = min(1, max(0, len(found) - 1))
        self.changed()

    def count(self) -> int:
        """One line for each."""
        return len(self.items)

    def parts(self, index: int, width: int) -> list[Part]:
        """A heading, a switch, or a nic with its port."""
        item = self.items[index]
        if item.switch is not None:
            switch = item.switch
            text = f"{cut(switch.dialect, 14)} {switch.host}:{switch.port}   {switch.ports} ports"
            wrong = contact_text(switch)
            look = "drift" if switch.reachable is False else "staged"
            return [
                (f" {sign(switch) or ' '} ", look),
                (f"{cut(switch.switch, 16)} ", "head"),
                (text, ""),
                (f"   {wrong}" if wrong else "", look),
                ("   ! not saved" if switch.unsaved else "", "staged"),
                ("   ! retired" if switch.retired else "", "drift"),
            ]
        if item.node is None:
            return [(f" {item.text}", "mark")]
        node, nic = item.node, item.nic
        name = node.node if item.first or index == self.scroll_offset.y else ""
        look = {"free": "good", "unconfirmed": "staged", "releasing": "staged"}.get(node.state, "")
        parts: list[Part] = [
            (f"   {cut(name, self._widths[0] + 1)}", "head"),
            (cut(node.state if name else "", 12), look),
        ]
        if nic is None:
            return [*parts, ("no nic yet", "dim")]
        place = nic.place or "no port"
        return [
            *parts,
            (f"{cut(nic.nic, self._widths[1] + 1)}{cut(nic.kind, 5)}", ""),
            (f"{cut(place, 20)} {nic.mac or ''}", "dim" if nic.place is None else ""),
        ]


class InventoryScreen(ConsoleScreen):
    """What is registered, with keys that open the forms of methods."""

    TITLE: ClassVar[str] = "Inventory"
    NAME = "inventory"
    AUTO_FOCUS = "#items"
    CHANGES = frozenset({"register", "delete", "delete_node", "prove"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "register('switch')", "New switch", id="inventory.switch"),
        Binding("o", "register('port')", "Ports", id="inventory.port"),
        Binding("n", "register('node')", "New node", id="inventory.node"),
        Binding("i", "register('nic')", "New nic", id="inventory.nic"),
        Binding("x", "delete", "Delete", id="inventory.delete"),
        Binding("X", "delete_node", "Delete the node", id="inventory.delete_node", show=False),
        Binding("p", "prove", "Prove its cabling", id="inventory.prove", show=False),
        Binding("enter", "open", "Open", id="inventory.open"),
        Binding("f", "open_switch", "Face plate", id="inventory.plate", show=False),
        Binding("slash", "filter", "Filter", id="inventory.filter"),
    ]

    def compose_body(self) -> ComposeResult:
        """One list."""
        self.filter = ""
        yield Bar(id="title")
        yield ItemLines(id="items")

    @property
    def lines(self) -> ItemLines:
        """The list."""
        return self.query_one(ItemLines)

    @property
    def item(self) -> Item:
        """The item under the cursor."""
        lines = self.lines
        return lines.items[lines.cursor] if lines.cursor < len(lines.items) else Item()

    def changed(self, changes: Changes) -> None:
        """Show what is registered now."""
        if changes & {"node", "switch", "info"}:
            self._list()

    def _list(self) -> None:
        inventory = self.session.inventory
        self.lines.show_items(items(inventory, self.filter))
        text = f" {len(inventory.switches)} switches, {len(inventory.nodes)} nodes"
        if not inventory.switches:
            text = " Nothing is registered: s registers a switch, o its ports, n a node behind them"
        self.query_one("#title", Bar).show(
            Text(text + (f"   /{self.filter}" if self.filter else ""), "dim")
        )

    # --- keys ---

    def action_register(self, noun: str) -> None:
        """Open the form, with what is under the cursor filled in."""
        item = self.item
        given: dict[str, str] = {}
        if noun == "port" and item.switch is not None:
            given["switch"] = item.switch.switch
        elif noun == "nic" and item.node is not None:
            given["node"] = item.node.node
        self.console.navigation.open_form(f"{noun}.register", given)

    def under_cursor(self) -> Ref | None:
        """The switch, node or nic."""
        item = self.item
        if item.switch is not None:
            return Ref("switch", item.switch.switch)
        if item.node is not None and item.nic is not None and not item.first:
            return nic_ref(item.node.node, item.nic.nic)
        return Ref("node", item.node.node) if item.node is not None else None

    def action_open(self) -> None:
        """Show all of the switch, node or nic under the cursor."""
        if (ref := self.under_cursor()) is None:
            self.fail("There is nothing to open on this line.")
        else:
            self.console.navigation.open_details(ref)

    def action_open_switch(self) -> None:
        """Show the face plate of the switch, or of the one behind the nic."""
        item = self.item
        first = next(iter(item.nic.places), None) if item.nic else None
        name = item.switch.switch if item.switch else first.switch if first else None
        if name is None:
            self.fail("There is no switch on this line.")
            return
        port = first.port if first else None
        self.console.navigation.open_switch(name, port)

    @in_turn
    async def action_delete(self) -> None:
        """Delete what the line is about, after a question: a switch, a nic, or a node without."""
        item = self.item
        if item.switch is not None:
            await self._delete("switch", {"switch": item.switch.switch}, "with its ports")
        elif item.nic is not None and item.node is not None:
            await self._delete("nic", {"node": item.node.node, "nic": item.nic.nic}, "")
        elif item.node is not None:
            await self._delete("node", {"node": item.node.node}, "")
        else:
            self.fail("There is nothing under the cursor.")

    @in_turn
    async def action_delete_node(self) -> None:
        """Delete the node of the line with all its nics, after a question."""
        node = self.item.node
        if node is None:
            self.fail("There is no node under the cursor.")
        else:
            await self._delete("node", {"node": node.node}, "with its nics")

    async def _delete(self, noun: str, params: dict[str, str], more: str) -> None:
        what = f"{noun} {':'.join(params.values())} {more}".strip()
        if await self.confirm(f"delete {what}?"):
            await self.send([Call(f"{noun}.delete", params)])

    @in_turn
    async def action_prove(self) -> None:
        """Prove where the nics of the node of the line are plugged in, after a question."""
        node = self.item.node
        if node is None:
            self.fail("There is no node under the cursor.")
        else:
            await prove(self, node.node)

    def action_filter(self) -> None:
        """Show only lines that fit: words, field=value, ~regex, ! inverts."""
        self.put(filter_question(self.filter, self._filter))

    def _filter(self, text: str, final: bool) -> None:
        try:
            filters.parse_filter(text, FIELDS, _cells)
        except ValueError as error:
            if final:
                self.fail(str(error))
            return
        self.filter = text.strip()
        self._list()
