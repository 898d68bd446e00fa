"""Scripts on a real daemon: effects, output and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.batch.conftest import Program

pytestmark = pytest.mark.slow


def test_a_script_creates_a_project_and_connects_its_node(console: Program) -> None:
    node = console.free_node()
    done = console.script(
        "# a project, a node, a network, and the two together\n"
        "project create morning\n"
        "use morning\n"
        f"node allocate {node}\n"
        "network create net --vlan 150\n"
        f"connect {node}:primary-nic net\n"
        "plan\n"
        "apply\n"
        f"node show {node}\n"
    )
    assert done.returncode == 0, done.stderr
    assert "switchport access vlan 150" in done.stdout
    assert "apply morning: job " in done.stdout
    shown = done.stdout.split("nics:")[1]
    row = next(line.split() for line in shown.splitlines() if "primary-nic" in line)
    assert row[-2:] == ["applied", "net"]
    assert "project create morning: done" in done.stderr
    assert not set('{}[]"') & set(done.stdout.split("digest")[1])


def test_a_script_stops_at_its_first_error_and_names_the_place(console: Program) -> None:
    done = console.script(
        "project create stops\n\nnode show no-such-node\nproject create stops-later\n"
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("morning.haas:3: ")
    assert "no-such-node" in done.stderr.splitlines()[-1]
    projects = [item["project"] for item in console.json("project list")[0]["items"]]
    assert "stops" in projects
    assert "stops-later" not in projects


def test_keep_going_runs_the_rest_and_exits_with_the_first_error(console: Program) -> None:
    done = console.script(
        "node show no-such-node\nproject create goes-on\nproject show no-such-project\n",
        "--keep-going",
    )
    assert done.returncode == 1
    places = [line.split(" ")[0] for line in done.stderr.splitlines()]
    assert places == ["morning.haas:1:", "project", "morning.haas:3:"]
    assert console("-c", "project show goes-on").returncode == 0


def test_a_syntax_error_anywhere_is_reported_before_anything_is_sent(console: Program) -> None:
    done = console("--script", "-", stdin="project create never\nnode lst\n")
    assert done.returncode == 2
    assert done.stderr.startswith('-:2: "node" has no "lst", did you mean "list"?')
    assert console("-c", "project show never").returncode == 1


def test_json_prints_one_document_for_each_command_even_if_it_fails(console: Program) -> None:
    done = console.script(
        "project create in-json\n"
        "use in-json\n"
        "network create net\n"
        "network create net\n"
        "network list\n"
        "plan\n"
        "network delete net\n",
        "--json",
        "--keep-going",
    )
    assert done.returncode == 1
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    created, used, network, refused, listed, plan, deleted = documents
    assert created["project"] == "in-json"
    assert used == {"project": "in-json"}
    assert network["network"] == "net"
    assert refused["error"]["data"]["kind"] == "conflict"
    assert [item["vlan"] for item in listed["items"]] == [network["vlan"]]
    assert plan["empty"] is True
    assert deleted["deleted"] is True


def test_quiet_prints_only_data_and_errors(console: Program) -> None:
    done = console(
        "--quiet", "-c", "project create hush", "-c", "project show hush", "-c", "node show none"
    )
    assert "project" in done.stdout
    assert done.stderr.startswith("-c:3: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_list_is_complete_unless_a_page_is_asked_for(console: Program) -> None:
    whole = console.json("node list")[0]
    assert whole["next"] is None
    part = console("-c", "node list --limit 2")
    assert len(part.stdout.splitlines()) == 3  # with its header
    assert part.stderr == f"there is more: --after {whole['items'][1]['node']}\n"


def test_a_readonly_session_changes_nothing(console: Program) -> None:
    done = console("--readonly", "-c", "node list", "-c", "project create looked")
    assert done.returncode == 4
    assert done.stdout == ""
    assert console("-c", "project show looked").returncode == 1


def test_a_reader_that_leaves_early_is_no_crash(console: Program) -> None:
    process = console.start("-c", "help", "-c", "node list", stdout=subprocess.PIPE, stderr=-1)
    assert process.stdout and process.stderr
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 1
    assert said == ""


def test_help_describes_the_api_of_this_daemon(console: Program) -> None:
    done = console("-c", "help", "-c", "help network create")
    assert done.returncode == 0
    assert "allocate" in done.stdout
    assert "usage: network create PROJECT NETWORK [--vlan VLAN]" in done.stdout


def test_a_site_is_exported_and_imported_byte_by_byte(console: Program) -> None:
    file = console.folder / "dc.toml"
    done = console("-c", "site export dc.toml", "-c", "site export")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"site export dc.toml: bytes {file.stat().st_size}\n" + file.read_text()
    back = console("-c", "site import dc.toml --dry-run")
    assert back.returncode == 0, back.stderr
    assert "0 created, 0 changed" in back.stdout
    lost = console("-c", "site import none.toml")
    assert lost.returncode == 1
    assert lost.stderr == "-c:1: none.toml cannot be read: No such file or directory\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_stranger_is_denied(console: Program) -> None:
    # Import everything and change the directory first: a stranger cannot access the paths.
    code = (
        "import os, sys; import haas_console.batch.online; from haas_console import cli\n"
        "os.setuid(65534); sys.exit(cli.main(sys.argv[1:]))"
    )
    assert console.socket is not None
    console.socket.parent.chmod(0o711)
    done = subprocess.run(
        [sys.executable, "-c", code, "--socket", console.socket.name, "-c", "node list"],
        env={**console.environ, "HOME": "/"},
        cwd=console.socket.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_demo_daemon_lives_as_long_as_its_console(offline: Program) -> None:
    scratch = offline.folder / "tmp"
    scratch.mkdir()
    offline.environ["TMPDIR"] = str(scratch)
    done = offline("--demo", "--json", "-c", "system info", "-c", "node show none")
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[0])["demo"] is True
    assert list(scratch.iterdir()) == []
    assert _processes_with(str(scratch)) == []


def test_a_demo_without_a_writable_folder_is_an_error_in_a_sentence(offline: Program) -> None:
    offline.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    done = offline.in_shell("", "--demo", "-c", "node list", before="ulimit -f 0;")
    assert done.returncode == 1
    assert "No usable temporary directory" in done.stderr
    assert "Traceback" not in done.stderr


def _processes_with(word: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if word in arguments:
            found.append(arguments)
    return found
