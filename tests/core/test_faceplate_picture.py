"""A face plate, letter by letter, and how the cursor moves on it."""

from __future__ import annotations

import pytest

from haas_console.core.faceplate import Plate, labeller, legend, plate
from haas_console.core.inventory import Inventory
from haas_console.core.portviews import PortView, describe, letters, plugs, views
from tests.tui.sites import small_site


def ports_of(site: Inventory) -> list[PortView]:
    return views(site, "sw1", plugs(site)["sw1"])


def text(drawn: Plate) -> list[str]:
    return ["".join(cell.text for cell in line).rstrip() for line in drawn.lines]


def named(*names: str) -> list[PortView]:
    return [PortView("sw", name, "parked", applied=()) for name in names]


def bare(*names: str, width: int = 40) -> Plate:
    return plate(named(*names), width, labeller(Inventory()))


def test_a_narrow_plate_has_odd_ports_above_even_ones_and_letters_for_networks() -> None:
    site = small_site()
    assert text(plate(ports_of(site), 16, labeller(site))) == [
        "Gi1/0/",
        " 1  3  5",
        "┌──┬──┬──┬──┐",
        "│○ │○*│○?│  │",
        "├──┼──┼──┼──┤",
        "│l │s*│· │T │",
        "└──┴──┴──┴──┘",
        " 2  4  6  8",
    ]


def test_a_wide_plate_names_the_networks() -> None:
    site = small_site()
    assert text(plate(ports_of(site), 40, labeller(site)))[2:7] == [
        "┌───────┬───────┬───────┬───────┐",
        "│○      │○     *│○     ?│       │",
        "├───────┼───────┼───────┼───────┤",
        "│lab    │storag*│·      │trunk  │",
        "└───────┴───────┴───────┴───────┘",
    ]


def test_the_legend_explains_the_cells() -> None:
    site = small_site()
    shown = "".join(part for part, _ in legend(site, ports_of(site)))
    assert shown.startswith(" l astro/lab 104  s astro/storage 105 ")


def test_port_numbers_that_begin_at_0_have_even_ports_above_odd_ones() -> None:
    drawn = bare("ge-0/0/0", "ge-0/0/1", "ge-0/0/2", "ge-0/0/3")
    assert drawn.rows == [["ge-0/0/0", "ge-0/0/2"], ["ge-0/0/1", "ge-0/0/3"]]


def test_a_switch_with_many_ports_is_drawn_in_several_bands() -> None:
    drawn = bare(*(f"Gi1/0/{n}" for n in range(1, 49)), width=40)
    assert max(map(len, text(drawn))) <= 40
    assert sorted(p for row in drawn.rows for p in row if p) == sorted(
        f"Gi1/0/{n}" for n in range(1, 49)
    )


def test_each_module_has_its_own_plate_and_ports_without_numbers_are_sorted() -> None:
    drawn = bare("Gi1/0/1", "Gi2/0/1", "uplink-a", "uplink-b")
    assert drawn.rows[0] == ["Gi1/0/1"] and drawn.rows[2] == ["Gi2/0/1"]
    assert drawn.rows[4:] == [["uplink-a"], ["uplink-b"]]


@pytest.mark.parametrize(
    ("start", "across", "down", "end"),
    [
        ("Gi1/0/1", 1, 0, "Gi1/0/3"),
        ("Gi1/0/3", 0, 1, "Gi1/0/4"),
        ("Gi1/0/4", 0, -1, "Gi1/0/3"),
        ("Gi1/0/6", 1, 0, "Gi1/0/8"),
        ("Gi1/0/5", 1, 0, "Gi1/0/5"),
        ("Gi1/0/8", 0, -1, "Gi1/0/5"),
        ("Gi1/0/1", -1, 0, "Gi1/0/1"),
        (None, 0, 0, "Gi1/0/1"),
        ("gone", 1, 0, "Gi1/0/1"),
    ],
)
def test_the_cursor_moves_from_port_to_port(
    start: str | None, across: int, down: int, end: str
) -> None:
    site = small_site()
    assert plate(ports_of(site), 40, labeller(site)).step(start, across, down) == end


def test_a_port_is_described_in_words() -> None:
    shown = {port.port: describe(port) for port in ports_of(small_site())}
    assert (
        shown["Gi1/0/2"] == "sw1 Gi1/0/2   node-1:primary-nic   project astro   applied lab (104)"
    )
    assert shown["Gi1/0/4"].endswith("applied lab (104) → staged storage (105)*")
    assert shown["Gi1/0/3"].endswith("node-2:ipmi-nic (bmc)   project astro   applied lab (104) → staged parked*")  # noqa: E501  # fmt: skip
    assert shown["Gi1/0/5"] == "sw1 Gi1/0/5   node-3:eth0   unconfirmed   unconfirmed"
    assert shown["Gi1/0/6"] == "sw1 Gi1/0/6   no nic behind it   parked"
    assert shown["Gi1/0/8"] == "sw1 Gi1/0/8   trunk   carries 100-199"


def test_no_two_networks_have_the_same_letter() -> None:
    site = Inventory()
    keys = [("p", name) for name in ("lab", "lan", "la", "l", "all", "1", "2")]
    site.networks = dict.fromkeys(keys)  # type: ignore[arg-type]
    found = letters(site)
    assert len(set(found.values())) == len(keys)
    assert found[("p", "lab")].lower() in "lab"
