"""node.power: whether a node is on, and switching it on and off."""

from __future__ import annotations

import msgspec

from haas_rpcd.auth import Caller
from haas_rpcd.errors import DeniedError, InvalidParamsError
from haas_rpcd.methods.access import find_held_node, find_node
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.registry import method
from haas_rpcd.store import bmcs
from haas_rpcd.store.database import Tx
from haas_rpcd.store.nodes import NodeRow
from haas_schemas.bmc import BootDevice, NodePower, PowerAction
from haas_schemas.common import timestamp
from haas_schemas.names import Name


@method("node.power", mutates=True, reads_if={"action": "status"})
async def power(
    call: Call, node: Name, action: PowerAction, boot: BootDevice | None = None
) -> NodePower:
    """Ask whether a node is on, or switch it: on, off, cycle (off, then on) or reset.

    The answer comes once the BMC says that the node is as it was asked to be. A node is switched
    off at once; its system is not shut down. ``boot`` sets from what it boots next, once. Readers
    of the project that holds the node may ask for its status; of free nodes only admins may.
    """
    caller = call.caller
    if action != "status":
        caller = msgspec.structs.replace(caller, needs="member")

    def check(tx: Tx) -> int:
        row = may_switch(tx, caller, node)
        call.affects(row.project)
        return row.id

    await call.context.store.read(check)  # before anything that takes time
    if boot is not None and action in ("status", "off"):
        raise InvalidParamsError("boot: goes with on, cycle and reset.", field="boot")
    state = await call.context.power.act(node, action, boot, check=check)

    def since(tx: Tx) -> float | None:
        node_id = check(tx)
        row = bmcs.power_of(tx, [node_id]).get(node_id)
        return row.changed if row else None

    changed = timestamp(await call.context.store.read(since))
    return NodePower(node=node, power=state, power_changed=changed, boot=boot)


def may_switch(tx: Tx, caller: Caller, node: str) -> NodeRow:
    """Return a node if the caller may use its BMC. Raises HaasError."""
    row = find_node(tx, caller, node)
    if caller.admin:
        return row
    if row.project_id is None:
        raise DeniedError(
            f"Node {node} is allocated to no project, so only an admin may use its BMC: allocate"
            f" it first with  node allocate PROJECT {node}"
        )
    return find_held_node(tx, caller, node)[0]
