"""Every simulated switch by the name of its dialect, so that tests can go through all of them::

    @pytest.mark.parametrize("dialect", dialects())
    async def test_...(dialect: str) -> None:
        async with make(dialect, ports=24, username="haas", password="pw") as switch:
            first = switch.port_list[0]

They are loaded when they are asked for: a demo of one pays for no other.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
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
"""Dialect -> module in this package, and the class in it."""


def dialects() -> list[str]:
    """The dialects that have a personality."""
    return [
        dialect
        for dialect, place in CLASSES.items()
        if find_spec(f"{__package__}.{place.partition(':')[0]}") is not None
    ]


def personality(dialect: str) -> type[Device[Any]]:
    """The class of a dialect's switches. KeyError for a dialect without one."""
    module, _, name = CLASSES[dialect].partition(":")
    return cast(type[Device[Any]], getattr(import_module(f"{__package__}.{module}"), name))


def make(
    dialect: str, hostname: str = "sw1", *, ports: int = 24, **options: Unpack[Options]
) -> Device[Any]:
    """A switch of ``ports`` ports under the vendor's own names, which are its ``port_list``."""
    kind = personality(dialect)
    return kind(hostname, ports=kind.port_names(ports), **options)
