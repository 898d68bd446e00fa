"""Queues jobs, one at a time in a project and projects side by side, and brings each to its end."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from haas_rpcd import logs
from haas_rpcd.clock import Clock
from haas_rpcd.devicenames import hypervisor_of
from haas_rpcd.engine.endings import Ending, Endings
from haas_rpcd.engine.journal import Journal
from haas_rpcd.engine.run import JobRun
from haas_rpcd.errors import ConflictError, NotFoundError, StoreError
from haas_rpcd.events import Events
from haas_rpcd.store import jobs
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.jobs import JobRow, ProofQueue
from haas_rpcd.tasks import cancel_and_wait, start_apart
from haas_schemas.job import FINAL_JOB_STATES, JobState

log = logging.getLogger(__name__)

_STORE_AGAIN = 1.0
"""Seconds after which a store that failed is asked again for the next job."""

_FAILED = "The daemon failed; its log has the details. Apply again."

Queue = int | str | ProofQueue | None
"""A project's id; the name of a hypervisor, for the jobs that restore it; the proofs of a node's
cabling; or None for the site."""


class JobQueues:
    """The queued and running jobs.

    No job but those that restore hypervisors runs before ``ready`` is set. ``make_run`` creates the
    run of a job that is already to be cancelled, or not. ``before`` is awaited before each run,
    ``stored`` when the store has the end of a job, and ``after`` when all have been told of it.
    """

    def __init__(
        self,
        store: Store,
        events: Events,
        clock: Clock,
        *,
        ready: asyncio.Event,
        make_run: Callable[[JobRow, Journal, bool], JobRun],
        before: Callable[[JobRow], Awaitable[None]],
        stored: Callable[[JobRow], Awaitable[None]],
        after: Callable[[JobRow], Awaitable[None]],
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._ready = ready
        self._make_run = make_run
        self._before = before
        self._stored = stored
        self._after = after
        self._endings = Endings(store)
        self._queues: dict[Queue, deque[int]] = {}
        """The numbers of the queued jobs."""
        self._tasks: dict[Queue, asyncio.Task[None]] = {}
        self._running: dict[int, JobRun] = {}
        self._cancelled: set[int] = set()
        """Jobs that were cancelled between their queue and their run."""
        self._ended: dict[int, asyncio.Event] = {}
        self._stopped = False

    def enqueue(self, job_id: int, of: Queue) -> None:
        """Queue a job that was just added to the journal, behind the others of its queue."""
        if self._stopped:
            return  # the journal has it for the next start
        self._queues.setdefault(of, deque()).append(job_id)
        self._ended.setdefault(job_id, asyncio.Event())
        task = self._tasks.get(of)
        if task is None or task.done():
            self._tasks[of] = start_apart(self._run_queue(of), f"jobs of {of or 'the site'}")

    def now(self, row: JobRow) -> JobRow:
        """Return a job's present state: its row in the store may not say yet that it has ended."""
        return self._endings.now(row)

    async def wait(self, job_id: int, timeout: float | None = None) -> None:
        """Return when a job has ended, or after ``timeout`` seconds."""
        ended = self._ended.get(job_id)
        if ended is None:
            return
        try:
            async with asyncio.timeout(timeout):
                await ended.wait()
        except TimeoutError:
            return

    async def cancel(self, job_id: int, *, force: bool = False) -> None:
        """Stop a job before its next step; a queued one ends at once.

        ``force``: a running one ends at once as well, whatever it waits for.

        Raises NotFoundError, ConflictError if it has ended, and StoreError.
        """

        run = self._running.get(job_id)

        def request(tx: Tx) -> JobRow:
            job = jobs.find(tx, job_id)
            if job is None:
                raise NotFoundError(f"There is no job {job_id}.")
            job = self.now(job)
            if run is not None and job.state == "cancelled":
                return job  # by us, and it has ended meanwhile
            if job.state in FINAL_JOB_STATES:
                raise ConflictError(f"Job {job_id} has ended already: it {_has(job.state)}.")
            jobs.cancel(tx, job_id)
            return job

        if run is not None:
            run.cancel()  # at once: the store may not answer
        try:
            job = await self._store.write(request)
        except StoreError:
            if run is None:
                raise
            log.warning("that job %d is cancelled could not be stored", job_id)
        if run is not None:
            if force:
                run.give_up()
            return
        queue = next((queue for queue in self._queues.values() if job_id in queue), None)
        if queue is None:
            self._cancelled.add(job_id)  # it is just being taken out of the journal
            return
        queue.remove(job_id)
        await self._finish(job, "cancelled", "Cancelled before it began; all is still staged.")

    async def finish(self, within: float) -> None:
        """Begin no more jobs, and give the running ones so many seconds to end."""
        self._stopped = True
        running = list(self._running)
        if running and within:
            log.info("waiting up to %g s for jobs to end: %s", within, ", ".join(map(str, running)))
            await asyncio.gather(*(self.wait(job_id, within) for job_id in running))
        for job_id in self._running:
            log.warning("job %d is not at its end: it is planned again at the next start", job_id)

    async def stop(self) -> None:
        """Stop at once. The journal has what is under way, for the next start."""
        self._stopped = True
        await cancel_and_wait(*self._tasks.values())

    async def stop_writing(self) -> None:
        """Stop trying to write how jobs ended."""
        await self._endings.stop()

    # --- running ----------------------------------------------------------------------------------

    async def _run_queue(self, of: Queue) -> None:
        queue = self._queues[of]
        if not isinstance(of, str):
            await self._ready.wait()
        while queue and not self._stopped:
            job_id = queue[0]
            try:
                job = await self._store.read(jobs.find, job_id)
            except StoreError as error:
                log.error("job %d waits for the store: %s", job_id, error.message)
                await asyncio.sleep(_STORE_AGAIN)
                continue
            if not queue or queue[0] != job_id:  # cancelled meanwhile
                continue
            queue.popleft()
            if job is not None:
                with logs.about(job=job_id):
                    await self._run_safely(job)

    async def _run_safely(self, job: JobRow) -> None:
        try:
            await self._run(job)
        except Exception:  # a bug must end neither the queue nor the waiting for this job
            log.exception("job %d could not be run to its end", job.id)
            await self._endings.write(job.id, Ending("failed", _FAILED, self._clock.wall()))
            self._ended.pop(job.id, asyncio.Event()).set()

    async def _run(self, job: JobRow) -> None:
        await self._before(job)
        job_id = job.id
        journal = Journal(self._store, self._events, job_id, job.project_id, repairs=job.repairs)
        run = self._make_run(job, journal, job.cancelling or job_id in self._cancelled)
        self._running[job_id] = run
        state: JobState
        error: str | None
        try:
            state, error = await run.run_or_give_up()
        except StoreError as failure:
            state = "failed"
            error = f"{failure.message} What was being sent is not known: apply again after that."
        except Exception:  # a bug must end this job, not the queue
            log.exception("job %d failed unexpectedly", job_id)
            state, error = "failed", _FAILED
        finally:
            del self._running[job_id]
            self._cancelled.discard(job_id)
        await self._finish(job, state, error, journal)

    async def _finish(
        self, job: JobRow, state: JobState, error: str | None, journal: Journal | None = None
    ) -> None:
        """End a job: for whoever waits at once, in the store as soon as it answers."""
        if await self._endings.write(job.id, Ending(state, error, self._clock.wall())):
            await self._stored(job)
        journal = journal or Journal(self._store, self._events, job.id, job.project_id)
        log.log(
            logging.WARNING if state == "failed" else logging.INFO,
            "job %d (%s of %s, by %s) %s%s",
            job.id,
            job.shown_kind,
            job.project or "the site",
            job.user,
            state,
            f": {error}" if error else f", {journal.done} of {journal.total} steps done",
        )
        journal.publish_state(state, error)
        self._events.publish_inventory(
            "job", state, str(job.id), job.project, admins_only=job.project is None
        )
        self._ended.pop(job.id, asyncio.Event()).set()
        await self._after(job)


def _has(state: JobState) -> str:
    return "was cancelled" if state == "cancelled" else state


def queue_of(job: JobRow) -> Queue:
    """Return the queue in which a job waits its turn.

    A proof has its node's own: it takes minutes, and changes only ports that nobody else may change
    meanwhile.
    """
    if job.proves is not None:
        return ProofQueue(job.proves)
    restored = hypervisor_of(job.repair_switch or "") if job.restores else None
    return job.project_id if restored is None else restored
