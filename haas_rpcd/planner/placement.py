"""Which hypervisor a new headnode is put on. Pure: no I/O, and chance comes from outside."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from haas_rpcd.registered import Capacity, MachineSize


class Candidate(msgspec.Struct, frozen=True):
    """A hypervisor in service that answers.

    ``has_image``: it has the wanted image, so that nothing must be copied there first. ``own``:
    headnodes that the project has there. ``staged``: the sizes of those of any project that are to
    be made there, and that its libvirt does not know yet.
    """

    hypervisor: str
    capacity: Capacity
    has_image: bool = True
    own: int = 0
    staged: tuple[MachineSize, ...] = ()

    @property
    def free_memory(self) -> int:
        """Bytes for further headnodes: of what is free now, and of what is promised to none."""
        promised = self.capacity.promised + sum(size.memory for size in self.staged)
        waiting = sum(size.memory for size in self.staged)
        return min(self.capacity.free - waiting, self.capacity.memory - promised)


def place(candidates: Iterable[Candidate], size: MachineSize, draw: float) -> str | None:
    """Return the hypervisor for a machine of some size; None if none has room.

    One that has as many processors as it wants, and enough memory. Among those it is one with the
    fewest headnodes of the same project, so that a host that fails takes few of them; among these,
    one that has the image. If several remain, ``draw``, from 0 to 1, chooses, by their free memory:
    whoever creates headnodes then learns little about what others have on them.
    """
    fit = [
        one
        for one in candidates
        if size.vcpus <= one.capacity.cpus and size.memory <= one.free_memory
    ]
    if not fit:
        return None
    fewest = min(one.own for one in fit)
    left = sorted((one for one in fit if one.own == fewest), key=lambda one: one.hypervisor)
    left = [one for one in left if one.has_image] or left
    at = draw * sum(one.free_memory for one in left)
    for one in left:
        at -= one.free_memory
        if at < 0:
            return one.hypervisor
    return left[-1].hypervisor
