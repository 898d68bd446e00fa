"""A job as lines: its head, and its devices with their steps."""

from __future__ import annotations

from collections.abc import Sequence

from haas_console.core import jobtree
from haas_console.core.jobtree import JobRow, Part
from haas_console.core.jobwatch import JobWatch
from haas_console.core.plandiff import number, whose
from haas_console.core.sharedlines import with_below
from haas_console.tui.folds import FoldLines, SpareLines
from haas_console.tui.glyphs import LOOKS, glyphs
from haas_console.tui.lines import Part as Piece
from haas_console.tui.lines import cut

NAMED_STATES = frozenset({"failed", "skipped", "cancelled", "interrupted"})
"""States of steps that are shown as a word beside their sign."""


class Head(SpareLines, can_focus=False):
    """A few lines above a list; only the cells that change are sent."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.lines: list[list[Piece]] = []
        self.cursor = -1  # no cursor
        self.styles.height = 3

    def show(self, lines: list[list[Piece]]) -> None:
        """Show other lines."""
        self.lines = lines
        height = max(3, len(lines))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
        self.redraw()

    def count(self) -> int:
        """One line for each."""
        return len(self.lines)

    def parts(self, index: int, width: int) -> list[Piece]:
        """The parts as they were given."""
        return self.lines[index]


class JobLines(FoldLines):
    """The devices of a job with their steps, lines and messages."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.devices: Sequence[Part] = ()
        self.live = False
        self.shown: Sequence[JobRow] = ()
        self._known: set[str] = set()

    def show(self, devices: Sequence[Part], *, live: bool) -> None:
        """Show the state of the devices; new steps begin folded."""
        self.devices, self.live = devices, live
        fresh = self.fold_keys() - self._known
        if fresh:
            steps = sum(part.total for part in devices)
            height = self.scrollable_content_region.height
            if not self._known and steps + (1 + live) * len(devices) > height > 0:
                self.folded |= {part.device for part in devices}
            self.folded |= fresh
            self._known |= fresh
        self.rebuild()

    def rebuild(self) -> None:
        """Rebuild the lines."""
        width = self.scrollable_content_region.width
        self.shown = jobtree.rows(self.devices, self.folded, width, live=self.live)
        self.changed()

    def count(self) -> int:
        """One line for each row."""
        return len(self.shown)

    def fold_key(self, index: int) -> str:
        """The key of the device or the step."""
        return self.shown[index].key

    def fold_keys(self) -> set[str]:
        """The keys of the steps, which hide their lines."""
        return {f"{part.device} {step['step']}" for part in self.devices for step in part.steps}

    def parts(self, index: int, width: int) -> list[Piece]:
        """A device with its bar, a step with its state, a line, or what went wrong."""
        row = self.shown[index]
        signs, look = glyphs(), LOOKS.get(row.state, "")
        fold = f"{signs.closed if row.folded else signs.open} "
        match row.what:
            case "device" if row.part is not None:
                return self._device(row.part, fold, width)
            case "step" if row.step is not None:
                # A running step has only a sign: a word would be sent again for each of its states.
                word = f"  {row.state}" if row.state in NAMED_STATES else ""
                return [
                    (f"     {'│ ' if row.below else fold}", "dim"),
                    (f"{signs.state(row.state)} ", look),
                    (row.text, ""),
                    (word, look),
                    (f"  {with_below(row.below)}" if row.below else "", "dim"),
                ]
            case "now":
                text = f"     > {row.text}" if row.text else ""
                return [(text, "dim" if row.state != "running" else "")]
            case "line":
                mark = {"current": signs.state("sending"), "sent": ">"}.get(row.state, " ")
                style = {"current": "staged", "sent": "", "more": ""}.get(row.state, "dim")
                return [(f"           {mark} ", style), (row.text, style)]
            case "message":
                return [(" " * jobtree.MESSAGE_INDENT, ""), (row.text, look)]
        return [("", "")]

    def _device(self, part: Part, fold: str, width: int) -> list[Piece]:
        signs, look = glyphs(), LOOKS.get(part.state, "")
        names = max(len(each.device) for each in self.devices)
        count = max(len(str(each.total)) for each in self.devices)
        cells = 18 if width >= 100 else 12
        elapsed = jobtree.clock(part.elapsed, exact=part.state != "running")
        return [
            (f" {fold}", "dim"),
            (f"{signs.state(part.state)} ", look),
            (cut(part.device, min(names, 24) + 1), "head"),
            (f"{signs.bar(part.done, part.total, cells)} ", look),
            (f"{part.done:>{count}}/{part.total:<{count}} ", ""),
            (f"{part.state:9} ", look),
            (f"{elapsed:>6}", "dim"),
        ]


def title(watch: JobWatch, width: int) -> list[Piece]:
    """The line on the whole job: kind, project, progress and duration."""
    view, record, signs = watch.view, watch.record, glyphs()
    look = LOOKS.get(view.state, "")
    elapsed = jobtree.clock(watch.elapsed, exact=view.final)
    what = f"{record.get('kind', 'job')} of {whose(record.get('project'))}"
    return [
        (f" {signs.state(view.state)} ", look),
        (f"job {watch.job}  ", "head"),
        (f"{what} by {record.get('user', '?')}  ", ""),
        (f"{view.state}  ", look),
        (f"{signs.bar(view.done, view.total, 24 if width >= 100 else 16)} ", look),
        (f"{view.done}/{view.total}  {elapsed}", ""),
    ]


def success(watch: JobWatch) -> str:
    """What a job that succeeded has done."""
    view = watch.view
    devices = len({step["device"] for step in view.steps.values()})
    if not view.steps:
        return "There was nothing to do."
    text = f"{number(view.done, 'step')} on {number(devices, 'device')}, each confirmed by it"
    return f"{text}, in {jobtree.clock(watch.elapsed)}."


def job_text(watch: JobWatch, devices: Sequence[Part]) -> str:
    """A job as text, with all steps, lines and messages."""
    view, record = watch.view, watch.record
    text = [
        f"job {watch.job}, {record.get('kind')} of {whose(record.get('project'))} by"
        f" {record.get('user')}: {view.state}, {view.done}/{view.total}"
    ]
    if view.error:
        text.append(view.error)
    for part in devices:
        text.append(f"{part.device}: {part.state}, {part.done}/{part.total}")
        for step in part.steps:
            text.append(f"  {step['state']}: {step['summary']}")
            text += [f"      {line}" for line in step.get("lines", ())]
            if step.get("message"):
                text.append(f"    {step['message']}")
    return "\n".join(text) + "\n"
