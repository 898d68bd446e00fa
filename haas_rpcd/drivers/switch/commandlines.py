"""The page docs/command-lines.md: what each family of switches is sent, from its dialect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, Channel, PortConfig, SetPort, SetVlan

ACCESS = PortConfig(104)
MIXED = PortConfig(104, (105, 106))
TRUNK = PortConfig(None, (100, 101, 102, 103, 104, 105))

INTRODUCTION = """\
# Command lines

What HaaS sends to each family of switches. This page is generated from the dialects
(`make schemas`). `plan` shows the lines of a particular change before it is applied.

After each single line a port carries nothing that neither its old nor its new configuration has.
A line that opens a port is sent only after every line before it was accepted, and after the port
was read back: a switch may accept a line and not carry it out. A port that already carries VLANs of
its project stays open where it can. *Parked* means shut,
and carrying nothing. Some families' lines depend on what the port carries now; shown here are those
for a port that is parked, and for parking a port that is on VLAN 104.
"""


def page(dialects: Mapping[str, Dialect] = DIALECTS) -> str:
    """Return the page in Markdown. Raises ValueError for a dialect without example ports."""
    sections = [INTRODUCTION]
    for name, dialect in sorted(dialects.items()):
        sections.append(f"## {dialect.title or name} (`{name}`)\n")
        sections += [
            f"{title}:\n\n```\n{chr(10).join(lines)}\n```\n"
            for title, lines in _parts(dialect)
            if lines
        ]
    return "\n".join(sections)


def _parts(dialect: Dialect) -> Iterator[tuple[str, Sequence[str]]]:
    first, second = (dialect.canonical_port(port) for port in dialect.example_ports)
    dialogue, reader = dialect.dialogue, dialect.reader
    yield "After the login", dialogue.setup
    yield (
        "To begin and to end configuring",
        (*dialogue.enter_config, *dialogue.leave_config),
    )
    yield "VLAN 104", _lines(dialect, SetVlan(104, present=True))
    yield (
        f"Ports {first} and {second} on access VLAN 104",
        _lines(dialect, SetPort(first, ACCESS), SetPort(second, ACCESS)),
    )
    yield "104 untagged, 105 and 106 tagged", _lines(dialect, SetPort(first, MIXED))
    yield "A trunk with a pool of VLANs 100 to 105", _lines(dialect, SetPort(first, TRUNK))
    yield "Parked", _lines(dialect, SetPort(first, PARKED), current=ACCESS)
    yield from _channel_parts(dialect, first, second)
    yield "VLAN 104 removed", _lines(dialect, SetVlan(104, present=False))
    if dialect.writer.candidate is not None:
        yield "Read before each commit", dialect.writer.candidate({})
    yield "Saved, once at the end of a job", dialogue.save
    yield (
        "Read back",
        (*reader.read_ports([first, second], {}), *reader.read_vlans({})),
    )
    yield "Also read by drift checks and probes", [reader.witness.line] if reader.witness else []


def _channel_parts(
    dialect: Dialect, first: str, second: str
) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the lines for a channel of two ports, from its creation to its removal."""
    if dialect.channels is None:
        return
    channel = Channel(dialect.channels.name(25), "lacp")
    member = PortConfig(104, member=channel)
    made = SetPort(channel.name, ACCESS, channel, (first, second))
    both = (SetPort(first, member, channel), SetPort(second, member, channel))
    left = (SetPort(first, PARKED, channel), SetPort(second, PARKED, channel))
    new = [line.text for line in dialect.writer.script([made], {}, {})]
    yield f"An LACP channel, {channel.name}, on access VLAN 104", new
    yield f"Ports {first} and {second} become its members", _lines(dialect, *both)
    yield "They leave it, and are parked", _lines(dialect, *left, current=member)
    gone = SetPort(channel.name, PARKED, channel)
    yield "The channel is removed", _lines(dialect, gone, current=ACCESS)


def _lines(
    dialect: Dialect, *changes: SetPort | SetVlan, current: PortConfig | None = None
) -> list[str]:
    parked = PortState(dialect.writer.parked_config, open=False)
    known = parked if current is None else PortState(current)
    set_here = [change for change in changes if isinstance(change, SetPort)]
    ports = {
        change.channel.name: PortState(ACCESS, members=frozenset(one.port for one in set_here))
        for change in set_here
        if change.channel is not None
    } | {change.port: known for change in set_here}
    return [line.text for line in dialect.writer.script(changes, {}, ports)]
