"""haas-rpcd's standard streams: closed, on a full disk, or with a reader that has gone away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "haas_rpcd")
PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

CHECK = ("--check-config", "--config", "haas.toml")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A folder with a good configuration, and the environment to run the program there."""
    (tmp_path / "haas.toml").write_text(f'[credentials]\nfile = "{tmp_path}/none"\n')
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PWD": str(tmp_path)}


def in_shell(
    environ: dict[str, str], redirections: str, *args: str
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end as a shell does that is given these redirections."""
    command = ("sh", "-c", f'exec "$@" {redirections}', "sh", *PROGRAM, *args)
    return subprocess.run(
        command, cwd=environ["PWD"], env=environ, text=True, timeout=60, check=False, **PIPES
    )


@pytest.mark.parametrize("args", [("--help",), ("--version",), CHECK], ids=" ".join)
@pytest.mark.parametrize("stdout", [">&-", ">/dev/full"])
def test_output_that_cannot_be_written_is_an_error(
    environ: dict[str, str], args: tuple[str, ...], stdout: str
) -> None:
    done = in_shell(environ, stdout, *args)
    assert done.returncode == 1
    assert done.stderr.startswith("haas-rpcd: the output can't be written: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("args", [("--help",), ("--version",), CHECK], ids=" ".join)
def test_a_reader_that_has_gone_is_an_error_without_a_word(
    environ: dict[str, str], args: tuple[str, ...]
) -> None:
    process = subprocess.Popen((*PROGRAM, *args), cwd=environ["PWD"], env=environ, **PIPES)
    assert process.stdout
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (1, b"")


@pytest.mark.parametrize(
    ("args", "code"),
    [(("--nonsense",), 2), (("--config", "none.toml"), 1), (("--demo", "--check-config"), 2)],
    ids=str,
)
@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_an_error_that_nobody_can_read_still_has_its_exit_code(
    environ: dict[str, str], args: tuple[str, ...], code: int, stderr: str
) -> None:
    done = in_shell(environ, stderr, *args)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


async def test_a_daemon_without_streams_serves_and_ends_in_good_order(
    environ: dict[str, str], tmp_path: Path
) -> None:
    script = 'exec "$@" <&- >&- 2>&-'
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", script, "sh", *PROGRAM, "--demo", "--socket", "rpcd.sock"),
        cwd=tmp_path,
        env=environ,
    )
    question = {"jsonrpc": "2.0", "id": 1, "method": "system.info"}
    connector = aiohttp.UnixConnector(str(tmp_path / "rpcd.sock"))
    async with asyncio.timeout(60), aiohttp.ClientSession(connector=connector) as session:
        answer = None
        while answer is None:
            assert process.returncode is None
            with contextlib.suppress(aiohttp.ClientConnectorError):
                async with session.post("http://haas/rpc", json=question) as response:
                    answer = await response.json()
    assert answer["result"]["demo"] is True
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


def test_a_demo_that_ends_with_stdin_ends_when_that_is_closed(environ: dict[str, str]) -> None:
    done = in_shell(environ, "<&-", "--demo", "--until-eof", "--socket", "rpcd.sock")
    assert done.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in done.stderr
