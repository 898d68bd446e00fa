"""Jobs under way: a view that events keep current, and how to follow a job to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from haas_console.core.errors import JobFailedError
from haas_console.core.paging import Ask
from haas_console.core.times import seconds

if TYPE_CHECKING:  # importing it would import aiohttp, before the screen is painted
    from haas_console.core.client import Client

FINAL_STATES = frozenset({"succeeded", "failed", "cancelled"})
ENDED_STEPS = frozenset({"done", "failed", "skipped", "cancelled"})
_SILENCE = 15.0  # seconds without an event after which the record is fetched again


@dataclass(frozen=True)
class DeviceProgress:
    """One device's part of a job, in steps."""

    device: str
    done: int
    total: int
    failed: int
    current: str


@dataclass
class JobView:
    """A job, kept current by its record and its events. Times are in seconds since the epoch."""

    job: int
    state: str = "queued"
    done: int = 0
    total: int = 0
    error: str | None = None
    steps: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The steps by number, including what the events report."""
    record: dict[str, Any] = field(default_factory=dict)
    """The daemon's record of the job as it was last fetched; empty before."""
    begun: dict[int, float] = field(default_factory=dict)
    """When each step was first sent."""
    ended: dict[int, float] = field(default_factory=dict)
    """When each step ended."""
    seq: int = 0

    @property
    def final(self) -> bool:
        """The job has ended."""
        return self.state in FINAL_STATES

    @property
    def outdated(self) -> bool:
        """The record lacks what the job has planned, or how it has started or ended, since."""
        more = self.record.get("more", 0)
        unplanned = not more and any("lines" not in step for step in self.steps.values())
        ended_since = self.final and not self.record.get("finished")
        started_since = not self.final and self.state != self.record.get("state")
        unknown = self.total > len(self.steps) + more
        return unplanned or unknown or ended_since or started_since

    def replace(self, record: dict[str, Any]) -> None:
        """Take over the daemon's record of the job."""
        self.record = record
        self._take(record)
        self.seq = max(self.seq, record.get("seq", 0))
        self.steps = {step["step"]: step for step in record.get("steps", [])}
        for number, step in self.steps.items():
            for times, stamp in ((self.begun, "started"), (self.ended, "finished")):
                when = seconds(step.get(stamp))
                if when is not None:
                    times[number] = when

    def update(self, event: dict[str, Any]) -> None:
        """Take over one ``job.event``, unless the record is newer."""
        if event["seq"] <= self.seq:
            return
        self.seq = event["seq"]
        self._take(event)
        step = event.get("step")
        if step is None:
            return
        number = step["step"]
        self.steps[number] = {**self.steps.get(number, {}), **step}
        if step["state"] == "sending":
            self.begun.setdefault(number, time.time())
        elif step["state"] in ENDED_STEPS:
            self.ended.setdefault(number, time.time())

    def _take(self, source: dict[str, Any]) -> None:
        self.state, self.error = source["state"], source.get("error")
        self.done, self.total = source["done"], source["total"]

    def ended_steps(self) -> list[dict[str, Any]]:
        """The steps that have ended, in order."""
        return [s for _, s in sorted(self.steps.items()) if s["state"] in ENDED_STEPS]

    def devices(self) -> list[DeviceProgress]:
        """Each device's part, in the order of their first steps."""
        parts: dict[str, list[dict[str, Any]]] = {}
        for _, step in sorted(self.steps.items()):
            parts.setdefault(step["device"], []).append(step)
        return [_device(device, steps) for device, steps in parts.items()]


def _device(device: str, steps: list[dict[str, Any]]) -> DeviceProgress:
    underway = [step for step in steps if step["state"] in ("sending", "sent")]
    failed = [step for step in steps if step["state"] == "failed"]
    current = ""
    if failed:
        current = failed[0].get("message") or "failed"
    elif underway:
        current = underway[-1].get("line") or underway[-1]["summary"]
    done = sum(step["state"] == "done" for step in steps)
    return DeviceProgress(device, done, len(steps), len(failed), current)


async def follow(
    client: Client, job: int, *, call: Ask | None = None, poll: Ask | None = None
) -> AsyncGenerator[JobView, None]:
    """Yield the job's view, always the same object, after each change until the job has ended.

    ``call`` and ``poll`` make the calls, if not the client itself: to subscribe, and to fetch the
    record again. Raises LostDaemonError if the connection breaks, RpcError if the daemon refuses.
    """
    call = call or client.call
    poll = poll or client.call
    view = JobView(job)
    with client.notifications() as inbox:
        view.replace(await call("job.subscribe", {"job": job}))
        yield view
        while not view.final:
            try:
                async with asyncio.timeout(_SILENCE):
                    method, params = await inbox.get()
            except TimeoutError:
                # Nothing has happened, or the daemon dropped us as too slow.
                view.replace(await poll("job.show", {"job": job}))
                yield view
                continue
            if method == "job.event" and params.get("job") == job:
                view.update(params)
                if view.outdated:
                    view.replace(await poll("job.show", {"job": job}))
                yield view


def outcome(view: JobView) -> dict[str, Any]:
    """The record of a job that has ended; raises JobFailedError unless it succeeded."""
    if view.state != "succeeded":
        raise JobFailedError(view.record)
    return view.record
