"""Allocate free nodes, connect them to a network, apply that, and print their names.

    python examples/client/take_nodes.py PROJECT NETWORK COUNT [TAG]

A program for the plain client: no asyncio. What is there already (the network) is used.
"""

from __future__ import annotations

import sys

from haas_console.client import Client, HaasError, Node, RpcError


def take(haas: Client, project: str, network: str, count: int, tag: str | None) -> list[str]:
    """Return the names of the nodes that the project has got."""
    try:
        haas.call("network.create", project=project, network=network)
    except RpcError as error:
        if error.kind != "conflict":  # it exists
            raise
    wanted = {"count": count, "tag": tag} if tag else {"count": count}
    taken: list[str] = haas.call("node.allocate", project=project, **wanted)["nodes"]
    for name in taken:
        node = haas.get(Node, "node.show", node=name)
        nic = next(nic for nic in node.nics if nic.kind == "data")
        haas.call("nic.connect", node=name, nic=nic.nic, network=network)
    plan = haas.plan(project)
    haas.apply(project, digest=plan.digest)  # that plan, or none
    return taken


def main(project: str, network: str, count: str, tag: str | None = None) -> None:
    """Print a node a line; end with 1 and a sentence if that fails."""
    try:
        with Client() as haas:
            print("\n".join(take(haas, project, network, int(count), tag)))
    except HaasError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
