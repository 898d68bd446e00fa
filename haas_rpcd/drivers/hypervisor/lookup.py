"""Finds libvirt's objects by name."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from haas_rpcd.errors import DeviceError

_ATTEMPTS = 5


def lookup(libvirt: Any, absent: Collection[int], find: Callable[..., Any], *names: Any) -> Any:
    """Return what ``find`` finds by these names; None if it fails with one of these error codes.

    The binding fetches the error after the failed call. If Python frees another of libvirt's
    objects in between, that clears the error. So a failure without an error is tried again.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return find(*names)
        except libvirt.libvirtError as error:
            if error.get_error_code() in absent:
                return None
            if error.get_error_code() is not None:
                raise
    return find(*names)


def refuse_taken_name(other: Any, name: str, uuid: str, where: str) -> None:
    """Raise DeviceError if a domain with a headnode's name has another UUID; None: there is none.

    ``where`` names the hypervisor.
    """
    if other is not None and other.UUIDString() != uuid.lower():
        raise DeviceError(
            f"There is another domain {name} on {where} already (UUID {other.UUIDString()}): rename"
            f" or remove it (virsh undefine {name}), then apply again.",
            reason="refused",
        )
