"""What a Junos switch shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator

from haas_rpcd.sim.cli import Carried
from haas_rpcd.sim.junos.state import Config, Port, Statement

MODEL, VERSION = "ex4300-24t", "18.4R2.7"


def as_set(statements: Iterable[Statement]) -> list[str]:
    """Write statements as ``set`` commands."""
    return [f"set {' '.join(statement)}" for statement in statements]


def as_braces(statements: Iterable[Statement], depth: int = 0) -> Iterator[str]:
    """Write statements as a hierarchy in braces."""
    indent = "    " * depth
    levels: dict[str, list[Statement]] = {}
    for first, *rest in filter(None, statements):
        levels.setdefault(first, []).append(tuple(rest))
    for first, inner in levels.items():
        deeper = [rest for rest in inner if rest]
        if deeper:
            yield f"{indent}{first} {{"
            yield from as_braces(deeper, depth + 1)
            yield f"{indent}}}"
        else:
            yield f"{indent}{first};"


def below(statement: Statement, words: int) -> Statement:
    """Leave out the levels of a statement that its first words name."""
    while statement and (words := words - len(statement[0].split())) >= 0:
        statement = statement[1:]
    return statement


def interfaces_terse(
    config: Config, ports: Iterable[str], unplugged: Collection[str]
) -> Iterator[str]:
    """Write ``show interfaces terse``."""
    yield "Interface               Admin Link Proto    Local                 Remote"
    for name in ports:
        port = config.ports.get(name, Port())
        admin = "down" if port.disabled else "up"
        link = "down" if port.disabled or name in unplugged else "up"
        yield f"{name:<24}{admin:<6}{link}"
        if port.switching:
            yield f"{name + '.0':<24}{admin:<6}{link:<5}eth-switch"
    yield "vme                     up    down"


def vlans(
    config: Config,
    carried_by: Callable[[str], Carried],
    ports: Collection[str],
    unplugged: Collection[str],
) -> Iterator[str]:
    """Write ``show vlans``; a star marks members with a link."""
    yield ""
    yield "Routing instance        VLAN name             Tag          Interfaces"
    for name, vlan in sorted(config.vlans.items()):
        yield f"default-switch          {name:<22}{vlan.number or ''}"
        for port in ports:
            carried = carried_by(port)
            if vlan.number is not None and vlan.number in {carried.untagged, *carried.tagged}:
                yield f"{'':<59}{port}.0{'' if port in unplugged else '*'}"


def version(hostname: str) -> list[str]:
    """Write ``show version``."""
    return [
        "fpc0:",
        "-" * 74,
        f"Hostname: {hostname}",
        f"Model: {MODEL}",
        f"Junos: {VERSION}",
        f"JUNOS EX  Software Suite [{VERSION}]",
        f"JUNOS FIPS mode utilities [{VERSION}]",
    ]


def hardware(serial: str) -> list[str]:
    """Write ``show chassis hardware``."""
    model = MODEL.upper()
    return [
        "Hardware inventory:",
        "Item             Version  Part number  Serial number     Description",
        f"Chassis{'':32}PE{serial:<16}{model}",
        f"Routing Engine 0 REV 07   650-044931   PE{serial:<16}{model}",
        f"FPC 0            REV 07   650-044931   PE{serial:<16}{model}",
    ]


def uptime(seconds: float, user: str) -> list[str]:
    """Write ``show system uptime``."""
    up = int(seconds)
    days, rest = divmod(up, 86400)
    hours, minutes = rest // 3600, rest // 60 % 60
    ago = f"{days}d {hours:02}:{minutes:02}" if days else f"{hours:02}:{minutes:02}:{up % 60:02}"
    booted = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() - up))
    return [
        f"Current time: {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime())}",
        "Time Source:  LOCAL CLOCK ",
        f"System booted: {booted} ({ago} ago)",
        f"Last configured: {booted} ({ago} ago) by {user}",
    ]
