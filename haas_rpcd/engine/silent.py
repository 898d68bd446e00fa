"""Progress that nobody follows."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


class Silent:
    """The progress of lines that belong to no job: nobody follows it."""

    def line_sent(self, change: int, line: str) -> None:
        """Log the line."""
        log.info("outside a job: %s", line)

    def cancelled(self) -> bool:
        """Return False: nobody can cancel this."""
        return False
