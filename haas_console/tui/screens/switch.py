"""One switch's face plate, the list of switches, and what a switch answers when it is probed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from haas_console.core.board import natural
from haas_console.core.commands import Call
from haas_console.core.errors import ConsoleError
from haas_console.core.faceplate import labeller, legend, plate
from haas_console.core.live import Changes
from haas_console.core.portfetch import fetch_ports
from haas_console.core.portviews import PortView, describe, plugs, views
from haas_console.core.session import Session
from haas_console.tui.bars import Bar
from haas_console.tui.lines import Lines, Part, cut
from haas_console.tui.screen import ConsoleScreen
from haas_console.tui.screens.switch_plate import PlateLines


class SwitchList(Lines):
    """The switches by name; the one under the cursor is shown."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.names: list[str] = []
        self.unsaved: set[str] = set()

    def count(self) -> int:
        """A line for each switch."""
        return len(self.names)

    def parts(self, index: int, width: int) -> list[Part]:
        """Its name, and a sign when its configuration is not saved."""
        name = self.names[index]
        sign = "!" if name in self.unsaved else " "
        return [(cut(f" {name}", width - 2), ""), (f"{sign} ", "staged")]

    def on_click(self, event: events.Click) -> None:
        """Show the switch that is clicked."""
        index = self.index_at(event.y)
        if index is not None:
            self.move_to(index)


class SwitchScreen(ConsoleScreen):
    """A switch as one stands before it."""

    TITLE: ClassVar[str] = "Switch"
    NAME = "switch"
    AUTO_FOCUS = "#plate"
    DEFAULT_CSS = """
    SwitchScreen #switches { width: 18; border-right: solid $panel; }
    SwitchScreen #plate { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "probe", "Probe", id="switch.probe"),
        Binding("right_square_bracket", "switch(1)", "Next", key_display="]", id="switch.next"),
        Binding(
            "left_square_bracket", "switch(-1)", "Switch before", id="switch.previous", show=False
        ),
        Binding("tab", "other_side", "Other side", id="switch.other_side", show=False),
    ]

    def __init__(
        self, session: Session, switch: str | None = None, port: str | None = None
    ) -> None:
        super().__init__(session)
        self.switch = switch
        self._port = port
        self._asked: set[str] = set()
        self._answers: dict[str, list[list[Part]]] = {}
        self._views: dict[str, PortView] = {}

    def compose_body(self) -> ComposeResult:
        """The list, the picture, and a line on the port under the cursor."""
        with Horizontal(id="body"):
            yield SwitchList(id="switches")
            yield PlateLines(id="plate")
        yield Bar(id="detail")

    @property
    def names(self) -> SwitchList:
        """The list of switches."""
        return self.query_one(SwitchList)

    @property
    def plate(self) -> PlateLines:
        """The picture's widget."""
        return self.query_one(PlateLines)

    # --- showing ---

    def changed(self, changes: Changes) -> None:
        """Show the switch as it is now."""
        if changes & {"node", "network", "switch", "use", "info", "project"}:
            self._list()
            self._draw()

    def _list(self) -> None:
        inventory, names = self.session.inventory, self.names
        found = sorted({*inventory.switches, *plugs(inventory)}, key=natural)
        if self.switch not in found:
            self.switch = found[0] if found else None
        names.names = found
        names.unsaved = {s.switch for s in inventory.switches.values() if s.unsaved}
        names.display = len(found) > 1 or self.size.width >= 100
        if self.switch is not None:
            names.cursor = found.index(self.switch)
        names.changed()

    def _draw(self) -> None:
        inventory, switch = self.session.inventory, self.switch
        if switch is None:
            self.plate.update_plate(plate([], 80, labeller(inventory)), [self._nothing()], [])
            return
        if inventory.switches and switch not in inventory.ports and switch not in self._asked:
            self._asked.add(switch)
            self._fetch(switch)
        ports = views(inventory, switch, plugs(inventory).get(switch, {}))
        self._views = {port.port: port for port in ports}
        width = self.size.width - (20 if self.names.display else 2)
        drawn = plate(ports, width, labeller(inventory))
        below: list[list[Part]] = [[], *wrap(legend(inventory, ports), width)]
        below += self._answers.get(switch, [])
        if self._port is not None and self._port in drawn.line_of:
            self.plate.port, self._port = self._port, None
        self.plate.update_plate(drawn, [self._head(switch), []], below)
        self._tell_port()

    def _nothing(self) -> list[Part]:
        admin = self.session.inventory.info is not None and self.session.inventory.info.admin
        how = ": I opens the inventory's forms, F imports a site file" if admin else ""
        return [(f" There is no switch yet{how}.", "dim")]

    def _head(self, switch: str) -> list[Part]:
        known = self.session.inventory.switches.get(switch)
        if known is None:
            return [(f" {switch}", "head"), ("   the ports of nodes that you can see", "dim")]
        staged = sum(port.state == "staged" for port in self._views.values())
        parts: list[Part] = [
            (f" {switch}", "head"),
            (f"   {known.dialect} at {known.host}:{known.port}   {known.ports} ports", ""),
        ]
        if staged:
            parts.append((f"   {staged} staged*", "staged"))
        if known.unsaved:
            parts.append(("   ! not saved", "staged"))
        return parts

    def _tell_port(self) -> None:
        port = self._views.get(self.plate.port or "")
        self.query_one("#detail", Bar).show(Text(f" {describe(port)}" if port else ""))

    def on_plate_lines_port_chosen(self, event: PlateLines.PortChosen) -> None:
        """Tell of the port that the cursor is on now."""
        event.stop()
        self._tell_port()

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Show the switch that the cursor of the list is on."""
        event.stop()
        if event.lines is self.names:
            self.switch = self.names.names[self.names.cursor]
            self._draw()

    @work(group="ports")
    async def _fetch(self, switch: str) -> None:
        try:
            await fetch_ports(self.session, switch)
        except ConsoleError as error:
            self._asked.discard(switch)
            self.fail(str(error))

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only admins probe."""
        info = self.session.inventory.info
        if action == "probe" and info is not None and not info.admin:
            return False
        return super().check_action(action, parameters)

    def action_switch(self, by: int) -> None:
        """Show the next switch, or the one before."""
        self.names.move_to(self.names.cursor + by)

    def action_other_side(self) -> None:
        """Go to the list, or back to the picture."""
        other: Lines = self.plate if self.focused is self.names else self.names
        if other.display:
            other.focus(scroll_visible=False)

    @work(group="probe", exclusive=True)
    async def action_probe(self) -> None:
        """Ask the switch what it is."""
        switch = self.switch
        if switch is None:
            self.fail("There is no switch to probe.")
            return
        self.say(f"probing {switch} …")
        outcome = await self.send([Call("switch.probe", {"switch": switch})])
        if outcome.ok:
            self._answers[switch] = probe_lines(outcome.results[-1])
            self._draw()


def probe_lines(answer: Mapping[str, Any]) -> list[list[Part]]:
    """What a switch answered, to be read."""
    if not answer["reachable"]:
        return [[], [(" probe: not reachable", "bad")]]
    lines: list[list[Part]] = [[], [(" probe: ", "head"), ("reachable", "good")]]
    lines.append([(f"   prompt {answer['prompt']}", "")])
    return [*lines, *([(f"   {line}", "dim")] for line in answer["version"])]


def wrap(parts: list[Part], width: int) -> list[list[Part]]:
    """Break a row of parts into lines; a key and its text stay together."""
    lines: list[list[Part]] = [[]]
    used = 0
    pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
    for pair in pairs:
        size = sum(len(text) for text, _ in pair)
        if used and used + size > width:
            lines.append([])
            used = 0
        lines[-1] += pair
        used += size
    return lines
