"""A session on a simulated Catalyst by telnet: answers and errors."""

from __future__ import annotations

import pytest

from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PortSeen, PresenceSeen, SaveConfig, SetPort, SetVlan
from haas_rpcd.sim.ios import NVRAM_BUSY, gigabit
from tests.unit.catalyst import LOG_MESSAGE, catalyst, commands, port
from tests.unit.dialects.harness import Recorder, driving, send


async def test_pages_are_turned_if_the_switch_ignores_terminal_length() -> None:
    switch = catalyst(ports=gigabit(60))
    switch.faults.refuse = {"^terminal length": ""}
    async with driving(switch) as driver:
        for number in (1, 30, 60):
            await send(driver, SetVlan(99 + number, True))
            await send(driver, port(PortConfig(99 + number), number))
        ports = [port(PARKED, number) for number in range(1, 61)]
        seen = await driver.observe(ports)
        assert [i for i, one in enumerate(seen, 1) if one == PortSeen(PortConfig(99 + i))] == [
            1, 30, 60,
        ]  # fmt: skip
        assert switch.sessions[0].length == 24


@pytest.mark.parametrize("message", [LOG_MESSAGE, LOG_MESSAGE[LOG_MESSAGE.index("%") :]])
async def test_log_messages_in_answers_are_neither_errors_nor_prompts(message: str) -> None:
    """The switch prints them while it executes a line, with a time or without."""
    switch = catalyst()
    switch.on_change = lambda changed, ports: changed.announce(message)
    async with driving(switch) as driver:
        await send(driver, SetVlan(100, True))
        for config in (PortConfig(100), PARKED, PortConfig(100), PortConfig(None, (100,))):
            switch.announce(message)
            await send(driver, port(config))
            switch.announce(message)
            assert await driver.observe([port(config)]) == [PortSeen(config)]
        switch.announce(message)
        await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]


async def test_a_log_message_within_an_answer_is_no_error() -> None:
    """It begins like an error where the switch puts no time before it."""
    switch = catalyst()
    switch.faults.refuse = {"^no shutdown$": LOG_MESSAGE[LOG_MESSAGE.index("%") :]}
    async with driving(switch) as driver:
        [outcome] = await driver.send([port(PortConfig(100))], Recorder())
        assert outcome.state == "sent"


async def test_an_error_names_its_line_and_nothing_is_sent_after_it() -> None:
    switch = catalyst()
    switch.faults.refuse = {"^switchport mode access$": "Command rejected: Gi1/0/1 is no port."}
    async with driving(switch, options={"window": 1}) as driver:
        progress = Recorder()
        [outcome] = await driver.send([port(PortConfig(100))], progress)
        assert outcome.state == "refused"
        error = outcome.error
        assert error is not None
        assert error.reason == "refused"
        assert error.data["line"] == "switchport mode access"
        assert error.message == (
            'sw1 refused "switchport mode access": Command rejected: Gi1/0/1 is no port.'
        )
        assert progress.lines[-1] == "switchport mode access"
        assert commands(switch)[-2:] == [progress.lines[-1], "end"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (SetPort("Gi1/0/9", PARKED), "interface Gi1/0/9"),
        (SetPort("Te1/1/1", PARKED), "interface Te1/1/1"),
        (SetVlan(1002, False), "no vlan 1002"),
    ],
)
async def test_a_line_that_ios_refuses_changes_nothing(
    change: SetPort | SetVlan, line: str
) -> None:
    switch = catalyst()
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match=f'sw1 refused "{line}": '):
            await send(driver, change)
        assert line in commands(switch)
        assert commands(switch)[-1] in ("end", "exit")  # either leaves configuration mode
        assert switch.history == []  # the lines sent ahead had no effect
        await send(driver, SetVlan(100, True))  # the session still works
    assert 100 in switch.running.vlans


async def test_a_port_that_the_switch_does_not_show_is_reported_alone() -> None:
    async with driving(catalyst()) as driver:
        many = [port(PARKED, number) for number in range(1, 6)]
        *there, missing = await driver.observe(many)
        assert all(isinstance(one, PortSeen) for one in there)
        assert len(there) == 4
        assert isinstance(missing, DeviceError)
        assert "sw1 does not show a port Gi1/0/5: check its name" in missing.message


async def test_a_switch_that_falls_silent_ends_in_an_error_with_advice() -> None:
    switch = catalyst()
    switch.faults.stall_at = "^switchport mode access$"
    async with driving(switch, answer_timeout=0.2) as driver:
        with pytest.raises(DeviceError) as caught:
            await send(driver, port(PortConfig(100)))
    assert caught.value.reason == "timeout"
    assert "sw1 did not answer (switchport mode access) within 0.2 s" in caught.value.message
    assert "look at the switch, then apply again" in caught.value.message


async def test_a_switch_that_falls_silent_during_login_ends_in_an_error() -> None:
    switch = catalyst()
    switch.faults.stall_at = "^haas$"
    with pytest.raises(DeviceError, match=r"did not answer \(login\) within 0.2 s"):
        async with driving(switch, login_timeout=0.2):
            pass


async def test_a_lost_connection_names_the_line() -> None:
    switch = catalyst()
    switch.faults.cut_at = "^interface"
    async with driving(switch) as driver:
        with pytest.raises(DeviceError) as caught:
            await send(driver, port(PortConfig(100)))
    assert caught.value.reason == "cut"
    assert "sw1 closed the connection (interface Gi1/0/1)" in caught.value.message


async def test_a_save_counts_only_if_the_switch_confirms_it() -> None:
    switch = catalyst()
    async with driving(switch) as driver:
        await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]
        switch.faults.save_error = NVRAM_BUSY
        with pytest.raises(DeviceError, match=r"did not say that it saved .*resource busy"):
            await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(False)]


@pytest.mark.slow
async def test_many_ports_are_read_back_by_one_line() -> None:
    switch = catalyst(ports=gigabit(120))
    async with driving(switch) as driver:
        for vlan in (100, 101):
            await send(driver, SetVlan(vlan, True))
        wanted = {
            number: PortConfig(100 if number % 2 else None, (101,) if number % 3 else ())
            for number in range(1, 121)
        }
        changes = [port(config, number) for number, config in wanted.items()]
        for change in changes:
            await send(driver, change)
        before = switch.counters.lines
        seen = await driver.observe(changes)
        assert seen == [PortSeen(config) for config in wanted.values()]
        assert [record.text for record in switch.lines[before:]] == ["end", "show running-config"]


@pytest.mark.usefixtures("short_silences")
async def test_a_switch_may_be_renamed_during_a_session() -> None:
    """Between two lines, and while lines are in flight."""
    switch = catalyst()
    names = iter(["core-1", "Edge_2.lab", "x", "another-very-long-host-name", "sw1"])
    async with driving(switch) as driver:
        switch.running.hostname = next(names)
        await send(driver, SetVlan(100, True))
        switch.on_change = lambda changed, ports: setattr(
            changed.running, "hostname", next(names, "sw1")
        )
        for config in (PortConfig(100), PARKED, PortConfig(100)):
            await send(driver, port(config))
            assert await driver.observe([port(config)]) == [PortSeen(config)]


async def test_a_narrow_terminal_may_shift_the_echo_of_a_long_line() -> None:
    """The switch ignores ``terminal width``."""
    switch = catalyst()
    switch.faults.refuse = {"^terminal width": ""}
    wanted = PortConfig(None, tuple(range(100, 300, 2)))
    async with driving(switch) as driver:
        for vlan in wanted.tagged:
            switch.running.add_vlan(vlan)
        assert max(map(len, await send(driver, port(wanted)))) > 160
        assert await driver.observe([port(wanted)]) == [PortSeen(wanted)]


@pytest.mark.usefixtures("short_silences")
@pytest.mark.slow
async def test_an_answer_may_take_longer_than_a_silence() -> None:
    switch = catalyst()
    switch.faults.slow = {"^(show|interface|no shutdown|write)": 0.12}
    async with driving(switch) as driver:
        await send(driver, SetVlan(100, True))
        await send(driver, port(PortConfig(100)))
        await send(driver, SaveConfig())
        assert await driver.observe([port(PARKED)]) == [PortSeen(PortConfig(100))]


async def test_an_idle_session_that_the_switch_closed_is_not_usable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("haas_rpcd.drivers.switch.driver.CHECK_AFTER_IDLE", 0.0)
    switch = catalyst()
    async with driving(switch) as driver:
        assert await driver.usable()
        await send(driver, SetVlan(100, True))
        assert await driver.usable()
        [session] = switch.sessions
        switch.faults.idle_timeout = 0.01
        assert await driver.usable()
        await session.closed
        assert not await driver.usable()
