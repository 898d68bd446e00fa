"""A switch as vendors ship it: all ports are untagged in VLAN 1 until they are parked."""

from collections.abc import Iterator

import pytest

from ..frames import Wire
from ..topology import Lab, build


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    built = build(default_vlan=1)
    yield built
    built.remove()


def test_everybody_hears_everybody_until_the_ports_are_parked(lab: Lab, wire: Wire) -> None:
    names = [nic.name for nic in lab.nics]
    fresh = wire.who_hears_whom()
    for name in names:
        assert fresh.hearers(name) == {*names, "trunk"} - {name}

    lab.switch.park(*lab.switch.ports)

    assert wire.who_hears_whom(tags=[1]).differences({}) == []
