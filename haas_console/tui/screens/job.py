"""One job, whoever started it: followed live while it runs, and readable when it has ended."""

from __future__ import annotations

import textwrap
import time
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from haas_console.core import jobtree
from haas_console.core.commands import Call
from haas_console.core.devicetext import transcript_lines
from haas_console.core.errors import ConsoleError
from haas_console.core.jobtree import Part
from haas_console.core.jobwatch import JobWatch
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.times import seconds
from haas_console.tui.bars import Bar
from haas_console.tui.console import WIDE
from haas_console.tui.lines import Part as Piece
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.screens.job_lines import Head, JobLines, job_text, success, title
from haas_console.tui.screens.job_sent import SentLines

TICK = 0.25  # seconds between two redraws while the job runs
RATE = 1100  # bytes that drawing may send each second; the bars on top send some as well
MOST_NOTES = 6  # lines of an error
BURST = 1100.0  # bytes that drawing may send at once


class JobScreen(ConsoleScreen):
    """The progress of a job, device by device. Leaving the screen does not affect the job."""

    TITLE: ClassVar[str] = "Job"
    NAME = "job"
    AUTO_FOCUS = "#steps"
    CHANGES = frozenset({"cancel", "confirm"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "cancel", "Cancel job", id="job.cancel"),
        Binding("r", "plan", "Plan again", id="job.plan"),
        Binding("K", "confirm", "Keep", id="job.confirm"),
        Binding("f", "devices", "Devices", id="job.devices"),
        Binding("t", "transcript", "Transcript", id="job.transcript", show=False),
        Binding("c,y", "copy", "Copy", id="job.copy"),
        Binding("escape", "back", "Back", id="job.back"),
    ]

    def __init__(self, session: Session, job: int) -> None:
        super().__init__(session)
        self.TITLE = f"Job {job}"  # type: ignore[misc]  # an instance's own
        self.watch_job = JobWatch(session.sync, job, self._job_changed)
        self.shown_job = job
        self._ticking = False
        self._was_over = self._was_live = False
        self._budget, self._refilled = BURST, time.monotonic()
        self._lost_since: float | None = None

    def compose_body(self) -> ComposeResult:
        """The lines on the whole job, the devices, and what is sent to them."""
        yield Head(id="job-head")
        with Horizontal(id="body"):
            yield JobLines(id="steps")
            with Vertical(classes="pane"):
                yield Bar(id="sent-title", classes="title")
                yield SentLines(id="sent")

    def on_mount(self) -> None:
        """Follow the job until the screen is left."""
        self.head = self.query_one(Head)
        self.steps = self.query_one(JobLines)
        self.sent = self.query_one(SentLines)
        self._timer = self.set_interval(TICK, self._tick, pause=True)
        super().on_mount()
        self.run_worker(self.watch_job.run(), group="watch", exclusive=True)
        if self.session.failures.seen(self.watch_job.job):
            self.session.sync.notify("job")

    def on_unmount(self) -> None:
        """Stop drawing."""
        self._timer.stop()
        super().on_unmount()

    def changed(self, changes: Changes) -> None:
        """Redraw when the screen is shown, resized, or the connection changes."""
        if "info" in changes or "status" in changes:
            self._draw()

    # --- drawing ---

    def _job_changed(self) -> None:
        """Draw the first record and the end at once, everything else with the next tick."""
        watch = self.watch_job
        if not self.is_there:
            return
        if watch.over or watch.error or not self._ticking:
            self.call_later(self._draw)

    def _tick(self) -> None:
        """Draw what has changed, unless too much was sent just before: a slow line must keep up."""
        now = time.monotonic()
        self._budget = min(BURST, self._budget + (now - self._refilled) * RATE)
        self._refilled = now
        if self._budget > 0 and self.console.front is self:
            self._draw()
            self._budget -= self.head.spent + self.steps.spent

    def _draw(self) -> None:
        if not self.is_there:
            return
        watch = self.watch_job
        if watch.error and watch.known:
            self._lost_since = self._lost_since or time.time()
        else:
            self._lost_since = None
        self._was_live = self._was_live or (watch.known and not watch.view.final)
        self.head.spent = self.steps.spent = 0
        width = self.size.width
        notes = [[(f" {line}", look)] for line, look in self._notes(width)]
        self.head.show([title(watch, width) if watch.known else [("", "")], *notes])
        self.steps.show(self.parts(), live=self._was_live)
        self.sent.take(watch.view.steps)
        if watch.over != self._was_over:
            self._was_over = watch.over
            self._show_transcript()
            self.refresh_bindings()
            self.show_bars()
        self._ticking = watch.known and not watch.over and not watch.error
        (self._timer.resume if self._ticking else self._timer.pause)()

    @property
    def _is_admin(self) -> bool:
        info = self.session.inventory.info
        return info is not None and info.admin

    def _show_transcript(self) -> None:
        """Show the switches' answers beside the steps, if the user may read them."""
        said = self._was_over and self._is_admin
        self.sent.finish()
        title = " sent and answered" if said else " sent"
        self.query_one("#sent-title", Bar).show(Text(title))
        if said and self.size.width >= WIDE:
            self._read_transcript()

    @work(group="said", exclusive=True)
    async def _read_transcript(self) -> None:
        try:
            self.sent.show_transcript(await self._transcript())
        except ConsoleError:
            return  # what was sent stays there

    async def _transcript(self) -> list[str]:
        asked = {"job": self.watch_job.job, "limit": 50}
        page = await self.session.sync.call("job.transcript", asked, quiet=True)
        return transcript_lines(page["items"])

    def parts(self) -> list[Part]:
        """The state of each device."""
        watch = self.watch_job
        now = None if watch.view.final else self._lost_since or time.time()
        return jobtree.parts(watch.view.steps, watch.view.begun, watch.view.ended, now)

    def _notes(self, width: int) -> list[Piece]:
        """What the progress bars do not show; in two lines while the job runs, in full later."""
        watch = self.watch_job
        view = watch.view
        if watch.error:
            text = watch.error
            if watch.known and not view.final:
                text = f"The daemon is lost ({text}); this is what was known. It is looked for."
            look = "bad"
        elif view.state == "queued":
            text, look = "It waits for its turn: one job at a time in a project.", "dim"
        elif view.final and (until := self._goes_back()):
            text, look = f"It goes back at {until} unless it is confirmed: K keeps it.", "staged"
        elif view.state == "succeeded":
            text, look = success(watch), "good"
        elif view.final:
            kind = watch.record.get("kind", "")
            text = jobtree.ending(view.state, view.error, kind)
            look = "bad" if view.state == "failed" else "staged"
        else:
            text, look = "", ""
        most = MOST_NOTES if view.final else 2
        return [(line, look) for line in textwrap.wrap(text, max(20, width - 3), max_lines=most)]

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey Cancel once the job has ended, and Plan until then."""
        if action in ("cancel", "plan") and (action == "plan") != self._was_over:
            return None
        if action == "confirm" and not self._goes_back():
            return None
        if action == "plan" and self.watch_job.record.get("kind") == "repair":
            return None  # an apply would not finish a repair
        return super().check_action(action, parameters)

    @in_turn
    async def action_cancel(self) -> None:
        """Cancel the job, after a question."""
        job = self.watch_job.job
        if await self.confirm(f"cancel job {job}? What was not sent stays staged."):
            await self.send([Call("job.cancel", {"job": job})])

    @in_turn
    async def action_confirm(self) -> None:
        """Keep what was applied."""
        outcome = await self.send([Call("job.confirm", {"job": self.watch_job.job})])
        if outcome.ok:
            self.watch_job.record.update(outcome.results[-1])
            self.refresh_bindings()
            self._draw()

    def _goes_back(self) -> str:
        """The local time at which the job goes back unless it is confirmed; "" if it does not."""
        confirm = self.watch_job.record.get("confirm") or {}
        until = seconds(confirm.get("until")) if confirm.get("state") == "waiting" else None
        return time.strftime("%H:%M:%S", time.localtime(until)) if until is not None else ""

    def action_plan(self) -> None:
        """Look at what an apply would do now."""
        self.console.navigation.open_plan(self.watch_job.record.get("project"))

    @work(group="transcript", exclusive=True)
    async def action_transcript(self) -> None:
        """Read what was sent to switches and what they answered (admins only)."""
        job = self.watch_job.job
        try:
            said = await self._transcript()
        except ConsoleError as error:
            self.fail(str(error))
            return
        lines = said or ["No switch was told anything."]
        self.console.navigation.read(f"Transcript of job {job}", lines, indent=2)

    def action_devices(self) -> None:
        """Show only the devices, or again their steps."""
        lines = self.steps
        keys = {part.device for part in lines.devices}
        lines.folded = lines.folded - keys if lines.folded & keys else lines.folded | keys
        lines.rebuild()

    def action_copy(self) -> None:
        """Copy all of it as text."""
        self.console.copy(job_text(self.watch_job, self.parts()))
