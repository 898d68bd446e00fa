"""What the host of a libvirt has: https://libvirt.org/html/libvirt-libvirt-host.html. Blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from haas_rpcd.drivers.hypervisor import image_xml
from haas_rpcd.drivers.hypervisor.image_copy import copies
from haas_rpcd.registered import Capacity, MachineSize

_KIB = 1024


def capacity(libvirt: Any, connection: Any, images: Sequence[str]) -> Capacity:
    """Read what a host has, and which of these base images. Memory in its caches counts as free.

    Raises libvirtError.
    """
    memory = connection.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS, 0)
    free = sum(memory.get(kind, 0) for kind in ("free", "buffers", "cached"))
    sizes, promised = {}, 0
    for domain in connection.listAllDomains():
        name = domain.name()
        _, most, _, cpus, _ = domain.info()
        if name in images:
            sizes[name] = MachineSize(memory=most * _KIB, vcpus=cpus)
        elif not name.startswith(image_xml.PREFIX):  # copies of images never run
            promised += most
    copied = [mark for _, mark in copies(libvirt, connection) if mark.ready]
    return Capacity(
        memory=memory["total"] * _KIB,
        free=free * _KIB,
        promised=promised * _KIB,
        cpus=connection.getInfo()[2],
        images=sizes,
        copies=frozenset((mark.image, mark.digest) for mark in copied),
    )
