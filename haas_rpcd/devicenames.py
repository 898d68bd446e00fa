"""The names of devices other than switches in plans, jobs and events. No I/O."""

from __future__ import annotations

MASTER = "master"
"""The first hypervisor. A hypervisor's name is also the device name of its network: its VLAN
interfaces and bridges."""

LIBVIRT = "libvirt"
"""The device name of the master's libvirt; of another hypervisor's it is ``libvirt:NAME``."""

COPY = "copy:"
"""Before the name of a hypervisor: the device that copies headnodes to it. It is a device of its
own, so that what else is done on a libvirt does not wait while a disk is copied."""

BMC = "bmc:"
"""Before the name of a node: the device name of its BMC. No switch has a colon in its name."""

RESERVED_DEVICES = frozenset({MASTER, LIBVIRT})
"""Names that no switch may take, because plans and jobs name devices by them. A switch and a
hypervisor cannot have the same name either."""


def libvirt_device(hypervisor: str) -> str:
    """Return the device name of a hypervisor's libvirt."""
    return LIBVIRT if hypervisor == MASTER else f"{LIBVIRT}:{hypervisor}"


def is_libvirt(device: str) -> bool:
    """Return whether a device is the libvirt of a hypervisor."""
    return device == LIBVIRT or device.startswith(f"{LIBVIRT}:")


def copy_device(hypervisor: str) -> str:
    """Return the name of the device that copies headnodes to a hypervisor."""
    return f"{COPY}{hypervisor}"


def hypervisor_of(device: str) -> str:
    """Return the hypervisor that one of the devices of a hypervisor belongs to."""
    if device == LIBVIRT:
        return MASTER
    return device.removeprefix(f"{LIBVIRT}:").removeprefix(COPY)


def same_hypervisor(device: str, other: str) -> bool:
    """Return whether two devices are different ones of the same hypervisor."""
    return device != other and hypervisor_of(device) == hypervisor_of(other)
