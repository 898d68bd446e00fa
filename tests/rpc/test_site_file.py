"""The site file: export and import are inverse, dry runs change nothing, errors name the place."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.rpc.small_site import SmallSite, register_switch, small_site

EVERYTHING = """
[users.alice]
admin = true
[users."bob_2"]

[projects.astro]
members = ["alice", "bob_2"]
[projects."bio.lab"]

[switches.sw1]
dialect = "cisco_ios"
host = "10.0.0.1"
credential = "lab"
access = ["Gi1/0/2", "Gi1/0/10", "Gi1/0/1"]
trunk = ["Te1/1/1"]
[switches.sw1.options]
encapsulation = "dot1q"
[switches.sw2]
dialect = "linux_bridge"
host = "fe80::1"
port = 2323
access = ["p1"]
[switches.sw2.options]
sudo = true

[nodes.node-1]
tags = ["gpu", "big"]
[nodes.node-1.nics.zz-first]
kind = "bmc"
mac = "02:00:00:00:00:0A"
switch = "sw1"
port = "Gi1/0/10"
[nodes.node-1.nics.a-second]
switch = "sw2"
port = "p1"
[nodes."node-2.rack-1"]
[nodes."node-2.rack-1".nics.spare]
"""


@pytest.fixture
async def second(tmp_path: Path) -> AsyncIterator[SmallSite]:
    """Another daemon with an empty inventory."""
    (tmp_path / "second").mkdir()
    async with small_site(tmp_path / "second") as site:
        yield site


async def exported(site: SmallSite) -> str:
    text: str = (await site.call("site.export"))["site"]
    return text


async def test_export_import_export_gives_the_same_bytes(
    empty_site: SmallSite, second: SmallSite
) -> None:
    changes = await empty_site.call("site.import", site=EVERYTHING)
    assert changes["changed"] == []
    text = await exported(empty_site)
    assert text == await exported(empty_site)

    await second.call("site.import", site=text)

    assert await exported(second) == text
    again = await second.call("site.import", site=text)
    assert (again["created"], again["changed"]) == ([], [])
    assert again["unchanged"] == len(changes["created"])


async def test_the_export_contains_everything_registered(empty_site: SmallSite) -> None:
    await empty_site.call("site.import", site=EVERYTHING)
    wanted, got = tomllib.loads(EVERYTHING), tomllib.loads(await exported(empty_site))
    wanted["nodes"]["node-1"]["nics"]["zz-first"]["mac"] = "02:00:00:00:00:0a"
    wanted["nodes"]["node-1"]["tags"].sort()
    assert got == wanted
    # nics stay in order of registration, the order people know
    assert list(got["nodes"]["node-1"]["nics"]) == ["zz-first", "a-second"]


async def test_a_site_registered_by_calls_is_exported(site: SmallSite, second: SmallSite) -> None:
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.call("user.create", user="admin", admin=True)
    text = await exported(site)
    assert "net" not in tomllib.loads(text)  # what tenants stage is not part of it
    await second.call("site.import", site=text)
    assert await exported(second) == text
    node = await second.call("node.show", node="node-1")
    assert (node["state"], node["project"]) == ("unconfirmed", None)


async def test_a_site_given_as_an_object(empty_site: SmallSite, second: SmallSite) -> None:
    await empty_site.call("site.import", site=EVERYTHING)
    await second.call("site.import", site=tomllib.loads(EVERYTHING))
    assert await exported(second) == await exported(empty_site)


async def test_a_dry_run_reports_the_changes_and_makes_none(site: SmallSite) -> None:
    before = await exported(site)
    events: list[Any] = []
    stop = site.daemon.events.subscribe_inventory(lambda event, _: events.append(event))
    text = before.replace('members = [\n    "rita",\n]', 'members = ["rita", "bob"]')
    assert text != before
    text += '[nodes.node-9]\ntags = ["new"]\n[nodes.node-9.nics.eth0]\n'

    changes = await site.call("site.import", site=text, dry_run=True)

    assert changes["dry_run"] is True
    assert changes["created"] == ["node node-9", "nic node-9:eth0"]
    assert changes["changed"] == ["project red"]
    assert await exported(site) == before
    assert events == []
    really = await site.call("site.import", site=text)
    assert {**really, "dry_run": True} == changes
    assert (await site.call("project.show", project="red"))["members"] == ["bob", "rita"]
    stop()


async def test_an_import_deletes_nothing_and_touches_no_device(site: SmallSite) -> None:
    before = await exported(site)
    lines = {name: switch.counters.connections for name, switch in site.switches.items()}
    changes = await site.call("site.import", site="[projects.red]\nmembers = []\n")
    assert changes["unchanged"] == 1
    assert await exported(site) == before
    assert lines == {name: s.counters.connections for name, s in site.switches.items()}


SWITCH = """[switches.sw1]
dialect = "cisco_ios"
host = "h"
access = ["Gi1/0/1"]
trunk = ["Te1"]
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[nodes", "site: not TOML: Expected ']'"),
        ("[users.x]\n[users.x]", "site: not TOML: Cannot declare ('users', 'x') twice"),
        ("[machines.x]", "unknown field `machines`"),
        ("[users.x]\nadmin = 1", "$.users[...].admin"),
        ("[nodes.'No Name']", "site: Expected `str` matching regex"),
        ("[switches.sw1]\nhost = 'h'", "missing required field `dialect` - at `$.switches[...]"),
        ("[switches.sw1]\nhost = 'h'\ndialect = 'junos'",
         "switches.sw1: dialect: there is no dialect junos; there are "),
        ("[switches.sw1]\nhost = 'h'\ndialect = 'cisco_ios'\noptions = {sudo = true}",
         "switches.sw1: options: cisco_ios has no option sudo; it takes channels, encapsulation"),
        ("[switches.master]\nhost = 'h'\ndialect = 'cisco_ios'",
         "switches.master: switch: master is what plans call the master itself"),
        ("[projects.p]\nmembers = ['nobody']",
         "projects.p: There is no user nobody: add [users.nobody]."),
        ("[nodes.n.nics.eth0]\nswitch = 'sw9'\nport = 'p'",
         "nodes.n: nics.eth0: There is no switch sw9."),
        ("[nodes.n.nics.eth0]\nswitch = 'sw9'",
         "nodes.n: nics.eth0: A nic's place is a switch and a port: give both, or neither."),
        (SWITCH + "[nodes.n.nics.eth0]\nswitch = 'sw1'\nport = 'Te1'",
         "nodes.n: nics.eth0: Port Te1 of sw1 is a trunk port"),
        (SWITCH + "[nodes.n.nics.eth0]\nswitch = 'sw1'\nport = 'Gi9'",
         "nodes.n: nics.eth0: Switch sw1 has no port Gi9"),
        (SWITCH + "[nodes.n.nics]\na = {switch = 'sw1', port = 'Gi1/0/1'}\n"
         "b = {switch = 'sw1', port = 'Gi1/0/1'}",
         "nodes.n: nics.b: Port Gi1/0/1 of sw1 has n:a behind it already."),
        ("[nodes.n.nics]\na = {mac = '02:00:00:00:00:01'}\nb = {mac = '02:00:00:00:00:01'}",
         "nodes.n: nics.b: The MAC address 02:00:00:00:00:01 belongs to n:a already."),
        (SWITCH.replace("Te1", "Gi1/0/1"),
         "switches.sw1: trunk Gi1/0/1: it is listed under access too."),
        ("[nodes.n]\ntags = ['No Tag']", "site: Expected `str` matching regex"),
    ],
)  # fmt: skip
async def test_errors_name_the_place_and_nothing_is_changed(
    empty_site: SmallSite, text: str, said: str
) -> None:
    before = await exported(empty_site)
    error = await empty_site.refused("site.import", site="[users.first]\n" + text)
    assert said in error.message
    place = said.split(": ")[0] if said[0] in "nps" else "site"
    assert error.data["field"].startswith("site" if place == "site" else f"site.{place}")
    assert await exported(empty_site) == before  # not even [users.first]


async def test_a_held_node_s_nics_are_not_moved(site: SmallSite) -> None:
    await site.hold_nodes("red", "node-1")
    text = "[nodes.node-1.nics.eth0]\nswitch = 'sw1'\nport = 'Gi1/0/9'\n"
    await site.call("port.register", switch="sw1", ports=["Gi1/0/9"])
    error = await site.refused("site.import", site=text)
    assert "nodes.node-1: nics.eth0: Node node-1 is held by project red" in error.message
    assert error.kind == "conflict"


async def test_a_moved_node_is_unconfirmed_until_its_new_port_is_read(site: SmallSite) -> None:
    await site.call("port.register", switch="sw1", ports=["Gi1/0/9"])
    changes = await site.call(
        "site.import", site="[nodes.node-1.nics.eth0]\nswitch = 'sw1'\nport = 'Gi1/0/9'\n"
    )
    assert changes["changed"] == ["nic node-1:eth0"]
    assert (await site.call("node.show", node="node-1"))["state"] == "unconfirmed"


async def test_a_switch_in_a_site_file_has_no_password(site: SmallSite) -> None:
    await register_switch(site, "sw3", 2300)
    text = await exported(site)
    assert 'credential = "lab"' in text
    for secret in ("s3cret", "en4ble"):
        assert secret not in text
