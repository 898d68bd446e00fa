"""Whether nics are plugged in where they are registered: what follows from what switches see."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haas_rpcd.model import PortRef
from haas_rpcd.planner import cabling
from haas_rpcd.planner.cabling import (
    CabledNic,
    CablingRow,
    CablingVerdict,
    KnownSwitch,
    LldpNeighbour,
    Seen,
    SwitchView,
    as_mac,
)
from tests.laws import law

P1, P2, P3 = (PortRef("sw1", f"Gi1/0/{number}") for number in (1, 2, 3))
TRUNK = PortRef("sw1", "Gi1/0/12")
FAR = PortRef("sw2", "Gi1/0/1")
SW1 = KnownSwitch("sw1", trunks=frozenset({TRUNK}), access=frozenset({P1, P2, P3}))
SW2 = KnownSwitch("sw2", frozenset({"0c:00:00:00:00:02"}), access=frozenset({FAR}))


def mac(number: int) -> str:
    return f"52:54:00:00:00:{number:02x}"


A = CabledNic("node-1", "eth0", mac(1), (P1,))
B = CabledNic("node-2", "eth0", mac(2), (P2,))


def learnt(*pairs: tuple[PortRef, int]) -> SwitchView:
    return SwitchView(learnt=tuple(Seen(place, mac(number), 100) for place, number in pairs))


def check(
    view: SwitchView, nics: Sequence[CabledNic] = (A, B), **known: dict[str, Seen]
) -> CablingVerdict:
    return cabling(nics, {"sw1": view}, switches=(SW1, SW2), **known)  # type: ignore[arg-type]


def row(verdict: CablingVerdict, nic: CabledNic) -> CablingRow:
    [found] = [each for each in verdict.rows if each.nic.label == nic.label]
    return found


def test_a_nic_seen_on_its_own_port_is_right() -> None:
    verdict = check(learnt((P1, 1)))
    assert row(verdict, A).state == "right"
    assert row(verdict, A).seen == Seen(P1, mac(1), 100)
    assert row(verdict, B).state == "not_seen"


def test_two_nics_that_changed_places_are_both_swapped_and_say_where_they_are() -> None:
    verdict = check(learnt((P1, 2), (P2, 1)))
    assert [each.state for each in verdict.rows] == ["swapped", "swapped"]
    assert "sw1 Gi1/0/2" in row(verdict, A).why


def test_a_silent_nic_whose_port_has_another_nic_is_an_alarm_as_well() -> None:
    verdict = check(learnt((P2, 1)))
    assert row(verdict, B).state == "swapped"
    assert row(verdict, B).why == "node-1:eth0 was seen on its port sw1 Gi1/0/2"


def test_what_is_learnt_through_a_trunk_says_nothing_of_where_a_nic_is() -> None:
    assert row(check(learnt((P1, 1), (TRUNK, 1), (TRUNK, 2))), A).state == "right"
    assert row(check(learnt((TRUNK, 2))), B).state == "not_seen"


def test_an_unregistered_port_with_nics_of_several_nodes_leads_to_another_switch() -> None:
    uplink = PortRef("sw1", "Gi1/0/24")
    assert row(check(learnt((uplink, 1), (uplink, 2))), A).state == "not_seen"
    assert row(check(learnt((uplink, 1))), A).state == "swapped"


def test_lldp_on_a_trunk_does_say_so_as_only_a_direct_neighbour_hears_it() -> None:
    near = LldpNeighbour(TRUNK, "node-1", mac(1))
    verdict = check(SwitchView(neighbours=(near,)))
    assert row(verdict, A).state == "swapped"
    assert row(verdict, A).why == "seen on sw1 Gi1/0/12 (lldp), not on sw1 Gi1/0/1"


def test_a_parked_port_explains_why_nothing_is_heard_and_raises_no_alarm() -> None:
    parked = CabledNic("node-1", "eth0", mac(1), (P1,), parked=True)
    found = row(check(SwitchView(), [parked]), parked)
    assert (found.state, found.why) == (
        "not_seen",
        "its port is parked, so nothing is heard there",
    )


def test_parking_a_wrong_port_does_not_end_the_alarm_but_being_seen_right_does() -> None:
    before = {A.label: Seen(P3, mac(1), 100, at="2026-01-01T00:00:00.000Z")}
    found = row(check(SwitchView(), before=before), A)
    assert found.state == "swapped"
    assert "2026-01-01T00:00:00.000Z" in found.why
    assert row(check(learnt((P1, 1)), before=before), A).state == "right"


def test_a_nic_registered_anew_is_not_judged_by_where_its_predecessor_was() -> None:
    before = {A.label: Seen(P3, mac(9), 100, at="2026-01-01T00:00:00.000Z")}
    assert row(check(SwitchView(), before=before), A).state == "not_seen"
    moved = CabledNic("node-1", "eth0", mac(1), (P3,))
    before = {A.label: Seen(P3, mac(1), 100, at="2026-01-01T00:00:00.000Z")}
    assert row(check(SwitchView(), [moved], before=before), moved).state == "not_seen"


def test_a_mac_that_nobody_registered_makes_the_nic_unknown_and_the_port_a_strangers() -> None:
    verdict = check(learnt((P1, 9)))
    assert row(verdict, A).state == "unknown"
    [stranger] = verdict.strangers
    assert (stranger.place, stranger.macs) == (P1, (mac(9),))
    assert verdict.proposals == ()


def test_guests_behind_a_nic_that_is_right_are_no_strangers() -> None:
    assert check(learnt((P1, 1), (P1, 9))).strangers == ()


def test_a_registered_nic_that_speaks_by_lldp_on_a_wrong_port_is_no_stranger_there() -> None:
    near = LldpNeighbour(P3, "node-1", mac(1))
    verdict = check(SwitchView(neighbours=(near,)))
    assert row(verdict, A).state == "swapped"
    assert verdict.strangers == ()
    nobodys = LldpNeighbour(P3, "node-1", mac(9))
    [stranger] = check(SwitchView(neighbours=(nobodys,))).strangers
    assert stranger.place == P3


def test_the_only_mac_on_the_port_of_a_nic_without_one_is_proposed() -> None:
    new = CabledNic("node-3", "eth0", None, (P3,))
    [proposal] = check(learnt((P3, 3)), [A, new]).proposals
    assert (proposal.nic, proposal.mac) == (new, mac(3))
    assert check(learnt((P3, 3), (P3, 4)), [A, new]).proposals == ()
    told = LldpNeighbour(P3, "node-3", "5254.0000.0004")
    both = SwitchView((told,), learnt((P3, 3), (P3, 4)).learnt)
    assert [each.mac for each in check(both, [A, new]).proposals] == [mac(4)]
    # The MAC address of a nic that is registered elsewhere is an alarm, and no proposal.
    taken = check(learnt((P3, 1)), [A, new])
    assert taken.proposals == ()
    assert row(taken, new).state == "swapped"


def test_a_switch_that_cannot_be_read_makes_its_nics_unknown_never_right() -> None:
    verdict = cabling([A], {}, switches=(SW1,), unread={"sw1": "sw1 did not answer"})
    assert row(verdict, A).state == "unknown"
    assert "sw1 did not answer" in row(verdict, A).why


def test_a_check_of_one_switch_judges_its_nics_and_those_seen_on_it() -> None:
    far = CabledNic("node-9", "eth0", mac(9), (FAR,))
    other = CabledNic("node-8", "eth0", mac(8), (PortRef("sw2", "Gi1/0/2"),))
    verdict = check(learnt((P1, 9)), [A, far, other])
    assert {each.nic.label: each.state for each in verdict.rows} == {
        "node-1:eth0": "swapped",
        "node-9:eth0": "swapped",
    }


def test_another_nodes_chassis_on_a_port_is_an_alarm_and_ones_own_is_none() -> None:
    second = CabledNic("node-1", "eth1", mac(11), (P2,))
    own = LldpNeighbour(P2, mac(1), "eth1")
    assert row(check(SwitchView((own,)), [A, second]), second).state == "not_seen"
    foreign = LldpNeighbour(P2, mac(1), "eth7")
    assert row(check(SwitchView((foreign,))), B).state == "swapped"


@pytest.mark.parametrize(
    ("chassis", "name"),
    [("0c00.0000.0002", None), ("whatever", "sw2"), ("whatever", "SW2.example.org")],
)
def test_switches_that_name_each_other_are_linked_and_such_a_port_is_an_uplink(
    chassis: str, name: str | None
) -> None:
    uplink = PortRef("sw1", "Gi1/0/24")
    near = LldpNeighbour(uplink, chassis, "Gi1/0/48", name)
    verdict = check(SwitchView((near,), learnt((uplink, 1)).learnt))
    [link] = verdict.links
    assert (link.place, link.peer, link.peer_port) == (uplink, "sw2", "Gi1/0/48")
    assert row(verdict, A).state == "not_seen"


@pytest.mark.parametrize(
    "written", ["0010.0de0.e289", "00100d-e0e289", "00-10-0D-E0-E2-89", "00:10:0d:e0:e2:89"]
)
def test_a_mac_is_the_same_in_any_vendors_spelling(written: str) -> None:
    assert as_mac(written) == "00:10:0d:e0:e2:89"


def test_what_is_no_mac_is_none() -> None:
    assert [as_mac(text) for text in ("Gi1/0/1", "", "node-1", "0010.0de0.e28")] == [None] * 4


@law(100)
@given(
    st.lists(st.tuples(st.sampled_from([P1, P2, P3, TRUNK]), st.integers(1, 4)), max_size=8),
    st.dictionaries(st.sampled_from([A.label, B.label]), st.sampled_from([P1, P2, P3])),
)
def test_right_is_said_only_of_what_is_seen_at_home_now_and_nowhere_else(
    seen: list[tuple[PortRef, int]], last: dict[str, PortRef]
) -> None:
    macs = {A.label: mac(1), B.label: mac(2)}
    before = {label: Seen(place, macs[label], at="then") for label, place in last.items()}
    verdict = check(learnt(*seen), before=before)
    for nic, number in ((A, 1), (B, 2)):
        places = {place for place, heard in seen if heard == number and place != TRUNK}
        if row(verdict, nic).state == "right":
            assert places == set(nic.places)
        if places - set(nic.places):
            assert row(verdict, nic).state == "swapped"
