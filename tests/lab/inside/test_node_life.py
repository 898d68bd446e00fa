"""A node's life: cabled, proven, allocated, booted by a headnode, seen on its console, released.

One node is cabled wrongly on purpose: its cable is exchanged with that of another one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.rpc.bmcs import PASSWORD, USER

from ..frames import Wire
from ..hypervisor import Hypervisor
from ..machines import Machine, machines, tap, who_hears_it_boot
from ..master import Master
from ..story import Story
from ..topology import Lab, ip

pytestmark = pytest.mark.second_kernel

NODES = ("node-1", "node-2", "node-3")
N, OTHER = 104, 105
SETTINGS = """
[policy]
require_proof = true
power_off_on_release = true

[cabling]
listen_timeout = 200.0

[bmc]
answer_timeout = 120.0
settle_timeout = 120.0
off_time = 0.0
"""


@pytest.fixture(scope="module")
def nodes() -> Iterator[dict[str, Machine]]:
    with machines(Path(os.environ["HAAS_LAB_INSIDE"]) / "bmcs", NODES) as made:
        yield made


@pytest.fixture(scope="module")
def story(
    lab: Lab, wire: Wire, hypervisor: Hypervisor, nodes: dict[str, Machine]
) -> Iterator[Story]:
    """A site whose nodes have MAC addresses and BMCs; all ports are parked."""
    master = Master(Path(os.environ["HAAS_LAB_INSIDE"]) / "life", lab)
    for name, text in (
        ("haas.toml", SETTINGS),
        ("credentials.toml", f'[bmcs]\nusername = "{USER}"\npassword = "{PASSWORD}"\n'),
    ):
        path = master.folder / name
        path.write_text(path.read_text() + text)
    master.start()
    started = Story(lab, wire, hypervisor, master, "linux_bridge", ["site-{dialect}"])
    started.play("site-{dialect}")
    lines = [f"nic set {nic.node} {nic.nic} --mac {nic.mac}" for nic in lab.nics]
    lines += [
        f"bmc set {node} ipmi 127.0.0.1 --port {nodes[node].bmc.port} --credential bmcs"
        for node in NODES
    ]
    master.run("hardware", "\n".join(lines))
    yield started
    started.close()


def prove(story: Story, node: str) -> dict[str, Any]:
    """Prove the cabling of a node; return the finished job."""
    started = story.master.call("cabling.prove", node=node)
    job: dict[str, Any] = story.master.call("job.wait", job=started["job"], timeout=300)
    return job


def proof_of(story: Story, node: str) -> dict[str, Any]:
    found: dict[str, Any] = story.master.call("cabling.show", node=node)["proof"]
    return found


def parked(lab: Lab) -> bool:
    return all(lab.switch.carried()[port] == (None, ()) for port in lab.switch.access_ports)


def exchange(lab: Lab, one: str, other: str) -> None:
    """Exchange the cables of two ports: each gets the name, and so the place, of the other."""
    ip(
        lab.switch.name,
        *(f"link set {port} down" for port in (one, other)),
        f"link set {one} name between",
        f"link set {other} name {one}",
        f"link set between name {other}",
    )


def test_a_node_that_is_cabled_wrongly_is_found_by_the_check_and_by_the_proof(
    story: Story, lab: Lab, nodes: dict[str, Machine]
) -> None:
    p4, p6 = (lab.nic(f"{node}:primary-nic").port for node in ("node-2", "node-3"))
    exchange(lab, p4, p6)
    story.master.call("node.power", node="node-3", action="on", boot="pxe")
    job = prove(story, "node-2")
    print(f"node-2: {job['state']}: {job['error']}")
    assert job["state"] == "failed"
    assert f"node-3:primary-nic was seen on its port sw1 {p4}" in job["error"]
    assert parked(lab)
    assert not nodes["node-2"].runs
    said = proof_of(story, "node-2")["nics"][0]["said"]
    print("\n".join(said))
    assert any(lab.nic("node-3:primary-nic").mac in line for line in said)

    # Parking has made both silent, and right is neither.
    report = story.master.call("cabling.check")
    states = {f"{row['node']}:{row['nic']}": row["state"] for row in report["nics"]}
    assert states["node-2:primary-nic"] == states["node-3:primary-nic"] == "swapped"
    assert story.master.call("system.health")["swapped"] == 2
    exchange(lab, p4, p6)
    for node in ("node-2", "node-3"):
        job = prove(story, node)
        assert job["state"] == "succeeded", job["error"]
    assert story.master.call("system.health")["swapped"] == 0
    assert parked(lab)


async def read_console(story: Story, node: str, typed: bytes, wanted: bytes) -> bytes:
    """Open a node's console, type something, and read until something is said."""
    ticket = story.master.call("node.console", node=node)
    connector = aiohttp.UnixConnector(str(story.master.socket))
    said = b""
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.ws_connect(f"http://haas{ticket['path']}") as line,
        asyncio.timeout(120),
    ):
        async for message in line:
            if message.type is aiohttp.WSMsgType.TEXT and "connected" in message.data:
                await line.send_bytes(typed)
            elif message.type is aiohttp.WSMsgType.BINARY:
                said += message.data
            if wanted in said:
                break
    return said


def test_the_life_of_a_node(story: Story, lab: Lab, nodes: dict[str, Machine]) -> None:
    master, machine, nic = story.master, nodes["node-1"], lab.nic("node-1:primary-nic")
    master.run("project", "project create astro\nnetwork create astro n --vlan 104\n"
               "network create astro other --vlan 105\n")  # fmt: skip

    job = prove(story, "node-1")
    assert job["state"] == "succeeded", job["error"]
    [proof] = proof_of(story, "node-1")["nics"]
    print("proven:", proof["why"], proof["said"])
    assert any(nic.mac in line and nic.port in line for line in proof["said"])
    assert parked(lab)
    assert not machine.runs, "it was off, so it is off again"

    master.run(
        "life",
        "node allocate astro node-1\nuse astro\nconnect node-1:primary-nic n\n"
        "headnode create login\nheadnode connect login n\n"
        "headnode create stranger\nheadnode connect stranger other\napply\n",
    )
    print("allocated, and applied")
    taps = story.headnode_nics()
    places = [tap(name, each.tap) for name, each in taps.items()]

    powered = master.call("node.power", node="node-1", action="on", boot="pxe")
    assert powered["power"] == "on"
    assert (machine.runs, machine.bmc.boot) == (True, "pxe")
    print("powered on, to boot by PXE")
    heard = who_hears_it_boot(nic.mac, places)
    print(f"DHCPDISCOVER with option 60 PXEClient heard by: {', '.join(sorted(heard))}")
    assert heard == {"login:nic0"}
    assert {row["state"] for row in master.call("cabling.check")["nics"]
            if row["node"] == "node-1" and row["nic"] == "primary-nic"} == {"right"}  # fmt: skip

    said = asyncio.run(read_console(story, "node-1", b"hello\r", b"hello"))
    print(f"console: {said!r}")
    assert b"node-1 speaks: hello" in said

    released = master.call("node.release", node="node-1")
    ended = master.call("job.wait", job=released["job"], timeout=120)
    assert ended["state"] == "succeeded", ended["error"]
    shown = master.call("node.show", node="node-1")
    assert (shown["state"], shown["power"]) == ("free", "off")
    assert not machine.runs
    assert parked(lab)
    print("released, and off")
