"""A simulated Catalyst with four ports, and changes of them."""

from __future__ import annotations

from typing import Any

from haas_rpcd.config import Credential
from haas_rpcd.model import PortConfig, SetPort
from haas_rpcd.sim.ios import IosSwitch, gigabit

CREDENTIAL = Credential(username="haas", password="s3cret", enable="en4ble")

LOG_MESSAGE = (
    "*Mar  1 00:01:02.345: %LINK-3-UPDOWN: Interface GigabitEthernet1/0/4, changed state to up"
)


def catalyst(hostname: str = "sw1", **options: Any) -> IosSwitch:
    """Make a Catalyst that :data:`CREDENTIAL` can log in to."""
    defaults: dict[str, Any] = {
        "ports": gigabit(4),
        "username": "haas",
        "password": "s3cret",
        "enable": "en4ble",
        "history": True,
    }
    return IosSwitch(hostname, **(defaults | options))


def port(config: PortConfig, number: int = 1) -> SetPort:
    """Return the change that sets a port."""
    return SetPort(f"Gi1/0/{number}", config)


def commands(switch: IosSwitch) -> list[str]:
    """Return the lines that were sent after the login."""
    texts = [record.text for record in switch.lines]
    return texts[texts.index("terminal width 511") + 1 :]
