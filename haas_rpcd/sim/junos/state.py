"""What a Junos switch holds: the configuration as statements make it, and a commit's checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from haas_rpcd.sim import cli

T = TypeVar("T")

Statement = tuple[str, ...]
"""The levels of a statement, and the statement proper as the last part."""

SWITCHING = ("unit 0", "family ethernet-switching")


@dataclass(slots=True)
class Port:
    """What the configuration says below ``interfaces`` about one port."""

    description: str = ""
    disabled: bool = False
    native: int | None = None
    unit_disabled: bool = False
    inet: bool = False
    switching: bool = False
    mode: str = ""  # or "access", "trunk"
    members: tuple[str, ...] = ()
    channel: tuple[int, str] | None = None  # of ``ae1`` the number
    voice: str | None = None  # a VLAN's name or id, for a telephone
    lacp: bool = False  # of an aggregate: its members use LACP

    def statements(self) -> Iterator[Statement]:
        """Yield the statements about this port."""
        if self.description:
            yield (f"description {self.description}",)
        if self.disabled:
            yield ("disable",)
        if self.channel is not None:
            yield ("ether-options", "802.3ad", f"ae{self.channel[0]}")
        if self.lacp:
            yield ("aggregated-ether-options", "lacp", "active")
        if self.native is not None:
            yield (f"native-vlan-id {self.native}",)
        if self.unit_disabled:
            yield ("unit 0", "disable")
        if self.inet:
            yield ("unit 0", "family inet")
        if self.mode:
            yield (*SWITCHING, f"interface-mode {self.mode}")
        for member in self.members:
            yield (*SWITCHING, "vlan", f"members {member}")
        if self.switching and not (self.mode or self.members):
            yield SWITCHING


@dataclass(slots=True)
class Vlan:
    """What the configuration says below ``vlans`` about one VLAN."""

    number: int | None = None
    interfaces: frozenset[str] = frozenset()

    def statements(self) -> Iterator[Statement]:
        """Yield the statements about this VLAN."""
        if self.number is not None:
            yield (f"vlan-id {self.number}",)
        for unit in sorted(self.interfaces):
            yield (f"interface {unit}",)


@dataclass(slots=True)
class Config(cli.Config):
    """A whole configuration; the keys of ``vlans`` are names."""

    ports: dict[str, Port]
    vlans: dict[str, Vlan] = field(default_factory=dict)  # type: ignore[assignment]
    aggregates: int = 0  # interfaces for channels, whether these are configured or not

    def statements(self) -> Iterator[Statement]:
        """Yield all statements in order."""
        yield ("system", f"host-name {self.hostname}")
        if self.aggregates:
            count = f"device-count {self.aggregates}"
            yield ("chassis", "aggregated-devices", "ethernet", count)
        for name, port in sorted(self.ports.items(), key=lambda item: cli_order(item[0])):
            for rest in port.statements():
                yield ("interfaces", name, *rest)
        for name, port in sorted(self.ports.items(), key=lambda item: cli_order(item[0])):
            if port.voice is not None:
                yield ("switch-options", "voip", f"interface {name}.0", f"vlan {port.voice}")
        for name, vlan in sorted(self.vlans.items()):
            for rest in vlan.statements():
                yield ("vlans", name, *rest)

    def vlans_of(self, port: str) -> frozenset[int]:
        """Return the VLANs of a port, whether its own statements say so or those of the VLANs."""
        numbers = {
            vlan.number for vlan in self.vlans.values() if f"{port}.0" in vlan.interfaces
        } | {number for member in self.ports[port].members for number in self.resolved(member)}
        return frozenset(number for number in numbers if number is not None)

    def resolved(self, member: str) -> frozenset[int]:
        """Return the existing VLANs that a member (a name, id, range or ``all``) stands for."""
        if member[0].isdecimal():
            wanted = cli.parse_list(member)
            return frozenset(v.number for v in self.vlans.values() if v.number in wanted)
        named = self.vlans.values() if member == "all" else [self.vlans.get(member, Vlan())]
        return frozenset(vlan.number for vlan in named if vlan.number is not None)

    def carried(self, port: str) -> cli.Carried:
        """Return what a port carries."""
        settings = self.ports.get(port, Port())
        if settings.channel is not None and not settings.disabled:
            aggregate = f"ae{settings.channel[0]}"  # a member counts as bundled
            return self.carried(aggregate) if aggregate in self.ports else cli.NOTHING
        if settings.disabled or settings.unit_disabled or not settings.switching:
            return cli.NOTHING
        numbers = self.vlans_of(port)
        if settings.mode == "trunk":
            native = settings.native if settings.native in numbers else None
            return cli.Carried(native, numbers - {settings.native})
        own = min(numbers or self.resolved("default"), default=None)
        voice = frozenset() if settings.voice is None else self.resolved(settings.voice)
        return cli.Carried(own, voice - {own})

    def is_shut(self, port: str) -> bool:
        """Return whether a port is disabled."""
        return port in self.ports and self.ports[port].disabled

    def mistakes(self) -> list[str]:
        """Return the errors with which a commit refuses this configuration; none if it is valid."""
        seen: dict[int, str] = {}
        for name, vlan in self.vlans.items():
            if vlan.number is not None and seen.setdefault(vlan.number, name) != name:
                return [
                    "[edit vlans]",
                    f"  '{name}'",
                    f"    l2ald: Duplicate vlan-id exists for vlan {name}",
                    "[edit vlans]",
                    "  Failed to parse vlan hierarchy completely",
                    "error: configuration check-out failed",
                ]
        for name, port in self.ports.items():
            if mistakes := self._mistakes_of(name, port):
                return mistakes
        return []

    def _mistakes_of(self, name: str, port: Port) -> list[str]:
        level = f"[edit interfaces {name} unit 0 family"
        if port.switching and port.inet:
            text = "Family ethernet-switching and rest of the families are mutually exclusive"
            failed = "error: commit failed: (statements constraint check failed)"
            return [f"{level}]", "  'ethernet-switching'", f"    {text}", failed]
        if port.channel is not None and (port.switching or port.inet or port.unit_disabled):
            # "Interfaces User Guide for Switches": no logical unit on a link of an aggregate
            text = "logical unit is not allowed on aggregated links"
            failed = "error: configuration check-out failed"
            return [f"[edit interfaces {name}]", "  'unit 0'", f"    {text}", failed]
        error = ""
        for member in port.members:
            if not member.isdecimal() and member[0].isdecimal() and port.mode != "trunk":
                error = "Vlan range format not supported if interface-mode is access"
            elif member.isdecimal() and not self.resolved(member):
                error = f"No vlan matches vlan tag {member} for interface {name}.0"
            elif member != "all" and member[0].isalpha() and member not in self.vlans:
                error = f"No vlan matches vlan name {member} for interface {name}.0"
            if error:
                place = [f"{level} ethernet-switching vlan]", f"  'members {member}'"]
                return [*place, f"    error: {error}", "error: configuration check-out failed"]
        if port.mode != "trunk" and len(numbers := self.vlans_of(name)) > 1:
            first, second = sorted(numbers)[:2]
            return [
                f"error: Access interface <{name}.0> has more than one vlan member:"
                f" <{first}> and <{second}>",
                "error: configuration check-out failed",
            ]
        return []


def cli_order(name: str) -> tuple[str, list[int]]:
    """Return a sort key that puts ge-0/0/2 before ge-0/0/10."""
    kind, _, numbers = name.partition("-")
    return kind, [int(number) for number in numbers.split("/") if number.isdecimal()]


def merged(mine: Config, base: Config, now: Config) -> Config:
    """Return the running configuration ``now`` with the changes from ``base`` to ``mine``."""
    return Config(
        mine.hostname if mine.hostname != base.hostname else now.hostname,
        _merged(mine.ports, base.ports, now.ports),
        _merged(mine.vlans, base.vlans, now.vlans),
        now.aggregates,
    )


def _merged(mine: dict[str, T], base: dict[str, T], now: dict[str, T]) -> dict[str, T]:
    names = dict.fromkeys([*now, *mine])
    chosen = {n: now if mine.get(n) == base.get(n) else mine for n in names}
    return {name: source[name] for name, source in chosen.items() if name in source}
