"""Cumulus Linux 5 with NVUE, reached by a login to its shell.

Facts from NVIDIA's "Cumulus Linux User Guide" (NVUE CLI, VLAN-aware Bridge Mode) and "NVUE
Reference", ifupdown2's add-on for bridges, and the notes on vendors' command lines:

* ``nv set`` and ``nv unset`` edit a *candidate*, which a login of the same name shares; nothing has
  an effect before ``nv config apply``, which takes all of it or nothing. So what was left there is
  detached before anything is typed, and ports change in one step.
* The trap: a port of a bridge that says nothing of ``vlan`` carries all of the bridge's VLANs, and
  one that says nothing of ``untagged`` the bridge's own, which is 1. So a port is taken off its
  bridge in the candidate, with all it said there, and put on again with either ``access``, or both
  ``untagged`` and ``vlan``.
* ``nv config apply`` may say that it failed and exit with 0 all the same, so its words count too.
* What ports carry is read from the kernel, whose bridge it is that switches: there it counts,
  whether or not a port's line stands in a range, comes from the bridge, or was really carried out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.dialect import Options, PortState
from haas_rpcd.drivers.switch.dialects.linux_bridge import LinuxBridge
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.drivers.switch.shell import Shell
from haas_rpcd.model import PortConfig, SetPort, parse_vlan_ranges, vlan_ranges

_RUNS_OF_A_RANGE = 16

_NO_DIFFERENCE = "config apply executed with no config diff"
"""What newer releases say of a candidate that changes nothing; they call it an invalid one."""

_NO_PORT = re.compile(r"eth\d+|mgmt|br_\w+|vlan\d+(?:-v0)?|vxlan\w+|vrf\w*")
"""Names of the port to manage it by, its VRF, bridges, and VLANs' own interfaces."""

_DETACH = 'nv config detach >/dev/null 2>&1 || test -z "$(nv config diff)"'
"""Leaves the candidate of this login behind; that there is none is as good."""


class CumulusNvue(LinuxBridge):
    """``cumulus_nvue``. Ports are named as the kernel does: ``swp1``, ``swp1s0``, ``bond1``.

    Option ``bridge``, if it is not ``br_default``. The login is in the groups ``nvset`` and
    ``nvapply``, or may all, as ``cumulus``; it needs no root. A parked port is down and on no
    bridge: other settings that it had there (``stp …``) go too.
    """

    name = "cumulus_nvue"
    title = "Cumulus Linux (NVUE)"
    options = frozenset({"bridge"})
    declares_vlans = True
    saves = True
    setup = (*Shell.setup, "export PAGER=cat")
    errors = (
        r"error:",
        r"invalid config\b",
        r"config invalid at\b",
        r"failed to prepare to apply",
        r"failure during apply",
        r"unable to restart services",
        r"(?:declined|aborted) apply after warnings",
        r"apply_fail\b",
        r"[a-z]+error: could not connect to nvued",
        r"[\w./-]+: .*command not found",
    )
    enter_config = (_DETACH,)
    commit = ("nv config apply --assume-yes",)
    abort = (_DETACH,)
    save = ("nv config save",)
    show_version = (
        "nv show system version 2>/dev/null || nv show system",
        "nv show platform 2>/dev/null || nv show platform hardware",
    )
    model = re.compile(r"^ *product-name +(?!Cumulus Linux)(\S+(?: \S+)*)", re.M)
    version = re.compile(r"^ *product-release +(\S+)", re.M)

    # --- answers ----------------------------------------------------------------------------------

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """Quote all that was said: the reason may stand before or after what makes it an error."""
        if _NO_DIFFERENCE in answer:
            return None
        said = [line.strip() for line in answer.splitlines() if line.strip()]
        if prompt.group(1) != "0":
            return " ".join(said) or f"it exited with status {prompt.group(1)}"
        return " ".join(said) if any(self.starts_like(self.errors, line) for line in said) else None

    def saved(self, answer: str) -> bool:
        """NVUE says ``saved``, newer releases with a revision behind it."""
        return re.search(r"^\s*saved\b", answer, re.M) is not None

    # --- lines ------------------------------------------------------------------------------------

    def canonical_port(self, port: str) -> str:
        """Give the name as it is: the kernel knows no other, nor upper case for lower."""
        if "," in port or re.search(r"\d-\d", port):
            raise ValueError(f"{port} names several ports: register each by itself")
        return port

    def port_script(
        self, changes: Mapping[int, SetPort], options: Options, current: Mapping[str, PortConfig]
    ) -> list[Stage]:
        """Give one stage: the commit behind it is the only line that opens anything.

        Ports that get the same are set by one range, which NVUE writes out by itself.
        """
        alike: dict[PortConfig, dict[str, int]] = {}
        for index, change in changes.items():
            alike.setdefault(change.config, {})[change.port] = index
        most = 1 if options.get("ranges") is False else _RUNS_OF_A_RANGE
        blocks: list[Block] = []
        for config, indexes in alike.items():
            for spans in portnames.grouped(list(indexes), most):
                for ports in [spans] if most > 1 else _singly(spans):
                    named = [name for run in ports for name in run.names]
                    lines = self.range_lines(_range(ports), config, options)
                    blocks.append(Block(tuple(sorted(indexes[name] for name in named)), lines))
        blocks.sort(key=lambda block: block.changes[-1])
        return [blocks]

    def range_lines(self, ports: str, config: PortConfig, options: Options) -> tuple[str, ...]:
        """Give the lines that make ports carry exactly this."""
        domain = f"nv set interface {ports} bridge domain {_bridge(options)}"
        state = "down" if config.parked else "up"
        lines = [
            f"nv set interface {ports} link state {state}",
            f"nv unset interface {ports} bridge domain",
        ]
        if config.tagged:
            native = "none" if config.untagged is None else config.untagged
            rows = self.split_list(vlan_ranges(config.tagged))
            lines += [f"{domain} untagged {native}", *(f"{domain} vlan {row}" for row in rows)]
        elif not config.parked:
            lines.append(f"{domain} access {config.untagged}")
        return tuple(lines)

    def vlan_lines(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Let the bridge have a VLAN, or take it away."""
        verb = "set" if present else "unset"
        return [f"nv {verb} bridge domain {_bridge(options)} vlan {vlan}"]

    # --- reading back -----------------------------------------------------------------------------

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Leave out the kernel's links that are no ports of the switch."""
        found = super().parse_ports(answers, options)
        return {port: state for port, state in found.items() if not _NO_PORT.fullmatch(port)}

    def read_vlans(self, options: Options) -> list[str]:
        """Show the configuration that is applied: it alone says which VLANs the bridge has."""
        return ["nv config show -o json"]

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Read the VLANs of all bridges; NVUE writes neighbours as a range."""
        found: set[int] = set()
        for answer in answers:
            start = answer.find("[")
            for part in json.loads(answer[start:]) if start >= 0 else ():
                domains: dict[str, Any] = part.get("set", {}).get("bridge", {}).get("domain", {})
                for domain in domains.values():
                    for listed in (domain or {}).get("vlan", ()):
                        found.update(parse_vlan_ranges(str(listed)))
        return frozenset(found)


def _bridge(options: Options) -> str:
    return str(options.get("bridge", "br_default"))


def _singly(spans: Iterable[portnames.Span]) -> list[list[portnames.Span]]:
    return [list(portnames.spans([name])) for run in spans for name in run.names]


def _range(spans: Iterable[portnames.Span]) -> str:
    """Name ports as the manual does: ``swp1-3,swp6,swp14-20``."""
    return ",".join(
        f"{run.prefix}{run.first}-{run.last}" if run.last > run.first else run.names[0]
        for run in spans
    )
