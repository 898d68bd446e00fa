"""Fixtures for the tests of batch mode: a small API, the program, and real daemons."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from haas_console.core.api import Api, packaged_api
from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_console.core.errors import NoDaemonError
from haas_console.core.language import Language

ROOT = Path(__file__).parents[2]

NAME = {"type": "string", "pattern": r"^[a-z0-9][a-z0-9.-]{0,62}\Z", "description": "A name."}
PROJECT = {"anyOf": [NAME, {"type": "null"}], "default": None}
FLAG = {"type": "boolean", "default": False}
VLAN = {"anyOf": [{"type": "integer", "minimum": 2, "maximum": 4094}, {"type": "null"}]}
NICS = {"type": "array", "items": {"$ref": "#/components/schemas/NicSpec"}, "minItems": 1}
NIC_SPEC = {
    "type": "object",
    "properties": {
        "nic": {"type": "string"},
        "kind": {"enum": ["data", "bmc"], "default": "data"},
        "switch": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "port": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    },
    "required": ["nic"],
    "additionalProperties": False,
}
TAGS = {"type": "array", "items": {"type": "string"}, "default": []}


def _method(name: str, mutates: bool = False, **params: Any) -> dict[str, Any]:
    """A method; a param whose name ends in ``_`` is optional."""
    return {
        "name": name,
        "summary": f"Do {name}.",
        "params": [
            {"name": key.rstrip("_"), "required": not key.endswith("_"), "schema": schema}
            for key, schema in params.items()
        ],
        "x-mutates": mutates,
    }


DOCUMENT: dict[str, Any] = {
    "openrpc": "1.3.2",
    "info": {"title": "a small HaaS", "version": "0"},
    "methods": [
        _method("project.create", True, project=NAME),
        _method("project.list", limit_={"type": "integer"}, after_=PROJECT),
        _method("project.add_member", True, project=NAME, user=NAME),
        _method("node.register", True, node=NAME, nics=NICS, tags_=TAGS),
        _method("node.allocate", True, project=NAME, node_=PROJECT, count_=VLAN, tag_=PROJECT),
        _method("node.list", project_=PROJECT, free_=FLAG, tag_=PROJECT),
        _method("node.show", node=NAME),
        _method("network.create", True, project=NAME, network=NAME, vlan_=VLAN),
        _method(
            "port.register", True, switch=NAME, ports=TAGS, role_={"enum": ["access", "trunk"]}
        ),
        _method("switch.register", True, switch=NAME, options_={"type": "object"}),
        _method("nic.connect", True, node=NAME, nic=NAME, network=NAME, tagged_=FLAG),
        _method("nic.disconnect", True, node=NAME, nic=NAME, network_=PROJECT),
        _method("plan.show", project_=PROJECT),
        _method("apply.start", True, project_=PROJECT, digest_=PROJECT),
        _method("site.import", True, site={"type": "string"}, dry_run_=FLAG),
        _method("site.export", tenants_=FLAG),
        _method("odd.order", items=TAGS, last={"type": "string"}),
        _method("odd.types", ratio={"type": "number"}, either={"type": ["integer", "string"]}),
    ],
    "components": {"schemas": {"NicSpec": NIC_SPEC}},
}


@pytest.fixture(scope="session")
def language() -> Language:
    """The commands of a small API with every kind of parameter."""
    return Language(Api(DOCUMENT))


@pytest.fixture(scope="session")
def released() -> Language:
    """The commands of the released API."""
    return Language(packaged_api())


class Program:
    """Runs ``haas-console`` as a process."""

    def __init__(self, folder: Path, socket: Path | None) -> None:
        self.folder = folder
        self.socket = socket
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "TERM": "xterm",
            "LANG": "C.UTF-8",
        }
        if socket:
            self.environ["HAAS_SOCKET"] = str(socket)

    def start(self, *args: str, **kwargs: Any) -> subprocess.Popen[str]:
        """Start it in its own folder."""
        return subprocess.Popen(
            [sys.executable, "-m", "haas_console", *args],
            cwd=self.folder,
            env=self.environ,
            text=True,
            **kwargs,
        )

    def __call__(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            [sys.executable, "-m", "haas_console", *args],
            cwd=self.folder,
            env=self.environ,
            text=True,
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def start_in_shell(
        self, redirections: str, *args: str, before: str = "", **kwargs: Any
    ) -> subprocess.Popen[str]:
        """Start it from a shell with redirections such as ``>&-``; ``before``: a shell command."""
        command = (sys.executable, "-m", "haas_console", *args)
        return subprocess.Popen(
            ["sh", "-c", f'{before} exec "$@" {redirections}', "sh", *command],
            cwd=self.folder,
            env=self.environ,
            text=True,
            **kwargs,
        )

    def in_shell(
        self, redirections: str, *args: str, before: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end from a shell with redirections."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with self.start_in_shell(redirections, *args, before=before, **pipes) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def script(self, text: str, *args: str, name: str = "morning.haas") -> Any:
        """Run a script with this text and name."""
        (self.folder / name).write_text(text)
        return self("--script", name, *args)

    def json(self, *commands: str) -> list[Any]:
        """Run commands, which must succeed, and return their documents."""
        words = [word for command in commands for word in ("-c", command)]
        done = self("--json", *words)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def free_node(self) -> str:
        """The name of a free node."""
        return str(self.json("node list --free")[0]["items"][0]["node"])


@pytest.fixture
def offline(tmp_path: Path) -> Program:
    """The program without a daemon."""
    return Program(tmp_path, tmp_path / "nobody.sock")


class Daemon:
    """A real haas-rpcd."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.socket = folder / "rpcd.sock"
        self._args = args
        self._log = (folder / "rpcd.log").open("ab")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "haas_rpcd", *self._args, "--socket", str(self.socket)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        asyncio.run(self._until_it_answers())

    async def _until_it_answers(self) -> None:
        async with asyncio.timeout(60):
            while self.process.poll() is None:
                try:
                    client = await Client.connect(Endpoint(str(self.socket), None, "the test"))
                except NoDaemonError:
                    await asyncio.sleep(0.02)
                    continue
                await client.close()
                return
        raise AssertionError(f"the daemon ended with {self.process.returncode}: {self._log.name}")

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Terminate it."""
        self.process.terminate()
        self.process.wait(timeout=60)
        self._log.close()


@pytest.fixture(scope="module")
def demo_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A demo data centre for the tests of one file; each test creates its own project."""
    daemon = Daemon(tmp_path_factory.mktemp("rpcd"), "--demo")
    yield daemon
    daemon.stop()


@pytest.fixture
def console(tmp_path: Path, demo_daemon: Daemon) -> Program:
    """The program, connected to the demo data centre."""
    return Program(tmp_path, demo_daemon.socket)


@pytest.fixture
def own_daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon for one test, which may restart it; with an empty inventory and no master."""
    config = tmp_path / "haas.toml"
    config.write_text(
        f'[store]\npath = "{tmp_path}/haas.db"\n'
        f'[credentials]\nfile = "{tmp_path}/credentials.toml"\n'
    )
    credentials = tmp_path / "credentials.toml"
    credentials.touch(mode=0o600)
    credentials.write_text('[any]\nusername = "haas"\npassword = "secret"\n')
    daemon = Daemon(tmp_path, "--config", str(config))
    yield daemon
    daemon.stop()


@pytest.fixture
def beside(tmp_path: Path, own_daemon: Daemon) -> Program:
    """The program, connected to the test's own daemon."""
    return Program(tmp_path, own_daemon.socket)
