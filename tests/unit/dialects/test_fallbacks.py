"""What the driver does if a switch lacks ranges of ports, or a mode is not what it should be."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.drivers import SESSION_LOST
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.engine.silent import Silent
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PortSeen, SaveConfig, SetPort, SetVlan
from tests.unit.catalyst import CREDENTIAL, catalyst
from tests.unit.dialects.harness import driving, send
from tests.unit.dialects.kind import Kind
from tests.unit.dialects.kinds import EVERY, those


@those(lambda kind: kind.ranged)
async def test_a_refused_range_of_ports_is_set_port_by_port(kind: Kind) -> None:
    """Some models and old releases lack it; the driver remembers that."""
    switch = kind.switch(ports=12)
    changes = [SetPort(kind.port(switch, at), PortConfig(100)) for at in (0, 1, 2, 3, 5, 7, 8)]
    parking = [SetPort(change.port, PARKED) for change in changes]
    several = r"range| to |(?<!ge)-\d|\d,"
    naming = [line for line in kind.ranged if re.search(several, line)]
    async with driving(switch, options=kind.options) as driver:
        await send(driver, *parking)
        switch.faults.refuse = {f"^{re.escape(text)}$": kind.refusal for text in naming}
        first = await send(driver, *changes)
        assert "# sw1 refuses a range of ports: each by itself" in first
        assert await driver.observe(changes) == [PortSeen(PortConfig(100))] * len(changes)
        second = await send(driver, *parking)
        assert not [line for line in second if line.startswith("#")]
        assert await driver.observe(parking) == [PortSeen(PARKED)] * len(parking)


async def test_a_port_that_is_missing_does_not_end_the_use_of_ranges() -> None:
    """The range is refused because of the port, and the port's own line names it."""
    switch = catalyst()
    async with driving(switch, CREDENTIAL) as driver:
        with pytest.raises(DeviceError, match='sw1 refused "interface Gi1/0/9": '):
            await send(driver, *(SetPort(f"Gi1/0/{at}", PARKED) for at in (1, 2, 9)))
        assert "interface range Gi1/0/1 - 2" in await send(
            driver, SetPort("Gi1/0/1", PARKED), SetPort("Gi1/0/2", PARKED)
        )


@those(lambda kind: kind.dialect != "juniper_junos")
async def test_a_port_that_is_missing_holds_up_no_other(kind: Kind) -> None:
    """(Junos configures ports whose module is not there yet.)"""
    missing = kind.port(kind.switch(ports=12), 11)
    switch = kind.switch(ports=8)
    ports = [kind.port(switch, 0), missing, kind.port(switch, 1), kind.port(switch, 2)]
    wanted = [SetVlan(100, present=True), SetVlan(101, present=True)]
    changes = [SetPort(port, PortConfig(100 + at // 3)) for at, port in enumerate(ports)]
    async with driving(switch, options=kind.options) as driver:
        if DIALECTS[kind.dialect].declares_vlans:
            await send(driver, *wanted)
        outcomes = await driver.send(changes, Silent())
        seen = await driver.observe(changes)
    states = [outcome.state for outcome in outcomes]
    assert states[:1] + states[2:] == ["sent"] * 3
    assert isinstance(seen[1], DeviceError)
    assert [seen[0], seen[2], seen[3]] == [
        PortSeen(PortConfig(100)), PortSeen(PortConfig(100)), PortSeen(PortConfig(101))
    ]  # fmt: skip


async def test_a_switch_that_refuses_everything_is_not_asked_for_each_port() -> None:
    switch = catalyst()
    switch.faults.refuse = {"^interface": "% Authorization failed."}
    changes = [SetPort(f"Gi1/0/{at}", PortConfig(100)) for at in range(1, 9)]
    async with driving(switch, CREDENTIAL) as driver:
        outcomes = await driver.send(changes, Silent())
    states = [outcome.state for outcome in outcomes]
    assert 1 < states.count("refused") < len(changes)
    assert states.count("refused") + states.count("unsent") + states.count("unfinished") == 8
    assert all(outcome.error is not None for outcome in outcomes)


async def test_a_switch_that_stays_in_configuration_mode_loses_its_session() -> None:
    switch = catalyst()
    async with driving(switch, CREDENTIAL) as driver:
        await send(driver, SetPort("Gi1/0/1", PARKED))
        switch.faults.refuse = {"^end$": ""}  # it says nothing, and does nothing
        with pytest.raises(DeviceError, match=r"did not leave configuration mode .*sw1\(config"):
            await driver.observe([SetPort("Gi1/0/1", PARKED)])
        assert not await driver.usable()


async def test_a_switch_that_refuses_to_leave_configuration_mode_loses_its_session() -> None:
    """That no port is missing: the ports are not read one by one in a session that has ended."""
    switch = catalyst()
    ports = [SetPort("Gi1/0/1", PARKED), SetPort("Gi1/0/2", PARKED)]
    async with driving(switch, CREDENTIAL) as driver:
        await send(driver, *ports)
        switch.faults.refuse = {"^end$": "% Command authorization failed."}
        with pytest.raises(DeviceError, match="Command authorization failed") as lost:
            await driver.observe(ports)
        assert lost.value.reason in SESSION_LOST
        assert not await driver.usable()


async def test_a_save_in_configuration_mode_is_not_tried() -> None:
    switch = catalyst()
    async with driving(switch, CREDENTIAL) as driver:
        await send(driver, SetPort("Gi1/0/1", PARKED))
        switch.faults.refuse = {"^end$": ""}
        with pytest.raises(DeviceError, match="did not leave configuration mode"):
            await send(driver, SaveConfig())
        assert switch.counters.saves == 0


async def test_a_switch_that_does_not_enter_configuration_mode_is_not_configured() -> None:
    switch = catalyst()
    switch.faults.refuse = {"^configure terminal$": ""}
    async with driving(switch, CREDENTIAL) as driver:
        with pytest.raises(DeviceError, match=r'did not enter configuration mode .*"sw1#"'):
            await send(driver, SetPort("Gi1/0/1", PARKED))
        assert switch.history == []


@EVERY
async def test_a_probe_succeeds_though_its_identity_is_refused(kind: Kind) -> None:
    """The login may not use the line, or the model lacks it."""
    switch = kind.switch()
    said = DIALECTS[kind.dialect].about.lines(kind.options)
    commands = [line.partition(" 2>")[0] for line in said]
    switch.faults.refuse = {f"^{re.escape(line)}": kind.refusal for line in commands}
    async with driving(switch, options=kind.options) as driver:
        probed = await driver.probe()
    assert probed.model == ""
    assert set(probed.ports) == set(switch.port_list)


def test_helpers_are_run_as_root_if_the_login_is_not_root() -> None:
    """``bridge`` and ``ip`` may be in ``/sbin``, which is not in everybody's PATH."""
    bridge, ovs = DIALECTS["linux_bridge"], DIALECTS["openvswitch"]
    sudo = {"sudo": True}
    assert bridge.about.lines(sudo) == ["sudo -n uname -sr", "sudo -n bridge -V"]
    assert bridge.about.lines({}) == ["uname -sr", "bridge -V"]
    assert ovs.about.lines(sudo)[0] == "sudo -n ovs-vsctl --version"
    for dialect in (bridge, ovs):
        assert all(line.startswith("sudo -n ") for line in dialect.reader.read_ports([], sudo))
