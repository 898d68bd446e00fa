"""The isolation matrix of every dialect, from a new switch to the release of a node.

In each test, the vendor's strict simulator is the face of the lab's switch: the nodes hear what
haas-rpcd has configured on it. These tests include every personality in
`haas_rpcd.sim.personalities`.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from haas_rpcd.sim.personalities import dialects, personality

from ..face import SwitchFace
from ..frames import Wire
from ..master import Master
from ..matrix import TRUNK, Matrix, tagged
from ..topology import Lab, build

SSH = {"arista_eos", "cumulus_nvue", "dell_os10", "juniper_junos", "sonic"}
"""Families whose switches offer SSH instead of telnet by default."""

EVERY = [
    pytest.param(name, marks=[pytest.mark.second_kernel] * (number % 2))
    for number, name in enumerate(dialects())
]
"""All dialects; the two kernels share them."""

N, M = 104, 105
STAGED = """\
project create astro
project create bio
network create astro n --vlan 104
network create bio m --vlan 105
network share bio/m astro

use astro
node allocate node-1
node allocate node-2
connect node-1:ipmi-nic n
connect node-1:primary-nic bio/m
connect node-2:ipmi-nic bio/m
connect node-2:ipmi-nic n --tagged
connect node-2:primary-nic n
apply

use bio
node allocate node-3
connect node-3:primary-nic m
apply
"""
APPLIED = {
    N: {"node-1:ipmi-nic", "node-2:primary-nic", tagged("node-2:ipmi-nic", N)},
    M: {"node-1:primary-nic", "node-2:ipmi-nic", "node-3:primary-nic"},
}

MOVE_AND_RELEASE = """\
use astro
connect node-1:ipmi-nic bio/m
apply
node release node-2
apply
"""
RELEASED = {M: {"node-1:ipmi-nic", "node-1:primary-nic", "node-3:primary-nic"}}

BACK = """\
use astro
connect node-1:primary-nic n
apply
"""
AGAIN = {
    N: {"node-1:primary-nic"},
    M: {"node-1:ipmi-nic", "node-3:primary-nic"},
}
"""Network n is in use again, after a time without members."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    built = build(telnet=False)
    yield built
    built.remove()


@pytest.fixture
def face(dialect: str, lab: Lab) -> Iterator[SwitchFace]:
    """The vendor's switch, as shipped."""
    started = SwitchFace(lab, personality(dialect), ssh=dialect in SSH)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def master(dialect: str, lab: Lab) -> Iterator[Master]:
    started = Master(Path(os.environ["HAAS_LAB_INSIDE"]) / f"every-{dialect}", lab)
    started.start()
    yield started
    started.stop()


@pytest.mark.parametrize("dialect", EVERY)
def test_only_members_of_a_network_hear_each_other(
    dialect: str, lab: Lab, wire: Wire, face: SwitchFace, master: Master
) -> None:
    def observed(stage: str) -> Matrix:
        matrix = wire.who_hears_whom(tags=(1, N, M))
        matrix.publish(f"every dialect {stage} ({dialect})")
        return matrix

    fresh = {nic.name for nic in lab.nics if face.carried(nic.port).untagged == 1}
    matrix = observed("fresh")
    for nic in lab.nics:
        heard = (fresh | {TRUNK}) - {nic.name} if nic.name in fresh else set()
        assert matrix.hearers(nic.name) == heard

    master.run("site", site(dialect, lab, face))
    assert observed("parked").differences({}) == []

    master.run("networks", STAGED)
    assert observed("applied").differences(APPLIED) == []

    master.run("release", MOVE_AND_RELEASE)
    assert observed("released").differences(RELEASED) == []

    master.run("again", BACK)
    assert observed("again").differences(AGAIN) == []
    assert not face.switch.modified, "the running configuration is not saved"


def site(dialect: str, lab: Lab, face: SwitchFace) -> str:
    """Return the script that registers the inventory and parks all ports."""
    ports = {port: name.replace(" ", "") for port, name in face.ports.items()}
    lines = [f"switch register sw1 {dialect} {lab.switch.address}"]
    if dialect in SSH:
        key = asyncssh.import_public_key(face.switch.host_key)
        lines[0] += " --transport ssh --port 22"
        lines.append(f"switch trust sw1 --fingerprint {key.get_fingerprint()}")
    lines.append(f"port register sw1 {' '.join(ports[port] for port in lab.switch.access_ports)}")
    lines.append(f"port register sw1 {ports[lab.switch.trunk_port]} --role trunk")
    for node in lab.nodes:
        nics = [
            {"nic": nic.nic, "switch": lab.switch.name, "port": ports[nic.port]}
            for nic in node.nics
        ]
        lines.append(f"node register {node.name} {shlex.quote(json.dumps(nics))}")
    return "\n".join([*lines, "apply --site"])
