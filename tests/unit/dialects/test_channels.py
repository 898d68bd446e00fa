"""Channels of every family that has a simulator: made, joined, moved, left and removed by telnet.

What the ports carry is compared after each line, whichever line is refused or silently ignored.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from haas_rpcd.drivers import Outcome
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.model import PARKED, Channel, ChannelMode, PortConfig, PortSeen, SetPort
from haas_rpcd.sim.cli import Device
from haas_rpcd.sim.junos import JunosSwitch
from haas_rpcd.sim.personalities import CLASSES, personality
from tests.unit.dialects.harness import Recorder, driving, make_switch
from tests.unit.dialects.kinds import SHELLS, about

ACCESS, OTHER, TAGGED = PortConfig(100), PortConfig(101), PortConfig(100, (102, 103))
ABOUT = re.compile(r"channel|aggregat|bond|lacp|802|shut|disable|\bae\d|unit 0$", re.I)
MAY = {100, 101, 102, 103}


def modes_of(dialect: str) -> tuple[ChannelMode, ...]:
    channels = DIALECTS[dialect].channels
    return () if channels is None else channels.modes


SIMULATED = sorted(
    name for name, dialect in DIALECTS.items() if dialect.channels is not None and name in CLASSES
)
ENABLE: dict[str, Any] = {
    name: {"enable": "en4ble"} for name, dialect in DIALECTS.items() if dialect.dialogue.enable
}
REFUSED = {"juniper_junos": "error: syntax error"}
INVALID = "% Invalid input detected at '^' marker."
EVERY = pytest.mark.parametrize("dialect", [about(name, name) for name in SIMULATED])


class Bond:
    """Two ports of a switch and their channel, and a driver."""

    def __init__(self, switch: Device[Any], driver: SwitchDriver, mode: ChannelMode) -> None:
        self.switch = switch
        self.driver = driver
        self.ports = switch.port_list[:2]
        channels = DIALECTS[switch.dialect].channels
        assert channels is not None
        self.channel = Channel(channels.name(25), mode)
        self.sent: list[str] = []

    def makes(self, config: PortConfig) -> SetPort:
        members = () if config.parked else tuple(self.ports)
        return SetPort(self.channel.name, config, self.channel, members)

    def members(self, config: PortConfig) -> list[SetPort]:
        if not config.parked:
            config = PortConfig(config.untagged, config.tagged, self.channel)
        return [SetPort(port, config, self.channel) for port in self.ports]

    async def send(self, *changes: SetPort) -> list[Outcome]:
        recorder = Recorder()
        outcomes = await self.driver.send(changes, recorder)
        self.sent += recorder.lines
        return outcomes

    async def done(self, *changes: SetPort) -> None:
        """Send changes; check that all of them read back as they are to be."""
        for outcome in await self.send(*changes):
            assert outcome.error is None, outcome.error
        for change, seen in zip(changes, await self.driver.observe(changes), strict=True):
            assert isinstance(seen, PortSeen), seen
            assert seen.believed == change.config, (change.port, seen)

    async def join(self, config: PortConfig) -> None:
        await self.done(self.makes(config))
        await self.done(*self.members(config))

    async def leave(self) -> None:
        await self.done(*self.members(PARKED))
        await self.done(self.makes(PARKED))

    def isolated(self) -> None:
        for entry in self.switch.history:
            for port, carried in entry.changed.items():
                vlans = {*carried.tagged, carried.untagged} - {None}
                assert vlans <= MAY or port not in self.ports, (entry.line.text, port, carried)

    def carry(self) -> list[set[int | None]]:
        found = [self.switch.carried(port) for port in self.ports]
        return [{*one.tagged, one.untagged} - {None} for one in found]


async def parked(switch: Device[Any], driver: SwitchDriver, mode: ChannelMode = "lacp") -> Bond:
    """Park the ports of a bond, as an apply of the site does."""
    bond = Bond(switch, driver, mode)
    if isinstance(switch, JunosSwitch):
        switch.running.aggregates = 49  # "chassis aggregated-devices ethernet device-count"
    await bond.leave()
    switch.history.clear()
    return bond


@pytest.mark.parametrize(
    ("dialect", "mode"),
    [about(name, name, mode) for name in SIMULATED for mode in modes_of(name)],
)
async def test_a_channel_from_its_making_to_its_end(dialect: str, mode: ChannelMode) -> None:
    switch = make_switch(personality(dialect), **ENABLE.get(dialect, {}))
    async with driving(switch) as driver:
        bond = await parked(switch, driver, mode)
        await bond.join(ACCESS)
        assert bond.carry() == [{100}] * 2
        await bond.join(OTHER)
        assert bond.carry() == [{101}] * 2
        await bond.join(TAGGED)
        assert bond.carry() == [{100, 102, 103}] * 2
        await bond.leave()
        assert bond.carry() == [set()] * 2
        await bond.leave()
        await bond.join(ACCESS)
        bond.isolated()


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if DIALECTS[name].channels])
def test_channels_that_do_not_exist_yet_are_made_one_by_one(dialect: str) -> None:
    channels = DIALECTS[dialect].channels
    assert channels is not None
    made = [Channel(channels.name(number), "lacp") for number in (25, 26)]
    changes = [SetPort(channel.name, ACCESS, channel) for channel in made]
    lines = [line.text for line in DIALECTS[dialect].writer.script(changes, {}, {})]
    for line in lines:
        assert "range" not in line
        assert not ("25" in line and "26" in line)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", [name for name in SIMULATED if name not in SHELLS])
async def test_whichever_line_is_refused_or_ignored_no_port_carries_a_foreign_vlan(
    dialect: str,
) -> None:
    """Each line that other ports do not get, in turn; then the same again, without a fault."""
    switch = make_switch(personality(dialect), **ENABLE.get(dialect, {}))
    async with driving(switch) as driver:
        bond = await parked(switch, driver)
        await bond.join(ACCESS)
        await bond.join(TAGGED)
        await bond.leave()
        lines = list(dict.fromkeys(line for line in bond.sent if ABOUT.search(line)))
    for line in lines:
        for answer in (REFUSED.get(dialect, INVALID), ""):
            switch = make_switch(personality(dialect), **ENABLE.get(dialect, {}))
            async with driving(switch) as driver:
                bond = await parked(switch, driver)
                switch.faults.refuse = {f"^{re.escape(line)}$": answer}
                for config in (ACCESS, TAGGED, PARKED):
                    await bond.send(*bond.members(PARKED))
                    found = await driver.observe(bond.members(PARKED))
                    if all(isinstance(one, PortSeen) and one.believed == PARKED for one in found):
                        await bond.send(bond.makes(config))
                        [made] = await driver.observe([bond.makes(config)])
                        if isinstance(made, PortSeen) and made.believed == config:
                            await bond.send(*bond.members(config))
                switch.faults.refuse = {}
                if not await driver.usable():
                    await driver.close()
                    await driver.open(lambda line: None)
                await bond.leave()
                await bond.join(ACCESS)
                bond.isolated()


@EVERY
async def test_a_member_of_any_other_channel_is_not_understood(dialect: str) -> None:
    switch = make_switch(personality(dialect), **ENABLE.get(dialect, {}))
    async with driving(switch) as driver:
        bond = await parked(switch, driver)
        await bond.join(ACCESS)
        foreign = Channel(bond.channel.name.replace("25", "26"), "lacp")
        theirs = [SetPort(port, ACCESS, foreign) for port in bond.ports]
        for seen in await driver.observe(theirs):
            assert isinstance(seen, PortSeen)
            assert seen.not_understood is not None
            assert seen.believed is None
        for seen in await driver.observe([SetPort(port, ACCESS) for port in bond.ports]):
            assert isinstance(seen, PortSeen)
            assert seen.not_understood is not None
