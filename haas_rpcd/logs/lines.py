"""The lines of the log: text or JSON, each line with the request, the job and the step it is about.

Within :func:`about` every line names what it is about, also in the tasks that are started there.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import IO

from haas_rpcd.config import LogSettings
from haas_rpcd.logs.flood import FloodFilter

_QUIET = ("telnetlib3", "pyroute2", "asyncio", "aiohttp", "asyncssh")
"""Libraries whose lines below a warning are not logged, whatever the levels are: at debug level,
telnetlib3 logs what it sends, which may be a password."""

_PRIORITIES = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
"""The priorities of syslog(3), which journald reads from the beginning of a line: sd-daemon(3)."""

_about: ContextVar[Mapping[str, str | int]] = ContextVar("about", default={})  # noqa: B039


@contextlib.contextmanager
def about(**things: str | int) -> Iterator[None]:
    """Name what the lines logged within are about, such as ``job=3``."""
    token = _about.set({**_about.get(), **things})
    try:
        yield
    finally:
        _about.reset(token)


def new_request() -> str:
    """Return an id for a request. It is random, so that it tells nothing of other requests."""
    return secrets.token_hex(4)


def configure(
    settings: LogSettings, *, verbose: bool = False, stream: IO[str] | None = None
) -> None:
    """Log as configured from now on; call it again when the configuration has changed."""
    stream = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonLines() if settings.format == "json" else _TextLines())
    if _is_journal(stream):
        handler.setFormatter(_Prioritized(handler.formatter or _TextLines()))
    handler.addFilter(_may_be_logged)
    handler.addFilter(FloodFilter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel("DEBUG" if verbose else settings.level.upper())
    for name in _configured:
        logging.getLogger(name).setLevel(logging.NOTSET)
    _configured.clear()
    for name, level in settings.levels.items():
        logging.getLogger(name).setLevel(level.upper())
        _configured.append(name)


_configured: list[str] = []
"""The loggers with a level of their own."""


def _may_be_logged(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.split(".")[0] not in _QUIET


class _TextLines(logging.Formatter):
    """``INFO haas_rpcd.engine: lines of text [job 3]``."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        things = ", ".join(f"{name} {value}" for name, value in _about.get().items())
        if not things:
            return text
        first, *rest = text.split("\n", 1)
        return "\n".join([f"{first} [{things}]", *rest])


class _JsonLines(logging.Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message, what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{stamp}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_about.get(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _Prioritized(logging.Formatter):
    """Puts the priority in front of each line, for journald."""

    def __init__(self, lines: logging.Formatter) -> None:
        super().__init__()
        self._lines = lines

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{_PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(prefix + line for line in self._lines.format(record).split("\n"))


def _is_journal(stream: IO[str]) -> bool:
    """Return whether a stream is connected to journald: ``JOURNAL_STREAM`` of systemd.exec(5)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
