"""How many ports of real configurations are understood, and which lines are most often not.

``python -m tests.bench.understood DIALECT DIRECTORY…`` reads every file below the directories as a
running configuration of that family.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from haas_rpcd.drivers.switch.answers import without_logs
from haas_rpcd.drivers.switch.dialects import DIALECTS

MOST_LINES = 40
PARTS = {
    "juniper_junos": (
        r"(?:set|deactivate) interfaces ",
        r"(?:set|deactivate) vlans ",
        r"\Z",
        r"(?:set|deactivate) (?!interfaces |vlans ).*"
        r"(?:switch-options|switching-options|dot1x|analyzer|port-mirror)",
    )
}
"""Families that show the configuration in parts: the beginnings of the lines of each part."""

SECTIONS_ONLY = {"cisco_nxos": 2}
"""Families whose first answers are the ``interface`` sections, not the whole configuration."""

NO_TABLE = {"dell_os6", "dell_powerconnect"}
"""Families that also show a table of ports, which may be empty."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.understood", description=__doc__)
    parser.add_argument("dialect", choices=sorted(DIALECTS))
    parser.add_argument("directories", nargs="+", type=Path)
    chosen = parser.parse_args(arguments)
    files = whole = ports = understood = 0
    lines: Counter[str] = Counter()
    for text in _texts(chosen.directories):
        found = _not_understood(chosen.dialect, text)
        if not found:
            continue
        unknown = [line for line in found if line is not None]
        files, ports = files + 1, ports + len(found)
        whole, understood = whole + (not unknown), understood + len(found) - len(unknown)
        lines.update(_kind(line) for line in unknown)
    print(f"{understood} of {ports} ports understood; all ports in {whole} of {files} files")
    for line, count in lines.most_common(MOST_LINES):
        print(f"{count:6} {line}")


def _texts(directories: Sequence[Path]) -> Iterator[str]:
    for directory in directories:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                yield path.read_text(errors="replace")


def _not_understood(name: str, text: str) -> list[str | None]:
    """Return for each port the line that is not understood."""
    dialect = DIALECTS[name]
    shown = without_logs(text)
    answers = [_part(name, at, shown) for at, _ in enumerate(dialect.reader.read_ports((), {}))]
    try:
        return [state.not_understood for state in dialect.reader.parse_ports(answers, {}).values()]
    except (ValueError, LookupError, TypeError):
        return ["(the configuration cannot be parsed)"]


def _part(name: str, at: int, text: str) -> str:
    """Return what the switch answers to the line with this number."""
    if name in SECTIONS_ONLY and at < SECTIONS_ONLY[name]:
        return "\n".join(re.findall(r"^interface .*\n(?:[ \t].*\n?)*", text, re.M))
    if name in NO_TABLE and at:
        return ""
    if name in PARTS:
        rows = text.splitlines()
        return "\n".join(row for row in rows if re.match(PARTS[name][at], row.strip()))
    return text


def _kind(line: str) -> str:
    return " ".join(re.sub(r"\d+", "N", word) for word in line.split()[:4])


if __name__ == "__main__":
    main()
