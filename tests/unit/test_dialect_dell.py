"""Dell's own two families, PowerConnect 55xx and the N-series, against strict simulators of both.

After each line that is sent, a port carries nothing that neither its old nor its new configuration
has: also when a line is refused, and those sent ahead of its answer are carried out all the same.
"""

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
from haas_rpcd.sim.cli import ALL_VLANS, Carried, CliSwitch
from haas_rpcd.sim.personalities import make

BOTH = pytest.mark.parametrize("family", ["dell_powerconnect", "dell_os6"])
POOL = (100, 101, 102, 103)
HAAS = Credential(username="haas", password="s3cret", enable="en4ble")
SETTINGS: dict[str, Any] = {"login_timeout": 5.0, "answer_timeout": 5.0, "busy_timeout": 0.0}

SHORT = {"dell_powerconnect": "gi1/0/{}", "dell_os6": "Gi1/0/{}"}
"""Ports as they are registered."""


def name(number: int) -> str:
    """The simulated switch's own name of a port."""
    return f"gigabitethernet1/0/{number}"


def dell(family: str, *, ports: int = 4, **options: Any) -> CliSwitch[Any]:
    """A switch with the pool's VLANs, and one that is none of ours."""
    defaults: dict[str, Any] = {"username": "haas", "password": "s3cret", "history": True}
    switch = make(family, ports=ports, **(defaults | options))
    assert isinstance(switch, CliSwitch)
    for vlan in (7, *POOL):
        switch.running.vlans[vlan] = f"haas-{vlan}"
    assert switch.save()
    return switch


@asynccontextmanager
async def driving(
    switch: CliSwitch[Any],
    credential: Credential = HAAS,
    options: dict[str, Any] | None = None,
    **settings: float,
) -> AsyncIterator[SwitchDriver]:
    """Start a switch, and open a session on it."""
    async with switch:
        driver = SwitchDriver(
            "sw1",
            DIALECTS[switch.dialect],
            connect=lambda: TelnetTransport.connect("sw1", "127.0.0.1", switch.port, 5.0),
            options=options or {},
            credential=lambda: credential,
            settings=SwitchSettings(**(SETTINGS | settings)),
        )
        try:
            await driver.open(lambda line: None)
            yield driver
        finally:
            await driver.close()


class News:
    """Hears the lines; stops nothing."""

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


async def configs(driver: SwitchDriver, ports: Sequence[str]) -> list[PortConfig | str]:
    seen = await driver.observe([SetPort(port, PARKED) for port in ports])
    return [one.config if isinstance(one, PortSeen) else str(one) for one in seen]


def carried(config: PortConfig) -> Carried:
    return Carried(config.untagged, frozenset(config.tagged))


def vlans(now: Carried) -> set[int]:
    return set(now.tagged) | ({now.untagged} if now.untagged is not None else set())


def config_of(dice: random.Random) -> PortConfig:
    untagged = dice.choice([None, *POOL])
    tagged = set(dice.sample(POOL, dice.choice([0, 0, 1, 2, 3]))) - {untagged}
    return PortConfig(untagged, tuple(sorted(tagged)))


def anything(dice: random.Random, switch: CliSwitch[Any], port_name: str) -> None:
    """Leave a port as anybody may have left it."""
    port = switch.running.ports[port_name]
    every = type(port)().allowed
    nowhere = [None] if switch.dialect == "dell_powerconnect" else []
    port.mode = dice.choice(["access", "trunk", "general"])
    port.access_vlan = dice.choice([1, 7, *POOL, *nowhere])
    port.native_vlan = dice.choice([1, 7, *POOL, *nowhere])
    some = frozenset(dice.sample([1, 7, *POOL], dice.randint(0, 6)))
    port.allowed = dice.choice([frozenset(), every, some])
    port.general = frozenset(dice.sample([1, 7, *POOL], dice.randint(0, 6)))
    port.pvid = dice.choice([1, 7, *POOL])
    port.untagged = port.general & {1, 7, port.pvid}
    port.shutdown = dice.random() < 0.3
    switch.touch(port_name)
    switch.settle()


# --- logging in -----------------------------------------------------------------------------------

LOGINS: dict[str, tuple[dict[str, Any], Credential]] = {
    "privileged at once": ({}, HAAS),
    "enable without a password": ({"enable": "", "privileged": False}, HAAS),
    "enable with a password": ({"enable": "en4ble"}, HAAS),
    "a password only": ({"username": None}, Credential(password="s3cret")),
    "a user name only": ({"password": None}, Credential(username="haas")),
    "a message of the day": ({"motd": "No error here\n*** Welcome to sw1> ***"}, HAAS),
}


@BOTH
@pytest.mark.parametrize("case", LOGINS)
async def test_all_ways_to_log_in_end_in_privileged_mode(family: str, case: str) -> None:
    options, credential = LOGINS[case]
    switch = dell(family, **options)
    async with driving(switch, credential) as driver:
        await send(driver, SetPort(SHORT[family].format(1), PortConfig(100)))
        assert switch.carried(name(1)) == Carried(100)


@BOTH
@pytest.mark.parametrize(
    ("options", "credential", "reason"),
    [
        ({}, Credential(username="haas", password="wrong"), "login"),
        ({"enable": "other"}, HAAS, "enable"),
        ({"enable": "other"}, Credential(username="haas", password="s3cret"), "enable"),
    ],
)
async def test_a_wrong_password_is_noticed_at_once(
    family: str, options: dict[str, Any], credential: Credential, reason: str
) -> None:
    with pytest.raises(DeviceError) as caught:
        async with driving(dell(family, **options), credential):
            pass
    assert caught.value.reason == reason


@BOTH
async def test_pages_are_turned_where_paging_cannot_be_switched_off(family: str) -> None:
    switch = dell(family, ports=24)
    switch.faults.refuse[r"^terminal "] = "% Unrecognized command"
    async with driving(switch) as driver:
        ports = [SHORT[family].format(number) for number in range(1, 25)]
        await send(driver, *(SetPort(port, PortConfig(101)) for port in ports))
        assert await configs(driver, ports) == [PortConfig(101)] * 24


# --- one port -------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("seed", range(3))
async def test_from_any_state_to_any_other_by_lines_that_open_nothing_else(
    family: str, seed: int
) -> None:
    dice = random.Random(seed)
    switch = dell(family)
    port = SHORT[family].format(1)
    async with driving(switch) as driver:
        for _ in range(20):
            anything(dice, switch, name(1))
            for _ in range(2):
                before, wanted = switch.carried(name(1)), config_of(dice)
                seen = len(switch.history)
                await send(driver, SetPort(port, wanted))
                for entry in switch.history[seen:]:
                    now = vlans(entry.changed[name(1)])
                    assert now <= vlans(before) | wanted.vlans, (before, wanted, entry.line)
                assert switch.carried(name(1)) == carried(wanted)
                assert await configs(driver, [port]) == [wanted]
                assert switch.is_shut(name(1)) == wanted.parked


@BOTH
async def test_whatever_anybody_left_is_read_as_it_is(family: str) -> None:
    """Also modes that we never set, and a trunk that admits everything."""
    dice = random.Random(7)
    switch = dell(family)
    live = frozenset(switch.running.vlans)
    async with driving(switch) as driver:
        for _ in range(40):
            anything(dice, switch, name(1))
            [seen] = await configs(driver, [SHORT[family].format(1)])
            assert isinstance(seen, PortConfig)
            told = Carried(seen.untagged, frozenset(seen.tagged) & live)
            assert told == switch.carried(name(1))


@BOTH
async def test_setting_a_port_twice_changes_nothing_the_second_time(family: str) -> None:
    switch = dell(family)
    port = SHORT[family].format(1)
    async with driving(switch) as driver:
        for config in (
            PortConfig(100),
            PortConfig(None, (100,)),
            PortConfig(101, (100, 103)),
            PARKED,
        ):
            await send(driver, SetPort(port, config))
            seen = len(switch.history)
            await send(driver, SetPort(port, config))
            assert switch.history[seen:] == []


@BOTH
async def test_a_tagged_vlan_that_comes_to_others_does_not_interrupt_them(family: str) -> None:
    switch = dell(family)
    port = SHORT[family].format(1)
    async with driving(switch) as driver:
        await send(driver, SetPort(port, PortConfig(100, (101, 102))))
        seen = len(switch.history)
        await send(driver, SetPort(port, PortConfig(100, (101, 103))))
        for entry in switch.history[seen:]:
            assert vlans(entry.changed[name(1)]) >= {100, 101}


@BOTH
async def test_a_long_list_of_scattered_vlans(family: str) -> None:
    switch = dell(family)
    scattered = tuple(range(2, 1000, 2))
    for vlan in range(2, 1001):
        switch.running.vlans[vlan] = ""
    wanted = SetPort(SHORT[family].format(1), PortConfig(None, scattered))
    async with driving(switch) as driver:
        [lines] = driver.preview([wanted])
        assert max(map(len, lines)) < 254
        await send(driver, SetPort(wanted.port, PARKED))
        await send(driver, wanted)
        assert switch.carried(name(1)) == carried(wanted.config)
        assert await configs(driver, [wanted.port]) == [wanted.config]


@BOTH
async def test_a_port_that_the_switch_does_not_have(family: str) -> None:
    async with driving(dell(family)) as driver:
        with pytest.raises(DeviceError, match=r'refused "interface'):
            await send(driver, SetPort(SHORT[family].format(9), PortConfig(100)))
        [seen] = await configs(driver, [SHORT[family].format(9)])
        assert "does not show a port" in str(seen)


NAMES = [
    ("gi1/0/1", True),
    ("Gi1/0/1", True),
    ("gigabitethernet1/0/1", True),
    ("GigabitEthernet 1/0/1", True),
    ("gi1/0/01", True),
    ("gi1/0/11", False),
    ("gi2/0/1", False),
    ("te1/0/1", False),
]


@BOTH
@pytest.mark.parametrize(("registered", "same"), NAMES)
def test_one_port_has_one_name(family: str, registered: str, same: bool) -> None:
    assert (DIALECTS[family].canonical_port(registered) == name(1)) == same


def test_a_name_that_may_be_two_ports_is_refused() -> None:
    with pytest.raises(ValueError, match="tengigabitethernet or twentyfivegigabitethernet"):
        DIALECTS["dell_os6"].canonical_port("t1/0/1")


async def test_a_model_without_a_port_on_no_vlan() -> None:
    switch = dell("dell_powerconnect")
    switch.faults.refuse["access vlan none"] = "% bad parameter value"
    parked = SetPort("gi1/0/1", PARKED)
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match="% bad parameter value"):
            await send(driver, parked)
    async with driving(switch, options={"access_none": False}) as driver:
        await send(driver, parked)
        assert await configs(driver, ["gi1/0/1"]) == [PARKED]


# --- several ports --------------------------------------------------------------------------------


@BOTH
async def test_ports_that_get_the_same_are_set_in_ranges(family: str) -> None:
    switch = dell(family, ports=12)
    short = SHORT[family]
    changes = [SetPort(short.format(number), PortConfig(100)) for number in (1, 2, 3, 4, 6, 8, 9)]
    async with driving(switch) as driver:
        lines = await send(driver, *changes)
        span = f"interface range {short.format(1)}-4,{short.format(6)},{short.format(8)}-9"
        assert [line for line in lines if line.startswith("interface")] == [span]
        alone = SetPort(short.format(5), PortConfig(101))
        assert f"interface {alone.port}" in await send(driver, alone)
        held = [switch.carried(name(number)).untagged for number in range(1, 10)]
        assert held == [100, 100, 100, 100, 101, 100, 1, 100, 100]


REFUSALS = [
    r"^interface range",
    r"^interface [Gg]i",
    r"^shutdown",
    r"^no shutdown",
    r"^switchport mode access",
    r"^switchport mode trunk",
    r"^switchport access vlan",
    r"^no switchport",
    r"allowed vlan (?:remove|none)",
    r"allowed vlan (?:add|\d)",
    r"native vlan",
    r"^exit",
]


@pytest.mark.parametrize(
    ("family", "refused"),
    [
        (family, refused)
        for family in SHORT
        for refused in REFUSALS
        # OS6 takes ``interface`` outside a port's context only; nothing makes it refuse ``exit``.
        if (family, refused) != ("dell_os6", "^exit")
    ],
)
async def test_a_refusal_amid_lines_sent_ahead_opens_nothing_else(
    family: str, refused: str
) -> None:
    dice = random.Random(refused)
    switch = dell(family)
    ports = range(1, 5)
    async with driving(switch, options={"window": 16}) as driver:
        for _ in range(6):
            switch.faults.refuse.clear()
            for number in ports:
                anything(dice, switch, name(number))
            before = {name(number): switch.carried(name(number)) for number in ports}
            same = config_of(dice)
            wanted = {number: same if number < 3 else config_of(dice) for number in ports}
            seen = len(switch.history)
            switch.faults.refuse[refused] = "% Invalid input detected at '^' marker."
            changes = [SetPort(SHORT[family].format(n), wanted[n]) for n in ports]
            outcomes = await driver.send(changes, News())
            for entry in switch.history[seen:]:
                for port, now in entry.changed.items():
                    goal = wanted[int(port.rpartition("/")[2])].vlans
                    assert vlans(now) <= vlans(before[port]) | goal, (port, entry.line)
            for number, outcome in zip(ports, outcomes, strict=True):
                if outcome.state == "sent":
                    assert switch.carried(name(number)) == carried(wanted[number])


async def test_powerconnect_is_sent_a_line_at_a_time() -> None:
    """It loses what is typed ahead: every line waits for the answer to the one before."""
    dialect = DIALECTS["dell_powerconnect"]
    assert dialect.window == 1
    switch = dell("dell_powerconnect", line_delay=0.001)
    async with driving(switch) as driver:
        await send(driver, *(SetPort(f"gi1/0/{n}", PortConfig(100)) for n in range(1, 5)))
        assert switch.carried(name(4)) == Carried(100)


# --- VLANs ----------------------------------------------------------------------------------------


@BOTH
async def test_vlans_are_made_named_and_removed(family: str) -> None:
    switch = dell(family)
    many = [SetVlan(vlan, True) for vlan in (110, 111)]
    gone = [SetVlan(vlan, False) for vlan in (110, 111)]
    async with driving(switch) as driver:
        for _ in range(2):
            await send(driver, *many)
            assert [switch.running.vlans[vlan] for vlan in (110, 111)] == ["haas-110", "haas-111"]
            assert await driver.observe(many) == [PresenceSeen(True)] * 2
        for _ in range(2):
            await send(driver, *gone)
            assert await driver.observe(many) == [PresenceSeen(False)] * 2
        assert switch.running.vlans.keys() == {1, 7, *POOL}


async def test_powerconnect_s_vlan_database_is_entered_once() -> None:
    async with driving(dell("dell_powerconnect")) as driver:
        changes = [SetVlan(110, True), SetVlan(103, False), SetVlan(111, True)]
        [*database] = await send(driver, *changes)
        assert database == [
            "configure", "vlan database", "vlan 110", "no vlan 103", "vlan 111", "exit",
            "interface vlan 110", "name haas-110", "exit",
            "interface vlan 111", "name haas-111", "exit",
        ]  # fmt: skip


async def test_a_vlan_that_is_not_there_is_refused_on_a_port() -> None:
    async with driving(dell("dell_os6")) as driver:
        with pytest.raises(DeviceError, match="VLAN ID not found"):
            await send(driver, SetPort(SHORT["dell_os6"].format(1), PortConfig(999)))


async def test_os6_has_no_vlan_4094() -> None:
    async with driving(dell("dell_os6")) as driver:
        with pytest.raises(DeviceError, match="VLANs failed to be configured : 1"):
            await send(driver, SetVlan(4094, True))


async def test_a_database_that_somebody_else_locked_is_tried_again() -> None:
    switch = dell("dell_powerconnect")
    locked = "Configuration Database locked by another application - try later"
    switch.faults.refuse["^vlan 110"] = locked

    class Patient(News):
        """The other one is done as soon as we begin to wait."""

        def line(self, change: int, line: str) -> None:
            super().line(change, line)
            if line.startswith("# somebody else"):
                switch.faults.refuse.clear()

    async with driving(switch, busy_timeout=5.0) as driver:
        news = Patient()
        [outcome] = await driver.send([SetVlan(110, True)], news)
        assert (outcome.state, 110 in switch.running.vlans) == ("sent", True)
        assert [line for line in news.lines if line.startswith("#")]


# --- saving ---------------------------------------------------------------------------------------


@BOTH
async def test_only_what_was_saved_outlives_a_power_cut(family: str) -> None:
    switch = dell(family)
    saved, lost = (SHORT[family].format(number) for number in (1, 2))
    async with driving(switch) as driver:
        await send(driver, SetPort(saved, PortConfig(100, (101,))), SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]
        await send(driver, SetPort(lost, PortConfig(102)))
        assert switch.counters.saves == 2  # the first one is of the test's own making
    switch.reload()
    assert switch.carried(name(1)) == Carried(100, frozenset({101}))
    assert switch.carried(name(2)) == Carried(1)


SAVE_ERRORS = {"dell_powerconnect": "Copy failed", "dell_os6": "Configuration Not Saved!"}


@BOTH
async def test_a_save_that_fails_is_no_save(family: str) -> None:
    switch = dell(family)
    switch.faults.save_error = SAVE_ERRORS[family]
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match=SAVE_ERRORS[family]):
            await send(driver, SaveConfig())
        switch.faults.save_error = "Flash is busy."
        with pytest.raises(DeviceError, match="did not say that it saved"):
            await send(driver, SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(False)]
        switch.faults.save_error = None
        await send(driver, SaveConfig())
        await send(driver, SetPort(SHORT[family].format(1), PortConfig(100)))


# --- what it is, and noise ------------------------------------------------------------------------


IDENTITIES = {"dell_powerconnect": ("PowerConnect 5548", "4.1.0.19"),
              "dell_os6": ("N2048", "6.3.3.10")}  # fmt: skip


@BOTH
async def test_it_says_what_it_is_and_how_long_it_is_up(family: str) -> None:
    switch = dell(family)
    up = 21 * 86400 + 3 * 3600 + 11 * 60 + 20
    switch.booted -= up
    async with driving(switch) as driver:
        probed = await driver.probe()
        assert (probed.model, probed.version) == IDENTITIES[family]
        assert probed.ports == {name(number): PortConfig(1) for number in range(1, 5)}
        assert probed.vlans == {1, 7, *POOL}
        seconds = await driver.up_for()
        assert seconds is not None
        assert 0 <= seconds - up < 60


NOISE = {
    "dell_powerconnect": "04-Jun-2016 13:02:53 %LINK-W-Down:  gi1/0/4",
    "dell_os6": "<189> Oct 13 23:24:00 10.19.0.98-1 TRAPMGR[277167328]: traputil.c(638) 24282 %% "
    "Spanning Tree Topology Change Received: MSTID: 0 Te1/0/2",
}


@BOTH
async def test_messages_of_the_system_amid_answers_are_no_errors(family: str) -> None:
    switch = dell(family, line_delay=0.001)

    class Talking(News):
        """The switch has something to say whenever a line is on its way."""

        def line(self, change: int, line: str) -> None:
            super().line(change, line)
            switch.announce(NOISE[family])

    async with driving(switch) as driver:
        changes = [SetPort(SHORT[family].format(n), PortConfig(100, (101,))) for n in range(1, 5)]
        outcomes = await driver.send(changes, Talking())
        assert [outcome.state for outcome in outcomes] == ["sent"] * 4
        assert switch.carried(name(4)) == Carried(100, frozenset({101}))


def test_a_trunk_s_list_is_read_however_firmware_writes_it() -> None:
    status = "gi1/0/1  1G-Copper    Full    1000  Enabled  Off  Up          Disabled Off\n"
    head = "interface gigabitethernet1/0/1\n switchport mode trunk\n"
    for lines, config in {
        " switchport trunk allowed vlan add 5,7-8\n": PortConfig(None, (5, 7, 8)),
        " switchport trunk allowed vlan remove 1-4,6-4094\n": PortConfig(None, (5,)),
        " switchport trunk native vlan none\n switchport trunk allowed vlan add 5\n":
            PortConfig(None, (5,)),
        " switchport trunk native vlan 5\n switchport trunk allowed vlan add 5,9\n":
            PortConfig(5, (9,)),
        " switchport trunk allowed vlan none\n": PARKED,
        "": PortConfig(1, tuple(sorted(ALL_VLANS - {1}))),
    }.items():  # fmt: skip
        found = DIALECTS["dell_powerconnect"].parse_ports([f"{head}{lines}!\n", status], {})
        assert found == {name(1): PortState(config, open=True)}
