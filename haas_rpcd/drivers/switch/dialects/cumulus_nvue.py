"""Cumulus Linux 5 with NVUE, reached by a login to its shell.

Sources: NVIDIA's "Cumulus Linux User Guide" (NVUE CLI, VLAN-aware Bridge Mode) and "NVUE
Reference", ifupdown2's add-on for bridges, and open-source drivers:

* ``nv set`` and ``nv unset`` edit a *candidate*, which is shared by all logins of the same name.
  Nothing takes effect before ``nv config apply``, which applies all of it or nothing. So leftovers
  in the candidate are detached before anything is typed, and ports change in one step.
* The trap: a bridge port without ``vlan`` carries all of the bridge's VLANs, and one without
  ``untagged`` carries the bridge's own VLAN, which is 1. So a port is removed from its bridge in
  the candidate, with all its settings there, and added again with either ``access``, or both
  ``untagged`` and ``vlan``. This is done while it is down. It comes up by a second ``nv config
  apply``, after the kernel was read: a line may have been accepted but not be in the candidate,
  whose form when shown is not documented. A port that is up and stays an access port or a trunk
  changes in one step. From a trunk, VLANs are then removed by name ("The nv unset commands remove
  the configuration you set with the equivalent nv set commands": "NVUE Reference").
* ``nv config apply`` may fail with an exit status of 0, so its output is checked too.
* What ports carry is read from the kernel, whose bridge does the switching. Its state is what
  counts, wherever a setting comes from, and whether or not it was carried out.

Bonds: see :mod:`~haas_rpcd.drivers.switch.nvuebonds`.

Ports have the kernel's names: ``swp1``, ``swp1s0``, ``bond1``. Option ``bridge``, if it is not
``br_default``. The login must be in the groups ``nvset`` and ``nvapply``, or be ``cumulus``; it
need not be root. A parked port is down and on no bridge; its other settings on the bridge (``stp
…``) are lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from haas_rpcd.drivers.switch import linuxlinks, lldpblocks, mactables, nvuebonds, portnames
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.dialect import Dialect, Reader
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.jsonanswers import decoded
from haas_rpcd.drivers.switch.nvuebonds import Lines
from haas_rpcd.drivers.switch.script import Block, Effect, Stage
from haas_rpcd.drivers.switch.shell import SHELL, SHELL_ABOUT
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.writer import (
    Current,
    Options,
    Ports,
    VlanByVlan,
    Writer,
    rows_of,
    stays_open,
)
from haas_rpcd.model import PortConfig
from haas_rpcd.vlanranges import parse_vlan_ranges, vlan_ranges

_MAX_SPANS = 16

_NO_DIFFERENCE = "config apply executed with no config diff"
"""The message of newer releases for a candidate that changes nothing; they call it invalid."""

_NO_PORT = re.compile(r"eth\d+|mgmt|br_\w+|vlan\d+(?:-v0)?|vxlan\w+|vrf\w*")
"""Names of interfaces that are not switch ports: management, VRFs, bridges, VLANs and VXLANs."""

_DETACH = 'nv config detach >/dev/null 2>&1 || test -z "$(nv config diff)"'
"""Discards the candidate of this login, if there is one."""


def _find_error(dialogue: Dialogue, answer: str, prompt: re.Match[str]) -> str | None:
    """Quote the whole answer: the reason may come before or after the line with the error."""
    if _NO_DIFFERENCE in answer:
        return None
    said = [line.strip() for line in answer.splitlines() if line.strip()]
    if prompt.group(1) != "0":
        return " ".join(said) or f"it exited with status {prompt.group(1)}"
    return " ".join(said) if any(dialogue.looks_like_error(line) for line in said) else None


# --- lines ----------------------------------------------------------------------------------------


def _canonical(port: str) -> str:
    """Return the name unchanged: the kernel knows no other, and case matters."""
    if "," in port or re.search(r"\d-\d", port):
        raise ValueError(f"{port} names several ports: register each by itself")
    return port


def _port_script(changes: Ports, options: Options, current: Current) -> list[Stage]:
    """Return a stage that sets ports, and one that opens them; each takes effect by its commit.

    Ports with the same lines are set by one range, which NVUE expands.
    """

    def lines_of(state: PortState | None, config: PortConfig) -> Lines:
        return _port_lines(state, config, options)

    wanted = [
        (
            change.port,
            index,
            nvuebonds.bonded(change, change.channel, changes, current, lines_of)
            if change.channel is not None
            else lines_of(current.get(change.port), change.config),
        )
        for index, change in changes.items()
    ]
    stages = [
        _stage([(port, index, lines) for port, index, (lines, _) in wanted], options),
        _stage([(port, index, opening) for port, index, (_, opening) in wanted], options, "opens"),
    ]
    return [stage for stage in stages if stage]


def _stage(
    wanted: Iterable[tuple[str, int, Sequence[str]]], options: Options, effect: Effect = ""
) -> Stage:
    alike: dict[tuple[str, ...], dict[str, int]] = {}
    for port, index, lines in wanted:
        if lines:
            alike.setdefault(tuple(lines), {})[port] = index
    most = 1 if options.get("ranges") is False else _MAX_SPANS
    blocks: list[Block] = []
    for lines, indexes in alike.items():
        for spans in portnames.grouped(list(indexes), most):
            for ports in [spans] if most > 1 else _singly(spans):
                named = [name for run in ports for name in run.names]
                typed = tuple(line.replace("PORT", portnames.joined(ports)) for line in lines)
                served = tuple(sorted(indexes[name] for name in named))
                blocks.append(Block(served, typed, effect=effect))
    blocks.sort(key=lambda block: block.changes[-1])
    return blocks


def _port_lines(current: PortState | None, config: PortConfig, options: Options) -> Lines:
    """Return the lines for a port of the bridge."""
    unset = "nv unset interface PORT bridge domain"
    domain = f"nv set interface PORT bridge domain {_bridge(options)}"
    up, down = (f"nv set interface PORT link state {state}" for state in ("up", "down"))
    if config.parked:
        return Lines([down, unset], [])
    native = "none" if config.untagged is None else config.untagged
    tagged = [f"{domain} vlan {row}" for row in rows_of(vlan_ranges(config.tagged)) if row]
    lines = [f"{domain} untagged {native}", *tagged]
    if not config.tagged:
        lines = [unset, f"{domain} access {config.untagged}"]
    if not stays_open(current, config):
        return Lines([down, *([unset] if config.tagged else []), *lines], [up])
    removed = set(current.config.tagged) - set(config.tagged) if current is not None else set()
    rows = rows_of(vlan_ranges(removed if config.tagged else ()))
    removing = [f"{unset} {_bridge(options)} vlan {row}" for row in rows if row]
    return Lines([*lines, *removing], [])


def _vlan_lines(vlan: int, present: bool, options: Options) -> list[str]:
    """Add a VLAN to the bridge, or remove it."""
    verb = "set" if present else "unset"
    return [f"nv {verb} bridge domain {_bridge(options)} vlan {vlan}"]


def _bridge(options: Options) -> str:
    return str(options.get("bridge", "br_default"))


def _singly(spans: Iterable[portnames.Span]) -> list[list[portnames.Span]]:
    return [list(portnames.spans([name])) for run in spans for name in run.names]


# --- reading back ---------------------------------------------------------------------------------


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show the VLANs of all ports in the kernel, and which ports are up, in two lines in all."""
    return ["bridge -json -compressvlans vlan show", "ip -json -details link show"]


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read the two JSON documents; leave out the kernel's links that are not switch ports."""
    found = linuxlinks.read_ports(answers, harmless_lines((), options))
    return {port: state for port, state in found.items() if not _NO_PORT.fullmatch(port)}


def _read_vlans(options: Options) -> list[str]:
    """Show the applied configuration, which alone lists the bridge's VLANs."""
    return ["nv config show -o json"]


class _Domain(msgspec.Struct):
    vlan: dict[str, Any] = {}


class _Bridge(msgspec.Struct):
    domain: dict[str, _Domain] = {}


class _Set(msgspec.Struct):
    bridge: _Bridge = msgspec.field(default_factory=_Bridge)


class _Part(msgspec.Struct):
    set: _Set = msgspec.field(default_factory=_Set)


def _parse_vlans(answers: Sequence[str]) -> frozenset[int]:
    """Read the VLANs of all bridges; NVUE writes consecutive ones as a range. Raises ValueError."""
    found: frozenset[int] = frozenset()
    for answer in answers:
        for part in decoded(answer, "[", list[_Part]) if answer.strip() else ():
            for domain in part.set.bridge.domain.values():
                for listed in domain.vlan:
                    found |= frozenset(parse_vlan_ranges(listed))
    return found


DIALECT = Dialect(
    name="cumulus_nvue",
    title="Cumulus Linux (NVUE)",
    options=frozenset({"bridge"}),
    canonical_port=_canonical,
    channels=nvuebonds.CHANNELS,
    example_ports=("swp1", "swp2"),
    numbered_ports=False,
    dialogue=replace(
        SHELL,
        setup=(*SHELL.setup, "export PAGER=cat"),
        errors=(
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
        ),
        find_error=_find_error,
        enter_config=(_DETACH,),
        save=("nv config save",),
        saved=re.compile(r"^\s*saved\b", re.M),  # newer releases add a revision
    ),
    writer=Writer(
        ports=_port_script,
        vlans=VlanByVlan(_vlan_lines),
        commit=("nv config apply --assume-yes",),
        abort=(_DETACH,),
        needs_current="joining",
    ),
    reader=Reader(
        read_ports=_read_ports,
        parse_ports=_parse_ports,
        read_vlans=_read_vlans,
        parse_vlans=_parse_vlans,
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("nv show interface lldp-detail",),
            read=lldpblocks.lldpctl,
        ),
        learnt=Table(
            lines=("bridge -json fdb show",),
            read=mactables.linux,
        ),
    ),
    about=replace(
        SHELL_ABOUT,
        show_version=(
            "nv show system version 2>/dev/null || nv show system",
            "nv show platform 2>/dev/null || nv show platform hardware",
        ),
        model=re.compile(r"^ *product-name +(?!Cumulus Linux)(\S+(?: \S+)*)", re.M),
        version=re.compile(r"^ *product-release +(\S+)", re.M),
    ),
)
