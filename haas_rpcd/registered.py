"""What switches and hypervisors are registered with, and what a switch says of itself. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from haas_rpcd.model import PortSeen


class RegisteredSwitch(msgspec.Struct, frozen=True):
    """What a switch is registered with. Two that are equal can share a session.

    ``credential`` names an entry of the credentials file; None means the switch's own name.
    """

    name: str
    dialect: str
    host: str
    port: int
    transport: str
    credential: str | None = None
    options: Mapping[str, Any] = {}


class RegisteredHypervisor(msgspec.Struct, frozen=True):
    """What a hypervisor other than the master is registered with.

    ``uri`` is libvirt's, ``trunk_nic`` the nic on the switch's trunk port. ``ssh`` is where its
    network is configured, ``[USER@]HOST[:PORT]``; None: what the URI says. ``credential`` names an
    entry of the credentials file; None means the hypervisor's own name.
    """

    name: str
    uri: str
    trunk_nic: str
    ssh: str | None = None
    credential: str | None = None


class Uptime(NamedTuple):
    """Uptime in seconds, rounded down to the unit that the switch reports in.

    ``resolution`` is that unit in seconds: 60 for minutes, 86400 for days.
    """

    seconds: float
    resolution: float


class SwitchMarks(msgspec.Struct, frozen=True):
    """What a switch says of itself that no other switch says. Empty: it says nothing of that."""

    serials: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """True if there is any."""
        return bool(self.serials or self.macs)

    def same(self, other: SwitchMarks) -> bool | None:
        """Return whether both are of one switch; None if that cannot be told.

        Serial numbers decide, where both have some: a stack keeps at least one when a member is
        replaced, and two chassis may have the same default MAC.
        """
        for ours, theirs in ((self.serials, other.serials), (self.macs, other.macs)):
            if ours and theirs:
                return not set(ours).isdisjoint(theirs)
        return None

    def describe(self) -> str:
        """Return them as a phrase for people."""
        if self.serials:
            return f"serial number {', '.join(self.serials)}"
        return f"base MAC {', '.join(self.macs)}" if self.macs else "nothing"


class Probed(msgspec.Struct, frozen=True):
    """What a switch reports about itself.

    ``ports``: what each carries now, by canonical name. ``vlans`` exist or are carried by a port.
    ``model`` and ``version`` are empty if it does not report them. ``said``: all lines it reported.
    ``marks``: what no other switch says.
    """

    prompt: str
    model: str
    version: str
    said: list[str]
    ports: dict[str, PortSeen]
    vlans: frozenset[int]
    marks: SwitchMarks = SwitchMarks()


class FoundHeadnode(msgspec.Struct, frozen=True, order=True):
    """A machine on a hypervisor that HaaS made: as ``project/headnode``, with its UUID."""

    headnode: str
    uuid: str


class MachineSize(msgspec.Struct, frozen=True):
    """What a virtual machine takes; ``memory`` in bytes."""

    memory: int
    vcpus: int


class Capacity(msgspec.Struct, frozen=True):
    """What a hypervisor has. All memory is in bytes.

    ``memory``: all of it; ``free``: what nobody uses now; ``promised``: what its virtual machines
    take if all of them run. ``images``: the base images that it has under their own names, and the
    size of a clone. ``copies``: the images that HaaS copied there, with what identifies the content
    of each copy.
    """

    memory: int
    free: int
    promised: int
    cpus: int
    images: dict[str, MachineSize] = {}
    copies: frozenset[tuple[str, str]] = frozenset()

    @property
    def image_names(self) -> tuple[str, ...]:
        """The images that are there, or of which copies are."""
        return tuple(sorted(self.images.keys() | {image for image, _ in self.copies}))

    def has(self, image: str) -> bool:
        """Return whether an image, or a copy of it, is there."""
        return image in self.image_names
