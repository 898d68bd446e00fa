"""The statements that ``set`` and ``delete`` change in a candidate."""

from __future__ import annotations

import re

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines
from haas_rpcd.sim.cli.portname import PortNames
from haas_rpcd.sim.junos.session import Session
from haas_rpcd.sim.junos.state import Config, Port, Vlan

Switch = CliSwitch[Config]

NOT_FOUND = ["warning: statement not found"]


class Members:
    """The words after ``vlan members``: one VLAN, or several in brackets."""

    help = "VLAN name, id or range"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read all words up to the end of the line into a tuple."""
        words = line.words[index:]
        texts = [word.text for word in words]
        if texts[0] == "[":
            if texts[-1] != "]" or len(texts) == 2:
                raise cli.IncompleteError
            words, texts = words[1:-1], texts[1:-1]
        elif len(texts) > 1:
            raise cli.InvalidError(words[1].at, index + 1)
        for word in words:
            if word.text[0].isdecimal():
                try:
                    cli.parse_list(word.text)
                except ValueError:
                    raise cli.InvalidError(word.at, index) from None
        return tuple(texts), len(line.words)


_NAME = r"(?:(?:fe|ge|mge|xe|et)-\d{1,2}/\d/\d{1,3}|ae\d{1,3})"

ARGUMENTS: dict[str, cli.Argument] = {
    "ifd": cli.Pattern(_NAME, "<interface_name>"),
    "unit": cli.Pattern(rf"{_NAME}\.\d+", "<unit>"),
    "ae": cli.Pattern(r"ae\d{1,3}", "<aggregate>"),
    "members": Members(),
}


def _found(found: object) -> Lines:
    """Return what ``delete`` prints."""
    return [] if found else NOT_FOUND


# --- interfaces


def _port(session: Session, args: Args) -> Port:
    """Return the port of a statement; ``set`` creates it."""
    ports = session.edited.ports
    name = args.text("ifd").lower()
    return ports.setdefault(name, Port()) if args.word("verb") == "set" else ports.get(name, Port())


def _attribute(attribute: str, wanted: object, default: object) -> cli.Handler:
    """Make the handler of a statement that sets one attribute of a port.

    ``wanted``: the value, or the name of the argument that holds it. ``delete`` sets ``default``.
    """

    def run(switch: Switch, session: Session, args: Args) -> Lines:
        port = _port(session, args)
        if args.word("verb") == "delete":
            before = getattr(port, attribute)
            setattr(port, attribute, default)
            return _found(before != default)
        setattr(port, attribute, args.values[wanted] if isinstance(wanted, str) else wanted)
        if attribute == "mode":
            port.switching = True
        return []

    return run


def _members(switch: Switch, session: Session, args: Args) -> Lines:
    port = _port(session, args)
    members: tuple[str, ...] = args.values.get("members", port.members)  # type: ignore[assignment]
    if args.word("verb") == "delete":
        kept = tuple(member for member in port.members if member not in members)
        found, port.members = kept != port.members, kept
        return _found(found)
    port.switching = True
    port.members += tuple(member for member in members if member not in port.members)
    return []


def _delete_family(switch: Switch, session: Session, args: Args) -> Lines:
    port = _port(session, args)
    found = port.switching or port.inet
    port.switching, port.mode, port.members = False, "", ()
    if "ethernet-switching" not in args:
        port.inet = False
    return _found(found)


def _delete_unit(switch: Switch, session: Session, args: Args) -> Lines:
    port = _port(session, args)
    found = port.switching or port.inet or port.unit_disabled
    port.switching, port.mode, port.members = False, "", ()
    port.inet, port.unit_disabled = False, False
    return _found(found)


def _delete_port(switch: Switch, session: Session, args: Args) -> Lines:
    return _found(session.edited.ports.pop(args.text("ifd").lower(), None))


# --- vlans


def _aggregate(switch: Switch, session: Session, args: Args) -> Lines:
    port = _port(session, args)
    if args.word("verb") == "set":
        port.channel = (int(args.text("ae").removeprefix("ae")), "")
        return []
    found, port.channel = port.channel is not None, None
    return _found(found)


def _vlan_id(switch: Switch, session: Session, args: Args) -> Lines:
    session.edited.vlans.setdefault(args.text("word"), Vlan()).number = args.number("vlan")
    return []


def _delete_vlan(switch: Switch, session: Session, args: Args) -> Lines:
    return _found(session.edited.vlans.pop(args.text("word"), None))


def _vlan_interface(switch: Switch, session: Session, args: Args) -> Lines:
    vlans, name = session.edited.vlans, args.text("word")
    if args.word("verb") == "set":
        vlans.setdefault(name, Vlan()).interfaces |= {args.text("unit")}
        return []
    vlan = vlans.get(name, Vlan())
    deleted = {args.text("unit")} if "unit" in args else vlan.interfaces
    found = vlan.interfaces & deleted
    vlan.interfaces -= deleted
    return _found(found)


# --- others


def _voice(switch: Switch, session: Session, args: Args) -> Lines:
    ports, name = session.edited.ports, args.text("unit").partition(".")[0]
    if args.word("verb") == "set":
        ports.setdefault(name, Port()).voice = args.text("word")
        return []
    port = ports.get(name, Port())
    found, port.voice = port.voice is not None, None
    return _found(found)


def _host_name(switch: Switch, session: Session, args: Args) -> Lines:
    session.edited.hostname = args.text("word")
    return []


def _wildcard_range(switch: Switch, session: Session, args: Args) -> Lines:
    """Carry out a statement once for each number in its brackets."""
    typed = f"{args.word('verb')} {args.text('line')}"
    head, bracket, rest = typed.partition("[")
    listed, closing, tail = rest.partition("]")
    numbers: list[int] = []
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", listed):
        numbers += range(int(first), int(last or first) + 1)
    if not (bracket and closing and numbers) or head.endswith(" "):
        raise cli.RejectedError("error: missing range in the statement")
    printed: list[str] = []
    for number in numbers:
        printed += switch.execute(session, f"{head}{number}{tail}")
    return printed


_BOTH = "verb:set|delete"
_PORT = "interfaces <ifd>"
_UNIT = f"{_PORT} unit 0"
_FAMILY = f"{_UNIT} family ethernet-switching"

COMMANDS: Commands = [
    (f"{_BOTH} {_PORT} disable", _attribute("disabled", True, False)),
    (f"verb:set {_PORT} description <line>", _attribute("description", "line", "")),
    (f"verb:delete {_PORT} description", _attribute("description", "line", "")),
    (f"verb:set {_PORT} native-vlan-id <vlan>", _attribute("native", "vlan", None)),
    (f"verb:delete {_PORT} native-vlan-id", _attribute("native", "vlan", None)),
    (f"verb:set {_PORT} ether-options 802.3ad <ae>", _aggregate),
    (f"verb:delete {_PORT} ether-options [802.3ad]", _aggregate),
    (f"verb:set {_PORT} aggregated-ether-options lacp active", _attribute("lacp", True, False)),
    (f"verb:delete {_PORT} aggregated-ether-options [lacp]", _attribute("lacp", True, False)),
    (f"verb:delete {_UNIT}", _delete_unit),
    (f"{_BOTH} {_UNIT} disable", _attribute("unit_disabled", True, False)),
    (f"{_BOTH} {_UNIT} family inet", _attribute("inet", True, False)),
    (f"verb:set {_FAMILY}", _attribute("switching", True, False)),
    (f"verb:set {_FAMILY} interface-mode mode:access|trunk", _attribute("mode", "mode", "")),
    (f"verb:delete {_FAMILY} interface-mode", _attribute("mode", "mode", "")),
    (f"{_BOTH} {_FAMILY} vlan members <members>", _members),
    (f"verb:delete {_FAMILY} vlan [members]", _members),
    (f"verb:delete {_UNIT} family ethernet-switching:ethernet-switching", _delete_family),
    (f"verb:delete {_UNIT} family", _delete_family),
    (f"verb:delete {_PORT}", _delete_port),
    ("verb:set vlans <word> vlan-id <vlan>", _vlan_id),
    ("verb:delete vlans <word>", _delete_vlan),
    (f"{_BOTH} vlans <word> interface <unit>", _vlan_interface),
    ("verb:delete vlans <word> interface", _vlan_interface),
    ("verb:set switch-options voip interface <unit> vlan <word>", _voice),
    ("verb:delete switch-options voip interface <unit>", _voice),
    ("set system host-name <word>", _host_name),
    (f"wildcard range {_BOTH} <line>", _wildcard_range),
]
