"""HPE's two families, Comware and ProVision (ProCurve), against strict simulators of both.

Each in two kinds: Comware 7 and 5.20; a ProVision that takes a port home to the default VLAN when
it loses its last one, and one that refuses that. After each line that is sent, a port carries
nothing that neither its old nor its new configuration has: also when a line is refused, and those
sent ahead of its answer are carried out all the same.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
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
from haas_rpcd.sim import comware, procurve
from haas_rpcd.sim.cli import ALL_VLANS, Carried, CliSwitch

POOL = (100, 101, 102, 103)
FOREIGN = 7
"""A VLAN that is not of the pool: another's."""

HAAS = Credential(username="haas", password="s3cret", enable="en4ble")
SETTINGS: dict[str, Any] = {"login_timeout": 5.0, "answer_timeout": 5.0, "busy_timeout": 0.0}


class RefusingSwitch(procurve.ProcurveSwitch):
    """A ProVision switch on which no line takes a port off its last VLAN."""

    lonely = "refused"


def comware_anything(dice: random.Random, switch: CliSwitch[Any], name: str) -> None:
    """Leave a port of Comware as anybody may have left it."""
    port = switch.running.ports[name]
    port.become(dice.choice(["access", "trunk", "hybrid"]))
    port.shutdown = dice.random() < 0.3
    some = frozenset(dice.sample([1, FOREIGN, *POOL], dice.randint(0, 6)))
    if port.link_type == "access":
        port.access_vlan = dice.choice([1, FOREIGN, *POOL])
    elif port.link_type == "trunk":
        port.permitted = dice.choice([some, some, ALL_VLANS])
        port.pvid = dice.choice([1, FOREIGN, *POOL])
    else:
        port.untagged = frozenset(vlan for vlan in some if dice.random() < 0.5)
        port.tagged = some - port.untagged
        port.pvid = dice.choice([1, FOREIGN, *POOL])


def procurve_anything(dice: random.Random, switch: CliSwitch[Any], name: str) -> None:
    """Leave a port of ProVision as anybody may have left it."""
    vlans = switch.running.vlans
    for vlan in vlans.values():
        vlan.tagged, vlan.untagged = vlan.tagged - {name}, vlan.untagged - {name}
    switch.running.ports[name].shutdown = dice.random() < 0.3
    some = dice.sample([1, FOREIGN, *POOL], dice.choice([1, 1, 2, 3, 4]))
    if dice.random() < 0.6:
        vlans[some.pop()].untagged |= {name}
    for vlan in some:
        vlans[vlan].tagged |= {name}


@dataclass(frozen=True)
class Family:
    """One kind of switch: how it is made, how its ports are registered, what it calls its lines."""

    kind: type[CliSwitch[Any]]
    port: str
    """A port as it is registered, with ``{}`` for its number."""

    full: str
    """The same, as the switch has it."""

    anything: Callable[[random.Random, CliSwitch[Any], str], None]
    lines: tuple[str, ...]
    """Every kind of line that is sent for ports, as regular expressions."""

    refusal: str
    """How the switch refuses a line."""


COMWARE_LINES = (
    r"^interface",
    r"^shutdown",
    r"^port link-type access",
    r"^port link-type trunk",
    r"^undo port trunk permit vlan all",
    r"^undo port trunk permit vlan \d",
    r"^port trunk permit",
    r"port trunk pvid",
    r"^port access vlan",
    r"^undo port access vlan",
    r"^quit",
    r"^undo shutdown",
)
PROCURVE_LINES = (
    r"disable$",
    r"^vlan 1 untagged",
    r"^no vlan 1 untagged",
    r"^vlan \d\d\d untagged",
    r"^vlan \d\d\d tagged",
    r"^no vlan \d\d\d tagged",
    r"enable$",
)
GIGABIT = "GigabitEthernet1/0/{}"
UNKNOWN = " % Unrecognized command found at '^' position."
FAMILIES = {
    "comware 7": Family(
        comware.ComwareSwitch, "GE1/0/{}", GIGABIT, comware_anything, COMWARE_LINES, UNKNOWN
    ),
    "comware 5.20": Family(
        comware.Comware5Switch, GIGABIT, GIGABIT, comware_anything, COMWARE_LINES, UNKNOWN
    ),
    "procurve": Family(
        procurve.ProcurveSwitch, "{}", "{}", procurve_anything, PROCURVE_LINES, "Invalid input: 5"
    ),
    "procurve that refuses": Family(
        RefusingSwitch, "{}", "{}", procurve_anything, PROCURVE_LINES, "Invalid input: 5"
    ),
}
ALL = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
MODERN = pytest.mark.parametrize(
    "family",
    [FAMILIES["comware 7"], FAMILIES["procurve"]],
    ids=["comware", "procurve"],
)


def made(family: Family, *, ports: int = 4, **options: Any) -> CliSwitch[Any]:
    """A switch with the pool's VLANs, and one that is none of ours."""
    defaults: dict[str, Any] = {"username": "haas", "password": "s3cret", "history": True}
    switch = family.kind("sw1", ports=family.kind.port_names(ports), **(defaults | options))
    for vlan in (FOREIGN, *POOL):
        is_comware = isinstance(switch, comware.ComwareSwitch)
        switch.running.vlans[vlan] = f"v{vlan}" if is_comware else procurve.Vlan(f"v{vlan}")
    assert switch.save()
    switch.counters.saves = 0
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


def left_as_anything(
    dice: random.Random, family: Family, switch: CliSwitch[Any], ports: Sequence[str]
) -> None:
    for name in ports:
        family.anything(dice, switch, name)
    switch.touch()
    switch.settle()


# --- logging in -----------------------------------------------------------------------------------

LOGINS: dict[str, tuple[dict[str, Any], Credential]] = {
    "a user and a password": ({}, HAAS),
    "a password only": ({"username": None}, Credential(password="s3cret")),
    "a user name only": ({"password": None}, Credential(username="haas")),
    "nothing asked": ({"username": None, "password": None}, Credential()),
    "a message of the day": ({"motd": "No error here\n*** Welcome to <sw1># ***"}, HAAS),
}


@ALL
@pytest.mark.parametrize("case", LOGINS)
async def test_all_ways_to_log_in_end_where_ports_can_be_set(family: Family, case: str) -> None:
    options, credential = LOGINS[case]
    switch = made(family, **options)
    async with driving(switch, credential) as driver:
        await send(driver, SetPort(family.port.format(1), PortConfig(100)))
        assert switch.carried(family.full.format(1)) == Carried(100)


@pytest.mark.parametrize("username", ["haas", None])
async def test_a_procurve_operator_becomes_its_manager(username: str | None) -> None:
    """``enable`` asks for the manager's name too, where there is one."""
    switch = made(FAMILIES["procurve"], username=username, enable="en4ble")
    async with driving(switch) as driver:
        await send(driver, SetPort("1", PortConfig(100)))
    with pytest.raises(DeviceError) as caught:
        async with driving(switch, Credential(username="haas", password="s3cret", enable="no")):
            pass
    assert caught.value.reason == "enable"


@ALL
async def test_a_wrong_password_is_noticed_at_once(family: Family) -> None:
    with pytest.raises(DeviceError) as caught:
        async with driving(made(family), Credential(username="haas", password="wrong")):
            pass
    assert caught.value.reason == "login"


@ALL
async def test_a_switch_whose_sessions_are_all_taken_says_so(family: Family) -> None:
    switch = made(family, vtys=0)
    with pytest.raises(DeviceError, match="no session free") as caught:
        async with driving(switch):
            pass
    assert caught.value.reason == "busy"


@ALL
async def test_pages_are_turned_where_paging_cannot_be_switched_off(family: Family) -> None:
    switch = made(family, ports=24)
    switch.faults.refuse[r"^(screen-length|no page)"] = family.refusal
    async with driving(switch) as driver:
        ports = [family.port.format(number) for number in range(1, 25)]
        some = {number: PortConfig(100 + number % 4) for number in range(24)}
        await send(driver, *(SetPort(port, some[at]) for at, port in enumerate(ports)))
        assert await configs(driver, ports) == list(some.values())


# --- one port -------------------------------------------------------------------------------------


@ALL
@pytest.mark.parametrize("seed", range(3))
async def test_from_any_state_to_any_other_by_lines_that_open_nothing_else(
    family: Family, seed: int
) -> None:
    dice = random.Random(seed)
    switch = made(family)
    name, registered = family.full.format(1), family.port.format(1)
    async with driving(switch) as driver:
        for _ in range(12):
            left_as_anything(dice, family, switch, [name])
            for _ in range(2):
                before, wanted = switch.carried(name), config_of(dice)
                seen = len(switch.history)
                await send(driver, SetPort(registered, wanted))
                for entry in switch.history[seen:]:
                    now = vlans(entry.changed[name])
                    assert now <= vlans(before) | wanted.vlans, (before, wanted, entry.line)
                assert switch.carried(name) == carried(wanted)
                assert await configs(driver, [registered]) == [wanted]
                if wanted.parked:
                    assert switch.is_shut(name)


@ALL
async def test_setting_a_port_twice_changes_nothing_the_second_time(family: Family) -> None:
    switch = made(family)
    async with driving(switch) as driver:
        for config in (PortConfig(100), PortConfig(None, (100,)), PortConfig(100, (101,)), PARKED):
            await send(driver, SetPort(family.port.format(1), config))
            seen = len(switch.history)
            await send(driver, SetPort(family.port.format(1), config))
            assert switch.history[seen:] == []


@ALL
async def test_a_port_that_goes_on_being_used_is_never_shut(family: Family) -> None:
    """One more VLAN, or another without a tag, does not take a node's link down."""
    switch = made(family)
    steps = [
        PortConfig(100, (101,)),
        PortConfig(100, (101, 102)),
        PortConfig(102, (100, 103)),
        PortConfig(None, (100, 103)),
        PortConfig(101, (100,)),
    ]
    async with driving(switch) as driver:
        await send(driver, SetPort(family.port.format(1), steps[0]))
        for before, wanted in pairwise(steps):
            lines = await send(driver, SetPort(family.port.format(1), wanted))
            stays = switch.dialect == "hpe_comware" or wanted.untagged is not None
            shut = [line for line in lines if line in ("shutdown", "interface 1 disable")]
            assert bool(shut) != stays, (before, wanted)


@ALL
async def test_a_list_of_vlans_that_is_too_long_for_a_line(family: Family) -> None:
    scattered = tuple(range(201, 281, 2))
    wanted = PortConfig(untagged=None, tagged=scattered)
    switch = made(family)
    registered = family.port.format(1)
    async with driving(switch) as driver:
        await send(driver, *(SetVlan(vlan, True) for vlan in scattered))
        lines = await send(driver, SetPort(registered, wanted))
        assert max(map(len, lines)) < 200
        assert switch.carried(family.full.format(1)) == carried(wanted)
        assert await configs(driver, [registered]) == [wanted]
        await send(driver, SetPort(registered, PARKED))
        assert switch.carried(family.full.format(1)) == Carried()


# --- several ports --------------------------------------------------------------------------------


@ALL
async def test_ports_that_get_the_same_are_set_in_one_range(family: Family) -> None:
    switch = made(family, ports=24)
    ports = [family.port.format(number) for number in range(1, 25)]
    async with driving(switch) as driver:
        lines = await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))
        own = [line for line in lines if line not in ("system-view", "configure terminal")]
        assert len(own) <= 5
        assert {switch.carried(name) for name in switch.port_list} == {Carried(100)}
        alone = await configs(driver, ports)
        assert alone == [PortConfig(100)] * 24


@MODERN
async def test_a_model_without_ranges_is_set_port_by_port(family: Family) -> None:
    switch = made(family, ports=4)
    ports = [family.port.format(number) for number in range(1, 5)]
    async with driving(switch, options={"ranges": False}) as driver:
        lines = await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))
        assert not any("range" in line or "-4" in line for line in lines)
        assert await configs(driver, ports) == [PortConfig(100)] * 4


def kinds() -> list[Any]:
    """Every kind of line of every family."""
    return [
        pytest.param(family, line, id=f"{name}-{line}")
        for name, family in FAMILIES.items()
        if name != "comware 5.20"
        for line in family.lines
    ]


@pytest.mark.parametrize(("family", "refused"), kinds())
async def test_a_refusal_amid_lines_sent_ahead_opens_nothing_either(
    family: Family, refused: str
) -> None:
    """Lines behind the refused one are carried out by the switch all the same."""
    dice = random.Random(refused)
    switch = made(family)
    names = list(switch.port_list)
    registered = [family.port.format(number) for number in range(1, 5)]
    for _ in range(2):
        left_as_anything(dice, family, switch, names)
        wanted = [config_of(dice) for _ in names]
        before = {name: switch.carried(name) for name in names}
        seen = len(switch.history)
        switch.faults.refuse = {refused: family.refusal}
        async with driving(switch, options={"window": 16}) as driver:
            changes = [
                SetPort(port, config) for port, config in zip(registered, wanted, strict=True)
            ]
            outcomes = await driver.send(changes, News())
            for entry in switch.history[seen:]:
                for name, now in entry.changed.items():
                    target = wanted[names.index(name)]
                    assert vlans(now) <= vlans(before[name]) | target.vlans, entry.line
            for name, config, outcome in zip(names, wanted, outcomes, strict=True):
                if outcome.state == "sent":
                    assert switch.carried(name) == carried(config)
        switch.faults.refuse = {}


@ALL
async def test_after_a_refusal_the_session_goes_on(family: Family) -> None:
    switch = made(family)
    async with driving(switch, options={"window": 16}) as driver:
        switch.faults.refuse = {r"vlan 101": family.refusal}
        with pytest.raises(DeviceError, match="refused"):
            await send(driver, SetPort(family.port.format(1), PortConfig(101)))
        switch.faults.refuse = {}
        assert await driver.usable()
        await send(driver, SetPort(family.port.format(1), PortConfig(101)))
        assert switch.carried(family.full.format(1)) == Carried(101)


@ALL
async def test_a_port_that_is_not_there_hides_no_other(family: Family) -> None:
    switch = made(family)
    ports = [family.port.format(number) for number in (1, 99)]
    async with driving(switch) as driver:
        seen = await driver.observe([SetPort(port, PARKED) for port in ports])
        assert isinstance(seen[0], PortSeen)
        assert isinstance(seen[1], DeviceError)
        assert seen[1].reason == "missing"


# --- VLANs ----------------------------------------------------------------------------------------


@ALL
async def test_vlans_are_made_named_and_removed(family: Family) -> None:
    switch = made(family)
    many = [SetVlan(200, True), SetVlan(201, True)]
    async with driving(switch) as driver:
        for _ in range(2):
            await send(driver, SetVlan(200, True))
            named = switch.running.vlans[200]
            assert getattr(named, "name", named) == "haas-200"
        assert await driver.observe(many) == [PresenceSeen(True), PresenceSeen(False)]
        for _ in range(2):
            await send(driver, SetVlan(200, False), SetVlan(202, True), SetVlan(201, False))
        assert await driver.observe(many) == [PresenceSeen(False), PresenceSeen(False)]
        assert set(switch.running.vlans) == {1, FOREIGN, *POOL, 202}


async def test_a_procurve_asks_before_it_removes_a_vlan_with_ports() -> None:
    """No line sent ahead takes the place of the answer."""
    switch = made(FAMILIES["procurve"])
    switch.running.vlans[100].untagged, switch.running.vlans[1].untagged = (
        frozenset({"3"}),
        switch.running.vlans[1].untagged - {"3"},
    )
    async with driving(switch) as driver:
        await send(driver, SetVlan(100, False), SetVlan(101, False), SetVlan(102, False))
        assert set(switch.running.vlans) == {1, FOREIGN, 103}
        assert switch.carried("3") == Carried(1)


async def test_a_procurve_that_has_no_room_for_another_vlan_says_so() -> None:
    switch = made(FAMILIES["procurve"])
    assert isinstance(switch, procurve.ProcurveSwitch)
    switch.room_for_vlans = 6
    async with driving(switch) as driver:
        await send(driver, SetVlan(103, True))
        with pytest.raises(DeviceError, match="Maximum number of VLANs"):
            await send(driver, SetVlan(104, True))


# --- saving, restarting ---------------------------------------------------------------------------


@ALL
async def test_what_was_saved_outlives_a_restart_and_nothing_else_does(family: Family) -> None:
    switch = made(family)
    name, registered = family.full.format(1), family.port.format(1)
    async with driving(switch) as driver:
        saving: list[SwitchChange] = [
            SetVlan(200, True),
            SetPort(registered, PortConfig(200)),
            SaveConfig(),
        ]
        outcomes = await driver.send(saving, News())
        assert [outcome.state for outcome in outcomes] == ["sent"] * 3
        assert switch.counters.saves == 1
        await send(driver, SetPort(registered, PortConfig(101)))
        switch.reload()
        assert switch.carried(name) == Carried(200)


SAVE_ERRORS = {
    "hpe_comware": "Failed to save the configuration: not enough space on flash:.",
    "hp_procurve": "Unable to write the startup configuration.",
}


@ALL
async def test_a_save_that_is_refused_is_no_save(family: Family) -> None:
    switch = made(family)
    switch.faults.save_error = SAVE_ERRORS[switch.dialect]
    async with driving(switch) as driver:
        changes: list[SwitchChange] = [
            SetPort(family.port.format(1), PortConfig(100)),
            SaveConfig(),
        ]
        first, second = await driver.send(changes, News())
        assert first.state == "sent"
        assert second.state == "refused"


@ALL
async def test_a_save_of_which_nothing_is_kept_is_noticed(family: Family) -> None:
    """The switch takes the line and does not say that it saved."""
    switch = made(family)
    switch.faults.refuse[r"^(save force|write memory)"] = ""
    async with driving(switch) as driver:
        changes: list[SwitchChange] = [
            SetPort(family.port.format(1), PortConfig(100)),
            SaveConfig(),
        ]
        _, second = await driver.send(changes, News())
        assert second.error is not None
        assert "did not say that it saved" in second.error.message


async def test_an_old_procurve_that_cannot_tell_what_is_saved_is_believed() -> None:
    switch = made(FAMILIES["procurve"])
    switch.faults.refuse[r"^show config status"] = "Invalid input: status"
    async with driving(switch) as driver:
        await send(driver, SetPort("1", PortConfig(100)), SaveConfig())
        assert switch.counters.saves == 1


# --- what it says of itself -----------------------------------------------------------------------

IDENTITIES = {
    "comware 7": ("HPE 5130-24G-4SFP+ EI Switch JG932A", "7.1.070, Release 3506P02"),
    "comware 5.20": ("HP A5120-24G EI Switch with 2 Slots", "5.20.99, Release 2221P02"),
    "procurve": ("HP J9773A 2530-24G-PoEP Switch", "YA.16.10.0010"),
}


@pytest.mark.parametrize("case", IDENTITIES)
async def test_a_switch_says_what_it_is_and_what_is_on_it(case: str) -> None:
    model, version = IDENTITIES[case]
    family = FAMILIES[case]
    switch = made(family)
    async with driving(switch) as driver:
        await send(driver, SetPort(family.port.format(2), PortConfig(100, (101,))))
        probed = await driver.probe()
        assert (probed.model, probed.version) == (model, version)
        assert set(probed.ports) == set(switch.port_list)
        assert probed.ports[family.full.format(1)] == PortConfig(1)
        assert probed.ports[family.full.format(2)] == PortConfig(100, (101,))
        assert probed.vlans == {1, FOREIGN, *POOL}
        up = await driver.up_for()
        assert up is not None
        assert up < 60


@ALL
async def test_log_messages_in_the_middle_disturb_nothing(family: Family) -> None:
    switch = made(family)
    logs = {
        "hpe_comware": "%Jan  1 00:00:01:123 2013 sw1 IFNET/3/PHY_UPDOWN: Physical state on the"
        " interface GigabitEthernet1/0/4 changed to up.",
        "hp_procurve": "I 01/01/90 00:00:10 00076 ports: port 4 is now on-line",
    }
    switch.on_change = lambda device, ports: device.announce(logs[device.dialect])
    async with driving(switch) as driver:
        ports = [family.port.format(number) for number in range(1, 5)]
        for vlan in POOL:
            await send(driver, *(SetPort(port, PortConfig(vlan)) for port in ports))
        assert await configs(driver, ports) == [PortConfig(103)] * 4


NAMES = [
    ("hpe_comware", "GigabitEthernet1/0/1", GIGABIT.format(1)),
    ("hpe_comware", "gigabitethernet 1/0/01", GIGABIT.format(1)),
    ("hpe_comware", "g1/0/1", GIGABIT.format(1)),
    ("hpe_comware", "GE1/0/1", GIGABIT.format(1)),
    ("hpe_comware", "XGE1/0/49", "Ten-GigabitEthernet1/0/49"),
    ("hpe_comware", "ten-g1/0/49", "Ten-GigabitEthernet1/0/49"),
    ("hpe_comware", "FortyGigE1/0/53:1", "FortyGigE1/0/53:1"),
    ("hp_procurve", "1", "1"),
    ("hp_procurve", "ethernet 05", "5"),
    ("hp_procurve", "a1", "A1"),
    ("hp_procurve", "2/24", "2/24"),
    ("hp_procurve", "1/a3", "1/A3"),
    ("hp_procurve", "trk1", "Trk1"),
]


@pytest.mark.parametrize(("dialect", "registered", "canonical"), NAMES)
def test_a_port_has_one_name_however_it_is_written(
    dialect: str, registered: str, canonical: str
) -> None:
    assert DIALECTS[dialect].canonical_port(registered) == canonical


def test_a_comware_port_that_could_be_several_is_refused() -> None:
    with pytest.raises(ValueError, match="write the type out"):
        DIALECTS["hpe_comware"].canonical_port("t1/0/1")


def test_procurve_ports_of_modules_stacks_and_trunks_are_read() -> None:
    answer = (
        "; J8697A Configuration Editor; Created on release #K.15.18.0007\n"
        'hostname "core"\ninterface A2\n   disable\n   exit\ninterface Trk1\n   exit\n'
        'vlan 1\n   name "DEFAULT_VLAN"\n   no untagged A1-A2,Trk1\n'
        "   untagged A3-A24,2/1-2/3\n   ip address dhcp-bootp\n   exit\n"
        'vlan 100\n   name "haas-100"\n   untagged A1-A2\n   tagged A24,Trk1\n   exit\n'
    )
    found = DIALECTS["hp_procurve"].parse_ports([answer], {})
    assert len(found) == 28
    assert found["A1"] == PortState(PortConfig(100))
    assert found["A2"] == PortState(PortConfig(100), open=False)
    assert found["A24"] == PortState(PortConfig(1, (100,)))
    assert found["2/2"] == PortState(PortConfig(1))
    assert found["Trk1"] == PortState(PortConfig(None, (100,)))


def test_comware_ports_are_read_whatever_their_link_type() -> None:
    answer = (
        "#\ninterface NULL0\n#\ninterface Vlan-interface1\n ip address dhcp-alloc\n#\n"
        "interface GigabitEthernet1/0/1\n port link-mode bridge\n port link-type trunk\n"
        " undo port trunk permit vlan 1\n port trunk permit vlan 100 to 102 200\n"
        " port trunk permit vlan 300\n port trunk pvid vlan 100\n#\n"
        "interface GigabitEthernet1/0/2\n port link-mode bridge\n port link-type trunk\n#\n"
        "interface GigabitEthernet1/0/3\n port link-mode bridge\n port link-type hybrid\n"
        " undo port hybrid vlan 1\n port hybrid vlan 100 tagged\n port hybrid vlan 101 untagged\n"
        " port hybrid pvid vlan 101\n shutdown\n#\n"
        "interface Ten-GigabitEthernet1/0/49\n port link-mode route\n#\nreturn\n"
    )
    found = DIALECTS["hpe_comware"].parse_ports([answer], {})
    ten = "Ten-GigabitEthernet1/0/49"
    assert set(found) == {*(GIGABIT.format(number) for number in (1, 2, 3)), ten}
    assert found[GIGABIT.format(1)] == PortState(PortConfig(100, (101, 102, 200, 300)))
    assert found[GIGABIT.format(2)] == PortState(PortConfig(1), plain=False)
    assert found[GIGABIT.format(3)] == PortState(PortConfig(101, (100,)), open=False, plain=False)
    assert found[ten] == PortState(PARKED, plain=False)
