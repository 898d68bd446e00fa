"""Small inventories to draw, as the daemon would report them."""

from __future__ import annotations

from haas_console.core.inventory import Inventory
from haas_schemas.headnode import Headnode, HeadnodeNic
from haas_schemas.network import Network
from haas_schemas.node import Nic, NicNetwork, Node
from haas_schemas.project import Project
from haas_schemas.switch import Port, PortVlans, Switch
from haas_schemas.system import SystemInfo

LAB, STORAGE = NicNetwork("lab", 104), NicNetwork("storage", 105)


def info(*, admin: bool = True, master: bool = True) -> SystemInfo:
    return SystemInfo(
        "haas", "1", "ann", admin, ("astro",), "100-199", master, ("base-headnode",),
        ("cisco_ios",), False, 0.0,
    )  # fmt: skip


def nic(
    name: str,
    port: str | None,
    state: str,
    staged: tuple[NicNetwork, ...] = (),
    applied: tuple[NicNetwork, ...] | None = (),
    kind: str = "data",
) -> Nic:
    return Nic(name, kind, None, "sw1" if port else None, port, state, staged, applied)


def small_site(*, admin: bool = True) -> Inventory:
    """A switch, two nodes of astro and one unconfirmed, two networks, a headnode on both."""
    site = Inventory(info=info(admin=admin))
    site.projects = {"astro": Project("astro", (), 2, 2, 1)}
    for vlan, name in ((104, "lab"), (105, "storage")):
        site.networks[("astro", name)] = Network("astro", name, vlan, (), 1, 1)
    site.nodes = {
        node.node: node
        for node in (
            Node(
                "node-1", "allocated", "astro", (),
                (
                    nic("ipmi-nic", "Gi1/0/1", "applied", kind="bmc"),
                    nic("primary-nic", "Gi1/0/2", "applied", (LAB,), (LAB,)),
                ),
            ),
            Node(
                "node-2", "allocated", "astro", (),
                (
                    nic("ipmi-nic", "Gi1/0/3", "staged", (), (LAB,), kind="bmc"),
                    nic("primary-nic", "Gi1/0/4", "staged", (STORAGE,), (LAB,)),
                ),
            ),
            Node(
                "node-3", "unconfirmed", None, (),
                (nic("eth0", "Gi1/0/5", "unconfirmed", (), None),),
            ),
        )
    }  # fmt: skip
    site.headnodes[("astro", "login")] = Headnode(
        "astro", "login", "running", True, "base-headnode", "",
        (HeadnodeNic("nic0", "m", "lab", 104, 104), HeadnodeNic("nic1", "m", "storage", 105, None)),
    )  # fmt: skip
    if admin:
        site.switches["sw1"] = Switch(
            "sw1", "cisco_ios", "10.0.0.1", 23, "telnet", None, {}, ports=7, unsaved=False
        )
        site.ports["sw1"] = [
            Port("sw1", f"Gi1/0/{n}", "access", PortVlans(None, ""), None, None, None)
            for n in range(1, 7)
        ] + [Port("sw1", "Gi1/0/8", "trunk", PortVlans(None, "100-199"), None, None, None)]
    return site
