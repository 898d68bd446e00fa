"""A plan as a diff by device: what leaves, joins, is made and removed, and how two plans differ.

Pure: it gets the daemon's answer to ``plan.show``, and gives lines that any front end can draw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haas_console.core.inventory import Inventory
from haas_console.core.nictext import links_text
from haas_console.core.sharedlines import lines_below
from haas_schemas.node import Nic

SIGNS: Mapping[str, tuple[str, str]] = {
    "port.park": ("-", "leaves"),
    "port.set": ("+", "joins"),
    "vlan.create": ("+", "made"),
    "vlan.delete": ("-", "removed"),
    "bridge.create": ("+", "made"),
    "bridge.delete": ("-", "removed"),
    "headnode.define": ("+", "made"),
    "headnode.connect": ("~", "connected"),
    "headnode.start": ("+", "started"),
    "headnode.stop": ("-", "stopped"),
    "headnode.delete": ("-", "removed"),
    "config.save": ("=", "saved"),
}
"""A kind of step: the sign of a diff, and the word that says the same."""

_TOTALS = {
    "leaves": ("leaves", "leave"),
    "joins": ("joins", "join"),
    "moves": ("moves", "move"),
}
"""Words that change with their number; the others (``made``) do not."""


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of a plan: what, on which device, and the very lines that will be sent."""

    device: str
    kind: str
    target: str
    summary: str
    lines: tuple[str, ...]
    sign: str
    word: str
    note: str = ""
    below: int = 0
    """Of a step without lines of its own: how many steps below are those that it is sent with."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same step in two plans."""
        return (self.device, self.kind, self.target, self.summary)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply of a project (None: of the site) would do."""

    project: str | None
    digest: str
    steps: tuple[PlanStep, ...]

    @property
    def devices(self) -> dict[str, list[PlanStep]]:
        """Each device's steps, in the order in which the plan first speaks of it."""
        found: dict[str, list[PlanStep]] = {}
        for step in self.steps:
            found.setdefault(step.device, []).append(step)
        return found

    @property
    def lines(self) -> int:
        """How many lines will be sent."""
        return sum(len(step.lines) for step in self.steps)


def whose(project: str | None) -> str:
    """Of what a plan or job is: the project's name, or the site."""
    return project or "the site"


def read_plan(project: str | None, answer: Mapping[str, Any], inventory: Inventory) -> Plan:
    """Make a plan of the daemon's answer; the inventory says where a nic comes from."""
    behind = _nics_by_port(inventory)
    below = lines_below(answer["steps"])
    steps = tuple(_step(step, behind, below[number]) for number, step in enumerate(answer["steps"]))
    return Plan(project, answer["digest"], steps)


def _nics_by_port(inventory: Inventory) -> dict[tuple[str, str], Nic]:
    return {
        (nic.switch, nic.port): nic
        for node in inventory.nodes.values()
        for nic in node.nics
        if nic.switch and nic.port
    }


def _step(answer: Mapping[str, Any], behind: Mapping[tuple[str, str], Nic], below: int) -> PlanStep:
    sign, word = SIGNS.get(answer["kind"], ("~", "changed"))
    nic = behind.get((answer["device"], answer["target"]))
    note = ""
    if nic is not None and nic.applied is not None:
        then, now = links_text(nic.applied), links_text(nic.networks)
        if answer["kind"] == "port.set" and nic.applied:
            sign, word = "~", "moves"
        if then != now:
            note = f"{then} -> {now}"
    return PlanStep(
        device=answer["device"],
        kind=answer["kind"],
        target=answer["target"],
        summary=answer["summary"],
        lines=tuple(answer["lines"]),
        sign=sign,
        word=word,
        note=note,
        below=below,
    )


# --- in numbers -----------------------------------------------------------------------------------


def number(count: int, noun: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def totals(plan: Plan) -> str:
    """How much it is: ``7 steps, 21 lines, 2 devices``."""
    return ", ".join(
        (
            number(len(plan.steps), "step"),
            number(plan.lines, "line"),
            number(len(plan.devices), "device"),
        )
    )


def tally(steps: Iterable[PlanStep]) -> str:
    """What of each there is: ``1 leaves, 2 join, 1 made``."""
    counts = Counter(step.word for step in steps)
    words = [word for _, word in SIGNS.values()] + ["moves", "changed"]
    told = []
    for word in dict.fromkeys(words):
        if counts[word]:
            one, many = _TOTALS.get(word, (word, word))
            told.append(f"{counts[word]} {one if counts[word] == 1 else many}")
    return ", ".join(told)


# --- two plans ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """What a newer plan has that the one shown had not, and the other way round."""

    new: tuple[PlanStep, ...] = ()
    gone: tuple[PlanStep, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.gone)

    @property
    def sentence(self) -> str:
        """In words, for the line at the bottom."""
        told = [f"new: {step.device}: {step.summary}" for step in self.new]
        told += [f"gone: {step.device}: {step.summary}" for step in self.gone]
        more = f"; and {len(told) - 3} more" if len(told) > 3 else ""
        return ("; ".join(told[:3]) or "only its order or its lines") + more


def difference(before: Plan, after: Plan) -> Difference:
    """Say how a plan differs from one that was shown before."""
    then, now = {s.key for s in before.steps}, {s.key for s in after.steps}
    return Difference(
        tuple(step for step in after.steps if step.key not in then),
        tuple(step for step in before.steps if step.key not in now),
    )


# --- as lines -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A line of the diff: a device, a step, a line that will be sent, or a step that is gone."""

    what: str
    """``device``, ``step``, ``line``, ``gone`` or ``blank``."""
    text: str
    key: str = ""
    """What is folded with it; empty where there is nothing to fold."""
    folded: bool = False
    step: PlanStep | None = None
    new: bool = False


def device_key(device: str) -> str:
    """What names a device among the things that can be folded."""
    return device


def step_key(step: PlanStep) -> str:
    """What names a step among the things that can be folded."""
    return f"{step.device} {step.kind} {step.target}"


def rows(
    plan: Plan, folded: Collection[str], changed: Difference | None = None
) -> Sequence[PlanRow]:
    """Give the diff's lines; what is in ``folded`` shows nothing below it."""
    changed = changed or Difference()
    new = {step.key for step in changed.new}
    found: list[PlanRow] = []
    gone = Plan(plan.project, "", changed.gone).devices
    devices = {**plan.devices, **{d: [] for d in gone if d not in plan.devices}}
    for device, steps in devices.items():
        if found:
            found.append(PlanRow("blank", ""))
        key = device_key(device)
        closed = key in folded
        said = f"{number(len(steps), 'step')}: {tally(steps)}" if steps else "nothing any more"
        found.append(PlanRow("device", f"{device}  {said}", key, closed))
        if closed:
            continue
        for step in steps:
            key = "" if step.below else step_key(step)
            found.append(PlanRow("step", step.summary, key, key in folded, step, step.key in new))
            if key not in folded:
                found += [PlanRow("line", line, key, step=step) for line in step.lines]
        found += [PlanRow("gone", step.summary, step=step) for step in gone.get(device, ())]
    return found
