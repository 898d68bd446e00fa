"""Independent evidence that simulated switches print what real ones print: ntc-templates.

Other people wrote these TextFSM templates from the output of real switches, for another purpose. If
they can't parse the output of a simulator, or read it differently from our own dialect, then the
simulator is wrong. (HaaS itself does not read with these templates, because they skip lines that
they do not know. HaaS must not mistake a skipped port or VLAN for one that does not exist.)
"""

from __future__ import annotations

from typing import Any

import pytest
from ntc_templates.parse import parse_output

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.model import SetVlan
from haas_rpcd.sim.personalities import make
from tests.unit.dialects.harness import send

VLANS = {
    "arista_eos": ("arista_eos", "show vlan"),
    "cisco_ios": ("cisco_ios", "show vlan"),
    "cisco_nxos": ("cisco_nxos", "show vlan"),
    "dell_os9": ("dell_force10", "show vlan"),
    "hp_procurve": ("hp_procurve", "show vlans"),
    "juniper_junos": ("juniper_junos", "show vlans"),
}
"""Dialect -> what its family is called there, and the command whose output is read."""

VERSIONS = {
    "arista_eos": ("arista_eos", "show version"),
    "brocade_fastiron": ("ruckus_fastiron", "show version"),
    "cisco_ios": ("cisco_ios", "show version"),
    "cisco_nxos": ("cisco_nxos", "show version"),
    "dell_os9": ("dell_force10", "show version"),
    "hp_procurve": ("hp_procurve", "show system"),
    "juniper_junos": ("juniper_junos", "show version"),
}


async def shown(dialect: str, command: str) -> tuple[str, frozenset[int], str]:
    """Run a command on a simulated switch with VLANs 101 and 105.

    Return the answer, and the VLANs and the version that our dialect reads.
    """
    secret = Credential(username="haas", password="s3cret", enable="en4ble")
    switch = make(dialect, ports=8, username="haas", password="s3cret", enable="en4ble")
    async with switch:
        driver = SwitchDriver(
            "sw1",
            DIALECTS[dialect],
            connect=lambda: TelnetTransport.connect("sw1", "127.0.0.1", switch.port, 5.0),
            options={},
            credential=lambda: secret,
            settings=SwitchSettings(),
        )
        await driver.open(lambda line: None)
        try:
            await send(driver, SetVlan(101, True), SetVlan(105, True))
            seen = await driver.probe()
            [answer] = await driver.show([command])
            vlans = DIALECTS[dialect].reader.parse_vlans(
                await driver.show(DIALECTS[dialect].reader.read_vlans({}))
            )
            return answer, vlans, seen.version
        finally:
            await driver.close()


def rows(platform: str, command: str, answer: str) -> list[dict[str, Any]]:
    """Read an answer with its template."""
    return list(parse_output(platform=platform, command=command, data=answer))


@pytest.mark.parametrize("dialect", VLANS)
async def test_templates_and_dialects_read_the_same_vlans(dialect: str) -> None:
    platform, command = VLANS[dialect]
    answer, vlans, _ = await shown(dialect, command)
    found = rows(platform, command, answer)
    ids = {int(row.get("vlan_id") or row.get("vlan_tag") or row["tag"]) for row in found}
    assert {101, 105} <= ids
    assert ids == set(vlans)


@pytest.mark.parametrize("dialect", VERSIONS)
async def test_templates_and_dialects_read_the_same_version_and_model(dialect: str) -> None:
    platform, command = VERSIONS[dialect]
    answer, _, version = await shown(dialect, command)
    found = rows(platform, command, answer)
    assert found
    said = [str(value) for row in found for value in row.values()]
    assert version
    assert any(version in text for text in said), (version, found)
