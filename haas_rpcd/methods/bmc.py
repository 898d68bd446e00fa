"""bmc.*: which BMC switches a node on and off. For admins."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from haas_rpcd.bmc import RegisteredBmc
from haas_rpcd.errors import InvalidParamsError, NotFoundError
from haas_rpcd.methods.access import find_node
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.site import SiteBmc
from haas_rpcd.store import bmcs
from haas_rpcd.store.database import Tx
from haas_rpcd.store.nodes import NodeRow
from haas_schemas.bmc import DEFAULT_BMC_PORTS, Bmc, BmcProtocol
from haas_schemas.common import Deleted
from haas_schemas.names import BmcSystem, Fingerprint, Host, Name

Port = Annotated[
    int,
    Meta(ge=1, le=65535, description="The BMC's port; left out: 623, or 443 with redfish."),
]


@method("bmc.set", mutates=True)
def set_(
    call: TxCall,
    node: Name,
    protocol: BmcProtocol,
    host: Host,
    port: Port | None = None,
    credential: Name | None = None,
    system: BmcSystem | None = None,
    fingerprint: Fingerprint | None = None,
) -> Bmc:
    """Register the BMC of a node, in place of any other. Nothing is sent to it.

    ``credential`` names an entry of the daemon's credentials file; the default is the entry of the
    node's own name. Redfish is spoken over TLS only: ``fingerprint`` is that of the BMC's
    certificate, unless an authority signed it that the master knows.
    """
    row = find_node(call.tx, call.caller, node)
    port = port or DEFAULT_BMC_PORTS[protocol]
    wanted = RegisteredBmc(node, protocol, host, port, credential, system, fingerprint)
    put(call.tx, row.id, wanted)
    call.changed("node", "changed", node, row.project)
    return _record(call, row)


def put(tx: Tx, node_id: int, wanted: RegisteredBmc) -> bool:
    """Register the BMC of a node; return whether it was another. Raises InvalidParamsError."""
    check_fields(wanted)
    known = bmcs.find(tx, node_id)
    if known is not None and known.registered == wanted:
        return False
    bmcs.put(tx, node_id, wanted)
    return True


def check_fields(wanted: RegisteredBmc) -> None:
    """Check that what is registered of a BMC goes with its protocol. Raises InvalidParamsError."""
    if wanted.protocol == "ipmi" and (wanted.system or wanted.fingerprint):
        field = "system" if wanted.system else "fingerprint"
        raise InvalidParamsError(f"{field}: goes with redfish, not with ipmi.", field=field)


def registered(name: str, spec: SiteBmc, *, of_hypervisor: bool = False) -> RegisteredBmc:
    """Return what a BMC of a site file is registered with: that of a node, or of a hypervisor."""
    return RegisteredBmc(
        name,
        spec.protocol,
        spec.host,
        spec.port or DEFAULT_BMC_PORTS[spec.protocol],
        spec.credential,
        spec.system,
        spec.fingerprint,
        of_hypervisor,
    )


def site_bmc(bmc: RegisteredBmc | None) -> SiteBmc | None:
    """Return what a site file says of a BMC; None without one."""
    if bmc is None:
        return None
    return SiteBmc(
        protocol=bmc.protocol,
        host=bmc.host,
        port=None if bmc.port == DEFAULT_BMC_PORTS[bmc.protocol] else bmc.port,
        credential=bmc.credential,
        system=bmc.system,
        fingerprint=bmc.fingerprint,
    )


@method("bmc.show")
def show(call: TxCall, node: Name) -> Bmc:
    """Show how the BMC of a node is registered."""
    return _record(call, find_node(call.tx, call.caller, node))


@method("bmc.delete", mutates=True)
def delete(call: TxCall, node: Name) -> Deleted:
    """Forget the BMC of a node. Nothing is sent to it."""
    row = find_node(call.tx, call.caller, node)
    if not bmcs.delete(call.tx, row.id):
        raise _missing(node)
    call.changed("node", "changed", node, row.project)
    return Deleted(deleted=True)


def _record(call: TxCall, node: NodeRow) -> Bmc:
    found = bmcs.find(call.tx, node.id)
    if found is None:
        raise _missing(node.name)
    return Bmc(**{field: getattr(found, field) for field in Bmc.__struct_fields__})


def _missing(node: str) -> NotFoundError:
    return NotFoundError(f"Node {node} has no BMC: register it with  bmc set {node}")
