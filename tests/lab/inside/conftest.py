"""Fixtures of the tests that run inside the lab's kernel, and their reports to the outer pytest.

The outer pytest reads this file, too, to collect the tests; it runs none of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from .. import topology
from ..frames import Wire
from ..hypervisor import Hypervisor
from ..terminal import Terminal, log_in


def pytest_configure(config: pytest.Config) -> None:
    """Report to the outer pytest, when there is one."""
    if "HAAS_LAB_INSIDE" in os.environ:
        reports = Path(os.environ["HAAS_LAB_INSIDE"]) / "reports.jsonl"
        config.pluginmanager.register(Reporter(config, reports))


class Reporter:
    """Writes a line for each report, as it comes."""

    def __init__(self, config: pytest.Config, reports: Path) -> None:
        self._config = config
        self._reports = reports

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the report down."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        # Closed each time, because that is when the host gets to see what was written.
        with self._reports.open("a") as file:
            file.write(json.dumps(data) + "\n")


@pytest.fixture(scope="module")
def lab() -> Iterator[topology.Lab]:
    """The picture, fresh for each file of tests."""
    built = topology.build()
    yield built
    built.remove()


@pytest.fixture(scope="module")
def wire(lab: topology.Lab) -> Wire:
    """All the places in the lab where frames can be sent and heard."""
    return Wire(lab)


@pytest.fixture
async def terminal(lab: topology.Lab) -> AsyncIterator[Terminal]:
    """A session at the switch's prompt."""
    async with log_in(lab.switch.address) as session:
        yield session


@pytest.fixture(scope="session")
def hypervisor() -> Hypervisor:
    """The master's libvirt, running, with the base image defined. It ends with the lab."""
    started = Hypervisor()
    started.start()
    started.define_base()
    return started
