"""Who may call which method: the one table of it.

``user``: everybody who is known; what the answer holds depends on what the caller may see.
``reader``, ``member``, ``owner``: whoever has at least this role in the project that the call is
about. ``admin``: admins, who may call everything.

A method that is not listed is for admins only, and a test fails until it is.
"""

from __future__ import annotations

from haas_rpcd.auth.caller import Right

RIGHTS: dict[str, Right] = {
    "apply.start": "member",
    "audit.list": "reader",
    "audit.verify": "admin",
    "drift.check": "admin",
    "drift.list": "reader",
    "drift.repair": "member",
    "events.subscribe": "user",
    "headnode.connect": "member",
    "headnode.create": "member",
    "headnode.delete": "member",
    "headnode.disconnect": "member",
    "headnode.list": "reader",
    "headnode.show": "reader",
    "headnode.start": "member",
    "headnode.stop": "member",
    "job.cancel": "member",
    "job.list": "reader",
    "job.show": "reader",
    "job.subscribe": "reader",
    "job.wait": "reader",
    "network.accept": "member",
    "network.create": "member",
    "network.delete": "member",
    "network.list": "reader",
    "network.offers": "reader",
    "network.share": "member",
    "network.show": "reader",
    "network.unshare": "member",
    "nic.connect": "member",
    "nic.delete": "admin",
    "nic.disconnect": "member",
    "nic.register": "admin",
    "node.allocate": "member",
    "node.delete": "admin",
    "node.list": "reader",
    "node.register": "admin",
    "node.release": "member",
    "node.show": "reader",
    "plan.show": "reader",
    "port.delete": "admin",
    "port.list": "admin",
    "port.register": "admin",
    "project.add_member": "owner",
    "project.create": "admin",
    "project.delete": "admin",
    "project.list": "reader",
    "project.remove_member": "owner",
    "project.show": "reader",
    "rpc.discover": "user",
    "site.export": "admin",
    "site.import": "admin",
    "switch.delete": "admin",
    "switch.list": "admin",
    "switch.probe": "admin",
    "switch.register": "admin",
    "switch.show": "admin",
    "switch.trust": "admin",
    "system.info": "user",
    "token.create": "user",
    "token.list": "user",
    "token.revoke": "user",
    "user.create": "admin",
    "user.delete": "admin",
    "user.list": "admin",
}
