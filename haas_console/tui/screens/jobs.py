"""The list of jobs, the newest first, updated while they run."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from haas_console.core.commands import Call
from haas_console.core.errors import ConsoleError
from haas_console.core.inventory import records
from haas_console.core.joblist import newest_first, parse_filter
from haas_console.core.jobtree import clock
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.times import elapsed, moment
from haas_console.tui.bars import Bar
from haas_console.tui.folds import SpareLines
from haas_console.tui.glyphs import LOOKS, glyphs
from haas_console.tui.lines import BAR, Part, cut
from haas_console.tui.prompt import filter_question
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_schemas.job import Job

OLDER = 100  # jobs that one request for older ones fetches


class JobList(SpareLines):
    """One line for each job."""

    class Opened(Message):
        """The user wants to see a job."""

        def __init__(self, job: int) -> None:
            super().__init__()
            self.job = job

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Open", id="jobs.open")]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.jobs: list[Job] = []

    def show(self, jobs: list[Job]) -> None:
        """Show these jobs; the cursor stays on its job."""
        job = self.current()
        self.jobs = jobs
        if job is not None:
            numbers = [each.job for each in jobs]
            self.cursor = numbers.index(job.job) if job.job in numbers else self.cursor
        self.changed()

    def current(self) -> Job | None:
        """The job under the cursor."""
        return self.jobs[self.cursor] if 0 <= self.cursor < len(self.jobs) else None

    def count(self) -> int:
        """One line for each."""
        return len(self.jobs)

    def title(self, width: int) -> str:
        """The names of the columns."""
        bar = cut("done", self._room(width) + 8)
        project, user = self._names(width)
        names = f"{cut('project', project)} {cut('kind', 8)}state      {cut('by', user)}"
        return f"   job    {names} {bar}started        took"

    def _names(self, width: int) -> tuple[int, int]:
        """The widths of the columns for projects and users, wider where there is room."""
        spare = max(0, width - 110) // 2
        project = max((len(job.project or "") for job in self.jobs), default=0)
        user = max((len(job.user) for job in self.jobs), default=0)
        return max(12, min(project, 12 + spare)), max(8, min(user, 8 + spare))

    def _room(self, width: int) -> int:
        return 22 if width >= 110 else 0

    def parts(self, index: int, width: int) -> list[Part]:
        """Number, project, kind, state, user, progress, start, duration and error."""
        job = self.jobs[index]
        signs, look = glyphs(), LOOKS.get(job.state, "")
        cells = self._room(width)
        project, user = self._names(width)
        bar = f"{signs.bar(job.done, job.total, cells - 1)} " if cells else ""
        long = clock(elapsed(job.started, job.finished), exact=not job.under_way)
        return [
            (f" {signs.state(job.state)} ", look),
            (f"{job.job:<6} ", "head"),
            (cut(job.project or "the site", project) + " ", ""),
            (f"{job.kind:8}", "dim"),
            (f"{job.state:10} ", look),
            (cut(job.user, user) + " ", ""),
            (bar, look),
            (f"{f'{job.done}/{job.total}':>7} ", ""),
            (f"{moment(job.started or job.created):14} ", "dim"),
            (f"{long:8}", ""),
            (job.error or "", "bad" if job.state == "failed" else "dim"),
        ]

    def action_open(self) -> None:
        """Open the job under the cursor."""
        job = self.current()
        if job is not None:
            self.post_message(self.Opened(job.job))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; a click on the job under the cursor opens it."""
        index = self.index_at(event.y)
        if index is None:
            return
        if index == self.cursor:
            self.action_open()
        self.move_to(index)


class JobsScreen(ConsoleScreen):
    """Jobs that run, wait or have ended."""

    TITLE: ClassVar[str] = "Jobs"
    NAME = "jobs"
    AUTO_FOCUS = "#jobs"
    CHANGES = frozenset({"cancel"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "cancel", "Cancel job", id="jobs.cancel"),
        Binding("slash", "filter", "Filter", id="jobs.filter"),
        Binding("o", "older", "Older", id="jobs.older"),
        Binding("escape", "back", "Back", id="jobs.back"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.filter = ""
        self._older: dict[int, Job] = {}

    def compose_body(self) -> ComposeResult:
        """The columns' names, and the list."""
        yield Bar(id="jobs-title")
        yield JobList(id="jobs")

    def changed(self, changes: Changes) -> None:
        """Show the jobs as they are now."""
        if changes & {"job", "info"}:
            self.show_jobs()

    def show_jobs(self) -> None:
        """Rebuild the lines."""
        found = self.query_one(JobList)
        jobs = {**self._older, **self.session.inventory.jobs}
        found.show(newest_first(jobs.values(), self.filter))
        if not jobs:
            title = Text("   no job yet: a shows what an apply would do", "dim")
        else:
            title = Text(found.title(self.size.width - BAR), "dim")
        if self.filter:
            title.append(f"   /{self.filter}  {found.count()}/{len(jobs)}", "bold")
        self.query_one("#jobs-title", Bar).show(title)

    def on_job_list_opened(self, event: JobList.Opened) -> None:
        """Show a job."""
        self.console.navigation.open_job(event.job)

    @in_turn
    async def action_cancel(self) -> None:
        """Cancel the job under the cursor, after a question."""
        job = self.query_one(JobList).current()
        if job is None or not job.under_way:
            self.fail("Only a job that is queued or running can be cancelled.")
        elif await self.confirm(f"cancel job {job.job}? What was not sent stays staged."):
            await self.send([Call("job.cancel", {"job": job.job})])

    @work(group="older", exclusive=True)
    async def action_older(self) -> None:
        """Fetch jobs from before those that are shown."""
        known = {**self._older, **self.session.inventory.jobs}
        params: dict[str, Any] = {"limit": OLDER}
        if known:
            oldest = min(known.values(), key=lambda job: job.created)
            params["after"] = str(oldest.job)
        try:
            page = await self.session.sync.call("job.list", params)
        except ConsoleError as error:
            self.fail(str(error))
            return
        self._older |= {job.job: job for job in records(Job, page["items"])}
        self.say(f"{len(page['items'])} older jobs" if page["items"] else "there are no older jobs")
        self.show_jobs()

    def action_filter(self) -> None:
        """Show only jobs that fit, while it is typed: words, field=value, ! inverts."""
        self.put(filter_question(self.filter, self._filter))

    def _filter(self, text: str, final: bool) -> None:
        try:
            parse_filter(text)
        except ValueError as error:
            if final:
                self.fail(str(error))
            return
        self.filter = text.strip()
        self.show_jobs()
