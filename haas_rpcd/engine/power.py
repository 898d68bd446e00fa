"""Switches nodes on and off through their BMCs, and knows whether they are on.

Nothing is believed that a BMC only accepted: its node's power is read until it is as asked for, or
the time for that is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from haas_rpcd import patience
from haas_rpcd.bmc import BmcConnector, BmcSession, BmcSettings, RegisteredBmc
from haas_rpcd.clock import Clock
from haas_rpcd.errors import ConflictError, DeviceError, HaasError
from haas_rpcd.events import Events
from haas_rpcd.store import bmcs, nodes
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.tasks import log_failure
from haas_schemas.bmc import BootDevice, PowerAction, PowerState

log = logging.getLogger(__name__)

_POLL = 1.0
"""Seconds between two reads of a node's power. A BMC is slow to answer anyway."""

_STILL_KNOWN = ("refused", "mismatch")
"""Reasons of errors after which a node is as it was last read: its BMC answers."""

Check = Callable[[Tx], object]
"""Raises HaasError if an action may not be carried out. It is called right before."""


def anybody(tx: Tx) -> None:
    """A :data:`Check` for what the daemon does of its own accord."""


class Power:
    """Carries out power actions: one at a time on each node, a bounded number side by side.

    ``settings`` and ``connector`` may change between two actions.
    """

    def __init__(
        self,
        store: Store,
        events: Events,
        connector: BmcConnector,
        settings: BmcSettings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._events = events
        self.connector = connector
        self.settings = settings
        self._clock = clock
        self._slots = asyncio.Semaphore(settings.parallel)
        self._locks: dict[str, asyncio.Lock] = {}
        self._waiting: Counter[str] = Counter()
        self._turns: Counter[str] = Counter()
        self._silent: dict[str, str] = {}

    @property
    def silent(self) -> Mapping[str, str]:
        """By node: what failed when its BMC was last asked, in words for admins."""
        return self._silent

    def busy(self, node: str) -> bool:
        """Return whether an action on a node is under way or waits. Reads do not count."""
        return node in self._waiting

    async def act(
        self,
        node: str,
        action: PowerAction,
        boot: BootDevice | None = None,
        *,
        check: Check = anybody,
    ) -> PowerState:
        """Carry out an action on a node and return its power then, as its BMC says.

        ``on``, ``off``: nothing is sent if the node is that already. ``cycle``: off, then on.
        ``reset``: only a node that is on. ``boot``: what the node boots
        from next, once.

        Raises ConflictError if the node has no BMC, or a tenant's network has it; DeviceError,
        UnavailableError, and whatever ``check`` raises.
        """
        self._waiting[node] += 1
        try:
            async with self._turn(node):
                power = await self._act(node, action, boot, check)
        finally:
            self._waiting[node] -= 1
            if not self._waiting[node]:
                del self._waiting[node]
        return power

    async def _act(
        self, node: str, action: PowerAction, boot: BootDevice | None, check: Check
    ) -> PowerState:
        """Carry out an action in the node's turn."""
        bmc = await self._store.read(self._admit, node, check)
        try:
            async with self.connector.open(bmc) as session:
                power = await self._carry_out(session, node, action, boot)
        except (DeviceError, asyncio.CancelledError) as error:
            if not isinstance(error, DeviceError) or error.reason not in _STILL_KNOWN:
                await self._record(node, None)
            if isinstance(error, DeviceError) and error.reason not in _STILL_KNOWN:
                self._silent[node] = error.message
            raise
        await self._record(node, power)
        return power

    async def fence(self, bmc: RegisteredBmc) -> None:
        """Switch a hypervisor off by its BMC; return once the BMC reports it off.

        Raises DeviceError, UnavailableError.
        """
        async with self._turn(bmc.show_command), self.connector.open(bmc) as session:
            if await session.power() == "off":
                return
            await session.switch("off")
            await self._until(session, bmc.node, "off", noun="hypervisor")

    # --- reading regularly ------------------------------------------------------------------------

    async def read_regularly(self, interval: float) -> None:
        """Read the power of all nodes every ``interval`` seconds, for ever."""
        while True:
            await asyncio.sleep(interval)
            try:
                await self.read_all()
            except Exception as error:  # noqa: BLE001 - it must not end the reads
                log_failure("the power of nodes could not be read", error)

    async def read_all(self) -> None:
        """Ask each BMC whether its node is on.

        At most a quarter of the BMCs that may be talked to at a time: users do not wait for it.
        """
        few = asyncio.Semaphore(max(1, self.settings.parallel // 4))

        async def one(node: str) -> None:
            async with few:
                await self.read(node)

        nodes = await self._store.read(bmcs.nodes)
        self._silent = {node: why for node, why in self._silent.items() if node in nodes}
        async with asyncio.TaskGroup() as group:
            for node in nodes:
                group.create_task(one(node))

    async def read(self, node: str) -> None:
        """Ask the BMC of a node whether that is on, unless an action is under way.

        A BMC that a tenant's network has, or may have, is not asked: the node's power is not known.
        """
        if self.busy(node):
            return
        try:
            async with self._turn(node):
                bmc = await self._store.read(self._admit, node, anybody)
                async with self.connector.open(bmc) as session:
                    power = await session.power()
        except ConflictError:
            self._silent.pop(node, None)
            await self._record(node, None)
        except HaasError as error:
            log.info("%s's BMC: %s", node, error.message)
            self._silent[node] = error.message
            await self._record(node, None)
        else:
            await self._record(node, power)

    def _admit(self, tx: Tx, node: str, check: Check) -> RegisteredBmc:
        check(tx)
        return registered(tx, node)

    @asynccontextmanager
    async def _turn(self, node: str) -> AsyncIterator[None]:
        """Wait for the node's turn. Its lock comes first, so that nobody holds a slot for it."""
        lock = self._locks.setdefault(node, asyncio.Lock())
        self._turns[node] += 1
        try:
            async with lock, self._slots:
                yield
        finally:
            self._turns[node] -= 1
            if not self._turns[node]:
                del self._turns[node], self._locks[node]

    async def _carry_out(
        self, session: BmcSession, node: str, action: PowerAction, boot: BootDevice | None
    ) -> PowerState:
        before = await session.power()
        await self._record(node, before)
        if action == "status":
            return before
        if action == "reset" and before == "off":
            raise ConflictError(
                f"Node {node} is off, so it can't be reset: switch it on with  node power {node} on"
            )
        if boot is not None:
            await session.boot_from(boot)
        if action == "reset":
            await session.reset()
            await self._until(session, node, "on")
        if action in ("off", "cycle") and before == "on":
            await session.switch("off")
            await self._until(session, node, "off")
            await self._record(node, "off")
        if action == "cycle":
            await asyncio.sleep(self.settings.off_time)
        if action == "cycle" or (action == "on" and before == "off"):
            await session.switch("on")
            await self._until(session, node, "on")
        return "off" if action == "off" else "on"

    async def _until(
        self, session: BmcSession, node: str, wanted: PowerState, *, noun: str = "node"
    ) -> None:
        """Wait until the node is on, or off. Raises DeviceError ``mismatch`` if it stays."""
        limit = self.settings.settle_timeout
        with patience.counting():
            begun = patience.now()
            while True:
                left = begun + limit - patience.now()  # before the question: it may take long
                if (power := await session.power()) == wanted:
                    return
                if noun == "node":
                    await self._record(node, power)
                if left <= 0:
                    raise DeviceError(
                        f"{node}'s BMC accepted power {wanted}, but the {noun} is still {power}"
                        f" after {limit:g} s.",
                        reason="mismatch",
                    )
                await asyncio.sleep(min(_POLL, left))

    async def _record(self, node: str, power: PowerState | None) -> None:
        """Store the power of a node (None: not known); publish it if it changed."""
        if power is not None:
            self._silent.pop(node, None)
        now = self._clock.wall()

        def write(tx: Tx) -> str | None:
            if not bmcs.set_power(tx, node, power, now):
                return None
            row = nodes.find(tx, node)
            holder = row.project if row else None
            tx.after_commit.append(
                lambda: self._events.publish_inventory(
                    "node", "changed", node, holder, admins_only=holder is None
                )
            )
            return holder

        await self._store.write(write)


def registered(tx: Tx, node: str) -> RegisteredBmc:
    """Return the BMC of a node. Raises ConflictError if it has none, or a tenant has it."""
    row = nodes.find(tx, node)
    found = bmcs.find(tx, row.id) if row else None
    if row is None or found is None:
        raise ConflictError(
            f"Node {node} has no BMC that HaaS knows: an admin registers it with  bmc set {node}"
        )
    if (at := bmcs.on_network(tx, row.id)) is not None:
        network = at.network.removeprefix(f"{row.project}/")
        raise ConflictError(
            f"The power of node {node} is its holder's own affair now: its nic {at.nic} is on"
            f" network {network}, so only what is there reaches its BMC. Use the BMC from there, or"
            f" take it off with  nic disconnect {node} {at.nic}  and apply."
        )
    return found.registered
