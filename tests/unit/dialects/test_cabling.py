"""Reading cables over telnet: each dialect, and a strict simulator of its switches.

A simulated switch hears a machine only while its port is open, and only on the port's VLAN.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.drivers.switch.cabling import Cabling, Learnt, Neighbour
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.model import PARKED, Channel, PortConfig, SetPort
from haas_rpcd.sim.cli import Announced, Config, Plugged, Port
from haas_rpcd.sim.shell import Call, ShellSwitch
from tests.unit.dialects.harness import driving, send
from tests.unit.dialects.kind import Kind
from tests.unit.dialects.kinds import EVERY, KINDS, those

HOST, OTHER, BEHIND = "02:00:00:00:01:02", "02:00:00:00:02:02", "02:00:00:00:03:02"
LEAF = "00:1b:54:aa:bb:cc"


@EVERY
async def test_what_is_plugged_in_is_seen_while_its_port_is_open(kind: Kind) -> None:
    switch = kind.switch()
    first, second, third = switch.port_list[:3]
    canonical = DIALECTS[kind.dialect].canonical_port
    one, two, three = (canonical(kind.name(name)) for name in (first, second, third))
    switch.plug(first, Plugged(macs=(HOST,), lldp=(Announced(HOST, HOST),)))
    switch.plug(
        second,
        Plugged(tagged=((101, OTHER), (103, BEHIND)), lldp=(Announced(LEAF, "Eth1/31", "leaf-7"),)),
    )
    async with driving(switch, options=kind.options) as driver:
        ports = [kind.name(name) for name in switch.port_list]
        await send(driver, *(SetPort(port, PARKED) for port in ports))
        assert await driver.read_cabling() == Cabling((), (), lldp=True)

        await send(
            driver,
            SetPort(ports[0], PortConfig(100)),
            SetPort(ports[1], PortConfig(None, (101, 102))),
        )
        found = await driver.read_cabling()
        assert found.unread == ()
        assert {*found.learnt} == {Learnt(one, HOST, 100), Learnt(two, OTHER, 101)}
        assert {*found.neighbours} == {
            Neighbour(one, HOST, HOST),
            Neighbour(two, LEAF, "Eth1/31", "leaf-7"),
        }

        switch.plug(third, Plugged(macs=(BEHIND,)))
        switch.swap(first, third)
        await send(driver, SetPort(ports[0], PARKED), SetPort(ports[2], PortConfig(103)))
        found = await driver.read_cabling()
        assert {*found.learnt} == {Learnt(three, HOST, 103), Learnt(two, OTHER, 101)}

        switch.power(third, on=False)
        switch.plug(second, plugged=False)
        assert await driver.read_cabling() == Cabling((), (), lldp=True)


@EVERY
async def test_several_neighbours_on_one_port_and_long_texts_are_read(kind: Kind) -> None:
    switch = kind.switch()
    name = switch.port_list[0]
    port = DIALECTS[kind.dialect].canonical_port(kind.name(name))
    long = "a-rather-long-name.dc2.example.org"
    switch.plug(
        name,
        Plugged(
            lldp=(
                Announced("10.1.2.3", "02:00:00:00:01:02"),
                Announced(LEAF, "02:00:00:00:02:02", long),
            )
        ),
    )
    async with driving(switch, options=kind.options) as driver:
        await send(driver, SetPort(kind.name(name), PortConfig(100)))
        found = await driver.read_cabling()
    assert found.unread == ()
    assert [each.port for each in found.neighbours] == [port, port]
    assert [each.chassis for each in found.neighbours] == ["10.1.2.3", LEAF]
    assert [each.remote_port for each in found.neighbours] == [HOST, OTHER]
    assert found.neighbours[0].name is None
    told = found.neighbours[1].name
    assert told is not None
    assert long.startswith(told.rstrip(". "))
    assert len(told) > 10


@pytest.mark.parametrize("dialect", ["cisco_ios", "brocade_fastiron"])
async def test_a_switch_whose_lldp_is_off_tells_its_mac_table(dialect: str) -> None:
    kind = next(kind for kind in KINDS.values() if kind.dialect == dialect)
    switch = kind.switch()
    switch.lldp = False
    switch.plug(switch.port_list[0], Plugged(macs=(HOST,), lldp=(Announced(HOST, HOST),)))
    port = kind.port(switch, 0)
    async with driving(switch, options=kind.options) as driver:
        await send(driver, SetPort(port, PortConfig(100)))
        learnt = Learnt(DIALECTS[dialect].canonical_port(port), HOST, 100)
        assert await driver.read_cabling() == Cabling((), (learnt,), lldp=False)


async def test_an_older_switch_is_sent_the_older_lines() -> None:
    """Comware 5 has no keyword ``verbose``."""
    kind = next(kind for kind in KINDS.values() if kind.dialect == "hpe_comware")
    switch = kind.switch()
    switch.faults.refuse = {"verbose": "% Unrecognized command found at '^' position."}
    async with driving(switch, options=kind.options) as driver:
        found = await driver.read_cabling()
    assert not found.lldp
    assert len(found.unread) == 1
    assert [line.text for line in switch.lines if "lldp" in line.text] == [
        "display lldp neighbor-information verbose",
        "display lldp neighbor-information",
    ]


# --- machines with a shell ------------------------------------------------------------------------


class Machine(ShellSwitch[Config]):
    """A machine whose programs print published outputs; the shell is a real one."""

    programs = ("bridge", "lldpcli", "ovs-appctl", "ovs-vsctl")
    answers: dict[str, str]
    """What each command line prints."""

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        return [f"swp{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        return Config(hostname, {name: Port() for name in self.port_list})

    async def run(self, call: Call) -> int:
        if not call.root:
            call.error("you need to be root")
            return 1
        answer = self.answers.get(call.text)
        if answer is None:
            call.error(f"{call.words[0]}: command not found")
            return 127
        call.print(*answer.splitlines())
        return 0


class Bridge(Machine):
    dialect = "linux_bridge"


class Vswitch(Machine):
    dialect = "openvswitch"


def published(dialect: str, kind: str) -> dict[str, Any]:
    """Return the first sample of a table."""
    path = Path(__file__).parents[1] / "cabling" / f"{dialect}.toml"
    sample: dict[str, Any] = tomllib.loads(path.read_text())[kind][0]
    return sample


@pytest.mark.parametrize("lldpd", [True, False], ids=["with lldpd", "without lldpd"])
@pytest.mark.parametrize("machine", [Bridge, Vswitch])
async def test_a_machine_with_a_shell_tells_its_cables(machine: type[Machine], lldpd: bool) -> None:
    neighbours, learnt = (published(machine.dialect, kind) for kind in ("neighbours", "learnt"))
    answers = {"lldpcli -f json0 show neighbors": neighbours["answers"][0]} if lldpd else {}
    if machine is Bridge:
        answers["bridge -json fdb show"] = learnt["answers"][0]
    else:
        ports, tables = learnt["answers"]
        first, _, second = tables.partition("bridge br1\n")
        answers["ovs-appctl --timeout=10 dpif/show"] = ports
        answers["ovs-vsctl --timeout=10 list-br"] = "br0\nbr1\n"
        answers["ovs-appctl --timeout=10 fdb/show br0"] = first.partition("\n")[2]
        answers["ovs-appctl --timeout=10 fdb/show br1"] = second
    switch = machine("sw1", ports=["swp1"], username="haas", password="s3cret")
    switch.answers = answers
    async with driving(switch, options={"sudo": True}) as driver:
        found = await driver.read_cabling()
    shown = {Learnt(port, mac, int(vlan) if vlan else None) for port, mac, vlan in learnt["shows"]}
    assert {*found.learnt} == shown
    assert found.lldp == lldpd
    assert bool(found.unread) == (not lldpd)
    assert len(found.neighbours) == (len(neighbours["shows"]) if lldpd else 0)


BUNDLING = those(lambda kind: DIALECTS[kind.dialect].channels is not None)


@BUNDLING
async def test_what_a_member_of_a_channel_hears_is_its_channels(kind: Kind) -> None:
    """The MAC table names the channel; LLDP speaks on each port by itself."""
    switch = kind.switch()
    legs = switch.port_list[:2]
    for leg in legs:
        switch.plug(leg, Plugged(macs=(HOST,), lldp=(Announced(LEAF, "Eth1/31", "leaf-7"),)))
    dialect = DIALECTS[kind.dialect]
    assert dialect.channels is not None
    channel = Channel(dialect.channels.name(25), "lacp")
    member = PortConfig(100, member=channel)
    ports = [kind.name(leg) for leg in legs]
    async with driving(switch, options=kind.options) as driver:
        every = [kind.name(name) for name in switch.port_list]
        await send(driver, *(SetPort(port, PARKED) for port in every))
        await send(driver, SetPort(channel.name, PortConfig(100), channel, tuple(ports)))
        await send(driver, *(SetPort(port, member, channel) for port in ports))
        found = await driver.read_cabling()
    assert found.unread == ()
    assert {*found.learnt} == {Learnt(dialect.canonical_port(channel.name), HOST, 100)}
    assert {one.port for one in found.neighbours} == {*map(dialect.canonical_port, ports)}
