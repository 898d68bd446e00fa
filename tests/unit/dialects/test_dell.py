"""Two families of Dell, PowerConnect 55xx and the N-series, against strict simulators of both.

After each line, a port carries no VLAN that is in neither its old nor its new configuration, even
if a line is refused and the lines sent ahead of its answer are carried out.
"""

from __future__ import annotations

import pytest

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, SetPort, SetVlan
from haas_rpcd.sim.cli import ALL_VLANS, Carried
from tests.unit.dialects.harness import Recorder, driving, observe, send
from tests.unit.dialects.kinds import KINDS

# --- one port -------------------------------------------------------------------------------------


def test_an_ambiguous_port_name_is_refused() -> None:
    with pytest.raises(ValueError, match="tengigabitethernet or twentyfivegigabitethernet"):
        DIALECTS["dell_os6"].canonical_port("t1/0/1")


async def test_a_model_without_access_vlan_none_parks_on_the_default_vlan() -> None:
    switch = KINDS["dell_powerconnect"].switch()
    switch.faults.refuse["access vlan none"] = "% bad parameter value"
    parked = SetPort("gi1/0/1", PARKED)
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match="% bad parameter value"):
            await send(driver, parked)
    async with driving(switch, options={"access_none": False}) as driver:
        await send(driver, parked)
        assert await observe(driver, ["gi1/0/1"]) == [PARKED]


# --- several ports --------------------------------------------------------------------------------


async def test_powerconnect_gets_one_line_at_a_time() -> None:
    """It loses input that is typed ahead, so every line waits for the previous answer."""
    dialect = DIALECTS["dell_powerconnect"]
    assert dialect.dialogue.window == 1
    switch = KINDS["dell_powerconnect"].switch(line_delay=0.001)
    async with driving(switch) as driver:
        await send(driver, *(SetPort(f"gi1/0/{n}", PortConfig(100)) for n in range(1, 5)))
        assert switch.carried(switch.port_list[3]) == Carried(100)


# --- VLANs ----------------------------------------------------------------------------------------


async def test_the_vlan_database_of_powerconnect_is_entered_once() -> None:
    async with driving(KINDS["dell_powerconnect"].switch()) as driver:
        changes = [SetVlan(110, True), SetVlan(103, False), SetVlan(111, True)]
        [*database] = await send(driver, *changes)
        assert database == [
            "configure", "vlan database", "vlan 110", "no vlan 103", "vlan 111", "exit",
            "interface vlan 110", "name haas-110", "exit",
            "interface vlan 111", "name haas-111", "exit",
        ]  # fmt: skip


async def test_a_missing_vlan_is_refused_on_a_port() -> None:
    async with driving(KINDS["dell_os6"].switch()) as driver:
        with pytest.raises(DeviceError, match="VLAN ID not found"):
            await send(driver, SetPort("Gi1/0/1", PortConfig(999)))


async def test_os6_has_no_vlan_4094() -> None:
    async with driving(KINDS["dell_os6"].switch()) as driver:
        with pytest.raises(DeviceError, match="VLANs failed to be configured : 1"):
            await send(driver, SetVlan(4094, True))


async def test_a_locked_database_is_tried_again() -> None:
    switch = KINDS["dell_powerconnect"].switch()
    locked = "Configuration Database locked by another application - try later"
    switch.faults.refuse["^vlan 110"] = locked

    class Patient(Recorder):
        """Frees the lock as soon as the driver waits."""

        def line_sent(self, change: int, line: str) -> None:
            super().line_sent(change, line)
            if line.startswith("# somebody else"):
                switch.faults.refuse.clear()

    async with driving(switch, busy_timeout=5.0) as driver:
        progress = Patient()
        [outcome] = await driver.send([SetVlan(110, True)], progress)
        assert (outcome.state, 110 in switch.running.vlans) == ("sent", True)
        assert [line for line in progress.lines if line.startswith("#")]


# --- what it is, and noise ------------------------------------------------------------------------


def test_every_form_of_a_trunk_s_list_is_read() -> None:
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
        found = DIALECTS["dell_powerconnect"].reader.parse_ports([f"{head}{lines}!\n", status], {})
        assert found == {"gigabitethernet1/0/1": PortState(config, open=True)}
