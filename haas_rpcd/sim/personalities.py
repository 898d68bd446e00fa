"""All simulated switches, by the names of their dialects. A test for all of them::

    @pytest.mark.parametrize("dialect", dialects())
    async def test_...(dialect: str) -> None:
        async with make(dialect, ports=24, username="haas", password="pw") as switch:
            first = switch.port_list[0]

A family is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Unpack, cast

from haas_rpcd.sim.cli import Device, Options

CLASSES = {
    "arista_eos": "eos:EosSwitch",
    "brocade_fastiron": "fastiron:FastIronSwitch",
    "cisco_ios": "ios:IosSwitch",
    "cisco_nxos": "nxos:NxosSwitch",
    "cumulus_nvue": "nvue:NvueSwitch",
    "dell_os10": "os10:Os10Switch",
    "dell_os6": "os6:Os6Switch",
    "dell_os9": "os9:Os9Switch",
    "dell_powerconnect": "powerconnect:PowerConnectSwitch",
    "hp_procurve": "procurve:ProcurveSwitch",
    "hpe_comware": "comware:ComwareSwitch",
    "juniper_junos": "junos:JunosSwitch",
    "sonic": "sonic:SonicSwitch",
}
"""For each dialect: a package in this one, and the class that it exports."""


def dialects() -> list[str]:
    """Return the dialects whose switches can be simulated."""
    return list(CLASSES)


def personality(dialect: str) -> type[Device[Any]]:
    """Return the class of a dialect's switches. Raises KeyError."""
    module, _, name = CLASSES[dialect].partition(":")
    return cast(type[Device[Any]], getattr(import_module(f"{__package__}.{module}"), name))


def make(
    dialect: str, hostname: str = "sw1", *, ports: int = 24, **options: Unpack[Options]
) -> Device[Any]:
    """Make a switch with ``ports`` ports. Their names are in its ``port_list``."""
    kind = personality(dialect)
    return kind(hostname, ports=kind.port_names(ports), **options)
