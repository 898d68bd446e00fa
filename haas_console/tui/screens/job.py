"""One job: live while it goes on, whoever started it, and to be read when it is past."""

from __future__ import annotations

import textwrap
import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core import jobtree
from haas_console.core.commands import Call
from haas_console.core.jobtree import Part
from haas_console.core.jobwatch import JobWatch
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.tui.lines import Part as Piece
from haas_console.tui.screen import ConsoleScreen, in_turn
from haas_console.tui.screens.job_lines import Head, JobLines, job_text, success, title

TICK = 0.25  # seconds between two drawings of what goes on
RATE = 1500  # bytes a second that drawing may cost; the bar on top needs some, too
PURSE = 1500.0  # bytes that may be spent at once


class JobScreen(ConsoleScreen):
    """How a job goes, device by device. Leaving it changes nothing about the job."""

    TITLE: ClassVar[str] = "Job"
    NAME = "job"
    AUTO_FOCUS = "#steps"
    CHANGES = frozenset({"cancel"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "cancel", "Cancel job", id="job.cancel"),
        Binding("r", "plan", "Plan again", id="job.plan"),
        Binding("f", "devices", "Devices", id="job.devices"),
        Binding("c,y", "copy", "Copy", id="job.copy"),
        Binding("escape", "back", "Back", id="job.back"),
    ]

    def __init__(self, session: Session, job: int) -> None:
        super().__init__(session)
        self.TITLE = f"Job {job}"  # type: ignore[misc]  # an instance's own
        self.watch_job = JobWatch(session.sync, job, self._news)
        self.shown_job = job
        self._ticking = False
        self._was_over = self._was_live = False
        self._purse, self._filled = PURSE, time.monotonic()
        self._lost_since: float | None = None

    def compose_body(self) -> ComposeResult:
        """The job's own lines, and the devices."""
        yield Head(id="job-head")
        yield JobLines(id="steps")

    def on_mount(self) -> None:
        """Follow the job for as long as the screen is there."""
        self.head = self.query_one(Head)
        self.steps = self.query_one(JobLines)
        self._timer = self.set_interval(TICK, self._tick, pause=True)
        super().on_mount()
        self.run_worker(self.watch_job.run(), group="watch", exclusive=True)

    def on_unmount(self) -> None:
        """Draw no more."""
        self._timer.stop()
        super().on_unmount()

    def changed(self, changes: Changes) -> None:
        """Draw it when it is first shown, when it is shown again, and on a change of width."""
        if "info" in changes or "status" in changes:
            self._draw()

    # --- drawing ---

    def _news(self) -> None:
        """Draw with the next tick; at once what is first known, and the end."""
        watch = self.watch_job
        if not self.is_attached:
            return
        if watch.over or watch.error or not self._ticking:
            self.call_later(self._draw)

    def _tick(self) -> None:
        """Draw what has changed; after much, later, so that a slow line is not flooded."""
        now = time.monotonic()
        self._purse = min(PURSE, self._purse + (now - self._filled) * RATE)
        self._filled = now
        if self._purse > 0 and self.console.front is self:
            self._draw()
            self._purse -= self.head.spent + self.steps.spent

    def _draw(self) -> None:
        if not self.is_attached:
            return
        watch = self.watch_job
        if watch.error and watch.known:
            self._lost_since = self._lost_since or time.time()
        else:
            self._lost_since = None
        self._was_live = self._was_live or (watch.known and not watch.view.final)
        self.head.spent = self.steps.spent = 0
        width = self.size.width
        told = [[(f" {line}", look)] for line, look in self._told(width)]
        self.head.show([title(watch, width) if watch.known else [("", "")], *told[:2]])
        self.steps.show(self.parts(), live=self._was_live)
        if watch.over != self._was_over:
            self._was_over = watch.over
            self.refresh_bindings()
            self.show_bars()
        self._ticking = watch.known and not watch.over and not watch.error
        (self._timer.resume if self._ticking else self._timer.pause)()

    def parts(self) -> list[Part]:
        """How each device stands."""
        watch = self.watch_job
        now = None if watch.view.final else self._lost_since or time.time()
        return jobtree.parts(watch.view.steps, watch.view.begun, watch.view.ended, now)

    def _told(self, width: int) -> list[Piece]:
        """What is to be known beside the bars, in two lines at most."""
        watch = self.watch_job
        view = watch.view
        if watch.error:
            text = watch.error
            if watch.known and not view.final:
                text = f"The daemon is lost ({text}); this is what was known. It is looked for."
            look = "bad"
        elif view.state == "queued":
            text, look = "It waits for its turn: one job at a time in a project.", "dim"
        elif view.state == "succeeded":
            text, look = success(watch), "good"
        elif view.final:
            kind = watch.record.get("kind", "")
            text = jobtree.ending(view.state, view.error, kind)
            look = "bad" if view.state == "failed" else "staged"
        else:
            text, look = "", ""
        return [(line, look) for line in textwrap.wrap(text, max(20, width - 2), max_lines=2)]

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey what a job that is over, or is not, has no use for."""
        if action in ("cancel", "plan") and (action == "plan") != self._was_over:
            return None
        if action == "plan" and self.watch_job.record.get("kind") == "repair":
            return None  # an apply would not do what is left of it
        return super().check_action(action, parameters)

    @in_turn
    async def action_cancel(self) -> None:
        """Cancel the job, after a question."""
        job = self.watch_job.job
        if await self.confirm(f"cancel job {job}? What was not sent stays staged."):
            await self.send([Call("job.cancel", {"job": job})])

    def action_plan(self) -> None:
        """Look at what an apply would do now."""
        self.console.navigation.open_plan(self.watch_job.record.get("project"))

    def action_devices(self) -> None:
        """Show only the devices, or again their steps."""
        lines = self.steps
        keys = {part.device for part in lines.devices}
        lines.folded = lines.folded - keys if lines.folded & keys else lines.folded | keys
        lines.rebuild()

    def action_copy(self) -> None:
        """Copy all of it as text."""
        self.console.copy(job_text(self.watch_job, self.parts()))
