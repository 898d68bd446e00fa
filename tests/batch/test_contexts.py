"""Several sites at once: ``--context a,b``."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.batch.conftest import Daemon, Program


@pytest.fixture
def sites(beside: Program, demo_daemon: Daemon, own_daemon: Daemon) -> Program:
    """The program with three contexts: a demo data centre, an empty one, and one that is down."""
    folder = beside.folder / ".config" / "haas"
    folder.mkdir(parents=True)
    (folder / "console.toml").write_text(
        f'[contexts.busy]\nsocket = "{demo_daemon.socket}"\n'
        f'[contexts.empty]\nsocket = "{own_daemon.socket}"\n'
        f'[contexts.down]\nsocket = "{beside.folder}/nobody.sock"\n'
    )
    return beside


def test_a_list_of_several_sites_is_one_table_that_says_where_each_row_is_from(
    sites: Program,
) -> None:
    sites("--context", "empty", "project", "create", "lonely")
    done = sites(
        "--context", "busy,empty", "project", "list", "-o", "csv", "--columns=context,project"
    )
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.split()
    assert head == "context,project"
    assert "empty,lonely" in rows
    assert any(row.startswith("busy,") for row in rows)


def test_json_is_one_document_by_context(sites: Program) -> None:
    done = sites("--json", "--context", "busy,empty", "node", "list")
    answers = json.loads(done.stdout)
    assert list(answers) == ["busy", "empty"]
    assert answers["busy"]["items"]
    assert answers["empty"]["items"] == []


def test_a_site_that_is_down_does_not_silence_the_others(sites: Program) -> None:
    done = sites("--context", "down,busy", "switch", "list", "-o", "name")
    assert done.returncode == 3
    assert "busy sw1" in done.stdout.splitlines()
    assert "context down: " in done.stderr


def test_a_script_is_run_on_one_site_after_the_other(sites: Program) -> None:
    done = sites.script("project create both\nproject show both\n", "--context", "busy,empty")
    assert done.returncode == 0, done.stderr
    again = sites.script("project create both\n", "--context", "busy,empty", name="again.haas")
    assert again.returncode == 1
    assert "context busy: again.haas:1: " in again.stderr
    assert "context empty: again.haas:1: " in again.stderr, "one site's error is not the other's"
    sites("--context", "busy", "project", "delete", "both")


def test_nothing_is_sent_anywhere_when_a_command_is_wrong(sites: Program) -> None:
    done = sites.script("project create half\nproject lst\n", "--context", "empty,busy")
    assert done.returncode == 2
    assert "context empty: morning.haas:2: " in done.stderr
    left = sites("--context", "empty", "project", "list", "-o", "name")
    assert "half" not in left.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--context", "busy,busy", "node", "list"], "names busy twice"),
        (["--context", "busy,bussy", "node", "list"], 'did you mean "busy"?'),
        (["--context", "busy,empty"], ":ctx NAME"),
        (["--context", ",", "node", "list"], "names no context"),
    ],
)
def test_wrong_contexts_are_usage(sites: Program, words: list[str], said: str) -> None:
    done = sites(*words)
    assert done.returncode == 2
    assert said in done.stderr


class Recorder(BaseHTTPRequestHandler):
    """Notes what it is shown as a token, and refuses all."""

    shown: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.shown.append(self.headers["Authorization"])
        self.send_error(401)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


def test_the_token_of_one_daemon_is_not_shown_to_the_others(offline: Program) -> None:
    offline.environ["HAAS_TOKEN"] = "haas_secret"
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        folder = offline.folder / ".config" / "haas"
        folder.mkdir(parents=True)
        url = f'url = "http://127.0.0.1:{server.server_port}"'
        (folder / "console.toml").write_text(f"[contexts.a]\n{url}\n[contexts.b]\n{url}\n")
        offline("--context", "a", "node", "list")
        assert set(Recorder.shown) == {"Bearer haas_secret"}
        Recorder.shown.clear()
        offline("--context", "a,b", "node", "list")
        assert set(Recorder.shown) == {None}
        server.shutdown()


def test_objects_are_found_by_a_part_of_their_name_or_their_mac(sites: Program) -> None:
    nodes = json.loads(sites("--json", "--context", "busy", "node", "list").stdout)["items"]
    node, mac = next((n["node"], nic["mac"]) for n in nodes for nic in n["nics"] if nic["mac"])
    digits = mac.replace(":", "").upper()
    dotted = f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"  # as Cisco writes it
    found = sites("--context", "busy,empty", "find", dotted, "--json")
    rows = json.loads(found.stdout)["busy"]
    assert [(row["kind"], row["name"]) for row in rows] == [("node", node)]
    by_name = sites("--context", "busy", "find", "sw1", "-o", "csv", "--columns", "kind,name")
    assert "switch,sw1" in by_name.stdout.splitlines()
    nothing = sites("--context", "busy,empty", "find", "no-such-thing")
    assert (nothing.returncode, nothing.stdout, nothing.stderr.strip()) == (0, "", "none")
