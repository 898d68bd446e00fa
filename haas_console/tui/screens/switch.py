"""The face plate of a switch, the list of switches, and the answers to a probe."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from haas_console.core.cablingtext import SWAPPED, report_lines, summary
from haas_console.core.commands import Call
from haas_console.core.contact import contact_text
from haas_console.core.devicetext import target_text, unreachable
from haas_console.core.faceplate import labeller, legend, plate
from haas_console.core.natural import natural
from haas_console.core.objects import Ref, port_ref
from haas_console.core.portviews import DRIFTED, PortView, describe, plugs, views
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.tables import SwitchLine
from haas_console.tui.bars import Bar
from haas_console.tui.cabling import check
from haas_console.tui.lines import Lines, Part, cut
from haas_console.tui.reading import Reader
from haas_console.tui.repairing import repair
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.screens.switch_lines import SwitchList, key_lines, probe_lines, wrap
from haas_console.tui.screens.switch_plate import PlateLines


class SwitchScreen(ConsoleScreen):
    """A switch as it looks from the front."""

    TITLE: ClassVar[str] = "Switch"
    NAME = "switch"
    AUTO_FOCUS = "#plate"
    CHANGES = frozenset({"repair", "probe", "trust"})
    DEFAULT_CSS = """
    SwitchScreen #side { width: 20; border-right: solid $panel; }
    SwitchScreen #side.wide { width: 1fr; border-right: none; }
    SwitchScreen #plate { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="switch.open"),
        Binding("c", "check", "Check drift", id="switch.check"),
        Binding("C", "check_cabling", "Check cabling", id="switch.check_cabling", show=False),
        Binding("r", "repair", "Repair", id="switch.repair"),
        Binding("b", "probe", "Probe", id="switch.probe"),
        Binding("T", "trust", "Trust its key", id="switch.trust"),
        Binding("right_square_bracket", "switch(1)", "Next", key_display="]", id="switch.next"),
        Binding(
            "left_square_bracket", "switch(-1)", "Switch before", id="switch.previous", show=False
        ),
        Binding("ctrl+w", "wide", "List of switches", id="switch.wide"),
        Binding("tab", "other_side", "Other side", id="switch.other_side", show=False),
    ]

    def __init__(
        self, session: Session, switch: str | None = None, port: str | None = None
    ) -> None:
        super().__init__(session)
        self.switch = switch
        self._port = port
        self._asked: set[str] = set()
        self._reader = Reader(self)
        self._answers: dict[str, list[list[Part]]] = {}
        self._views: dict[str, PortView] = {}

    def compose_body(self) -> ComposeResult:
        """The list, the face plate, and a line on the port under the cursor."""
        names = SwitchList(id="switches")
        with Horizontal(id="body"):
            with Vertical(id="side"):
                yield names.header
                yield names
            yield PlateLines(id="plate")
        yield Bar(id="detail")

    @property
    def names(self) -> SwitchList:
        """The list of switches."""
        return self.query_one(SwitchList)

    @property
    def _side(self) -> Vertical:
        """The list with its header."""
        return self.query_one("#side", Vertical)

    @property
    def plate(self) -> PlateLines:
        """The widget of the face plate."""
        return self.query_one(PlateLines)

    # --- showing ---

    def changed(self, changes: Changes) -> None:
        """Show the switch as it is now."""
        if changes & {"node", "network", "switch", "drift", "use", "info", "project"}:
            self._list()
            self._draw()

    def _list(self) -> None:
        inventory, names = self.session.inventory, self.names
        found = sorted({*inventory.switches, *plugs(inventory)}, key=natural)
        if self.switch not in found:
            self.switch = found[0] if found else None
        drifted = Counter(item.device for item in inventory.drift.values())
        names.show_items(
            [SwitchLine(name, inventory.switches.get(name), drifted[name]) for name in found]
        )
        self._side.display = names.is_wide or len(found) > 1 or self.size.width >= 100
        shown = [line.name for line in names.items]
        if self.switch in shown:
            names.cursor = shown.index(self.switch)
            names.redraw()

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
        below += self._drifted(switch, width)
        below += self._answers.get(switch, [])
        if self._port is not None and self._port in drawn.line_of:
            self.plate.port, self._port = self._port, None
        self.plate.update_plate(drawn, [self._head(switch), []], below)
        self._show_port()

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
        if wrong := contact_text(known):
            parts.append((f"   {wrong}", "drift" if known.reachable is False else "staged"))
        if staged:
            parts.append((f"   {staged} staged*", "staged"))
        if known.unsaved:
            parts.append(("   ! not saved", "staged"))
        if known.retired:
            parts.append(("   ! retired", "drift"))
        if known.stranger:
            parts.append(("   ! another switch answers", "drift"))
        if known.swapped:
            parts.append((f"   {SWAPPED} {known.swapped} not cabled as registered", "drift"))
        if wrong_ends := sum(end.wrong is not None for end in known.trunks):
            parts.append((f"   {SWAPPED} {wrong_ends} not cabled as declared", "drift"))
        if drifted := self.session.inventory.drifted(switch):
            parts.append((f"   {DRIFTED} {drifted} drifted", "drift"))
        return parts

    def _drifted(self, switch: str, width: int) -> list[list[Part]]:
        """What drifted on a switch apart from its ports, which show it in their cells."""
        found = [
            f"   {DRIFTED} {target_text(item.kind, item.target)}: {item.applied} was applied,"
            f" now it is {item.observed}"
            for item in self.session.inventory.drift.values()
            if item.device == switch and item.target not in self._views
        ]
        return [[(cut(line, width).rstrip(), "drift")] for line in found]

    def _show_port(self) -> None:
        port = self._views.get(self.plate.port or "")
        self.query_one("#detail", Bar).show(Text(f" {describe(port)}" if port else ""))

    def on_plate_lines_port_chosen(self, event: PlateLines.PortChosen) -> None:
        """Show the details of the port under the cursor."""
        event.stop()
        self._show_port()

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Show the switch under the cursor of the list."""
        event.stop()
        line = self.names.current()
        if event.lines is self.names and line is not None:
            if line.name != self.switch:
                self._reader.forget()
            self.switch = line.name
            self._draw()

    @work(group="ports")
    async def _fetch(self, switch: str) -> None:
        reading = self.session.sync.fetch_ports(switch)
        if await self._reader.read(reading, self._draw, what=switch) is None:
            self._asked.discard(switch)

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide from tenants what reads switches, and the key of a switch without SSH."""
        inventory = self.session.inventory
        info, known = inventory.info, inventory.switches.get(self.switch or "")
        of_admins = ("check", "check_cabling", "repair", "probe", "trust")
        if action in of_admins and info is not None and not info.admin:
            return False
        if action == "trust" and (known is None or known.transport != "ssh"):
            return False
        return super().check_action(action, parameters)

    def under_cursor(self) -> Ref | None:
        """The port, or in the list the switch."""
        if self.switch is None:
            return None
        if self.focused is self.names or self.plate.port is None:
            return Ref("switch", self.switch)
        return port_ref(self.switch, self.plate.port)

    def action_open(self) -> None:
        """Show all of the port under the cursor, or in the list of the switch."""
        if (ref := self.under_cursor()) is None:
            self.fail("There is no switch yet.")
        else:
            self.console.navigation.open_details(ref)

    def action_switch(self, by: int) -> None:
        """Show the next switch, or the one before."""
        self.names.move_to(self.names.cursor + by)

    def action_wide(self) -> None:
        """Show the switches with all columns in place of the face plate, or the plate again."""
        self.names.action_wide()

    def on_switch_list_widened(self, event: SwitchList.Widened) -> None:
        """Give the list all the room, or the face plate its own again."""
        event.stop()
        wide = self.names.is_wide
        self._side.set_class(wide, "wide")
        self._side.display = True
        self.plate.display = not wide
        (self.names if wide else self.plate).focus(scroll_visible=False)
        self.call_after_refresh(self._relist)

    def _relist(self) -> None:
        if self.is_there:
            self._list()
            self._draw()

    def action_other_side(self) -> None:
        """Go to the list, or back to the picture."""
        other: Lines = self.plate if self.focused is self.names else self.names
        if other.display and (other is self.plate or self._side.display):
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
            self._answer(switch, probe_lines(outcome.results[-1], self.plate.size.width))

    @work(group="probe", exclusive=True)
    async def action_check(self) -> None:
        """Read the switch, and show what differs from what was applied."""
        switch = self.switch
        if switch is None:
            self.fail("There is no switch to check.")
            return
        self.say(f"checking {switch} …")
        outcome = await self.send([Call("drift.check", {"switch": switch})])
        if outcome.ok:
            report = outcome.results[-1]
            if missed := unreachable(report):
                self.fail(missed[0])
            else:
                line = self.session.sync.log.commands[-1].line
                self.say(f"> {line}: {len(report['items']) or 'nothing'} drifted")

    @work(group="probe", exclusive=True)
    async def action_check_cabling(self) -> None:
        """Read the switch's MAC table and neighbours, and compare them with the registered nics."""
        switch = self.switch
        if switch is None:
            self.fail("There is no switch to check.")
        elif (report := await check(self, switch)) is not None:
            width = self.plate.size.width
            said: list[list[Part]] = [[], [(" cabling: ", "head"), (summary(report), "")]]
            for text, look in report_lines(report):
                said.append([(cut(f"   {text}", width).rstrip(), look)])
            self._answer(switch, said)

    @in_turn
    async def action_repair(self) -> None:
        """Start the job that restores what was applied, after a question."""
        if self.switch is None:
            self.fail("There is no switch to repair.")
        else:
            await repair(self, self.switch)

    @in_turn
    async def action_trust(self) -> None:
        """Show the host key of the switch, ask, and trust it."""
        switch = self.switch
        if switch is None:
            return
        outcome = await self.send([Call("switch.trust", {"switch": switch})])
        if not outcome.ok:
            return
        key = outcome.results[-1]
        self._answer(switch, key_lines(key, self.plate.size.width))
        if key["state"] == "known":
            self.say(f"The key of {switch} is trusted already: {key['fingerprint']}")
        elif key["state"] == "revoked":
            self.fail(key["note"] or f"The key of {switch} is revoked.")
        elif await self.confirm("trust this key? Compare it at the switch's own console first."):
            params = {"switch": switch, "fingerprint": key["fingerprint"]}
            trusted = await self.send([Call("switch.trust", params)])
            if trusted.ok:
                self._answer(switch, key_lines(trusted.results[-1], self.plate.size.width))

    def _answer(self, switch: str, lines: list[list[Part]]) -> None:
        """Show what a switch answered, and scroll to it."""
        self._answers[switch] = lines
        self._draw()
        self.plate.scroll_to(y=self.plate.max_scroll_y, animate=False, immediate=True)
