"""What the host of a libvirt has: https://libvirt.org/html/libvirt-libvirt-host.html. Blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from haas_rpcd.drivers.hypervisor.lookup import lookup
from haas_rpcd.registered import Capacity, MachineSize

_KIB = 1024


def capacity(libvirt: Any, connection: Any, images: Sequence[str]) -> Capacity:
    """Read what a host has, and which of these base images. What its caches hold counts as free.

    Raises libvirtError.
    """
    memory = connection.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS, 0)
    free = sum(memory.get(kind, 0) for kind in ("free", "buffers", "cached"))
    sizes = {}
    for image in images:
        base = lookup(libvirt, (libvirt.VIR_ERR_NO_DOMAIN,), connection.lookupByName, image)
        if base is not None:
            _, most, _, cpus, _ = base.info()
            sizes[image] = MachineSize(memory=most * _KIB, vcpus=cpus)
    promised = sum(
        domain.info()[1] for domain in connection.listAllDomains() if domain.name() not in sizes
    )
    return Capacity(
        memory=memory["total"] * _KIB,
        free=free * _KIB,
        promised=promised * _KIB,
        cpus=connection.getInfo()[2],
        images=sizes,
    )
