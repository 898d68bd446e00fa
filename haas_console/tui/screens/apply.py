"""Apply: shows the plan as a diff by device, with all lines, before anything is sent."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.commands import Apply
from haas_console.core.errors import ConsoleError
from haas_console.core.plandiff import (
    Plan,
    difference,
    number,
    read_plan,
    tally,
    targets,
    totals,
    whose,
)
from haas_console.core.session import Session
from haas_console.core.sharedlines import with_below
from haas_console.core.sync import Changes
from haas_console.tui.bars import Bar
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.screens.apply_plan import Choice, PlanLines
from haas_console.tui.screens.job_lines import Head

CONCERNS = frozenset({"node", "network", "headnode", "switch", "job"})


class ApplyScreen(ConsoleScreen):
    """Shows what an apply would do, and does exactly that when told to."""

    TITLE: ClassVar[str] = "Apply"
    NAME = "apply"
    AUTO_FOCUS = "#choice"
    CHANGES = frozenset({"apply"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "apply", "Apply", id="apply.apply"),
        Binding("space", "list('fold')", "Fold", id="apply.fold"),
        Binding("l", "list('fold_all')", "Lines", id="apply.lines"),
        Binding("f", "devices", "Devices", id="apply.devices", show=False),
        Binding("S", "site", "Site/project", id="apply.site"),
        Binding("o", "only", "Only a node or network", id="apply.only"),
        Binding("r", "plan", "Plan again", id="apply.plan"),
        Binding("c", "copy", "Copy", id="apply.copy"),
        Binding("down,j", "list('move', 1)", "Down", id="apply.down", show=False),
        Binding("up,k", "list('move', -1)", "Up", id="apply.up", show=False),
        Binding(
            "pagedown,ctrl+f", "list('page', 1)", "Page down", id="apply.page_down", show=False
        ),
        Binding("pageup,ctrl+b", "list('page', -1)", "Page up", id="apply.page_up", show=False),
        Binding("g,home", "list('go', 0)", "First", id="apply.first", show=False),
        Binding("G,end", "list('go', -1)", "Last", id="apply.last", show=False),
        Binding("escape", "back", "Cancel", id="apply.cancel"),
    ]

    def __init__(
        self,
        session: Session,
        *,
        site: bool = False,
        project: str | None = None,
        target: str | None = None,
    ) -> None:
        """Plan the ``site``, or else ``project``, or else whatever is the current project.

        ``target``: only what concerns this node or network of the project.
        """
        super().__init__(session)
        self.target = target
        self.site = site
        self.plan: Plan | None = None
        self._asked_for = project
        self._current = session.project
        self._problem = ""
        self._newer: Plan | None = None
        self._planned = asyncio.Event()
        """Set while the plan, or why there is none, is shown."""
        self._sending = False

    @property
    def project(self) -> str | None:
        """The project that is planned; None for the site, or if no project is chosen."""
        return None if self.site else self._asked_for or self.session.project

    @property
    def _scope(self) -> tuple[str | None, str | None]:
        """The project that is planned, and the part of it."""
        return self.project, self.target if self.project is not None else None

    def compose_body(self) -> ComposeResult:
        """The summary, the diff, a notice, and the two answers."""
        yield Head(id="plan-head")
        yield PlanLines(id="plan")
        yield Bar(id="notice")
        yield Choice(id="choice")

    def on_mount(self) -> None:
        """Find the widgets."""
        self.head = self.query_one(Head)
        self.head.styles.height = 2
        self.list = self.query_one(PlanLines)
        self.choice = self.query_one(Choice)
        super().on_mount()

    # --- reading the plan ---

    def changed(self, changes: Changes) -> None:
        """Plan at first and for another project; otherwise check that the plan still holds."""
        if self.session.project != self._current:  # another one was chosen
            self._current, self._asked_for, self.site = self.session.project, None, False
            self.target = None
        if self.plan is None or (self.plan.project, self.plan.target) != self._scope:
            # Not for "call": asking for the plan is one.
            if changes & {"info", "use", "status"} and not self._sending:
                self._load()
        elif changes & CONCERNS and self._planned.is_set():
            self._check()
        self._draw()

    def _load(self) -> None:
        """Read the plan and show it; applying waits for that."""
        self._planned.clear()
        self._read_plan()

    @work(group="plan", exclusive=True)
    async def _read_plan(self) -> None:
        await self.session.settled()
        project, self._newer = self.project, None
        if project is None and not self.site:
            self._show(None, self._no_project())
            return
        try:
            self._show(await self._ask(quiet=False))
        except ConsoleError as error:
            self._show(None, str(error))

    async def _ask(self, *, quiet: bool) -> Plan:
        project, target = self._scope
        params = {"project": project} if project else {}
        if target is not None:
            params["target"] = target
        answer = await self.session.sync.call("plan.show", params, quiet=quiet)
        return read_plan(project, answer, self.session.inventory, target)

    def _no_project(self) -> str:
        site = "; S plans the site" if self._admin else ""
        return f"Apply which project? p chooses one{site}."

    @property
    def _admin(self) -> bool:
        info = self.session.inventory.info
        return info is not None and info.admin

    @work(group="plan", exclusive=True)
    async def _check(self) -> None:
        """Notice if the plan has changed; the one that the user reads stays as it is."""
        plan = self.plan
        if plan is None or self._sending:
            return
        try:
            newer = await self._ask(quiet=True)
        except ConsoleError:
            return  # the bar on top says so if the daemon is lost
        if self.plan is plan:
            self._newer = newer if newer.digest != plan.digest else None
            self._draw()

    def _show(self, plan: Plan | None, problem: str = "") -> None:
        before, self.plan, self._problem, self._newer = self.plan, plan, problem, None
        same = before is not None and plan is not None and _of(before) == _of(plan)
        changed = difference(before, plan) if same and before and plan else None
        self.list.show(plan, changed)
        self._planned.set()
        self._draw()

    # --- showing it ---

    def _draw(self) -> None:
        plan = self.plan
        notice, offer, counts = self._problem, "", ""
        if plan is None:
            summary = "plan" if self._problem else "planning ..."
        elif not plan.steps:
            summary = f"plan of {_of(plan)}: nothing to do"
            notice = "All that is staged is applied: the devices confirmed it."
            if plan.target is not None:
                notice = f"Nothing is staged for {plan.target}; o chooses another part, or all."
        else:
            summary = f"plan of {_of(plan)}: {totals(plan)}"
            counts = tally(plan.steps)
            offer = f"Apply: send {number(plan.lines, 'line')}"
        if plan is not None and self._newer is not None:
            changed = difference(plan, self._newer).sentence
            notice = f"The plan has changed since ({changed}); r shows the new one."
        elif plan is not None and plan.warnings:
            more = f" (and {len(plan.warnings) - 1} more)" if len(plan.warnings) > 1 else ""
            notice = f"{plan.warnings[0]}{more}"
        elif plan is not None and not notice:
            notice = self._waits_for()
        self.head.show([[(f" {summary}", "head")], [(f" {counts}", "")]])
        self.query_one("#notice", Bar).show(Text(f" {notice}", "bold"))
        self.choice.draw(offer)

    def _waits_for(self) -> str:
        """A sentence if this apply would wait for another."""
        for job in self.session.inventory.running_jobs():
            if job.project == self.project:
                return f"Job {job.job} of {whose(job.project)} is {job.state}: this one will wait."
        return ""

    # --- keys ---

    def action_list(self, action: str, *args: int) -> None:
        """Move in the diff, or fold it."""
        getattr(self.list, f"action_{action}")(*args)

    def action_devices(self) -> None:
        """Fold all devices, or unfold them."""
        self.list.fold_devices()

    def action_site(self) -> None:
        """Plan the site instead of the project, or the project again."""
        if not self._admin:
            self.fail("Only an admin applies the site: trunk ports, and ports no project holds.")
            return
        self.site = not self.site
        self._load()

    @in_turn
    async def action_only(self) -> None:
        """Plan only what concerns one node or network of the project, or all of it again."""
        project = self.project
        if project is None:
            self.fail("Only a project is planned in parts: S plans the project.")
            return
        self.choice.back_to_cancel()  # an Enter after the question must not apply
        choices = ["all", *targets(self.session.inventory, project)]
        chosen = await self.ask(f"plan of {project} only: ", choices=choices)
        if chosen is not None:
            self.target = None if chosen == "all" else chosen
            self._load()

    def action_plan(self) -> None:
        """Plan again."""
        self._load()

    def action_copy(self) -> None:
        """Copy the plan as text, with all its lines."""
        if self.plan is not None:
            self.console.copy(plan_text(self.plan))

    def on_choice_chosen(self, event: Choice.Chosen) -> None:
        """Cancel, or apply."""
        if event.apply:
            self.action_apply()
        else:
            self.action_back()

    def is_idle(self, action: str) -> bool:
        """Nothing is applied while there is nothing to do."""
        return action == "apply" and self.plan is not None and not self.plan.steps

    def action_apply(self) -> None:
        """Apply the plan that is shown, and none other."""
        if not self._sending:
            self.take_turn(self._apply)

    async def _apply(self) -> None:
        await self._planned.wait()
        if self.plan is None or not self.plan.steps:
            self.fail("There is nothing to apply.")
        elif (refusal := self.session.write_access.refusal()) is not None:
            self.fail(refusal.reason)
        else:
            await self._start(self.plan)

    async def _start(self, plan: Plan) -> None:
        self._sending = True
        try:
            outcome = await self.send(
                [Apply(plan.project, plan.digest, target=plan.target)], keep_keys=True
            )
            if outcome.job is not None:
                self.console.navigation.open_job(outcome.job)
                return
            await self._refused(plan)
        finally:
            self._sending = False

    async def _refused(self, plan: Plan) -> None:
        """If the plan has changed, say how, and show the new one."""
        self.choice.back_to_cancel()
        try:
            newer = await self._ask(quiet=False)
        except ConsoleError:
            return  # the message already says what went wrong with the apply
        if newer.digest == plan.digest:
            return
        self._show(newer)
        changed = difference(plan, newer).sentence
        self.fail(f"Not applied, as the plan has changed ({changed}). This is the new one.")


def _of(plan: Plan) -> str:
    """The scope of a plan in words: ``astro``, ``the site``, or ``node-1 of astro``."""
    of = whose(plan.project)
    return of if plan.target is None else f"{plan.target} of {of}"


def plan_text(plan: Plan) -> str:
    """A plan as text, with all its lines."""
    summary = [f"plan of {_of(plan)} ({plan.digest}): {totals(plan)}"]
    for device, steps in plan.devices.items():
        summary.append(f"{device}:")
        for step in steps:
            shared = f", {with_below(step.below)}" if step.below else ""
            summary.append(f"  {step.sign} {step.summary}{shared}")
            summary += [f"      {line}" for line in step.lines]
    return "\n".join(summary) + "\n"
