"""A small site: the real daemon and store, simulated switches, telnet over loopback."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from haas_rpcd.auth import Caller
from haas_rpcd.clock import Clock
from haas_rpcd.config import (
    Credential,
    Master,
    Server,
    Settings,
    StoreSettings,
    SwitchSettings,
    Vlans,
)
from haas_rpcd.daemon import Daemon
from haas_rpcd.demo.remotes import SimRemotes
from haas_rpcd.drivers.bmc.factory import BmcFactory
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.engine.watching import Pace
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke
from haas_rpcd.sim.bmcs import headnode_console
from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.host import SimHost
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver
from haas_rpcd.sim.ios import IosSwitch, gigabit
from haas_rpcd.sim.ios.state import Config
from haas_rpcd.store.database import Tx
from tests.rpc.watch import Watch
from tests.rpc.wire import Wire

NOTHING = Carried()
DATABASE = "haas.db"
QUICK = Pace(debounce=0.02, confirm=0.05, retry=0.05, slow_retry=0.05, blind_after=0.3)
"""The master is watched faster than in life, and in the same order."""
CREDENTIALS = {"lab": Credential(username="haas", password="s3cret", enable="en4ble")}


class RpcError(Exception):
    """An error response of the daemon."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: dict[str, Any] = error.get("data") or {}
        self.kind: str = self.data.get("kind", "")


@dataclass
class Tenant:
    """A user of the site. Calls skip the socket, which lets in OS users only."""

    site: SmallSite
    user: str

    async def call(self, method: str, **params: Any) -> Any:
        call = Call(context=self.site.daemon.context, caller=Caller(self.user, admin=False))
        return json.loads(json.dumps(await invoke(call, method, params)))


@dataclass
class SmallSite:
    """The daemon, the switches sw1 and sw2, four nodes with two nics each, and the master."""

    folder: Path
    settings: Settings
    credentials: dict[str, Credential] = field(default_factory=lambda: dict(CREDENTIALS))
    switches: dict[str, IosSwitch] = field(default_factory=dict)
    wires: dict[str, Wire] = field(default_factory=dict)
    host: SimHost = field(default_factory=SimHost)
    remotes: SimRemotes = field(default_factory=SimRemotes)
    clock: Clock = field(default_factory=Clock)
    pace: Pace = QUICK
    daemon: Daemon = None  # type: ignore[assignment]
    http: aiohttp.ClientSession = None  # type: ignore[assignment]
    watch: Watch = None  # type: ignore[assignment]

    # --- calls ---

    async def post(self, body: Any) -> tuple[int, str]:
        """Send a body unchanged; return the HTTP status and the text."""
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        async with self.http.post("http://haas/rpc", data=data) as response:
            return response.status, await response.text()

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method as an admin, over HTTP on the Unix socket."""
        _, text = await self.post({"jsonrpc": "2.0", "method": method, "params": params, "id": 1})
        answer = json.loads(text)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def tenant(self, user: str) -> Tenant:
        return Tenant(self, user)

    async def apply(self, project: str | None = None, **params: Any) -> dict[str, Any]:
        """Apply a project (or the site); return the finished job, whatever its state."""
        return await self.finished(await self.begin(project, **params))

    async def begin(self, project: str | None = None, **params: Any) -> int:
        """Start an apply; return its job's number."""
        started = await self.call("apply.start", project=project, **params)
        return int(started["job"])

    async def finished(self, job: int) -> dict[str, Any]:
        result: dict[str, Any] = await self.call("job.wait", job=job, timeout=30)
        assert result["finished"], f"job {job} did not end: {result}"
        return result

    async def succeeds(self, project: str | None = None) -> dict[str, Any]:
        """Apply; check that it succeeds and leaves nothing to do."""
        job = await self.apply(project)
        assert job["state"] == "succeeded", job["error"]
        plan = await self.call("plan.show", project=project)
        assert plan["empty"], plan
        return job

    async def refused(self, method: str, **params: Any) -> RpcError:
        """Call a method as an admin; check that it returns an error, and return that."""
        try:
            answer = await self.call(method, **params)
        except RpcError as error:
            return error
        raise AssertionError(f"{method} answered {answer}")

    # --- shorthands ---

    async def network(self, project: str, network: str) -> int:
        """Create a network; return its VLAN id."""
        made = await self.call("network.create", project=project, network=network)
        return int(made["vlan"])

    async def connect(self, node: str, network: str, *, nic: str = "eth0", **params: Any) -> None:
        await self.call("nic.connect", node=node, nic=nic, network=network, **params)

    async def hold_nodes(self, project: str, *nodes: str) -> None:
        """Allocate nodes to a project."""
        for node in nodes:
            await self.call("node.allocate", project=project, node=node)

    def carried(self, node: str, nic: str = "eth0") -> Carried:
        """Return the VLANs that the port of a node's nic carries now."""
        switch, port = place(node, nic)
        return self.switches[switch].carried(port.replace("Gi", "GigabitEthernet"))

    async def sql(self, statement: str, parameters: tuple[Any, ...] = ()) -> int:
        """Change rows directly in the daemon's database; return how many."""

        def run(tx: Tx) -> int:
            return tx.execute(statement, parameters)

        return await self.daemon.store.write(run)

    @contextmanager
    def locked_store(self) -> Iterator[None]:
        """Lock the daemon's database, as another process can; the daemon does not wait for that."""
        with closing(sqlite3.connect(self.folder / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    async def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """Read rows directly from the daemon's database."""

        with closing(sqlite3.connect(f"file:{self.folder / DATABASE}?mode=ro", uri=True)) as db:
            return db.execute(query, parameters).fetchall()

    # --- the daemon ---

    async def start(self) -> None:
        master = self.settings.master
        self.remotes.source = self.host
        self.daemon = Daemon(
            self.settings,
            switches=SwitchFactory(self.settings, lambda: self.credentials),
            master=(lambda: SimNetworkDriver(self.host)) if master else None,
            libvirt=(lambda: SimHypervisorDriver(self.host)) if master else None,
            remote=self.remotes,
            headnode_console=headnode_console,
            bmcs=BmcFactory(self.settings.bmc, lambda: self.credentials, "credentials.toml"),
            clock=self.clock,
            pace=self.pace,
        )
        await self.daemon.start()
        self.http = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(self.settings.server.socket)
        )

    async def stop(self) -> None:
        await self.http.close()
        await self.daemon.stop()

    async def restart(self) -> None:
        """Stop the daemon, whatever it is doing, and start another on the same database."""
        await self.stop()
        await self.start()


def place(node: str, nic: str = "eth0") -> tuple[str, str]:
    """Return the switch and port that a nic of one of the four nodes is plugged into."""
    number = int(node.removeprefix("node-"))
    switch, at = ("sw1", number) if number <= 2 else ("sw2", number - 2)
    return switch, f"Gi1/0/{2 * at - 1 if nic == 'ipmi' else 2 * at}"


@dataclass(frozen=True)
class Prepared:
    """A site that was registered and parked once; tests that start there copy it."""

    database: bytes
    configs: dict[str, Config]


def prepare(folder: Path) -> Prepared:
    """Register and park a site through the daemon; return the result."""

    async def make() -> dict[str, Config]:
        async with small_site(folder) as site:
            await register(site)
            await site.succeeds()
            return {name: switch.running.copy() for name, switch in site.switches.items()}

    configs = asyncio.run(make())
    return Prepared((folder / DATABASE).read_bytes(), configs)


def _seed(path: Path, prepared: Prepared, wires: dict[str, Wire]) -> None:
    """Write the prepared database, with the ports that the switches listen on now."""
    path.write_bytes(prepared.database)
    with sqlite3.connect(path) as db:
        # Make the addresses unique first: one switch's new port may be another's old one.
        db.execute("UPDATE switch SET host = name, uptime_boot = NULL")  # just switched on
        for name, wire in wires.items():
            db.execute(
                "UPDATE switch SET host = '127.0.0.1', port = ? WHERE name = ?", (wire.port, name)
            )
    db.close()


def settings_in(folder: Path, **settings: Any) -> Settings:
    base = Settings(
        server=Server(socket=str(folder / "rpcd.sock")),
        store=StoreSettings(path=str(folder / DATABASE)),
        vlans=Vlans(pool="100-109"),
        master=Master(trunk_nic="eth0"),
        switches=SwitchSettings(
            connect_timeout=5.0,
            login_timeout=5.0,
            answer_timeout=10.0,
            busy_timeout=0.0,
            known_hosts=str(folder / "known_hosts"),
        ),
    )
    return msgspec.structs.replace(base, **settings)


@asynccontextmanager
async def small_site(
    folder: Path,
    prepared: Prepared | None = None,
    *,
    before: Callable[[SmallSite], None] | None = None,
    every_line: bool = False,
    more_switches: Sequence[str] = (),
    make: Callable[[Path, Settings], SmallSite] = SmallSite,
    **settings: Any,
) -> AsyncIterator[SmallSite]:
    """Run a site; empty, or a copy of ``prepared``. ``before`` runs before the daemon starts.

    ``every_line``: see :class:`~tests.rpc.watch.Watch`. ``more_switches``: names of further ones,
    which nobody has registered.
    """
    site = make(folder, settings_in(folder, **settings))
    async with AsyncExitStack() as stack:
        for name in ("sw1", "sw2", *more_switches):
            switch = _switch(name)
            if prepared is not None and name in prepared.configs:
                switch.running = prepared.configs[name].copy()
                switch.startup = switch.running.copy()
                switch.touch(*switch.names.all)
                switch.settle()
            await switch.start()
            stack.push_async_callback(switch.stop)
            wire = Wire(switch)
            await wire.start()
            stack.push_async_callback(wire.stop)
            site.switches[name], site.wires[name] = switch, wire
        path = folder / DATABASE
        if prepared is not None:
            _seed(path, prepared, site.wires)
        if before is not None:
            before(site)
        await site.start()
        stack.push_async_callback(lambda: site.stop())  # the daemon running by then
        pool = frozenset(site.settings.pool)
        site.watch = Watch(path, site.switches, pool, every_line=every_line)
        stack.callback(site.watch.close)
        site.watch.check("at the beginning")
        yield site
        if site.watch.on:
            site.watch.check("at the end")
        assert not site.watch.violations, site.watch.violations


def _switch(name: str) -> IosSwitch:
    credential = CREDENTIALS["lab"]
    return IosSwitch(
        name,
        ports=gigabit(12),
        username=credential.username,
        password=credential.password,
        enable=credential.enable,
        history=True,
    )


async def register(site: SmallSite) -> None:
    """Register the switches, four nodes (two on each), and projects red and blue."""
    for name, wire in site.wires.items():
        await register_switch(site, name, wire.port)
        await site.call("port.register", switch=name, ports=[f"Gi1/0/{n}" for n in range(1, 9)])
        trunks = ["Gi1/0/11", "Gi1/0/12"] if name == "sw1" else ["Gi1/0/12"]
        await site.call("port.register", switch=name, ports=trunks, role="trunk")
    for number in range(1, 5):
        nics = []
        for nic, kind in (("ipmi", "bmc"), ("eth0", "data")):
            switch, port = place(f"node-{number}", nic)
            nics.append({"nic": nic, "kind": kind, "switch": switch, "port": port})
        await site.call("node.register", node=f"node-{number}", nics=nics)
    for project, user in (("red", "rita"), ("blue", "bob")):
        await site.call("project.create", project=project)
        await site.call("user.create", user=user)
        await site.call("project.add_member", project=project, user=user)


async def register_switch(site: SmallSite, name: str, port: int, **params: Any) -> None:
    await site.call(
        "switch.register",
        switch=name,
        dialect="cisco_ios",
        host="127.0.0.1",
        port=port,
        credential="lab",
        **params,
    )


def access(vlan: int) -> Carried:
    """Return what an access port in a VLAN carries."""
    return Carried(untagged=vlan)


def tagged(*vlans: int, untagged: int | None = None) -> Carried:
    """Return what a port with tagged VLANs carries."""
    return Carried(untagged=untagged, tagged=frozenset(vlans))


def step_of(job: dict[str, Any], device: str, kind: str, target: str = "") -> dict[str, Any]:
    """Return a job's only step of this kind on a device (and a target)."""
    [found] = [
        step
        for step in job["steps"]
        if (step["device"], step["kind"]) == (device, kind) and target in ("", step["target"])
    ]
    result: dict[str, Any] = found
    return result


def states(job: dict[str, Any], device: str) -> list[str]:
    """Return the states of a job's steps on a device."""
    return [step["state"] for step in job["steps"] if step["device"] == device]
