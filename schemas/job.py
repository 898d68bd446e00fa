"""Plans, and the jobs that apply them."""

from __future__ import annotations

from typing import Literal

import msgspec

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
JobKind = Literal["apply", "release", "site", "repair", "unshare", "prove"]
StepState = Literal[
    "pending", "sending", "sent", "done", "failed", "skipped", "cancelled", "interrupted"
]
FINAL_JOB_STATES = frozenset({"succeeded", "failed", "cancelled"})


class PlanStep(msgspec.Struct, frozen=True):
    """One step of a plan: a change on one device, and the exact lines that will be sent."""

    device: str
    kind: str
    target: str
    summary: str
    lines: tuple[str, ...]


MOST_STEPS = 5000
"""Steps in one answer. Those of 20,000 nodes would be 10 MB, and nobody reads them."""


class Plan(msgspec.Struct, frozen=True):
    """What an apply would do now. ``more``: how many steps follow those that are shown.

    ``warnings`` are sentences about networks whose places may not reach each other afterwards.
    """

    digest: str
    steps: tuple[PlanStep, ...]
    empty: bool
    more: int = 0
    warnings: tuple[str, ...] = ()


class Transcript(msgspec.Struct, frozen=True):
    """What a device was told in a job (after ``>``) and what it said. Secrets are replaced."""

    device: str
    time: str
    text: str


class Started(msgspec.Struct, frozen=True):
    """The job that was started."""

    job: int


class JobStep(msgspec.Struct, frozen=True):
    """One step of a job. ``message`` gives the reason if it failed."""

    step: int
    device: str
    kind: str
    target: str
    summary: str
    lines: tuple[str, ...]
    state: StepState
    message: str | None
    started: str | None
    finished: str | None


class HookRun(msgspec.Struct, frozen=True):
    """A run of the site's release command. ``outcome``: succeeded, or what went wrong."""

    node: str
    outcome: str
    output: str
    started: str
    finished: str


class Confirmation(msgspec.Struct, frozen=True):
    """How a job is confirmed that otherwise goes back ``seconds`` after its end, at ``until``.

    ``until`` is null before that; ``reverted_by`` is the job that took it back.
    """

    seconds: float
    state: Literal["waiting", "confirmed", "reverted"]
    until: str | None
    reverted_by: int | None


class Job(msgspec.Struct, frozen=True):
    """An apply, in progress or finished. ``done`` counts the steps that a device has confirmed.

    ``hook``, for admins: the release command that it ran. ``confirm``: whether it goes back.
    ``target``: the node or network that it applies, or the node whose cabling it proves; null for
    all of the project. ``more``: how many steps it has beside those that are shown; one that failed
    is shown before others.

    ``seq``, after ``job.subscribe``: this record includes all notifications up to this number.
    """

    job: int
    project: str | None
    kind: JobKind
    state: JobState
    user: str
    done: int
    total: int
    created: str
    started: str | None
    finished: str | None
    error: str | None
    steps: tuple[JobStep, ...]
    seq: int = 0
    hook: HookRun | None = None
    confirm: Confirmation | None = None
    target: str | None = None
    more: int = 0

    @property
    def under_way(self) -> bool:
        """True if it has not reached a final state."""
        return self.state not in FINAL_JOB_STATES
