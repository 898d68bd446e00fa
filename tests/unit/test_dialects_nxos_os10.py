"""Nexus and OS10: ports that may route, lists that only grow. Both look before they type."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers import Outcome
from haas_rpcd.drivers.switch.dialect import PortState
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
from haas_rpcd.sim import nxos, os10
from haas_rpcd.sim.cli import ALL_VLANS, Carried
from haas_rpcd.sim.nxos import NxosSwitch
from haas_rpcd.sim.os10 import Os10Switch

Switch = NxosSwitch | Os10Switch
CLASSES: dict[str, type[NxosSwitch] | type[Os10Switch]] = {
    "cisco_nxos": NxosSwitch,
    "dell_os10": Os10Switch,
}
EACH = pytest.mark.parametrize("name", CLASSES)
HAAS = Credential(username="haas", password="s3cret")
POOL = (100, 101, 102, 103)
SETTINGS: dict[str, Any] = {"login_timeout": 5.0, "answer_timeout": 5.0, "busy_timeout": 0.0}


def rack_switch(name: str, ports: int = 4, **options: Any) -> Switch:
    """A switch with the pool's VLANs, and one that is none of ours."""
    kind = CLASSES[name]
    defaults: dict[str, Any] = {"username": "haas", "password": "s3cret", "history": True}
    hostname = options.pop("hostname", "sw1")
    switch = kind(hostname, ports=kind.port_names(ports), **(defaults | options))
    switch.running.vlans |= dict.fromkeys((7, *POOL), "some")
    assert switch.save()
    return switch


@asynccontextmanager
async def driving(
    switch: Switch, credential: Credential = HAAS, **options: Any
) -> AsyncIterator[SwitchDriver]:
    """Start a switch, and open a session on it."""
    async with switch:
        driver = SwitchDriver(
            "sw1",
            DIALECTS[switch.dialect],
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


class News:
    """Hears which lines are sent, and stops nothing."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, change: int, line: str) -> None:
        self.lines.append(line)

    def stop(self) -> bool:
        return False


async def send(driver: SwitchDriver, *changes: SwitchChange) -> list[str]:
    """Send changes that must all be accepted; give the lines. Raises the first error."""
    news = News()
    for outcome in await driver.send(changes, news):
        if outcome.error is not None:
            raise outcome.error
        assert outcome.state == "sent"
    return news.lines


async def observe(driver: SwitchDriver, ports: Sequence[str]) -> list[PortConfig | str]:
    seen = await driver.observe([SetPort(port, PARKED) for port in ports])
    return [one.config if isinstance(one, PortSeen) else str(one) for one in seen]


def states(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.state for outcome in outcomes]


def carried(config: PortConfig) -> Carried:
    return Carried(config.untagged, frozenset(config.tagged))


def vlans(now: Carried) -> set[int]:
    return set(now.tagged) | ({now.untagged} if now.untagged is not None else set())


def anything(dice: random.Random, switch: Switch, name: str) -> None:
    """Leave a port as anybody may have left it."""
    some = frozenset(dice.sample([1, 7, *POOL], dice.randint(0, 6)))
    shut, trunk, routed = dice.random() < 0.3, dice.random() < 0.5, dice.random() < 0.2
    mode = "trunk" if trunk else "access"
    if isinstance(switch, NxosSwitch):
        switch.running.ports[name] = nxos.Port(
            mode=mode,
            access_vlan=dice.choice([1, 7, *POOL]),
            native_vlan=dice.choice([1, 7, *POOL]),
            allowed=dice.choice([frozenset(), ALL_VLANS, some]),
            shutdown=shut,
            switched=not routed,
        )
    elif routed:
        switch.running.ports[name] = os10.Port(switched=False, access_vlan=None, shutdown=shut)
    else:
        access = dice.choice([1, 7, *POOL, None] if trunk else [1, 7, *POOL])
        tagged = some - {access} if trunk else frozenset[int]()
        switch.running.ports[name] = os10.Port("", True, mode, access, tagged, shut)
    switch.touch(name)
    switch.settle()


def config_of(dice: random.Random) -> PortConfig:
    untagged = dice.choice([None, *POOL])
    tagged = set(dice.sample(POOL, dice.choice([0, 0, 1, 2, 3]))) - {untagged}
    return PortConfig(untagged, tuple(sorted(tagged)))


def isolated(switch: Switch, seen: int, may: dict[str, set[int]]) -> None:
    """See that since then, after no line a port carried what it may not."""
    for entry in switch.history[seen:]:
        for name, now in entry.changed.items():
            assert vlans(now) <= may[name], (name, entry.line.text)


# --- isolation ------------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("seed", range(3))
async def test_from_any_state_to_any_other_by_lines_that_open_nothing_else(
    name: str, seed: int, ranges: bool
) -> None:
    dice = random.Random(seed)
    switch = rack_switch(name)
    async with driving(switch, ranges=ranges) as driver:
        for _ in range(20):
            ports = dice.sample(switch.port_list, dice.choice([1, 3, 3]))
            for port in ports:
                anything(dice, switch, port)
            before = {port: switch.carried(port) for port in switch.port_list}
            same = config_of(dice)
            wanted = {port: dice.choice([same, config_of(dice)]) for port in ports}
            seen = len(switch.history)
            await send(driver, *(SetPort(port, config) for port, config in wanted.items()))
            may = {p: vlans(c) | wanted.get(p, PARKED).vlans for p, c in before.items()}
            isolated(switch, seen, may)
            for port in switch.port_list:
                config = wanted.get(port)
                assert switch.carried(port) == (before[port] if config is None else carried(config))
                assert switch.is_shut(port) or config is None or not config.parked
            assert await observe(driver, ports) == [wanted[port] for port in ports]


REFUSABLE = (
    "^interface Ethernet1/1|^interface ethernet1/1/1|^interface range",
    "^shutdown$",
    "^switchport mode access$",
    "^switchport mode trunk$",
    "^switchport access vlan",
    "^no switchport access vlan",
    "native vlan",
    "^switchport trunk allowed",
    "^no switchport trunk allowed",
    "^switchport$",
    "^no shutdown$",
    "^exit$",
)


@EACH
@pytest.mark.parametrize("line", REFUSABLE)
async def test_a_refusal_opens_nothing_else_whatever_was_sent_ahead(name: str, line: str) -> None:
    """On three ports at once, each from any state, with sixteen lines under way."""
    dice = random.Random(line)
    switch = rack_switch(name)
    refusal = {"cisco_nxos": "ERROR: Ethernet1/1: no", "dell_os10": "% Error: no"}[name]
    async with driving(switch) as driver:
        for _ in range(8):
            ports = switch.port_list[:3]
            for port in ports:
                anything(dice, switch, port)
            before = {port: switch.carried(port) for port in switch.port_list}
            wanted = {port: config_of(dice) for port in ports}
            seen = len(switch.history)
            switch.faults.refuse = {line: refusal}
            outcomes = await driver.send(
                [SetPort(port, config) for port, config in wanted.items()], News()
            )
            switch.faults.refuse = {}
            may = {p: vlans(c) | wanted.get(p, PARKED).vlans for p, c in before.items()}
            isolated(switch, seen, may)
            assert switch.carried(switch.port_list[3]) == before[switch.port_list[3]]
            for outcome, (port, config) in zip(outcomes, wanted.items(), strict=True):
                if outcome.state == "sent":
                    assert switch.carried(port) == carried(config)
            if not await driver.usable():  # what left too often logged out
                await driver.close()
                await driver.open(lambda line: None)


@EACH
async def test_setting_ports_twice_changes_nothing_the_second_time(name: str) -> None:
    switch = rack_switch(name)
    async with driving(switch) as driver:
        for config in (PortConfig(100), PortConfig(None, (100,)), PortConfig(101, (102,)), PARKED):
            changes = [SetPort(port, config) for port in switch.port_list]
            await send(driver, *changes)
            seen = len(switch.history)
            await send(driver, *changes)
            assert switch.history[seen:] == []


@EACH
async def test_an_open_port_stays_open_from_one_network_to_another(name: str) -> None:
    switch = rack_switch(name)
    async with driving(switch) as driver:
        port = switch.port_list[0]
        for one, other in (
            (PortConfig(100), PortConfig(101)),
            (PortConfig(100, (101,)), PortConfig(101, (100, 102))),
        ):
            await send(driver, SetPort(port, one))
            assert "shutdown" not in await send(driver, SetPort(port, other))
            assert switch.carried(port) == carried(other)


@EACH
async def test_where_nothing_is_known_of_a_port_the_lines_are_absolute(name: str) -> None:
    """As in a plan's preview, before anybody has looked."""
    dialect = DIALECTS[name]
    port = CLASSES[name].port_names(1)[0]
    for config in (PARKED, PortConfig(100), PortConfig(None, (100,)), PortConfig(100, (101,))):
        _, first, second, *_ = [line.text for line in dialect.script([SetPort(port, config)], {})]
        assert first == "shutdown"
        assert second in ("switchport", "no switchport", "exit")


# --- Nexus ----------------------------------------------------------------------------------------


async def test_fresh_ports_of_a_nexus_that_routes_by_default() -> None:
    """They come up on VLAN 1 when they are made to switch, so they are shut before."""
    switch = rack_switch("cisco_nxos", switched=False)
    ports = switch.port_list[:2]
    async with driving(switch) as driver:
        assert await observe(driver, ports) == [PARKED, PARKED]
        for port in ports:
            switch.running.ports[port].shutdown = False
        lines = await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))
        assert lines.index("shutdown") < lines.index("switchport")
        assert await observe(driver, ports) == [PortConfig(100), PortConfig(100)]
        assert {vlan for entry in switch.history for now in entry.changed.values()
                for vlan in vlans(now)} == {100}  # fmt: skip
        await send(driver, *(SetPort(port, PARKED) for port in ports))
        assert await observe(driver, ports) == [PARKED, PARKED]
        assert all(map(switch.is_shut, ports))


async def test_a_nexus_is_given_ranges_without_the_word() -> None:
    switch = rack_switch("cisco_nxos", ports=8)
    async with driving(switch) as driver:
        ports = [*switch.port_list[:3], switch.port_list[5]]
        lines = await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))
        assert "interface Ethernet1/1-3,Ethernet1/6" in lines
        assert [switch.carried(port) for port in ports] == [Carried(100)] * 4
        assert not any(line.startswith("interface range") for line in lines)


async def test_a_reserved_vlan_is_refused_on_its_own_line() -> None:
    async with driving(rack_switch("cisco_nxos")) as driver:
        with pytest.raises(DeviceError, match=r'refused "vlan 3999": invalid vlan \(reserved'):
            await send(driver, SetVlan(3999, True))


# --- OS10 -----------------------------------------------------------------------------------------


async def test_an_os10_port_may_not_be_on_a_vlan_both_ways() -> None:
    """What was tagged is taken off before it becomes the native one, and the other way round."""
    switch = rack_switch("dell_os10")
    port = switch.port_list[0]
    async with driving(switch) as driver:
        for config in (PortConfig(100, (101,)), PortConfig(101, (100,)), PortConfig(None, (101,))):
            await send(driver, SetPort(port, config))
            assert switch.carried(port) == carried(config)


def test_an_os10_port_that_leaves_trunk_mode_takes_no_list_with_it() -> None:
    """Dell does not say that the list is forgotten with the mode, so it is emptied by name."""
    dialect = DIALECTS["dell_os10"]
    now = {"ethernet1/1/1": PortConfig(100, (101, 102, 7))}
    for config in (PARKED, PortConfig(101)):
        lines = [line.text for line in dialect.script([SetPort("ethernet1/1/1", config)], {}, now)]
        emptied = lines.index("no switchport trunk allowed vlan 7,101-102")
        assert lines.index("shutdown") < emptied < lines.index("switchport mode access")


async def test_an_os10_range_is_one_run_of_ports() -> None:
    switch = rack_switch("dell_os10", ports=8)
    async with driving(switch) as driver:
        ports = [*switch.port_list[:3], switch.port_list[5]]
        lines = await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))
        assert "interface range ethernet1/1/1-1/1/3" in lines
        assert "interface ethernet1/1/6" in lines
        assert [switch.carried(port) for port in ports] == [Carried(100)] * 4


def test_an_os10_configuration_without_blanks_is_read_as_well() -> None:
    """Some releases print it so; and a split port has a colon in its name."""
    answer = (
        "!\ninterface ethernet1/1/30:2\nno shutdown\nswitchport mode trunk\n"
        "switchport access vlan 1\nswitchport trunk allowed vlan 2-3,40\n!\n"
        "interface ethernet1/1/31\n no shutdown\n switchport mode trunk\n!\n"
        "interface ethernet1/1/32\n shutdown\n no switchport\n"
    )
    dialect = DIALECTS["dell_os10"]
    assert dialect.parse_ports([answer], {}) == {
        "ethernet1/1/30:2": PortState(PortConfig(1, (2, 3, 40)), open=True),
        "ethernet1/1/31": PortState(PARKED, open=True),
        "ethernet1/1/32": PortState(PARKED, open=False),
    }


# --- VLANs, lists, saving -------------------------------------------------------------------------


@EACH
async def test_vlans_are_made_named_and_removed(name: str) -> None:
    switch = rack_switch(name)
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


@EACH
async def test_a_long_list_of_vlans_over_several_lines(name: str) -> None:
    wanted = PortConfig(None, tuple(range(2, 1000, 2)))
    switch = rack_switch(name)
    switch.running.vlans |= dict.fromkeys(range(1, 1001), "many")
    port = switch.port_list[0]
    async with driving(switch) as driver:
        lines = await send(driver, SetPort(port, wanted))
        assert max(map(len, lines)) < 254
        assert switch.carried(port) == carried(wanted)
        assert await observe(driver, [port]) == [wanted]
        await send(driver, SetPort(port, PARKED))
        assert await observe(driver, [port]) == [PARKED]


@EACH
async def test_only_what_was_saved_is_there_after_a_restart(name: str) -> None:
    switch = rack_switch(name)
    port, other = switch.port_list[:2]
    async with driving(switch) as driver:
        await send(driver, SetPort(port, PortConfig(100)), SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]
        await send(driver, SetPort(other, PortConfig(101)))
        switch.reload()
        assert [switch.carried(port), switch.carried(other)] == [Carried(100), Carried(1)]


@EACH
async def test_a_save_that_fails_is_told(name: str) -> None:
    switch = rack_switch(name)
    switch.faults.save_error = {
        "cisco_nxos": "Configuration update aborted: system not ready",
        "dell_os10": "% Error: No space left on device",
    }[name]
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match=r"aborted: system not ready|No space left"):
            await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(False)]


# --- who it is ------------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize(
    ("options", "credential"),
    [
        ({}, HAAS),
        ({"motd": "Authorized use only!\n# no password: >"}, HAAS),
        ({"hostname": "leaf-1.dc2_b"}, HAAS),
        ({"password": None}, Credential(username="haas")),
    ],
)
async def test_a_login_ends_where_ports_can_be_set(
    name: str, options: dict[str, Any], credential: Credential
) -> None:
    switch = rack_switch(name, **options)
    async with driving(switch, credential) as driver:
        await send(driver, SetPort(switch.port_list[0], PortConfig(100)))
        assert switch.carried(switch.port_list[0]) == Carried(100)


@EACH
async def test_a_wrong_password_is_told(name: str) -> None:
    with pytest.raises(DeviceError, match=r"refused the login of haas \(Login incorrect\)"):
        async with driving(rack_switch(name), Credential(username="haas", password="no")):
            pass


@EACH
async def test_a_switch_says_what_it_is_and_how_long_it_has_been_up(name: str) -> None:
    switch = rack_switch(name)
    switch.booted -= 93_784  # a day, two hours, three minutes, four seconds
    async with driving(switch) as driver:
        probed = await driver.probe()
        assert (probed.model, probed.version) == {
            "cisco_nxos": ("Nexus9000 93180YC-EX", "9.3(8)"),
            "dell_os10": ("S4148F-ON", "10.5.1.3"),
        }[name]
        assert probed.ports == dict.fromkeys(switch.port_list, PortConfig(1))
        assert probed.vlans == {1, 7, *POOL}
        assert await driver.up_for() == pytest.approx(93_784, abs=60)


MESSAGES = {
    "cisco_nxos": "2026 Jun  9 12:00:02 sw1 %$ VDC-1 %$ %ETHPORT-5-IF_DOWN_NONE: Interface "
    "Ethernet1/4 is down (None)",
    "dell_os10": "<165>1 2026-06-09T12:00:02.616888+00:00 sw1 dn_alm 669 - - Node.1-Unit.1:PRI "
    "[event], Dell EMC (OS10) %IFM_OSTATE_DN: Interface operational state is down :ethernet1/1/4",
}


@EACH
async def test_log_messages_in_the_middle_of_everything(name: str) -> None:
    switch = rack_switch(name)
    switch.on_change = lambda changed, ports: changed.announce(MESSAGES[name])
    port = switch.port_list[0]
    async with driving(switch) as driver:
        for config in (PortConfig(100), PARKED, PortConfig(None, (100,))):
            switch.announce(MESSAGES[name])
            await send(driver, SetPort(port, config))
            assert await observe(driver, [port]) == [config]
        await send(driver, SaveConfig())


@EACH
async def test_a_switch_that_pages_all_the_same(name: str) -> None:
    switch = rack_switch(name, ports=40)
    switch.faults.refuse = {"^terminal length": ""}
    async with driving(switch) as driver:
        await send(driver, SetPort(switch.port_list[39], PortConfig(100)))
        seen = await observe(driver, switch.port_list)
        assert seen == [PortConfig(1)] * 39 + [PortConfig(100)]


NAMES = {
    "cisco_nxos": ("Ethernet1/1", ["Eth1/1", "e1/1", "ethernet 1/01"], ["Eth1/1/1", "Eth1/11"]),
    "dell_os10": ("ethernet1/1/1", ["Eth1/1/1", "e1/1/1", "ethernet 1/1/1"], ["eth1/1/1:1"]),
}


@EACH
def test_a_port_has_one_name_however_it_is_spelled(name: str) -> None:
    full, same, others = NAMES[name]
    dialect = DIALECTS[name]
    assert {dialect.canonical_port(port) for port in (full, *same)} == {full}
    assert full not in {dialect.canonical_port(port) for port in others}
