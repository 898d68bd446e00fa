"""Logins, sessions, and what a switch says of itself and its ports, in every dialect."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PortSeen, PresenceSeen, SaveConfig, SetPort, SetVlan
from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.personalities import CLASSES, dialects, personality
from tests.unit.dialects.harness import (
    Recorder,
    all_carried,
    carried,
    driving,
    observe,
    send,
    vlans_on,
)
from tests.unit.dialects.kind import LOGINS, Kind
from tests.unit.dialects.kinds import EVERY, KINDS, those

pytestmark = pytest.mark.slow


REAL = {"linux_bridge", "openvswitch"}
"""Dialects that the lab tries on real switches."""


def test_there_is_a_simulator_for_every_dialect() -> None:
    assert DIALECTS.keys() - REAL == CLASSES.keys()
    assert set(dialects()) == CLASSES.keys() == {kind.dialect for kind in KINDS.values()}
    assert {personality(name).dialect for name in dialects()} == CLASSES.keys()


@pytest.mark.parametrize(
    ("kind", "login"),
    [
        pytest.param(kind, login, id=f"{name}-{login}")
        for name, kind in KINDS.items()
        for login in kind.logins
    ],
)
async def test_after_every_kind_of_login_ports_can_be_set(kind: Kind, login: str) -> None:
    options, credential = LOGINS[login]
    switch = kind.switch(**options)
    async with driving(switch, credential, kind.options) as driver:
        await send(driver, SetVlan(104, True))
        await send(driver, SetPort(kind.port(switch, 0), PortConfig(104)))
        assert switch.carried(switch.port_list[0]) == Carried(104)
        prompt = (await driver.probe()).prompt
        assert not kind.up_within or re.split(r"\W", switch.running.hostname)[0] in prompt


@EVERY
async def test_a_wrong_password_is_reported_and_sent_once(kind: Kind) -> None:
    switch = kind.switch()
    with pytest.raises(DeviceError, match=f"sw1 refused the login of haas.*{kind.wrong}") as caught:
        async with driving(switch, Credential(username="haas", password="no", enable="en4ble")):
            pass
    assert caught.value.reason == "login"
    assert switch.counters.failed_logins == 1


@those(lambda kind: "no enable password" in kind.logins)
@pytest.mark.parametrize("enable", ["no", ""])
async def test_a_wrong_enable_password_is_reported(kind: Kind, enable: str) -> None:
    credential = Credential(username="haas", password="s3cret", enable=enable)
    with pytest.raises(DeviceError, match=r"refused|asks for an enable") as caught:
        async with driving(kind.switch(enable="other"), credential):
            pass
    assert caught.value.reason == "enable"


@those(lambda kind: kind.kind.full_text)
async def test_a_switch_without_a_free_session_is_reported(kind: Kind) -> None:
    with pytest.raises(DeviceError, match="no session free") as caught:
        async with driving(kind.switch(vtys=0)):
            pass
    assert caught.value.reason == "busy"


@those(lambda kind: kind.up_within)
async def test_pages_are_turned_if_paging_cannot_be_turned_off(kind: Kind) -> None:
    switch = kind.switch(ports=40)
    switch.faults.refuse = dict.fromkeys(
        map(re.escape, DIALECTS[kind.dialect].dialogue.setup), kind.refusal
    )
    ports = list(map(kind.name, switch.port_list))
    wanted = [PortConfig(100 + at % 4) for at in range(39)]
    async with driving(switch, options=kind.options) as driver:
        await send(driver, *(SetPort(*each) for each in zip(ports, wanted, strict=False)))
        assert await observe(driver, ports) == [*wanted, kind.seen or kind.fresh]


@those(lambda kind: kind.message)
async def test_log_messages_are_neither_errors_nor_prompts(kind: Kind) -> None:
    switch = kind.switch(line_delay=0.001)
    switch.on_change = lambda changed, ports: changed.announce(kind.message)
    ports = list(map(kind.name, switch.port_list))

    class Talking(Recorder):
        """Makes the switch print a log message whenever a line is sent."""

        def line_sent(self, change: int, line: str) -> None:
            super().line_sent(change, line)
            switch.announce(kind.message)

    async with driving(switch, options=kind.options) as driver:
        for config in (PortConfig(100), PARKED, PortConfig(None, (101,)), PortConfig(101, (102,))):
            switch.announce(kind.message)
            await send(driver, *(SetPort(port, config) for port in ports), progress=Talking())
            switch.announce(kind.message)
            assert await observe(driver, ports) == [config] * 4
            assert {*all_carried(switch).values()} == {carried(config)}
        await send(driver, SaveConfig(), progress=Talking())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]


@EVERY
async def test_a_probe_reads_identity_ports_vlans_and_uptime(kind: Kind) -> None:
    switch = kind.switch()
    own = {switch.port_list[1]: PortConfig(100, (101,))}
    async with driving(switch, options=kind.options) as driver:
        await send(driver, SetPort(kind.port(switch, 1), PortConfig(100, (101,))))
        probed = await driver.probe()
        assert (probed.model, probed.version) == kind.identity
        seen = dict.fromkeys(switch.port_list, kind.seen or kind.fresh) | own
        assert {port: each.config for port, each in probed.ports.items()} == seen
        assert probed.vlans == vlans_on(switch).keys()
        day, month = 93_784, 21 * 86400 + 3 * 3600 + 11 * 60 + 20
        for seconds in (0, day, month) if kind.up_within else ():
            switch.booted -= seconds
            up = await driver.uptime()
            assert up is not None
            assert up.seconds == pytest.approx(switch.seconds_up(), abs=kind.up_within)
        up = await driver.uptime()
        assert up is not None
        assert up.seconds > 0


@EVERY
def test_every_spelling_of_a_port_has_one_canonical_name(kind: Kind) -> None:
    dialect = DIALECTS[kind.dialect]
    for spelled, name in kind.names.items():
        for written in (*spelled.split("; "), name):
            assert dialect.canonical_port(written) == name
    assert len({*kind.names.values()}) == len(kind.names)
    ports = kind.kind.port_names(12)
    assert [dialect.canonical_port(kind.name(port)) for port in ports] == ports


@those(lambda kind: DIALECTS[kind.dialect].reader.witness is not None)
async def test_operational_membership_is_read_for_all_ports_by_one_line_and_in_no_apply(
    kind: Kind,
) -> None:
    reader = DIALECTS[kind.dialect].reader
    assert reader.witness is not None
    line = reader.witness.line
    switch = kind.switch()
    ports = [kind.name(port) for port in switch.port_list]
    async with driving(switch, options=kind.options) as driver:
        wanted = [SetPort(port, PortConfig(100)) for port in ports]
        await send(driver, *wanted)
        seen = await driver.observe(wanted)
        if line not in reader.read_vlans(kind.options):
            assert line not in [record.text for record in switch.lines]
        before = len(switch.lines)
        carries = {
            port: one for port, one in zip(ports, seen, strict=True) if isinstance(one, PortSeen)
        }
        assert await driver.cross_check(carries) == carries
        assert [one.text for one in switch.lines[before:]].count(line) == 1
        switch.assigned[switch.port_list[1]] = 101
        await driver.observe([*wanted, SetVlan(100, present=True)])
        before = len(switch.lines)
        checked = await driver.cross_check(carries)
        known = line in reader.read_vlans(kind.options)  # it was just read for the VLANs
        assert [one.text for one in switch.lines[before:]].count(line) == (not known)
        assert [one.unconfigured for one in checked.values()] == [(), (101,), (), ()]
        assert [one.believed for one in checked.values()] == [
            None if at == 1 else PortConfig(100) for at in range(4)
        ]
