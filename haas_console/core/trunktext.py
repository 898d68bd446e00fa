"""The ends of trunk ports in words: as admins declared them, and as LLDP shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from haas_console.core.cablingtext import SWAPPED
from haas_console.core.facts import Fact
from haas_console.core.objects import port_ref
from haas_schemas.switch import Port, Switch, TrunkEnd


def end_text(end: TrunkEnd) -> str:
    """What a trunk port is declared to lead to: ``sw2 Gi1/0/12``, or a hypervisor."""
    return f"{end.peer.switch} {end.peer.port}" if end.peer is not None else end.hypervisor or ""


def trunk_facts(switch: Switch) -> Iterator[Fact]:
    """What a switch's trunk ports lead to: what is declared, then what only LLDP tells."""
    for end in switch.trunks:
        text = f"{end.port}  leads to {end_text(end)}, as declared"
        look = "drift" if end.wrong else ""
        yield Fact("trunk", text, port_ref(switch.switch, end.port), look)
        yield from _wrong(end.wrong)
    declared = {end.port for end in switch.trunks}
    for link in switch.links:
        if link.port not in declared:
            text = f"{link.port}  leads to {link.peer} {link.peer_port}, as LLDP tells"
            yield Fact("trunk", text, port_ref(switch.switch, link.port), "dim")


def end_facts(port: Port) -> Iterator[Fact]:
    """What a trunk port leads to; nothing of an access port."""
    if port.role != "trunk":
        return
    if port.peer is not None:
        link = port_ref(port.peer.switch, port.peer.port)
        yield Fact("leads to", f"{link.name}, as declared", link)
    elif port.hypervisor is not None:
        yield Fact("leads to", f"the hypervisor {port.hypervisor}, as declared")
    else:
        yield Fact("leads to", "anywhere: nothing is declared", look="dim")
    yield from _wrong(port.wrong)


def _wrong(why: str | None) -> Iterator[Fact]:
    if why:
        yield Fact("", f"{SWAPPED} {why}", look="drift")
