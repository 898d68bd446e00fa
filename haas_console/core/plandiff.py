"""A plan as a diff by device: what leaves, joins, is made and removed, and how two plans differ.

Pure: converts the daemon's answer to ``plan.show`` to lines that any front end can draw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haas_console.core.inventory import Inventory
from haas_console.core.nictext import links_text
from haas_console.core.portviews import Plug, nic_network
from haas_console.core.sharedlines import lines_below
from haas_schemas.network import NetworkKey

SIGNS: Mapping[str, tuple[str, str]] = {
    "port.park": ("-", "leaves"),
    "port.set": ("+", "joins"),
    "channel.delete": ("-", "removed"),
    "channel.set": ("+", "made"),
    "vlan.create": ("+", "made"),
    "vlan.delete": ("-", "removed"),
    "bridge.create": ("+", "made"),
    "bridge.delete": ("-", "removed"),
    "headnode.define": ("+", "made"),
    "headnode.connect": ("~", "connected"),
    "headnode.start": ("+", "started"),
    "headnode.stop": ("-", "stopped"),
    "headnode.delete": ("-", "removed"),
    "headnode.prepare": ("=", "checked"),
    "headnode.copy": ("+", "copied"),
    "config.save": ("=", "saved"),
}
"""A kind of step: its sign in the diff, and the word for it."""

_NOUNS = {"port": "port", "vlan": "VLAN", "bridge": "bridge", "headnode": "headnode"}
"""What a kind of step is about, by its first word."""

_PLURALS = {"leaves": "leave", "joins": "join", "moves": "move"}
"""The verbs of several; participles (``made``) have no plural."""


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of a plan: its device, and the exact lines that will be sent."""

    device: str
    kind: str
    target: str
    summary: str
    lines: tuple[str, ...]
    sign: str
    word: str
    note: str = ""
    network: NetworkKey | None = None
    """The network that a port joins."""
    below: int = 0
    """For a step without its own lines: how many steps below the shared lines are listed."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Identifies the step across plans."""
        return (self.device, self.kind, self.target, self.summary)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply of a project, or with None of the site, would do.

    ``more``: how many steps it has beside those that the daemon shows.
    """

    project: str | None
    digest: str
    steps: tuple[PlanStep, ...]
    more: int = 0
    target: str | None = None
    """The node or network of the project that is planned; None: all of it."""
    warnings: tuple[str, ...] = ()
    """Sentences on networks whose places may not reach each other."""

    @property
    def devices(self) -> dict[str, list[PlanStep]]:
        """Each device's steps, in the order of their first steps."""
        found: dict[str, list[PlanStep]] = {}
        for step in self.steps:
            found.setdefault(step.device, []).append(step)
        return found

    @property
    def lines(self) -> int:
        """The number of lines that will be sent."""
        return sum(len(step.lines) for step in self.steps)


def targets(inventory: Inventory, project: str) -> list[str]:
    """The nodes and networks of a project, one of which a plan may be of."""
    nodes = sorted(node.node for node in inventory.nodes_of(project))
    networks = [n.name_for(project) for n in inventory.networks_of(project)]
    both = set(nodes) & set(networks)
    return [f"node:{name}" if name in both else name for name in nodes] + [
        f"network:{name}" if name in both else name for name in networks
    ]


def whose(project: str | None) -> str:
    """What a plan or job belongs to: the name of the project, or the site."""
    return project or "the site"


def read_plan(
    project: str | None,
    answer: Mapping[str, Any],
    inventory: Inventory,
    target: str | None = None,
) -> Plan:
    """Read a plan from the daemon's answer; the inventory tells where a nic comes from."""
    behind = _nics_by_port(inventory)
    below = lines_below(answer["steps"])
    steps = tuple(
        _step(step, inventory, behind.get((step["device"], step["target"])), below[number])
        for number, step in enumerate(answer["steps"])
    )
    return Plan(
        project,
        answer["digest"],
        steps,
        answer.get("more", 0),
        target,
        tuple(answer.get("warnings", ())),
    )


def _nics_by_port(inventory: Inventory) -> dict[tuple[str, str], Plug]:
    return {
        (leg.switch, leg.port): (node, nic)
        for node in inventory.nodes.values()
        for nic in node.nics
        for leg in nic.legs
    }


def _step(
    answer: Mapping[str, Any], inventory: Inventory, plug: Plug | None, below: int
) -> PlanStep:
    sign, word = SIGNS.get(answer["kind"], ("~", "changed"))
    note, network = "", None
    if plug is not None and (nic := plug[1]).applied is not None:
        network = nic_network(inventory, *plug)
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
        network=network,
        below=below,
    )


# --- in numbers -----------------------------------------------------------------------------------


def number(count: int, noun: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def totals(plan: Plan) -> str:
    """The size of a plan, as far as it is shown: ``7 steps, 21 lines, 2 devices``."""
    size = [
        number(len(plan.steps), "step"),
        number(plan.lines, "line"),
        number(len(plan.devices), "device"),
    ]
    return ", ".join([*size, f"and {number(plan.more, 'step')} more"] if plan.more else size)


def tally(steps: Iterable[PlanStep]) -> str:
    """The number of each kind of step: ``1 port leaves, 2 ports join, 1 VLAN made, 1 save``."""
    counts = Counter(map(_sort, steps))
    words = [*(word for _, word in SIGNS.values()), "moves", "saves", "changes"]
    order = {word: at for at, word in reversed(list(enumerate(words)))}
    return ", ".join(
        _counted(count, noun, word)
        for (noun, word), count in sorted(counts.items(), key=lambda each: order[each[0][1]])
    )


def _sort(step: PlanStep) -> tuple[str, str]:
    """Return what a step is about, and the word for what happens to it; "" if that says it all."""
    noun = _NOUNS.get(step.kind.partition(".")[0], "")
    return (noun, step.word) if noun else ("", "saves" if step.word == "saved" else "changes")


def _counted(count: int, noun: str, word: str) -> str:
    if not noun:
        return number(count, word.removesuffix("s"))
    return f"{number(count, noun)} {word if count == 1 else _PLURALS.get(word, word)}"


# --- two plans ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """The steps that a newer plan has gained and lost."""

    new: tuple[PlanStep, ...] = ()
    gone: tuple[PlanStep, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.gone)

    @property
    def sentence(self) -> str:
        """In words, for the message line."""
        parts = [f"new: {step.device}: {step.summary}" for step in self.new]
        parts += [f"gone: {step.device}: {step.summary}" for step in self.gone]
        more = f"; and {len(parts) - 3} more" if len(parts) > 3 else ""
        return ("; ".join(parts[:3]) or "only its order or its lines") + more


def difference(before: Plan, after: Plan) -> Difference:
    """Compare a plan with one that was shown before."""
    then, now = {s.key for s in before.steps}, {s.key for s in after.steps}
    return Difference(
        tuple(step for step in after.steps if step.key not in then),
        tuple(step for step in before.steps if step.key not in now),
    )


# --- as lines -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A row of the diff: a device, a step, a line that will be sent, or a step that is gone."""

    what: str
    """``device``, ``step``, ``line``, ``gone`` or ``blank``."""
    text: str
    key: str = ""
    """The key that folds it; empty if there is nothing to fold."""
    folded: bool = False
    step: PlanStep | None = None
    new: bool = False


def device_key(device: str) -> str:
    """The key that folds a device."""
    return device


def step_key(step: PlanStep) -> str:
    """The key that folds a step."""
    return f"{step.device} {step.kind} {step.target}"


def rows(
    plan: Plan, folded: Collection[str], changed: Difference | None = None
) -> Sequence[PlanRow]:
    """The rows of the diff, without those below what is ``folded``."""
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
        title = f"{number(len(steps), 'step')}: {tally(steps)}" if steps else "nothing any more"
        found.append(PlanRow("device", f"{device}  {title}", key, closed))
        if closed:
            continue
        for step in steps:
            key = "" if step.below else step_key(step)
            found.append(PlanRow("step", step.summary, key, key in folded, step, step.key in new))
            if key not in folded:
                found += [PlanRow("line", line, key, step=step) for line in step.lines]
        found += [PlanRow("gone", step.summary, step=step) for step in gone.get(device, ())]
    return found
