"""What a method receives: the daemon's parts, the caller, and the transaction it runs in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from haas_rpcd.auth import Authenticator, Caller
from haas_rpcd.clock import Clock
from haas_rpcd.config import Settings
from haas_rpcd.consoles.consoles import Consoles
from haas_rpcd.engine.engine import Engine
from haas_rpcd.engine.leases import Leases
from haas_rpcd.engine.power import Power
from haas_rpcd.engine.queues import Queue
from haas_rpcd.events import Events
from haas_rpcd.methods.audited import Object, RefusalMeter
from haas_rpcd.registered import RegisteredHypervisor, RegisteredSwitch
from haas_rpcd.site import SiteSwitch
from haas_rpcd.store.database import Store, Tx
from haas_schemas.hypervisor import HypervisorTrust
from haas_schemas.switch import SwitchTrust
from haas_schemas.system import HaHealth, Standby

TrustHypervisor = Callable[[RegisteredHypervisor, str | None], Awaitable[HypervisorTrust]]


@dataclass
class Context:
    """The parts of the daemon that methods use. ``settings`` change when they are read again."""

    settings: Settings
    store: Store
    engine: Engine
    events: Events
    leases: Leases
    power: Power
    consoles: Consoles
    dialects: Mapping[str, frozenset[str]]
    """All dialects, and the options that each takes."""
    canonical_port: Callable[[str, str], str]
    """Returns a port's canonical name, given a dialect and any of its names. Raises ValueError."""
    channel_modes: Mapping[str, tuple[str, ...]]
    """How switches bundle ports, by the dialects of those that make channels."""
    channel_names: Callable[[str, Mapping[str, Any]], list[tuple[int, str]]]
    """Returns the numbers and names of channels that HaaS may make, by a switch's dialect and
    options. Raises ValueError."""
    declares_vlans: Callable[[str], bool]
    """Returns True if switches of a dialect list their VLANs apart from their ports."""
    reserved_vlans: Callable[[str], frozenset[int]]
    """Returns the VLANs that nobody can create on switches of a dialect."""
    trust: Callable[[RegisteredSwitch, str | None], Awaitable[SwitchTrust]]
    """Reads a switch's SSH host key, and trusts it if it has this fingerprint."""
    trust_hypervisor: TrustHypervisor | None
    """The same for a hypervisor's; None without a [master] table."""
    authenticator: Authenticator
    openrpc: Callable[[], dict[str, Any]]
    """Returns the OpenRPC document of the API."""
    clock: Clock
    started: float
    """When the daemon started: seconds since the boot, see :mod:`haas_rpcd.boottime`."""
    exported: Callable[[str, SiteSwitch], SiteSwitch]
    """Returns a switch as site.export writes it. A rehearsal restores the real address."""
    ha: Callable[[], HaHealth | None] = lambda: None
    """Returns which of two masters this is; None if it is alone."""
    standby: Callable[[], Standby | None] = lambda: None
    """Returns for whom this daemon stands by; None if it serves changes."""
    demo: bool = False
    refusals: RefusalMeter = field(default_factory=RefusalMeter)
    """Says which refused calls are recorded in the audit trail."""


class Subscriber(Protocol):
    """The WebSocket connection of a call, for the methods that subscribe it to notifications."""

    @property
    def seq(self) -> int:
        """The number of the last notification on this connection."""
        ...

    def subscribe_job(self, job: int, *, admin: bool) -> None:
        """Send ``job.event`` for this job from now on, with what devices say only to admins."""
        ...

    def subscribe_inventory(self, caller: Caller) -> None:
        """Send ``inventory.event`` for what the caller may see from now on."""
        ...


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call. Coroutine methods receive this; other methods receive a :class:`TxCall`."""

    context: Context
    caller: Caller
    subscriber: Subscriber | None = None
    """None if the call did not arrive over WebSocket."""
    affected: list[str] = field(default_factory=list)

    def affects(self, project: str | None) -> None:
        """Name the project that this call affects, for the audit trail, if no param does."""
        if project is not None:
            self.affected.append(project)


@dataclass(frozen=True, kw_only=True)
class TxCall(Call):
    """One call of a method that runs in one transaction."""

    tx: Tx
    objects: list[Object] = field(default_factory=list)
    """What the call changed, for the audit trail."""
    jobs: list[int] = field(default_factory=list)
    """The jobs that it started."""

    def changed(
        self,
        noun: str,
        verb: str,
        name: str,
        project: str | None = None,
        *,
        admins_only: bool = False,
    ) -> None:
        """Publish, after the commit, that something has changed."""
        owned = project is not None and noun in ("network", "headnode") and "/" not in name
        self.objects.append((noun, f"{project}/{name}" if owned else name))
        events = self.context.events
        self.tx.after_commit.append(
            lambda: events.publish_inventory(noun, verb, name, project, admins_only=admins_only)
        )

    def permissions_reduced(self, user: str, tokens: frozenset[int] | None = None) -> None:
        """Notify a user's connections, after the commit, that its permissions were reduced.

        With ``tokens`` (ids), only those connections that came in with one of them.
        """
        events = self.context.events
        self.tx.after_commit.append(lambda: events.permissions_reduced(user, tokens))

    def start_job(self, job: int, queue: Queue) -> None:
        """Hand a job in the journal to the engine, after the commit.

        ``queue``: the project's id, None for the site; see :data:`Queue`.
        """
        self.jobs.append(job)
        engine = self.context.engine
        self.tx.after_commit.append(lambda: engine.jobs.enqueue(job, queue))
