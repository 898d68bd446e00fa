"""On which switches a VLAN exists, given what trunk ports lead to: laws on generated fabrics.

Small fabrics are compared with all ways in which their trunk ports may be cabled, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haas_rpcd.devicenames import MASTER
from haas_rpcd.planner.paths import Paths, without_retired
from haas_rpcd.planner.spread import Spread
from haas_rpcd.states import Fabric
from tests.laws import law

SWITCHES = ("a", "b", "c", "d", "e")
PAIRS = [(one, other) for one in SWITCHES for other in SWITCHES if one < other]

links = st.lists(st.sampled_from(PAIRS), max_size=7, unique=True).map(tuple)
places = st.sets(st.sampled_from(SWITCHES), min_size=1, max_size=4)
hosts = st.lists(st.tuples(st.sampled_from([MASTER, "hv2"]), st.sampled_from(SWITCHES)), max_size=3)


def fabric(
    joined: tuple[tuple[str, str], ...],
    open_ends: dict[str, int] | None = None,
    at: list[tuple[str, str]] | None = None,
    retired: frozenset[str] = frozenset(),
) -> Fabric:
    ends = dict.fromkeys(SWITCHES, 0) | (open_ends or {})
    return Fabric(tuple(ends.items()), joined, tuple(dict.fromkeys(at or [])), retired)


def simple_paths(edges: list[tuple[str, str]], one: str, other: str) -> Iterator[tuple[str, ...]]:
    """Yield all simple paths between two vertices, by trying all."""

    def extend(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if path[-1] == other:
            yield path
            return
        for edge in edges:
            if path[-1] in edge:
                [following] = set(edge) - {path[-1]}
                if following not in path:
                    yield from extend((*path, following))

    yield from extend((one,))


def by_trying(edges: list[tuple[str, str]], wanted: set[str]) -> set[str] | None:
    """Return the vertices on any simple path between any two of some; None if two have none."""
    found = set(wanted)
    for one in wanted:
        for other in wanted:
            if one < other:
                ways = list(simple_paths(edges, one, other))
                if not ways:
                    return None
                found |= {vertex for way in ways for vertex in way}
    return found


@law(100)
@given(links, places)
def test_a_vlan_exists_on_the_switches_of_all_simple_paths_and_on_no_others(
    joined: tuple[tuple[str, str], ...], wanted: set[str]
) -> None:
    assert Paths(fabric(joined)).between(wanted) == by_trying(list(joined), wanted)


@law(100)
@given(links, places, hosts)
def test_a_hypervisor_is_an_end_and_forwards_nothing(
    joined: tuple[tuple[str, str], ...], wanted: set[str], at: list[tuple[str, str]]
) -> None:
    """With two trunk ports, frames come and go by either of them, but not through it."""
    known = fabric(joined, at=at)
    for host in {host for host, _ in at}:
        ends = {switch for name, switch in known.hosts if name == host}
        found = Paths(known).between({*wanted, host})
        assert found == by_trying(list(joined), wanted | ends)


def cablings(ends: list[str]) -> Iterator[list[tuple[str, str]]]:
    """Yield all ways in which ports that lead anywhere may be cabled with each other.

    Each end is a port's switch. Three or more may be joined by a switch that nobody registered.
    """
    if not ends:
        yield []
        return
    first, *rest = ends
    yield from cablings(rest)  # it is not plugged in
    for number, other in enumerate(rest):
        left = rest[:number] + rest[number + 1 :]
        if other != first:
            yield from ([(first, other), *more] for more in cablings(left))
    if len(rest) > 1:
        yield [(end, "unregistered") for end in ends]


small = st.dictionaries(st.sampled_from(SWITCHES), st.integers(1, 2), max_size=3)


@law(100)
@given(st.lists(st.sampled_from(PAIRS), max_size=4, unique=True).map(tuple), small, places)
def test_a_vlan_exists_wherever_any_cabling_of_undeclared_ports_may_lead_it(
    joined: tuple[tuple[str, str], ...], open_ends: dict[str, int], wanted: set[str]
) -> None:
    found = Paths(fabric(joined, open_ends)).between(wanted)
    ends = [switch for switch, count in open_ends.items() for _ in range(count)]
    for cabling in cablings(ends):
        needed = by_trying([*joined, *cabling], wanted)
        if needed is not None:
            assert found is not None
            assert needed - {"unregistered"} <= found


counts = st.dictionaries(st.sampled_from(SWITCHES), st.integers(0, 3), min_size=2)


@law(100)
@given(counts, st.data())
def test_with_nothing_declared_a_vlan_exists_on_all_switches_with_two_trunk_ports(
    trunks: dict[str, int], data: st.DataObject
) -> None:
    """A fabric of which nothing is declared says the same as no fabric."""
    wanted = data.draw(st.sets(st.sampled_from([*trunks, MASTER]), min_size=1))
    undeclared = Fabric(tuple((name, count or 1) for name, count in trunks.items()))
    known = set(trunks)
    by_fabric = Spread(trunks, undeclared).switches(wanted) & known
    assert by_fabric == Spread(trunks, None).switches(wanted) & known
    wide = {name for name, count in trunks.items() if count > 1}
    assert by_fabric == (wanted & known) | (wide if len(wanted) > 1 else set())


@law(100)
@given(links, small, places, st.data())
def test_to_declare_more_never_adds_a_switch(
    joined: tuple[tuple[str, str], ...],
    open_ends: dict[str, int],
    wanted: set[str],
    data: st.DataObject,
) -> None:
    """A declared link uses up one open end of each of its switches."""
    before = Paths(fabric(joined, open_ends)).between(wanted)
    possible = [(a, b) for a, b in PAIRS if open_ends.get(a, 0) and open_ends.get(b, 0)]
    if not possible:
        return
    one, other = data.draw(st.sampled_from(possible))
    fewer = open_ends | {one: open_ends[one] - 1, other: open_ends[other] - 1}
    after = Paths(fabric((*joined, (one, other)), fewer)).between(wanted)
    assert before is not None or after is None
    assert after is None or (before is not None and after <= before)


LINE = fabric((("a", "b"), ("b", "c")))
RING = fabric((("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")))


@pytest.mark.parametrize(
    ("known", "wanted", "found"),
    [
        (LINE, {"a"}, {"a"}),
        (LINE, {"a", "b"}, {"a", "b"}),
        (LINE, {"a", "c"}, {"a", "b", "c"}),
        (LINE, {MASTER}, set()),
        (RING, {"a", "b"}, {"a", "b", "c"}),
        (RING, {"a", "d"}, {"a", "b", "c", "d"}),
        (RING, {"c", "d"}, {"c", "d"}),
    ],
)
def test_lines_and_rings(known: Fabric, wanted: set[str], found: set[str]) -> None:
    trunks = dict.fromkeys(SWITCHES, 2)
    assert Spread(trunks, known).switches(wanted) & set(SWITCHES) == found


def test_places_that_nothing_connects_get_the_vlan_everywhere_and_a_warning() -> None:
    spread = Spread(dict.fromkeys(SWITCHES, 2), LINE)
    assert spread.switches({"a", "d"}) == set(SWITCHES)
    why = spread.severed({"a", "d"})
    assert why is not None
    assert why.startswith("nothing that is declared connects a with d, ")
    assert spread.severed({"a", "c"}) is None


def test_a_retired_switch_stays_on_the_path_and_is_named_if_there_is_no_other() -> None:
    trunks = dict.fromkeys(SWITCHES, 2)
    line = fabric(LINE.links, retired=frozenset("b"))
    spread = Spread(trunks, line)
    assert spread.switches({"a", "c"}) == {"a", "b", "c"}
    why = "a and c are connected only through b, which is out of service"
    assert spread.severed({"a", "c"}) == why
    ring = Spread(trunks, fabric(RING.links, retired=frozenset("b")))
    assert ring.severed({"a", "c"}) is None
    assert without_retired(line).links == ()


def test_a_long_line_needs_no_recursion() -> None:
    names = [f"s{number}" for number in range(5000)]
    joined = tuple(pairwise(names))
    long = Fabric(tuple((name, 0) for name in names), joined)
    assert Paths(long).between({names[0], names[-1]}) == set(names)
