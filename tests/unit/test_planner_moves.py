"""Laws of moves: whatever fails, no two machines of a headnode run, and no disk is lost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from haas_rpcd.devicenames import hypervisor_of
from haas_rpcd.engine.journal import Entry, Verdict
from haas_rpcd.engine.moves import Moves
from haas_rpcd.model import (
    CopyHeadnode,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    PrepareCopy,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    Step,
)
from haas_rpcd.planner import plan
from haas_rpcd.states import Applied, Desired, HeadnodeGoal
from tests.laws import law

HOSTS = ("master", "hv2", "hv3")
NICS = (HeadnodeNic("nic0", "52:54:00:00:00:01", 104),)
NAME = "red/desk"


@dataclass
class Machine:
    """A domain on a host. ``disk``: how often a guest has written to it."""

    disk: int = 0
    running: bool = False
    nics: tuple[HeadnodeNic, ...] = ()
    token: str = ""

    @property
    def seen(self) -> HeadnodeSeen:
        return HeadnodeSeen(True, self.running, self.nics)


@dataclass
class World:
    """The hosts as they are, and what the store knows of the headnode."""

    machines: dict[str, Machine] = field(default_factory=dict)
    bridges: set[str] = field(default_factory=set)
    known_bridges: dict[str, dict[int, bool]] = field(default_factory=dict)
    place: str = "master"
    touched: bool = False
    known: HeadnodeSeen | None = None
    copies: set[str] = field(default_factory=set)
    move_to: str | None = None
    token: str = ""
    tokens: itertools.count[int] = field(default_factory=itertools.count)
    written: int = 0

    def stage(self, place: str) -> None:
        """Stage what ``headnode.move`` does."""
        if not self.touched:
            self.place = place
        elif place == self.place:
            self.move_to = None
        elif place != self.move_to:
            self.move_to, self.token = place, f"token-{next(self.tokens)}"

    def plan(self, running: bool, present: bool) -> tuple[Step, ...]:
        nics = NICS if present else ()
        goal = HeadnodeGoal("uuid", "base", present, running, nics, self.place)
        if present and self.move_to is not None:
            goal = HeadnodeGoal(
                "uuid", "base", True, running, nics, self.place, self.move_to, self.token
            )
        desired = Desired(headnodes={NAME: goal}, networks={104: "red/net"})
        applied = Applied(
            headnodes={NAME: self.known} if self.touched else {},
            bridges={host: dict(known) for host, known in self.known_bridges.items()},
            hypervisors=frozenset(HOSTS),
            placed={NAME: self.place},
            copies={NAME: tuple(sorted(self.copies))} if self.copies else {},
        )
        return plan(desired, applied).steps

    def apply(
        self,
        running: bool,
        *,
        present: bool = True,
        fails: int | None = None,
        dies: bool = False,
        arrives: bool = False,
        read: bool = False,
    ) -> None:
        """Apply as the engine does. Step ``fails`` fails or, if the daemon ``dies``, is the last.

        It ``arrives`` all the same, or does not; after that the device is ``read``, or can't be.
        """
        entries = [Entry(n, step) for n, step in enumerate(self.plan(running, present))]
        moves = Moves(entries)
        for entry in entries:
            if moves.held_back([entry]) or not self._permitted(entry.step):
                continue
            self._before(entry.step)
            failed = entry.number == fails
            if arrives or not failed:
                self._carry_out(entry.step)
            if read or not failed:
                self._confirm(entry.step)
            seen = self._seen(entry.step) if read or not failed else None
            moves.note([Verdict(entry, "failed" if failed else "done", seen=seen)])
            assert self.count_running() <= 1
            if failed and dies:
                return
        for again in moves.starts_again():
            if self._permitted(again):
                self._before(again)
                self._carry_out(again)
                self._confirm(again)
        assert self.count_running() <= 1
        if (machine := self.machines.get(self.place)) is not None and machine.running:
            machine.disk += 1
            self.written = machine.disk

    def count_running(self) -> int:
        return sum(machine.running for machine in self.machines.values())

    def _permitted(self, step: Step) -> bool:
        """Decide as the store does, right before a step is sent."""
        place, change = hypervisor_of(step.device), step.change
        match change:
            case CopyHeadnode():
                off = self.known is not None and self.known.off
                return off and place not in self.copies and place == self.move_to
            case DeleteHeadnode():
                return place in self.copies or place == self.place
            case SetHeadnodePower() | SetHeadnodeNics() | DefineHeadnode():
                return place == self.place
            case SetBridge(present=False):
                return not (self.touched and self.place == place)
        return True

    def _before(self, step: Step) -> None:
        place = hypervisor_of(step.device)
        if isinstance(step.change, SetBridge):
            self.known_bridges.setdefault(place, {})[104] = False
        elif isinstance(step.change, PrepareCopy):
            return
        elif place != self.place:
            self.copies.add(place)
        else:
            self.touched, self.known = True, None

    def _carry_out(self, step: Step) -> None:
        place, change = hypervisor_of(step.device), step.change
        match change:
            case SetBridge(present=True):
                self.bridges.add(place)
            case SetBridge():
                assert not (place in self.machines and self.machines[place].running)
                self.bridges.discard(place)
            case DefineHeadnode(nics=nics):
                self.machines.setdefault(place, Machine()).nics = nics
            case SetHeadnodeNics(nics=nics):
                self.machines[place].nics = nics
            case SetHeadnodePower(running=running):
                assert not running or place in self.bridges, "its networks are there before"
                self.machines[place].running = running
            case CopyHeadnode(source=source, token=token):
                original = self.machines[source]
                assert not original.running, "it is copied while it is off"
                self.machines[place] = Machine(original.disk, False, original.nics, token)
            case DeleteHeadnode():
                self.machines.pop(place, None)

    def _seen(self, step: Step) -> HeadnodeSeen:
        machine = self.machines.get(hypervisor_of(step.device))
        if machine is None:
            return HeadnodeSeen(False)
        if isinstance(step.change, CopyHeadnode) and machine.token != step.change.token:
            return HeadnodeSeen(False)
        return machine.seen

    def _confirm(self, step: Step) -> None:
        place, change = hypervisor_of(step.device), step.change
        machine = self.machines.get(place)
        seen = self._seen(step)
        match change:
            case PrepareCopy():
                return
            case SetBridge():
                if place in self.bridges:
                    self.known_bridges[place][104] = True
                else:
                    del self.known_bridges[place][104]
            case CopyHeadnode(token=token):
                if seen.defined and token == self.token:
                    self.copies.add(self.place)
                    self.copies.discard(place)
                    self.place, self.move_to, self.known = place, None, seen
            case _ if place != self.place:
                if isinstance(change, DeleteHeadnode) and machine is None:
                    self.copies.discard(place)
            case _:
                self.known, self.touched = (seen, True) if seen.defined else (None, False)

    def is_as(self, place: str, running: bool) -> None:
        assert self.plan(running, present=True) == ()
        assert {name: machine.running for name, machine in self.machines.items()} == {
            place: running
        }
        assert self.bridges == {place}
        assert self.machines[place].disk == self.written


places = st.sampled_from(HOSTS)
troubles = st.fixed_dictionaries(
    {
        "fails": st.integers(0, 9),
        "dies": st.booleans(),
        "arrives": st.booleans(),
        "read": st.booleans(),
    }
)


@law(150)
@given(st.lists(st.tuples(places, st.booleans()), min_size=1, max_size=5))
def test_a_headnode_is_where_it_is_wanted_with_its_disk(wanted: list[tuple[str, bool]]) -> None:
    world = World()
    for place, running in wanted:
        world.stage(place)
        world.apply(running)
        world.is_as(place, running)
    world.apply(running=False, present=False)
    assert (world.machines, world.bridges) == ({}, set())


@law(400)
@given(
    st.lists(st.tuples(places, st.booleans(), troubles), min_size=1, max_size=6),
    places,
    st.booleans(),
)
def test_whatever_fails_on_the_way(
    troubled: list[tuple[str, bool, dict[str, bool]]], place: str, running: bool
) -> None:
    world = World()
    world.apply(running=True)
    for wanted, runs, trouble in troubled:
        world.stage(wanted)
        world.apply(runs, **trouble)
    world.stage(place)
    world.apply(running)
    world.apply(running)  # what was not known is read first
    world.is_as(place, running)


def index(world: World, kind: str) -> int:
    """Return which step of the plan is of a kind."""
    steps = world.plan(running=True, present=True)
    [number] = [number for number, step in enumerate(steps) if step.kind == kind]
    return number


def test_a_copy_that_fails_starts_the_headnode_again_where_it_was() -> None:
    world = World()
    world.apply(running=True)
    world.stage("hv2")
    world.apply(running=True, fails=index(world, "headnode.copy"))
    assert world.machines["master"].running
    assert world.place == "master"


def test_one_that_an_earlier_job_stopped_is_started_again_too() -> None:
    """The daemon died while it copied; the next one fails to."""
    world = World()
    world.apply(running=True)
    world.stage("hv2")
    world.apply(running=True, fails=index(world, "headnode.copy"), dies=True)
    assert not world.machines["master"].running
    world.apply(running=True, fails=index(world, "headnode.copy"))
    assert world.machines["master"].running
