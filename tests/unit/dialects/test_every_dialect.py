"""Properties of every dialect, against a strict simulator of each kind of switch.

The first one: after each line, a port carries no VLAN that is in neither its old nor its new
configuration, even if a line is refused and the lines sent ahead of its answer are carried out.
"""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    PARKED,
    PortConfig,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    SetPort,
    SetVlan,
    SwitchChange,
)
from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.personalities import CLASSES, dialects, personality
from tests.unit.dialects.harness import (
    Recorder,
    add_vlans,
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
from tests.unit.dialects.kinds import KINDS, LOGINS, Kind

pytestmark = pytest.mark.slow

REAL = {"linux_bridge", "openvswitch"}
"""Dialects that the lab tries on real switches."""

EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def those(has: Any) -> pytest.MarkDecorator:
    """Parametrize a test with the kinds for which ``has`` returns true."""
    chosen = {name: kind for name, kind in KINDS.items() if has(kind)}
    return pytest.mark.parametrize("kind", chosen.values(), ids=chosen)


SAVING = those(lambda kind: DIALECTS[kind.dialect].saves)


def test_there_is_a_simulator_for_every_dialect() -> None:
    assert DIALECTS.keys() - REAL == CLASSES.keys()
    assert set(dialects()) == CLASSES.keys() == {kind.dialect for kind in KINDS.values()}
    assert {personality(name).dialect for name in dialects()} == CLASSES.keys()


# --- isolation ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        pytest.param(kind, line, id=f"{name}-{line}")
        for name, kind in KINDS.items()
        for line in kind.lines
    ],
)
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


# --- many ports, many VLANs -----------------------------------------------------------------------


@those(lambda kind: kind.ranged)
async def test_ports_with_the_same_configuration_are_set_together(kind: Kind) -> None:
    switch = kind.switch(ports=12)
    at = (0, 1, 2, 3, 5, 7, 8)
    own = {switch.port_list[number] for number in at}
    changes = [SetPort(kind.port(switch, number), PortConfig(100)) for number in at]
    async with driving(switch, options=kind.options) as driver:
        lines = await send(driver, *changes)
        naming = r"interface (?!vlan)|wildcard .* native|nv .* link"
        assert tuple(dict.fromkeys(li for li in lines if re.match(naming, li))) == kind.ranged
        for name, now in all_carried(switch).items():
            assert now == (Carried(100) if name in own else carried(kind.fresh))
        await send(driver, SetPort(kind.port(switch, 4), PortConfig(101)))
        assert switch.carried(switch.port_list[4]) == Carried(101)
        assert {switch.carried(name) for name in own} == {Carried(100)}


@those(lambda kind: kind.ranged)
async def test_many_ports_are_set_by_few_lines(kind: Kind) -> None:
    switch = kind.switch(ports=24)
    ports = list(map(kind.name, switch.port_list))
    async with driving(switch, options=kind.options) as driver:
        assert (
            len(await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))) < kind.few
        )
        assert {*all_carried(switch).values()} == {Carried(100)}
        assert await observe(driver, ports) == [PortConfig(100)] * 24
        lines = await send(driver, *(SetPort(port, PARKED) for port in ports[::2]))
        assert len(lines) < kind.apart
        assert [switch.is_shut(name) for name in switch.port_list] == [True, False] * 12


@those(lambda kind: kind.ranged)
async def test_a_model_without_ranges_is_set_port_by_port(kind: Kind) -> None:
    switch = kind.switch(ports=6)
    ports = list(map(kind.name, switch.port_list))
    several = r"range| to |(?<!ge)-\d|\d,"
    async with driving(switch, options={**kind.options, "ranges": False}) as driver:
        lines = await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))
        assert not [line for line in lines if re.search(several, line.partition("allowed")[0])]
        assert await observe(driver, ports) == [PortConfig(100)] * 6
        assert {*all_carried(switch).values()} == {Carried(100)}


@EVERY
async def test_a_long_list_of_vlans_is_split_into_lines(kind: Kind) -> None:
    """Together they give the list, and none admits an unwanted VLAN."""
    wanted = PortConfig(None, tuple(range(2, kind.most, 2)))
    switch = kind.switch()
    add_vlans(switch, *range(2, kind.most + 1))
    port, name = kind.port(switch, 0), switch.port_list[0]
    async with driving(switch, options=kind.options) as driver:
        for config in (PARKED, wanted, PARKED):
            before, seen = all_carried(switch), len(switch.history)
            lines = await send(driver, SetPort(port, config))
            assert max(map(len, lines)) < kind.longest
            assert_isolated(switch, seen, before, {name: config})
            assert switch.carried(name) == carried(config)
            assert await observe(driver, [port]) == [config]
        [preview] = driver.preview([SetPort(port, wanted)])
        assert max(map(len, preview)) < kind.longest


@those(lambda kind: kind.missing)
async def test_a_missing_port_hides_no_other_port(kind: Kind) -> None:
    switch = kind.switch()
    port = kind.port(switch, 0)
    async with driving(switch, options=kind.options) as driver:
        with pytest.raises(DeviceError, match="refused"):
            await send(driver, SetPort(kind.missing, PortConfig(100)))
        both = [SetPort(port, PortConfig(100)), SetPort(kind.missing, PortConfig(100))]
        assert "refused" in states(await driver.send(both, Recorder()))
        await send(driver, SetPort(port, PARKED))
        there, missing = await driver.observe(both)
        assert there == PortSeen(PARKED)
        assert isinstance(missing, DeviceError)
        assert missing.reason == "missing"
        assert f"does not show a port {kind.missing}" in missing.message


# --- VLANs, saving, restarts ----------------------------------------------------------------------


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


# --- sessions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "login"),
    [
        pytest.param(kind, login, id=f"{name}-{login}")
        for name, kind in KINDS.items()
        for login in kind.logins
    ],
)
async def test_after_every_kind_of_login_ports_can_be_set(kind: Kind, login: str) -> None:
    options, credential = LOGINS[login]
    switch = kind.switch(**options)
    async with driving(switch, credential, kind.options) as driver:
        await send(driver, SetVlan(104, True))
        await send(driver, SetPort(kind.port(switch, 0), PortConfig(104)))
        assert switch.carried(switch.port_list[0]) == Carried(104)
        prompt = (await driver.probe()).prompt
        assert not kind.up_within or re.split(r"\W", switch.running.hostname)[0] in prompt


@EVERY
async def test_a_wrong_password_is_reported_and_sent_once(kind: Kind) -> None:
    switch = kind.switch()
    with pytest.raises(DeviceError, match=f"sw1 refused the login of haas.*{kind.wrong}") as caught:
        async with driving(switch, Credential(username="haas", password="no", enable="en4ble")):
            pass
    assert caught.value.reason == "login"
    assert switch.counters.failed_logins == 1


@those(lambda kind: "no enable password" in kind.logins)
@pytest.mark.parametrize("enable", ["no", ""])
async def test_a_wrong_enable_password_is_reported(kind: Kind, enable: str) -> None:
    credential = Credential(username="haas", password="s3cret", enable=enable)
    with pytest.raises(DeviceError, match=r"refused|asks for an enable") as caught:
        async with driving(kind.switch(enable="other"), credential):
            pass
    assert caught.value.reason == "enable"


@those(lambda kind: kind.kind.full_text)
async def test_a_switch_without_a_free_session_is_reported(kind: Kind) -> None:
    with pytest.raises(DeviceError, match="no session free") as caught:
        async with driving(kind.switch(vtys=0)):
            pass
    assert caught.value.reason == "busy"


@those(lambda kind: kind.up_within)
async def test_pages_are_turned_if_paging_cannot_be_turned_off(kind: Kind) -> None:
    switch = kind.switch(ports=40)
    switch.faults.refuse = dict.fromkeys(
        map(re.escape, DIALECTS[kind.dialect].dialogue.setup), kind.refusal
    )
    ports = list(map(kind.name, switch.port_list))
    wanted = [PortConfig(100 + at % 4) for at in range(39)]
    async with driving(switch, options=kind.options) as driver:
        await send(driver, *(SetPort(*each) for each in zip(ports, wanted, strict=False)))
        assert await observe(driver, ports) == [*wanted, kind.seen or kind.fresh]


@those(lambda kind: kind.message)
async def test_log_messages_are_neither_errors_nor_prompts(kind: Kind) -> None:
    switch = kind.switch(line_delay=0.001)
    switch.on_change = lambda changed, ports: changed.announce(kind.message)
    ports = list(map(kind.name, switch.port_list))

    class Talking(Recorder):
        """Makes the switch print a log message whenever a line is sent."""

        def line_sent(self, change: int, line: str) -> None:
            super().line_sent(change, line)
            switch.announce(kind.message)

    async with driving(switch, options=kind.options) as driver:
        for config in (PortConfig(100), PARKED, PortConfig(None, (101,)), PortConfig(101, (102,))):
            switch.announce(kind.message)
            await send(driver, *(SetPort(port, config) for port in ports), progress=Talking())
            switch.announce(kind.message)
            assert await observe(driver, ports) == [config] * 4
            assert {*all_carried(switch).values()} == {carried(config)}
        await send(driver, SaveConfig(), progress=Talking())
        assert await driver.observe([SaveConfig()]) == [PresenceSeen(True)]


# --- who it is ------------------------------------------------------------------------------------


@EVERY
async def test_a_probe_reads_identity_ports_vlans_and_uptime(kind: Kind) -> None:
    switch = kind.switch()
    own = {switch.port_list[1]: PortConfig(100, (101,))}
    async with driving(switch, options=kind.options) as driver:
        await send(driver, SetPort(kind.port(switch, 1), PortConfig(100, (101,))))
        probed = await driver.probe()
        assert (probed.model, probed.version) == kind.identity
        seen = dict.fromkeys(switch.port_list, kind.seen or kind.fresh) | own
        assert {port: each.config for port, each in probed.ports.items()} == seen
        assert probed.vlans == vlans_on(switch).keys()
        day, month = 93_784, 21 * 86400 + 3 * 3600 + 11 * 60 + 20
        for seconds in (0, day, month) if kind.up_within else ():
            switch.booted -= seconds
            up = await driver.uptime()
            assert up is not None
            assert up.seconds == pytest.approx(switch.seconds_up(), abs=kind.up_within)
        up = await driver.uptime()
        assert up is not None
        assert up.seconds > 0


@EVERY
def test_every_spelling_of_a_port_has_one_canonical_name(kind: Kind) -> None:
    dialect = DIALECTS[kind.dialect]
    for spelled, name in kind.names.items():
        for written in (*spelled.split("; "), name):
            assert dialect.canonical_port(written) == name
    assert len({*kind.names.values()}) == len(kind.names)
    ports = kind.kind.port_names(12)
    assert [dialect.canonical_port(kind.name(port)) for port in ports] == ports


# --- a second witness -----------------------------------------------------------------------------


@those(lambda kind: DIALECTS[kind.dialect].reader.witness is not None)
async def test_operational_membership_is_read_for_all_ports_by_one_line_and_in_no_apply(
    kind: Kind,
) -> None:
    reader = DIALECTS[kind.dialect].reader
    assert reader.witness is not None
    line = reader.witness.line
    switch = kind.switch()
    ports = [kind.name(port) for port in switch.port_list]
    async with driving(switch, options=kind.options) as driver:
        wanted = [SetPort(port, PortConfig(100)) for port in ports]
        await send(driver, *wanted)
        seen = await driver.observe(wanted)
        if line not in reader.read_vlans(kind.options):
            assert line not in [record.text for record in switch.lines]
        before = len(switch.lines)
        carries = {
            port: one for port, one in zip(ports, seen, strict=True) if isinstance(one, PortSeen)
        }
        assert await driver.cross_check(carries) == carries
        assert [one.text for one in switch.lines[before:]].count(line) == 1
        switch.assigned[switch.port_list[1]] = 101
        await driver.observe([*wanted, SetVlan(100, present=True)])
        before = len(switch.lines)
        checked = await driver.cross_check(carries)
        known = line in reader.read_vlans(kind.options)  # it was just read for the VLANs
        assert [one.text for one in switch.lines[before:]].count(line) == (not known)
        assert [one.unconfigured for one in checked.values()] == [(), (101,), (), ()]
        assert [one.believed for one in checked.values()] == [
            None if at == 1 else PortConfig(100) for at in range(4)
        ]
