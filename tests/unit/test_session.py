"""A session on a switch, by real telnet with the simulated Catalyst: logins, answers, errors."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    PARKED,
    PortConfig,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    SetPort,
    SetVlan,
    SwitchChange,
)
from haas_rpcd.sim.ios import NVRAM_BUSY, IosSwitch, gigabit

FULL = Credential(username="haas", password="s3cret", enable="en4ble")
GI1 = "GigabitEthernet1/0/1"
SETTINGS = {
    "connect_timeout": 5.0,
    "login_timeout": 5.0,
    "answer_timeout": 10.0,
    "busy_timeout": 0.0,
}


def catalyst(hostname: str = "sw1", **options: Any) -> IosSwitch:
    defaults: dict[str, Any] = {
        "ports": gigabit(4),
        "username": "haas",
        "password": "s3cret",
        "enable": "en4ble",
        "history": True,
    }
    return IosSwitch(hostname, **(defaults | options))


@asynccontextmanager
async def driving(
    switch: IosSwitch, credential: Credential = FULL, **settings: float
) -> AsyncIterator[SwitchDriver]:
    """Start a switch, and open a session on it."""
    timeout = SwitchSettings(**(SETTINGS | settings)).connect_timeout
    async with switch:
        driver = SwitchDriver(
            "sw1",
            DIALECTS["cisco_ios"],
            connect=lambda: TelnetTransport.connect("sw1", "127.0.0.1", switch.port, timeout),
            options={},
            credential=lambda: credential,
            settings=SwitchSettings(**(SETTINGS | settings)),
        )
        try:
            await driver.open(silent)
            yield driver
        finally:
            await driver.close()


def silent(line: str) -> None:
    """Take no notice."""


class Listener:
    """Hears which lines are sent, and stops nothing."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, change: int, line: str) -> None:
        self.lines.append(line)

    def stop(self) -> bool:
        return False


async def send(driver: SwitchDriver, *changes: SwitchChange) -> list[str]:
    """Send changes that must all be accepted; give the lines. Raises the first error."""
    news = Listener()
    for outcome in await driver.send(changes, news):
        if outcome.error is not None:
            raise outcome.error
        assert outcome.state == "sent"
    return news.lines


def port(config: PortConfig, number: int = 1) -> SetPort:
    return SetPort(f"Gi1/0/{number}", config)


def commands(switch: IosSwitch) -> list[str]:
    """The lines that were sent after the login."""
    texts = [record.text for record in switch.lines]
    return texts[texts.index("terminal width 511") + 1 :]


# --- logging in -----------------------------------------------------------------------------------

LOGINS: dict[str, tuple[dict[str, Any], Credential]] = {
    "username, password, enable": ({}, FULL),
    "privilege 15": ({"enable": None}, Credential(username="haas", password="s3cret")),
    "privilege 15 although there is an enable secret": (
        {"privilege": 15}, Credential(username="haas", password="s3cret")),
    "password only": ({"username": None, "enable": None}, Credential(password="s3cret")),
    "password only, enable": ({"username": None}, Credential(password="s3cret", enable="en4ble")),
    "an empty enable secret": ({"enable": "", "privilege": 1}, FULL),
    "a message of the day": ({"motd": "Welcome to sw1#\nPassword policy: be good\nno > # prompt"},
                             FULL),
}  # fmt: skip


@pytest.mark.parametrize("case", LOGINS)
async def test_all_ways_to_log_in_end_in_privileged_mode(case: str) -> None:
    options, credential = LOGINS[case]
    async with driving(catalyst(**options), credential) as driver:
        seen = await driver.probe()
        assert seen.prompt == "sw1#"
        assert seen.said[0].startswith("Cisco IOS Software, C2960S Software")


@pytest.mark.parametrize(
    "hostname", ["sw1.dc-2.example.org", "a-very-long-host-name-that-IOS-shortens-in-prompts", "S"]
)
async def test_prompts_of_all_kinds_of_host_names(hostname: str) -> None:
    async with driving(catalyst(hostname)) as driver:
        await send(driver, SetVlan(100, True))
        await send(driver, port(PortConfig(100)))
        assert await driver.observe([port(PARKED)]) == [PortSeen(PortConfig(100))]


WRONG: dict[str, tuple[dict[str, Any], Credential, str, str]] = {
    "password": ({}, Credential(username="haas", password="no", enable="en4ble"), "login",
                 "sw1 refused the login of haas (% Login invalid)"),
    "username": ({}, Credential(username="x", password="s3cret"), "login",
                 "check its entry in the credentials file"),
    "line password": ({"username": None}, Credential(password="no"), "login",
                      "sw1 refused the login"),
    "enable": ({}, Credential(username="haas", password="s3cret", enable="no"), "enable",
               "sw1 refused privileged mode"),
    "no enable": ({}, Credential(username="haas", password="s3cret"), "enable",
                  "add  enable = …  to its entry"),
    "no enable secret on the switch": ({"enable": None, "privilege": 1}, FULL, "enable",
                                       "No password set"),
    "no way to log in": ({"username": None, "password": None}, FULL, "cut",
                         "Password required, but none set"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_a_login_that_fails_says_what_to_do(case: str) -> None:
    options, credential, reason, words = WRONG[case]
    with pytest.raises(DeviceError) as caught:
        async with driving(catalyst(**options), credential):
            pass
    assert caught.value.reason == reason
    assert words in caught.value.message
    for secret in (credential.password, credential.enable):
        assert not secret or f" {secret}" not in caught.value.message


async def test_one_wrong_login_is_one_failed_login() -> None:
    """Three would lock an account out on many a site."""
    switch = catalyst()
    wrong = Credential(username="haas", password="no")
    with pytest.raises(DeviceError):
        async with driving(switch, wrong):
            pass
    assert switch.counters.failed_logins == 1


async def test_a_switch_with_no_session_free() -> None:
    with pytest.raises(DeviceError) as caught:
        async with driving(catalyst(vtys=0)):
            pass
    assert caught.value.reason == "busy"
    assert "sw1" in caught.value.message


# --- answers --------------------------------------------------------------------------------------


async def test_a_switch_that_pages_all_the_same() -> None:
    """It takes no notice of ``terminal length 0``: pages are turned, and read without a seam."""
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


MESSAGE = (
    "*Mar  1 00:01:02.345: %LINK-3-UPDOWN: Interface GigabitEthernet1/0/4, changed state to up"
)


async def test_log_messages_in_the_middle_of_everything() -> None:
    """They come while a line is carried out, and are neither errors nor ends of answers."""
    switch = catalyst()
    switch.on_change = lambda changed, ports: changed.announce(MESSAGE)
    async with driving(switch) as driver:
        await send(driver, SetVlan(100, True))
        for config in (PortConfig(100), PARKED, PortConfig(100), PortConfig(None, (100,))):
            switch.announce(MESSAGE)
            await send(driver, port(config))
            switch.announce(MESSAGE)
            assert await driver.observe([port(config)]) == [PortSeen(config)]
        switch.announce(MESSAGE)
        await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]


async def test_an_error_is_of_its_line_and_nothing_follows_it() -> None:
    switch = catalyst()
    switch.faults.refuse = {"^switchport mode access$": "Command rejected: Gi1/0/1 is no port."}
    async with driving(switch) as driver:
        news = Listener()
        [outcome] = await driver.send([port(PortConfig(100))], news)
        assert outcome.state == "refused"
        error = outcome.error
        assert error is not None
        assert error.reason == "refused"
        assert error.data["line"] == "switchport mode access"
        assert error.message == (
            'sw1 refused "switchport mode access": Command rejected: Gi1/0/1 is no port.'
        )
        assert news.lines[-1] == "switchport mode access"
        assert commands(switch) == [*news.lines, "end"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (SetPort("Gi1/0/9", PARKED), "interface Gi1/0/9"),
        (SetPort("Te1/1/1", PARKED), "interface Te1/1/1"),
        (SetVlan(1002, False), "no vlan 1002"),
    ],
)
async def test_what_ios_itself_refuses(change: SetPort | SetVlan, line: str) -> None:
    switch = catalyst()
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match=f'sw1 refused "{line}": '):
            await send(driver, change)
        assert line in commands(switch)
        assert commands(switch)[-1] == "end"
        assert switch.history == []  # what was sent ahead of the refusal fell on nothing
        await send(driver, SetVlan(100, True))  # the session is as good as before
    assert 100 in switch.running.vlans


async def test_a_port_that_the_switch_does_not_show() -> None:
    async with driving(catalyst()) as driver:
        many = [port(PARKED, number) for number in range(1, 6)]
        *there, missing = await driver.observe(many)
        assert all(isinstance(one, PortSeen) for one in there)
        assert len(there) == 4
        assert isinstance(missing, DeviceError)
        assert "sw1 does not show a port Gi1/0/5: check its name" in missing.message


async def test_silence_ends_in_a_sentence() -> None:
    switch = catalyst()
    switch.faults.stall_at = "^switchport mode access$"
    async with driving(switch, answer_timeout=0.2) as driver:
        with pytest.raises(DeviceError) as caught:
            await send(driver, port(PortConfig(100)))
    assert caught.value.reason == "timeout"
    assert "sw1 did not answer (switchport mode access) within 0.2 s" in caught.value.message
    assert "look at the switch, then apply again" in caught.value.message


async def test_silence_at_the_login() -> None:
    switch = catalyst()
    switch.faults.stall_at = "^haas$"
    with pytest.raises(DeviceError, match=r"did not answer \(login\) within 0.2 s"):
        async with driving(switch, login_timeout=0.2):
            pass


async def test_a_connection_that_is_cut() -> None:
    switch = catalyst()
    switch.faults.cut_at = "^interface"
    async with driving(switch) as driver:
        with pytest.raises(DeviceError) as caught:
            await send(driver, port(PortConfig(100)))
    assert caught.value.reason == "cut"
    assert "sw1 closed the connection (interface Gi1/0/1)" in caught.value.message


async def test_a_save_is_confirmed_by_the_switch_s_word_only() -> None:
    switch = catalyst()
    async with driving(switch) as driver:
        await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]
        switch.faults.save_error = NVRAM_BUSY
        with pytest.raises(DeviceError, match=r"did not say that it saved .*resource busy"):
            await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(False)]


async def test_a_hundred_ports_are_read_back_in_one_line() -> None:
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


async def test_passwords_are_in_no_log_and_no_exception(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for options, credential in LOGINS.values():
        async with driving(catalyst(**options), credential) as driver:
            await send(driver, SetVlan(100, True))
    for options, credential, _, _ in WRONG.values():
        with pytest.raises(DeviceError) as caught:
            async with driving(catalyst(**options), credential):
                pass
        assert "s3cret" not in repr(caught.value)
    assert "s3cret" not in caplog.text
    assert "en4ble" not in caplog.text
    assert "s3cret" not in repr(FULL)
