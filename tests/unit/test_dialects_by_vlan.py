"""Dialects in which ports join VLANs by lines under the VLAN, against their simulated switches.

``dell_os9`` speaks to a Dell S4810, ``brocade_fastiron`` to an ICX of today and to one from before
08.0.80, all by real telnet and all strict: a port must leave one VLAN before it joins another.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.dialect import Dialect, PortState
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
)
from haas_rpcd.sim.cli import Carried, Device
from haas_rpcd.sim.fastiron import FastIronSwitch
from haas_rpcd.sim.os9 import Os9Switch
from tests.unit.test_session import FULL, SETTINGS, Listener, send, silent

POOL = (100, 101, 102, 103)
FOREIGN = 7
"""A VLAN that is not of the pool: another's."""


def os9_anything(dice: random.Random, switch: Device[Any], name: str) -> None:
    """Leave a port of OS9 as anybody may have left it."""
    port = switch.running.ports[name]
    for vlan in switch.running.vlans.values():
        vlan.tagged, vlan.untagged = vlan.tagged - {name}, vlan.untagged - {name}
    port.shutdown, port.switched = dice.random() < 0.3, dice.random() < 0.8
    port.hybrid = dice.random() < 0.5
    if not port.switched:
        return
    some = dice.sample([FOREIGN, *POOL], dice.choice([0, 1, 1, 2, 3]))
    how = dice.choice(["tagged", "untagged", "both" if port.hybrid else "tagged"])
    if how != "tagged" and some:
        switch.running.vlans[some.pop()].untagged |= {name}
    for vlan in some if how != "untagged" else ():
        switch.running.vlans[vlan].tagged |= {name}


def fastiron_anything(dice: random.Random, switch: Device[Any], name: str) -> None:
    """Leave a port of FastIron as anybody may have left it."""
    config = switch.running
    port, home = config.ports[name], config.vlans[1]
    for vlan in config.vlans.values():
        vlan.tagged, vlan.untagged = vlan.tagged - {name}, vlan.untagged - {name}
    home.taken_off -= {name}
    port.disabled, port.dual = dice.random() < 0.3, None
    some = dice.sample([FOREIGN, *POOL], dice.choice([0, 1, 1, 2, 3]))
    if some and dice.random() < 0.4:
        own = some.pop()
        config.vlans[own].untagged |= {name}
        some = some if config.implicit else []
    for vlan in some:
        config.vlans[vlan].tagged |= {name}
    if some and not config.implicit:
        port.dual = dice.choice([None, 1, some[0]])
    elif some and dice.random() < 0.5:
        home.taken_off |= {name}


@dataclass(frozen=True)
class Family:
    """One dialect, and a switch to try it on."""

    kind: type[Device[Any]]
    anything: Callable[[random.Random, Device[Any], str], None]
    short: str
    """What stands before the last number in the name that ports are registered by."""
    made: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[self.kind.dialect]

    def switch(self, hostname: str = "sw1", *, ports: int = 6, **options: Any) -> Device[Any]:
        defaults: dict[str, Any] = {
            "username": "haas",
            "password": "s3cret",
            "enable": "en4ble",
            "history": True,
            "ports": self.kind.port_names(ports),
        }
        return self.kind(hostname, **(defaults | self.made | options))

    def name(self, switch: Device[Any], at: int) -> str:
        """The name by which a port is registered."""
        return f"{self.short}{switch.port_list[at].rpartition('/')[2]}"


FAMILIES = {
    "dell_os9": Family(Os9Switch, os9_anything, "te0/"),
    "fastiron": Family(FastIronSwitch, fastiron_anything, "1/1/"),
    "fastiron before 08.0.80": Family(
        FastIronSwitch, fastiron_anything, "ethe 1/1/", {"release": "08.0.30"}, {"dual_mode": True}
    ),
}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]


@asynccontextmanager
async def driving(
    family: Family, switch: Device[Any], credential: Credential = FULL, **options: Any
) -> AsyncIterator[SwitchDriver]:
    """Start a switch, and open a session on it."""
    async with switch:
        driver = SwitchDriver(
            "sw1",
            family.dialect,
            connect=lambda: TelnetTransport.connect("sw1", "127.0.0.1", switch.port, 5.0),
            options=family.options | options,
            credential=lambda: credential,
            settings=SwitchSettings(**SETTINGS),
        )
        try:
            await driver.open(silent)
            yield driver
        finally:
            await driver.close()


async def make_vlans(driver: SwitchDriver) -> None:
    await send(driver, *(SetVlan(vlan, True) for vlan in (FOREIGN, *POOL)))


def carried(config: PortConfig) -> Carried:
    return Carried(config.untagged, frozenset(config.tagged))


def vlans(now: Carried) -> set[int]:
    return set(now.tagged) | ({now.untagged} if now.untagged is not None else set())


def config_of(dice: random.Random) -> PortConfig:
    untagged = dice.choice([None, *POOL])
    tagged = set(dice.sample(POOL, dice.choice([0, 0, 1, 2, 3]))) - {untagged}
    return PortConfig(untagged, tuple(sorted(tagged)))


def check(
    switch: Device[Any], seen: int, before: dict[str, Carried], wanted: dict[str, PortConfig]
) -> None:
    """After each line that was sent every port carried nothing but its old or its new VLANs."""
    for entry in switch.history[seen:]:
        for name, now in entry.changed.items():
            allowed = vlans(before[name]) | wanted[name].vlans
            assert vlans(now) <= allowed, (name, before[name], wanted[name], entry.line)


# --- ports ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
async def test_from_any_state_to_any_other_by_lines_that_open_nothing_else(
    family: Family, seed: int
) -> None:
    dice = random.Random(seed)
    switch = family.switch()
    async with driving(family, switch) as driver:
        await make_vlans(driver)
        *own, other = switch.port_list
        for _ in range(10):
            for name in switch.port_list:
                family.anything(dice, switch, name)
            switch.touch()
            switch.settle()
            for _ in range(2):
                before = {name: switch.carried(name) for name in switch.port_list}
                choice = [config_of(dice), config_of(dice)]
                wanted = {name: dice.choice(choice) for name in own}
                seen = len(switch.history)
                changes = [
                    SetPort(family.name(switch, at), wanted[name]) for at, name in enumerate(own)
                ]
                await send(driver, *changes)
                check(switch, seen, before, wanted)
                for name, config in wanted.items():
                    assert switch.carried(name) == carried(config), (before[name], config)
                    assert switch.is_shut(name) == config.parked
                assert switch.carried(other) == before[other]
                assert await driver.observe(changes) == [PortSeen(c.config) for c in changes]


async def test_setting_a_port_twice_changes_nothing_the_second_time(family: Family) -> None:
    switch = family.switch()
    async with driving(family, switch) as driver:
        await make_vlans(driver)
        for config in (PortConfig(100), PortConfig(None, (100,)), PortConfig(101, (100,)), PARKED):
            change = SetPort(family.name(switch, 0), config)
            await send(driver, change)
            seen = len(switch.history)
            await send(driver, change)
            assert switch.history[seen:] == []


async def test_a_tagged_vlan_comes_and_goes_while_the_port_stays_open(family: Family) -> None:
    switch = family.switch()
    port = family.name(switch, 0)
    async with driving(family, switch) as driver:
        await make_vlans(driver)
        await send(driver, SetPort(port, PortConfig(100, (101,))))
        for tagged in ((101, 102), (101,)):
            lines = await send(driver, SetPort(port, PortConfig(100, tagged)))
            assert family.dialect.shut not in lines  # type: ignore[attr-defined]
            assert switch.carried(switch.port_list[0]) == Carried(100, frozenset(tagged))


async def test_many_ports_are_set_in_few_lines(family: Family) -> None:
    switch = family.switch(ports=24)
    async with driving(family, switch) as driver:
        await make_vlans(driver)
        changes = [SetPort(family.name(switch, at), PortConfig(100)) for at in range(24)]
        lines = await send(driver, *changes)
        assert len(lines) < 20
        assert {switch.carried(name) for name in switch.port_list} == {Carried(100)}
        single = await send(driver, *(SetPort(change.port, PARKED) for change in changes[::2]))
        assert len(single) < 40
        assert [switch.is_shut(name) for name in switch.port_list] == [True, False] * 12


async def test_a_model_without_ranges_is_set_port_by_port(family: Family) -> None:
    switch = family.switch()
    async with driving(family, switch, ranges=False) as driver:
        await make_vlans(driver)
        changes = [SetPort(family.name(switch, at), PortConfig(100)) for at in range(6)]
        lines = await send(driver, *changes)
        assert not [line for line in lines if "range" in line or " to " in line or "-5" in line]
        assert {switch.carried(name) for name in switch.port_list} == {Carried(100)}


async def test_two_hundred_tagged_vlans(family: Family) -> None:
    switch = family.switch()
    wanted = PortConfig(None, tuple(range(200, 600, 2)))
    async with driving(family, switch) as driver:
        await send(driver, *(SetVlan(vlan, True) for vlan in wanted.tagged))
        change = SetPort(family.name(switch, 0), wanted)
        await send(driver, change)
        assert switch.carried(switch.port_list[0]) == carried(wanted)
        assert await driver.observe([change]) == [PortSeen(wanted)]


REFUSED = [
    r"^(?:shutdown|disable)$",
    r"^no (?:un)?tagged",
    r"^no (?:switchport|dual-mode)",
    r"^(?:switchport|portmode|dual-mode)",
    r"^untagged",
    r"^tagged",
    r"^(?:no shutdown|enable)$",
    r"^interface (?!vlan)",
    r"^(?:interface )?vlan 10[12]$",
    r"^exit$",
]


@pytest.mark.parametrize("pattern", REFUSED)
async def test_a_refused_line_leaves_nothing_open_that_should_not_be(
    family: Family, pattern: str
) -> None:
    """Up to a window of lines was sent ahead of the refusal, and is carried out all the same."""
    for seed in range(3):
        dice = random.Random(seed)
        switch = family.switch()
        async with driving(family, switch, window=16) as driver:
            await make_vlans(driver)
            for name in switch.port_list:
                family.anything(dice, switch, name)
            switch.touch()
            switch.settle()
            before = {name: switch.carried(name) for name in switch.port_list}
            wanted = {name: config_of(dice) for name in switch.port_list}
            changes = [
                SetPort(family.name(switch, at), wanted[name])
                for at, name in enumerate(switch.port_list)
            ]
            seen = len(switch.history)
            switch.faults.refuse = {pattern: "Error: refused by the test"}
            if family.kind is Os9Switch:
                switch.faults.refuse = {pattern: "% Error: refused by the test"}
            outcomes = await driver.send(changes, Listener())
            check(switch, seen, before, wanted)
            switch.faults.refuse = {}
            if any(outcome.error for outcome in outcomes):
                assert {outcome.state for outcome in outcomes} & {"refused", "unfinished"}
        async with driving(family, switch) as driver:
            await send(driver, *changes)
        for name, config in wanted.items():
            assert switch.carried(name) == carried(config)


async def test_lines_for_a_vlan_that_is_refused_do_not_fall_on_the_one_before(
    family: Family,
) -> None:
    """Not even on ports that stay open, as their VLANs without a tag stay."""
    switch = family.switch()
    first, second, *_ = switch.port_list
    names = [family.name(switch, at) for at in range(2)]
    async with driving(family, switch, window=16) as driver:
        await make_vlans(driver)
        await send(driver, *(SetPort(name, PortConfig(100, (101,))) for name in names))
        switch.faults.refuse = {"vlan 103$": "% Error: refused by the test"}
        if family.kind is FastIronSwitch:
            switch.faults.refuse = {"vlan 103$": "Error - refused by the test"}
        changes = [
            SetPort(names[0], PortConfig(100, (101, 102))),
            SetPort(names[1], PortConfig(100, (101, 103))),
        ]
        outcomes = await driver.send(changes, Listener())
        assert [outcome.state for outcome in outcomes][1] == "refused"
        assert switch.carried(first) == Carried(100, frozenset({101, 102}))
        assert switch.carried(second) == Carried(100, frozenset({101}))


async def test_a_port_of_which_nothing_is_known_opens_only_if_it_proved_to_be_on_nothing() -> None:
    change = SetPort("te0/1", PortConfig(100))
    script = DIALECTS["dell_os9"].script([change], {})
    texts = [line.text for line in script]
    assert texts.index("shutdown") < texts.index("no switchport") < texts.index("no shutdown")
    last_stage = max(at for at, line in enumerate(script) if line.guarded)
    assert texts.index("untagged TenGigabitEthernet 0/1") < last_stage < texts.index("no shutdown")
    unknown = DIALECTS["brocade_fastiron"].script([SetPort("1/1/1", PortConfig(100))], {})
    assert [line.text for line in unknown] == ["interface ethernet 1/1/1", "disable", "exit"]


# --- VLANs, saving, restarts ----------------------------------------------------------------------


async def test_vlans_are_made_named_and_removed(family: Family) -> None:
    switch = family.switch()
    async with driving(family, switch) as driver:
        await send(driver, SetVlan(100, True))
        assert switch.running.vlans[100].name == "haas-100"
        await send(driver, SetVlan(100, True))
        many = [SetVlan(100, True), SetVlan(101, True)]
        assert await driver.observe(many) == [PresenceSeen(True), PresenceSeen(False)]
        for _ in range(2):
            await send(driver, SetVlan(100, False))
            assert await driver.observe(many) == [PresenceSeen(False), PresenceSeen(False)]


async def test_what_was_saved_outlives_a_restart_and_nothing_else_does(family: Family) -> None:
    switch = family.switch()
    port = family.name(switch, 0)
    async with driving(family, switch) as driver:
        await make_vlans(driver)
        await send(driver, SetPort(port, PortConfig(100)), SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]
        await send(driver, SetPort(port, PortConfig(101)))
        switch.reload()
    async with driving(family, switch) as driver:
        assert await driver.observe([SetPort(port, PARKED)]) == [PortSeen(PortConfig(100))]
        assert (await driver.up_for() or 0) < 120


async def test_a_save_is_confirmed_by_the_switch_s_word_only(family: Family) -> None:
    switch = family.switch()
    async with driving(family, switch) as driver:
        switch.faults.save_error = "Flash is busy."
        with pytest.raises(DeviceError, match="did not say that it saved"):
            await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(False)]


# --- sessions -------------------------------------------------------------------------------------

LOGINS: dict[str, tuple[dict[str, Any], Credential]] = {
    "username, password, enable": ({}, FULL),
    "no enable password": ({"enable": None}, Credential(username="haas", password="s3cret")),
    "password only": ({"username": None}, Credential(password="s3cret", enable="en4ble")),
    "a message of the day": ({"motd": "Welcome to sw1\nno > # prompt, no error: none"}, FULL),
    "a long name": ({"hostname": "a-very-long-host-name.dc-2.example.org"}, FULL),
}


@pytest.mark.parametrize("case", LOGINS)
async def test_all_ways_to_log_in_end_in_privileged_mode(family: Family, case: str) -> None:
    options, credential = LOGINS[case]
    switch = family.switch(**options)
    async with driving(family, switch, credential) as driver:
        probed = await driver.probe()
        assert probed.prompt.endswith(f"{switch.running.hostname}#")
        assert probed.model
        assert probed.version[0].isdigit()
        await send(driver, SetVlan(100, True))
        await send(driver, SetPort(family.name(switch, 0), PortConfig(100)))
        assert switch.carried(switch.port_list[0]) == Carried(100)


WRONG = [
    Credential(username="haas", password="no", enable="en4ble"),
    Credential(username="haas", password="s3cret", enable="no"),
]


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_password_is_said_to_be_one(family: Family, wrong: Credential) -> None:
    with pytest.raises(DeviceError, match="refused") as caught:
        async with driving(family, family.switch(), wrong):
            pass
    assert caught.value.reason in ("login", "enable")


async def test_an_icx_that_asks_who_wants_to_be_privileged() -> None:
    family = FAMILIES["fastiron"]
    switch = family.switch("ICX7150-24 Switch", enable_asks_user=True)
    login = Credential(username="haas", password="s3cret")
    async with driving(family, switch, login) as driver:
        assert (await driver.probe()).prompt == "telnet@ICX7150-24 Switch#"
        await make_vlans(driver)


async def test_log_messages_and_pages_in_the_middle_of_everything(family: Family) -> None:
    message = {
        "dell_os9": "Jun 18 13:52:30: %STKUNIT0-M:CP %IFMGR-5-OSTATE_UP: Changed interface state",
        "brocade_fastiron": "SYSLOG: <14>Dec 15 18:46:17 sw1 Interface ethernet 1/1/3, state up",
    }[family.dialect.name]
    switch = family.switch(ports=40)
    switch.on_change = lambda changed, ports: changed.announce(message)
    switch.faults.refuse = {"^(?:terminal length|skip-page-display)": "Error: not here"}
    async with driving(family, switch) as driver:
        await make_vlans(driver)
        for config in (PortConfig(100), PARKED, PortConfig(None, (101,)), PortConfig(101, (102,))):
            switch.announce(message)
            change = SetPort(family.name(switch, 0), config)
            await send(driver, change)
            switch.announce(message)
            assert await driver.observe([change]) == [PortSeen(config)]
        await send(driver, SaveConfig())


async def test_somebody_else_holds_the_configuration() -> None:
    family = FAMILIES["dell_os9"]
    switch = family.switch()
    assert isinstance(switch, Os9Switch)
    async with driving(family, switch) as driver:
        switch.locked_by = "admin"
        [outcome] = await driver.send([SetVlan(100, True)], Listener())
        assert outcome.error is not None
        busy = family.dialect.busy
        assert busy is not None
        assert busy.search(outcome.error.message)
        switch.locked_by = None
        await send(driver, SetVlan(100, True))


async def test_a_port_that_the_switch_does_not_have(family: Family) -> None:
    switch = family.switch()
    port = f"{family.short}99"
    async with driving(family, switch) as driver:
        with pytest.raises(DeviceError, match="refused"):
            await send(driver, SetPort(port, PARKED))
        [missing] = await driver.observe([SetPort(port, PARKED)])
        assert isinstance(missing, DeviceError)
        assert "does not show a port" in missing.message


@pytest.mark.parametrize("config", [PortConfig(100, (101,)), PortConfig(None, (101,))])
async def test_an_old_icx_taken_for_a_new_one_refuses_and_the_port_stays_shut(
    config: PortConfig,
) -> None:
    """And the other way round."""
    for name, options in (("fastiron before 08.0.80", {}), ("fastiron", {"dual_mode": True})):
        family = replace(FAMILIES[name], options=options)
        switch = family.switch()
        async with driving(family, switch) as driver:
            await make_vlans(driver)
            with pytest.raises(DeviceError, match="refused"):
                await send(driver, SetPort("1/1/1", config))
            assert switch.is_shut(switch.port_list[0])


# --- names and texts ------------------------------------------------------------------------------

NAMES = {
    "dell_os9": {
        "te0/1": "TenGigabitEthernet 0/1",
        "Te 0/01": "TenGigabitEthernet 0/1",
        "tengigabitethernet0/1": "TenGigabitEthernet 0/1",
        "TenGigabitEthernet 1/49/1": "TenGigabitEthernet 1/49/1",
        "fo0/48": "fortyGigE 0/48",
        "twe1/1": "twentyFiveGigE 1/1",
        "Port-channel 3": "Port-channel 3",
    },
    "brocade_fastiron": {
        "1/1/1": "ethernet 1/1/1",
        "e1/1/1": "ethernet 1/1/1",
        "ethe 1/1/01": "ethernet 1/1/1",
        "Ethernet 1/1/1": "ethernet 1/1/1",
        "lag 3": "lag 3",
    },
}


@pytest.mark.parametrize("name", NAMES)
def test_a_port_has_one_name_whatever_it_is_called(name: str) -> None:
    dialect = DIALECTS[name]
    for given, canonical in NAMES[name].items():
        assert dialect.canonical_port(given) == canonical
        assert dialect.canonical_port(canonical) == canonical


def test_a_name_that_could_be_several_ports_is_refused() -> None:
    with pytest.raises(ValueError, match="may be TenGigabitEthernet or twentyFiveGigE"):
        DIALECTS["dell_os9"].canonical_port("t0/1")


def test_what_os9_configurations_say() -> None:
    text = """
Current Configuration ...
! Version 9.14(2.4)
default vlan-id 4000
!
interface TenGigabitEthernet 0/8
 description %error% % Error: none
 no ip address
 switchport
 no shutdown
!
interface TenGigabitEthernet 0/14
 no ip address
 portmode hybrid
 switchport
 shutdown
!
interface TenGigabitEthernet 1/6
 no ip address
 switchport
 no shutdown
!
interface Vlan 11
 ip address 10.11.1.10/16
 tagged TenGigabitEthernet 0/8-13
 tagged Port-channel 1-5,11,13-14
 untagged TenGigabitEthernet 0/14,19-20,1/5-1/8
 no shutdown
!
interface Vlan 12
 tagged TenGigabitEthernet 0/8,14
!
end
"""
    found = DIALECTS["dell_os9"].parse_ports([text], {})
    assert found == {
        "TenGigabitEthernet 0/8": PortState(PortConfig(None, (11, 12)), open=True),
        "TenGigabitEthernet 0/14": PortState(PortConfig(11, (12,)), open=False),
        "TenGigabitEthernet 1/6": PortState(PortConfig(11), open=True),
    }
    assert DIALECTS["dell_os9"].parse_ports([text.replace(" untagged", " !")], {})[
        "TenGigabitEthernet 1/6"
    ] == PortState(PortConfig(4000), open=True)


def test_what_fastiron_configurations_say() -> None:
    brief = """
Port       Link    State   Dupl Speed Trunk Tag Pvid Pri MAC             Name
SYSLOG: <14>Dec 15 18:46:17 sw1 Interface ethernet 1/1/3, state up
1/1/1      Up      Forward Full 1G    None  Yes 5    0   d4c1.9e8f.1108
1/1/2      Disable None    None None  None  No  1    0   d4c1.9e8f.1109
1/1/3      Down    None    None None  None  No  1    0   d4c1.9e8f.110a
1/2/1      Up      Forward Full 1G    None  Yes N/A  0   d4c1.9e8f.1139
mgmt1      Down    None    None None  None  No  None 0   d4c1.9e8f.1108
"""
    text = """Current configuration:
!
ver 08.0.95bT213
!
default-vlan-id 666
!
vlan 5 name APS by port
 tagged ethe 1/2/1 \n untagged ethe 1/1/1 to 1/1/2 \n!
vlan 10 by port
 tagged ethe 1/1/1 ethe 1/2/1 \n tagged ethe 1/2/2 lag 3 \n!
vlan 666 name DEFAULT-VLAN by port
 no untagged ethe 1/2/1 \n!
interface ethernet 1/1/2
 port-name error box
 disable
!
end
"""
    dialect = DIALECTS["brocade_fastiron"]
    assert dialect.parse_ports([text, brief], {}) == {
        "ethernet 1/1/1": PortState(PortConfig(5, (10,)), open=True),
        "ethernet 1/1/2": PortState(PortConfig(5), open=False),
        "ethernet 1/1/3": PortState(PortConfig(666), open=True),
        "ethernet 1/2/1": PortState(PortConfig(None, (5, 10)), open=True),
    }
    assert dialect.parse_vlans([text]) == {5, 10, 666}
