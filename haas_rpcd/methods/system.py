"""system.* and rpc.discover: what this daemon is, and which methods it has."""

from __future__ import annotations

from typing import Any

import haas_rpcd
from haas_rpcd.methods.access import roles
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.store import projects
from haas_schemas.system import SystemInfo


@method("system.info", quick=True)
def info(call: TxCall) -> SystemInfo:
    """Show what this daemon is and who is asking."""
    context = call.context
    known = roles(call.tx, call.caller)
    own = {projects.by_id(call.tx, key).name: role for key, role in known.items()}
    return SystemInfo(
        name="haas-rpcd",
        version=haas_rpcd.__version__,
        user=call.caller.user,
        admin=call.caller.admin,
        projects=tuple(own),
        roles=own,
        readonly=call.caller.readonly,
        via=call.caller.via,
        pool=context.settings.vlans.pool,
        master=context.settings.master is not None,
        images=tuple(context.settings.master.images) if context.settings.master else (),
        dialects=tuple(sorted(context.dialects)),
        demo=context.demo,
        site=context.settings.site.name,
        standby=context.standby(),
        uptime=round(context.clock.now().seconds - context.started, 3),
    )


@method("rpc.discover", constant=True, quick=True)
def discover(call: TxCall) -> dict[str, Any]:
    """Return the OpenRPC document of this API."""
    return call.context.openrpc()
