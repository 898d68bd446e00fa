"""The table of screens: a line here adds a key, a palette entry and ``:NAME``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from haas_console.tui.screen import ConsoleScreen


class Entry(msgspec.Struct, frozen=True):
    """A screen of the menu; ``place`` is ``module:Class`` within ``haas_console.tui``."""

    name: str
    key: str
    title: str
    place: str
    admin: bool = False
    """Whether only admins can use it."""

    def load(self) -> type[ConsoleScreen]:
        """Import the class; a screen that nobody opens costs nothing."""
        module, _, name = self.place.partition(":")
        found: type[ConsoleScreen] = getattr(import_module(f"haas_console.tui.{module}"), name)
        return found


SCREENS: tuple[Entry, ...] = (
    Entry("apply", "a", "Apply", "screens.apply:ApplyScreen"),
    Entry("jobs", "J", "Jobs", "screens.jobs:JobsScreen"),
    Entry("topology", "t", "Topology", "screens.topology:TopologyScreen"),
    Entry("switch", "w", "Switch", "screens.switch:SwitchScreen"),
    Entry("drift", "V", "Drift", "screens.drift:DriftScreen", admin=True),
    Entry("headnodes", "H", "Headnodes", "screens.headnodes:HeadnodesScreen"),
    Entry("pulse", "P", "Pulse", "screens.pulse:PulseScreen"),
    Entry("projects", "M", "Projects", "screens.projects:ProjectsScreen"),
    Entry("shares", "L", "Shares", "screens.shares:SharesScreen"),
    Entry("tokens", "T", "Tokens", "screens.tokens:TokensScreen"),
    Entry("inventory", "I", "Inventory", "screens.nodes_admin:InventoryScreen", admin=True),
    Entry("site", "F", "Site file", "screens.site:SiteScreen", admin=True),
    Entry("audit", "U", "Audit", "screens.audit:AuditScreen"),
    Entry("events", "e", "Events", "screens.events:EventsScreen"),
    Entry("keys", "ctrl+k", "Keys", "screens.keys:KeysScreen"),
)


def entry(name: str) -> Entry | None:
    """The entry of that name."""
    return next((e for e in SCREENS if e.name == name), None)
