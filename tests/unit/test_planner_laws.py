"""The laws of plan() on generated sites: every step is safe, and a finished plan leaves none.

The site is small: two switches, one of them between the other and the master, four ports, three
VLANs and two headnodes. ``World`` plays the devices, and what the daemon learns from each step. The
laws hold after any changes, applies and interruptions.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from haas_rpcd.devicenames import MASTER
from haas_rpcd.model import (
    PARKED,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    Phase,
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
from haas_rpcd.planner import digest, plan, shortfall
from haas_rpcd.states import (
    Applied,
    AppliedPort,
    Desired,
    Fabric,
    HeadnodeGoal,
    PortGoal,
    SwitchTraits,
)
from tests.laws import law

VLANS = (100, 101, 102)
PORTS = tuple(PortRef(switch, f"p{n}") for switch in ("core", "leaf") for n in (1, 2))
FACTS = {
    "core": SwitchTraits(declares_vlans=True, saves=True, trunks=2),
    "leaf": SwitchTraits(declares_vlans=True, saves=True, trunks=1),
}

configs = st.builds(
    lambda untagged, tagged: PortConfig(untagged, tuple(sorted(tagged - {untagged}))),
    st.none() | st.sampled_from(VLANS),
    st.frozensets(st.sampled_from(VLANS)),
)
nics = st.lists(st.sampled_from(VLANS), max_size=2, unique=True).map(
    lambda vlans: tuple(HeadnodeNic(f"nic{v}", f"52:54:00:00:00:{v}", v) for v in vlans)
)
headnodes = st.builds(
    lambda present, running, on: HeadnodeGoal("u", "base", present, running, on if present else ()),
    st.booleans(),
    st.booleans(),
    nics,
)
desires = st.builds(
    lambda ports, heads: Desired(
        ports={ref: PortGoal(config, "a nic") for ref, config in zip(PORTS, ports, strict=True)},
        headnodes=heads,
        networks=dict.fromkeys(VLANS, "net"),
    ),
    st.tuples(*[configs] * len(PORTS)),
    st.dictionaries(st.sampled_from(["a", "b"]), headnodes),
)


class World:
    """The devices as they are, and what the daemon knows of them."""

    def __init__(self) -> None:
        # factory defaults: ports carry VLAN 1, and nobody has read them
        self.ports = dict.fromkeys(PORTS, PortConfig(untagged=1))
        self.vlans: dict[str, set[int]] = {switch: {1} for switch in FACTS}
        self.bridges: set[int] = set()
        self.heads: dict[str, HeadnodeSeen] = {}
        self.modified: set[str] = set()
        self.startup = dict(self.ports)
        """What the ports would carry after a power cut."""
        self.refusing_saves: set[str] = set()
        self.known_ports: dict[PortRef, AppliedPort] = {}
        self.known_vlans: dict[str, dict[int, bool]] = {switch: {} for switch in FACTS}
        self.known_bridges: dict[int, bool] = {}
        self.known_heads: dict[str, HeadnodeSeen | None] = {}
        self.unsaved: set[str] = set()
        self.known_before: dict[PortRef, PortConfig] = {}

    @property
    def applied(self) -> Applied:
        return Applied(
            ports=dict(self.known_ports),
            headnodes=dict(self.known_heads),
            vlans={switch: dict(known) for switch, known in self.known_vlans.items()},
            bridges={MASTER: dict(self.known_bridges)},
            unsaved=frozenset(self.unsaved),
            switches=FACTS,
        )

    def send(self, step: Step, *, arrives: bool = True, confirmed: bool = True) -> None:
        """Send a step as the engine does: its target is not known until it is read back."""
        self._before(step)
        if arrives:
            self._carry_out(step)
        if confirmed:
            self._confirm(step)

    def _before(self, step: Step) -> None:
        match step.change:
            case SetPort(port=port):
                self.known_ports[PortRef(step.device, port)] = AppliedPort(None)
            case SetVlan(vlan=vlan):
                self.known_vlans[step.device][vlan] = False
            case SetBridge(vlan=vlan):
                self.known_bridges[vlan] = False
            case SaveConfig():
                return
            case _:
                self.known_heads[step.target] = None
        if step.device in FACTS:
            self.unsaved.add(step.device)

    def _carry_out(self, step: Step) -> None:
        """Change the device, after checking that it would accept the step."""
        device, name = step.device, step.target
        match step.change:
            case SetPort(port=port, config=config):
                assert config.vlans <= self.vlans[device], "a VLAN is made before it is carried"
                ref = PortRef(device, port)
                known = self.known_before.get(ref)
                assert config.parked or known is not None, "what is not known is parked first"
                self.ports[ref] = config
            case SetVlan(vlan=vlan, present=True):
                self.vlans[device].add(vlan)
            case SetVlan(vlan=vlan):
                carried = {v for r, c in self.ports.items() if r.switch == device for v in c.vlans}
                assert vlan not in carried, "a VLAN goes only when no port carries it"
                self.vlans[device].discard(vlan)
            case SetBridge(vlan=vlan, present=True):
                self.bridges.add(vlan)
            case SetBridge(vlan=vlan):
                attached = {nic.vlan for head in self.heads.values() for nic in head.nics}
                assert vlan not in attached, "a bridge goes only when nothing hangs on it"
                self.bridges.discard(vlan)
            case DefineHeadnode(nics=nics):
                was = self.heads.get(name)
                self.heads[name] = HeadnodeSeen(True, bool(was and was.running), nics)
            case SetHeadnodeNics(nics=nics):
                self.heads[name] = HeadnodeSeen(True, self.heads[name].running, nics)
            case SetHeadnodePower(running=running):
                lacking = {nic.vlan for nic in self.heads[name].nics} - self.bridges
                assert not (running and lacking), "bridges are there before what starts on them"
                self.heads[name] = HeadnodeSeen(True, running, self.heads[name].nics)
            case DeleteHeadnode():
                self.heads.pop(name, None)
            case SaveConfig():
                self.modified.discard(device)
                self.startup |= {r: c for r, c in self.ports.items() if r.switch == device}
        if device in FACTS and not isinstance(step.change, SaveConfig):
            self.modified.add(device)

    def _confirm(self, step: Step) -> None:
        match step.change:
            case SetPort(port=port):
                ref = PortRef(step.device, port)
                assert shortfall(step.change, PortSeen(self.ports[ref])) is None
                self.known_ports[ref] = AppliedPort(self.ports[ref])
            case SetVlan(vlan=vlan, present=present):
                self._keep(self.known_vlans[step.device], vlan, present)
            case SetBridge(vlan=vlan, present=present):
                self._keep(self.known_bridges, vlan, present)
            case SaveConfig():
                self.unsaved.discard(step.device)
            case change:
                seen = self.heads.get(step.target, HeadnodeSeen(False))
                assert shortfall(change, seen) is None
                if seen.defined:
                    self.known_heads[step.target] = seen
                else:
                    del self.known_heads[step.target]

    @staticmethod
    def _keep(known: dict[int, bool], vlan: int, present: bool) -> None:
        if present:
            known[vlan] = True
        else:
            known.pop(vlan, None)

    def run(self, desired: Desired, *, until: int | None = None, arrives: bool = True) -> None:
        """Plan and send. ``until``: the daemon dies during this step, which may have arrived."""
        planned = plan(desired, self.applied)
        assert planned == plan(desired, self.applied)
        assert planned.digest == digest(planned.steps)
        phases = [step.phase for step in planned.steps]
        assert phases == sorted(phases)
        saves = [step.device for step in planned.steps if step.phase is Phase.SAVE]
        touched = {step.device for step in planned.steps if step.device in FACTS}
        assert sorted(saves) == sorted(touched)
        joined: set[PortRef] = set()
        for number, step in enumerate(planned.steps):
            self.known_before = {
                ref: port.config for ref, port in self.known_ports.items() if port.config
            }
            if step.phase is Phase.JOIN:
                joined.add(PortRef(step.device, step.target))
            if step.phase is Phase.LEAVE:
                assert not joined, "ports leave before any port joins"
            dies = number == until
            if step.phase is Phase.SAVE and step.device in self.refusing_saves and not dies:
                continue
            self.send(step, arrives=arrives or not dies, confirmed=not dies)
            if dies:
                return

    def is_as(self, desired: Desired) -> None:
        """Check that the devices are as desired, and that the planner knows it."""
        assert plan(desired, self.applied).empty
        for ref, goal in desired.ports.items():
            assert self.ports[ref] == goal.config
        for name, head in desired.headnodes.items():
            seen = self.heads.get(name)
            assert (seen is not None) == head.present
            assert seen is None or (seen.running, seen.nics) == (
                head.running,
                tuple(sorted(head.nics)),
            )
        wanted = {nic.vlan for head in desired.headnodes.values() for nic in head.nics}
        assert self.bridges == wanted
        carried = {vlan for goal in desired.ports.values() for vlan in goal.config.vlans}
        assert self.vlans["leaf"] - {1} == {
            vlan for r, goal in desired.ports.items() if r.switch == "leaf"
            for vlan in goal.config.vlans
        }  # fmt: skip
        assert self.vlans["core"] - {1} <= carried | wanted
        assert not self.modified


@law(150)
@given(st.lists(desires, min_size=1, max_size=4))
def test_after_a_successful_apply_the_plan_is_empty(wanted: list[Desired]) -> None:
    """Whatever was applied before. A headnode that is not desired any more is deleted."""
    world = World()
    for desired in wanted:
        desired = with_deletions(desired, world)
        world.run(desired)
        world.is_as(desired)


@law(250)
@given(
    st.lists(st.tuples(desires, st.integers(0, 12), st.booleans()), min_size=1, max_size=4), desires
)
def test_after_any_interruptions_planning_again_recovers(
    interrupted: list[tuple[Desired, int, bool]], last: Desired
) -> None:
    world = World()
    for desired, step, arrives in interrupted:
        world.run(with_deletions(desired, world), until=step, arrives=arrives)
    last = with_deletions(last, world)
    world.run(last)
    world.is_as(last)


@law(150)
@given(
    st.lists(
        st.tuples(desires, st.sets(st.sampled_from(sorted(FACTS))), st.integers(0, 20)),
        min_size=1,
        max_size=4,
    )
)
def test_a_switch_that_did_not_save_is_saved_by_every_next_plan(
    wanted: list[tuple[Desired, set[str], int]],
) -> None:
    """A port that is known to be parked stays so after a power cut, or a save is planned."""
    world = World()
    for desired, refusing, until in wanted:
        desired = with_deletions(desired, world)
        world.refusing_saves = refusing
        world.run(desired, until=until)
        planned = {s.device for s in plan(desired, world.applied).steps if s.phase is Phase.SAVE}
        assert world.modified <= planned
        for ref, port in world.known_ports.items():
            if port.config == PARKED and ref.switch not in planned:
                assert world.startup[ref] == PARKED
    world.refusing_saves = set()
    world.run(desired)
    world.is_as(desired)
    assert world.startup == world.ports


def test_a_headnode_that_may_be_running_but_should_not_is_stopped() -> None:
    """Its start was sent, and the daemon died before the confirmation."""
    goal = HeadnodeGoal(uuid="u", image="base", present=True, running=False, nics=())
    steps = plan(Desired(headnodes={"a": goal}), Applied(headnodes={"a": None})).steps
    assert SetHeadnodePower("a", "u", running=False) in [step.change for step in steps]
    fresh = plan(Desired(headnodes={"a": goal}), Applied()).steps
    assert [step.kind for step in fresh] == ["headnode.define"]


@law(50)
@given(desires, desires)
def test_two_plans_have_the_same_digest_only_if_they_are_equal(
    one: Desired, other: Desired
) -> None:
    world = World()
    first, second = plan(one, world.applied), plan(other, world.applied)
    changes = [[(step.device, step.change) for step in each.steps] for each in (first, second)]
    assert (first.digest == second.digest) == (changes[0] == changes[1])


def test_a_digest_says_on_which_device() -> None:
    """The same port of another switch is another plan."""
    plans = [
        plan(Desired(ports={PortRef(switch, "p1"): PortGoal(PARKED, "a nic")}), Applied())
        for switch in FACTS
    ]
    assert plans[0].digest != plans[1].digest


def with_deletions(desired: Desired, world: World) -> Desired:
    """Add deletions: a headnode that was ever created is desired until it is confirmed gone."""
    gone = {
        name: HeadnodeGoal("u", "base", False, False, ())
        for name in world.known_heads
        if name not in desired.headnodes
    }
    return Desired(desired.ports, {**desired.headnodes, **gone}, desired.networks)


def test_a_switch_on_the_path_gets_the_vlans_that_pass_through_it() -> None:
    """A port on leaf and a headnode on the master: core, with two trunks, is between them."""
    desired = Desired(
        ports={PortRef("leaf", "p1"): PortGoal(PortConfig(100), "node-1:eth0")},
        headnodes={"a": HeadnodeGoal("u", "base", True, True, (HeadnodeNic("n", "m", 100),))},
        networks={100: "red/net"},
    )
    world = World()
    made = [(s.device, s.kind) for s in plan(desired, world.applied).steps if s.phase == 2]
    assert made == [("core", "vlan.create"), ("leaf", "vlan.create")]
    alone = Desired(ports=desired.ports, networks=desired.networks)
    made = [(s.device, s.kind) for s in plan(alone, world.applied).steps if s.phase == 2]
    assert made == [("leaf", "vlan.create")]


@given(desires, desires)
def test_a_fabric_of_which_nothing_is_declared_changes_no_plan(
    before: Desired, desired: Desired
) -> None:
    """So plans are the same before and after it can be declared what trunk ports lead to."""
    world = World()
    world.run(before)
    undeclared = Fabric(tuple((name, traits.trunks) for name, traits in FACTS.items()))
    known = structs.replace(world.applied, fabric=undeclared)
    assert plan(desired, known) == plan(desired, world.applied)


def test_a_vlan_that_others_use_is_not_removed() -> None:
    world = World()
    desired = Desired(
        ports={PortRef("leaf", "p1"): PortGoal(PortConfig(100), "node-1:eth0")},
        networks={100: "red/net"},
    )
    world.run(desired)
    left = Desired(ports={PortRef("leaf", "p1"): PortGoal(PARKED, "node-1:eth0")},
                   networks={100: "red/net"})  # fmt: skip
    kinds = [step.kind for step in plan(left, world.applied).steps]
    assert kinds == ["port.park", "vlan.delete", "config.save"]
    known = world.applied
    shared = Applied(
        ports=known.ports,
        vlans={"leaf": {100: True}, "core": {100: True}},
        bridges={MASTER: {100: True}},
        switches=known.switches,
        elsewhere={100: frozenset({"leaf", MASTER})},
    )
    assert [step.kind for step in plan(left, shared).steps] == ["port.park", "config.save"]
