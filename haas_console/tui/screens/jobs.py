"""The list of jobs, the newest first, updated while they run."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from haas_console.core import tables
from haas_console.core.commands import Call
from haas_console.core.inventory import records
from haas_console.core.joblist import newest_first, parse_filter
from haas_console.core.objects import Ref
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.tui.glyphs import LOOKS, glyphs
from haas_console.tui.lines import Part
from haas_console.tui.prompt import filter_question
from haas_console.tui.reading import Reader
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.tablelines import TableLines
from haas_schemas.job import Job

OLDER = 100  # jobs that one request for older ones fetches
NO_JOB = "   no job yet: a shows what an apply would do"


class JobList(TableLines[Job]):
    """One line for each job."""

    class Opened(Message):
        """The user wants to see a job."""

        def __init__(self, job: int) -> None:
            super().__init__()
            self.job = job

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Open", id="jobs.open")]

    def __init__(self, *, id: str) -> None:
        super().__init__(tables.JOBS, lambda job: job.job, id=id, header="jobs-title")
        self.empty = NO_JOB

    def mark(self, item: Job) -> Part:
        """The sign of its state."""
        return glyphs().state(item.state), LOOKS.get(item.state, "")

    def text(self, name: str, item: Job, size: int) -> str:
        """The text of a cell; the progress is a bar."""
        if name == "progress":
            return glyphs().bar(item.done, item.total, size)
        return super().text(name, item, size)

    def look(self, name: str, item: Job) -> str:
        """The style of a cell."""
        match name:
            case "job":
                return "head"
            case "state" | "progress":
                return LOOKS.get(item.state, "")
            case "error":
                return "bad" if item.state == "failed" else "dim"
            case "kind" | "started" | "finished":
                return "dim"
            case _:
                return ""

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
        self._reader = Reader(self)

    def compose_body(self) -> ComposeResult:
        """The columns' names, and the list."""
        jobs = JobList(id="jobs")
        yield jobs.header
        yield jobs

    def changed(self, changes: Changes) -> None:
        """Show the jobs as they are now."""
        if changes & {"job", "info"}:
            self.show_jobs()

    def show_jobs(self) -> None:
        """Rebuild the lines."""
        found = self.query_one(JobList)
        jobs = {**self._older, **self.session.inventory.jobs}
        fitting = newest_first(jobs.values(), self.filter)
        found.empty = "   no job fits" if self.filter else NO_JOB
        found.note = f"/{self.filter}  {len(fitting)}/{len(jobs)}" if self.filter else ""
        found.show_items(fitting)

    def under_cursor(self) -> Ref | None:
        """The job."""
        job = self.query_one(JobList).current()
        return Ref("job", str(job.job)) if job is not None else None

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
        page = await self._reader.read(self.session.sync.call("job.list", params))
        if page is None:
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
