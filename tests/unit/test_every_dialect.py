"""What holds for every dialect there is: it can be tried, and its trunks carry the pool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.model import PortConfig, SetPort
from haas_rpcd.sim.cli import Carried, Device
from haas_rpcd.sim.personalities import CLASSES, dialects, make, personality

REAL = {"linux_bridge", "openvswitch"}
"""Dialects that the lab tries on the real thing."""

WANT_VLANS = sorted(name for name, dialect in DIALECTS.items() if dialect.trunks_want_vlans)


def test_every_dialect_can_be_tried() -> None:
    assert DIALECTS.keys() - REAL == CLASSES.keys()
    assert set(dialects()) == CLASSES.keys()
    assert {personality(name).dialect for name in dialects()} == CLASSES.keys()


class News:
    """Hears the lines, and stops nothing."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, index: int, text: str) -> None:
        self.lines.append(text)

    def stop(self) -> bool:
        return False


@asynccontextmanager
async def driving(switch: Device[Any]) -> AsyncIterator[SwitchDriver]:
    async with switch:
        driver = SwitchDriver(
            "sw1",
            DIALECTS[switch.dialect],
            connect=lambda: TelnetTransport.connect("sw1", "127.0.0.1", switch.port, 5.0),
            options={},
            credential=lambda: Credential(username="haas", password="pw", enable="en"),
            settings=SwitchSettings(login_timeout=5.0, answer_timeout=5.0, busy_timeout=0.0),
        )
        try:
            await driver.open(lambda line: None)
            yield driver
        finally:
            await driver.close()


async def sent(driver: SwitchDriver, *changes: SetPort) -> list[str]:
    """Have changes carried out; return the lines."""
    news = News()
    outcomes = await driver.send(changes, news)
    assert [outcome.state for outcome in outcomes] == ["sent"] * len(changes), outcomes
    return news.lines


@pytest.mark.parametrize("name", WANT_VLANS)
async def test_what_a_trunk_is_to_carry_is_made_where_it_has_to_be_there(name: str) -> None:
    """The pool is not anybody's yet when the master's trunk is set."""
    switch = make(name, ports=4, username="haas", password="pw", enable="en")
    access, trunk = switch.port_list[:2]
    pool = (100, 101, 102)
    async with driving(switch) as driver:
        made = await sent(driver, SetPort(trunk, PortConfig(None, pool)))
        assert [vlan for vlan in pool if is_made(vlan, made)] == [*pool]
        assert switch.carried(trunk) == Carried(None, frozenset(pool))

        joining = SetPort(access, PortConfig(103)), SetPort(trunk, PortConfig(None, (100, 101)))
        made = await sent(driver, *joining)
        assert [vlan for vlan in (*pool, 103) if is_made(vlan, made)] == [103], "the rest is there"
        assert switch.carried(access) == Carried(103)
        assert switch.carried(trunk) == Carried(None, frozenset((100, 101)))


def is_made(vlan: int, lines: list[str]) -> bool:
    """Whether a VLAN is made by these lines: it is named, or (SONiC, which has no names) added."""
    return any(f"haas-{vlan}" in line or f"config vlan add {vlan}" in line for line in lines)
