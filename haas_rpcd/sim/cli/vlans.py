"""Lists of VLANs as most vendors read and write them: ``1,10-12,200``."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator

MIN_VLAN = 1
MAX_VLAN = 4094

ALL_VLANS: frozenset[int] = frozenset(range(MIN_VLAN, MAX_VLAN + 1))
"""All VLAN ids of 802.1Q, which a new trunk carries."""


def parse_list(text: str, comma: str = ",", to: str = "-") -> frozenset[int]:
    """Read ``5,10-12`` or, with other separators, ``5 10 to 12``. Raises ValueError.

    The separators are literal texts, around which blanks are ignored. A blank stands for any number
    of blanks.
    """
    vlans: set[int] = set()
    between = r"\s+" if not comma.strip() else rf"\s*{re.escape(comma.strip())}\s*"
    upto = rf"\s+{to.strip()}\s+" if to.strip().isalpha() else rf"\s*{re.escape(to.strip())}\s*"
    joined = re.sub(upto, "-", text.strip(), flags=re.IGNORECASE)
    for piece in re.split(between, joined):
        match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", piece)
        if match is None:
            raise ValueError(f"no list of VLANs: {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if not MIN_VLAN <= first <= last <= MAX_VLAN:
            raise ValueError(f"out of range: {piece}")
        vlans.update(range(first, last + 1))
    return frozenset(vlans)


def format_list(
    vlans: Iterable[int],
    empty: str = "none",
    *,
    comma: str = ",",
    to: str = "-",
    pairs: bool = True,
) -> str:
    """Write a list with ranges. With ``pairs``, two neighbours are no range: ``10,11,20-22``."""
    return _joined(frozenset(vlans), comma, to, 2 if pairs else 1) or empty


@functools.lru_cache(1024)  # many ports of many switches carry the same VLANs
def _joined(vlans: frozenset[int], comma: str, to: str, apart: int) -> str:
    return comma.join(_pieces(vlans, to, apart))


def _pieces(vlans: frozenset[int], to: str, apart: int) -> Iterator[str]:
    run: list[int] = []
    for vlan in [*sorted(vlans), None]:
        if run and vlan != run[-1] + 1:
            if len(run) > apart:
                yield f"{run[0]}{to}{run[-1]}"
            else:
                yield from map(str, run)
            run = []
        if vlan is not None:
            run.append(vlan)


def wrap_list(text: str, width: int) -> list[str]:
    """Break a list at its commas into lines of at most ``width`` characters."""
    lines = [""]
    for piece in text.split(","):
        joined = f"{lines[-1]},{piece}" if lines[-1] else piece
        if len(joined) > width and lines[-1]:
            lines.append(piece)
        else:
            lines[-1] = joined
    return lines
