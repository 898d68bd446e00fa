"""What the exit code says."""

from __future__ import annotations

import enum

from haas_console.core.errors import (
    CommandSyntaxError,
    ConfigError,
    ConsoleError,
    DeniedError,
    JobFailedError,
    NoDaemonError,
    ReadonlyError,
)


class ExitCode(enum.IntEnum):
    """The exit codes of haas-console; the first error of a script decides."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_DAEMON = 3
    DENIED = 4
    APPLY_FAILED = 5
    INTERRUPTED = 130


_CODES: tuple[tuple[type[ConsoleError], ExitCode], ...] = (
    (CommandSyntaxError, ExitCode.USAGE),
    (ConfigError, ExitCode.USAGE),
    (NoDaemonError, ExitCode.NO_DAEMON),
    (DeniedError, ExitCode.DENIED),
    (ReadonlyError, ExitCode.DENIED),
    (JobFailedError, ExitCode.APPLY_FAILED),
)


def code_of(error: ConsoleError) -> ExitCode:
    """The exit code for an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED)
