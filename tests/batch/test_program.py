"""The program without a daemon: arguments, exit codes, and the modules that it loads."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from haas_console import core

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.batch.conftest import Program


def test_without_a_daemon_the_error_says_what_was_tried_and_what_to_do(offline: Program) -> None:
    done = offline("-c", "node list")
    assert done.returncode == 3
    assert done.stdout == ""
    assert f"no daemon on socket {offline.socket} (from HAAS_SOCKET)" in done.stderr
    assert "--socket PATH" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_socket_without_a_listener_is_reported_as_no_daemon(offline: Program) -> None:
    (offline.folder / "nobody.sock").write_text("")
    done = offline("-c", "node list")
    assert done.returncode == 3
    assert "Connection refused" in done.stderr


def test_an_unclosed_quote_is_reported_before_connecting(offline: Program) -> None:
    done = offline.script("node list\nnode show 'node-1\n")
    assert done.returncode == 2
    assert done.stderr == "morning.haas:2: the quote ' is not closed on its line\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--script", "x", "-c", "node list"], "not allowed with"),
        (["--check"], "--check wants"),
        (["--nonsense"], "unrecognized arguments"),
        (["--script", "missing.haas"], "missing.haas: No such file or directory"),
        (["--url", "http://master", "-c", "node list"], "use https://"),
        (["--config", "missing.toml", "-c", "node list"], "missing.toml: there is no such file"),
        ([], "--script FILE, or -c"),
    ],
)
def test_wrong_usage_exits_with_2(offline: Program, args: list[str], said: str) -> None:
    done = offline(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_script_that_is_not_utf_8_is_refused_with_the_line(offline: Program) -> None:
    (offline.folder / "odd.haas").write_bytes(b"node list\n\xff\xfe\n")
    done = offline("--script", "odd.haas")
    assert done.returncode == 2
    assert done.stderr.startswith("odd.haas:2: not UTF-8 text")


def test_info_shows_the_paths_and_the_daemon(offline: Program) -> None:
    done = offline("info")
    assert done.returncode == 0
    assert f"{offline.folder}/.config/haas/console.toml (not there)" in done.stdout
    assert f"{offline.folder}/.local/state/haas/history" in done.stdout
    assert f"socket {offline.socket} (from HAAS_SOCKET)" in done.stdout


def test_version_is_printed(offline: Program) -> None:
    done = offline("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("haas-console ")


# --- --check: no daemon, all of the script, the API this console was released with ----------------


def test_check_accepts_a_correct_script_silently(offline: Program) -> None:
    done = offline.script(
        "# the morning's work\n"
        "use alpha\n"
        "node allocate node-1\n"
        "network create net --vlan 104\n"
        "connect node-1:primary-nic net\n"
        "plan\n"
        "apply\n",
        "--check",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_reports_every_error_with_its_place(offline: Program) -> None:
    done = offline.script(
        "nod list\nnode list\nnetwork create alpha net blue\nnode show 'x\n", "--check"
    )
    assert done.returncode == 2
    places = [line.split(" ")[0] for line in done.stderr.splitlines() if line[0] != " "]
    assert places == ["morning.haas:1:", "morning.haas:3:", "morning.haas:4:"]
    assert 'did you mean "node"?' in done.stderr
    assert 'vlan: "blue" is not a whole number' in done.stderr


def test_check_also_reads_stdin_and_options(offline: Program) -> None:
    assert offline("--script", "-", "--check", stdin="node list\nnod\n").stderr.startswith("-:2: ")
    assert offline("-c", "node list", "-c", "nod", "--check").stderr.startswith("-c:2: ")


def test_readonly_refuses_commands_that_change_anything(offline: Program) -> None:
    done = offline("--readonly", "--check", "-c", "node list", "-c", "project create alpha")
    assert done.returncode == 4
    assert done.stderr == '-c:2: "project create" would change something; this is --readonly\n'
    assert offline("--readonly", "--check", "-c", "apply alpha").returncode == 4
    assert offline("--readonly", "--check", "-c", "plan alpha").returncode == 0


# --- what is loaded -------------------------------------------------------------------------------


def _loaded(program: Program, code: str) -> set[str]:
    """The top-level packages that are loaded after running this code."""
    listing = f"{code}\nimport sys\nprint('|'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", listing],
        cwd=program.folder,
        env=program.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    modules = done.stderr.splitlines()[-1]
    return {name.partition(".")[0] for name in modules.split("|")}


def test_batch_mode_loads_neither_textual_nor_the_daemon(offline: Program) -> None:
    loaded = _loaded(offline, "import haas_console.batch.online")
    assert "aiohttp" in loaded
    assert not loaded & {"textual", "rich", "haas_rpcd", "sqlite_utils", "telnetlib3"}


def test_check_does_not_load_the_client(offline: Program) -> None:
    run = "from haas_console.cli import main\nassert main(['--check', '-c', 'node list']) == 0"
    assert not _loaded(offline, run) & {"textual", "rich", "aiohttp", "asyncio", "jsonrpcclient"}


def test_the_map_of_the_core_names_every_module() -> None:
    named = set(re.findall(r"``(\w+)``", core.__doc__ or ""))
    modules = {module.name for module in pkgutil.iter_modules(core.__path__)}
    assert named == modules
