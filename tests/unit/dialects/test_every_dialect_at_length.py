"""Many ports and many VLANs, in every dialect: few lines, and none of them too long."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PortSeen, SetPort
from haas_rpcd.sim.cli import Carried
from tests.unit.dialects.harness import (
    Recorder,
    add_vlans,
    all_carried,
    assert_isolated,
    carried,
    driving,
    observe,
    send,
    states,
)
from tests.unit.dialects.kind import Kind
from tests.unit.dialects.kinds import EVERY, those

pytestmark = pytest.mark.slow


@those(lambda kind: kind.ranged)
async def test_ports_with_the_same_configuration_are_set_together(kind: Kind) -> None:
    switch = kind.switch(ports=12)
    at = (0, 1, 2, 3, 5, 7, 8)
    own = {switch.port_list[number] for number in at}
    changes = [SetPort(kind.port(switch, number), PortConfig(100)) for number in at]
    async with driving(switch, options=kind.options) as driver:
        await send(driver, *(SetPort(change.port, PARKED) for change in changes))
        lines = await send(driver, *changes)
        naming = r"interface (?!vlan)|wildcard .* native|nv .* link"
        assert tuple(dict.fromkeys(li for li in lines if re.match(naming, li))) == kind.ranged
        for name, now in all_carried(switch).items():
            assert now == (Carried(100) if name in own else carried(kind.fresh))
        await send(driver, SetPort(kind.port(switch, 4), PortConfig(101)))
        assert switch.carried(switch.port_list[4]) == Carried(101)
        assert {switch.carried(name) for name in own} == {Carried(100)}


@those(lambda kind: kind.ranged)
async def test_many_ports_are_set_by_few_lines(kind: Kind) -> None:
    switch = kind.switch(ports=24)
    ports = list(map(kind.name, switch.port_list))
    async with driving(switch, options=kind.options) as driver:
        assert (
            len(await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))) < kind.few
        )
        assert {*all_carried(switch).values()} == {Carried(100)}
        assert await observe(driver, ports) == [PortConfig(100)] * 24
        lines = await send(driver, *(SetPort(port, PARKED) for port in ports[::2]))
        assert len(lines) < kind.apart
        assert [switch.is_shut(name) for name in switch.port_list] == [True, False] * 12


@those(lambda kind: kind.ranged)
async def test_a_model_without_ranges_is_set_port_by_port(kind: Kind) -> None:
    switch = kind.switch(ports=6)
    ports = list(map(kind.name, switch.port_list))
    several = r"range| to |(?<!ge)-\d|\d,"
    async with driving(switch, options={**kind.options, "ranges": False}) as driver:
        lines = await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))
        assert not [line for line in lines if re.search(several, line.partition("allowed")[0])]
        assert await observe(driver, ports) == [PortConfig(100)] * 6
        assert {*all_carried(switch).values()} == {Carried(100)}


@EVERY
async def test_a_long_list_of_vlans_is_split_into_lines(kind: Kind) -> None:
    """Together they give the list, and none admits an unwanted VLAN."""
    wanted = PortConfig(None, tuple(range(2, kind.most, 2)))
    switch = kind.switch()
    add_vlans(switch, *range(2, kind.most + 1))
    port, name = kind.port(switch, 0), switch.port_list[0]
    async with driving(switch, options=kind.options) as driver:
        for config in (PARKED, wanted, PARKED):
            before, seen = all_carried(switch), len(switch.history)
            lines = await send(driver, SetPort(port, config))
            assert max(map(len, lines)) < kind.longest
            assert_isolated(switch, seen, before, {name: config})
            assert switch.carried(name) == carried(config)
            assert await observe(driver, [port]) == [config]
        [preview] = driver.preview([SetPort(port, wanted)])
        assert max(map(len, preview)) < kind.longest


@those(lambda kind: kind.missing)
async def test_a_missing_port_hides_no_other_port(kind: Kind) -> None:
    switch = kind.switch()
    port = kind.port(switch, 0)
    async with driving(switch, options=kind.options) as driver:
        with pytest.raises(DeviceError, match="refused"):
            await send(driver, SetPort(kind.missing, PortConfig(100)))
        both = [SetPort(port, PortConfig(100)), SetPort(kind.missing, PortConfig(100))]
        assert "refused" in states(await driver.send(both, Recorder()))
        await send(driver, SetPort(port, PARKED))
        there, missing = await driver.observe(both)
        assert there == PortSeen(PARKED)
        assert isinstance(missing, DeviceError)
        assert missing.reason == "missing"
        assert f"does not show a port {kind.missing}" in missing.message
