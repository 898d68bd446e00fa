"""What copying a headnode is called in plans, and how its progress is shown. No I/O."""

from __future__ import annotations

from collections.abc import Callable

from haas_rpcd.drivers.hypervisor.domain_xml import domain_name
from haas_rpcd.model import CopyChange, PrepareCopy

MIB = 2**20


def preview_lines(change: CopyChange, to: str) -> list[str]:
    """Return short lines that describe a change."""
    name = domain_name(change.headnode)
    if isinstance(change, PrepareCopy):
        return [
            f"compare {change.image} on {change.source} and {to}",
            f"check {to} for room for the disk of {name}",
        ]
    return [
        f"define {name} on {to} as on {change.source}",
        f"copy the disk of {name} from {change.source}",
    ]


class Lines:
    """Reports the progress of work on files, in steps of about 5 %."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._last: tuple[str, int] = ("", 0)

    def progress(self, what: str, done: int, total: int) -> None:
        """Report that so many bytes are done, if that is worth a line."""
        twentieth = done * 20 // max(total, 1)
        if (what, twentieth) != self._last:
            self._last = (what, twentieth)
            self._report(f"# {what}: {done / MIB:,.0f} of {total / MIB:,.0f} MiB")
