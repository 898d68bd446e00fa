"""node.console and headnode.console: tickets for the serial lines."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from haas_rpcd.auth import Caller
from haas_rpcd.consoles import Place
from haas_rpcd.engine.power import registered
from haas_rpcd.errors import ConflictError, DeniedError
from haas_rpcd.methods.access import find_headnode, find_project
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.power import may_switch
from haas_rpcd.methods.registry import method
from haas_rpcd.store.consoles import holder
from haas_rpcd.store.database import Tx
from haas_schemas.console import ConsoleTicket
from haas_schemas.names import Name

Find = Callable[[Tx, Caller], Place]
"""Returns the place of a console, if the caller has the right that it needs. Raises HaasError."""


@method("node.console", mutates=True)
async def node_console(
    call: Call, node: Name, watch: bool = False, take: bool = False
) -> ConsoleTicket:
    """Open the console of a node: its serial line, by its BMC.

    Members type, if nobody else does; ``take`` the keyboard over from whoever does, or only
    ``watch``. Readers only watch. Of free nodes only admins may open it.
    """

    def find(tx: Tx, caller: Caller) -> Place:
        row = may_switch(tx, caller, node)
        if registered(tx, node).protocol == "redfish":
            raise ConflictError(
                f"Redfish has no console of node {node}: its BMC may have one by SSH or IPMI. An"
                f" admin registers that with  bmc set {node} ipmi HOST"
            )
        call.affects(row.project)
        return Place("node", node, holder(row))

    return await _ticket(call, find, watch=watch, take=take)


@method("headnode.console", mutates=True)
async def headnode_console(
    call: Call, project: Name, headnode: Name, watch: bool = False, take: bool = False
) -> ConsoleTicket:
    """Open the console of a headnode: its serial line, by its hypervisor. See node.console."""

    def find(tx: Tx, caller: Caller) -> Place:
        owner = find_project(tx, caller, project)
        row = find_headnode(tx, owner, headnode)
        if row.deleting:
            raise ConflictError(f"Headnode {headnode} is being deleted.")
        if row.now is None or not row.now.running:
            raise ConflictError(
                f"Headnode {headnode} is not running, so it has no console: start it with"
                f"  headnode start {project} {headnode}  and apply."
            )
        return Place("headnode", f"{project}/{headnode}", row.project_id, row.uuid)

    return await _ticket(call, find, watch=watch, take=take)


async def _ticket(call: Call, find: Find, *, watch: bool, take: bool) -> ConsoleTicket:
    reader = msgspec.structs.replace(call.caller, needs="reader")
    member = msgspec.structs.replace(call.caller, needs="member")
    place = await call.context.store.read(find, reader)
    may_write = not watch
    if may_write:
        try:
            await call.context.store.read(find, member)
        except DeniedError:
            may_write = False
    needed = member if may_write else reader
    return call.context.consoles.offer(
        call.caller, place, lambda tx: find(tx, needed), may_write=may_write, take=take
    )
