"""Jobs as they go: a view of one that its events keep current, and how to follow it to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from haas_console.core.errors import JobFailedError

if TYPE_CHECKING:  # only a name here: the screen is painted before aiohttp is imported
    from haas_console.core.client import Client

FINAL_STATES = frozenset({"succeeded", "failed", "cancelled"})
ENDED_STEPS = frozenset({"done", "failed", "skipped", "cancelled"})
_QUIET = 15.0  # seconds without news after which the job is asked for


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
    """A job as now known: its record, and its steps by their numbers."""

    job: int
    state: str = "queued"
    done: int = 0
    total: int = 0
    error: str | None = None
    steps: dict[int, dict[str, Any]] = field(default_factory=dict)
    seq: int = 0

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINAL_STATES

    def replace(self, record: dict[str, Any]) -> None:
        """Take over the daemon's whole record of the job."""
        self._take(record)
        self.seq = max(self.seq, record.get("seq", 0))
        self.steps = {step["step"]: step for step in record.get("steps", [])}

    def update(self, event: dict[str, Any]) -> None:
        """Take over one ``job.event``, unless the record we have is younger."""
        if event["seq"] <= self.seq:
            return
        self.seq = event["seq"]
        self._take(event)
        news = event.get("step")
        if news is not None:
            # A job that was queued has planned only since: its steps are new to us.
            self.steps[news["step"]] = {**self.steps.get(news["step"], {}), **news}

    def _take(self, source: dict[str, Any]) -> None:
        self.state, self.error = source["state"], source.get("error")
        self.done, self.total = source["done"], source["total"]

    def ended(self) -> list[dict[str, Any]]:
        """The steps that are over, in the job's order."""
        return [s for _, s in sorted(self.steps.items()) if s["state"] in ENDED_STEPS]

    def devices(self) -> list[DeviceProgress]:
        """Each device's part, in the order in which the job first speaks of it."""
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


async def follow(client: Client, job: int) -> AsyncGenerator[JobView, None]:
    """Give the job's view, the same object each time, whenever there is news, up to its end.

    Raises LostDaemonError when the connection breaks, and RpcError when the daemon refuses.
    """
    view = JobView(job)
    with client.notifications() as inbox:
        view.replace(await client.call("job.subscribe", {"job": job}))
        yield view
        while not view.final:
            try:
                async with asyncio.timeout(_QUIET):
                    method, params = await inbox.get()
            except TimeoutError:
                # Nothing may have happened, or the daemon dropped us as too slow: ask.
                view.replace(await client.call("job.show", {"job": job}))
                yield view
                continue
            if method == "job.event" and params.get("job") == job:
                view.update(params)
                if view.total > len(view.steps):  # it was queued, and has planned only now
                    view.replace(await client.call("job.show", {"job": job}))
                yield view


async def outcome(client: Client, job: int) -> dict[str, Any]:
    """The record of a job that has ended; raises JobFailedError when it did not succeed."""
    record: dict[str, Any] = await client.call("job.show", {"job": job})
    if record["state"] != "succeeded":
        raise JobFailedError(record)
    return record
