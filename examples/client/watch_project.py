"""Print what happens in a project, and the progress of its jobs, until interrupted.

    python examples/client/watch_project.py PROJECT

A program for the asynchronous client: it follows any number of jobs at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

from haas_console.client import AsyncClient, HaasError


async def follow(haas: AsyncClient, job: int) -> None:
    """Print each step of a job as it ends."""
    async for event in haas.job_events(job):
        if event.step is not None and event.step.state in ("done", "failed"):
            print(f"  job {job} [{event.done}/{event.total}] {event.step.summary}", flush=True)


async def watch(project: str) -> None:
    """Print the events of a project."""
    async with await AsyncClient.connect() as haas, asyncio.TaskGroup() as jobs:
        async for event in haas.events():
            if event.project != project and event.name != project:
                continue
            print(f"{event.noun} {event.name}: {event.verb}", flush=True)
            if event.noun == "job" and event.verb == "queued":
                jobs.create_task(follow(haas, int(event.name)))


if __name__ == "__main__":
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(watch(sys.argv[1]))
    except* HaasError as errors:
        sys.exit(str(errors.exceptions[0]))
