"""Switches with a shell and the vendor's commands: Cumulus Linux and SONiC.

Bash, telnet and the driver are real; the vendor's commands are strictly simulated.
"""

from __future__ import annotations

import random
import shlex
from collections.abc import Sequence
from typing import Any

import pytest

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.script import Line
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, PortConfig, PortSeen, SaveConfig, SetPort, SetVlan
from haas_rpcd.sim import nvue, sonic
from haas_rpcd.sim.cli import NOTHING, Carried
from haas_rpcd.sim.nvue import NvueSwitch
from haas_rpcd.sim.shell import Call
from haas_rpcd.sim.sonic import SonicSwitch
from tests.unit.dialects.harness import (
    FOREIGN,
    POOL,
    Recorder,
    carried,
    config_of,
    driving,
    observe,
    send,
    vlans,
)
from tests.unit.dialects.kinds import KINDS

pytestmark = pytest.mark.slow

Switch = NvueSwitch | SonicSwitch
NVUE, SONIC = DIALECTS["cumulus_nvue"], DIALECTS["sonic"]
BOTH = pytest.mark.parametrize("name", ["cumulus_nvue", "sonic"])


# --- isolation ------------------------------------------------------------------------------------


class Typed(Call):
    """A command without a shell: its output is discarded."""

    def __init__(self, words: list[str], root: bool) -> None:
        super().__init__(0, root, "/", words, *(None,) * 2)  # type: ignore[arg-type]

    def print(self, *lines: str) -> None:
        pass

    error = print


async def carry_out(switch: Switch, line: str) -> None:
    """Carry a line out, as the shell would; ignore whether it is refused."""
    words = shlex.split(line)
    root = words[:2] == ["sudo", "-n"]
    await switch.run(Typed(words[2:] if root else words, root))


def scripted(switch: Switch, changes: Sequence[SetPort], **options: Any) -> list[Line]:
    """Return the lines that would be sent now."""
    now = {}
    for port in switch.port_list:
        if isinstance(switch, SonicSwitch):
            of = {v: tagged for (v, name), tagged in switch.running.members.items() if name == port}
            own = next((vlan for vlan, tagged in of.items() if not tagged), None)
            config = PortConfig(own, tuple(sorted(set(of) - {own})))
        else:
            there = switch.running.bridged(port)
            config = PortConfig(there.untagged, tuple(sorted(there.tagged)))
        now[port] = PortState(config, open=not switch.is_shut(port))
    return DIALECTS[switch.dialect].writer.script(changes, options, now)


@BOTH
@pytest.mark.parametrize("options", [{}, {"ranges": False}])
@pytest.mark.parametrize("seed", range(2))
async def test_no_line_opens_a_foreign_vlan_whichever_line_is_refused(
    name: str, seed: int, options: dict[str, Any]
) -> None:
    """From any state to any other; after a refusal, the lines sent ahead are still carried out."""
    dice = random.Random(seed)
    for _ in range(12):
        switch = KINDS[name].switch()
        ports = dice.sample(switch.port_list, 3)
        for port in switch.port_list:
            KINDS[name].randomize(dice, switch, port)
        before = {port: switch.carried(port) for port in switch.port_list}
        wanted = {port: dice.choice([config_of(dice), PortConfig(100)]) for port in ports}
        lines = scripted(switch, [SetPort(port, wanted[port]) for port in ports], **options)
        start = switch.running.copy()
        for refused in [None, *range(len(lines))]:
            switch.adopt(start.copy())
            await carry_out(switch, "nv config detach")
            for at, line in enumerate(lines):
                if refused is not None and at > refused and line.barrier:
                    break
                if at != refused:
                    await carry_out(switch, line.text)
                for port in switch.port_list:
                    goal = wanted.get(port, PARKED).vlans
                    assert vlans(switch.carried(port)) <= vlans(before[port]) | goal, line.text
            if refused is None:
                for port, config in wanted.items():
                    assert switch.carried(port) == carried(config)
                    assert switch.is_shut(port) or not config.parked


# --- what is there, what is kept ------------------------------------------------------------------


@BOTH
def test_a_name_of_several_ports_is_refused(name: str) -> None:
    dialect, ports = DIALECTS[name], KINDS[name].kind.port_names(3)
    assert [dialect.canonical_port(port) for port in ports] == ports
    for several in (",".join(ports), f"{ports[0]}-4"):
        with pytest.raises(ValueError, match="names several ports: register each by itself"):
            dialect.canonical_port(several)


# --- Cumulus Linux --------------------------------------------------------------------------------


async def test_ports_with_the_same_configuration_are_one_range() -> None:
    switch = KINDS["cumulus_nvue"].switch(ports=20)
    async with driving(switch) as driver:
        ports = [f"swp{number}" for number in (1, 2, 3, 6, *range(14, 21))]
        lines = await send(driver, *(SetPort(port, PortConfig(100)) for port in ports))
        assert [line for line in lines if "config detach" not in line] == [
            "nv set interface swp1-3,swp6,swp14-20 link state down",
            "nv unset interface swp1-3,swp6,swp14-20 bridge domain",
            "nv set interface swp1-3,swp6,swp14-20 bridge domain br_default access 100",
            "nv config apply --assume-yes",
            "nv set interface swp1-3,swp6,swp14-20 link state up",
            "nv config apply --assume-yes",
        ]
        assert [entry.line.text for entry in switch.history] == [lines[-1]]
        assert set(switch.history[0].changed) == set(ports)


async def test_a_port_never_inherits_the_vlans_of_the_bridge() -> None:
    """The trap: without own settings it carries all of the bridge's VLANs, and VLAN 1."""
    switch = KINDS["cumulus_nvue"].switch()
    switch.running.ports["swp1"] = nvue.state.Port(configured=True, on_bridge=True)
    switch.touch()
    switch.settle()
    assert switch.carried("swp1") == Carried(1, frozenset({FOREIGN, *POOL}))
    async with driving(switch) as driver:
        assert await observe(driver, ["swp1"]) == [PortConfig(1, (FOREIGN, *POOL))]
        await send(driver, SetPort("swp1", PortConfig(None, (100, 101))))
        assert switch.carried("swp1") == Carried(None, frozenset({100, 101}))
        await send(driver, SetPort("swp1", PARKED), SetVlan(104, True))
        assert switch.carried("swp1") == NOTHING
        switch.running.ports["swp1"].state = "up"  # by hand
        assert await observe(driver, ["swp1"]) == [PARKED]


async def test_a_long_list_of_vlans_is_split_into_lines() -> None:
    wanted = PortConfig(2, tuple(range(3, 800, 2)))
    switch = KINDS["cumulus_nvue"].switch()
    async with driving(switch) as driver:
        lines = await send(driver, SetPort("swp1", wanted))
        assert len([line for line in lines if " vlan " in line]) > 5
        assert max(map(len, lines)) < 256
        assert switch.carried("swp1") == carried(wanted)
        assert await observe(driver, ["swp1"]) == [wanted]


async def test_leftovers_in_the_candidate_are_not_applied() -> None:
    """All logins of one name share the candidate. It is detached before, and after a refusal."""
    switch = KINDS["cumulus_nvue"].switch()
    left = ["set", "interface", "swp2", "bridge", "domain", "br_default"]
    async with driving(switch) as driver:
        switch.nv.candidates["haas"] = nvue.state.Candidate(9, [left])
        await send(driver, SetPort("swp1", PortConfig(100)))
        assert [set(entry.changed) for entry in switch.history] == [{"swp1"}]
        switch.faults.refuse = {"access 101": "Error: Invalid parameter"}
        await driver.send([SetPort("swp2", PortConfig(101))], Recorder())
        assert switch.nv.candidates == {}


async def test_a_save_also_works_on_releases_that_save_by_themselves() -> None:
    switch = KINDS["cumulus_nvue"].switch()
    assert isinstance(switch, NvueSwitch)
    switch.nv.auto_save = True
    async with driving(switch) as driver:
        await send(driver, SetPort("swp1", PortConfig(100)))
        assert not switch.modified
        await send(driver, SaveConfig())


async def test_an_apply_that_fails_with_exit_status_0_is_noticed() -> None:
    switch = KINDS["cumulus_nvue"].switch()
    assert isinstance(switch, NvueSwitch)
    switch.nv.reload_fails = True
    async with driving(switch) as driver:
        [outcome] = await driver.send([SetPort("swp1", PortConfig(100))], Recorder())
        assert outcome.state == "refused"
        assert "Unable to restart services (ifreload-nvue.service)" in str(outcome.error)
        assert switch.history == []
        assert switch.nv.candidates == {}


def test_the_bridge_can_be_set_by_an_option() -> None:
    changes: list[SetVlan | SetPort] = [
        SetVlan(100, True),
        SetPort("swp1", PortConfig(None, (100, 101))),
    ]
    lines = [line.text for line in NVUE.writer.script(changes, {"bridge": "br_haas"})]
    assert lines == [
        "nv set bridge domain br_haas vlan 100",
        "nv set interface swp1 link state down",
        "nv unset interface swp1 bridge domain",
        "nv set interface swp1 bridge domain br_haas untagged none",
        "nv set interface swp1 bridge domain br_haas vlan 100-101",
        "nv config apply --assume-yes",
        "nv set interface swp1 link state up",
        "nv config apply --assume-yes",
    ]


@BOTH
def test_without_ranges_ports_are_named_one_by_one(name: str) -> None:
    ports = KINDS[name].kind.port_names(3)
    changes = [SetPort(port, PARKED) for port in ports]
    now = dict.fromkeys(ports, PortState(PortConfig(100)))
    together = DIALECTS[name].writer.script(changes, {}, now)
    singly = DIALECTS[name].writer.script(changes, {"ranges": False}, now)
    assert all(sum(port in line.text.split() for port in ports) <= 1 for line in singly)
    assert len(together) < len(singly)


# --- SONiC ----------------------------------------------------------------------------------------


async def test_only_vlans_that_differ_are_removed_and_added() -> None:
    switch = KINDS["sonic"].switch()
    async with driving(switch) as driver:
        await send(driver, SetPort("Ethernet4", PortConfig(100, (101, 102))))
        lines = await send(driver, SetPort("Ethernet4", PortConfig(101, (102, 103))))
        assert lines == [
            "sudo -n config vlan member del 100 Ethernet4",
            "sudo -n config vlan member del 101 Ethernet4",
            "sudo -n config vlan member add -u 101 Ethernet4",
            "sudo -n config vlan member add 103 Ethernet4",
        ]


async def test_a_port_with_an_address_is_refused_until_it_is_removed() -> None:
    switch = KINDS["sonic"].switch()
    switch.running.ports["Ethernet0"] = sonic.state.Port(addresses=("10.0.0.0/31",))
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match="Error: Ethernet0 is a router interface!"):
            await send(driver, SetPort("Ethernet0", PortConfig(100)))
        await send(driver, SetPort("Ethernet0", PARKED))
        assert switch.is_shut("Ethernet0")


async def test_a_port_that_is_not_understood_is_only_shut() -> None:
    """It has an address and a VLAN, of which one does not count; nobody knows which."""
    switch = KINDS["sonic"].switch()
    switch.running.ports["Ethernet0"] = sonic.state.Port(addresses=("10.0.0.0/31",))
    switch.running.members[7, "Ethernet0"] = True
    async with driving(switch) as driver:
        sent = await send(driver, SetPort("Ethernet0", PortConfig(100)))
        assert sent == ["sudo -n config interface shutdown Ethernet0"]
        [seen] = await driver.observe([SetPort("Ethernet0", PARKED)])
        assert isinstance(seen, PortSeen)
        assert seen.believed is None
        assert seen.not_understood == "VLAN_MEMBER Vlan7|Ethernet0 tagging_mode tagged"


async def test_a_release_may_need_the_port_s_mode_first() -> None:
    switch = KINDS["sonic"].switch()
    assert isinstance(switch, SonicSwitch)
    switch.needs_mode = True
    async with driving(switch) as driver:
        with pytest.raises(DeviceError, match="Ethernet0 is in routed mode!"):
            await send(driver, SetPort("Ethernet0", PortConfig(100)))
    async with driving(switch, options={"switchport": True}) as driver:
        for wanted in (PortConfig(100), PortConfig(101, (100,)), PortConfig(101, (100,))):
            await send(driver, SetPort("Ethernet0", wanted))
            assert switch.carried("Ethernet0") == carried(wanted)


async def test_a_vlan_with_ports_is_not_removed() -> None:
    switch = KINDS["sonic"].switch()
    async with driving(switch) as driver:
        await send(driver, SetPort("Ethernet0", PortConfig(100)))
        with pytest.raises(DeviceError, match="First remove all members assigned to this VLAN"):
            await send(driver, SetVlan(100, False))


def test_root_needs_no_sudo_and_a_port_in_an_unknown_state_is_only_shut() -> None:
    changes: list[SetVlan | SetPort] = [SetPort("Ethernet0", PortConfig(100)), SetVlan(100, True)]
    assert [line.text for line in SONIC.writer.script(changes, {"sudo": False})] == [
        "config vlan add 100",
        "config interface shutdown Ethernet0",
    ]


def test_port_channels_are_read_like_ports() -> None:
    answer = (
        '{"PORT": {"Ethernet0": {"admin_status": "up"}, "Ethernet4": {}},'
        ' "PORTCHANNEL": {"PortChannel1": {"admin_status": "down"}},'
        ' "VLAN_MEMBER": {"Vlan100|PortChannel1": {"tagging_mode": "untagged"}}}'
    )
    assert SONIC.reader.parse_ports([answer], {}) == {
        "Ethernet0": PortState(PARKED, open=True),
        "Ethernet4": PortState(PARKED, open=True),
        "PortChannel1": PortState(PortConfig(100), open=False),
    }
