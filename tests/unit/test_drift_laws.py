"""The laws of drift() and repair() on generated devices: every difference is found and repaired.

An applied state is generated first, then changes made by hand on the devices. Repairs are sent to
the devices step by step, so that they can be interrupted after any step.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from haas_rpcd.devicenames import LIBVIRT, MASTER
from haas_rpcd.model import (
    PARKED,
    BridgeSeen,
    DefineHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    PortConfig,
    PortRef,
    PortSeen,
    SaveConfig,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetPort,
    SetVlan,
    Step,
)
from haas_rpcd.planner import drift, repair
from haas_rpcd.states import Applied, AppliedPort, Difference, HeadnodeGoal, Observed, SwitchTraits
from tests.laws import law

VLANS = (100, 101, 102)
FAULTS = ("uplink is in it, which HaaS did not put there",)
SWITCHES = ("leaf", "spine")
DEVICES = frozenset({*SWITCHES, MASTER, LIBVIRT})
PORTS = tuple(PortRef(switch, f"p{n}") for switch in SWITCHES for n in (1, 2))
HEADNODES = ("red/a", "red/b")
FACTS = {
    "leaf": SwitchTraits(declares_vlans=True, saves=True, trunks=1),
    "spine": SwitchTraits(declares_vlans=True, saves=False, trunks=2),
}


def configs(vlans: tuple[int, ...] = VLANS) -> st.SearchStrategy[PortConfig]:
    """A port's VLANs. Parked is as likely as all others together."""
    carrying = st.builds(
        lambda untagged, tagged: PortConfig(untagged, tuple(sorted(tagged - {untagged}))),
        st.none() | st.sampled_from(vlans),
        st.frozensets(st.sampled_from(vlans)),
    )
    return st.just(PARKED) | carrying


def sightings(vlans: tuple[int, ...]) -> st.SearchStrategy[PortSeen]:
    """A port as it may be found: also open without a VLAN, or with a line that is unknown."""
    return st.builds(
        lambda config, open_, line: PortSeen(config, open_ and config.parked, line),
        configs(vlans),
        st.booleans(),
        st.none() | st.just("switchport mode private-vlan host"),
    )


def headnodes(*vlans: int) -> st.SearchStrategy[HeadnodeSeen]:
    nics = st.lists(st.sampled_from(vlans), max_size=2, unique=True).map(
        lambda on: tuple(sorted(HeadnodeNic(f"nic{v}", f"52:54:00:00:00:{v}", v) for v in on))
    )
    return st.builds(HeadnodeSeen, st.just(True), st.booleans(), nics)


@st.composite
def applied_states(draw: st.DrawFn) -> Applied:
    """An applied state in which the VLANs of ports and the bridges of headnodes exist."""
    ports = {ref: AppliedPort(draw(st.none() | configs())) for ref in PORTS if draw(st.booleans())}
    heads = {name: draw(st.none() | headnodes(*VLANS)) for name in HEADNODES if draw(st.booleans())}
    vlans: dict[str, dict[int, bool]] = {}
    for switch in SWITCHES:
        carried = {
            vlan
            for ref, port in ports.items()
            if ref.switch == switch and port.config is not None
            for vlan in port.config.vlans
        }
        others = draw(st.dictionaries(st.sampled_from(VLANS), st.booleans()))
        vlans[switch] = others | dict.fromkeys(carried, True)
    attached = {nic.vlan for seen in heads.values() if seen for nic in seen.nics}
    bridges = draw(st.dictionaries(st.sampled_from(VLANS), st.booleans()))
    return Applied(
        ports=ports,
        headnodes=heads,
        vlans=vlans,
        bridges={MASTER: bridges | dict.fromkeys(attached, True)},
        switches=FACTS,
    )


@dataclass
class Devices:
    """The state of the devices, including ports that HaaS never set.

    ``faulty``: VLANs of which something on the master was changed by hand.
    """

    ports: dict[PortRef, PortSeen]
    vlans: dict[str, set[int]]
    bridges: set[int]
    heads: dict[str, HeadnodeSeen]
    faulty: set[int] = field(default_factory=set)
    log: list[Step] = field(default_factory=list)

    def observed(self, devices: frozenset[str] = DEVICES) -> Observed:
        """Read some devices, or all."""
        return Observed(
            devices=devices,
            ports={ref: seen for ref, seen in self.ports.items() if ref.switch in devices},
            vlans={s: frozenset(there) for s, there in self.vlans.items() if s in devices},
            bridges={MASTER: self._bridges()} if MASTER in devices else {},
            headnodes=dict(self.heads) if LIBVIRT in devices else {},
        )

    def _bridges(self) -> dict[int, BridgeSeen]:
        return {
            vlan: BridgeSeen(vlan in self.bridges, FAULTS if vlan in self.faulty else ())
            for vlan in self.bridges | self.faulty
        }

    def send(self, step: Step) -> None:
        """Execute a step, after checking that the device would accept it."""
        self.log.append(step)
        device, name = step.device, step.target
        match step.change:
            case SetPort(port=port, config=config):
                assert config.vlans <= self.vlans[device], "a VLAN is made before it is carried"
                self.ports[PortRef(device, port)] = PortSeen(config)
            case SetVlan(vlan=vlan, present=present):
                self._set(self.vlans[device], vlan, present)
            case SetBridge(vlan=vlan, present=present):
                self._set(self.bridges, vlan, present)
                self.faulty.discard(vlan)
            case DefineHeadnode(nics=nics):
                self.heads[name] = HeadnodeSeen(True, False, nics)
            case SetHeadnodeNics(nics=nics):
                self.heads[name] = msgspec.structs.replace(self.heads[name], nics=nics)
            case SetHeadnodePower(running=running):
                lacking = {nic.vlan for nic in self.heads[name].nics} - self.bridges
                assert not (running and lacking), "bridges are there before what starts on them"
                self.heads[name] = msgspec.structs.replace(self.heads[name], running=running)
            case SaveConfig():
                pass
            case _:
                raise AssertionError(f"a repair must not {step.summary}")

    @staticmethod
    def _set(there: set[int], vlan: int, present: bool) -> None:
        (there.add if present else there.discard)(vlan)


def as_applied(applied: Applied) -> Devices:
    """The devices exactly as applied. What is not known is absent."""
    return Devices(
        ports={
            ref: PortSeen(port.config)
            for ref, port in applied.ports.items()
            if port.config is not None
        },
        vlans={s: {v for v, sure in on.items() if sure} for s, on in applied.vlans.items()},
        bridges={vlan for vlan, sure in applied.bridges[MASTER].items() if sure},
        heads={name: seen for name, seen in applied.headnodes.items() if seen is not None},
    )


@st.composite
def drifted(draw: st.DrawFn, applied: Applied) -> Devices:
    """The devices as applied, and then changed by hand."""
    now = as_applied(applied)
    for ref in PORTS:
        if draw(st.booleans()):
            now.ports[ref] = draw(sightings((*VLANS, 1, 900)))
    for there in (*now.vlans.values(), now.bridges):
        there ^= draw(st.frozensets(st.sampled_from(VLANS)))
    now.faulty = set(draw(st.frozensets(st.sampled_from(VLANS))))
    for switch in SWITCHES:  # VLANs that HaaS does not manage
        now.vlans[switch] |= {1, 900} if draw(st.booleans()) else set()
    for name in applied.headnodes:  # also those whose applied state is not known
        as_it_was = st.just(now.heads.get(name, HeadnodeSeen(False)))
        now.heads[name] = draw(as_it_was | st.just(HeadnodeSeen(False)) | headnodes(0, *VLANS))
    return now


@st.composite
def situations(draw: st.DrawFn) -> tuple[Applied, Devices]:
    applied = draw(applied_states())
    return applied, draw(drifted(applied))


def goals(applied: Applied) -> dict[str, HeadnodeGoal]:
    """The headnodes' identities, as the store returns them for a repair."""
    return {
        name: HeadnodeGoal(f"uuid of {name}", "base", present=True, running=False, nics=())
        for name in applied.headnodes
    }


def differences(applied: Applied, now: Devices) -> list[Difference]:
    return drift(applied, now.observed())


def repairing(applied: Applied, now: Devices) -> list[Step]:
    return repair(differences(applied, now), goals(applied), applied)


# --- drift ----------------------------------------------------------------------------------------


@law(40)
@given(applied_states())
def test_devices_that_are_as_applied_have_no_drift(applied: Applied) -> None:
    assert differences(applied, as_applied(applied)) == []


@law(40)
@given(situations())
def test_every_difference_is_found_and_nothing_else(situation: tuple[Applied, Devices]) -> None:
    """The expected differences follow from one rule per kind, target by target."""
    applied, now = situation
    expected: set[tuple[str, str, str]] = set()
    for ref, port in applied.ports.items():
        seen = now.ports.get(ref)
        if port.config is None:
            wrong = seen is not None and seen.not_understood is not None
        else:
            wrong = seen != PortSeen(port.config)
        if wrong:
            expected.add((ref.switch, "port", ref.port))
    places = [(switch, "vlan", "", applied.vlans[switch], now.vlans[switch]) for switch in SWITCHES]
    places.append((MASTER, "bridge", "br-vlan", applied.bridges[MASTER], now.bridges))
    for device, kind, prefix, known, there in places:
        for vlan in {*VLANS, 1, 900}:
            left_over = vlan in there and vlan not in known
            faulty = device == MASTER and vlan in now.faulty
            lost = known.get(vlan) is True and (vlan not in there or faulty)
            if left_over or lost:
                expected.add((device, kind, f"{prefix}{vlan}"))
    for name, was in applied.headnodes.items():
        if was is not None and now.heads[name] != was:
            expected.add((LIBVIRT, "headnode", name))

    found = differences(applied, now)

    assert sorted((d.device, d.kind, d.target) for d in found) == sorted(expected)


@law(40)
@given(situations())
def test_a_headnode_that_was_not_read_has_no_drift(situation: tuple[Applied, Devices]) -> None:
    """It may have been created after the check began."""
    applied, now = situation
    now.heads.clear()
    assert LIBVIRT not in {found.device for found in differences(applied, now)}


@law(40)
@given(situations())
def test_a_difference_has_the_applied_and_the_observed_state(
    situation: tuple[Applied, Devices],
) -> None:
    applied, now = situation
    for found in differences(applied, now):
        match found.kind:
            case "port":
                ref = PortRef(found.device, found.target)
                assert found.applied == applied.ports[ref].config
                assert found.observed == now.ports[ref]
            case "headnode":
                assert found.applied == applied.headnodes[found.target]
                assert found.observed == now.heads[found.target]
            case _:
                vlan = int(found.target.removeprefix("br-vlan"))
                there = now.bridges if found.device == MASTER else now.vlans[found.device]
                if isinstance(found.observed, BridgeSeen):
                    assert found.applied is True
                    assert (found.observed.present, bool(found.observed.faults)) == (
                        vlan in there,
                        vlan in now.faulty,
                    )
                else:
                    assert found.observed is (vlan in there)
                    assert found.applied is (vlan not in there)


@law(40)
@given(situations(), st.frozensets(st.sampled_from(sorted(DEVICES))))
def test_a_device_that_was_not_read_has_no_drift(
    situation: tuple[Applied, Devices], read: frozenset[str]
) -> None:
    """And the differences on the other devices do not depend on it."""
    applied, now = situation
    found = drift(applied, now.observed(read))
    assert found == [each for each in differences(applied, now) if each.device in read]


@law(40)
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_does_not_matter(
    situation: tuple[Applied, Devices], chance: random.Random
) -> None:
    applied, now = situation
    found = differences(applied, now)
    for state in (now.ports, now.vlans, now.heads, applied.ports, applied.headnodes):
        items = list(state.items())
        chance.shuffle(items)
        state.clear()
        state.update(items)  # type: ignore[arg-type]
    assert differences(applied, now) == found


@law(40)
@given(situations())
def test_a_missing_port_is_reported_and_gets_no_steps(
    situation: tuple[Applied, Devices],
) -> None:
    """Its line card may have been removed."""
    applied, now = situation
    ref = next((r for r, port in applied.ports.items() if port.config is not None), None)
    if ref is None:
        return
    del now.ports[ref]
    found = differences(applied, now)
    assert [d.observed for d in found if (d.device, d.target) == (ref.switch, ref.port)] == [None]
    steps = repair(found, goals(applied), applied)
    assert (ref.switch, ref.port) not in {(step.device, step.target) for step in steps}


# --- repair ---------------------------------------------------------------------------------------


@law(100)
@given(situations())
def test_after_a_repair_there_is_no_drift(situation: tuple[Applied, Devices]) -> None:
    applied, now = situation
    for step in repairing(applied, now):
        now.send(step)
    assert differences(applied, now) == []
    assert repairing(applied, now) == []


@law(100)
@given(situations(), st.lists(st.integers(0, 8), max_size=3))
def test_after_any_interruptions_the_next_repair_finishes(
    situation: tuple[Applied, Devices], stops: list[int]
) -> None:
    applied, now = situation
    for stop in (*stops, None):
        for step in repairing(applied, now)[:stop]:
            now.send(step)
    assert differences(applied, now) == []


@law(40)
@given(situations())
def test_sending_every_step_twice_changes_nothing(situation: tuple[Applied, Devices]) -> None:
    applied, now = situation
    steps = repairing(applied, now)
    for step in steps:
        now.send(step)
    once = now.observed()
    for step in [each for each in steps for _ in range(2)]:
        now.send(step)
    assert now.observed() == once


@law(100)
@given(situations())
def test_a_port_is_shut_before_its_configuration_is_restored(
    situation: tuple[Applied, Devices],
) -> None:
    """At each moment it carries what was observed, nothing, or what was applied, in this order.

    And no port joins before every port that is open and wrong has been shut.
    """
    applied, now = situation
    found = {PortRef(d.device, d.target): d for d in differences(applied, now) if d.kind == "port"}
    stages = {ref: [difference.observed] for ref, difference in found.items()}
    before = dict(now.ports)
    parked = PortSeen(PARKED)
    for step in repairing(applied, now):
        now.send(step)
        if not isinstance(step.change, SetPort):
            continue
        ref = PortRef(step.device, step.target)
        stages[ref].append(PortSeen(step.change.config))  # KeyError: a port that did not differ
        if step.change.config != PARKED:
            right = {ref: (parked, PortSeen(d.applied or PARKED)) for ref, d in found.items()}
            assert [str(ref) for ref in found if now.ports[ref] not in right[ref]] == []
    for ref, difference in found.items():
        stage, restored = stages[ref], PortSeen(difference.applied or PARKED)
        if difference.observed == parked:
            assert stage == [parked, restored]
        elif restored == parked:
            assert stage == [difference.observed, parked]
        else:
            assert stage == [difference.observed, parked, restored]
    untouched = [ref for ref in before if ref not in found]
    assert [now.ports[ref] for ref in untouched] == [before[ref] for ref in untouched]


@law(40)
@given(situations())
def test_a_repair_changes_only_targets_that_differ(situation: tuple[Applied, Devices]) -> None:
    """And it ends with one save on each changed switch that needs saving."""
    applied, now = situation
    found = {(d.device, d.target) for d in differences(applied, now)}
    steps = repairing(applied, now)
    saves = [step for step in steps if isinstance(step.change, SaveConfig)]
    changes = steps[: len(steps) - len(saves)]
    assert steps == [*changes, *saves]
    assert {(step.device, step.target) for step in changes} == found
    touched = {device for device, _ in found if device in FACTS and FACTS[device].saves}
    assert sorted(step.device for step in saves) == sorted(touched)


@law(40)
@given(situations())
def test_a_repair_does_not_save_the_unsaved_changes_of_others(
    situation: tuple[Applied, Devices],
) -> None:
    applied, now = situation
    unsaved = msgspec.structs.replace(applied, unsaved=frozenset(SWITCHES))
    steps = repair(differences(applied, now), goals(applied), unsaved)
    assert steps == repairing(applied, now)


@law(40)
@given(situations(), headnodes(*VLANS), st.booleans())
def test_a_repair_applies_nothing_that_is_only_staged(
    situation: tuple[Applied, Devices], staged: HeadnodeSeen, present: bool
) -> None:
    """A headnode is restored as applied, whatever its owner has staged."""
    applied, now = situation
    wanted = {
        name: msgspec.structs.replace(
            goal, present=present, running=staged.running, nics=staged.nics
        )
        for name, goal in goals(applied).items()
    }
    assert repair(differences(applied, now), wanted, applied) == repairing(applied, now)


@law(40)
@given(situations())
def test_a_headnode_deleted_meanwhile_is_not_created_again(
    situation: tuple[Applied, Devices],
) -> None:
    applied, now = situation
    steps = repair(differences(applied, now), {}, applied)
    assert LIBVIRT not in {step.device for step in steps}


@law(40)
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_the_differences_does_not_matter(
    situation: tuple[Applied, Devices], chance: random.Random
) -> None:
    applied, now = situation
    found = differences(applied, now)
    shuffled = chance.sample(found, len(found))
    steps = repair(shuffled, goals(applied), applied)
    assert sorted(steps, key=str) == sorted(repairing(applied, now), key=str)
    for step in steps:
        now.send(step)
    assert differences(applied, now) == []
