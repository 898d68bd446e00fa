"""The inventory for Ansible."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from haas_console.batch.inventory import inventory
from haas_schemas.node import Nic, NicNetwork, Node
from tests.batch.conftest import ROOT

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.batch.conftest import Program


def node(name: str, project: str | None, *networks: str, tags: tuple[str, ...] = ()) -> Node:
    on = tuple(NicNetwork(network, 100 + at, at > 0) for at, network in enumerate(networks))
    nic = Nic("eth0", "data", "52:54:00:00:00:01", "sw1", "Gi1/0/1", "applied", on, on)
    return Node(name, "allocated" if project else "free", project, tags, (nic,))


def test_nodes_are_grouped_by_project_tag_and_network() -> None:
    found = inventory(
        [
            node("n1", "red", "net", "blue/store", tags=("gpu",)),
            node("n2", "red", tags=("gpu", "rack=1")),
            node("n3", "blue", "store"),
            node("n4", None, tags=("gpu",)),  # free: nobody's host
        ]
    )
    groups = {name: found[name]["hosts"] for name in found if name not in ("_meta", "all")}
    assert groups == {
        "network_blue_store": ["n1", "n3"],
        "network_red_net": ["n1"],
        "project_blue": ["n3"],
        "project_red": ["n1", "n2"],
        "tag_gpu": ["n1", "n2"],
        "tag_rack_1": ["n2"],
    }
    assert found["all"]["children"] == ["ungrouped", *sorted(groups)]
    assert found["_meta"]["hostvars"]["n1"] == {
        "haas_node": "n1",
        "haas_project": "red",
        "haas_tags": ["gpu"],
        "haas_until": None,
        "haas_nics": [
            {
                "nic": "eth0",
                "kind": "data",
                "mac": "52:54:00:00:00:01",
                "networks": ["net", "blue/store"],
                "state": "applied",
            }
        ],
    }


def test_two_projects_never_share_a_group() -> None:
    """Ansible's names have no ``-`` and no ``.``; a play must not reach another's nodes."""
    found = inventory([node("n1", "a-b"), node("n2", "a.b"), node("n3", "a")])
    groups = {name: found[name]["hosts"] for name in found if name.startswith("project")}
    assert sorted(groups.values()) == [["n1"], ["n2"], ["n3"]]
    assert "project_a" in groups
    assert "project_a_b" not in groups


def test_the_script_in_examples_is_an_inventory(console: Program) -> None:
    name = console.free_node()
    console.json("project create ansible", f"node allocate ansible {name}")

    def script(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "examples" / "ansible" / "haas.sh", *args],
            env={**console.environ, "HAAS_CONSOLE": str(console.folder / "haas-console")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    program = console.folder / "haas-console"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m haas_console "$@"\n')
    program.chmod(0o755)
    listed = script("--list", "--project", "ansible")
    assert (listed.returncode, listed.stderr) == (0, "")
    document = json.loads(listed.stdout)
    assert document["project_ansible"] == {"hosts": [name]}
    one = json.loads(script("--host", name).stdout)
    assert one == document["_meta"]["hostvars"][name]

    free = console.free_node()
    refused = script("--host", free)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"node {free} is allocated to no project: it is no host\n"
    assert script().returncode == 2
