"""The standard streams: closed, on a full disk, or with a reader that has gone away.

Output that cannot be written to stdout is an error. Losing stderr changes nothing.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.batch.conftest import Program

pytestmark = pytest.mark.slow

DATA = [
    ("--help",),
    ("--version",),
    ("info",),
    ("-c", "help"),
    ("-c", "node list"),
    ("--json", "-c", "node list"),
    ("-c", "site export"),
]
"""Commands that print something."""

ENDS = [
    (("--nonsense",), 2),
    (("--check", "-c", "nonsense"), 2),
    (("--script", "none.haas"), 2),
    ((), 2),
    (("-c", "node show none"), 1),
    (("--json", "-c", "node show none"), 1),
    (("--echo", "-c", "node list"), 0),
]
"""Commands that write to stderr, with their exit codes."""


@pytest.mark.parametrize("args", DATA, ids=" ".join)
@pytest.mark.parametrize(
    ("stdout", "reason"),
    [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")],
)
def test_output_that_cannot_be_written_is_an_error(
    console: Program, args: tuple[str, ...], stdout: str, reason: str
) -> None:
    done = console.in_shell(stdout, *args)
    assert done.returncode == 1
    assert done.stderr == f"the output can't be written: {reason}\n"


def test_unbuffered_help_that_cannot_be_written_is_an_error(
    console: Program,
) -> None:
    console.environ["PYTHONUNBUFFERED"] = "1"
    assert console.in_shell(">/dev/full", "--help").returncode == 1


@pytest.mark.parametrize("args", DATA, ids=" ".join)
def test_a_reader_that_has_gone_is_a_silent_error(console: Program, args: tuple[str, ...]) -> None:
    process = console.start(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (1, "")


def test_a_script_ends_where_its_output_cannot_be_written(console: Program) -> None:
    lines = "node list", "project create never-made"
    done = console.in_shell(">/dev/full", "--keep-going", "-c", lines[0], "-c", lines[1])
    assert done.returncode == 1
    assert console("-c", "project show never-made").returncode == 1


@pytest.mark.parametrize(("args", "code"), ENDS, ids=str)
@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full", "2>&- <&-"])
def test_losing_stderr_changes_no_exit_code(
    console: Program, args: tuple[str, ...], code: int, stderr: str
) -> None:
    done = console.in_shell(stderr, *args)
    assert (done.returncode, done.stderr) == (code, "")
    assert bool(done.stdout) == (args[:1] in [("--json",), ("--echo",)])


def test_an_apply_succeeds_even_if_its_progress_cannot_be_written(console: Program) -> None:
    node = console.free_node()
    console.json(
        "project create unseen",
        f"node allocate unseen {node}",
        "network create unseen net",
        f"connect {node}:primary-nic net",
    )
    done = console.in_shell("2>/dev/full", "-c", "apply unseen")
    assert done.returncode == 0
    assert done.stdout.startswith("apply unseen: job ")


def test_a_script_cannot_be_read_from_a_closed_stdin(console: Program) -> None:
    done = console.in_shell("<&-", "--script", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "-: Bad file descriptor\n"


def test_other_commands_do_not_need_stdin(console: Program) -> None:
    done = console.in_shell("<&-", "--json", "-c", "node list")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["items"]


def test_exit_codes_are_right_with_all_streams_closed(console: Program) -> None:
    everything = "<&- >&- 2>&-"
    assert console.in_shell(everything, "-c", "project create no-streams").returncode == 0
    assert console("-c", "project show no-streams").returncode == 0
    assert console.in_shell(everything, "-c", "node list").returncode == 1
    assert console.in_shell(everything).returncode == 2


@pytest.mark.parametrize(
    "stream", ["<&-", ">&-", "2>&-", "</dev/null", ">/dev/null", "2>/dev/null"]
)
def test_the_full_screen_needs_all_three_streams_on_a_terminal(
    console: Program, stream: str
) -> None:
    screen, terminal = pty.openpty()
    streams = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
    process = console.start_in_shell(stream, **streams)
    os.close(terminal)
    assert process.wait(timeout=60) == 2
    said = os.read(screen, 1000).decode() if not stream.startswith("2") else "wants a terminal"
    os.close(screen)
    assert "wants a terminal" in said
    assert "Traceback" not in said
