"""The inventory as Ansible's script plugin wants it: ``haas-console inventory --list``.

Hosts are the allocated nodes that the caller sees, under their own names: HaaS does not know their
addresses. Groups are ``project_P``, ``tag_T`` and ``network_P_N``. The format is described in
https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from haas_console.batch.output import Output
from haas_console.core.client import Client
from haas_console.core.demo import demo_daemon
from haas_console.core.errors import ConsoleError
from haas_console.core.inventory import record, records
from haas_console.core.paging import pages
from haas_console.core.target import Target
from haas_schemas.node import Node


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse the words after ``inventory``; exits as argparse does."""
    parser = argparse.ArgumentParser(
        prog="haas-console inventory",
        description="Print the allocated nodes as an inventory for Ansible: hosts, and groups by"
        " project, tag and network.",
        allow_abbrev=False,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true", help="all groups and hosts")
    what.add_argument("--host", metavar="NODE", help="the variables of one node")
    parser.add_argument("--project", help="with --list: only the nodes of this project")
    return parser.parse_args(list(words))


def run(target: Target, asked: argparse.Namespace, output: Output) -> None:
    """Print the inventory. Raises ConsoleError."""
    output.document(asyncio.run(_read(target, asked)))


async def _read(target: Target, asked: argparse.Namespace) -> dict[str, Any]:
    if target.endpoint is None:
        async with demo_daemon(target.site) as endpoint:
            return await _read(msgspec.structs.replace(target, endpoint=endpoint), asked)
    client = await Client.connect(target.endpoint, token=target.token, timeout=target.timeout)
    try:
        if asked.host is not None:
            node = record(Node, await client.call("node.show", {"node": asked.host}))
            if node.state != "allocated":
                raise ConsoleError(f"node {node.node} is allocated to no project: it is no host")
            return host_vars(node)
        params = {"project": asked.project} if asked.project else {}
        nodes: list[Node] = []
        async for page in pages(client.call, "node.list", params):
            nodes += records(Node, page["items"])
        return inventory(nodes)
    finally:
        await client.close()


def inventory(nodes: Iterable[Node]) -> dict[str, Any]:
    """The document for ``--list``: groups, and ``_meta`` with the variables of all hosts."""
    hosts = [node for node in nodes if node.state == "allocated" and node.project]
    members: dict[tuple[str, str], list[str]] = {}
    for node in hosts:
        for key in _groups(node):
            members.setdefault(key, []).append(node.node)
    names = _group_names(members)
    groups: dict[str, Any] = {}
    for key, inside in sorted(members.items()):
        groups[names[key]] = {"hosts": inside}
    return {
        "_meta": {"hostvars": {node.node: host_vars(node) for node in hosts}},
        "all": {"children": ["ungrouped", *groups]},
        **groups,
    }


def host_vars(node: Node) -> dict[str, Any]:
    """The variables of one host; all begin with ``haas_``."""
    return {
        "haas_node": node.node,
        "haas_project": node.project,
        "haas_tags": list(node.tags),
        "haas_until": node.until,
        "haas_nics": [
            {
                "nic": nic.nic,
                "kind": nic.kind,
                "mac": nic.mac,
                "networks": [each.network for each in nic.networks if each.network],
                "state": nic.state,
            }
            for nic in node.nics
        ],
    }


def _groups(node: Node) -> set[tuple[str, str]]:
    """The groups of a node, each as its kind and what it is named after."""
    networks = {each.network for nic in node.nics for each in nic.networks if each.network}
    full = {name if "/" in name else f"{node.project}/{name}" for name in networks}
    return {
        ("project", node.project or ""),
        *(("tag", tag) for tag in node.tags),
        *(("network", name) for name in full),
    }


def _group_names(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Names for Ansible, which allows letters, digits and underscores only.

    Where two would become one name (``a-b`` and ``a.b``), each gets a digest of its own name: a
    play must never reach the nodes of another project.
    """
    plain = {key: re.sub("[^A-Za-z0-9]", "_", "_".join(key)) for key in keys}
    taken = Counter(plain.values())
    return {
        key: name if taken[name] == 1 else f"{name}_{_digest(key[1])}"
        for key, name in plain.items()
    }


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:6]
