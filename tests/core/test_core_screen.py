"""The pure parts below the screens: filter, order, areas, refusals, undo, completion."""

from __future__ import annotations

from pathlib import Path

import pytest

from haas_console.core import gestures, guide, history
from haas_console.core.api import packaged_api
from haas_console.core.areas import area_lines
from haas_console.core.board import Board
from haas_console.core.commands import Call
from haas_console.core.completion import Completer
from haas_console.core.gestures import (
    PARKED,
    DropTarget,
    Gesture,
    HeadnodeRef,
    NicRef,
    Refusal,
    WriteAccess,
)
from haas_console.core.inventory import Inventory
from haas_console.core.language import Language
from haas_console.core.natural import natural
from haas_console.core.nictext import network_text
from haas_console.core.recall import Recall
from haas_schemas.headnode import Headnode, HeadnodeNic
from haas_schemas.network import Network
from haas_schemas.node import Nic, NicNetwork, Node
from haas_schemas.project import Project
from haas_schemas.system import SystemInfo

FREE = WriteAccess()
LAB, SHARED, FOREIGN = (
    DropTarget(("astro", "lab")),
    DropTarget(("bio", "gene")),
    DropTarget(("bio", "own")),
)


def nic(
    name: str,
    *staged: NicNetwork,
    applied: tuple[NicNetwork, ...] | None = (),
    port: str | None = "Gi1/0/1",
) -> Nic:
    same = {(k.vlan, k.tagged) for k in staged} == {(k.vlan, k.tagged) for k in applied or ()}
    state = "unwired" if port is None else "applied" if same else "staged"
    return Nic(name, "data", None, "sw1" if port else None, port, state, staged, applied)


ON_LAB, ON_GENE = NicNetwork("lab", 100), NicNetwork("bio/gene", 101, True)


@pytest.fixture
def inventory() -> Inventory:
    """Astro holds n1 and n2, n3 is free, n4 is being released, n10 is bio's."""
    nodes = [
        Node("n1", "allocated", "astro", ("gpu",), (nic("a"), nic("b", ON_LAB, applied=(ON_LAB,)))),
        Node("n2", "allocated", "astro", (), (nic("a", ON_LAB), nic("b", port=None))),
        Node("n3", "free", None, (), (nic("a"),)),
        Node("n4", "releasing", "astro", (), (nic("a", applied=(ON_LAB,)),)),
        Node("n10", "allocated", "bio", (), (nic("a", ON_LAB, applied=()),)),
    ]
    networks = [
        Network("astro", "lab", 100, (), 0, 0),
        Network("bio", "gene", 101, ("astro",), 0, 0),
        Network("bio", "own", 102, (), 0, 0),
    ]
    login = Headnode(
        "astro", "login", "running", True, "base", "", (HeadnodeNic("nic0", "m", "lab", 100, 100),)
    )
    return Inventory(
        info=SystemInfo(
            "haas", "1", "ann", False, ("astro",), "100-199", True, ("base",), ("x",), False, 0.0
        ),
        nodes={node.node: node for node in nodes},
        networks={network.key: network for network in networks},
        headnodes={login.key: login},
        projects={name: Project(name, (), 0, 0, 0) for name in ("astro", "bio")},
    )


# --- rows ---


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", 7),
        ("n1", 3),
        ("state=free", 1),
        ("!state=free", 6),
        ("project=astro state=allocated", 4),
        ("tag=gpu", 2),
        ("network=lab", 4),
        ("network=lab !project=bio", 3),
        ("network=parked", 2),
        ("port=none", 1),
        ("node=n1*", 3),
        ("lab !n2", 3),
        ("state=staged", 3),
        ("!", 7),
        ("state=", 7),
    ],
)
def test_a_filter_shows_the_rows_that_match(inventory: Inventory, text: str, rows: int) -> None:
    board = Board()
    board.set_filter(text)
    board.rebuild(inventory)
    assert len(board.rows) == rows


def test_an_unknown_field_is_reported_and_the_filter_stays() -> None:
    board = Board()
    board.set_filter("n1")
    with pytest.raises(ValueError, match='no field "stat"; there are: node'):
        board.set_filter("stat=free")
    assert board.filter == "n1"


def test_nodes_are_in_natural_order_and_marks_stay_with_their_nic(inventory: Inventory) -> None:
    board = Board()
    board.rebuild(inventory)
    assert [n.node for n, _ in board.rows] == ["n1", "n1", "n2", "n2", "n3", "n4", "n10"]
    board.toggle(0)
    board.sort = "state"
    board.rebuild(inventory)
    assert board.chosen(5) == [NicRef("n1", "a")]
    del inventory.nodes["n1"]
    board.rebuild(inventory)
    assert not board.marks


def test_natural_order_counts_each_number_of_a_name() -> None:
    names = ["r10-n1", "r2-n10", "r2-n9", "n2", "n10", "plain"]
    assert sorted(names, key=natural) == ["n2", "n10", "plain", "r2-n9", "r2-n10", "r10-n1"]


def test_the_networks_of_a_nic_can_be_read_without_colour() -> None:
    storage = NicNetwork("storage", 103, True)
    assert network_text(nic("a")) == "parked"
    assert network_text(nic("a", ON_LAB, applied=(ON_LAB,))) == "lab"
    assert network_text(nic("a", ON_LAB, storage, applied=(ON_LAB,))) == "lab → lab +storage*"
    assert network_text(nic("a", applied=(ON_LAB,))) == "lab → parked*"
    assert network_text(nic("a", port=None)) == "no port"
    assert network_text(nic("a", ON_LAB, applied=None)) == "? → lab*"


def test_areas_show_what_joins_and_what_leaves(inventory: Inventory) -> None:
    inventory.put_nic("n1", nic("b", ON_GENE, applied=(ON_LAB,)))
    output = [(ln.target, ln.sign, ln.text) for ln in area_lines(inventory, "astro") if ln.item]
    assert output == [
        (LAB, " ", "headnode login"),
        (LAB, "-", "n1:b"),
        (LAB, "+", "n2:a"),
        (SHARED, "+", "n1:b"),
        (PARKED, " ", "n1:a"),
    ]


# --- what may be dropped where ---


@pytest.mark.parametrize(
    ("item", "target", "access", "reason"),
    [
        (NicRef("n3", "a"), LAB, FREE, "n3 is not allocated: A allocates it."),
        (NicRef("n4", "a"), LAB, FREE, "n4 is being released"),
        (NicRef("n2", "b"), LAB, FREE, "n2:b is plugged into no registered port"),
        (NicRef("n1", "a"), FOREIGN, FREE, "n1:a is held by astro, but own is bio's"),
        (NicRef("n10", "a"), LAB, FREE, "n10:a is held by bio, but lab is astro's"),
        (NicRef("n1", "b"), LAB, FREE, "n1:b is on lab already"),
        (NicRef("n1", "a"), PARKED, FREE, "n1:a is parked already"),
        (NicRef("n9", "a"), LAB, FREE, "n9:a is not there any more"),
        (NicRef("n1", "a"), DropTarget(("astro", "gone")), FREE, "Network gone is not there"),
        (NicRef("n1", "a"), LAB, WriteAccess(readonly=True), "only looks"),
        (NicRef("n1", "a"), LAB, WriteAccess(connected=False), "daemon is lost"),
        (HeadnodeRef("astro", "login"), FOREIGN, FREE, "own is bio's"),
    ],
)
def test_a_forbidden_gesture_says_why(
    inventory: Inventory,
    item: gestures.DragItem,
    target: DropTarget,
    access: WriteAccess,
    reason: str,
) -> None:
    found = gestures.plan_drop(inventory, [item], target, access, tagged=False)
    assert isinstance(found, Refusal)
    assert reason in found.reason


def calls(found: Gesture | Refusal) -> list[tuple[str, dict[str, object]]]:
    assert isinstance(found, Gesture), found
    return [(call.method, dict(call.params)) for call in found.calls]


def test_a_shared_network_is_named_with_its_owner(inventory: Inventory) -> None:
    found = gestures.plan_drop(inventory, [NicRef("n1", "a")], SHARED, FREE, tagged=True)
    assert calls(found) == [
        ("nic.connect", {"node": "n1", "nic": "a", "network": "bio/gene", "tagged": True})
    ]


def test_nics_that_are_already_on_the_network_are_left_out(inventory: Inventory) -> None:
    items = [NicRef("n1", "a"), NicRef("n1", "b"), HeadnodeRef("astro", "login")]
    found = gestures.plan_drop(inventory, items, LAB, FREE, tagged=False)
    assert calls(found) == [("nic.connect", {"node": "n1", "nic": "a", "network": "lab"})]


def test_a_nic_dragged_off_one_of_its_networks_leaves_only_that_one(inventory: Inventory) -> None:
    inventory.put_nic("n1", nic("b", ON_LAB, ON_GENE, applied=(ON_LAB,)))
    found = gestures.plan_drop(
        inventory, [NicRef("n1", "b", "bio/gene")], PARKED, FREE, tagged=False
    )
    assert calls(found) == [("nic.disconnect", {"node": "n1", "nic": "b", "network": "bio/gene"})]


# --- undo ---


def undone(inventory: Inventory, method: str, **params: object) -> list[tuple[str, dict]]:  # type: ignore[type-arg]
    found = history.inverse(inventory, Call(method, params))
    assert found is not None
    return [(call.method, dict(call.params)) for call in found]


def test_undoing_a_connection_restores_the_networks_before_it(inventory: Inventory) -> None:
    to_gene = {"node": "n1", "network": "bio/gene"}
    assert undone(inventory, "nic.connect", nic="b", **to_gene) == [
        ("nic.connect", {"node": "n1", "nic": "b", "network": "lab"})
    ]
    assert undone(inventory, "nic.connect", nic="a", **to_gene) == [
        ("nic.disconnect", {"node": "n1", "nic": "a"})
    ]
    assert undone(inventory, "nic.connect", nic="b", tagged=True, **to_gene) == [
        ("nic.disconnect", {"node": "n1", "nic": "b", "network": "bio/gene"})
    ]
    assert undone(inventory, "nic.disconnect", node="n1", nic="b") == [
        ("nic.connect", {"node": "n1", "nic": "b", "network": "lab"})
    ]
    assert undone(inventory, "headnode.disconnect", project="astro", headnode="login") == [
        (
            "headnode.connect",
            {"project": "astro", "headnode": "login", "network": "lab", "nic": "nic0"},
        )
    ]


def test_discarding_goes_back_to_what_is_applied(inventory: Inventory) -> None:
    inventory.put_nic("n1", nic("b", ON_GENE, applied=(ON_LAB,)))
    output = [(call.method, dict(call.params)) for call in history.discard(inventory, "astro")]
    assert output == [
        ("nic.disconnect", {"node": "n1", "nic": "b", "network": "bio/gene"}),
        ("nic.connect", {"node": "n1", "nic": "b", "network": "lab"}),
        ("nic.disconnect", {"node": "n2", "nic": "a"}),
    ]


# --- the command line ---


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("netw", ["network"]),
        ("node al", ["allocate"]),
        ("node allocate ", ["n3"]),
        ("node release ", ["n1", "n2", "n4"]),
        ("connect n", ["n1:", "n2:", "n4:"]),
        ("connect n1:", ["n1:a", "n1:b"]),
        ("connect n1:a ", ["lab", "bio/gene"]),
        ("network delete ", ["lab"]),
        ("apply ", ["astro", "bio"]),
        ("headnode start lo", ["login"]),
        ("node allocate --n", ["--node"]),
        ("network create ", ["--project"]),
    ],
)
def test_the_command_line_completes_names(
    inventory: Inventory, text: str, first: list[str]
) -> None:
    found = Completer(Language(packaged_api()), inventory, "astro").complete(text)
    assert found[: len(first)] == first


def test_history_is_kept_for_the_next_run_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "new" / "history"
    past = Recall(path)
    for line in ("node list", "node list", "  ", "plan"):
        past.add(line)
    assert Recall(path).lines == ["node list", "plan"]
    assert path.stat().st_mode & 0o077 == 0


def test_the_console_works_without_a_history_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    past = Recall(tmp_path / "file" / "history")
    past.add("node list")
    assert past.lines == ["node list"]


# --- what to do next ---


def test_an_empty_site_tells_each_user_what_they_can_do(inventory: Inventory) -> None:
    empty = Inventory(info=inventory.info)
    assert "An admin registers nodes" in "\n".join(guide.empty_board(empty))
    admin = SystemInfo(
        "haas", "1", "root", True, (), "100-199", True, (), ("cisco_ios",), False, 0.0
    )
    shown = "\n".join(guide.empty_board(Inventory(info=admin)))
    for words in (":switch register sw1 cisco_ios", ":node register", ":site import FILE"):
        assert words in shown
    parse = Language(packaged_api()).parse_line
    for line in shown.splitlines():
        _, colon, command = line.partition(":" if line.strip().startswith(":") else " :")
        command = command.partition("   ")[0].strip()
        if colon and command and "FILE" not in command:
            assert parse(command.replace("HOST", "h").replace("NAME", "n").replace("USER", "u"))
