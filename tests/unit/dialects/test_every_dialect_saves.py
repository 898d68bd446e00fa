"""VLANs, saving and restarts, in every dialect."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    PARKED,
    PortConfig,
    PresenceSeen,
    SaveConfig,
    SetPort,
    SetVlan,
    SwitchChange,
)
from haas_rpcd.sim.cli import Carried
from tests.unit.dialects.harness import (
    Recorder,
    all_carried,
    carried,
    driving,
    observe,
    open_again,
    send,
    states,
    vlans_on,
)
from tests.unit.dialects.kind import Kind
from tests.unit.dialects.kinds import EVERY, SAVING, those

pytestmark = pytest.mark.slow


@EVERY
async def test_vlans_are_created_named_and_removed(kind: Kind) -> None:
    switch = kind.switch()
    before = vlans_on(switch)
    make, remove = ([SetVlan(vlan, there) for vlan in (200, 201)] for there in (True, False))
    asked = [*make, SetVlan(202, True)]
    async with driving(switch, options=kind.options) as driver:
        for _ in range(2):
            await send(driver, *make)
            own = {vlan: f"haas-{vlan}" if kind.names_vlans else "" for vlan in (200, 201)}
            assert vlans_on(switch) == before | own
            assert await driver.observe(asked) == [*map(PresenceSeen, (True, True, False))]
        await send(driver, remove[0], SetVlan(202, True), remove[1])
        assert await driver.observe(asked) == [*map(PresenceSeen, (False, False, True))]
        await send(driver, *remove, SetVlan(202, False))
        assert vlans_on(switch) == before


@those(lambda kind: DIALECTS[kind.dialect].trunks_need_vlans)
async def test_vlans_of_a_trunk_are_created_if_they_must_exist(kind: Kind) -> None:
    """No network uses the pool's VLANs yet when the master's trunk is set."""
    switch = kind.switch()
    access, trunk = (kind.port(switch, at) for at in range(2))
    pool = (200, 201, 202)
    async with driving(switch, options=kind.options) as driver:
        lines = await send(driver, SetPort(trunk, PortConfig(None, pool)))
        assert [vlan for vlan in pool if is_created(vlan, lines)] == [*pool]
        assert switch.carried(switch.port_list[1]) == Carried(None, frozenset(pool))

        joining = SetPort(access, PortConfig(203)), SetPort(trunk, PortConfig(None, (200, 201)))
        lines = await send(driver, *joining)
        assert [vlan for vlan in (*pool, 203) if is_created(vlan, lines)] == [203], (
            "the rest is there"
        )
        assert switch.carried(switch.port_list[0]) == Carried(203)
        assert switch.carried(switch.port_list[1]) == Carried(None, frozenset((200, 201)))


@those(lambda kind: DIALECTS[kind.dialect].trunks_need_vlans and kind.dialect != "sonic")
async def test_parking_a_port_reads_no_vlans(kind: Kind) -> None:
    """(SONiC shows ports and VLANs by the same line.)"""
    switch = kind.switch()
    reads = DIALECTS[kind.dialect].reader.read_vlans(kind.options)
    async with driving(switch, options=kind.options) as driver:
        before = switch.counters.lines
        await send(driver, SetPort(kind.port(switch, 0), PARKED))
        assert not {line.text for line in switch.lines[before:]}.intersection(reads)
        await send(driver, SetPort(kind.port(switch, 0), PortConfig(100)))
        assert {line.text for line in switch.lines[before:]}.issuperset(reads)


def is_created(vlan: int, lines: list[str]) -> bool:
    """Return whether these lines create a VLAN: they name it, or add it (SONiC has no names)."""
    return any(f"haas-{vlan}" in line or f"config vlan add {vlan}" in line for line in lines)


@SAVING
async def test_only_the_saved_configuration_survives_a_restart(kind: Kind) -> None:
    switch = kind.switch()
    saved, lost = (kind.port(switch, at) for at in range(2))
    async with driving(switch, options=kind.options) as driver:
        kept = PortConfig(200, (101,))
        await send(driver, SetVlan(200, True), SetPort(saved, kept), SaveConfig())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]
        await send(driver, SetPort(saved, PortConfig(101)), SetPort(lost, PortConfig(None, (102,))))
        assert switch.counters.saves == 1
        switch.booted -= 1000
        switch.reload()
        assert [*all_carried(switch).values()][:2] == [carried(kept), carried(kind.fresh)]
        if await driver.usable():  # the end of a bash is not noticed at once
            with pytest.raises(DeviceError, match="closed the connection"):
                await driver.observe([SetVlan(1, True)])
        await open_again(driver)
        assert await observe(driver, [saved, lost]) == [kept, kind.seen or kind.fresh]
        up = await driver.uptime()
        assert up is not None
        assert 0 <= up.seconds < 120 or not kind.up_within


@SAVING
async def test_a_failed_save_is_reported(kind: Kind) -> None:
    switch = kind.switch()
    dialect = DIALECTS[kind.dialect]
    changes: list[SwitchChange] = [SetPort(kind.port(switch, 0), PortConfig(100)), SaveConfig()]
    async with driving(switch, options=kind.options) as driver:
        switch.faults.save_error = kind.save_error
        outcomes = await driver.send(changes, Recorder())
        assert states(outcomes) == ["sent", "refused"]
        assert kind.save_error in str(outcomes[1].error)
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(False)]
        if kind.unsaved:
            switch.faults.save_error = "Flash is busy."
            with pytest.raises(DeviceError, match="did not say that it saved"):
                await send(driver, SaveConfig())
            switch.faults.refuse = {re.escape(dialect.dialogue.save[0]): ""}
            with pytest.raises(DeviceError, match="did not say that it saved"):
                await send(driver, SaveConfig())
            assert await driver.observe([SaveConfig()]) == [PresenceSeen(False)]
        switch.faults.refuse, switch.faults.save_error = {}, None
        await send(driver, *changes)
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]
