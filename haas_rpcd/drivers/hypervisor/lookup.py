"""Finds libvirt's objects by name."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

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
