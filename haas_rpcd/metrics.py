"""``/metrics`` for Prometheus and ``/healthz``, on an address of their own: ``[metrics] listen``.

They hold names of switches, of hypervisors and of methods, and counts; no name of a tenant, and no
secret. Whoever can connect can read them, so the address is a loopback one unless the site says
otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import get_args

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from haas_rpcd.config import ConfigError
from haas_rpcd.events import Events
from haas_rpcd.listen import listen_address
from haas_rpcd.methods.call import Context
from haas_rpcd.methods.health import examine, store_health
from haas_schemas.cabling import CablingState
from haas_schemas.event import JobEvent, StepUpdate
from haas_schemas.system import CablingHealth, PowerHealth, SystemHealth

ENDED = frozenset({"done", "failed", "skipped", "cancelled"})


class Metrics:
    """Counts what happens, and serves the counts."""

    def __init__(self, context: Context, listen: str) -> None:
        self._context = context
        self._listen = listen
        self._runner: web.AppRunner | None = None
        self._begun: dict[tuple[int, int], float] = {}
        registry = self._registry = CollectorRegistry()
        self._rpc = Histogram(
            "haas_rpc_seconds", "Time that calls took.", ["method"], registry=registry
        )
        self._steps = Counter(
            "haas_steps", "Steps that ended, by device and state.", ["device", "state"],
            registry=registry,
        )  # fmt: skip
        self._step_time = Histogram(
            "haas_step_seconds", "Time from sending a step to its end.", ["device"],
            registry=registry, buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
        )  # fmt: skip
        self._lines = Counter(
            "haas_lines", "Lines sent to devices in jobs.", ["device"], registry=registry
        )
        self._jobs_ended = Counter("haas_jobs", "Jobs that ended.", ["state"], registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"haas_{name}", text, labels, registry=registry)

        self._healthy = gauge("healthy", "1 if system.health finds no problem.")
        self._reachable = gauge("switch_reachable", "1 if the switch answers.", "switch")
        self._contact = gauge(
            "switch_last_contact_timestamp_seconds", "When the switch last answered.", "switch"
        )
        self._cables = gauge("cabling_nics", "Nics, by what the last check found.", "state")
        self._alarms = gauge("cabling_alarms", "Nics and trunks not cabled as registered.")
        self._cables_read = gauge(
            "cabling_check_timestamp_seconds", "When the switch's MAC table was read.", "switch"
        )
        self._power = gauge("node_power", "Nodes with a BMC, by their power.", "power")
        self._bmcs_silent = gauge("bmcs_silent", "BMCs that failed when they were asked last.")
        self._host_up = gauge(
            "hypervisor_up", "1 if the hypervisor's libvirt or network answers.",
            "hypervisor", "device",
        )  # fmt: skip
        self._hosts = {
            name: gauge(f"hypervisor_{name}", text, "hypervisor")
            for name, text in (
                ("headnodes", "Headnodes that are on it, or are to be."),
                ("images", "Base images that it has."),
                ("images_copying", "Base images that are copied there now."),
                ("memory_bytes", "All of its memory."),
                ("memory_free_bytes", "Its memory that nobody uses now."),
            )
        }
        self._queue = gauge("jobs_under_way", "Jobs that have not ended.", "state")
        self._oldest = gauge("oldest_job_timestamp_seconds", "When the oldest was requested.")
        self._drift = gauge("drift", "Targets that are known to have drifted.")
        self._store_size = gauge("store_bytes", "Size of the database.")
        self._disk_free = gauge("disk_free_bytes", "Free space on its disk.")
        self._backup = gauge("last_backup_timestamp_seconds", "When the newest backup was made.")
        self._copies = gauge(
            "copies_age_seconds",
            "How old the copies of the database are, or what a standby serves.",
            "role",
        )
        self._master = gauge("master_device_up", "1 if libvirt or the network answers.", "device")

    # --- counting ---------------------------------------------------------------------------------

    def follow(self, events: Events) -> None:
        """Count what jobs do from now on."""
        events.subscribe_all_jobs(self._job_event)

    @contextmanager
    def call(self, method: str) -> Iterator[None]:
        """Measure a call of a method that there is."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._rpc.labels(method).observe(time.perf_counter() - begun)

    def _job_event(self, event: JobEvent) -> None:
        if event.step is not None:
            self._step(event.job, event.step)
        elif event.state in ("succeeded", "failed", "cancelled"):
            self._jobs_ended.labels(event.state).inc()

    def _step(self, job: int, step: StepUpdate) -> None:
        if step.bytes is not None:
            return  # nothing is sent yet: an image is copied
        if step.line is not None:
            self._lines.labels(step.device).inc()
        elif step.state == "sending":
            self._begun[job, step.step] = time.perf_counter()
        elif step.state in ENDED:
            self._steps.labels(step.device, step.state).inc()
            begun = self._begun.pop((job, step.step), None)
            if begun is not None:
                self._step_time.labels(step.device).observe(time.perf_counter() - begun)

    # --- serving ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen. Raises ConfigError."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        host, port = listen_address(self._listen)
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            raise ConfigError(
                f"[metrics] listen: {self._listen} can't be served ({error.strerror or error})."
            ) from None

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The addresses and ports that are listened on."""
        return [] if self._runner is None else [each[:2] for each in self._runner.addresses]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        self._set(await examine(self._context))
        return web.Response(
            body=generate_latest(self._registry),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def _healthz(self, request: web.Request) -> web.Response:
        """Answer 503 if the database does not work: all else can be down, and the daemon well."""
        store = await store_health(self._context, [])
        return web.json_response({"ok": store.ok}, status=200 if store.ok else 503)

    def _set(self, health: SystemHealth) -> None:
        self._healthy.set(health.ok)
        self._reachable.clear()
        self._contact.clear()
        self._cables_read.clear()
        for switch in health.switches:
            if switch.reachable is not None and not switch.retired:
                self._reachable.labels(switch.switch).set(switch.reachable)
            if (when := seconds(switch.last_contact)) is not None:
                self._contact.labels(switch.switch).set(when)
            if not switch.retired and (when := seconds(switch.cabling_checked)) is not None:
                self._cables_read.labels(switch.switch).set(when)
        cabling = health.cabling or CablingHealth()
        for state in get_args(CablingState):
            self._cables.labels(state).set(getattr(cabling, state))
        self._alarms.set(health.swapped + health.wrong_links)
        power = health.power or PowerHealth()
        for state in ("on", "off", "unknown"):
            self._power.labels(state).set(getattr(power, state))
        self._bmcs_silent.set(len(power.silent))
        self._set_hosts(health)
        self._queue.labels("queued").set(health.jobs.queued)
        self._queue.labels("running").set(health.jobs.running)
        self._oldest.set(seconds(health.jobs.oldest) or 0)
        self._drift.set(health.drift)
        self._store_size.set(health.store.size or 0)
        self._disk_free.set(health.store.free or 0)
        self._backup.set(seconds(health.last_backup) or 0)
        self._copies.clear()
        if health.ha is not None and health.ha.age is not None:
            self._copies.labels(health.ha.role).set(health.ha.age)
        for device, up in (("libvirt", health.libvirt), ("trunk", health.trunk)):
            if up is not None:
                self._master.labels(device).set(up)

    def _set_hosts(self, health: SystemHealth) -> None:
        for each in (self._host_up, *self._hosts.values()):
            each.clear()
        for host in health.hypervisors:
            for device, up in (("libvirt", host.libvirt), ("network", host.network)):
                if up is not None:
                    self._host_up.labels(host.hypervisor, device).set(up)
            figures = {
                "headnodes": host.headnodes,
                "images": len(host.images),
                "images_copying": len(host.copying),
                "memory_bytes": host.memory,
                "memory_free_bytes": host.free,
            }
            for name, figure in figures.items():
                if figure is not None:
                    self._hosts[name].labels(host.hypervisor).set(figure)


def seconds(stamp: str | None) -> float | None:
    """Return a time of the API in seconds since the epoch."""
    return datetime.fromisoformat(stamp).timestamp() if stamp else None
