"""network.share and its like: a project offers a network, another accepts it, either ends it."""

from __future__ import annotations

from haas_rpcd.errors import ConflictError, InvalidParamsError, NotFoundError
from haas_rpcd.methods.access import find_project, may_act_for, paged, visible
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.ending import end_share
from haas_rpcd.methods.network import for_caller, own, record
from haas_rpcd.methods.registry import method
from haas_rpcd.store import networks, projects, shares
from haas_rpcd.store.networks import NetworkRow
from haas_schemas.common import Page
from haas_schemas.names import Limit, Name, NetworkName
from haas_schemas.network import Network, Offer, Unshared

MAX_OFFERS = 100
"""Offers of one network that nobody has accepted."""


def _named(call: TxCall, network: str, project: str | None) -> NetworkRow:
    """Return a network that the caller's projects own, by ``name`` or ``owner/name``.

    Raises NotFoundError, or InvalidParamsError if several of these projects have one.
    """
    owner, _, name = network.rpartition("/")
    if project is not None or owner:
        find_project(call.tx, call.caller, project or owner)
        if project is not None and owner not in ("", project):
            raise InvalidParamsError(
                f"network: {network} is not one of project {project}; only its owner may share it.",
                field="network",
            )
        return own(call, project or owner, name)
    found = networks.named(call.tx, name, visible(call.tx, call.caller))
    if not found:
        raise NotFoundError(f"There is no network {name}.")
    if len(found) > 1:
        owners = " and ".join(f"{row.project}/{name}" for row in found[:3])
        raise InvalidParamsError(f"network: there are {owners}: say which.", field="network")
    find_project(call.tx, call.caller, found[0].project)  # is the caller's role there enough?
    return found[0]


@method("network.share", mutates=True)
def share(call: TxCall, network: NetworkName, with_: Name, project: Name | None = None) -> Network:
    """Offer a network to another project, which uses it as ``owner/network`` once it has accepted.

    A caller who may accept for that project too accepts with this. ``network`` may omit the owner
    if only one of the caller's projects has a network of this name.
    """
    row = _named(call, network, project)
    call.affects(row.project)
    if call.caller.admin:
        find_project(call.tx, call.caller, with_)
    if with_ == row.project:
        raise InvalidParamsError("with: a network need not be shared with its owner.", field="with")
    if row.deleting or with_ in row.ending_with:
        raise ConflictError(f"Network {network} is being taken back from {with_}: wait for that.")
    if with_ in row.shared_with:
        return _record(call, row)
    if may_act_for(call.tx, call.caller, with_):
        return _accept(call, row, with_)
    if len(row.offered_to) >= MAX_OFFERS:
        raise ConflictError(
            f"Network {network} is offered to {MAX_OFFERS} projects already: withdraw some offers"
            " with  network unshare"
        )
    # Also where there is no such project: its owner may not know which there are.
    shares.offer(call.tx, row.id, with_)
    return _changed(call, row, with_, "offered")


def _accept(call: TxCall, row: NetworkRow, guest: str) -> Network:
    shares.withdraw_offer(call.tx, row.id, guest)
    project = projects.find(call.tx, guest)
    if project is not None:
        shares.create(call.tx, row.id, project.id)
    return _changed(call, row, guest, "shared")


def _changed(call: TxCall, row: NetworkRow, guest: str, verb: str) -> Network:
    """Notify both projects, and return the network's record."""
    call.changed("network", verb, row.name, row.project)
    call.changed("network", verb, f"{row.project}/{row.name}", guest)
    return _record(call, row)


def _record(call: TxCall, row: NetworkRow) -> Network:
    return record(for_caller(call, networks.by_id(call.tx, row.id)))


@method("network.accept", mutates=True)
def accept(call: TxCall, project: Name, network: NetworkName) -> Network:
    """Accept a network that another project offers, as ``owner/network``."""
    guest = find_project(call.tx, call.caller, project)
    row = _of_owner(call, network)
    if row is not None and guest.name in row.shared_with:
        return _record(call, row)
    if row is None or guest.name not in row.offered_to or row.deleting:
        raise NotFoundError(f"Nobody offers project {project} a network {network}.")
    return _accept(call, row, project)


def _of_owner(call: TxCall, network: str) -> NetworkRow | None:
    """Return a network by ``owner/name``, whoever may see it."""
    owner, _, name = network.rpartition("/")
    if not owner:
        raise InvalidParamsError(
            f"network: name its owner too, as OWNER/{network}.", field="network"
        )
    row = projects.find(call.tx, owner)
    return networks.find(call.tx, row.id, name) if row is not None else None


@method("network.unshare", mutates=True)
def unshare(
    call: TxCall, network: NetworkName, with_: Name, project: Name | None = None
) -> Unshared:
    """End the share of a network, or withdraw or decline its offer.

    ``with`` is the project that it is shared with. Its owner may end it, and so may that project.
    What that project has on the network is disconnected, and parked first, in a ``job``.
    """
    row = _to_end(call, network, with_, project)
    call.affects(row.project)
    job = None
    if with_ in row.offered_to:
        shares.withdraw_offer(call.tx, row.id, with_)
        _changed(call, row, with_, "unshared")
    else:
        job = end_share(call, row, with_)
        ended = shares.finish_ends(call.tx)
        _changed(call, row, with_, "unshared" if ended else "changed")
    shown = job if may_act_for(call.tx, call.caller, with_) else None
    now = networks.find(call.tx, row.project_id, row.name)  # it may have been deleted with this
    return Unshared(
        project=row.project,
        network=row.name,
        shared_with=tuple(for_caller(call, now).shared_with) if now else (),
        ending_with=tuple(for_caller(call, now).ending_with) if now else (),
        job=shown,
    )


def _to_end(call: TxCall, network: str, with_: str, project: str | None) -> NetworkRow:
    """Return the network whose share the caller may end, as its owner or as the guest."""
    owner = network.rpartition("/")[0]
    if owner and owner != project and not may_act_for(call.tx, call.caller, owner):
        find_project(call.tx, call.caller, with_)
        row = _of_owner(call, network)
        if row is None or not _is_guest(row, with_):
            raise NotFoundError(f"Project {with_} shares no network {network}.")
        return row
    row = _named(call, network, project)
    if not _is_guest(row, with_):
        raise NotFoundError(f"Network {network} is not shared with a project {with_}.")
    return row


def _is_guest(row: NetworkRow, project: str) -> bool:
    return project in (*row.shared_with, *row.ending_with, *row.offered_to)


@method("network.offers")
def offers(
    call: TxCall, project: Name, limit: Limit = 1000, after: str | None = None
) -> Page[Offer]:
    """List the networks that other projects offer to a project."""
    guest = find_project(call.tx, call.caller, project)
    place = (after or "/").split("/", 1)
    if len(place) != 2:
        raise InvalidParamsError(
            "after: must be the `next` of the page before this one.", field="after"
        )
    rows = shares.offers_to(call.tx, limit, (place[0], place[1]), guest.name)
    items = [Offer(project=guest.name, network=f"{row.owner}/{row.network}") for row in rows]
    return paged(items, limit, items[-1].network if items else None)
