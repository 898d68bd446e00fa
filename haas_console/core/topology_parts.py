"""The parts of the picture of the data centre. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from haas_console.core.natural import natural
from haas_console.core.portviews import Plug, PortView

Key = str  # for natural order


@dataclass(frozen=True, slots=True)
class Widths:
    """The widths of the parts of the picture, in columns."""

    node: int
    nic: int
    box: int
    port: int
    right: int
    wide: bool


@dataclass(frozen=True, slots=True)
class Spot:
    """What is at a line: a switch, and one of its ports unless it is the line of the switch."""

    switch: str | None = None
    port: PortView | None = None
    plug: Plug | None = None


Entry = tuple[str, Plug | None]
"""A port, and the nic behind it."""


@dataclass
class Block:
    """A switch with the nics plugged into it; without a switch, the nics plugged into none."""

    switch: str | None
    plugged: dict[str, Plug]
    trunks: list[str]
    free: int
    """The number of access ports without a nic."""

    height: int
    loose: list[Plug] = field(default_factory=list)

    @cached_property
    def entries(self) -> list[Entry]:
        """The ports with nics, in the order of the lines; sorted at the first use."""
        if self.switch is None:
            return [("", plug) for plug in self.loose]
        plugged = self.plugged
        keys = {port: natural(port) for port in plugged}
        first: dict[str, Key] = {}
        for port, (node, _) in plugged.items():
            first[node.node] = min(first.get(node.node, keys[port]), keys[port])

        def place(port: str) -> tuple[Key, str, Key]:
            """The nics of a node are together, at the place of its first port."""
            node = plugged[port][0].node
            return first[node], node, keys[port]

        return [(port, plugged[port]) for port in sorted(plugged, key=place)]

    @property
    def count(self) -> int:
        """The number of entries."""
        return len(self.plugged) or len(self.loose)
