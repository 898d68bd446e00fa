"""The configuration of a simulated Junos switch, as its statements make it, and its checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from haas_rpcd.sim import cli

T = TypeVar("T")

SWITCHING = ("unit 0", "family ethernet-switching")


@dataclass(slots=True)
class Port:
    """What ``interfaces`` says of one port."""

    description: str = ""
    disabled: bool = False
    native: int | None = None
    unit_disabled: bool = False
    inet: bool = False
    switching: bool = False
    mode: str = ""  # or "access", "trunk"
    members: tuple[str, ...] = ()

    def statements(self) -> Iterator[tuple[str, ...]]:
        """Give its statements; each part but the last one is a level."""
        if self.description:
            yield (f"description {self.description}",)
        if self.disabled:
            yield ("disable",)
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
    """What ``vlans`` says of one VLAN."""

    number: int | None = None
    interfaces: frozenset[str] = frozenset()

    def statements(self) -> Iterator[tuple[str, ...]]:
        """Give its statements."""
        if self.number is not None:
            yield (f"vlan-id {self.number}",)
        for unit in sorted(self.interfaces):
            yield (f"interface {unit}",)


@dataclass(slots=True)
class Config(cli.Config):
    """A whole configuration; VLANs go by their names."""

    ports: dict[str, Port]
    vlans: dict[str, Vlan] = field(default_factory=dict)  # type: ignore[assignment]

    def statements(self) -> Iterator[tuple[str, ...]]:
        """Give all statements in their order."""
        yield ("system", f"host-name {self.hostname}")
        for name, port in sorted(self.ports.items(), key=lambda item: cli_order(item[0])):
            for rest in port.statements():
                yield ("interfaces", name, *rest)
        for name, vlan in sorted(self.vlans.items()):
            for rest in vlan.statements():
                yield ("vlans", name, *rest)

    def numbers(self, port: str) -> frozenset[int]:
        """Which VLANs a port is a member of, by its own statements or by theirs."""
        numbers = {
            vlan.number for vlan in self.vlans.values() if f"{port}.0" in vlan.interfaces
        } | {number for member in self.ports[port].members for number in self.meant(member)}
        return frozenset(number for number in numbers if number is not None)

    def meant(self, member: str) -> frozenset[int]:
        """Which of the VLANs that there are a member means."""
        if member[0].isdecimal():
            wanted = cli.parse_list(member)
            return frozenset(v.number for v in self.vlans.values() if v.number in wanted)
        named = self.vlans.values() if member == "all" else [self.vlans.get(member, Vlan())]
        return frozenset(vlan.number for vlan in named if vlan.number is not None)

    def carried(self, port: str) -> cli.Carried:
        """What a port carries."""
        its = self.ports.get(port, Port())
        if its.disabled or its.unit_disabled or not its.switching:
            return cli.NOTHING
        numbers = self.numbers(port)
        if its.mode == "trunk":
            native = its.native if its.native in numbers else None
            return cli.Carried(native, numbers - {its.native})
        return cli.Carried(min(numbers or self.meant("default"), default=None))

    def is_shut(self, port: str) -> bool:
        """Whether a port is disabled."""
        return port in self.ports and self.ports[port].disabled

    def mistakes(self) -> list[str]:
        """What a commit of this says before it refuses; nothing if it is good."""
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
            said = self._mistakes_of(name, port)
            if said:
                return said
        return []

    def _mistakes_of(self, name: str, port: Port) -> list[str]:
        level = f"[edit interfaces {name} unit 0 family"
        if port.switching and port.inet:
            text = "Family ethernet-switching and rest of the families are mutually exclusive"
            failed = "error: commit failed: (statements constraint check failed)"
            return [f"{level}]", "  'ethernet-switching'", f"    {text}", failed]
        why = ""
        for member in port.members:
            if not member.isdecimal() and member[0].isdecimal() and port.mode != "trunk":
                why = "Vlan range format not supported if interface-mode is access"
            elif member.isdecimal() and not self.meant(member):
                why = f"No vlan matches vlan tag {member} for interface {name}.0"
            elif member != "all" and member[0].isalpha() and member not in self.vlans:
                why = f"No vlan matches vlan name {member} for interface {name}.0"
            if why:
                place = [f"{level} ethernet-switching vlan]", f"  'members {member}'"]
                return [*place, f"    error: {why}", "error: configuration check-out failed"]
        if port.mode != "trunk" and len(numbers := self.numbers(name)) > 1:
            first, second = sorted(numbers)[:2]
            return [
                f"error: Access interface <{name}.0> has more than one vlan member:"
                f" <{first}> and <{second}>",
                "error: configuration check-out failed",
            ]
        return []


def cli_order(name: str) -> tuple[str, list[int]]:
    """Sort ge-0/0/2 before ge-0/0/10."""
    kind, _, numbers = name.partition("-")
    return kind, [int(number) for number in numbers.split("/") if number.isdecimal()]


def merged(mine: Config, base: Config, now: Config) -> Config:
    """Give what runs now with what was changed since ``base``: the commit of a private copy."""
    return Config(
        mine.hostname if mine.hostname != base.hostname else now.hostname,
        _merged(mine.ports, base.ports, now.ports),
        _merged(mine.vlans, base.vlans, now.vlans),
    )


def _merged(mine: dict[str, T], base: dict[str, T], now: dict[str, T]) -> dict[str, T]:
    names = dict.fromkeys([*now, *mine])
    chosen = {n: now if mine.get(n) == base.get(n) else mine for n in names}
    return {name: source[name] for name, source in chosen.items() if name in source}
