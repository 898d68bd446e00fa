"""Making drivers from what switches are registered with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import pytest

from haas_rpcd.config import ConfigError, Credential, Settings, StoreSettings, SwitchSettings
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.errors import DeviceError, UnavailableError
from haas_rpcd.model import PARKED, SetPort
from haas_rpcd.registered import RegisteredSwitch
from haas_rpcd.states import SwitchTraits
from tests.unit.catalyst import CREDENTIAL, catalyst
from tests.unit.dialects.harness import send
from tests.unit.disturbances import READINGS


def factory(folder: Path, **credentials: Credential) -> SwitchFactory:
    """Make a factory for a site whose own dialects are in a folder."""
    settings = Settings(
        store=StoreSettings(path=":memory:"),
        switches=SwitchSettings(dialects=str(folder), known_hosts=str(folder / "known_hosts")),
    )
    return SwitchFactory(settings, lambda: credentials)


def registered(dialect: str = "cisco_ios", **more: Any) -> RegisteredSwitch:
    """Describe a switch that is registered under the name sw1."""
    return RegisteredSwitch(
        name="sw1", dialect=dialect, host="192.0.2.1", port=23, transport="telnet", **more
    )


async def refusal(driver: Any) -> DeviceError:
    """Return the error of opening a session that must fail before it connects."""
    with pytest.raises(DeviceError) as caught:
        await driver.open(lambda line: None)
    return caught.value


def test_a_switch_of_an_unknown_dialect_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="has no dialect acme_os, with which sw1"):
        factory(tmp_path).driver(registered("acme_os"))


async def test_without_credentials_the_error_names_the_entry_to_add(tmp_path: Path) -> None:
    made = factory(tmp_path, other=Credential(username="haas"))
    error = await refusal(made.driver(registered()))
    assert (error.reason, "add  [sw1]  to" in error.message) == ("login", True)
    error = await refusal(made.driver(registered(credential="core")))
    assert "add  [core]  to" in error.message


async def test_telnet_takes_no_ssh_key(tmp_path: Path) -> None:
    made = factory(tmp_path, sw1=Credential(username="haas", key_file="/etc/haas/sw1.key"))
    error = await refusal(made.driver(registered()))
    assert error.reason == "login"
    assert "sw1 is registered with telnet, which takes no SSH key" in error.message


async def test_a_broken_credentials_file_is_an_error_of_the_login(tmp_path: Path) -> None:
    def broken() -> Mapping[str, Credential]:
        raise ConfigError("credentials.toml can't be read")

    settings = Settings(
        store=StoreSettings(path=":memory:"), switches=SwitchSettings(dialects=str(tmp_path))
    )
    error = await refusal(SwitchFactory(settings, broken).driver(registered()))
    assert (error.reason, error.message) == ("login", "credentials.toml can't be read")


def test_options_of_the_dialect_reach_its_lines(tmp_path: Path) -> None:
    made = factory(tmp_path)
    parked = SetPort("eth1", PARKED)
    for options, line in (
        ({}, "ip link set dev eth1 down"),
        ({"sudo": True, "ssh_legacy": True}, "sudo -n ip link set dev eth1 down"),
    ):
        driver = made.driver(registered("openvswitch", options=options))
        [lines] = driver.preview([parked])
        assert lines[0] == line


def test_every_dialect_has_the_options_of_transports(tmp_path: Path) -> None:
    for options in factory(tmp_path).options().values():
        assert {"window", "ranges", "ssh_legacy"} <= options


@pytest.mark.parametrize(
    ("dialect", "traits"),
    [
        ("cisco_ios", SwitchTraits(declares_vlans=True, saves=True, trunks=2)),
        ("juniper_junos", SwitchTraits(declares_vlans=True, saves=False, trunks=2)),
        ("openvswitch", SwitchTraits(declares_vlans=False, saves=False, trunks=2)),
        # Its trunk needs the whole pool, so the planner neither creates nor removes VLANs.
        ("sonic", SwitchTraits(declares_vlans=False, saves=True, trunks=2)),
        ("of no file any more", SwitchTraits(declares_vlans=False, saves=False, trunks=2)),
    ],
)
def test_traits_come_from_the_dialect(tmp_path: Path, dialect: str, traits: SwitchTraits) -> None:
    assert factory(tmp_path).traits(dialect, 2) == traits


def test_a_broken_dialect_of_the_site_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text("raise RuntimeError('no')\n")
    (tmp_path / "acme.py").chmod(0o600)
    tmp_path.chmod(0o700)
    with pytest.raises(ConfigError, match=r"\[switches\] dialects: .*acme\.py can't be loaded"):
        factory(tmp_path)


async def test_that_a_switch_takes_no_ranges_is_remembered_for_all_its_drivers(
    tmp_path: Path,
) -> None:
    """A plan's preview shows what will be sent."""
    switch = catalyst()
    switch.faults.refuse = {"^interface range": "% Invalid input detected at '^' marker."}
    made = factory(tmp_path, sw1=CREDENTIAL)
    changes = [SetPort(f"Gi1/0/{at}", PARKED) for at in (1, 2)]
    async with switch:
        known = msgspec.structs.replace(registered(), host="127.0.0.1", port=switch.port)
        assert "interface range Gi1/0/1 - 2" in chain(*made.driver(known).preview(changes))
        driver = made.driver(known)
        await driver.open(lambda line: None)
        await send(driver, *changes)
        await driver.close()
        assert "interface Gi1/0/1" in chain(*made.driver(known).preview(changes))


# --- names of ports -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READINGS)
def test_every_port_that_a_real_switch_shows_can_be_registered(name: str, tmp_path: Path) -> None:
    known = factory(tmp_path)
    for port in {port for reading in READINGS[name] for port in reading.ports}:
        assert known.canonical_port(name, port) == port


@pytest.mark.parametrize(
    ("dialect", "port"),
    [
        ("arista_eos", "Vlan100"),
        ("brocade_fastiron", "ve 100"),
        ("cisco_ios", "Foo1"),
        ("cisco_ios", "Gi1/0/1.100"),
        ("cisco_ios", "Gi1/0/1-4"),
        ("cisco_ios", "Vlan100"),
        ("cisco_nxos", "Gi1/0/1"),
        ("cisco_nxos", "mgmt0"),
        ("dell_os10", "vlan100"),
        ("dell_os6", "vlan 100"),
        ("dell_os9", "ManagementEthernet 0/0"),
        ("dell_powerconnect", "oob1"),
        ("hp_procurve", "Foo1"),
        ("hpe_comware", "M-GigabitEthernet0/0/0"),
        ("juniper_junos", "irb.100"),
        ("juniper_junos", "vlan100"),
    ],
)
def test_a_name_that_no_port_of_the_family_has_is_refused(
    dialect: str, port: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(port)} is") as refused:
        factory(tmp_path).canonical_port(dialect, port)
    example = DIALECTS[dialect].example_ports[0]
    assert f"{dialect} has ports such as {example} (" in str(refused.value) or "." in port


def test_who_gives_a_strange_name_is_told_which_names_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Foo1 is no port") as refused:
        factory(tmp_path).canonical_port("cisco_nxos", "Foo1")
    assert str(refused.value) == (
        "Foo1 is no port: cisco_nxos has ports such as Ethernet1/1 (types: Ethernet, port-channel)"
    )
