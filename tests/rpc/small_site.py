"""A small site, all real but the switches: the daemon, its store, telnet over loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from haas_rpcd.auth import Caller
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
from haas_rpcd.methods.registry import Call, invoke
from haas_rpcd.sim.host import SimHost
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver
from haas_rpcd.sim.ios import IosSwitch, gigabit

CREDENTIALS = {"lab": Credential(username="haas", password="s3cret", enable="en4ble")}


class RpcError(Exception):
    """An error that the daemon answered."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: dict[str, Any] = error.get("data") or {}
        self.kind: str = self.data.get("kind", "")


@dataclass
class Tenant:
    """A user of the site, who calls as itself (past the socket, which only knows OS users)."""

    site: SmallSite
    user: str

    async def call(self, method: str, **params: Any) -> Any:
        call = Call(context=self.site.daemon.context, caller=Caller(self.user, admin=False))
        return await invoke(call, method, params)


@dataclass
class SmallSite:
    """The daemon, the switches sw1 and sw2, four nodes with two nics each, and the master."""

    folder: Path
    settings: Settings
    credentials: dict[str, Credential] = field(default_factory=lambda: dict(CREDENTIALS))
    switches: dict[str, IosSwitch] = field(default_factory=dict)
    host: SimHost = field(default_factory=SimHost)
    daemon: Daemon = None  # type: ignore[assignment]
    http: aiohttp.ClientSession = None  # type: ignore[assignment]

    # --- calling ---

    async def post(self, body: Any) -> tuple[int, str]:
        """Send a body as it is; give the HTTP status and the text."""
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
        """Apply a project (or the site) and wait for the end, whatever it is."""
        started = await self.call("apply.start", project=project, **params)
        return await self.finished(started["job"])

    async def finished(self, job: int) -> dict[str, Any]:
        result = await self.call("job.wait", job=job, timeout=30)
        assert result["finished"], f"job {job} did not end: {result}"
        return result

    # --- the daemon's life ---

    async def start(self) -> None:
        self.daemon = Daemon(
            self.settings,
            credentials=lambda: self.credentials,
            master=lambda: SimNetworkDriver(self.host),
            libvirt=lambda: SimHypervisorDriver(self.host),
        )
        await self.daemon.start()
        self.http = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(self.settings.server.socket)
        )

    async def stop(self) -> None:
        await self.http.close()
        await self.daemon.stop()


@asynccontextmanager
async def small_site(folder: Path, **settings: Any) -> AsyncIterator[SmallSite]:
    site = SmallSite(
        folder=folder,
        settings=Settings(
            server=Server(socket=str(folder / "rpcd.sock")),
            store=StoreSettings(path=str(folder / "haas.db")),
            vlans=settings.pop("vlans", Vlans(pool="100-109")),
            master=settings.pop("master", Master(trunk_nic="eth0")),
            switches=SwitchSettings(connect_timeout=2.0, login_timeout=2.0, answer_timeout=2.0),
            **settings,
        ),
    )
    for name in ("sw1", "sw2"):
        credential = CREDENTIALS["lab"]
        switch = IosSwitch(
            name,
            ports=gigabit(12),
            username=credential.username,
            password=credential.password,
            enable=credential.enable,
            history=True,
        )
        await switch.start()
        site.switches[name] = switch
    await site.start()
    try:
        yield site
    finally:
        await site.stop()
        for switch in site.switches.values():
            await switch.stop()


async def register(site: SmallSite) -> None:
    """Register the switches and four nodes (two on each), and park the site."""
    for name, switch in site.switches.items():
        await site.call(
            "switch.register",
            switch=name,
            dialect="cisco_ios",
            host="127.0.0.1",
            port=switch.port,
            credential="lab",
        )
        await site.call("port.register", switch=name, ports=[f"Gi1/0/{n}" for n in range(1, 9)])
        trunks = ["Gi1/0/11", "Gi1/0/12"] if name == "sw1" else ["Gi1/0/12"]
        await site.call("port.register", switch=name, ports=trunks, role="trunk")
    for number in range(1, 5):
        switch, place = ("sw1", number) if number <= 2 else ("sw2", number - 2)
        await site.call(
            "node.register",
            node=f"node-{number}",
            nics=[
                {"nic": "ipmi", "kind": "bmc", "switch": switch, "port": f"Gi1/0/{2 * place - 1}"},
                {"nic": "eth0", "switch": switch, "port": f"Gi1/0/{2 * place}"},
            ],
        )
    for project, user in (("red", "rita"), ("blue", "bob")):
        await site.call("project.create", project=project)
        await site.call("user.create", user=user)
        await site.call("project.add_member", project=project, user=user)
