"""What every simulated switch does, whatever its vendor."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from haas_rpcd.sim.cli import Carried, Device
from haas_rpcd.sim.personalities import CLASSES, dialects, make, personality

from .console import connected, eventually

EVERY = pytest.mark.parametrize("dialect", dialects())


def switch_of(dialect: str, **options: Any) -> Device[Any]:
    return make(dialect, ports=4, username="haas", password="hush-pw", **options)


@EVERY
def test_a_switch_is_found_by_its_dialect_and_names_its_ports(dialect: str) -> None:
    kind = personality(dialect)
    assert kind.dialect == dialect
    assert kind.__name__ == CLASSES[dialect].partition(":")[2]
    assert len(set(kind.port_names(48))) == 48


@EVERY
def test_new_ports_carry_vlan_1_or_nothing_also_after_a_reload(dialect: str) -> None:
    switch = switch_of(dialect)
    before = {name: switch.carried(name) for name in switch.port_list}
    assert set(before.values()) <= {Carried(1), Carried()}
    assert not switch.modified
    switch.reload()
    assert {name: switch.carried(name) for name in switch.port_list} == before


@EVERY
async def test_passwords_are_not_recorded(dialect: str) -> None:
    async with switch_of(dialect) as switch, connected(switch) as console:
        key_first = "\r" if dialect == "hp_procurve" else ""  # "Press any key to continue"
        console.send(f"{key_first}haas\rhush-pw\r")
        async with asyncio.timeout(5):
            while not switch.counters.logins:
                console.seen += await console.reader.read(4096)
        assert "hush-pw" not in "".join(line.text for line in switch.lines)
        assert b"hush-pw" not in console.seen


@EVERY
async def test_a_session_is_refused_while_all_vtys_are_taken(dialect: str) -> None:
    async with switch_of(dialect, vtys=1) as switch, connected(switch) as first:
        await first.reader.read(1)
        async with connected(switch) as second:
            assert switch.full_text.strip() in await second.hung_up()
        assert (switch.counters.connections, switch.counters.refused) == (1, 1)


@EVERY
async def test_stopping_at_any_time_leaves_nothing_behind(dialect: str) -> None:
    before = asyncio.all_tasks()
    switch = switch_of(dialect, line_delay=60)
    await switch.start()
    async with connected(switch) as console:
        await console.reader.read(1)
        console.send("haas\rhush-pw\r")
        await eventually(lambda: switch.counters.lines > 0 or switch.counters.bytes_in > 0)
        await switch.stop()
        await switch.stop()
    assert switch.sessions == []
    await eventually(lambda: asyncio.all_tasks() == before)
