"""The picture of the data centre, letter by letter."""

from __future__ import annotations

from msgspec.structs import replace

from haas_console.core.inventory import Inventory
from haas_console.core.topology import Picture
from haas_schemas.node import Nic, Node
from tests.tui.sites import LAB, info, nic, small_site


def drawn(site: Inventory, width: int = 80, project: str | None = "astro") -> list[str]:
    picture = Picture(site, project, width)
    return ["".join(text for text, _ in picture.line(i)).rstrip() for i in range(len(picture))]


def test_the_whole_site_fits_80_columns() -> None:
    assert drawn(small_site()) == [
        "                       ┌─ sw1 cisco_ios ───────┐",
        "=node-1= <ipmi-nic>····] Gi1/0/1 {-}           │ ┌─<trunk-nic>=haas-master=",
        "         <primary-nic>─] Gi1/0/2 {104} lab     │ │",
        "=node-2= <ipmi-nic>╌╌╌╌] Gi1/0/3 {104}→{-}*    │ │   astro/lab",
        "         <primary-nic>╌] Gi1/0/4 {104}→{105}*  │ │ ^br-vlan104^─^trunk-nic.104^",
        "=node-3= <eth0>????????] Gi1/0/5 {?}           │ │   %login% running",
        "                       │ 1 more, no nic        │ │",
        "                       │     Gi1/0/8 {100-199} [─┘ + astro/storage",
        "                       └───────────────────────┘   ^br-vlan105^─^trunk-nic.105^*",
        "                                                   + %login% running",
    ]


def test_a_wide_picture_shows_the_kinds_of_ports_and_the_names_of_networks() -> None:
    lines = drawn(small_site(), 120)
    assert "] Gi1/0/4 access{104}→{105}* storage" in lines[4]
    assert "( ^br-vlan104^────^trunk-nic.104^ )" in lines[4]
    assert "trunk Gi1/0/8 {100-199} [─┘" in lines[7]


def test_a_tenants_picture_is_made_of_its_nics() -> None:
    lines = drawn(small_site(admin=False))
    assert lines[0].strip() == "┌─ sw1 ─────────────────┐"
    assert "=node-1= <ipmi-nic>····] Gi1/0/1 {-}" in lines[1]
    assert "trunk [─┘" in lines[6]
    assert not any("no nic" in line for line in lines)


def test_no_line_is_wider_than_the_screen() -> None:
    site = small_site()
    long = Node("n" * 63, "allocated", "astro", (), (nic("i" * 63, "GigabitEthernet1/0/99", "applied", (LAB,), (LAB,)),))  # noqa: E501  # fmt: skip
    site.put_node(long)
    for width in (80, 100, 120, 200):
        assert max(map(len, drawn(site, width))) <= width


def test_a_nic_without_a_port_is_shown_at_the_end() -> None:
    site = small_site()
    site.put_node(Node("node-9", "free", None, (), (nic("eth0", None, "unwired"),)))
    lines = drawn(site)
    assert "plugged into no registered port" in lines[10]
    assert lines[11].startswith("=node-9= <eth0>")
    spot = Picture(site, "astro", 80).spot(11)
    assert spot.switch is None and spot.plug is not None and spot.plug[0].node == "node-9"


def test_without_a_master_there_are_no_bridges() -> None:
    site = small_site()
    site.info = info(master=False)
    assert any("no master is configured" in line for line in drawn(site))
    assert not any("br-vlan" in line for line in drawn(site))


def test_deleting_the_last_headnode_of_a_network_removes_its_bridge() -> None:
    site = small_site()
    site.headnodes = {
        key: replace(headnode, state="deleting") for key, headnode in site.headnodes.items()
    }
    lines = drawn(site)
    assert any("- astro/lab" in line for line in lines)
    assert any("%login% deleting*" in line for line in lines)


def test_nodes_are_sorted_by_their_ports_with_their_nics_together() -> None:
    site = Inventory(info=info())
    for name, ports in (("b", ("Gi1/0/2", "Gi1/0/30")), ("a", ("Gi1/0/10", "Gi1/0/11"))):
        nics: tuple[Nic, ...] = tuple(nic(f"e{n}", p, "applied") for n, p in enumerate(ports))
        site.put_node(Node(name, "free", None, (), nics))
    picture = Picture(site, None, 80)
    ports = [spot.port.port for i in range(len(picture)) if (spot := picture.spot(i)).port]
    assert ports == ["Gi1/0/2", "Gi1/0/30", "Gi1/0/10", "Gi1/0/11"]


def test_a_search_by_name_wraps_around() -> None:
    picture = Picture(small_site(), "astro", 80)
    assert picture.find("NODE-2", 0) == 3
    assert picture.find("node-2", 3) == 4
    assert picture.find("node-2", 4) == 3
    assert picture.find("gi1/0/5", 0) == 5
    assert picture.find("nowhere", 0) is None
    assert picture.line_of("sw1", "Gi1/0/4") == 4


def test_the_cursor_finds_the_port_of_each_line() -> None:
    picture = Picture(small_site(), "astro", 80)
    for index in range(len(picture)):
        seen = picture.spot(index).port
        if seen is not None:
            text = "".join(part for part, _ in picture.line(index))
            assert seen.port in text
            if seen.node is not None and seen.nic is not None:
                assert f"<{seen.nic.nic}>" in text
