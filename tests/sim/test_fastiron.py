"""The simulated ICX as its clients see it. Texts are those of FastIron where known."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.fastiron import FastIronSwitch

from .console import connected, logged_in

P1, P2, P3, P4 = FastIronSwitch.port_names(4)
OLD = "08.0.30"


def icx(hostname: str = "sw1", **options: object) -> FastIronSwitch:
    settings: dict[str, object] = {"ports": FastIronSwitch.port_names(4)}
    settings |= {"username": "haas", "password": "pw"} | options
    return FastIronSwitch(hostname, **settings)  # type: ignore[arg-type]


async def test_the_prompt_shows_the_transport() -> None:
    prompt = re.compile(r"telnet@ICX7150-24 Switch[>#]$")
    async with icx("", enable="e") as switch, connected(switch, prompt) as console:
        await console.until("User Access Verification\n\nPlease Enter Login Name: $")
        console.send("haas\rpw\r")
        assert "User login successful." in await console.until(prompt)
        console.send("enable\rno\r")
        await console.until("Error - Incorrect username or password.\n.*>$")
        console.send("enable\re\r")
        assert (await console.until("#$")).endswith("telnet@ICX7150-24 Switch#")


async def test_refusals_repeat_the_unknown_part() -> None:
    async with icx() as switch, logged_in(switch) as console:
        assert await console.run("shizzle") == ["Invalid input -> shizzle", "Type ? for a list"]
        assert await console.run_all("conf t", "vlan 10", "untagged ethernet 1/1/99") == [
            "Invalid input -> 1/1/99",
            "Type ? for a list",
        ]


async def test_ports_join_and_leave_vlans() -> None:
    async with icx() as switch, logged_in(switch) as console:
        assert switch.carried(P1) == Carried(1)
        said = await console.run_all(
            "conf t", "vlan 10 name blue by port", "unt eth 1/1/1 to 1/1/3"
        )
        assert said == ["Added untagged port(s) ethe 1/1/1 to 1/1/3 to port-vlan 10."]
        assert await console.run_all("vlan 11", "untagged ethe 1/1/1") == [
            "error - port ethe 1/1/1 are not member of default vlan"
        ]
        assert await console.run("no tagged e 1/1/4") == [
            "Error: ports ethe 1/1/4 are not tagged members of vlan 11"
        ]
        await console.run_all("vlan 10", "no untagged ethernet 1/1/1 ethernet 1/1/3")
        assert [switch.carried(name) for name in (P1, P2, P3)] == [
            Carried(1), Carried(10), Carried(1)
        ]  # fmt: skip


async def test_a_tagged_port_stays_on_the_default_vlan_until_it_is_taken_off() -> None:
    async with icx() as switch, logged_in(switch) as console:
        await console.run_all("conf t", "vlan 10", "tagged ethernet 1/1/1")
        assert switch.carried(P1) == Carried(1, frozenset({10}))
        await console.run_all("vlan 1", "no untagged ethernet 1/1/1")
        assert switch.carried(P1) == Carried(None, frozenset({10}))
        await console.run_all("vlan 10", "no tagged ethernet 1/1/1")
        assert switch.carried(P1) == Carried(1)
        assert (await console.run_all("interface ethernet 1/1/1", "dual-mode"))[0] == (
            "Invalid input -> dual-mode"
        )


async def test_before_08_0_80_a_tagged_port_leaves_and_dual_mode_sets_its_untagged_vlan() -> None:
    async with icx(release=OLD) as switch, logged_in(switch) as console:
        await console.run_all("conf t", "vlan 10", "tagged ethernet 1/1/1")
        assert switch.carried(P1) == Carried(None, frozenset({10}))
        await console.run_all("vlan 11", "tagged ethernet 1/1/1", "interface ethernet 1/1/1")
        assert await console.run("dual-mode 12") != []
        assert await console.run("dual-mode 11") == []
        assert switch.carried(P1) == Carried(11, frozenset({10}))
        assert await console.run_all("vlan 11", "no tagged ethernet 1/1/1") == [
            "Please disable dual mode for port ethe 1/1/1 before removing the ports from the VLAN."
        ]
        assert await console.run_all("vlan 12", "untagged ethernet 1/1/1") == [
            "error - port ethe 1/1/1 are not member of default vlan"
        ]


@pytest.mark.parametrize(
    ("spec", "ports"),
    [
        ("ethernet 1/1/1 to 1/1/3", [P1, P2, P3]),
        ("e 1/1/1 ethe 1/1/3 to 1/1/4", [P1, P3, P4]),
        ("ethernet 1/1/3 to 1/1/1", []),
        ("ethernet 1/1/1-4", []),
    ],
)
async def test_ranges(spec: str, ports: list[str]) -> None:
    async with icx() as switch, logged_in(switch) as console:
        await console.run_all("conf t", f"interface {spec}", "disable")
        assert [name for name in switch.port_list if switch.is_shut(name)] == ports


async def test_show_commands() -> None:
    async with icx() as switch, logged_in(switch, "skip-page-display") as console:
        await console.run_all(
            "conf t", "vlan 10 name blue by port", "tagged ethe 1/1/1 to 1/1/2 ethe 1/1/4",
            "interface ethernet 1/1/2", "disable", "end",
        )  # fmt: skip
        lines = await console.run("show running-config vlan")
        at = lines.index("vlan 10 name blue by port")
        assert lines[at + 1] == " tagged ethe 1/1/1 to 1/1/2 ethe 1/1/4 "
        brief = await console.run("show interfaces brief")
        assert any(re.match(r"1/1/2 +Disable +None .* Yes 1 ", line) for line in brief)


async def test_only_the_saved_configuration_survives_a_reload() -> None:
    async with icx() as switch, logged_in(switch) as console:
        await console.run_all("conf t", "vlan 10", "end")
        assert (await console.run("write memory"))[-1] == "Write startup-config done."
        await console.run_all("conf t", "vlan 11", "end")
        console.send("reload\ry")
        await console.hung_up()
        assert sorted(switch.running.vlans) == [1, 10]
