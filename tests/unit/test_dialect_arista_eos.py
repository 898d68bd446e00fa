"""Arista EOS: ports that may route, and lists of ports with their type once."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.dialect import PortState
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PresenceSeen, SaveConfig, SetPort, SetVlan
from haas_rpcd.sim.cli import ALL_VLANS, Carried
from haas_rpcd.sim.eos import EosSwitch, Port
from tests.unit.test_dialects_nxos_os10 import News, carried, config_of, observe, send, vlans

EOS = DIALECTS["arista_eos"]
FULL = Credential(username="haas", password="s3cret", enable="en4ble")
POOL = (100, 101, 102, 103)
SETTINGS: dict[str, Any] = {"login_timeout": 5.0, "answer_timeout": 5.0, "busy_timeout": 0.0}
ET1, ET2, ET3, ET4 = (f"Ethernet{number}" for number in range(1, 5))


def leaf(ports: int = 4, **options: Any) -> EosSwitch:
    """A switch with the pool's VLANs, and one that is none of ours."""
    defaults: dict[str, Any] = {
        "hostname": "sw1",
        "username": "haas",
        "password": "s3cret",
        "enable": "en4ble",
        "history": True,
    }
    switch = EosSwitch(ports=EosSwitch.port_names(ports), **(defaults | options))
    switch.running.vlans |= dict.fromkeys((7, *POOL), "some")
    assert switch.save()
    return switch


@asynccontextmanager
async def driving(
    switch: EosSwitch, credential: Credential = FULL, **options: Any
) -> AsyncIterator[SwitchDriver]:
    """Start a switch, and open a session on it."""
    async with switch:
        driver = SwitchDriver(
            "sw1",
            EOS,
            connect=lambda: TelnetTransport.connect("sw1", "127.0.0.1", switch.port, 5.0),
            options=options,
            credential=lambda: credential,
            settings=SwitchSettings(**SETTINGS),
        )
        try:
            await driver.open(lambda line: None)
            yield driver
        finally:
            await driver.close()


def anything(dice: random.Random, switch: EosSwitch, name: str) -> None:
    """Leave a port as anybody may have left it."""
    some = frozenset(dice.sample([1, 7, *POOL], dice.randint(0, 6)))
    switch.running.ports[name] = Port(
        mode=dice.choice(["access", "trunk"]),
        access_vlan=dice.choice([1, 7, *POOL]),
        native_vlan=dice.choice([1, 7, *POOL]),
        allowed=dice.choice([frozenset(), ALL_VLANS, some]),
        shutdown=dice.random() < 0.3,
        switched=dice.random() < 0.8,
    )
    switch.touch(name)
    switch.settle()


def unsettled(dice: random.Random, switch: EosSwitch, ports: Sequence[str]) -> dict[str, Carried]:
    """Leave some ports as anybody may have left them; give what all ports then carry."""
    for port in ports:
        anything(dice, switch, port)
    return {port: switch.carried(port) for port in switch.port_list}


def assert_isolated(
    switch: EosSwitch, seen: int, before: dict[str, Carried], wanted: dict[str, PortConfig]
) -> None:
    """After no line since then a port carried what neither its old nor its new state has."""
    for entry in switch.history[seen:]:
        for name, now in entry.changed.items():
            may = vlans(before[name]) | wanted.get(name, PARKED).vlans
            assert vlans(now) <= may, (name, before[name], wanted.get(name), entry.line.text)


# --- isolation ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("seed", range(3))
async def test_from_any_state_to_any_other_by_lines_that_open_nothing_else(
    seed: int, ranges: bool
) -> None:
    dice = random.Random(seed)
    switch = leaf()
    async with driving(switch, ranges=ranges) as driver:
        for _ in range(20):
            ports = dice.sample(switch.port_list, dice.choice([1, 3, 3]))
            before = unsettled(dice, switch, ports)
            same = config_of(dice)
            wanted = {port: dice.choice([same, config_of(dice)]) for port in ports}
            seen = len(switch.history)
            await send(driver, *(SetPort(port, config) for port, config in wanted.items()))
            assert_isolated(switch, seen, before, wanted)
            for port in switch.port_list:
                config = wanted.get(port)
                assert switch.carried(port) == (before[port] if config is None else carried(config))
                assert switch.is_shut(port) or config is None or not config.parked
            assert await observe(driver, ports) == [wanted[port] for port in ports]


REFUSABLE = (
    "^interface Ethernet1",
    "^shutdown$",
    "^switchport mode access$",
    "^switchport mode trunk$",
    "^switchport access vlan",
    "^no switchport access vlan",
    "native vlan",
    "^switchport trunk allowed",
    "^switchport$",
    "^no shutdown$",
    "^exit$",
)


@pytest.mark.parametrize("line", REFUSABLE)
async def test_a_refusal_opens_nothing_else_whatever_was_sent_ahead(line: str) -> None:
    """On three ports at once, each from any state, with sixteen lines under way."""
    dice = random.Random(line)
    switch = leaf()
    async with driving(switch) as driver:
        for _ in range(8):
            ports = switch.port_list[:3]
            before = unsettled(dice, switch, ports)
            wanted = {port: config_of(dice) for port in ports}
            seen = len(switch.history)
            switch.faults.refuse = {line: "% Invalid input"}
            outcomes = await driver.send(
                [SetPort(port, config) for port, config in wanted.items()], News()
            )
            switch.faults.refuse = {}
            assert_isolated(switch, seen, before, wanted)
            assert switch.carried(ET4) == before[ET4]
            for outcome, (port, config) in zip(outcomes, wanted.items(), strict=True):
                if outcome.state == "sent":
                    assert switch.carried(port) == carried(config)
            if not await driver.usable():  # what left too often logged out
                await driver.close()
                await driver.open(lambda line: None)


async def test_setting_ports_twice_changes_nothing_the_second_time() -> None:
    switch = leaf()
    async with driving(switch) as driver:
        for config in (PortConfig(100), PortConfig(None, (100,)), PortConfig(101, (102,)), PARKED):
            changes = [SetPort(port, config) for port in switch.port_list]
            await send(driver, *changes)
            seen = len(switch.history)
            await send(driver, *changes)
            assert switch.history[seen:] == []


async def test_an_open_port_stays_open_from_one_network_to_another() -> None:
    switch = leaf()
    async with driving(switch) as driver:
        for one, other in (
            (PortConfig(100), PortConfig(101)),
            (PortConfig(100, (101,)), PortConfig(101, (100, 102))),
        ):
            await send(driver, SetPort(ET1, one))
            assert "shutdown" not in await send(driver, SetPort(ET1, other))
            assert switch.carried(ET1) == carried(other)


async def test_a_port_that_routes_switches_only_when_all_else_is_set() -> None:
    """What it was set to before it was made to route must not come back for a moment."""
    switch = leaf()
    for port in (ET1, ET2):
        switch.running.ports[port] = Port(mode="trunk", access_vlan=7, switched=False)
        switch.touch(port)
        switch.settle()
    async with driving(switch) as driver:
        assert await observe(driver, [ET1, ET2]) == [PARKED, PARKED]
        seen = len(switch.history)
        await send(driver, SetPort(ET1, PortConfig(100)), SetPort(ET2, PortConfig(None, (101,))))
        changes = [change for entry in switch.history[seen:] for change in entry.changed.items()]
        assert len(changes) == 2
        assert dict(changes) == {ET1: Carried(100), ET2: Carried(None, frozenset({101}))}


# --- names and ranges -----------------------------------------------------------------------------


async def test_a_list_of_ports_has_their_type_once() -> None:
    switch = leaf(ports=8)
    async with driving(switch) as driver:
        ports = [*switch.port_list[:3], switch.port_list[5]]
        lines = await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))
        assert "interface Ethernet1-3,6" in lines
        assert [switch.carried(port) for port in ports] == [Carried(100)] * 4


def test_ports_of_several_types_and_modules_are_entered_by_type() -> None:
    ports = ["Et3/1", "Et3/2", "Et49/1/1", "Port-Channel5", "Ethernet7", "ethernet9"]
    assert list(EOS.enter_ports(ports, {})) == [
        (("Et3/1", "Et3/2", "Et49/1/1"), "interface Et3/1-2,49/1/1"),
        (("Port-Channel5",), "interface Port-Channel5"),
        (("Ethernet7", "ethernet9"), "interface Ethernet7,9"),
    ]


def test_a_port_has_one_name_however_it_is_spelled() -> None:
    same = {EOS.canonical_port(name) for name in ("Et1", "eth1", "Ethernet 1", "ethernet01", "e1")}
    assert same == {ET1}
    assert EOS.canonical_port("Et1/1") != ET1
    assert EOS.canonical_port("po5") == "Port-Channel5"


def test_a_configuration_is_read_with_all_that_is_not_a_port() -> None:
    answer = (
        "interface Port-Channel5\n   description to sw2\n   switchport trunk native vlan tag\n"
        "   switchport trunk allowed vlan 100-101\n   switchport mode trunk\n!\n"
        "interface Ethernet1\n   shutdown\n!\ninterface Ethernet2\n   no switchport\n"
        "   ip address 192.0.2.1/31\n!\ninterface Management1\n   ip address dhcp\n!\nend\n"
    )
    found = EOS.parse_ports([answer], {})
    assert found["Port-Channel5"] == PortState(PortConfig(None, (100, 101)), open=True)
    assert found[ET1].carries == PARKED
    assert found[ET2] == PortState(PARKED, open=True)


# --- VLANs, lists, saving -------------------------------------------------------------------------


async def test_vlans_are_made_named_and_removed() -> None:
    switch = leaf()
    async with driving(switch) as driver:
        many = [SetVlan(200, True), SetVlan(201, True)]
        await send(driver, *many)
        assert switch.running.vlans[200] == "haas-200"
        await send(driver, *many)
        assert await driver.observe([*many, SetVlan(202, True)]) == [
            PresenceSeen(True), PresenceSeen(True), PresenceSeen(False),
        ]  # fmt: skip
        for _ in range(2):
            await send(driver, *(SetVlan(vlan, False) for vlan in (200, 201)))
        assert sorted(switch.running.vlans) == [1, 7, *POOL]
        assert switch.running.vlans[7] == "some"


async def test_a_long_list_of_vlans_over_several_lines() -> None:
    wanted = PortConfig(None, tuple(range(2, 1000, 2)))
    switch = leaf()
    switch.running.vlans |= dict.fromkeys(range(1, 1001), "many")
    async with driving(switch) as driver:
        lines = await send(driver, SetPort(ET1, wanted))
        assert max(map(len, lines)) < 254
        assert switch.carried(ET1) == carried(wanted)
        assert await observe(driver, [ET1]) == [wanted]


async def test_only_what_was_saved_is_there_after_a_restart() -> None:
    switch = leaf()
    async with driving(switch) as driver:
        await send(driver, SetPort(ET1, PortConfig(100)), SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]
        await send(driver, SetPort(ET2, PortConfig(101)))
        switch.reload()
        assert [switch.carried(ET1), switch.carried(ET2)] == [Carried(100), Carried(1)]


async def test_a_save_that_fails_is_told() -> None:
    switch = leaf()
    full = "% Error copying system:/running-config to flash:/startup-config (No space left)"
    switch.faults.save_error = full
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match=r'refused "write memory": % Error .*No space left'):
            await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(False)]


# --- who it is ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "credential"),
    [
        ({}, FULL),
        ({"enable": None}, Credential(username="haas", password="s3cret")),
        ({"motd": "Authorized use only!\n# no password: >"}, FULL),
        ({"hostname": "leaf-1.dc2.a-long-name_b"}, FULL),
        ({"password": None}, Credential(username="haas", enable="en4ble")),
    ],
)
async def test_a_login_ends_where_ports_can_be_set(
    options: dict[str, Any], credential: Credential
) -> None:
    switch = leaf(**options)
    async with driving(switch, credential) as driver:
        await send(driver, SetPort(ET1, PortConfig(100)))
        assert switch.carried(ET1) == Carried(100)


async def test_a_wrong_password_is_told() -> None:
    with pytest.raises(DeviceError, match=r"refused the login of haas \(Login incorrect\)"):
        async with driving(leaf(), Credential(username="haas", password="no")):
            pass


async def test_a_switch_says_what_it_is_and_how_long_it_has_been_up() -> None:
    switch = leaf()
    switch.booted -= 93_784  # a day, two hours, three minutes, four seconds
    async with driving(switch) as driver:
        probed = await driver.probe()
        assert (probed.model, probed.version) == ("DCS-7050TX-64-R", "4.22.4M")
        assert probed.ports == dict.fromkeys(switch.port_list, PortConfig(1))
        assert probed.vlans == {1, 7, *POOL}
        assert await driver.up_for() == pytest.approx(93_784, abs=60)


async def test_log_messages_in_the_middle_of_everything() -> None:
    message = (
        "Nov 22 10:00:01 sw1 Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Interface Ethernet4"
        " (node-4), changed state to down"
    )
    switch = leaf()
    switch.on_change = lambda changed, ports: changed.announce(message)
    async with driving(switch) as driver:
        for config in (PortConfig(100), PARKED, PortConfig(None, (100,))):
            switch.announce(message)
            await send(driver, SetPort(ET1, config))
            assert await observe(driver, [ET1]) == [config]
        await send(driver, SaveConfig())


async def test_a_switch_that_pages_all_the_same() -> None:
    switch = leaf(ports=40)
    switch.faults.refuse = {"^terminal length": ""}
    async with driving(switch) as driver:
        await send(driver, SetPort("Ethernet40", PortConfig(100)))
        seen = await observe(driver, switch.port_list)
        assert seen == [PortConfig(1)] * 39 + [PortConfig(100)]
