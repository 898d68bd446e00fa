"""Why a domain does not run, from libvirt's state of it: virDomainState and its reasons."""

from __future__ import annotations

from typing import Any

from haas_rpcd.model import Condition


def condition_of(libvirt: Any, domain: Any) -> Condition | None:
    """Return why a domain does not run; None if it runs, or was just stopped. Blocks.

    QEMU that ends by itself counts as crashed. A domain that an error of its disk has paused, or
    that somebody is saving, counts as paused.
    """
    state, reason = domain.state()
    if state == libvirt.VIR_DOMAIN_PAUSED:
        # libvirt itself pauses a domain for a moment while it starts or snapshots it.
        passing = (libvirt.VIR_DOMAIN_PAUSED_STARTING_UP, libvirt.VIR_DOMAIN_PAUSED_SNAPSHOT)
        return None if reason in passing else "paused"
    if state == libvirt.VIR_DOMAIN_PMSUSPENDED:
        return "suspended"
    if state == libvirt.VIR_DOMAIN_CRASHED:
        return "crashed"
    if state == libvirt.VIR_DOMAIN_SHUTOFF:
        if domain.hasManagedSaveImage(0):
            return "suspended"
        if reason in (libvirt.VIR_DOMAIN_SHUTOFF_CRASHED, libvirt.VIR_DOMAIN_SHUTOFF_FAILED):
            return "crashed"
    return None
