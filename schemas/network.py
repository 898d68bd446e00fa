"""Networks."""

from __future__ import annotations

import msgspec

NetworkKey = tuple[str, str]
"""A network's owner (a project) and name, which together are unique on the site."""


class Network(msgspec.Struct, frozen=True):
    """A logical network: one VLAN. ``nics`` and ``headnodes`` count what is connected to it.

    ``offered_to``: projects that have not accepted it. ``ending_with``: projects that may not use
    it any more, but still have something on it, which a job parks.
    """

    project: str
    network: str
    vlan: int
    shared_with: tuple[str, ...]
    nics: int
    headnodes: int
    offered_to: tuple[str, ...] = ()
    ending_with: tuple[str, ...] = ()

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
    offered_to: tuple[str, ...] = ()
    ending_with: tuple[str, ...] = ()


class Unshared(msgspec.Struct, frozen=True):
    """A network whose share has ended, or ends once ``job`` has parked what the guest has on it.

    ``job`` is null if nothing has to be parked, and for callers who may not see it.
    """

    project: str
    network: str
    shared_with: tuple[str, ...]
    ending_with: tuple[str, ...]
    job: int | None


class Offer(msgspec.Struct, frozen=True):
    """A network, as ``owner/name``, that is offered to a project."""

    project: str
    network: str
