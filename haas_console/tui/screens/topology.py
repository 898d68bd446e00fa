"""The picture of the data centre, kept current."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.objects import Ref, nic_ref, port_ref
from haas_console.core.portviews import describe
from haas_console.core.sync import Changes
from haas_console.core.topology import Picture
from haas_console.core.topology_parts import Spot
from haas_console.tui.bars import Bar
from haas_console.tui.cabling import check
from haas_console.tui.lines import Lines, Part
from haas_console.tui.prompt import Question
from haas_console.tui.reading import Reader
from haas_console.tui.screen import ConsoleScreen


class TopologyLines(Lines):
    """The picture; only visible lines are made."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.picture: Picture | None = None

    def count(self) -> int:
        """One line for each of the picture."""
        return len(self.picture) if self.picture else 0

    def parts(self, index: int, width: int) -> list[Part]:
        """A line of the picture; under the cursor, only its names are highlighted."""
        if self.picture is None:
            return []
        left, right = self.picture.halves(index)
        if index == self.cursor:
            over = "cursor" if self.has_focus else "blur"
            named = [any(c.isalnum() for c in text) for text, _ in left]
            left = [
                (text, f"{look} {over}" if name else look)
                for (text, look), name in zip(left, named, strict=True)
            ]
            if not any(named):
                left = [("▶", over), *_without(left, 1)]
        return left + right

    def line_look(self, index: int) -> str:
        """Give the line under the cursor no style: sending all of it would cost bytes."""
        return "spot" if index == self.cursor else ""

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; a double click opens what is there."""
        index = self.index_at(event.y)
        if index is not None:
            self.move_to(index)
            if event.chain == 2:
                self.screen.run_worker(self.screen.run_action("open"))


def _without(parts: list[Part], cells: int) -> list[Part]:
    """A line without its first cells."""
    (text, look), *rest = parts or [("", "")]
    return [(text[cells:], look), *rest]


class TopologyScreen(ConsoleScreen):
    """Nodes, switches, trunk, master, bridges and headnodes."""

    TITLE: ClassVar[str] = "Topology"
    NAME = "topology"
    AUTO_FOCUS = "#picture"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="topology.open"),
        Binding("w", "open_switch", "Face plate", id="topology.plate"),
        Binding("slash", "find", "Find", id="topology.find"),
        Binding("n", "find_next", "Next found", id="topology.next"),
        Binding("C", "check_cabling", "Check cabling", id="topology.check_cabling", show=False),
        Binding("tab,right_square_bracket", "switch(1)", "Next switch", id="topology.next_switch"),
        Binding(
            "shift+tab,left_square_bracket",
            "switch(-1)",
            "Switch before",
            id="topology.previous_switch",
            show=False,
        ),
    ]

    def compose_body(self) -> ComposeResult:
        """The picture, and a line on what is under the cursor."""
        self._sought = ""
        self._asked: set[str] = set()
        self._reader = Reader(self)
        yield TopologyLines(id="picture")
        yield Bar(id="detail")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide from tenants what reads switches."""
        info = self.session.inventory.info
        if action == "check_cabling" and info is not None and not info.admin:
            return False
        return super().check_action(action, parameters)

    @work(group="cabling", exclusive=True)
    async def action_check_cabling(self) -> None:
        """Read what all switches see, and compare it with where nics are registered."""
        await check(self, None)

    @property
    def lines(self) -> TopologyLines:
        """The widget of the picture."""
        return self.query_one(TopologyLines)

    # --- showing ---

    def changed(self, changes: Changes) -> None:
        """Draw the inventory as it is now."""
        if changes & {"node", "network", "headnode", "switch", "use", "info"}:
            spot, lines = self.spot, self.lines
            lines.picture = Picture(
                self.session.inventory, self.session.project, max(70, self.size.width - 1)
            )
            self._stay_on(spot)
            lines.changed()
            self._show_spot()
            self._fetch()

    @property
    def spot(self) -> Spot:
        """What is under the cursor."""
        picture = self.lines.picture
        return picture.spot(self.lines.cursor) if picture else Spot()

    def _stay_on(self, before: Spot) -> None:
        """Keep the cursor on its port when lines appear or disappear above it."""
        picture, lines = self.lines.picture, self.lines
        if picture is None or before.switch is None:
            return
        port = before.port.port if before.port else None
        now = picture.spot(lines.cursor)
        if (now.switch, now.port.port if now.port else None) != (before.switch, port):
            found = picture.line_of(before.switch, port)
            if found is not None:
                lines.cursor = found

    def _show_spot(self) -> None:
        spot = self.spot
        known = self.session.inventory.switches.get(spot.switch or "")
        if spot.port is not None:
            text = describe(spot.port)
        elif spot.plug is not None:
            text = f"{spot.plug[0].node}:{spot.plug[1].nic} is plugged into no registered port"
        elif known is not None:
            saved = "   not saved" if known.unsaved else ""
            where = f"{known.host}:{known.port}"
            text = f"{known.switch}   {known.dialect} at {where}   {known.ports} ports{saved}"
        else:
            text = f"switch {spot.switch}" if spot.switch else ""
        empty = "No switch yet: I opens the inventory's forms, F imports a site file."
        picture = self.lines.picture
        if picture is not None and not picture.blocks and self.session.inventory.info:
            text = (
                empty if self.session.inventory.info.admin else "There is no node to be seen yet."
            )
        self.query_one("#detail", Bar).show(Text(f" {text}"))

    def on_lines_moved(self, event: TopologyLines.Moved) -> None:
        """Show the details of the line under the cursor."""
        event.stop()
        self._show_spot()
        self._fetch()

    def _fetch(self) -> None:
        """Fetch the trunk ports of the visible switches."""
        info, lines = self.session.inventory.info, self.lines
        if lines.picture is None or info is None or not info.admin:
            return
        top = lines.scroll_offset.y
        seen = lines.picture.switches_in(top, top + max(lines.size.height, 40))
        known = self.session.inventory.ports
        missing = [name for name in seen if name not in known and name not in self._asked]
        if missing:
            self._asked.update(missing)
            self._fetch_ports(missing)

    @work(group="ports")
    async def _fetch_ports(self, switches: list[str]) -> None:
        for switch in switches:
            reading = self.session.sync.fetch_ports(switch)
            if await self._reader.read(reading, self._fetch, what=switch) is None:
                self._asked.discard(switch)
                return

    # --- keys ---

    def under_cursor(self) -> Ref | None:
        """The port, the nic that has none, or the switch."""
        spot = self.spot
        if spot.switch is not None and spot.port is not None:
            return port_ref(spot.switch, spot.port.port)
        if spot.plug is not None:
            return nic_ref(spot.plug[0].node, spot.plug[1].nic)
        return Ref("switch", spot.switch) if spot.switch is not None else None

    def action_open(self) -> None:
        """Show all of the port under the cursor, of the nic that has none, or of the switch."""
        if (ref := self.under_cursor()) is None:
            self.fail("There is nothing to open on this line.")
        else:
            self.console.navigation.open_details(ref)

    def action_open_switch(self) -> None:
        """Show the face plate of the switch under the cursor."""
        spot = self.spot
        if spot.switch is None and self.session.inventory.switches:
            self.fail("There is no switch on this line.")
            return
        if spot.switch is None:
            self.console.navigation.open("switch")  # it says how one is registered
            return
        port = spot.port.port if spot.port else None
        self.console.navigation.open_switch(spot.switch, port)

    def action_switch(self, by: int) -> None:
        """Go to the next switch, or the one before."""
        picture, lines = self.lines.picture, self.lines
        if picture is None:
            return
        starts = [picture.line_of(b.switch) for b in picture.blocks if b.switch is not None]
        heads = [at for at in starts if at is not None]
        ahead = [at for at in heads if at > lines.cursor]
        behind = [at for at in heads if at < lines.cursor]
        if by > 0 and ahead:
            lines.move_to(ahead[0])
        elif by < 0 and behind:
            lines.move_to(behind[-1])

    def action_find(self) -> None:
        """Go to what has the typed letters in its name."""
        self.put(Question("find: ", answer=self._find))

    def _find(self, text: str) -> None:
        self._sought = text.strip()
        self.action_find_next()

    def action_find_next(self) -> None:
        """Go to the next that fits."""
        picture = self.lines.picture
        if picture is None or not self._sought:
            self.fail("Find what? / asks.")
            return
        found = picture.find(self._sought, self.lines.cursor)
        if found is None:
            self.fail(f'There is no switch, port, node or nic with "{self._sought}" in its name.')
        else:
            self.lines.move_to(found)
