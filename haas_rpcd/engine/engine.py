"""Composes what runs jobs and watches devices: the parts, and the order in which they start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence

from haas_rpcd.auth import DAEMON
from haas_rpcd.clock import Clock
from haas_rpcd.devicenames import (
    BMC,
    COPY,
    RESERVED_DEVICES,
    hypervisor_of,
    is_libvirt,
    libvirt_device,
)
from haas_rpcd.drivers import Driver
from haas_rpcd.engine import restored
from haas_rpcd.engine.attempts import Failure
from haas_rpcd.engine.cabling import CablingWatch, CanonicalPort
from haas_rpcd.engine.capacities import Capacities
from haas_rpcd.engine.closing import Closing
from haas_rpcd.engine.confirms import Confirms
from haas_rpcd.engine.contacts import Contacts, Reach
from haas_rpcd.engine.device_reads import DeviceReads
from haas_rpcd.engine.drift import CheckResult, DriftWatch
from haas_rpcd.engine.hosts import Hosts
from haas_rpcd.engine.images import Images
from haas_rpcd.engine.journal import Journal
from haas_rpcd.engine.late import LateChanges, Waiting
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.proofs import Act, Proofs
from haas_rpcd.engine.queues import JobQueues, Queue, queue_of
from haas_rpcd.engine.restarts import SwitchRestarts
from haas_rpcd.engine.retirement import Retirement
from haas_rpcd.engine.returning import Returning
from haas_rpcd.engine.run import JobRun, RunHook
from haas_rpcd.engine.settling import Settling
from haas_rpcd.engine.watching import HostWatch, Pace
from haas_rpcd.engine.worker import Worker
from haas_rpcd.engine.workers import Workers
from haas_rpcd.errors import RetiredError, StoreError
from haas_rpcd.events import Events
from haas_rpcd.model import Plan, Step
from haas_rpcd.registered import Probed, RegisteredSwitch
from haas_rpcd.store import jobs
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.jobs import JobRow
from haas_rpcd.store.scope import Scope
from haas_rpcd.tasks import cancel_and_wait, start_apart

log = logging.getLogger(__name__)


class Engine:
    """Runs the jobs in the journal, and reads devices.

    ``idle_timeout``: seconds after which an unused session on a switch is closed.
    ``settle_timeout``: seconds after which a line that was not answered has no effect any more.
    ``repair_restarted``: repair a switch by a job of its own after it restarted.
    ``restart_headnodes``: start the headnodes that ran before a hypervisor was rebooted.
    ``images``: those that headnodes may be cloned from. ``hook`` runs the site's release command,
    None if there is none. ``canonical_port`` knows how a dialect names ports. ``act`` carries out
    power actions for proofs of cabling, which listen ``proof_patience`` seconds to each port.
    """

    def __init__(
        self,
        store: Store,
        events: Events,
        planning: Planning,
        *,
        idle_timeout: float = 0.0,
        settle_timeout: float = 600.0,
        repair_restarted: bool = True,
        restart_headnodes: bool = True,
        images: Sequence[str] = (),
        clock: Clock | None = None,
        hook: RunHook | None = None,
        reach: Reach | None = None,
        pace: Pace | None = None,
        canonical_port: CanonicalPort = lambda dialect, port: port,
        act: Act | None = None,
        proof_patience: float = 120.0,
    ) -> None:
        self._store = store
        self._events = events
        self._planning = planning
        self._idle_timeout = idle_timeout
        self._repair_restarted = repair_restarted
        self._clock = clock or Clock()
        self._hook = hook
        self._ready = asyncio.Event()
        """Set once the master is restored: jobs wait for that."""
        self.jobs = JobQueues(
            store,
            events,
            self._clock,
            ready=self._ready,
            make_run=self._make_run,
            before=self._before_job,
            stored=self._job_stored,
            after=self._job_ended,
        )
        self._confirms = Confirms(store, events, self._clock, self.jobs.enqueue)
        self.contacts = Contacts(store, events, self._clock, reach)
        self._workers = Workers(self._make_worker)
        self._retirement = Retirement(store, events, planning, self._clock)
        self._late = LateChanges(store, settle_timeout, Closing(store, events, self._clock))
        self._reads = DeviceReads(store, planning)
        self._drift = DriftWatch(
            store, events, planning, self._workers.of, self._late, self._clock, self._reads
        )
        self.cabling = CablingWatch(store, events, self._workers.of, canonical_port, self._clock)
        self._proofs = Proofs(
            store, events, planning, self.cabling, act, self._clock, patience=proof_patience
        )
        self._restarts = SwitchRestarts(
            store, events, self._clock, self._reads.compare, self._drift.record, self._restarted
        )
        self._restart_headnodes = restart_headnodes
        self._pace = pace or Pace()
        self.hosts = Hosts(self._make_watch, self._workers.interrupt, planning.leave)
        self.returning = Returning(store, events, planning, self.hosts, self._drift)
        self.capacities = Capacities(self._workers.of, images)
        self.images = Images(lambda device: store.read(planning.host_driver, device))
        self._settling = Settling(store, self._late, self._drift, self._start)
        self._other_tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    # --- for the methods --------------------------------------------------------------------------

    def show_plan(
        self, tx: Tx, scope: Scope, most: int, device: str | None = None
    ) -> tuple[Plan, list[tuple[Step, list[str]]], int]:
        """Return the plan of a scope, its first ``most`` steps with their lines, and how many more.

        With a ``device``, only its steps are returned. The plan is remembered: if it is applied
        later, but has changed by then, the error says how. Raises UnavailableError if a step's
        device cannot be used at all.
        """
        plan = self._planning.plan(tx, scope)
        wanted = [step for step in plan.steps if device in (None, step.device)]
        shown = wanted[:most]
        # A line may be shared by all that a phase does on a device, so these are rendered whole.
        devices = {step.device for step in shown}
        rendered = self._planning.render(tx, [step for step in wanted if step.device in devices])
        kept = {id(step) for step in shown}
        self._planning.remember(plan)
        lines = [each for each in rendered if id(each[0]) in kept]
        return plan, lines, len(wanted) - len(shown)

    def check_plan(self, tx: Tx, scope: Scope, digest: str | None) -> None:
        """Check that a scope can be applied, and that its plan has this digest, if one is given.

        Raises StalePlanError, UnavailableError.
        """
        plan = self._planning.plan(tx, scope)
        self._planning.check(digest, plan)
        self._planning.check_devices(tx, plan.steps)

    async def check_drift(self, switch: str | None) -> CheckResult:
        """Read a switch, or all devices, and record what differs from what was applied."""
        return await self._drift.check(switch)

    async def take_back_unconfirmed(self) -> None:
        """Take back now what was not confirmed in time; this is done regularly anyway."""
        await self._confirms.check()

    async def probe(self, switch: str) -> Probed:
        """Log in to a registered switch and return what it reports. Raises HaasError."""
        return await self._workers.of(switch).read(lambda driver: driver.probe())

    async def probe_address(self, switch: RegisteredSwitch) -> Probed:
        """Log in to a switch that is not registered yet, and return what it reports.

        Raises HaasError.
        """
        driver = self._planning.switch_driver(switch)
        try:
            await driver.open(lambda line: None)
            return await driver.probe()
        finally:
            await driver.close()

    def retired(self, switch: str) -> None:
        """Stop waiting for a switch that was just retired."""
        self._start(self._workers.interrupt(switch, RetiredError(switch)), f"retire {switch}")

    async def reinstate(self, switch: str) -> None:
        """Park and read a retired switch, and take it back. Raises HaasError."""
        await self._retirement.reinstate(switch)
        await self._settling.settle_all()
        await self._drift.check(switch)

    # --- starting and stopping --------------------------------------------------------------------

    async def recover(self) -> None:
        """Read the master's devices, then resume what an earlier daemon left queued or running.

        No job runs before what a reboot of the master took away is restored. If a backup was
        restored, what the devices have counts: see :meth:`take_over_restored`.
        """
        await self.contacts.load()
        self.hosts.load(await self._store.read(self._planning.hypervisors))
        for sentence in await self.take_over_restored():
            log.warning("after the restore: %s", sentence)
        await self.hosts.read_at_start()
        for job in await self._store.read(jobs.unfinished):
            log.info("picking up job %d (%s)", job.id, job.state)
            self.jobs.enqueue(job.id, queue_of(job))
        await self._settling.settle_all()
        self._start(self._begin(), "restore the master")
        self._start(self._confirms.run(), "confirms")

    async def take_over_restored(self) -> list[str]:
        """Compare a database that was restored with all devices; return what differs.

        Nothing is done if that was done before.
        """
        return await restored.take_over(
            self._store, self._planning, self._reads, self._workers.of, self._clock.wall()
        )

    async def _begin(self) -> None:
        """Restore the master, and let the jobs run."""
        try:
            await self.hosts.begin()
        finally:
            self._ready.set()

    def check_regularly(self, interval: float) -> None:
        """Check everything for drift every ``interval`` seconds from now on."""
        self._start(self._drift.check_regularly(interval), "drift")

    def sees(self, device: str) -> bool | None:
        """Return whether a device of a hypervisor answers; None if it is not in service."""
        return self.hosts.sees(device)

    @property
    def not_restored(self) -> list[Failure]:
        """What hypervisors lost and could not be restored yet; that of the master is the first."""
        return self.hosts.failures

    async def check_reachable(self) -> None:
        """See now which switches answer, without logging in."""
        await self.contacts.check()

    def check_reachable_regularly(self, interval: float) -> None:
        """See every ``interval`` seconds whether switches answer that nobody has talked to."""
        self._start(self.contacts.check_regularly(interval), "contacts")

    async def finish(self, within: float) -> None:
        """Begin nothing new, and give the jobs that run so many seconds to end."""
        self._stopped = True
        await self.jobs.finish(within)

    async def stop(self) -> None:
        """Stop at once. The journal has what is under way, for the next start."""
        self._stopped = True
        await self.jobs.stop()
        await cancel_and_wait(*self._other_tasks)
        await self.hosts.stop()
        await self._workers.stop()
        await self.jobs.stop_writing()

    def _start(self, coroutine: Coroutine[None, None, None], name: str) -> None:
        if self._stopped:
            coroutine.close()
            return
        task = start_apart(coroutine, name)
        self._other_tasks.add(task)
        task.add_done_callback(self._other_tasks.discard)

    # --- after a switch fell silent ---------------------------------------------------------------

    def waiting(self, tx: Tx, node_ids: Sequence[int]) -> dict[int, Waiting]:
        """Return which nodes are not free because a switch fell silent, by their ids."""
        return self._late.waiting(tx, node_ids)

    # --- after a restart --------------------------------------------------------------------------

    async def _restore(self, device: str) -> str | None:
        """Run a job that restores what a hypervisor lost; return why it failed."""
        if self._stopped:
            return None
        job_id = await self._enqueue_repair(device, hypervisor_of(device))
        self._events.publish_inventory("job", "queued", str(job_id), admins_only=True)
        await self.jobs.wait(job_id)
        job = await self._store.read(jobs.find, job_id)
        job = None if job is None else self.jobs.now(job)
        if job is None or job.state == "succeeded":
            return None
        return job.error or f"Job {job_id} {job.state}."

    async def _session_opened(self, switch: str, driver: Driver) -> None:
        """Check a switch in a new session, before anything else uses it. Raises DeviceError."""
        if switch in self.hosts:
            return
        up = await self._restarts.session_opened(switch, driver)
        await self._drift.session_opened(switch, driver, up)

    def _restarted(self, switch: str) -> None:
        """Restore what a restarted switch lost, by a job of its own."""
        self._workers.of(switch).restarts += 1
        if self._repair_restarted:
            self._start(self._repair(switch), f"repair {switch}")

    async def _repair(self, switch: str) -> None:
        await self._enqueue_repair(switch, None)

    async def _enqueue_repair(self, device: str, queue: Queue) -> int:
        def create(tx: Tx) -> int:
            now = self._clock.wall()
            return jobs.create_repair(tx, user=DAEMON.user, now=now, switch=device)

        job_id = await self._store.write(create)
        self.jobs.enqueue(job_id, queue)
        return job_id

    # --- for jobs ---------------------------------------------------------------------------------

    def _make_run(self, job: JobRow, journal: Journal, cancelling: bool) -> JobRun:
        return JobRun(
            job,
            store=self._store,
            planning=self._planning,
            journal=journal,
            worker=self._workers.of,
            repair=self._drift.repair_steps,
            late=self._late,
            prove=self._proofs.run,
            provide_images=self.images.provide,
            hook=self._hook,
            cancelling=cancelling,
        )

    async def _before_job(self, job: JobRow) -> None:
        if not job.restores:
            await self.hosts.settle()

    async def _job_stored(self, job: JobRow) -> None:
        if job.proves is not None:
            await self._proof_ended(job)
        try:
            await self._confirms.job_ended(job.id)
        except StoreError as failure:  # it is looked for again
            log.error("job %d can't be taken back yet: %s", job.id, failure.message)

    async def _job_ended(self, job: JobRow) -> None:
        if not job.restores:
            self.hosts.job_ended()
        try:
            await self._settling.settle_all()
        except StoreError as failure:  # the next job that ends tries again
            log.error("silent switches can't be checked yet: %s", failure.message)

    def _make_watch(self, hypervisor: str) -> HostWatch:
        return HostWatch(
            hypervisor,
            self._store,
            self._drift,
            lambda device: self._store.read(self._planning.host_driver, device),
            self._restore,
            lambda: self._workers.of(libvirt_device(hypervisor)).at_rest(),
            self._clock,
            self.capacities.read,
            restart_headnodes=self._restart_headnodes,
            pace=self._pace,
        )

    async def _proof_ended(self, job: JobRow) -> None:
        try:
            again = await self._proofs.ended(job)
        except StoreError as failure:  # the plan of the site has its ports
            log.error("what job %d took can't be given back yet: %s", job.id, failure.message)
        else:
            if again is not None:
                self.jobs.enqueue(again, queue_of(job))

    def _make_worker(self, device: str) -> Worker:
        host = device in RESERVED_DEVICES or is_libvirt(device) or device in self.hosts
        switch = not host and not device.startswith((BMC, COPY))
        return Worker(
            device,
            lambda: self._store.read(self._planning.driver, device),
            idle_timeout=self._idle_timeout if switch else 0.0,
            on_open=self._session_opened if switch else None,
            note=self.contacts.note if switch else None,
        )
