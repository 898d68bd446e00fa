"""hypervisor.*: the libvirt hosts on which headnodes run. For admins."""

from __future__ import annotations

from haas_rpcd.bmc import RegisteredBmc
from haas_rpcd.config import Master
from haas_rpcd.devicenames import MASTER, RESERVED_DEVICES, libvirt_device
from haas_rpcd.errors import (
    ConflictError,
    DeviceError,
    InvalidParamsError,
    NotFoundError,
    UnavailableError,
)
from haas_rpcd.hypervisor import check_uri, parse_ssh, ssh_at
from haas_rpcd.methods.access import conflict, paged
from haas_rpcd.methods.bmc import Port as BmcPort
from haas_rpcd.methods.bmc import check_fields
from haas_rpcd.methods.call import Call, TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.registered import RegisteredHypervisor
from haas_rpcd.store import hypervisors, networks, switches
from haas_rpcd.store.database import Tx
from haas_rpcd.store.hypervisors import HypervisorRow
from haas_schemas.bmc import DEFAULT_BMC_PORTS, BmcProtocol
from haas_schemas.common import Deleted, Page, timestamp
from haas_schemas.hypervisor import (
    FencedBy,
    Hypervisor,
    HypervisorBmc,
    HypervisorReinstated,
    HypervisorTrust,
)
from haas_schemas.names import (
    BmcSystem,
    Fingerprint,
    Host,
    LibvirtUri,
    Limit,
    Name,
    SshPlace,
    TrunkNic,
)


def master_of(call: TxCall) -> Master:
    """Return the ``[master]`` table. Raises UnavailableError without one."""
    master = call.context.settings.master
    if master is None:
        raise UnavailableError(
            "This daemon makes no headnodes: haas.toml has no [master] table. An admin adds it and"
            " restarts haas-rpcd."
        )
    return master


def find_hypervisor(call: TxCall, name: str) -> HypervisorRow:
    """Return a hypervisor. Raises NotFoundError, and ConflictError for the master."""
    if name == MASTER and call.context.settings.master is not None:
        raise ConflictError(
            "The master is always a hypervisor: haas.toml describes it, and it is neither deleted"
            " nor retired."
        )
    row = hypervisors.find(call.tx, name)
    if row is None:
        raise NotFoundError(f"There is no hypervisor {name}.")
    return row


def record(
    call: TxCall, registered: RegisteredHypervisor, row: HypervisorRow | None = None
) -> Hypervisor:
    """Return the API's record of a hypervisor; the master has no ``row``."""
    name = registered.name
    bmc = hypervisors.bmc(call.tx, name)
    usage = hypervisors.usage(call.tx, name)
    sees = call.context.engine.sees
    capacity = call.context.engine.capacities.of(name) if sees(libvirt_device(name)) else None
    return Hypervisor(
        hypervisor=name,
        uri=registered.uri,
        trunk_nic=registered.trunk_nic,
        ssh=registered.ssh,
        credential=registered.credential,
        libvirt=sees(libvirt_device(name)),
        network=sees(name),
        headnodes=usage.headnodes,
        bridges=usage.bridges,
        drift=usage.drift,
        retired=timestamp(row.retired) if row is not None else None,
        fenced=row.fenced if row is not None else None,
        bmc=None if bmc is None else _bmc_record(bmc),
        images=capacity.image_names if capacity is not None else (),
        memory=None if capacity is None else capacity.memory,
        free=None if capacity is None else capacity.free,
    )


def _bmc_record(bmc: RegisteredBmc) -> HypervisorBmc:
    fields = HypervisorBmc.__struct_fields__
    return HypervisorBmc(**{field: getattr(bmc, field) for field in fields})


@method("hypervisor.register", mutates=True)
def register(
    call: TxCall,
    hypervisor: Name,
    uri: LibvirtUri,
    trunk_nic: TrunkNic,
    ssh: SshPlace | None = None,
    credential: Name | None = None,
) -> Hypervisor:
    """Register a libvirt host on which headnodes may run. Nothing is sent to it.

    Its network is configured over SSH, at the host of ``uri`` unless ``ssh`` names another place.
    ``credential`` names an entry of the daemon's credentials file; the default is the entry of the
    hypervisor's own name.
    """
    master_of(call)
    _check_name(call, hypervisor)
    wanted = RegisteredHypervisor(hypervisor, uri, trunk_nic, ssh, credential)
    _check_place(wanted)
    with conflict(f"There is a hypervisor {hypervisor} already."):
        hypervisors.create(call.tx, wanted)
    engine = call.context.engine
    call.tx.after_commit.append(lambda: engine.hosts.add(hypervisor))
    call.changed("hypervisor", "created", hypervisor, admins_only=True)
    return show(call, hypervisor)


def _check_name(call: TxCall, name: str) -> None:
    if name in RESERVED_DEVICES:
        raise InvalidParamsError(
            f"hypervisor: {name} is what plans call the master itself; take another name.",
            field="hypervisor",
        )
    if switches.find(call.tx, name) is not None:
        raise ConflictError(f"There is a switch {name} already: take another name.")


def _check_place(wanted: RegisteredHypervisor) -> None:
    try:
        check_uri(wanted.uri)
    except ValueError as error:
        raise InvalidParamsError(f"uri: {error}.", field="uri") from None
    try:
        if wanted.ssh is not None:
            parse_ssh(wanted.ssh)
    except ValueError as error:
        raise InvalidParamsError(f"ssh: {error}.", field="ssh") from None
    if ssh_at(wanted) is None:
        raise InvalidParamsError(
            f"ssh: {wanted.uri} does not say on which host the headnodes' network is: name it,"
            " as in --ssh haas@hv2.example.",
            field="ssh",
        )


@method("hypervisor.delete", mutates=True)
def delete(call: TxCall, hypervisor: Name, force: bool = False) -> Deleted:
    """Delete a hypervisor on which no headnode and no bridge is left.

    ``force`` is for a retired one that is gone for good: what may be left on it is forgotten, and
    the ids of VLANs that it may carry become free. Headnodes must be moved away or deleted before.
    """
    row = find_hypervisor(call, hypervisor)
    if force and row.retired is None:
        raise ConflictError(
            f"Hypervisor {hypervisor} is in service: retire it first, with  hypervisor retire"
            f" {hypervisor}"
        )
    if force:
        hypervisors.forget(call.tx, hypervisor)
    usage = hypervisors.usage(call.tx, hypervisor)
    if usage.headnodes or usage.bridges:
        count, what = (
            (usage.headnodes, "headnode") if usage.headnodes else (usage.bridges, "bridge")
        )
        raise ConflictError(
            f"Hypervisor {hypervisor} still has {count} {what}{'s' if count > 1 else ''}: move or"
            " delete its headnodes, and apply."
        )
    hypervisors.delete(call.tx, hypervisor)
    networks.free_claims(call.tx)
    engine = call.context.engine
    why = f"The hypervisor {hypervisor} was deleted."
    call.tx.after_commit.append(lambda: engine.hosts.remove(hypervisor, why))
    call.changed("hypervisor", "deleted", hypervisor, admins_only=True)
    return Deleted(deleted=True)


@method("hypervisor.set_bmc", mutates=True)
def set_bmc(
    call: TxCall,
    hypervisor: Name,
    protocol: BmcProtocol,
    host: Host,
    port: BmcPort | None = None,
    credential: Name | None = None,
    system: BmcSystem | None = None,
    fingerprint: Fingerprint | None = None,
) -> Hypervisor:
    """Register the BMC of a hypervisor, which switches it off when it is retired.

    Nothing is sent to it now. The params are those of bmc.set; ``credential`` names an entry of the
    daemon's credentials file, by default that of the hypervisor's own name.
    """
    row = find_hypervisor(call, hypervisor)
    wanted = RegisteredBmc(
        hypervisor,
        protocol,
        host,
        port or DEFAULT_BMC_PORTS[protocol],
        credential,
        system,
        fingerprint,
        of_hypervisor=True,
    )
    put_bmc(call.tx, wanted)
    call.changed("hypervisor", "changed", hypervisor, admins_only=True)
    return record(call, row.registered, row)


def put_bmc(tx: Tx, wanted: RegisteredBmc) -> None:
    """Register the BMC of a hypervisor. Raises InvalidParamsError."""
    check_fields(wanted)
    hypervisors.set_bmc(tx, wanted)


@method("hypervisor.delete_bmc", mutates=True)
def delete_bmc(call: TxCall, hypervisor: Name) -> Deleted:
    """Forget the BMC of a hypervisor. Nothing is sent to it."""
    find_hypervisor(call, hypervisor)
    if not hypervisors.delete_bmc(call.tx, hypervisor):
        raise NotFoundError(
            f"Hypervisor {hypervisor} has no BMC: register it with  hypervisor set-bmc {hypervisor}"
        )
    call.changed("hypervisor", "changed", hypervisor, admins_only=True)
    return Deleted(deleted=True)


@method("hypervisor.retire", mutates=True)
async def retire(call: Call, hypervisor: Name, force: bool = False) -> Hypervisor:
    """Declare a hypervisor dead: it is switched off, and nothing is sent to it any more.

    Its BMC switches it off, and must say that it is off: its headnodes may run on there, with their
    MACs. ``force`` says that you have switched it off yourself; without a BMC there is no other
    way. From then on the state of its headnodes is not known, and plans leave them out until
    headnode.move makes them anew on another hypervisor. The ids of VLANs that it may carry stay
    taken until it is reinstated or deleted.
    """

    def read(tx: Tx) -> tuple[HypervisorRow, RegisteredBmc | None]:
        return find_hypervisor(_within(call, tx), hypervisor), hypervisors.bmc(tx, hypervisor)

    def write(tx: Tx) -> Hypervisor:
        _retire(_within(call, tx), hypervisor, "admin" if force else "bmc")
        return show(_within(call, tx), hypervisor)

    row, bmc = await call.context.store.read(read)
    if row.retired is None and not force:
        await _fence(call, hypervisor, bmc)
    return await call.context.store.write(write)


async def _fence(call: Call, hypervisor: str, bmc: RegisteredBmc | None) -> None:
    """Switch a hypervisor off by its BMC. Raises ConflictError, UnavailableError."""
    by_hand = f"switch it off by hand, and then say so with  hypervisor retire {hypervisor} --force"
    if bmc is None:
        raise ConflictError(
            f"Hypervisor {hypervisor} has no BMC that could switch it off, and its headnodes may"
            f" run on: {by_hand}"
        )
    try:
        await call.context.power.fence(bmc)
    except (DeviceError, UnavailableError) as error:
        raise UnavailableError(
            f"Hypervisor {hypervisor} is not retired, as it is not certain that it is off."
            f" {error.message.rstrip('.')}. Mend that and try again; or {by_hand}"
        ) from error


def _retire(call: TxCall, hypervisor: str, fenced: FencedBy) -> None:
    """Take a hypervisor that is off out of service, unless it is retired already."""
    if find_hypervisor(call, hypervisor).retired is not None:
        return
    changed = hypervisors.retire(call.tx, hypervisor, call.context.clock.wall(), fenced)
    engine = call.context.engine
    why = f"The hypervisor {hypervisor} was retired."
    call.tx.after_commit.append(lambda: engine.hosts.remove(hypervisor, why))
    call.changed("hypervisor", "retired", hypervisor, admins_only=True)
    for headnode in changed:
        call.changed("headnode", headnode.state, headnode.name, headnode.project)


@method("hypervisor.reinstate", mutates=True)
async def reinstate(call: Call, hypervisor: Name) -> HypervisorReinstated:
    """Take a retired hypervisor back, after what is on it was read and put right.

    Machines of headnodes that were moved away meanwhile are removed, with their disks. Headnodes
    that are still its own are believed as they are found, but taken off networks that their
    projects may not use any more. The ids of VLANs that it carries no more become free. It stays
    retired if it can't be read, or has machines of HaaS that the database does not know.
    """

    def find(tx: Tx) -> HypervisorRow:
        return find_hypervisor(_within(call, tx), hypervisor)

    await call.context.store.read(find)
    removed = await call.context.engine.returning.reinstate(hypervisor)

    def shown(tx: Tx) -> Hypervisor:
        in_tx = _within(call, tx)
        in_tx.changed("hypervisor", "reinstated", hypervisor, admins_only=True)
        return show(in_tx, hypervisor)

    now = await call.context.store.write(shown)
    return HypervisorReinstated(
        hypervisor=hypervisor,
        removed=tuple(removed),
        headnodes=now.headnodes,
        bridges=now.bridges,
        drift=now.drift,
    )


def _within(call: Call, tx: Tx) -> TxCall:
    return TxCall(context=call.context, caller=call.caller, subscriber=call.subscriber, tx=tx)


@method("hypervisor.trust", mutates=True)
async def trust(
    call: Call, hypervisor: Name, fingerprint: Fingerprint | None = None
) -> HypervisorTrust:
    """Show the SSH host key of a hypervisor or, given its fingerprint, trust it from now on.

    Without the fingerprint nothing is stored: compare the key with the one shown on the host's own
    console. With it, the key replaces any other of this host, if it presents exactly this one. The
    keys are stored in [switches] known_hosts.
    """

    def read(tx: Tx) -> RegisteredHypervisor:
        return find_hypervisor(_within(call, tx), hypervisor).registered

    registered = await call.context.store.read(read)
    if call.context.trust_hypervisor is None:
        raise UnavailableError("haas.toml has no [master] table, so there are no hypervisors.")
    return await call.context.trust_hypervisor(registered, fingerprint)


@method("hypervisor.list")
def list_(call: TxCall, limit: Limit = 1000, after: str | None = None) -> Page[Hypervisor]:
    """List the hypervisors: the master first, then the others by name."""
    rows = [row for row in hypervisors.everyone(call.tx) if row.name > (after or "")][:limit]
    found = [record(call, row.registered, row) for row in rows]
    if after is None and call.context.settings.master is not None:
        found = [_master(call), *found][:limit]
    cursor = found[-1].hypervisor if found else None
    return paged(found, limit, "" if cursor == MASTER else cursor)


@method("hypervisor.show")
def show(call: TxCall, hypervisor: Name) -> Hypervisor:
    """Show one hypervisor."""
    if hypervisor == MASTER and call.context.settings.master is not None:
        return _master(call)
    row = find_hypervisor(call, hypervisor)
    return record(call, row.registered, row)


def _master(call: TxCall) -> Hypervisor:
    master = master_of(call)
    registered = RegisteredHypervisor(MASTER, master.libvirt_uri, master.trunk_nic)
    return record(call, registered)
