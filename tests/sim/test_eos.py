"""The simulated Arista switch as its clients see it. All texts are those of EOS."""

from __future__ import annotations

import re

import pytest

from haas_rpcd.sim.cli import Carried, format_list
from haas_rpcd.sim.eos import EosSwitch

from .console import connected, logged_in

ET1, ET2, ET3, ET4 = EosSwitch.port_names(4)


def arista(**options: object) -> EosSwitch:
    settings: dict[str, object] = {"ports": EosSwitch.port_names(4)}
    settings |= {"username": "haas", "password": "pw"} | options
    return EosSwitch("sw1", **settings)  # type: ignore[arg-type]


async def test_login_has_the_dialogue_of_linux_and_lands_at_the_user_s_privilege() -> None:
    async with arista(enable="e") as switch, connected(switch) as console:
        await console.until("sw1 login: $")
        console.send("haas\rno\r")
        assert "Login incorrect\n\nsw1 login: " in await console.until("incorrect\n\nsw1 login: $")
        console.send("haas\rpw\r")
        assert (await console.until(r"\n\S+>$")).endswith("sw1>")
        assert await console.run("show running-config") == [
            "% Invalid input (privileged mode required)"
        ]
        console.send("enable\rno\re\r")
        assert (await console.until(r"\n\S+#$")).endswith("sw1#")


async def test_refusals() -> None:
    async with arista() as switch, logged_in(switch) as console:
        assert await console.run("show vlam") == ["% Invalid input"]
        assert await console.run("show i") == ["% Ambiguous command"]
        assert await console.run("show") == ["% Incomplete command"]
        assert await console.run("terminal length 0") == ["Pagination disabled."]


async def test_modes_and_their_prompts() -> None:
    async with arista() as switch, logged_in(switch) as console:
        console.send("conf\rint et1,3-4\rvlan 7\rint e2\rexit\rend\r")
        said = await console.until(r"#end\nsw1#$")
        assert re.findall(r"^(sw1\S*#)", said, re.MULTILINE) == [
            "sw1(config)#",
            "sw1(config-if-Et1,3-4)#",
            "sw1(config-vlan-7)#",
            "sw1(config-if-Et2)#",
            "sw1(config)#",
            "sw1#",
        ]


@pytest.mark.parametrize(
    ("spec", "ports"),
    [
        ("Ethernet1-4", [ET1, ET2, ET3, ET4]),
        ("et1,et3-4", [ET1, ET3, ET4]),
        ("Et 1,3", [ET1, ET3]),
        ("Et1-5", []),
        ("Et3-1", []),
        ("Et1 - 3", []),
    ],
)
async def test_ranges(spec: str, ports: list[str]) -> None:
    async with arista() as switch, logged_in(switch) as console:
        printed = await console.run_all("configure", f"interface {spec}", "shutdown")
        assert [name for name in switch.port_list if switch.is_shut(name)] == ports
        assert ("% Invalid input" in printed) == (not ports)


async def test_a_port_accepts_a_vlan_that_does_not_exist_but_does_not_carry_it() -> None:
    async with arista() as switch, logged_in(switch) as console:
        assert await console.run_all("conf", "int et1", "switchport access vlan 100") == []
        assert switch.carried(ET1) == Carried()
        await console.run("vlan 100")
        assert switch.carried(ET1) == Carried(100)


async def test_trunks_carry_their_allowed_vlans() -> None:
    async with arista() as switch, logged_in(switch) as console:
        await console.run_all("conf", "vlan 100-101", "int et1", "switchport mode trunk")
        assert switch.carried(ET1) == Carried(1, frozenset({100, 101}))
        for line, allowed in {
            "none": "none",
            "add 5,7-8": "5,7-8",
            "remove 7": "5,8",
            "except 1-4090": "4091-4094",
            "all": "1-4094",
        }.items():
            assert await console.run(f"switchport trunk allowed vlan {line}") == []
            shown = format_list(switch.running.ports[ET1].allowed, pairs=False)
            assert shown == allowed
        await console.run_all("no switchport")
        assert switch.carried(ET1) == Carried()


async def test_tables_and_configuration() -> None:
    async with arista() as switch, logged_in(switch, "terminal length 0") as console:
        await console.run_all(
            "conf", "vlan 100", "name blue", "int et2", "switchport access vlan 100", "end"
        )
        table = await console.run("show vlan")
        assert f"100   {'blue':<32} active    Et2" in table
        lines = await console.run("show running-config")
        assert lines[lines.index(f"interface {ET2}") + 1] == "   switchport access vlan 100"
        assert lines[lines.index("vlan 100") + 1] == "   name blue"
        detail = await console.run("show interfaces et2 switchport")
        assert "Access Mode VLAN: 100 (blue)" in detail
        assert any(line.startswith("Uptime:") for line in await console.run("show version"))


@pytest.mark.parametrize("how", ["write", "write memory", "copy running-config startup-config"])
async def test_only_the_saved_configuration_survives_a_reload(how: str) -> None:
    async with arista() as switch, logged_in(switch) as console:
        await console.run_all("conf", "vlan 100", "int et1", "shutdown", "end")
        assert await console.run(how) == ["Copy completed successfully."]
        await console.run_all("conf", "vlan 101", "end")
        console.send("reload\r")
        await console.until(r"diff\]:$")
        console.send("no\r")
        await console.until(r"\[confirm\]$")
        console.send("\r")
        await console.hung_up()
        assert sorted(switch.running.vlans) == [1, 100]
        assert switch.is_shut(ET1)
