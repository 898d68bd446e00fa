"""Which hypervisor a headnode is put on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from haas_rpcd.planner.placement import Candidate, place
from haas_rpcd.registered import Capacity, MachineSize
from tests.laws import law

GIB = 2**30
IMAGE = MachineSize(memory=2 * GIB, vcpus=2)


def host(
    name: str,
    free: int,
    *,
    own: int = 0,
    cpus: int = 8,
    promised: int = 0,
    has_image: bool = True,
) -> Candidate:
    """A hypervisor of 64 GiB with so many GiB free."""
    capacity = Capacity(64 * GIB, free * GIB, promised * GIB, cpus)
    return Candidate(name, capacity, has_image, own)


def test_one_without_room_is_left_out() -> None:
    assert place([host("a", 1), host("b", 3)], IMAGE, 0.0) == "b"
    assert place([host("a", 1)], IMAGE, 0.0) is None
    assert place([], IMAGE, 0.0) is None


def test_memory_that_is_promised_to_machines_that_are_off_is_not_free() -> None:
    assert place([host("a", 60, promised=63), host("b", 3)], IMAGE, 0.0) == "b"


def test_a_machine_gets_no_more_processors_than_its_host_has() -> None:
    assert place([host("a", 60, cpus=1), host("b", 3)], IMAGE, 0.0) == "b"


def test_one_that_has_the_image_is_preferred() -> None:
    lacking = host("a", 60, has_image=False)
    assert {place([lacking, host("b", 3)], IMAGE, n / 10) for n in range(10)} == {"b"}
    assert place([lacking], IMAGE, 0.5) == "a", "it is copied there"
    assert place([lacking, host("b", 1)], IMAGE, 0.5) == "a", "the other is full"


def test_a_project_is_spread_also_to_hosts_without_the_image() -> None:
    assert place([host("a", 60, own=1), host("b", 60, has_image=False)], IMAGE, 0.0) == "b"


def test_headnodes_of_a_project_are_spread() -> None:
    assert place([host("a", 60, own=1), host("b", 3)], IMAGE, 0.0) == "b"


def test_headnodes_that_are_to_be_made_count() -> None:
    waiting = Candidate("a", host("a", 5).capacity, staged=(IMAGE, IMAGE))
    assert place([waiting, host("b", 3)], IMAGE, 0.0) == "b"


def test_chance_favours_free_memory() -> None:
    hosts = [host("a", 10), host("b", 30)]
    draws = [place(hosts, IMAGE, n / 1000) for n in range(1000)]
    assert (draws.count("a"), draws.count("b")) == (250, 750)


@law(100)
@given(
    st.lists(st.tuples(st.integers(0, 64), st.integers(0, 3), st.booleans()), max_size=6),
    st.floats(0, 1, exclude_max=False),
)
def test_the_choice_always_has_room_and_none_of_the_others_is_better(
    sites: list[tuple[int, int, bool]], draw: float
) -> None:
    hosts = [
        host(f"h{n}", free, own=own, has_image=has) for n, (free, own, has) in enumerate(sites)
    ]
    chosen = place(hosts, IMAGE, draw)
    fit = {
        one.hypervisor: (one.own, not one.has_image)
        for one in hosts
        if one.free_memory >= IMAGE.memory
    }
    assert (chosen is None) == (not fit)
    if chosen is not None:
        assert fit[chosen] == min(fit.values())
