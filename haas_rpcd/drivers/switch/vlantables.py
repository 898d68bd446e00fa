"""Reads the tables of VLANs that switches show.

A VLAN that is overlooked would look as if it were gone, and its id would be given to another
network. So a line that begins like a row, but has not the form of one, is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

_PAGE_BREAK = re.compile(r"[ \t\x08]*<?-+ ?\(?more\)? ?-*>?[ \t\x08]*(?=\S)", re.I)
"""What is left of a page break before a line, if the session did not recognize it."""

_LIKE_A_ROW = re.compile(r"[ \t*@A-Z]{0,8}\d{1,4}[ \t]")

STATUS = re.compile(
    r"[ \t]{0,3}(\d{1,4})(?:[ \t]+\S.*?[ \t](?:active|suspended|act/\w+|sus/\w+)(?=[ \t]|$)|"
    r"[ \t]{2,}\S.*[ \t]{2,}\S|[ \t]+\S+[ \t]*$)",
    re.I,
)
"""A row with a status behind the name: ``10   lab   active    Gi1/0/1``; with other columns that
have two blanks between them; or with a name so long that the rest is on the next line (NX-OS)."""

COLUMNS = re.compile(r"[ \t]{0,4}(\d{1,4})[ \t]{2,}(?:\S+[ \t]*$|\S.*[ \t]{2,}\S)")
"""A row whose columns have two blanks between them. Of a VLAN without name and ports only its type
is shown."""

ACTIVE = re.compile(r"[ *@A-Z]{0,4}[ \t]*(\d{1,4})[ \t]+(?:In)?active\b", re.I)
"""A row of Dell's OS9 and OS10: codes of the VLAN (``*``, ``G``, ``@``), its number, its status."""

_NEXT_TABLE = re.compile(r"VLAN[ \t]+Type\b", re.I)


def rows(answers: Sequence[str]) -> Iterator[str]:
    """Yield the lines of some answers, without what is left of page breaks."""
    for answer in answers:
        for line in answer.replace("\r", "").split("\n"):
            yield _PAGE_BREAK.sub("", line, count=1) if "ore" in line[:40].lower() else line


def vlans_in_table(row: re.Pattern[str]) -> Callable[[Sequence[str]], frozenset[int]]:
    """Return a reader of tables whose rows match ``row``, with the VLAN in the first group.

    It raises ValueError if a line begins like a row but has another form.
    """

    def read(answers: Sequence[str]) -> frozenset[int]:
        found: set[int] = set()
        for line in rows(answers):
            if _NEXT_TABLE.match(line):  # ``show vlan`` of some models shows more of each VLAN
                break
            if match := row.match(line):
                found.add(int(match[1]))
            elif _LIKE_A_ROW.match(line):
                raise ValueError(f"not a row of the table: {line.strip()}")
        return frozenset(vlan for vlan in found if 1 <= vlan <= 4094)

    return read
