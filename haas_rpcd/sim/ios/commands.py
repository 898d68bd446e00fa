"""The command trees of every mode, made of the tables in the modules beside this one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from haas_rpcd.sim.ios import configure, execute, interface
from haas_rpcd.sim.ios.grammar import (
    AmbiguousError,
    Args,
    Argument,
    IncompleteError,
    InvalidError,
    Line,
    Number,
    PortName,
    PortRange,
    RefusedError,
    Rest,
    Text,
    Tree,
)
from haas_rpcd.sim.ios.modes import SUBMODES, Mode
from haas_rpcd.sim.ios.portname import NO_PORTS

if TYPE_CHECKING:
    from haas_rpcd.sim.ios.session import Session

Handler = Callable[["Session", Args], Iterable[str] | None]

ARGUMENTS: dict[str, Argument] = {
    "vlan": Number(1, 4094),
    "columns": Number(0, 512),
    "vlans": Text(),
    "word": Text(),
    "vlan-name": Text(longest=32),
    "line": Rest(),
    "port": PortName(),
    "range": PortRange(),
}


@cache
def trees(encapsulation: bool) -> dict[Mode, Tree[Handler]]:
    """One tree a mode; shared by all switches that do, or do not, know trunk encapsulations."""
    user = _tree(execute.ANY_LEVEL, execute.RESERVED_USER)
    privileged = _tree(
        [*execute.ANY_LEVEL, *execute.PRIVILEGED],
        {"": f"{execute.RESERVED_USER['']} {execute.RESERVED_PRIVILEGED}"}
        | {key: words for key, words in execute.RESERVED_USER.items() if key},
    )
    ports = list(interface.COMMANDS)
    if encapsulation:
        ports += interface.ENCAPSULATION
    one_port = _tree([*configure.LEAVING, *ports], interface.RESERVED)
    return {
        Mode.USER: user,
        Mode.PRIVILEGED: privileged,
        Mode.CONFIG: _tree([*configure.LEAVING, *configure.GLOBAL], configure.RESERVED),
        Mode.INTERFACE: one_port,
        Mode.RANGE: one_port,
        Mode.VLAN: _tree([*configure.LEAVING, *configure.VLAN], configure.RESERVED_VLAN),
    }


def _tree(commands: Iterable[tuple[str, Handler]], reserved: dict[str, str]) -> Tree[Handler]:
    tree: Tree[Handler] = Tree(ARGUMENTS)
    for pattern, handler in commands:
        tree.add(pattern, handler)
    for prefix, words in reserved.items():
        tree.reserve(prefix, words)
    return tree


def run(session: Session, text: str, prompt: str) -> list[str]:
    """Carry out one command line; return what is printed, refusals included."""
    executes = not session.mode.configures or text.split(None, 1)[:1] == ["do"]
    # Only what prints can be filtered: in a description a bar is just a character.
    command, pipe, output_filter = text.partition("|") if executes else (text, "", "")
    line = Line(command)
    if not line.words or line.words[0].text.startswith("!"):  # a comment
        return []
    try:
        handler, args, leaves = _find(session, line)
        if pipe:
            keep = _filter(Line(output_filter), offset=len(command) + 1)
        printed = session.leave_submode() if leaves else []
        output = list(handler(session, args) or ())
        return printed + (list(keep(output)) if pipe else output)
    except AmbiguousError:
        return [f'% Ambiguous command:  "{text.strip()}"']
    except IncompleteError:
        return ["% Incomplete command.", ""]
    except BadPatternError:
        return ["% Failed to compile regular expression.", ""]
    except InvalidError as error:
        if session.mode in (Mode.USER, Mode.PRIVILEGED) and _may_be_host(line, error):
            # "no ip domain-lookup" is set: IOS asks no name server, and says so at once.
            return [
                f'Translating "{line.words[0].text}"',
                "% Unknown command or computer name, or unable to find computer address",
                "",
            ]
        caret = " " * (len(prompt) + error.at) + "^"
        return [caret, "% Invalid input detected at '^' marker.", ""]


def _may_be_host(line: Line, error: InvalidError) -> bool:
    """An unknown word at an exec prompt is taken for a host to connect to, maybe with a port."""
    rest = [word.text for word in line.words[1:]]
    return error.word == 0 and (not rest or (len(rest) == 1 and rest[0].isdigit()))


def _find(session: Session, line: Line) -> tuple[Handler, Args, bool]:
    """Find a line's handler, and whether it takes a sub-mode back to global configuration.

    In a sub-mode its own commands come first; what is none of them is tried as a global one.
    """
    switch = session.switch
    forest = trees(switch.chassis.encapsulation)
    if session.mode.configures and line.words[0].text.lower() == "do":
        handler, args = forest[Mode.PRIVILEGED].match(line, switch.names, start=1)
        return handler, args, False
    try:
        handler, args = forest[session.mode].match(line, switch.names)
        return handler, args, False
    except InvalidError as own:
        if session.mode not in SUBMODES:
            raise
        try:
            handler, args = forest[Mode.CONFIG].match(line, switch.names)
        except InvalidError as other:
            raise max(own, other, key=lambda error: error.at) from None
        return handler, args, True


def help_lines(session: Session, text: str) -> list[str]:
    """What ``?`` prints after ``text``: the words that may come next."""
    line = Line(text)
    forest = trees(session.switch.chassis.encapsulation)
    mode, start = session.mode, 0
    if mode.configures and line.words and line.words[0].text.lower() == "do":
        mode, start = Mode.PRIVILEGED, 1
    choices = forest[mode].choices(line, session.switch.names, start)
    return [f"  {choice}" for choice in choices] or ["% Unrecognized command"]


# --- "show ... | include ..."


_Filter = Callable[[list[str]], Iterable[str]]


class BadPatternError(RefusedError):
    """The regular expression of a filter is none."""


def _filter(line: Line, offset: int) -> _Filter:
    """Read what stands behind the ``|``: one keyword and a regular expression."""
    tree: Tree[_Made] = Tree(ARGUMENTS)
    for name, made in _FILTERS.items():
        tree.add(f"{name} <line>", made)
    if not line.words:
        raise IncompleteError
    try:
        made, args = tree.match(line, NO_PORTS)
    except InvalidError as error:
        raise InvalidError(error.at + offset, error.word + 1) from None
    try:
        return made(re.compile(args.text("line")))
    except re.error:
        raise BadPatternError from None


def _include(pattern: re.Pattern[str]) -> _Filter:
    return lambda lines: [line for line in lines if pattern.search(line)]


def _exclude(pattern: re.Pattern[str]) -> _Filter:
    return lambda lines: [line for line in lines if not pattern.search(line)]


def _begin(pattern: re.Pattern[str]) -> _Filter:
    def begin(lines: list[str]) -> Iterator[str]:
        begun = False
        for line in lines:
            begun = begun or pattern.search(line) is not None
            if begun:
                yield line

    return begin


def _section(pattern: re.Pattern[str]) -> _Filter:
    def section(lines: list[str]) -> Iterator[str]:
        inside = False
        for line in lines:
            inside = pattern.search(line) is not None or (inside and line.startswith(" "))
            if inside:
                yield line

    return section


_Made = Callable[[re.Pattern[str]], _Filter]
_FILTERS: dict[str, _Made] = {
    "include": _include,
    "exclude": _exclude,
    "begin": _begin,
    "section": _section,
}
