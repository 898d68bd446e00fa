"""The lines on top and at the bottom: place, user, connection, and what is staged."""

from __future__ import annotations

import time

from rich.segment import Segment
from rich.text import Text
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widget import Widget

from haas_console.core.rights import role_in
from haas_console.core.session import Session
from haas_console.core.text import clean
from haas_console.tui.spans import changed_span


class Bar(Widget):
    """One line; only the cells that have changed are sent."""

    ALLOW_SELECT = False
    # Skip Textual's second layout after the first: a bar is always as large as it is laid out.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=f"bar {classes}")
        self.auto_links = False
        self.content = Text()
        self._painted: Strip | None = None

    def show(self, text: Text) -> None:
        """Show a text, cut to the width."""
        self.content = text
        strip = self._strip()
        span = changed_span(self._painted, strip)
        if span is not None and self.size.width:
            self._painted = strip
            self.refresh(Region(span[0], 0, span[1], 1))

    def _strip(self) -> Strip:
        text = self.content
        if not text.plain.isprintable():  # what devices send may contain anything
            text = Text(clean(text.plain), style=text.style)
        segments = Segment.apply_style(text.render(self.app.console), self.rich_style)
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style).simplify()

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        self._painted = self._strip()
        return self._painted


def top_text(session: Session, crumbs: list[str], width: int, shown_job: int | None = None) -> Text:
    """Context or site, breadcrumbs, project, user and role; on the right jobs and the connection.

    In a narrow terminal the least important words are dropped first. ``shown_job``: a job that is
    left out, because the screen itself shows it.
    """
    right = _activity(session, shown_job)
    room = width - right.cell_len - 2
    left = next(
        (text for text in _places(session, crumbs) if text.cell_len <= room),
        _places(session, crumbs)[-1],
    )
    if left.cell_len > room:
        left.truncate(max(0, room), overflow="ellipsis")
    return left + Text(" " * max(1, width - left.cell_len - right.cell_len - 1)) + right


def _places(session: Session, crumbs: list[str]) -> list[Text]:
    """Where the user is, and as whom: in full, then in fewer and fewer words."""
    info = session.inventory.info
    project, endpoint = session.project or "all", session.sync.target.endpoint
    context = endpoint.context if endpoint is not None else None
    site = context or (info.site if info else "")
    user, role = (info.user, role_in(info, session.project)) if info else ("", "")
    readonly = session.readonly or (info is not None and info.readonly)
    shapes = (
        ("HaaS", site, crumbs, f"project {project}", f"{user} ({role})"),
        ("HaaS", site, crumbs, project, f"{user} ({role})"),
        ("HaaS", site, crumbs[-1:], project, f"{user} ({role})"),
        ("HaaS", "", crumbs[-1:], project, user),
    )
    found = []
    for name, place, path, work, who in shapes:
        text = Text()
        text.append(f" {name} ", "brand")
        text.append(f"{place} " if place else "", "bold")
        text.append("> " + " > ".join(path), "bold")
        if info is not None:
            text.append(f"   {work}", "not bold")
            text.append(f"   {who}", "not bold")
        if info is not None and info.standby is not None:
            text.append(f"   standby of {info.standby.master or 'nobody'}", "badge")
        if readonly:
            text.append("   read-only", "badge")
        found.append(text)
    return found


def _activity(session: Session, shown_job: int | None) -> Text:
    """Which jobs run, and whether the console is connected."""
    text, status = Text(), session.sync.status
    jobs = [job for job in session.inventory.running_jobs() if job.job != shown_job]
    if jobs:
        job = jobs[0]
        more = f" +{len(jobs) - 1}" if len(jobs) > 1 else ""
        text.append(f"job {job.job} {job.state} {job.done}/{job.total}{more}  ", style="bold")
    text.append(_status(status.state, status.since), "good" if status.state == "live" else "badge")
    return text


def _status(state: str, since: float) -> str:
    if state == "live":
        return "● live"
    clock = time.strftime("%H:%M:%S", time.localtime(since))
    return f"○ stale since {clock}" if state == "stale" else "○ connecting"


def summary_text(session: Session) -> Text:
    """How much is staged and not applied in the current project, or in each if none is chosen."""
    inventory = session.inventory
    if inventory.info is None:
        return Text(f" {session.sync.status.reason or 'connecting to the daemon'}")
    if failed := session.failures.unseen(inventory, session.project):
        job = failed[-1]
        whose = f" of {job.project}" if job.project else ""
        return Text(f" ✗ job {job.job}{whose} failed: J and Enter show why", "bold red")
    if session.project is not None:
        staged = inventory.staged_count(session.project)
        if staged:
            return Text(
                f" {staged} staged in {session.project}: a apply, z undo, D discard all", "bold"
            )
        return Text(f" nothing staged in {session.project}", "dim")
    parts = [(p, inventory.staged_count(p)) for p in sorted(inventory.projects)]
    staged_in = ", ".join(f"{n} in {p}" for p, n in parts if n)
    return Text(f" staged: {staged_in}", "bold") if staged_in else Text(" nothing staged", "dim")
