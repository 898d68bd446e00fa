"""The resource agent for Pacemaker does what its API asks for, with a real daemon.

https://github.com/ClusterLabs/OCF-spec/blob/main/ra/1.1/resource-agent-api.md
"""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.tui.harness.processes import ROOT

pytestmark = pytest.mark.slow

SCRIPT = ROOT / "examples/pacemaker/haas-rpcd"
SUCCESS, GENERIC, UNIMPLEMENTED, NOT_INSTALLED, NOT_RUNNING = 0, 1, 3, 5, 7


class Agent:
    """The agent of one resource, called as Pacemaker calls it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "haas.toml"
        self.config.write_text(f'[store]\npath = "{folder}/haas.db"\n')
        programs = Path(sys.executable).parent
        self.parameters = {
            "config": str(self.config),
            "socket": str(folder / "run/rpcd.sock"),
            "pid": str(folder / "rpcd.pid"),
            "log": str(folder / "rpcd.log"),
            "user": getpass.getuser(),
            "binary": str(programs / "haas-rpcd"),
            "console": str(programs / "haas-console"),
        }

    def __call__(self, action: str) -> int:
        reskeys = {f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()}
        timeout = {"OCF_RESKEY_CRM_meta_timeout": "60000", "OCF_RESOURCE_INSTANCE": "haas"}
        done = subprocess.run(
            [str(SCRIPT), action],
            env={**os.environ, **reskeys, **timeout},
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        self.said = done.stdout + done.stderr
        return done.returncode

    @property
    def process(self) -> int:
        return int((self.folder / "rpcd.pid").read_text())


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    yield agent
    agent("stop")


def test_it_describes_itself(agent: Agent) -> None:
    assert agent("meta-data") == SUCCESS
    described = ElementTree.fromstring(agent.said)
    actions = {action.get("name") for action in described.iter("action")}
    assert actions >= {"start", "stop", "monitor", "meta-data", "validate-all"}
    assert {each.get("name") for each in described.iter("parameter")} == set(agent.parameters)
    assert agent("dance") == UNIMPLEMENTED


def test_it_starts_watches_and_stops_a_daemon(agent: Agent) -> None:
    assert agent("monitor") == NOT_RUNNING  # as Pacemaker probes, before anything was started
    assert agent("stop") == SUCCESS
    assert agent("validate-all") == SUCCESS

    assert agent("start") == SUCCESS, agent.said
    first = agent.process
    assert agent("monitor") == SUCCESS
    assert agent("start") == SUCCESS, "starting what runs changes nothing"
    assert agent.process == first
    assert agent("reload") == SUCCESS

    os.kill(first, signal.SIGKILL)
    assert agent("monitor") == NOT_RUNNING
    assert agent("start") == SUCCESS, agent.said
    assert agent.process != first
    assert agent("stop") == SUCCESS
    assert agent("monitor") == NOT_RUNNING
    assert agent("stop") == SUCCESS


def test_a_machine_that_cannot_run_it_says_why(agent: Agent) -> None:
    agent.config.write_text("[stor]\n")
    assert agent("start") == GENERIC
    assert "its log has the reason" in agent.said
    assert "[stor]" in (agent.folder / "rpcd.log").read_text()
    agent.config.unlink()
    assert agent("start") == NOT_INSTALLED
    assert "there is no file" in agent.said
    assert agent("monitor") == NOT_RUNNING, "a probe is no error where nothing is mounted"
