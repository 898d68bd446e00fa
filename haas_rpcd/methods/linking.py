"""What trunk ports are declared to lead to: the other end of a cable, or a hypervisor."""

from __future__ import annotations

from haas_rpcd.devicenames import MASTER
from haas_rpcd.errors import ConflictError, InvalidParamsError, NotFoundError
from haas_rpcd.methods.access import find_port
from haas_rpcd.methods.call import TxCall
from haas_rpcd.nicplug import Place
from haas_rpcd.store import hypervisors, trunks
from haas_rpcd.store.ports import PortRow
from haas_rpcd.store.trunks import TrunkEndRow
from haas_schemas.switch import PeerPort, TrunkEnd


def declare(call: TxCall, row: PortRow, peer: Place | None, hypervisor: str | None) -> None:
    """Declare what a trunk port leads to; with neither, it leads anywhere.

    Raises HaasError if it is no trunk port, or the other end is declared to lead elsewhere.
    """
    _check_trunk(row)
    before = trunks.of_port(call.tx, row.id)
    if peer is not None and hypervisor is not None:
        raise InvalidParamsError(
            "A trunk port leads to a peer or to a hypervisor: give one of them.", field="peer"
        )
    if peer is not None:
        _declare_peer(call, row, peer)
    elif hypervisor is not None:
        if hypervisor != MASTER and hypervisors.find(call.tx, hypervisor) is None:
            raise NotFoundError(f"There is no hypervisor {hypervisor}.")
        trunks.declare_hypervisor(call.tx, row.id, hypervisor)
    elif before is not None:
        trunks.forget(call.tx, row.id)
    if before is not None and before.peer is not None:
        call.changed("switch", "changed", before.peer.switch, admins_only=True)


def _declare_peer(call: TxCall, row: PortRow, peer: Place) -> None:
    other = find_port(call.tx, peer.switch, peer.port)
    _check_trunk(other)
    if other.switch_id == row.switch_id:
        raise ConflictError(
            f"Ports {row.name} and {other.name} are both on {row.switch}: a link joins two"
            " switches."
        )
    known = trunks.of_port(call.tx, other.id)
    if known is not None and (known.peer_switch, known.peer_port) != (row.switch, row.name):
        raise ConflictError(
            f"Port {other.name} of {other.switch} is declared to lead to {known.leads_to}: if that"
            f" is wrong, take it back first with  port set {other.switch} {other.name} --anywhere"
        )
    trunks.declare_peer(call.tx, row.id, other.id)
    call.changed("switch", "changed", other.switch, admins_only=True)


def _check_trunk(row: PortRow) -> None:
    if row.role != "trunk":
        raise ConflictError(
            f"Port {row.name} of {row.switch} is an access port, and only trunk ports lead to"
            f" switches and hypervisors: make it one with  port register {row.switch} {row.name}"
            " --role trunk"
        )


def peer_of(row: PortRow | TrunkEndRow) -> PeerPort | None:
    """Return the port that a trunk port is declared to lead to."""
    if row.peer_switch is None or row.peer_port is None:
        return None
    return PeerPort(row.peer_switch, row.peer_port)


def end_record(row: TrunkEndRow) -> TrunkEnd:
    """Return the API's record of what a trunk port is declared to lead to."""
    return TrunkEnd(row.port, peer_of(row), row.hypervisor, row.wrong)
