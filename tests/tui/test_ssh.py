"""A real sshd whose ForceCommand is the console, as tenants use it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.harness import Terminal
from tests.tui.harness.processes import ROOT, Daemon
from tests.tui.harness.sshd import SSHD, Sshd, sshd

pytestmark = pytest.mark.skipif(SSHD is None, reason="needs sshd: apt-get install openssh-server")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("rpcd"), "--demo") as daemon:
        yield daemon


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, daemon: Daemon) -> Iterator[Sshd]:
    folder = tmp_path_factory.mktemp("sshd")
    environ = {
        "PYTHONPATH": str(ROOT),
        "HAAS_SOCKET": str(daemon.socket),
        "XDG_CONFIG_HOME": str(folder),
        "XDG_STATE_HOME": str(folder),
        "LANG": "C.UTF-8",
    }
    with sshd(folder, f"{sys.executable} -m haas_console", environ) as host:
        yield host


def test_ssh_without_words_opens_the_board(host: Sshd, tmp_path: Path) -> None:
    with Terminal(host.command(terminal=True), home=tmp_path, size=(80, 24)) as terminal:
        terminal.wait_for("node-01")
        terminal.settle()
        assert "Board" in terminal.text
        terminal.resize(100, 30)
        terminal.wait_until(lambda screen: len(screen.lines[0]) > 80, "a wider board")
        terminal.feed(b"q")
        assert terminal.ended() == 0


def test_words_over_ssh_are_a_command(host: Sshd) -> None:
    done = host.run("node list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "node-01" in done.stdout
    assert "\x1b" not in done.stdout


def test_ssh_gets_the_exit_code_and_the_error(host: Sshd) -> None:
    missing = host.run("node show nowhere")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "There is no node nowhere" in missing.stderr
    unknown = host.run("node lst")
    assert unknown.returncode == 2
    assert 'did you mean "list"' in unknown.stderr


def test_options_and_scripts_work_over_ssh(host: Sshd) -> None:
    for words in (
        "--json node list --free",
        "node list --free -o json",
        "-o json node list --free",
    ):
        done = host.run(words)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert json.loads(done.stdout)["items"][0]["state"] == "free"
    named = host.run("node list -o name --columns node")
    assert "node-01" in named.stdout.splitlines()
    script = "project create piped\nproject show piped -o json\nnode show nowhere\n"
    done = host.run("--script - --keep-going", script=script)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        "-:3: There is no node nowhere.",
    )
    assert '"project": "piped"' in done.stdout
    checked = host.run("--check --script -", script="node lst\n")
    assert (checked.returncode, checked.stdout) == (2, "")
    assert json.loads(host.run("inventory --list").stdout)["all"]["children"][0] == "ungrouped"


def test_whoever_logs_in_chooses_neither_daemon_nor_files(host: Sshd) -> None:
    done = host.run("--config /etc/shadow node list")
    assert (done.returncode, done.stdout) == (2, "")
    assert "over SSH there is no --config: the master says which daemon and files" in done.stderr


def test_no_shell_interprets_the_words(host: Sshd, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    for words in (
        f"node list; touch {trap}",
        f"node list $(touch {trap})",
        f"node list `touch {trap}`",
        f"node list | tee {trap}",
        f"node list > {trap}",
        f"sh -c 'touch {trap}'",
        f"!touch {trap}",
    ):
        assert host.run(words).returncode != 0, words
    assert not trap.exists()


def test_several_lines_over_ssh_are_several_commands(host: Sshd) -> None:
    done = host.run("project create lines\nproject show lines  # its members")
    assert done.returncode == 0, done.stderr
    assert "lines" in done.stdout


def test_an_apply_shows_plain_progress_and_its_exit_code(host: Sshd, daemon: Daemon) -> None:
    daemon.call("network.create", project="astro", network="over-ssh")
    daemon.call("node.allocate", project="astro", node="node-02")
    daemon.call("nic.connect", node="node-02", nic="primary-nic", network="over-ssh")
    steps = daemon.call("plan.show", project="astro")["steps"]
    done = host.run("apply astro")
    assert done.returncode == 0, done.stderr
    shown = [line for line in done.stderr.splitlines() if re.match(r"\[\d+/\d+\] ", line)]
    assert len(shown) == len(steps) > 1
    assert "\x1b" not in done.stderr
    assert daemon.call("plan.show", project="astro")["empty"]


def test_no_file_of_the_master_is_opened_over_ssh(host: Sshd, tmp_path: Path) -> None:
    """What exists there cannot be told from what does not."""
    (tmp_path / "there.toml").write_text("[users.eve]\n")
    said = set()
    for file in ("/etc/passwd", "/dev/zero", tmp_path / "there.toml", tmp_path / "none"):
        for words in (f"site import {file}", f"site export {file}"):
            done = host.run(words)
            assert (done.returncode, done.stdout) == (1, "")
            said.add(done.stderr.replace(words, ""))
    [sentence] = said
    assert "over SSH no file of the master is opened" in sentence
    assert (tmp_path / "there.toml").read_text() == "[users.eve]\n"
    assert "[nodes" in host.run("site export").stdout


def test_no_file_of_the_master_is_named_on_the_screen_over_ssh(host: Sshd, tmp_path: Path) -> None:
    with Terminal(host.command(terminal=True), home=tmp_path, size=(80, 24)) as terminal:
        terminal.wait_for("node-01")
        terminal.feed(b":site import /etc/passwd\r")
        terminal.wait_for("over SSH no file of the master is opened")
