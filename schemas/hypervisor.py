"""Hypervisors: the libvirt hosts on which headnodes run."""

from __future__ import annotations

from typing import Literal

import msgspec

from haas_schemas.bmc import BmcProtocol

FencedBy = Literal["bmc", "admin"]
"""Who saw to it that a retired hypervisor is off."""


class HypervisorBmc(msgspec.Struct, frozen=True):
    """The BMC that switches a hypervisor off; the fields are those of :class:`Bmc`."""

    protocol: BmcProtocol
    host: str
    port: int
    credential: str | None
    system: str | None = None
    fingerprint: str | None = None


class Hypervisor(msgspec.Struct, frozen=True):
    """A libvirt host. The first is ``master``, which haas.toml describes.

    ``ssh`` is where its network is configured, ``[USER@]HOST[:PORT]``; null: as its ``uri`` says.
    ``credential`` names an entry of the credentials file. ``libvirt`` and ``network``: whether its
    two devices answer, null while it is out of service. ``headnodes`` counts those that are on it
    or are to be, ``bridges`` the networks that have a bridge there, ``drift`` the differences found
    on it. ``retired``: since when it is out of service, so that nobody waits for it; else null.
    ``fenced`` is who saw to it that it is off: its BMC, or an admin who said so. ``bmc`` is how its
    BMC is registered.
    ``images``: the base images that it has. ``memory`` is all that it has, ``free`` what nobody
    uses now, in bytes: as last read, null if it could not be.
    """

    hypervisor: str
    uri: str
    trunk_nic: str
    ssh: str | None
    credential: str | None
    libvirt: bool | None
    network: bool | None
    headnodes: int
    bridges: int
    drift: int = 0
    retired: str | None = None
    fenced: FencedBy | None = None
    bmc: HypervisorBmc | None = None
    images: tuple[str, ...] = ()
    memory: int | None = None
    free: int | None = None


class HypervisorReinstated(msgspec.Struct, frozen=True):
    """A hypervisor that was taken back. ``removed``: the headnodes (``project/headnode``) that were
    moved away while it was out of service, and whose machines were removed from it.
    """

    hypervisor: str
    removed: tuple[str, ...]
    headnodes: int
    bridges: int
    drift: int


class HypervisorTrust(msgspec.Struct, frozen=True):
    """The SSH host key that a hypervisor presents; the fields are those of ``switch.trust``."""

    hypervisor: str
    host: str
    port: int
    type: str
    fingerprint: str
    state: Literal["known", "unknown", "changed", "revoked"]
    stored: bool
    trusted: tuple[str, ...]
    note: str | None = None
