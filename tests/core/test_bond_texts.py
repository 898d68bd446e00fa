"""A bond on the board, its filter and its switches' face plates."""

from __future__ import annotations

import pytest

from haas_console.core.boardfilter import cells, parse_filter
from haas_console.core.inventory import Inventory
from haas_console.core.portviews import plugs
from haas_schemas.node import BondMode, Nic, NicPort, Node


def bonded(bond: BondMode, *ports: NicPort, channel: str | None = None) -> Node:
    nic = Nic("bond0", "data", None, None, None, "applied", (), (), bond, ports, channel)
    return Node("node-1", "free", None, (), (nic,))


LACP = bonded("lacp", NicPort("sw1", "eth1"), NicPort("sw1", "eth2"), channel="bond25")
BACKUP = bonded("active-backup", NicPort("sw1", "eth1"), NicPort("sw2", "eth1"))


@pytest.mark.parametrize(
    ("node", "text"),
    [(LACP, "bond lacp sw1 eth1+eth2"), (BACKUP, "bond active-backup sw1 eth1 + sw2 eth1")],
)
def test_a_bond_is_shown_with_its_ports(node: Node, text: str) -> None:
    assert node.nics[0].place == text
    assert text in [*cells((node, node.nics[0]))]


@pytest.mark.parametrize(
    "text", ["port=eth2", "port=bond25", "switch=sw1", "bond=lacp", "eth1+eth2"]
)
def test_a_bond_is_found_by_any_of_its_ports(text: str) -> None:
    fits = parse_filter(text)
    assert fits is not None
    assert fits((LACP, LACP.nics[0]))
    assert not fits((Node("node-2", "free", None, (), ()), None))


def test_a_bond_is_behind_its_ports_and_its_channel() -> None:
    inventory = Inventory()
    inventory.nodes = {"node-1": LACP}
    assert set(plugs(inventory)["sw1"]) == {"eth1", "eth2", "bond25"}
