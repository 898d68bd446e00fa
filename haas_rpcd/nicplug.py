"""What a nic is registered with: where it is plugged in, and how its ports are bundled."""

from __future__ import annotations

import msgspec

from haas_rpcd.errors import InvalidParamsError
from haas_schemas.names import Mac, Name, PortName
from haas_schemas.node import BondMode, NicKind

MOST_PORTS = 8
"""Ports of a bond, at most: as many as LACP has active in one aggregate on most switches."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port of a switch that a nic, or another switch's trunk port, is plugged into."""

    switch: Name
    port: PortName


class NicPlug(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a nic is registered with.

    ``switch`` and ``port``: where it is plugged in. A bond has ``ports`` and ``bond`` instead.
    """

    kind: NicKind = "data"
    mac: Mac | None = None
    switch: Name | None = None
    port: PortName | None = None
    ports: list[Place] | None = None
    bond: BondMode | None = None

    @property
    def places(self) -> list[Place]:
        """The ports that it is plugged into. Raises InvalidParamsError if that is not clear."""
        if self.ports is None and self.bond is None:
            return self._one()
        if self.switch is not None or self.port is not None:
            raise InvalidParamsError(
                "A nic is plugged into one port, given by switch and port, or is a bond, given by"
                " ports and bond: give the one or the other.",
                field="ports",
            )
        if not self.ports or self.bond is None:
            raise InvalidParamsError(
                "A bond has ports, and says how they are bundled: give both ports and bond.",
                field="bond" if self.bond is None else "ports",
            )
        if not 2 <= len(self.ports) <= MOST_PORTS:
            raise InvalidParamsError(
                f"ports: a bond has 2 to {MOST_PORTS} ports, not {len(self.ports)}.", field="ports"
            )
        if len(set(self.ports)) < len(self.ports):
            raise InvalidParamsError("ports: one port is named twice.", field="ports")
        return self.ports

    def _one(self) -> list[Place]:
        if self.switch is None and self.port is None:
            return []
        if self.switch is None or self.port is None:
            raise InvalidParamsError(
                "A nic's place is a switch and a port: give both, or neither.",
                field="port" if self.port is None else "switch",
            )
        return [Place(self.switch, self.port)]
