"""Reads the filters of many interfaces by two processes, whatever their number.

``tc -batch`` runs many commands, but does not say what is printed by which. So before each list of
filters comes that of the interface's qdiscs, which ends with the one that holds the filters.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Awaitable, Callable, Container, Sequence
from typing import Literal

from haas_rpcd.drivers.hostnet.filters import Filter
from haas_rpcd.drivers.remote import ipjson
from haas_rpcd.drivers.remote.shell import Ran

Run = Callable[[str, str | None], Awaitable[Ran]]
"""Runs lines of shell, the last one with this input. Raises DeviceError."""

_HOOKS: tuple[Literal["ingress", "egress"], ...] = ("ingress", "egress")

_PLAIN = re.compile(r"[A-Za-z0-9._:@-]+")
"""Names in which nothing is special to ``tc -batch``."""

_HOLDER = re.compile(r"qdisc (?:clsact|ingress) \S+ (?:dev (\S+) )?")
"""The qdisc that holds filters, in a list of all interfaces or of one."""


async def read_filters(
    names: Sequence[str], holders: Container[str], run: Run
) -> dict[str, list[Filter]]:
    """Return the filters of interfaces, by name, in the order in which they are tried.

    ``holders``: the interfaces that can have some (:func:`holding`). One that is gone has none.
    Raises DeviceError.
    """
    found: dict[str, list[Filter]] = {name: [] for name in names}
    wanted = [name for name in names if name in holders]
    together = [name for name in wanted if _PLAIN.fullmatch(name)]
    if together:
        printed = await run("tc -force -batch -", "\n".join(batch(together)))
        parts = split(printed.output)
        if len(parts) == len(_HOOKS) * len(together):
            found |= {
                name: _filters(*parts[2 * at : 2 * at + 2]) for at, name in enumerate(together)
            }
            wanted = [name for name in wanted if name not in together]
    for name in wanted:  # it has a strange name, or one of them has just changed
        quoted = shlex.quote(name)
        shown = [await run(f"tc filter show dev {quoted} {hook}", None) for hook in _HOOKS]
        found[name] = _filters(*(ran.output for ran in shown))
    return found


def holding(text: str) -> set[str]:
    """Return the interfaces that can have filters, given ``tc qdisc show``."""
    return {one[1] for one in map(_HOLDER.match, text.splitlines()) if one and one[1]}


def batch(names: Sequence[str]) -> list[str]:
    """Return the lines for ``tc -batch``."""
    return [
        line
        for name in names
        for hook in _HOOKS
        for line in (f"qdisc show dev {name}", f"filter show dev {name} {hook}")
    ]


def split(text: str) -> list[str]:
    """Split what :func:`batch` prints into the lists of filters."""
    parts: list[list[str]] = []
    in_list = False
    for line in text.splitlines():
        if _HOLDER.match(line):
            parts.append([])
            in_list = True
        elif line.startswith("qdisc "):  # of another kind, whose description may have more lines
            in_list = False
        elif in_list:
            parts[-1].append(line)
    return ["\n".join(part) for part in parts]


def _filters(ingress: str, egress: str) -> list[Filter]:
    both = [*ipjson.filters("ingress", ingress), *ipjson.filters("egress", egress)]
    return sorted(both, key=lambda one: (one.hook != "ingress", one.prio))
