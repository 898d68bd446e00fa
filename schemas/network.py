"""Networks."""

from __future__ import annotations

import msgspec

NetworkKey = tuple[str, str]
"""A network's owner (a project) and name, which together are unique on the site."""


class Network(msgspec.Struct, frozen=True):
    """A logical network: one VLAN. ``nics`` and ``headnodes`` count what is connected to it."""

    project: str
    network: str
    vlan: int
    shared_with: tuple[str, ...]
    nics: int
    headnodes: int

    @property
    def key(self) -> NetworkKey:
        """Its owner and name."""
        return (self.project, self.network)

    def usable_by(self, project: str | None) -> bool:
        """Return True if nics of this project may connect to it."""
        return project is not None and (project == self.project or project in self.shared_with)

    def name_for(self, project: str | None) -> str:
        """Return the name that a project uses: ``name`` for its own, else ``owner/name``."""
        return self.network if project == self.project else f"{self.project}/{self.network}"


class NetworkNic(msgspec.Struct, frozen=True, gc=False):
    """A nic on a network, as staged."""

    node: str
    nic: str
    tagged: bool


class NetworkDetail(msgspec.Struct, frozen=True):
    """A network and everything connected to it, as staged, as far as the caller may see it."""

    project: str
    network: str
    vlan: int
    shared_with: tuple[str, ...]
    nics: tuple[NetworkNic, ...]
    headnodes: tuple[str, ...]
