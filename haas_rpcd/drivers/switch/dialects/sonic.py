"""SONiC, reached by a login to its shell.

Sources: the "SONiC Command Line Interface Guide", the messages of sonic-utilities (201911 to
202505), and open-source drivers:

* Each ``config …`` takes effect at once, through the configuration database.
* A port joins VLANs one by one and leaves them by name, so its VLANs are read first. A port on no
  VLAN carries nothing: SONiC removes all ports from VLAN 1 when it starts.
* A command whose change is in place already fails with a message.
* ``config interface shutdown`` takes several ports, and ignores those that it does not know.

A port with an IP address routes. It cannot join a VLAN until the site has removed the address.

Ports are named as in ``show interfaces status``: ``Ethernet0``, ``PortChannel1``. Option ``sudo``:
true by default, because SONiC's own login ``admin`` is not root. Option ``switchport``: true for
releases in which a port needs a mode (``access``, ``trunk``) before it can join a VLAN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from haas_rpcd.drivers.switch import lldpblocks, mactables, membership, shell, sonicdatabase
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.channels import Channels
from haas_rpcd.drivers.switch.dialect import Dialect, Reader
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.drivers.switch.shell import SHELL, SHELL_ABOUT
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.writer import (
    Current,
    Options,
    Ports,
    VlanByVlan,
    Writer,
    is_gone,
)
from haas_rpcd.model import PARKED, Channel, PortConfig, SetPort

_PORTS_PER_LINE = 16
"""Ports that one line shuts or opens."""

_DONE = re.compile(
    r"Usage: config vlan add .*^Error: Vlan\d+ already exists\b"
    r"|Usage: config vlan del .*^Error: Vlan\d+ (?:does not|doesn't) exist\b"
    r"|Usage: config switchport mode .*is already in (?:the )?\w+ mode",
    re.S | re.M,
)
"""Refusals because the change is in place already. (The same message for a port and a missing VLAN
is an error; only the line ``Usage`` tells the commands apart.)"""


class _Change(NamedTuple):
    """A change of a port. ``current`` is None if its state is unknown. ``channel``: see SetPort."""

    at: int
    port: str
    wanted: PortConfig
    current: PortState | None
    channel: Channel | None = None
    is_new: bool = False
    """True for a channel that does not exist."""

    @property
    def opens(self) -> bool:
        """True if it is shut and is to be opened; a new channel is open."""
        return self.current is not None and not self.wanted.parked and not self.current.open

    @property
    def is_channel(self) -> bool:
        """True for a channel that HaaS makes."""
        return self.channel is not None and self.channel.name == self.port

    @property
    def is_member(self) -> bool:
        """True if the port is a member of its channel."""
        return self.current is not None and self.current.config.member is not None


def _find_error(dialogue: Dialogue, answer: str, prompt: re.Match[str]) -> str | None:
    """Quote the text from ``Error:`` on, without the usage of the command."""
    if _DONE.search(answer):
        return None
    said = [line.strip() for line in answer.splitlines() if line.strip()]
    for at, line in enumerate(said):
        if dialogue.looks_like_error(line):
            return " ".join(said[at:])
    if prompt.group(1) == "0":
        return None
    return " ".join(said) or f"it exited with status {prompt.group(1)}"


# --- lines ----------------------------------------------------------------------------------------


def _as_root(line: str, options: Options) -> str:
    """Prefix a line with sudo(8) unless the option is false."""
    return shell.as_root(line, {"sudo": True, **options})


def _canonical(port: str) -> str:
    """Write the type as SONiC does. Numbers are part of the name, including zeros."""
    if re.search(r",|\d-\d", port):
        raise ValueError(f"{port} names several ports: register each by itself")
    found = re.fullmatch(r"(ethernet|portchannel)(\d+)", port, re.I)
    if found is None:
        return port
    return {"e": "Ethernet", "p": "PortChannel"}[port[0].lower()] + found[2]


def _channel(number: int) -> str:
    return f"PortChannel{number}"


def _member(line: str) -> Channel | None:
    """Read the database's entry of a member. ``config portchannel add`` makes LACP only."""
    found = re.fullmatch(r"PORTCHANNEL_MEMBER (PortChannel\d+)\|\S+", line)
    return Channel(found[1], "lacp") if found else None


def _port_script(changes: Ports, options: Options, current: Current) -> list[Stage]:
    """Shut ports that are parked, leave VLANs, join VLANs, open ports: a stage each.

    A port whose configuration is unknown is only shut, because the VLANs to leave are unknown. A
    port leaves its channel once it is shut, and joins one while it is shut. Channels come into
    being first and go last, without VLANs: "remove vlan membership to proceed".
    """
    several = [_change(at, change, current.get(change.port)) for at, change in changes.items()]
    known = [one for one in several if one.current is not None]
    unknown = [one for one in several if one.current is None]
    parked = [one for one in known if one.wanted.parked and not one.is_channel]
    opened = [one for one in known if one.opens]

    def lines(give: Callable[[_Change], Iterable[str]]) -> Stage:
        blocks = [
            Block((one.at,), tuple(_as_root(line, options) for line in give(one))) for one in known
        ]
        return [block for block in blocks if block.lines]

    stages: list[Stage] = [
        _links("shutdown", parked, options)
        + [block for one in unknown for block in _links("shutdown", [one], options)],
        lines(_leaving_channel),
        lines(_leaving),
        lines(_making),
        lines(_mode) if options.get("switchport") else [],
        lines(_joining),
        lines(_joining_channel),
        lines(_removing),
        [block._replace(effect="opens") for block in _links("startup", opened, options)],
    ]
    for stage in stages:
        stage.sort(key=lambda block: block.changes[-1])
    return [stage for stage in stages if stage]


def _change(at: int, change: SetPort, state: PortState | None) -> _Change:
    """Return a change. A channel that is made, and of which nothing is known, does not exist."""
    is_new = change.is_channel and not change.config.parked and state is None
    state = PortState(PARKED) if is_new else state
    return _Change(at, _canonical(change.port), change.config, state, change.channel, is_new=is_new)


def _making(change: _Change) -> list[str]:
    return [f"config portchannel add {change.port}"] if change.is_new else []


def _removing(change: _Change) -> list[str]:
    gone = is_gone(change.current)
    if not change.is_channel or not change.wanted.parked or gone:
        return []
    return [f"config portchannel del {change.port}"]


def _leaving_channel(change: _Change) -> list[str]:
    if not change.is_member or change.channel is None or change.wanted.member:
        return []
    return [f"config portchannel member del {change.channel.name} {change.port}"]


def _joining_channel(change: _Change) -> list[str]:
    channel = change.wanted.member
    if channel is None or change.is_member:
        return []
    return [f"config portchannel member add {channel.name} {change.port}"]


def _links(verb: str, changes: Sequence[_Change], options: Options) -> Stage:
    most = 1 if options.get("ranges") is False else _PORTS_PER_LINE
    stage: Stage = []
    for first in range(0, len(changes), most):
        some = changes[first : first + most]
        line = f"config interface {verb} {','.join(one.port for one in some)}"
        stage.append(Block(tuple(one.at for one in some), (_as_root(line, options),)))
    return stage


def _places(config: PortConfig) -> set[tuple[bool, int]]:
    """Return a port's own memberships, each as (tagged, VLAN). A channel's member has none."""
    if config.member is not None:
        return set()
    untagged = set() if config.untagged is None else {(False, config.untagged)}
    return untagged | {(True, vlan) for vlan in config.tagged}


def _present(change: _Change) -> set[tuple[bool, int]]:
    return set() if change.current is None else _places(change.current.config)


def _leaving(change: _Change) -> list[str]:
    off = _present(change) - _places(change.wanted)
    return [f"config vlan member del {vlan} {change.port}" for _, vlan in sorted(off)]


def _joining(change: _Change) -> list[str]:
    on = _places(change.wanted) - _present(change)
    return [
        f"config vlan member add {'' if tagged else '-u '}{vlan} {change.port}"
        for tagged, vlan in sorted(on)
    ]


def _mode(change: _Change) -> list[str]:
    if change.wanted.parked or change.wanted.member is not None:
        return []
    mode = "trunk" if change.wanted.tagged else "access"
    return [f"config switchport mode {mode} {change.port}"]


def _vlan_lines(vlan: int, present: bool, options: Options) -> list[str]:
    """Create a VLAN, or remove it."""
    return [_as_root(f"config vlan {'add' if present else 'del'} {vlan}", options)]


# --- reading back ---------------------------------------------------------------------------------


def _read_database(options: Options) -> list[str]:
    """Show the configuration database, in the way of ``show runningconfiguration all``."""
    return [_as_root("sonic-cfggen -d --print-data", options)]


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    return _read_database(options)


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Read all ports, whether they are up, and their VLANs."""
    database = sonicdatabase.database_in(answers)
    return sonicdatabase.read_ports(database, harmless_lines(sonicdatabase.HARMLESS, options))


def _parse_vlans(answers: Sequence[str]) -> frozenset[int]:
    """Read the database's table of VLANs."""
    return frozenset(
        int(key.removeprefix("Vlan")) for key in sonicdatabase.database_in(answers).get("VLAN", ())
    )


DIALECT = Dialect(
    name="sonic",
    title="SONiC",
    options=frozenset({"sudo", "switchport"}),
    canonical_port=_canonical,
    example_ports=("Ethernet0", "Ethernet4"),
    numbered_ports=False,
    trunks_need_vlans=True,
    channels=Channels(name=_channel, member=_member, modes=("lacp",)),
    dialogue=replace(
        SHELL,
        errors=(
            r"error:",
            r"vlan ?\d+ doesn't exist",
            r"invalid vlan id\b",
            r"interface name is invalid",
            r"no such command\b",
            r"root privileges are required",
            r"[\w./-]+: .*command not found",
        ),
        find_error=_find_error,
        save=("sudo -n config save -y",),  # root may use sudo, too
        # It prints which command writes which file; a failure shows in the exit status.
        saved=re.compile("config_db"),
    ),
    writer=Writer(ports=_port_script, vlans=VlanByVlan(_vlan_lines), needs_current="always"),
    reader=Reader(
        read_ports=_read_ports,
        parse_ports=_parse_ports,
        read_vlans=_read_database,
        parse_vlans=_parse_vlans,
        witness=membership.Witness(
            line="sonic-db-cli STATE_DB KEYS 'VLAN_MEMBER_TABLE|*'", read=membership.sonic
        ),
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("show lldp neighbors",),
            read=lldpblocks.lldpctl,
        ),
        learnt=Table(
            lines=("show mac",),
            read=mactables.sonic,
        ),
    ),
    about=replace(
        SHELL_ABOUT,
        show_version=("show version",),
        model=re.compile(r"^HwSKU: *(\S+)", re.M),
        version=re.compile(r"^SONiC Software Version: *(?:SONiC\.)?(\S+)", re.M),
        serial=re.compile(r"^Serial Number:[ \t]*(\S+)", re.M),
    ),
)
