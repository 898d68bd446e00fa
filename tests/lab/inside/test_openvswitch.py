"""A real Open vSwitch in user space, set by its dialect; the nodes hear what it should carry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PortSeen, SetPort

from ..credentials import PASSWORD, USER
from ..frames import Wire
from ..matrix import TRUNK, tagged
from ..ovs import OpenVSwitch
from ..topology import Lab, ip, run, show

POOL = tuple(range(100, 111))
CONNECTED = {
    "node-1:ipmi-nic": PortConfig(104),
    "node-2:ipmi-nic": PortConfig(104, (105, 106)),
    "node-3:ipmi-nic": PortConfig(None, (104, 105)),
    "node-3:primary-nic": PortConfig(105),
}
"""All kinds of connections; the other nics are parked."""

NETWORKS = {
    104: {"node-1:ipmi-nic", "node-2:ipmi-nic", tagged("node-3:ipmi-nic", 104)},
    105: {
        tagged("node-2:ipmi-nic", 105),
        tagged("node-3:ipmi-nic", 105),
        "node-3:primary-nic",
    },
    106: {tagged("node-2:ipmi-nic", 106)},
}


@pytest.fixture(scope="module")
def ovs(lab: Lab) -> Iterator[OpenVSwitch]:
    started = OpenVSwitch(lab)
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def wire(lab: Lab, ovs: OpenVSwitch) -> Wire:
    return Wire(lab, ovs)


@asynccontextmanager
async def driving(lab: Lab, **options: str) -> AsyncIterator[SwitchDriver]:
    """Log in to the switch as HaaS does."""
    driver = SwitchDriver(
        lab.switch.name,
        DIALECTS["openvswitch"],
        connect=lambda: TelnetTransport.connect("sw1", lab.switch.address, 23, 20.0),
        options=options,
        credential=lambda: Credential(username=USER, password=PASSWORD),
        settings=SwitchSettings(),
    )
    try:
        await driver.open(lambda line: None)
        yield driver
    finally:
        await driver.close()


class Progress:
    """Ignores all lines, and never cancels."""

    def line_sent(self, change: int, line: str) -> None:
        """Ignore a line."""

    def cancelled(self) -> bool:
        """Never cancel."""
        return False


async def carry(driver: SwitchDriver, wanted: dict[str, PortConfig]) -> None:
    """Set ports, and check that the switch reports them so. Raises the first error."""
    changes = [SetPort(port, config) for port, config in wanted.items()]
    for outcome in await driver.send(changes, Progress()):
        if outcome.error is not None:
            raise outcome.error
    assert await driver.observe(changes) == [PortSeen(change.config) for change in changes]


def everything(lab: Lab) -> dict[str, PortConfig]:
    """Return what each port carries for NETWORKS."""
    ports = {nic.port: CONNECTED.get(nic.name, PARKED) for nic in lab.nics}
    return ports | {lab.switch.trunk_port: PortConfig(None, POOL)}


async def test_on_a_new_open_vswitch_everybody_hears_everybody_until_parked(
    lab: Lab, wire: Wire
) -> None:
    """Parked ports stay isolated even if their links come up again, as after a restart."""
    names = {nic.name for nic in lab.nics}
    fresh = wire.who_hears_whom()
    for name in names:
        assert fresh.hearers(name) == (names | {TRUNK}) - {name}

    async with driving(lab) as driver:
        await carry(driver, dict.fromkeys(lab.switch.ports, PARKED))

    assert wire.who_hears_whom(tags=[104, 4095]).differences({}) == []
    ip(lab.switch.name, *(f"link set dev {port} up" for port in lab.switch.ports))
    assert wire.who_hears_whom(tags=[104, 4095]).differences({}) == []


async def test_its_dialect_makes_the_matrix_without_a_leak_on_the_way(lab: Lab, wire: Wire) -> None:
    one, other = (lab.nic(f"node-{number}:primary-nic") for number in (1, 2))
    async with driving(lab) as driver:
        await carry(driver, everything(lab))

        matrix = wire.who_hears_whom(tags=[104, 105, 106])
        matrix.publish("set on open vswitch")
        assert matrix.differences(NETWORKS) == []

        with wire.watch() as watch:
            await carry(driver, {one.port: PortConfig(106), other.port: PortConfig(107)})
            await carry(driver, {one.port: PARKED, other.port: PARKED})
    (page,) = watch.pages
    networks = NETWORKS | {106: {*NETWORKS[106], one.name}, 107: {other.name}}
    assert {TRUNK} <= page.hearers(one.name) & page.hearers(other.name)
    assert [line for line in page.differences(networks) if "LEAK" in line] == []


async def test_a_refusal_of_open_vswitch_is_reported(lab: Lab, ovs: OpenVSwitch) -> None:
    async with driving(lab) as driver:
        with pytest.raises(DeviceError, match=r'no row "p99" in table Port'):
            await carry(driver, {"p99": PortConfig(104)})
        probed = await driver.probe()
        assert (probed.model, probed.version) == ("Open vSwitch", ovs.vsctl("--version").split()[3])


def test_ports_can_be_shut_through_the_bridge(lab: Lab, ovs: OpenVSwitch) -> None:
    """It works even if the bridge allows only a newer OpenFlow than ovs-ofctl's default."""
    dialect, options = DIALECTS["openvswitch"], {"bridge": lab.switch.bridge}
    ovs.vsctl("set", "bridge", lab.switch.bridge, "protocols=OpenFlow13")
    for config, flag in ((PortConfig(104, (105,)), True), (PARKED, False)):
        for line in dialect.writer.script([SetPort("p1", config)], options):
            run("sh", "-c", line.text)
        answers = [run("sh", "-c", line) for line in dialect.reader.read_ports(["p1"], options)]
        assert dialect.reader.parse_ports(answers, options)["p1"] == PortState(config, flag)
        (link,) = show("ip", lab.switch.name, "link", "show", "dev", "p1")
        assert ("UP" in link["flags"]) == flag
