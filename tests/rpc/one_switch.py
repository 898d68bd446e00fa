"""A site with one switch of any family, the daemon, four nodes, and somebody at its console.

The switch has ports of several kinds or slots. Eight have nodes behind them, one is registered
without a node, one is a trunk, and two are the site's own and never registered.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import msgspec

from haas_rpcd.config import SwitchSettings
from haas_rpcd.drivers import Progress
from haas_rpcd.drivers.switch import answers
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.model import SwitchChange
from haas_rpcd.sim.cli import Carried, Device, LineRecord
from haas_rpcd.sim.personalities import personality
from tests.rpc.small_site import CREDENTIALS, DATABASE, SmallSite, settings_in
from tests.rpc.watch import Watch

KINDS: dict[str, tuple[str, str, str]] = {
    "arista_eos": ("Ethernet{1}", "Ethernet49/{1}", "et{}"),
    "brocade_fastiron": ("ethernet 1/1/{1}", "ethernet 1/2/{1}", "e{}"),
    "cisco_ios": ("GigabitEthernet1/0/{1}", "TenGigabitEthernet1/0/{1}", "gi{}"),
    "cisco_nxos": ("Ethernet1/{1}", "Ethernet2/{1}", "eth{}"),
    "cumulus_nvue": ("swp{1}", "swp{7}", "swp{}"),
    "dell_os10": ("ethernet1/1/{1}", "ethernet1/1/25:{1}", "Eth{}"),
    "dell_os6": ("gigabitethernet1/0/{1}", "tengigabitethernet1/0/{1}", "Gi{}"),
    "dell_os9": ("TenGigabitEthernet 0/{0}", "fortyGigE 0/{48}", "te{}"),
    "dell_powerconnect": ("gigabitethernet1/0/{1}", "tengigabitethernet1/0/{1}", "gi{}"),
    "hp_procurve": ("{1}", "{7}", "{}"),
    "hpe_comware": ("GigabitEthernet1/0/{1}", "Ten-GigabitEthernet1/0/{49}", "ge{}"),
    "juniper_junos": ("ge-0/0/{0}", "xe-0/1/{0}", "ge-{}.0"),
    "sonic": ("Ethernet{0}", "Ethernet{24}", "ethernet{}"),
}
"""How a family names the first six ports and the others, counting from the number in braces, and a
short or informal spelling of the first kind, with ``{}`` for the number."""

COUNT, FIRST_KIND = 12, 6
SAMPLES = Path(__file__).parents[1] / "unit" / "samples"
READS = re.compile(
    r"(?:do |run )?(?:show|display) |bridge -json |ip -json |nv (?:config )?show |"
    r"nv config (?:detach|diff)|sonic-cfggen |sonic-db-cli |cat /proc"
)


def ports_of(dialect: str) -> list[str]:
    """Return the full names of the switch's ports."""
    first, other, _ = KINDS[dialect]
    step = 4 if dialect == "sonic" else 1  # it counts lanes
    return [
        re.sub(r"\{(\d+)\}", lambda base, at=at: str(int(base[1]) + at * step), kind)  # type: ignore[misc]
        for kind, count in ((first, FIRST_KIND), (other, COUNT - FIRST_KIND))
        for at in range(count)
    ]


LOGS = {
    "sonic": "Message from syslogd@sonic at Mar  9 20:00:17 ...",
}
"""Log messages of families whose samples have none."""


class Vendor:
    """What a vendor's switches print: error messages and log messages."""

    def __init__(self, dialect: str) -> None:
        samples = tomllib.loads((SAMPLES / f"{dialect}.toml").read_text())
        self.errors = [sample["answer"].strip("\n") for sample in samples["error"]]
        said = [row for sample in samples["benign"] for row in sample["answer"].splitlines()]
        self.logs = [row for row in said if answers.is_log(row)] or [LOGS[dialect]]


@dataclass
class OneSwitch(SmallSite):
    """The daemon and the switch sw1. Ports are registered by the names in ``called``."""

    dialect: Dialect = None  # type: ignore[assignment]
    device: Device[Any] = None  # type: ignore[assignment]
    transport: str = "telnet"

    @property
    def port(self) -> int:
        """The TCP port that the switch listens on."""
        return self.device.ssh_port if self.transport == "ssh" else self.device.port

    @property
    def called(self) -> list[str]:
        """The names by which the ports are registered; those of node-1 are short."""
        short = KINDS[self.dialect.name][2]
        numbers = [name[re.search(r"\d", name).start() :] for name in self.device.port_list]  # type: ignore[union-attr]
        return [*(short.format(number) for number in numbers[:2]), *self.device.port_list[2:]]

    def behind(self, node: str, nic: str = "eth0") -> int:
        """Return the index of the port that a nic is plugged into."""
        return 2 * (int(node.removeprefix("node-")) - 1) + (nic == "eth0")

    def carried(self, node: str, nic: str = "eth0") -> Carried:
        """Return the VLANs that the port of a node's nic carries now."""
        carried: Carried = self.device.carried(self.device.port_list[self.behind(node, nic)])
        return carried

    # --- the lines that the switch received ---

    def records(self, since: int = 0) -> list[LineRecord]:
        """Return the command lines received, from an index in ``device.lines`` on."""
        asked = ("username", "password", "enable", "question")
        return [
            record
            for record in self.device.lines[since:]
            if record.text and record.mode not in asked
        ]

    def sent_lines(self, since: int) -> list[str]:
        """Return the lines that a plan would show: no logins, mode changes or reads."""
        known = self.dialect
        outside = {getattr(self.device, mode, None) for mode in ("user_mode", "privileged_mode")}
        modes = {mode.name for mode in outside if mode is not None}
        always = {*known.dialogue.leave_config, *known.writer.abort}
        spoken = known.dialogue
        there = {*spoken.setup, *spoken.enter_config, *spoken.logout, spoken.enable}
        return [
            record.text
            for record in self.records(since)
            if record.text not in always
            and not (record.text in there and record.mode in modes)
            and not READS.match(record.text)
        ]

    # --- changes by hand ---

    async def by_hand(self, *changes: SwitchChange) -> None:
        """Configure the switch in an admin's own session."""
        driver = self.driver()
        await driver.open(lambda line: None)
        try:
            for outcome in await driver.send(changes, NoProgress()):
                assert outcome.state == "sent", outcome
        finally:
            await driver.close()

    def driver(self) -> SwitchDriver:
        """Return a driver for a session of its own."""
        return SwitchDriver(
            "sw1",
            self.dialect,
            connect=lambda: TelnetTransport.connect("sw1", "127.0.0.1", self.device.port, 5.0, 0.0),
            options={},
            credential=lambda: CREDENTIALS["lab"],
            settings=SwitchSettings(busy_timeout=0.0),
        )


class NoProgress(Progress):
    """Ignores all progress."""

    def line_sent(self, change: int, line: str) -> None:
        pass

    def cancelled(self) -> bool:
        return False


def fresh(dialect: str, *, ssh: bool = False) -> Device[Any]:
    """Return a switch with factory defaults and, if its family has one, an enable password."""
    credential = CREDENTIALS["lab"]
    return personality(dialect)(
        "sw1",
        ports=ports_of(dialect),
        username=credential.username,
        password=credential.password,
        enable=credential.enable if DIALECTS[dialect].dialogue.enable == "enable" else None,
        history=True,
        ssh=ssh,
    )


@dataclass(frozen=True)
class Registered:
    """The database and configuration of a site that was registered and parked once."""

    database: bytes
    config: Any


@asynccontextmanager
async def one_switch(
    folder: Path,
    dialect: str,
    registered: Registered | None = None,
    *,
    transport: str = "telnet",
    **switches: Any,
) -> AsyncIterator[OneSwitch]:
    """Run a site; its switch has factory defaults, or is ``registered`` and parked.

    ``switches`` are settings of ``[switches]``.
    """
    settings = settings_in(folder, master=None)
    patience = msgspec.structs.replace(settings.switches, **switches)
    site = OneSwitch(
        folder=folder,
        settings=msgspec.structs.replace(settings, switches=patience),
        dialect=DIALECTS[dialect],
        transport=transport,
        device=fresh(dialect, ssh=transport == "ssh"),
    )
    async with AsyncExitStack() as stack:
        device = site.device
        if registered is not None:
            device.adopt(registered.config.copy())
            device.save()
            device.counters.saves = 0
            device.settle()
        await device.start()
        stack.push_async_callback(device.stop)
        path = folder / DATABASE
        if registered is not None:
            path.write_bytes(registered.database)
            with sqlite3.connect(path) as db:
                db.execute("UPDATE switch SET port = ?, uptime_boot = NULL", (site.port,))
            db.close()
        await site.start()
        stack.push_async_callback(lambda: site.stop())  # the daemon running by then
        pool = frozenset(site.settings.pool)
        site.watch = Watch(path, {"sw1": device}, pool, every_line=True)
        stack.callback(site.watch.close)
        site.watch.check("at the beginning")
        yield site
        if site.watch.on:
            site.watch.check("at the end")
        assert not site.watch.violations, site.watch.violations


async def trust(site: OneSwitch) -> None:
    """Trust the switch's host key."""
    key = asyncssh.import_public_key(site.device.host_key)
    await site.call("switch.trust", switch="sw1", fingerprint=key.get_fingerprint())


async def register(site: OneSwitch) -> None:
    """Register the switch, its ports, four nodes, and projects red and blue."""
    await site.call(
        "switch.register", switch="sw1", dialect=site.dialect.name, host="127.0.0.1",
        port=site.port, transport=site.transport, credential="lab",
    )  # fmt: skip
    if site.transport == "ssh":
        await trust(site)
    called = site.called
    await site.call("port.register", switch="sw1", ports=called[:9])
    await site.call("port.register", switch="sw1", ports=called[9:10], role="trunk")
    for number in range(1, 5):
        node = f"node-{number}"
        nics = [
            {"nic": nic, "kind": kind, "switch": "sw1", "port": called[site.behind(node, nic)]}
            for nic, kind in (("ipmi", "bmc"), ("eth0", "data"))
        ]
        await site.call("node.register", node=node, nics=nics)
    for project in ("red", "blue"):
        await site.call("project.create", project=project)


def register_fresh(folder: Path, dialect: str) -> Registered:
    """Register and park a switch with factory defaults; return the result."""

    async def make() -> Any:
        async with one_switch(folder, dialect) as site:
            await register(site)
            await site.succeeds()
            return site.device.running.copy()

    config = asyncio.run(make())
    return Registered((folder / DATABASE).read_bytes(), config)


def lines_of(plan: dict[str, Any]) -> list[str]:
    """Return all lines that a plan shows, in order, except those that only read."""
    steps: Sequence[dict[str, Any]] = plan["steps"]
    return [line for step in steps for line in step["lines"] if not READS.match(line)]
