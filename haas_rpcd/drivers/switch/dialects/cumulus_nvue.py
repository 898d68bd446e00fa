"""Cumulus Linux 5 with NVUE, reached by a login to its shell.

Sources: NVIDIA's "Cumulus Linux User Guide" (NVUE CLI, VLAN-aware Bridge Mode) and "NVUE
Reference", ifupdown2's add-on for bridges, and open-source drivers:

* ``nv set`` and ``nv unset`` edit a *candidate*, which is shared by all logins of the same name.
  Nothing takes effect before ``nv config apply``, which applies all of it or nothing. So leftovers
  in the candidate are detached before anything is typed, and ports change in one step.
* The trap: a bridge port without ``vlan`` carries all of the bridge's VLANs, and one without
  ``untagged`` carries the bridge's own VLAN, which is 1. So a port is removed from its bridge in
  the candidate, with all its settings there, and added again with either ``access``, or both
  ``untagged`` and ``vlan``.
* ``nv config apply`` may fail with an exit status of 0, so its output is checked too.
* What ports carry is read from the kernel, whose bridge does the switching. Its state is what
  counts, wherever a setting comes from, and whether or not it was carried out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.dialect import Options
from haas_rpcd.drivers.switch.dialects.linux_bridge import LinuxBridge
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.drivers.switch.shell import Shell
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PortConfig, SetPort, parse_vlan_ranges, vlan_ranges

_MAX_SPANS = 16

_NO_DIFFERENCE = "config apply executed with no config diff"
"""The message of newer releases for a candidate that changes nothing; they call it invalid."""

_NO_PORT = re.compile(r"eth\d+|mgmt|br_\w+|vlan\d+(?:-v0)?|vxlan\w+|vrf\w*")
"""Names of interfaces that are not switch ports: management, VRFs, bridges, VLANs and VXLANs."""

_DETACH = 'nv config detach >/dev/null 2>&1 || test -z "$(nv config diff)"'
"""Discards the candidate of this login, if there is one."""


class CumulusNvue(LinuxBridge):
    """``cumulus_nvue``. Ports have the kernel's names: ``swp1``, ``swp1s0``, ``bond1``.

    Option ``bridge``, if it is not ``br_default``. The login must be in the groups ``nvset`` and
    ``nvapply``, or be ``cumulus``; it need not be root. A parked port is down and on no bridge; its
    other settings on the bridge (``stp …``) are lost.
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
        """Quote the whole answer: the reason may come before or after the line with the error."""
        if _NO_DIFFERENCE in answer:
            return None
        said = [line.strip() for line in answer.splitlines() if line.strip()]
        if prompt.group(1) != "0":
            return " ".join(said) or f"it exited with status {prompt.group(1)}"
        return " ".join(said) if any(self.starts_like(self.errors, line) for line in said) else None

    def saved(self, answer: str) -> bool:
        """NVUE prints ``saved``; newer releases add a revision."""
        return re.search(r"^\s*saved\b", answer, re.M) is not None

    # --- lines ------------------------------------------------------------------------------------

    def canonical_port(self, port: str) -> str:
        """Return the name unchanged: the kernel knows no other, and case matters."""
        if "," in port or re.search(r"\d-\d", port):
            raise ValueError(f"{port} names several ports: register each by itself")
        return port

    def port_script(
        self, changes: Mapping[int, SetPort], options: Options, current: Mapping[str, PortConfig]
    ) -> list[Stage]:
        """Return one stage: only the commit after it takes effect and opens ports.

        Ports with the same configuration are set by one range, which NVUE expands.
        """
        alike: dict[PortConfig, dict[str, int]] = {}
        for index, change in changes.items():
            alike.setdefault(change.config, {})[change.port] = index
        most = 1 if options.get("ranges") is False else _MAX_SPANS
        blocks: list[Block] = []
        for config, indexes in alike.items():
            for spans in portnames.grouped(list(indexes), most):
                for ports in [spans] if most > 1 else _singly(spans):
                    named = [name for run in ports for name in run.names]
                    lines = self.range_lines(portnames.joined(ports), config, options)
                    blocks.append(Block(tuple(sorted(indexes[name] for name in named)), lines))
        blocks.sort(key=lambda block: block.changes[-1])
        return [blocks]

    def range_lines(self, ports: str, config: PortConfig, options: Options) -> tuple[str, ...]:
        """Return the lines that make ports carry exactly this."""
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
        """Add a VLAN to the bridge, or remove it."""
        verb = "set" if present else "unset"
        return [f"nv {verb} bridge domain {_bridge(options)} vlan {vlan}"]

    # --- reading back -----------------------------------------------------------------------------

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Leave out the kernel's links that are not switch ports."""
        found = super().parse_ports(answers, options)
        return {port: state for port, state in found.items() if not _NO_PORT.fullmatch(port)}

    def read_vlans(self, options: Options) -> list[str]:
        """Show the applied configuration, which alone lists the bridge's VLANs."""
        return ["nv config show -o json"]

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Read the VLANs of all bridges; NVUE writes consecutive ones as a range."""
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
