"""FastIron on ICX, FCX and FSX switches: Foundry's, then Brocade's, then Ruckus's.

Sources: published sessions on ICX 6450 to 7450, and ntc-templates' recorded output (08.0.30h,
08.0.90). That tagged ports behave differently since 08.0.80 is from memory; the tables of 08.0.90
show that the change has happened by then. ``no untagged`` under the default VLAN is documented for
NetIron, a related family.

How a port that is tagged on some VLAN relates to the default VLAN depends on the release:

* Before 08.0.80 it leaves the default VLAN. Its untagged frames belong to a VLAN on which it is
  tagged too, chosen by ``dual-mode V`` in its own context (option ``dual_mode``).
* Since 08.0.80 it stays on the default VLAN untagged, until it joins another VLAN untagged or is
  removed by ``no untagged`` under the default VLAN.

If the option is wrong, the switch refuses a line, and the port stays shut.

``voice-vlan V`` of a port tells telephones to tag their frames with V; the port is on V as a tagged
one. ("FastIron Management Configuration Guide", "Dynamic configuration of Voice over IP (VoIP)
phones". That ``no voice-vlan`` may be refused where there is none is a guess: no refusal of it
counts, because the port is read back.)

Option ``dual_mode``: true for releases before 08.0.80. Option ``default_vlan``: the value of
``default-vlan-id``, if it is not 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from haas_rpcd.drivers.switch import lldpblocks, mactables, membership, portnames
from haas_rpcd.drivers.switch.byvlan import ByVlan, Membership, default_membership, listed_under
from haas_rpcd.drivers.switch.cabling import CablingReader, Table
from haas_rpcd.drivers.switch.dialect import About, Dialect, Reader
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.fastironconfig import HARMLESS, FastIronConfig
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.patterns import at_end, on_own_line
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.vlantables import rows
from haas_rpcd.drivers.switch.writer import Options, PortContexts, VlanByVlan, Writer
from haas_rpcd.model import PortConfig


def _canonical(port: str) -> str:
    """``1/1/1``, ``e1/1/1`` and ``ethe 1/1/1`` are ``ethernet 1/1/1``."""
    found = re.fullmatch(r"([a-z]*) *(\d+(?:/\d+)*)", port.strip().lower())
    if found is None or not any(kind.startswith(found[1]) for kind in ("ethernet", "lag")):
        return port.lower()
    kind = "lag" if found[1] and "lag".startswith(found[1]) else "ethernet"
    return f"{kind} {'/'.join(str(int(part)) for part in found[2].split('/'))}"


def _written_out(shown: str) -> str:
    """``lg61`` is a LAG in the MAC table of releases since 08.0.80."""
    return re.sub(r"^lg(?=\d)", "lag ", shown)


_NO_VOICE_VLAN = ("no voice-vlan",)


# --- lines ----------------------------------------------------------------------------------------


def _range_line(spans: Sequence[portnames.Span]) -> str:
    """Several ports are entered by the same command as one."""
    return f"interface {_port_list(spans)}"


def _port_list(spans: Sequence[portnames.Span]) -> str:
    """Write ``ethernet 1/1/1 to 1/1/4 ethernet 1/1/7``."""
    parts: list[str] = []
    for span in spans:
        parts.append(span.names[0])
        if len(span.names) > 1:
            parts.append(f"to {span.names[-1].rpartition(' ')[2]}")
    return " ".join(parts)


def _memberships(config: PortConfig, options: Options) -> frozenset[Membership]:
    """In dual mode a port is also tagged on its untagged VLAN."""
    places = listed_under(config, options)
    if not _dual(config, options):
        return places
    home = default_membership(options)
    return frozenset(Membership(place.vlan, True) for place in places if place != home)


def _must_leave_default(options: Options) -> bool:
    """True since 08.0.80."""
    return not options.get("dual_mode")


def _before_leaving(current: PortConfig, options: Options) -> list[str]:
    """Turn dual mode off: FastIron wants this before a port leaves the VLAN of dual mode."""
    return [f"no {line}" for line in _dual_mode(current, options)]


def _after_joining(config: PortConfig, options: Options) -> list[str]:
    """Turn dual mode on, once the port has joined its VLAN.

    For a tagged-only port, turn dual mode on and off again. A release without this mode, in which
    the port would still be on the default VLAN, refuses that, and the port stays shut.
    """
    if options.get("dual_mode") and config.tagged and config.untagged is None:
        return ["dual-mode", "no dual-mode"]
    return _dual_mode(config, options)


def _dual_mode(config: PortConfig, options: Options) -> list[str]:
    if not _dual(config, options):
        return []
    default = config.untagged == default_membership(options).vlan
    return ["dual-mode" if default else f"dual-mode {config.untagged}"]


def _dual(config: PortConfig, options: Options) -> bool:
    """Return whether a port is in dual mode."""
    return bool(options.get("dual_mode")) and config.untagged is not None and bool(config.tagged)


def _vlan_lines(vlan: int, present: bool, options: Options) -> list[str]:
    """Create and name a VLAN, or remove it; created first, so that removing it can't fail."""
    if present:
        return [f"vlan {vlan} name haas-{vlan} by port", "exit"]
    return [f"vlan {vlan}", "exit", f"no vlan {vlan}"]


# --- reading back ---------------------------------------------------------------------------------


def _read_ports(ports: Sequence[str], options: Options) -> list[str]:
    """Show the configuration, which omits ports with default settings, and all ports."""
    return ["show running-config", "show interfaces brief"]


def _parse_ports(answers: Sequence[str], options: Options) -> dict[str, PortState]:
    """Combine the sections of VLANs and ports, for all ports.

    ntc-templates is no help here: its template for VLANs keeps only the last of several ``tagged``
    lines, and those for interfaces fail at a log message in the output.
    """
    dual = bool(options.get("dual_mode"))
    read = FastIronConfig(_canonical, harmless_lines(HARMLESS, options), dual)
    return read.read(answers[0], "\n".join(answers[1:]))


def _read_vlans(options: Options) -> list[str]:
    """Show the VLANs in the configuration."""
    return ["show running-config vlan"]


def _parse_vlans(answers: Sequence[str]) -> frozenset[int]:
    """Read the first line of each section."""
    found = re.finditer(r"^vlan (\d{1,4})\b", "\n".join(rows(answers)), re.M)
    return frozenset(int(match[1]) for match in found)


DIALECT = Dialect(
    name="brocade_fastiron",
    title="Brocade and Ruckus FastIron (ICX)",
    options=frozenset({"dual_mode", "default_vlan"}),
    canonical_port=_canonical,
    example_ports=("ethernet 1/1/1", "ethernet 1/1/2"),
    port_names=portnames.of_types(("ethernet", "lag"), r" \d+(?:/\d+)*"),
    trunks_need_vlans=True,
    dialogue=Dialogue(
        host=r"(?:(?:telnet|SSH)@)?[^\s#>()\[\]]+(?: [^\s#>()\[\]]+){0,3}",
        prompt=r"HOST(?:\([^()\r\n]*\))*[>#] ?",
        host_chars=255,
        login_failed=on_own_line(
            r"error ?[-:] ?incorrect|user login fail|login incorrect|invalid login|login failed|"
            r"access denied|authentication fail|user authentication fail"
        ),
        enable="enable",
        enable_failed=re.compile(
            r"(?:error ?[-:] ?incorrect|authentication fail|not authorized|access denied)"
            r"[^\r\n]*(?=[\r\n])",
            re.I,
        ),
        setup=("skip-page-display",),
        logout=("exit", "exit"),  # the first one returns to the user level
        pager=at_end(r"[\x08 ]*-+ ?more[^\r\n]{0,80}"),
        errors=(
            r"(?:invalid|incomplete|ambiguous|unrecognized) (?:input|command)",
            r"error\b",
            r"please (?:disable|use a different|remove|configure|first)\b",
            r"not authorized",
            r"can(?:not|'t)\b",
            r"port\(?s?\)? .*(?:are|is) not (?:a )?(?:member|tagged|untagged)",
            r"(?:vlan|port|interface)\b.* "
            r"(?:does not exist|is (?:currently )?reserved|is not valid)",
            r"dual[- ]mode .*(?:not|must|already)",
            r"failed\b",
            r"ip/port: errno",
            r"maximum number of vlans?\b",
        ),
        optional_lines=_NO_VOICE_VLAN,
        unknown_command=re.compile(""),  # any error will do
        benign=(r"(?:error\b.*)?port\(?s?\)? .*already (?:a )?member",),
        enter_config=("configure terminal",),
        leave_config=("end",),
        save=("write memory",),
        saved=re.compile(r"startup-config done|^Copy Done", re.M | re.I),
    ),
    writer=Writer(
        ports=ByVlan(
            canonical=_canonical,
            contexts=PortContexts(max_ranges=4, range_line=_range_line, leave="exit"),
            shut_line="disable",
            open_line="enable",
            port_list=_port_list,
            max_spans=6,
            memberships=_memberships,
            no_voice_vlan=_NO_VOICE_VLAN,
            leave_all_first=True,
            must_leave_default=_must_leave_default,
            before_leaving=_before_leaving,
            after_joining=_after_joining,
        ),
        vlans=VlanByVlan(_vlan_lines),
        needs_current="always",
    ),
    reader=Reader(
        read_ports=_read_ports,
        parse_ports=_parse_ports,
        read_vlans=_read_vlans,
        parse_vlans=_parse_vlans,
        witness=membership.Witness(line="show vlan", read=membership.fastiron),
    ),
    cabling=CablingReader(
        neighbours=Table(
            lines=("show lldp neighbors detail",),
            read=lldpblocks.fastiron,
        ),
        learnt=Table(
            lines=("show mac-address",),
            read=mactables.fastiron,
        ),
        written_out=_written_out,
    ),
    about=About(
        show_version=("show version",),
        model=re.compile(r"^ *HW: *(?:Stackable |Chassis )?(\S+)", re.M),
        version=re.compile(r"SW: Version (\S+)"),
        serial=re.compile(r"^[ \t]*Serial +#: *(\S+)", re.M),
        show_uptime="show version",
    ),
)
