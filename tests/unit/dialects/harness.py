"""Drives simulated switches in tests: the real driver over real telnet."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from hypothesis import strategies as st

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers import Outcome
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.parts import Ports, run_checked
from haas_rpcd.drivers.switch.script import Line
from haas_rpcd.drivers.switch.session import ScriptResult
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PortSeen, SetPort, SwitchChange
from haas_rpcd.sim import junos
from haas_rpcd.sim.cli import Carried, Device
from haas_rpcd.sim.junos.state import Vlan

POOL = (100, 101, 102, 103)
FOREIGN = 7
"""A VLAN outside the pool."""

LIVE = (1, FOREIGN, *POOL)
CONFIGS = st.builds(
    lambda untagged, tagged: PortConfig(untagged, tuple(sorted(tagged - {untagged}))),
    st.none() | st.sampled_from(POOL),
    st.frozensets(st.sampled_from(POOL)),
)
HAAS = Credential(username="haas", password="s3cret", enable="en4ble")
SETTINGS: dict[str, Any] = {"login_timeout": 5.0, "answer_timeout": 5.0, "busy_timeout": 0.0}


def make_switch(kind: type[Device[Any]], ports: int = 4, **options: Any) -> Any:
    """Make a switch that has the pool's VLANs and the foreign one."""
    defaults: dict[str, Any] = {"username": "haas", "password": "s3cret", "history": True}
    hostname = options.pop("hostname", "sw1")
    switch = kind(hostname, ports=kind.port_names(ports), **(defaults | options))
    add_vlans(switch, FOREIGN, *POOL)
    assert switch.save()
    switch.counters.saves = 0
    return switch


def add_vlans(switch: Device[Any], *vlans: int) -> None:
    """Create VLANs, as somebody would by hand."""
    there = switch.running.vlans
    for vlan in vlans:
        if isinstance(switch, junos.JunosSwitch):
            there["office" if vlan == FOREIGN else f"haas-{vlan}"] = Vlan(vlan)
        else:
            there[vlan] = type(there[1])(f"v{vlan}") if 1 in there else ""
    switch.touch()
    switch.settle()


def vlans_on(switch: Device[Any]) -> dict[int, str]:
    """Return the VLANs of a switch, with their names."""
    there = switch.running.vlans
    if isinstance(switch, junos.JunosSwitch):
        return {vlan.number: name for name, vlan in there.items()}
    return {vlan: getattr(its, "name", its) for vlan, its in there.items()}


@asynccontextmanager
async def driving(
    switch: Device[Any],
    credential: Credential = HAAS,
    options: Mapping[str, Any] | None = None,
    **settings: float,
) -> AsyncIterator[SwitchDriver]:
    """Start a switch, and open a session on it."""
    async with switch:
        driver = driver_of(switch, credential, options, **settings)
        try:
            await driver.open(lambda line: None)
            yield driver
        finally:
            await driver.close()


def driver_of(
    switch: Device[Any],
    credential: Credential = HAAS,
    options: Mapping[str, Any] | None = None,
    **settings: float,
) -> SwitchDriver:
    """Make the driver of a running switch."""
    return SwitchDriver(
        "sw1",
        DIALECTS[switch.dialect],
        connect=lambda: TelnetTransport.connect("sw1", "127.0.0.1", switch.port, 5.0),
        options=dict(options or {}),
        credential=lambda: credential,
        settings=SwitchSettings(**(SETTINGS | settings)),
    )


class Model(Protocol):
    """A model of the port p1."""

    def run(self, line: str) -> None: ...

    def carried(self) -> Collection[int]: ...

    def shown(self) -> list[str]: ...


class Ignoring:
    """Runs a script on a model of a port, which accepts one line and does not carry it out.

    After each line the port must carry only its old and new VLANs, and ``nowhere``.
    """

    def __init__(
        self, dialect: str, port: Model, config: PortConfig, ignored: int, *nowhere: int
    ) -> None:
        self._dialect = DIALECTS[dialect]
        self._port = port
        self._left = ignored
        self._may = {*port.carried(), *config.vlans, *nowhere}
        self._change = SetPort("p1", config)

    async def apply(self) -> dict[str, DeviceError]:
        """Run the whole script; return the refused ports."""
        ports = Ports("sw1", [self._change], {})
        await run_checked(self._dialect.writer.script([self._change], {}), ports, self)
        return ports.refused

    async def run(self, lines: Sequence[Line]) -> ScriptResult:
        for line in lines:
            if self._left != 0:
                self._port.run(line.text)
            self._left -= 1
            assert {*self._port.carried()} <= self._may, line.text
        return ScriptResult(len(lines), len(lines))

    async def read(self, ports: Sequence[str]) -> Mapping[str, PortState]:
        return self._dialect.reader.parse_ports(self._port.shown(), {})

    async def read_candidate(self, ports: Sequence[str]) -> Mapping[str, PortState]:
        raise NotImplementedError

    async def discard(self) -> None:
        raise NotImplementedError


async def open_again(driver: SwitchDriver) -> None:
    """Log out and in again."""
    await driver.close()
    await driver.open(lambda line: None)


class Recorder:
    """Records the lines that are sent."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line_sent(self, change: int, line: str) -> None:
        self.lines.append(line)

    def cancelled(self) -> bool:
        return False


async def send(
    driver: SwitchDriver, *changes: SwitchChange, progress: Recorder | None = None
) -> list[str]:
    """Send changes that must all be accepted; return the lines. Raises the first error."""
    progress = progress or Recorder()
    for outcome in await driver.send(changes, progress):
        if outcome.error is not None:
            raise outcome.error
        assert outcome.state == "sent"
    return progress.lines


async def observe(driver: SwitchDriver, ports: Sequence[str]) -> list[PortConfig | str]:
    """Return what each port carries, or the error of reading it."""
    seen = await driver.observe([SetPort(port, PARKED) for port in ports])
    return [one.config if isinstance(one, PortSeen) else str(one) for one in seen]


def states(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the state of each outcome."""
    return [outcome.state for outcome in outcomes]


def carried(config: PortConfig) -> Carried:
    """Return what a port with this configuration carries."""
    return Carried(config.untagged, frozenset(config.tagged))


def vlans(now: Carried) -> set[int]:
    """Return all VLANs that are carried, tagged or untagged."""
    return set(now.tagged) | ({now.untagged} if now.untagged is not None else set())


def config_of(dice: random.Random) -> PortConfig:
    """Return a random configuration with VLANs of the pool."""
    untagged = dice.choice([None, *POOL])
    tagged = set(dice.sample(POOL, dice.choice([0, 0, 1, 2, 3]))) - {untagged}
    return PortConfig(untagged, tuple(sorted(tagged)))


def all_carried(switch: Device[Any]) -> dict[str, Carried]:
    """Return what every port carries."""
    return {port: switch.carried(port) for port in switch.port_list}


def assert_isolated(
    switch: Device[Any], seen: int, before: dict[str, Carried], wanted: Mapping[str, PortConfig]
) -> None:
    """Assert that after each line since ``seen``, ports carried only old or new VLANs of theirs."""
    for entry in switch.history[seen:]:
        assert entry.changed.keys() <= wanted.keys(), entry.line.text
        for name, now in entry.changed.items():
            may = vlans(before[name]) | wanted[name].vlans
            assert vlans(now) <= may, (name, before[name], wanted[name], entry.line.text)
