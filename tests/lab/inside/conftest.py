"""Fixtures of the tests inside the lab's kernel, and their reports to the outer pytest.

The outer pytest reads this file as well, to collect the tests, but uses nothing of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from haas_rpcd.drivers.hostnet.driver import Host
from haas_rpcd.drivers.hostnet.netlink import ThisMachine
from haas_rpcd.drivers.remote.network import RemoteNetwork
from tests.unit.remote_host import remote_host, ssh_server

from .. import topology
from ..frames import Wire
from ..hypervisor import Hypervisor
from ..terminal import Terminal, log_in


def pytest_configure(config: pytest.Config) -> None:
    """Report to the outer pytest, if there is one."""
    if "HAAS_LAB_INSIDE" in os.environ:
        reports = Path(os.environ["HAAS_LAB_INSIDE"]) / "reports.jsonl"
        config.pluginmanager.register(Reporter(config, reports))


class Reporter:
    """Writes each report as a line, at once."""

    def __init__(self, config: pytest.Config, reports: Path) -> None:
        self._config = config
        self._reports = reports

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write a report."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        # The host sees what was written only when the file is closed.
        with self._reports.open("a") as file:
            file.write(json.dumps(data) + "\n")


@pytest.fixture(scope="module")
def lab() -> Iterator[topology.Lab]:
    """The lab, new for each file of tests."""
    built = topology.build()
    yield built
    built.remove()


@pytest.fixture
async def host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Host]:
    """The master's network: as the daemon reaches it there, and as it reaches that of another
    hypervisor. Whatever holds for one must hold for the other.
    """
    if getattr(request, "param", "netlink") == "netlink":
        yield ThisMachine()
        return
    async with ssh_server() as server:
        remote = remote_host(server, tmp_path)
        yield RemoteNetwork(remote)
        await remote.close()


@pytest.fixture(scope="module")
def wire(lab: topology.Lab) -> Wire:
    """All places in the lab where frames are sent and heard."""
    return Wire(lab)


@pytest.fixture
async def terminal(lab: topology.Lab) -> AsyncIterator[Terminal]:
    """A session at the switch's prompt."""
    async with log_in(lab.switch.address) as session:
        yield session


@pytest.fixture(scope="session")
def hypervisor() -> Hypervisor:
    """The master's running libvirt with the base image defined. It ends with the lab."""
    started = Hypervisor()
    started.start()
    started.define_base()
    return started
