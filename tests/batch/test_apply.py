"""Applies: progress as lines and as bars, failure, interruption, loss of the daemon."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.batch.conftest import Daemon, Program

pytestmark = pytest.mark.slow


@pytest.fixture
def project(console: Program, request: pytest.FixtureRequest) -> str:
    """A project with a node whose primary-nic is connected to a network, but not yet applied."""
    name = re.sub("[^a-z]+", "-", request.node.originalname)[5:40].strip("-")
    node = console.free_node()
    console.json(
        f"project create {name}",
        f"node allocate {name} {node}",
        f"network create {name} net",
        f"connect {node}:primary-nic net",
    )
    return name


@contextlib.contextmanager
def silent_switch() -> Iterator[socket.socket]:
    """A switch that accepts a connection and then sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        yield listening


def register(console: Program, name: str, port: int) -> None:
    """Register a switch at a TCP port, with one port that an apply would park."""
    console.json(
        f"switch register {name} cisco_ios 127.0.0.1 --port {port} --credential any",
        f"port register {name} Gi1/0/1",
    )


def wait_for_job(process: subprocess.Popen[str]) -> None:
    """Wait until the program reports that its job has been started."""
    assert process.stderr
    line = process.stderr.readline()
    assert re.fullmatch(r"job \d+ is \w+\n", line), line


def test_without_a_terminal_each_step_is_a_line(console: Program, project: str) -> None:
    steps = console.json(f"plan {project}")[0]["steps"]
    done = console("-c", f"apply {project}")
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("[")]
    assert len(told) == len(steps) > 1
    assert {re.sub(r"^\[\d+/\d+\] ", "", line) for line in told} == {
        f"{step['device']}: {step['summary']}" for step in steps
    }
    assert told[-1].startswith(f"[{len(steps)}/{len(steps)}]")
    assert "\x1b" not in done.stderr
    assert re.fullmatch(rf"apply {project}: job \d+, {len(steps)} steps done\n", done.stdout)


def test_an_apply_reports_that_nothing_is_staged(console: Program, project: str) -> None:
    assert console("-c", f"apply {project}").returncode == 0
    again = console("-c", f"apply {project}", "-c", f"plan {project}")
    assert again.stdout.splitlines()[0].endswith("there was nothing to do")
    assert again.stdout.splitlines()[1] == "nothing to do"


def test_a_terminal_shows_a_bar_for_each_device_in_few_bytes(
    console: Program, project: str
) -> None:
    screen, terminal = os.openpty()
    process = console.start("-c", f"apply {project}", stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    sent = _read_all(screen)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, sent
    assert out.startswith(f"apply {project}: job ")
    full = "#" * 20
    assert re.search(rf"job \d+ +\[{full}\] +(\d+)/\1 succeeded", sent)
    assert re.search(rf"sw\S* +\[{full}\] +(\d+)/\1", sent)
    assert len(sent) < 2000


def _read_all(screen: int) -> str:
    """Read a pseudo-terminal until its other end is closed."""
    parts = []
    while select.select([screen], [], [], 60)[0]:
        try:
            part = os.read(screen, 65536)
        except OSError:  # Linux reports the closed end as EIO
            break
        if not part:
            break
        parts.append(part)
    os.close(screen)
    return b"".join(parts).decode()


def test_a_terminal_that_cannot_move_its_cursor_shows_no_bars(
    console: Program, project: str
) -> None:
    console.environ["TERM"] = "dumb"
    screen, terminal = os.openpty()
    process = console.start("-c", f"apply {project}", stdout=subprocess.DEVNULL, stderr=terminal)
    os.close(terminal)
    sent = _read_all(screen)
    assert process.wait(timeout=60) == 0
    assert "\x1b" not in sent
    assert "[1/" in sent


def test_a_stale_digest_is_refused_with_the_changes(console: Program, project: str) -> None:
    digest = console.json(f"plan {project}")[0]["digest"]
    console.json(f"network create {project} other")
    node = console.json(f"node list {project}")[0]["items"][0]["node"]
    console.json(f"connect {node}:ipmi-nic other")
    done = console("-c", f"apply {project} --digest {digest}")
    assert done.returncode == 1
    assert done.stderr.startswith("-c:1: ")
    assert "\n  + " in done.stderr


def test_a_failed_apply_names_the_device_and_exits_with_5(beside: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    register(beside, "unplugged", port)
    done = beside("--json", "-c", "apply --site", "-c", "project create after-it")
    assert done.returncode == 5
    assert re.search(r"^-c:1: job \d+ failed: ", done.stderr, re.M)
    assert re.search(r"\bunplugged can.t be reached on 127\.0\.0\.1", done.stderr)
    assert re.search(r"^\[1/\d+\] unplugged: .*: FAILED: ", done.stderr, re.M)
    assert '{"error": ' in done.stdout
    assert beside("-c", "project show after-it").returncode == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_apply_goes_on_and_its_user_learns_how_to_follow_it(
    beside: Program, number: signal.Signals
) -> None:
    with silent_switch() as listening:
        register(beside, "silent", listening.getsockname()[1])
        process = beside.start("-c", "apply --site", stderr=subprocess.PIPE)
        wait_for_job(process)
        connection, _ = listening.accept()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        job = re.search(r"-c:1: interrupted, but job (\d+) goes on: `job show \1`", said)
        assert job, said
        assert f"`job cancel {job[1]}`" in said
        assert "Traceback" not in said
        assert beside.json(f"job show {job[1]}")[0]["state"] == "running"
        connection.close()
    assert beside.json(f"job wait {job[1]} --timeout 30")[0]["state"] == "failed"


def test_an_apply_reconnects_after_the_daemon_restarts(
    tmp_path: Path, own_daemon: Daemon, beside: Program
) -> None:
    with silent_switch() as listening:
        register(beside, "silent", listening.getsockname()[1])
        process = beside.start("-c", "apply --site", stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        wait_for_job(process)
        first, _ = listening.accept()
        own_daemon.kill()
        first.close()
        own_daemon.start()
        second, _ = listening.accept()  # it has resumed the job
        second.close()
    _, said = process.communicate(timeout=60)
    assert re.search(
        r"^the daemon on socket \S+ went away; looking for it, as job \d+ is its to finish$",
        said,
        re.M,
    )
    assert process.returncode == 5
    assert re.search(r"^-c:1: job \d+ failed: ", said, re.M)


def test_an_apply_interrupted_before_its_job_is_known_may_be_under_way(
    own_daemon: Daemon, beside: Program
) -> None:
    with contextlib.ExitStack() as stack:
        listening, daemon = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        listening.bind(str(beside.folder / "between.sock"))
        listening.listen()
        listening.settimeout(60)
        daemon.connect(str(own_daemon.socket))
        words = ("--socket", "between.sock", "-c", "apply --site")
        process = beside.start(*words, stderr=subprocess.PIPE)
        console = stack.enter_context(listening.accept()[0])
        pass_on_until(b"apply.start", console, daemon)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        said = process.stderr.readline()
        console.close()
        assert process.wait(timeout=60) == 130
        assert said + process.stderr.read() == (
            "-c:1: interrupted; apply --site may have been carried out\n"
        )


def pass_on_until(word: bytes, console: socket.socket, daemon: socket.socket) -> None:
    """Connect both ends until the console sends the word, which is not passed on."""
    other = {console: daemon, daemon: console}
    while True:
        for ready in select.select([console, daemon], [], [], 60)[0]:
            data = ready.recv(65536)
            assert data
            if ready is console and word in unmasked(data):
                return
            other[ready].sendall(data)


def unmasked(data: bytes) -> bytes:
    """The text of a client's WebSocket frame (RFC 6455, section 5.2); other data as it is."""
    if data[0] != 0x81:
        return data
    mask = 4 if data[1] & 0x7F == 126 else 2
    key, text = data[mask : mask + 4], data[mask + 4 :]
    return bytes(byte ^ key[index % 4] for index, byte in enumerate(text))
