"""A Cumulus Linux 5 switch with NVUE: a shell, ``nv``, and the kernel's bridge behind it.

Written from NVIDIA's "Cumulus Linux User Guide" and "NVUE Reference", ifupdown2's add-on for
bridges, and published transcripts. Every login has a candidate: ``nv set`` and ``nv unset`` add to
it, ``nv config apply`` carries it out as a whole, on whatever is applied by then. A port is down
until the configuration speaks of it. On a bridge it carries all of the bridge's VLANs, and the
bridge's own without a tag, unless it says otherwise; ``access`` goes before anything else it says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import NOTHING, Carried, format_list, parse_list
from haas_rpcd.sim.shell import Call, ShellSwitch

__all__ = ["NvueSwitch", "Port"]

RELEASE, KERNEL, BRIDGE = "5.3.1", "5.10.0-cl-1-amd64", "br_default"

IFRELOAD = """\
Unable to restart services (ifreload-nvue.service):
  Job for ifreload-nvue.service failed because the control process exited with error code.
During restart of ifreload-nvue.service:
  Failed to start ifreload wrapper service (for NVUE compatibility).

Failure during apply. Ignore? [y/N] N
apply_fail [rev_id: {rev}]
  Rolling back to rev_{rev}_apply_1/start
applied [rev_id: rev_{rev}_apply_1/start]"""

PLATFORM = """\
              operational
------------  -----------
asic-model    VX
manufacturer  Cumulus
product-name  VX"""

BANNER = """\
Linux {host} {kernel} #1 SMP Debian x86_64

Welcome to NVIDIA Cumulus (R) Linux (R)"""


@dataclass(slots=True)
class Port:
    """What the configuration says of a port; None where it says nothing."""

    spoken_of: bool = False
    state: str | None = None
    on_bridge: bool = False
    access: int | None = None
    untagged: int | str | None = None  # or "none"
    vlans: frozenset[int] | None = None

    def said(self) -> dict[str, Any]:
        """Give it as NVUE writes it."""
        said: dict[str, Any] = {}
        if self.state is not None:
            said["link"] = {"state": {self.state: {}}}
        if self.on_bridge:
            domain: dict[str, Any] = {}
            if self.access is not None:
                domain["access"] = self.access
            if self.untagged is not None:
                domain["untagged"] = self.untagged
            if self.vlans is not None:
                domain["vlan"] = {format_list(self.vlans, pairs=False): {}}
            said["bridge"] = {"domain": {BRIDGE: domain}}
        return {**said, "type": "swp"}


@dataclass(slots=True)
class Config(cli.Config):
    """A configuration; ``vlans`` are those of the bridge, ``own`` is the one without a tag."""

    ports: dict[str, Port]
    vlans: dict[int, str] = field(default_factory=dict)
    own: int = 1

    def carried(self, port: str) -> Carried:
        """What a port carries: nothing while it is down."""
        return NOTHING if self.is_shut(port) else self.member(port)

    def is_shut(self, port: str) -> bool:
        """A port of which nothing is said is down."""
        here = self.ports[port]
        return not here.spoken_of or here.state == "down"

    def member(self, port: str) -> Carried:
        """What VLANs the kernel's bridge has on a port, up or down."""
        here = self.ports[port]
        if not here.on_bridge:
            return NOTHING
        if here.access is not None:
            return Carried(here.access)
        own = self.own if here.untagged is None else here.untagged
        untagged = own if isinstance(own, int) else None
        tagged = frozenset(self.vlans if here.vlans is None else here.vlans)
        return Carried(untagged, tagged - {untagged})


class InvalidError(Exception):
    """NVUE's schema has no such thing."""


@dataclass
class Candidate:
    """What one login has set and not applied."""

    revision: int
    edits: list[list[str]] = field(default_factory=list)


class NvueSwitch(ShellSwitch[Config]):
    """A Cumulus Linux switch. ``auto_save``: an apply saves, as releases from 5.9 on do."""

    dialect = "cumulus_nvue"
    programs = ("nv", "bridge", "ip")
    ps1 = "{user}@{host}:mgmt:\\w$ "
    auto_save = False
    reload_fails = False
    """Whether ifupdown2 can't carry out what is applied."""

    def __init__(self, hostname: str = "cumulus", **options: Any) -> None:
        self.candidates: dict[str, Candidate] = {}
        self.revision = 1
        options.setdefault("motd", BANNER.format(host=hostname, kernel=KERNEL))
        super().__init__(hostname, **options)

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``swp1`` and so on."""
        return [f"swp{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """A configuration that speaks of no port."""
        return Config(hostname or "cumulus", {name: Port() for name in self.port_list})

    def reload(self) -> None:
        """Start anew; candidates don't outlive that."""
        self.candidates.clear()
        super().reload()

    # --- programs

    async def run(self, call: Call) -> int:
        """Carry out ``nv``, ``bridge`` or ``ip``."""
        match call.words:
            case ["bridge", "-json" | "-j", "-compressvlans", "vlan", "show"]:
                call.print(json.dumps(list(self._members()), separators=(",", ":")))
                return 0
            case ["bridge", *words] | ["ip", "-json" | "-j", *words] if words != ["link", "show"]:
                program = call.words[0]
                call.error(f'Object "{words[0]}" is unknown, try "{program} help".')
                return 255
            case ["ip", "-json" | "-j", "link", "show"]:
                call.print(json.dumps(list(self._links()), separators=(",", ":")))
                return 0
            case ["nv", "set" | "unset", *_]:
                return self._edit(call)
            case ["nv", "config", *words]:
                return await self._config(call, words)
            case ["nv", "show", *words]:
                return self._show(call, words)
        call.error("Error: Invalid parameter")
        return 1

    # --- editing

    def _edit(self, call: Call) -> int:
        try:
            self._carry_out(self.running.copy(), call.words[1:])
        except InvalidError:
            call.error("Error: Invalid parameter")
            return 1
        login = self.user_of(call)
        if login not in self.candidates:
            self.revision += 1
            self.candidates[login] = Candidate(self.revision)
            call.print(f"created [rev_id: {self.revision}]")
        self.candidates[login].edits.append(call.words[1:])
        return 0

    def _carry_out(self, config: Config, words: list[str]) -> bool:
        """Carry out an edit; whether the ports it names are there. Raises `InvalidError`."""
        there = True
        setting = words[0] == "set"
        match words[1:]:
            case ["interface", names, *path]:
                for name in _names(names):
                    if name in config.ports:
                        (_set_port if setting else _unset_port)(config.ports[name], path)
                    else:
                        there = there and not (setting and name.startswith("swp"))
                        (_set_port if setting else _unset_port)(Port(), path)
            case ["bridge", "domain", bridge, "vlan", listed] if bridge == BRIDGE:
                for vlan in _vlans(listed):
                    config.vlans[vlan] = ""
                    if not setting:
                        del config.vlans[vlan]
            case ["bridge", "domain", bridge, "vlan"] if bridge == BRIDGE and not setting:
                config.vlans.clear()
            case ["bridge", "domain", bridge, "untagged", vlan] if bridge == BRIDGE and setting:
                [config.own] = _vlans(vlan)
            case ["system", "hostname", name] if setting:
                config.hostname = name
            case _:
                raise InvalidError
        return there

    # --- nv config

    async def _config(self, call: Call, words: Sequence[str]) -> int:
        login = self.user_of(call)
        match words:
            case ["apply", *flags] if set(flags) <= {"--assume-yes", "-y", "--y"}:
                return await self._apply(call, login, bool(flags))
            case ["detach"]:
                self.candidates.pop(login, None)
            case ["diff"]:
                if login in self.candidates:
                    call.print(*_as_yaml(self.candidates[login].edits))
            case ["save"]:
                if not self.save():
                    call.error(*(self.faults.save_error or "").splitlines())
                    return 1
                call.print("saved [rev_id: applied]")
            case ["show", "-o", "json"]:
                call.print(json.dumps(self._said(), indent=2))
            case _:
                call.error("Error: Invalid parameter")
                return 1
        return 0

    async def _apply(self, call: Call, login: str, assume_yes: bool) -> int:
        candidate = self.candidates.get(login)
        wanted = self.running.copy()
        edits = candidate.edits if candidate else []
        missing = [edit for edit in edits if not self._carry_out(wanted, edit)]
        if candidate is None or (not missing and wanted == self.running):
            if candidate is not None:
                call.print(f"Invalid config [rev_id: {candidate.revision}]")
            call.print("  config apply executed with no config diff")
            return 1
        if wanted.hostname != self.running.hostname:
            call.print(
                f"Warning: current hostname `{self.running.hostname}` will be replaced with"
                f" `{wanted.hostname}`",
                "",
            )
            answer = "y" if assume_yes else await call.ask("Are you sure? [y/N] ")
            if not answer.lower().startswith("y"):
                call.print(f"Declined apply after warnings [rev_id: {candidate.revision}]")
                return 1
        if self.reload_fails or missing:
            call.print(*IFRELOAD.format(rev=candidate.revision).splitlines())
            return 0  # as it really does
        del self.candidates[login]
        self.adopt(wanted)
        saved = self.auto_save and self.save()
        call.print(f"applied{'_and_saved' if saved else ''} [rev_id: {candidate.revision}]")
        return 0

    # --- what is shown

    def _said(self) -> list[dict[str, Any]]:
        """The applied configuration, neighbours that say the same together."""
        alike: dict[str, list[int]] = {}
        for name, port in self.running.ports.items():
            if port.spoken_of:
                number = int(name.removeprefix("swp"))
                alike.setdefault(json.dumps(port.said(), sort_keys=True), []).append(number)
        domain: dict[str, Any] = {}
        if self.running.own != 1:
            domain["untagged"] = self.running.own
        if self.running.vlans:
            domain["vlan"] = {format_list(self.running.vlans, pairs=False): {}}
        ports = {
            f"swp{format_list(numbers, pairs=False)}": json.loads(said)
            for said, numbers in alike.items()
        }
        said = {
            "bridge": {"domain": {BRIDGE: domain}},
            "interface": {"eth0": {"ip": {"vrf": "mgmt"}, "type": "eth"}, **ports},
            "system": {"hostname": self.running.hostname},
        }
        header = {"model": "VX", "nvue-api-version": "nvue_v1", "version": RELEASE}
        return [{"header": header}, {"set": said}]

    def _show(self, call: Call, words: Sequence[str]) -> int:
        match words:
            case ["system"]:
                rows = {
                    "hostname": self.running.hostname,
                    "product-name": "Cumulus Linux",
                    "product-release": RELEASE,
                }
                call.print("                 operational", "---------------  -----------")
                call.print(*(f"{name:<15}  {value}" for name, value in rows.items()))
                return 0
            case ["platform", "hardware"]:
                call.print(*PLATFORM.splitlines())
                return 0
        call.error("Error: The requested item does not exist.")
        return 1

    def _members(self) -> Iterator[dict[str, Any]]:
        """The bridge's VLANs as bridge(8) writes them."""
        for name in self.port_list:
            member = self.running.member(name)
            entries: list[dict[str, Any]] = []
            for first, last in _spans(member.tagged):
                entries.append({"vlan": first} | ({"vlanEnd": last} if last > first else {}))
            if member.untagged is not None:
                flags = ["PVID", "Egress Untagged"]
                entries.append({"vlan": member.untagged, "flags": flags})
            if entries:
                yield {"ifname": name, "vlans": sorted(entries, key=lambda one: one["vlan"])}

    def _links(self) -> Iterator[dict[str, Any]]:
        """All links as ip-link(8) writes them."""
        up = ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]
        yield {"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"]}
        yield {"ifindex": 2, "ifname": "eth0", "flags": up}
        for index, name in enumerate(self.port_list, 3):
            flags = up if name not in self.unplugged else ["NO-CARRIER", *up[:3]]
            flags = up[:2] if self.running.is_shut(name) else flags
            master = {"master": BRIDGE} if self.running.ports[name].on_bridge else {}
            yield {"ifindex": index, "ifname": name, "flags": flags, "mtu": 9216, **master}


def _names(text: str) -> Iterator[str]:
    """Write a range out: ``swp1-3,swp6``, or ``swp1-3,6``."""
    prefix = ""
    for part in text.split(","):
        found = re.fullmatch(r"([a-z_]+)?(\d+)(?:-(\d+))?(s\d+)?|[a-z]\w*", part)
        if found is None or (found[2] is not None and not (found[1] or prefix)):
            raise InvalidError
        if found[2] is None:
            yield part
            continue
        prefix = found[1] or prefix
        for number in range(int(found[2]), int(found[3] or found[2]) + 1):
            yield f"{prefix}{number}{found[4] or ''}"


def _vlans(text: str) -> frozenset[int]:
    try:
        return parse_list(text)
    except ValueError:
        raise InvalidError from None


def _set_port(port: Port, path: list[str]) -> None:
    port.spoken_of = True
    match path:
        case [] | ["type", "swp"]:
            return
        case ["link", "state", "up" | "down" as state]:
            port.state = state
            return
        case ["bridge", "domain", bridge] if bridge == BRIDGE:
            pass
        case ["bridge", "domain", bridge, "access", vlan] if bridge == BRIDGE:
            [port.access] = _vlans(vlan)
        case ["bridge", "domain", bridge, "untagged", "none"] if bridge == BRIDGE:
            port.untagged = "none"
        case ["bridge", "domain", bridge, "untagged", vlan] if bridge == BRIDGE:
            [port.untagged] = _vlans(vlan)
        case ["bridge", "domain", bridge, "vlan", listed] if bridge == BRIDGE:
            port.vlans = (port.vlans or frozenset()) | _vlans(listed)
        case _:
            raise InvalidError
    port.on_bridge = True


def _unset_port(port: Port, path: list[str]) -> None:
    """Forget what was said; that nothing was is no error."""
    match path:
        case []:
            port.spoken_of, port.state = False, None
        case ["link"] | ["link", "state"]:
            port.state = None
            return
        case ["bridge", "domain", bridge, "access"] if bridge == BRIDGE:
            port.access = None
            return
        case ["bridge", "domain", bridge, "untagged"] if bridge == BRIDGE:
            port.untagged = None
            return
        case ["bridge", "domain", bridge, "vlan"] if bridge == BRIDGE:
            port.vlans = None
            return
        case ["bridge"] | ["bridge", "domain"] | ["bridge", "domain", _]:
            pass
        case _:
            raise InvalidError
    port.on_bridge, port.access, port.untagged, port.vlans = False, None, None, None


def _spans(vlans: Iterable[int]) -> Iterator[tuple[int, int]]:
    for part in format_list(vlans, "", pairs=False).split(","):
        if part:
            first, _, last = part.partition("-")
            yield int(first), int(last or first)


def _as_yaml(edits: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write edits as ``nv config diff`` does, near enough: one after the other."""
    trees: dict[str, list[Sequence[str]]] = {"unset": [], "set": []}
    for verb, *path in edits:
        trees[verb].append(path)
    for verb, lines in trees.items():
        if lines:
            yield f"- {verb}:"
        for line in lines:
            yield from (f"{'  ' * (depth + 2)}{word}:" for depth, word in enumerate(line))
