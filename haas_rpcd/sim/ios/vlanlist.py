"""VLAN lists as IOS reads and writes them: ``1,10-12,200``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import fill

MIN_VLAN = 1
MAX_VLAN = 4094

ALL_VLANS: frozenset[int] = frozenset(range(MIN_VLAN, MAX_VLAN + 1))
"""What a fresh trunk admits: every id of 802.1Q."""

LEGACY_VLANS: frozenset[int] = frozenset(range(1002, 1006))
"""FDDI and token ring VLANs: they always exist on a Catalyst and never carry Ethernet."""

DEFAULT_VLANS: frozenset[int] = LEGACY_VLANS | {1}
"""VLANs that can be neither made nor deleted nor renamed."""


class BadVlanListError(ValueError):
    """A list that IOS rejects; ``str()`` is IOS's own text, line breaks included."""


def parse(text: str) -> frozenset[int]:
    """Read a list such as ``5,10-12``.

    Raises `BadVlanListError` as IOS 15 does: it counts characters from 1 and names the
    delimiter (``EOL`` at the end of the list) at which it noticed the error.
    """
    vlans: set[int] = set()
    first: int | None = None  # the left end, while a range is being read
    number = ""
    for position, char in enumerate(f"{text}\0", start=1):
        if char.isdigit() and char.isascii():
            number += char
            continue
        delimiter = "EOL" if char == "\0" else f"'{char}'"
        if char not in ",-\0" or not number or (char == "-" and first is not None):
            if char == "\0":
                raise _rejected(f"character #{position} (EOL) does not follow a VLAN number.")
            raise _rejected(f"character #{position} is a non-numeric character ({delimiter}).")
        vlan = int(number)
        number = ""
        if not MIN_VLAN <= vlan <= MAX_VLAN:
            raise _rejected(
                f"character #{position} ({delimiter}) delimits a VLAN number "
                f"which is out of the range {MIN_VLAN}..{MAX_VLAN}."
            )
        if char == "-":
            first = vlan
        elif first is None:
            vlans.add(vlan)
        else:
            if vlan <= first:
                raise _rejected(
                    f"character #{position} ({delimiter}) delimits ending Vlan id ({vlan}) of "
                    f"vlan-range, which is not larger than the starting Vlan id({first})."
                )
            vlans.update(range(first, vlan + 1))
            first = None
    return frozenset(vlans)


def _rejected(reason: str) -> BadVlanListError:
    # IOS breaks this text at a terminal's width whatever the session's own width is.
    return BadVlanListError(fill(f"Command rejected: Bad VLAN list - {reason}", 72))


def format_list(vlans: Iterable[int], empty: str = "none") -> str:
    """Write a list as IOS does: two neighbours stay apart (``10,11``), three become a range."""
    return ",".join(_pieces(vlans)) or empty


def _pieces(vlans: Iterable[int]) -> Iterator[str]:
    run: list[int] = []
    for vlan in [*sorted(vlans), None]:
        if run and vlan != run[-1] + 1:
            if len(run) > 2:
                yield f"{run[0]}-{run[-1]}"
            else:
                yield from map(str, run)
            run = []
        if vlan is not None:
            run.append(vlan)


def wrap_list(text: str, width: int) -> list[str]:
    """Break a written list at its commas into lines of at most ``width`` characters each."""
    lines = [""]
    for piece in text.split(","):
        joined = f"{lines[-1]},{piece}" if lines[-1] else piece
        if len(joined) > width and lines[-1]:
            lines.append(piece)
        else:
            lines[-1] = joined
    return lines
