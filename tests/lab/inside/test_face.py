"""The switch with the command line of IOS: what is typed there decides what the nodes hear."""

from collections.abc import Iterator

import pytest

from ..credentials import PASSWORD, USER
from ..face import ENABLE, SwitchFace
from ..frames import Wire
from ..matrix import TRUNK
from ..terminal import connect
from ..topology import Lab, build

CONFIGURATION = """\
configure terminal
vlan 104
exit
interface {p1}
switchport mode access
switchport access vlan 104
interface {p4}
switchport mode access
switchport access vlan 104
interface {p2}
shutdown
interface {p3}
shutdown
interface {p5}
shutdown
interface {p6}
shutdown
interface {p7}
switchport mode trunk
switchport trunk allowed vlan 100-110
end"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    built = build(telnet=False)
    yield built
    built.remove()


@pytest.fixture(scope="module")
def face(lab: Lab) -> Iterator[SwitchFace]:
    started = SwitchFace(lab)
    started.start()
    yield started
    started.stop()


@pytest.mark.usefixtures("face")
def test_on_a_new_ios_switch_everybody_hears_everybody(lab: Lab, wire: Wire) -> None:
    names = {nic.name for nic in lab.nics}
    matrix = wire.who_hears_whom()
    for name in names:
        assert matrix.hearers(name) == (names | {TRUNK}) - {name}


async def test_commands_typed_at_ios_make_the_matrix(
    lab: Lab, wire: Wire, face: SwitchFace
) -> None:
    async with connect(lab.switch.address) as terminal:
        for prompt, answer in {"Username: ": USER, "Password: ": PASSWORD}.items():
            await terminal.expect(f"{prompt}$".encode())
            terminal.send(answer)
        await terminal.expect(b">$")
        terminal.send("enable")
        await terminal.expect(b"Password: $")
        terminal.send(ENABLE)
        await terminal.expect(b"#$")
        for line in CONFIGURATION.format_map(face.ports).splitlines():
            terminal.send(line)
            answer, _ = await terminal.expect(b"#$")
            assert "%" not in answer

    matrix = wire.who_hears_whom(tags=[1, 104])

    matrix.publish("typed at ios")
    assert matrix.differences({104: {"node-1:ipmi-nic", "node-2:primary-nic"}}) == []
