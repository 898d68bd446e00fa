"""Exit codes."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from haas_console.batch.output import Output
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
    """The exit codes of haas-console. The first error of a script decides."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CHANGES = 2  # of `plan --exit-code`: the same number as terraform's
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


def report(output: Output, wrong: Sequence[tuple[object, ConsoleError]]) -> ExitCode:
    """Print errors with their places; return the exit code of the first one, or DONE."""
    for place, error in wrong:
        output.error(place, error)
    return code_of(wrong[0][1]) if wrong else ExitCode.DONE
