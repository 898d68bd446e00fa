"""How the hypervisors are, for system.health."""

from __future__ import annotations

from haas_rpcd.devicenames import MASTER, libvirt_device
from haas_rpcd.methods.call import Context
from haas_rpcd.store import hypervisors
from haas_rpcd.store.database import Tx
from haas_schemas.system import HypervisorHealth, ImageCopying


def hosts_health(tx: Tx, context: Context) -> tuple[HypervisorHealth, ...]:
    """Return how all hypervisors are: the master first, without a [master] table none."""
    if context.settings.master is None:
        return ()
    others = {row.name: row.retired is not None for row in hypervisors.everyone(tx)}
    names = {MASTER: False, **others}
    return tuple(_host_health(tx, context, name, retired) for name, retired in names.items())


def _host_health(tx: Tx, context: Context, name: str, retired: bool) -> HypervisorHealth:
    engine = context.engine
    libvirt, network = engine.sees(libvirt_device(name)), engine.sees(name)
    known = engine.capacities.of(name) if libvirt else None
    copying = engine.images.under_way(name)
    return HypervisorHealth(
        hypervisor=name,
        libvirt=libvirt,
        network=network,
        headnodes=hypervisors.usage(tx, name).headnodes,
        retired=retired,
        reachable=None if libvirt is None else bool(libvirt or network),
        images=known.image_names if known is not None else (),
        copying=tuple(ImageCopying(image, now.done, now.total) for image, now in copying),
        memory=None if known is None else known.memory,
        free=None if known is None else known.free,
    )


def host_problem(host: HypervisorHealth, *, two_masters: bool) -> str | None:
    """Return what is wrong with a hypervisor; of the master, ``system.health`` itself says more."""
    if host.hypervisor == MASTER:
        if two_masters and host.headnodes:
            return (
                f"The hypervisor master has headnodes ({host.headnodes}), but is another machine"
                " after a takeover: move them to a registered one (headnode move)."
            )
        return None
    silent = [each for each in ("libvirt", "network") if getattr(host, each) is False]
    if host.retired or not silent:
        return None
    if len(silent) > 1:
        return f"Hypervisor {host.hypervisor} can't be reached: its headnodes' state is not known."
    return f"The {silent[0]} of hypervisor {host.hypervisor} can't be read: the log has the reason."
