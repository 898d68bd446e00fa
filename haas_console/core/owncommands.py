"""Commands of the user's own: lines of a script, with blanks for what is under the cursor. Pure.

They are ``[commands.NAME]`` in console.toml. They run commands of the console only, and no program
of the system: whoever is let in by an SSH key that allows the console alone may have them too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from haas_console.core.api import near_miss
from haas_console.core.errors import ConsoleError
from haas_console.core.inventory import Inventory
from haas_console.core.lexer import quote_word
from haas_console.core.objects import KINDS, Ref

_BLANK = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class OwnCommand(msgspec.Struct, frozen=True):
    """``lines`` of a script, and ``about`` them, for the palette and the help page.

    ``key`` runs it on every screen that has no other use for that key. Unless ``ask`` is false, it
    asks before it runs.
    """

    lines: list[str]
    about: str = ""
    key: str | None = None
    ask: bool = True


def read(value: Any) -> dict[str, OwnCommand]:
    """Read the tables of all commands. Raises ValueError with a sentence."""
    if not isinstance(value, dict):
        raise ValueError("wants tables such as [commands.drain]")
    found: dict[str, OwnCommand] = {}
    for name, table in value.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f'{name}: a name is one word of a-z, 0-9 and "-"')
        fields = OwnCommand.__struct_fields__
        for key in table if isinstance(table, dict) else ():
            if key not in fields:
                known = ", ".join(fields)
                raise ValueError(
                    f'{name}: unknown key "{key}"{near_miss(key, fields)}; there are: {known}'
                )
        try:
            command = found[name] = msgspec.convert(table, OwnCommand)
        except msgspec.ValidationError as error:
            raise ValueError(f"{name}: {error}") from None
        if not command.lines:
            raise ValueError(f"{name}: lines is empty")
        for line in command.lines:
            for blank in _BLANK.findall(line):
                if blank not in KINDS:
                    known = ", ".join(f"{{{kind}}}" for kind in KINDS)
                    raise ValueError(f'{name}: there is no blank "{{{blank}}}"; there are: {known}')
    return found


def things(inventory: Inventory, ref: Ref | None, project: str | None) -> dict[str, str]:
    """Return the values for the blanks: the object of a reference, and what it belongs to.

    A network or headnode is written as ``project`` would; its project is the one meant then.
    """
    found = {} if project is None else {"project": project}
    if ref is None:
        return found
    found[ref.kind] = ref.name
    match ref.kind:
        case "nic":
            found |= _of_nic(inventory, *ref.pair)
        case "port":
            switch, port = ref.pair
            found |= {"switch": switch, "port": _words(switch, port)}
            if (behind := inventory.behind(switch, port)) is not None:
                node, nic = behind
                found |= {"node": node.node, "nic": f"{node.node}:{nic.nic}"}
        case "network" | "headnode":
            owner, name = ref.pair
            found[ref.kind] = name if owner == project else ref.name
            found.setdefault("project", owner)
        case _:
            pass
    return found


def filled(name: str, command: OwnCommand, known: Mapping[str, str]) -> list[str]:
    """Return the lines with their blanks filled. Raises ConsoleError if one has no value."""
    lines = []
    for line in command.lines:
        for blank in _BLANK.findall(line):
            if blank not in known:
                where = "choose one with p" if blank == "project" else "put the cursor on one"
                raise ConsoleError(f"{name} wants a {blank}: {where}.")
        lines.append(_BLANK.sub(lambda found: known[found[1]], line))
    return lines


def _of_nic(inventory: Inventory, node: str, nic: str) -> dict[str, str]:
    found = {"node": node}
    known = inventory.nic(node, nic)
    if known is not None and len(known.legs) == 1:
        place = known.legs[0]
        found |= {"switch": place.switch, "port": _words(place.switch, place.port)}
    return found


def _words(switch: str, port: str) -> str:
    return f"{switch} {quote_word(port)}"
