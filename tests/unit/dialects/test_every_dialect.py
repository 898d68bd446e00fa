"""Properties of every dialect, against a strict simulator of each kind of switch.

The first one: after each line, a port carries no VLAN that is in neither its old nor its new
configuration, even if a line is refused and the lines sent ahead of its answer are carried out.
"""

from __future__ import annotations

import random
import re

import pytest

from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, SetPort
from haas_rpcd.sim.cli import Carried
from tests.unit.dialects.harness import (
    Recorder,
    all_carried,
    assert_isolated,
    carried,
    config_of,
    driving,
    observe,
    open_again,
    send,
    states,
    vlans,
    vlans_on,
)
from tests.unit.dialects.kind import Kind
from tests.unit.dialects.kinds import EVERY, KINDS

pytestmark = pytest.mark.slow


@EVERY
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "one by one"])
@pytest.mark.parametrize("seed", range(3))
async def test_on_the_way_from_any_state_to_any_other_no_line_opens_a_foreign_vlan(
    kind: Kind, seed: int, ranges: bool
) -> None:
    dice = random.Random(seed)
    switch = kind.switch()
    async with driving(switch, options={**kind.options, "ranges": ranges}) as driver:
        for _ in range(kind.rounds):
            own = dice.sample(switch.port_list, dice.choice([1, 3, 3]))
            kind.leave(dice, switch, switch.port_list)
            for _ in range(2):
                before, seen = all_carried(switch), len(switch.history)
                choice = [config_of(dice), config_of(dice)]
                wanted = {name: dice.choice(choice) for name in own}
                await send(driver, *(SetPort(kind.name(at), wanted[at]) for at in own))
                assert_isolated(switch, seen, before, wanted)
                if kind.commit:
                    assert {entry.line.text for entry in switch.history[seen:]} <= {kind.commit}
                for name, was in before.items():
                    config = wanted.get(name)
                    assert switch.carried(name) == (was if config is None else carried(config))
                    assert config is None or switch.is_shut(name) == config.parked
                    left = switch.running.ports.get(name)
                    assert getattr(left, "description", "") in ("rack 4", "")
                assert await observe(driver, list(map(kind.name, own))) == [*wanted.values()]


EVERY_LINE = pytest.mark.parametrize(
    ("kind", "line"),
    [
        pytest.param(kind, line, id=f"{name}-{line}")
        for name, kind in KINDS.items()
        for line in kind.lines
    ],
)


@EVERY_LINE
async def test_after_a_refusal_the_lines_sent_ahead_open_no_foreign_vlan(
    kind: Kind, line: str
) -> None:
    """On three ports at once, each from any state, with sixteen lines in flight."""
    dice = random.Random(line)
    switch = kind.switch()
    sent: list[str] = []
    async with driving(switch, options={**kind.options, "window": 16}) as driver:
        for at in range(5 if kind.rounds > 1 else 1):
            *own, other = switch.port_list
            kind.leave(dice, switch, switch.port_list)
            if at == 1 or kind.rounds == 1:
                await send(driver, SetPort(kind.name(own[0]), PARKED))
            before, seen = all_carried(switch), len(switch.history)
            same = PortConfig(100) if at == 1 else config_of(dice)
            last = dice.choice([PARKED, config_of(dice)])
            wanted = dict(zip(own, [same, same, last], strict=True))
            changes = [SetPort(kind.name(name), config) for name, config in wanted.items()]
            switch.faults.refuse = {line: kind.refusal}
            progress = Recorder()
            outcomes = await driver.send(changes, progress)
            switch.faults.refuse = {}
            sent += progress.lines
            assert_isolated(switch, seen, before, wanted)
            assert switch.carried(other) == before[other]
            for outcome, (name, config) in zip(outcomes, wanted.items(), strict=True):
                if outcome.state == "sent":
                    assert switch.carried(name) == carried(config)
            if any(outcome.error for outcome in outcomes):
                assert {*states(outcomes)} & {"refused", "unfinished"}
                committed = {entry.line.text for entry in switch.history[seen:]}
                assert not kind.commit or committed <= {kind.commit}
            if not await driver.usable():  # the lines that leave contexts logged out
                await open_again(driver)
            await send(driver, *changes)
            assert [switch.carried(name) for name in own] == [*map(carried, wanted.values())]
    assert [text for text in sent if re.search(line, text, re.I)], "there is no such line"


@EVERY_LINE
async def test_whichever_line_is_silently_ignored_no_port_carries_a_foreign_vlan(
    kind: Kind, line: str
) -> None:
    """A switch may accept a line without a word, and not carry it out."""
    dice = random.Random(line)
    switch = kind.switch()
    async with driving(switch, options=kind.options) as driver:
        for at in range(5 if kind.rounds > 1 else 2):
            *own, other = switch.port_list
            kind.leave(dice, switch, switch.port_list)
            if at % 2:
                await send(driver, *(SetPort(kind.name(name), PARKED) for name in own))
            before, seen = all_carried(switch), len(switch.history)
            same = PortConfig(100) if at == 1 else config_of(dice)
            last = dice.choice([PARKED, config_of(dice)])
            wanted = dict(zip(own, [same, same, last], strict=True))
            changes = [SetPort(kind.name(name), config) for name, config in wanted.items()]
            switch.faults.refuse = {line: ""}
            await driver.send(changes, Recorder())
            switch.faults.refuse = {}
            assert_isolated(switch, seen, before, wanted)
            assert switch.carried(other) == before[other]
            if not await driver.usable():
                await open_again(driver)
            await send(driver, *changes)
            assert [switch.carried(name) for name in own] == [*map(carried, wanted.values())]


@EVERY
async def test_after_a_refusal_the_session_still_works(kind: Kind) -> None:
    switch = kind.switch()
    there, other = kind.port(switch, 0), kind.port(switch, 1)
    async with driving(switch, options={**kind.options, "window": 16}) as driver:
        switch.faults.refuse = {r"101\b": kind.refusal}
        with pytest.raises(DeviceError, match="refused"):
            await send(driver, SetPort(there, PortConfig(101)))
        switch.faults.refuse = {}
        assert await driver.usable()
        await send(driver, SetPort(there, PortConfig(101)), SetPort(other, PARKED))
        assert switch.carried(switch.port_list[0]) == Carried(101)


@EVERY
async def test_setting_ports_twice_changes_nothing_the_second_time(kind: Kind) -> None:
    switch = kind.switch()
    async with driving(switch, options=kind.options) as driver:
        for config in (
            PortConfig(100),
            PortConfig(None, (100,)),
            PortConfig(101, (102,)),
            PortConfig(101, (100, 103)),
            PARKED,
        ):
            changes = [SetPort(kind.name(name), config) for name in switch.port_list]
            await send(driver, *changes)
            seen, running = len(switch.history), switch.running.copy()
            await send(driver, *changes)
            assert switch.history[seen:] == []
            assert switch.running == running


@EVERY
async def test_a_port_stays_open_while_a_tagged_vlan_is_added_and_removed(kind: Kind) -> None:
    switch = kind.switch()
    port, name = kind.port(switch, 0), switch.port_list[0]
    async with driving(switch, options=kind.options) as driver:
        await send(driver, SetPort(port, PortConfig(100, (101,))))
        for tagged in ((101, 102), (101, 103), (101,)):
            seen = len(switch.history)
            await send(driver, SetPort(port, PortConfig(100, tagged)))
            for entry in switch.history[seen:]:
                assert vlans(entry.changed[name]) >= {100, 101}, entry.line.text
            assert switch.carried(name) == Carried(100, frozenset(tagged))


@EVERY
async def test_a_port_in_any_state_is_read_correctly(kind: Kind) -> None:
    """Including modes that we never set, and a trunk that admits all VLANs."""
    dice = random.Random(7)
    switch = kind.switch()
    there = frozenset(vlans_on(switch))
    async with driving(switch, options=kind.options) as driver:
        for _ in range(kind.rounds):
            kind.leave(dice, switch, switch.port_list)
            seen = await observe(driver, list(map(kind.name, switch.port_list)))
            for name, config in zip(switch.port_list, seen, strict=True):
                assert isinstance(config, PortConfig)
                told = Carried(config.untagged, frozenset(config.tagged) & there)
                now = switch.carried(name)
                more = kind.dynamic and vlans(told) >= vlans(now)
                assert told == now or more, switch.running.ports[name]
