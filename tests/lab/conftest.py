"""Runs the tests of ``inside/`` in the lab's kernel and reports them here under their own names.

This pytest collects them like any other tests, so ``-k``, ``-x`` and node ids work as usual. Before
it runs any test, it boots the lab and passes the selected tests to the pytest inside. That one runs
them while this pytest runs its other tests; the result of each is the report from inside.

With pytest-xdist, one worker gets all the lab's tests (``tests/conftest.py``). It boots the lab at
the first of them and waits, while the other workers run all other tests.

A kernel has one CPU. On a machine with two CPUs, tests marked ``second_kernel`` run in a second lab
beside the first.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from .uml import SHUTDOWN_SECONDS, LabError, Machine, idle_cpus

INSIDE = Path(__file__).parent / "inside"

collect_ignore = [] if os.environ.get("HAAS_TEST_HYPERVISORS") else ["inside/test_hypervisors.py"]
"""What `make test-hypervisors` runs: two hypervisors take the lab's kernel some minutes."""

SILENCE_SECONDS = 480.0
"""How long one test in the lab may take."""


class LabRun:
    """One kernel with its tests and their reports so far."""

    def __init__(self, config: pytest.Config, run: Path, cpu: int) -> None:
        self.config = config
        self.machine = Machine(run, config.rootpath, cpu)
        self.trouble = ""
        self._selected: list[str] = []
        self._tail_shown = False
        self._lines: Iterator[str] = iter(())
        self._reports: defaultdict[str, list[pytest.TestReport]] = defaultdict(list)

    def boot(self, items: list[pytest.Item]) -> None:
        """Start the lab with the selected tests."""
        options = [
            *("-c", str(INSIDE / "lab.ini"), f"--rootdir={self.config.rootpath}"),
            *(f"--confcutdir={INSIDE}", "-p", "no:cacheprovider", "-v"),
            f"--maxfail={self.config.getoption('maxfail') or 0}",
            "--color=no",
        ]
        self._selected = [item.nodeid for item in items]
        try:
            self.machine.boot(options + [_address(item) for item in items])
            self._lines = self.machine.report_lines(SILENCE_SECONDS)
        except LabError as error:
            self.trouble = str(error)

    def reports_of(self, item: pytest.Item) -> list[pytest.TestReport]:
        """Wait until the test has ended inside; return its reports (setup, call, teardown)."""
        reports = self._reports[item.nodeid]
        while not _is_complete(reports):
            try:
                line = next(self._lines, None)
            except TimeoutError:
                self.trouble = f"The lab was ended: nothing happened for {SILENCE_SECONDS:.0f} s."
                self.machine.end()
                line = None
            if line is None:
                return [*reports, self._never_ended(item)]
            report = self.config.hook.pytest_report_from_serializable(
                config=self.config, data=json.loads(line)
            )
            self._reports[report.nodeid].append(report)
        return reports

    def _never_ended(self, item: pytest.Item) -> pytest.TestReport:
        trouble = self.trouble or "The lab ended before this test did."
        if not self._tail_shown:
            self._tail_shown = True
            tail = self.machine.console_tail()
            trouble += f"\n\nThe end of {self.machine.run}/console.log:\n{tail}"
        return pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="failed",
            longrepr=trouble,
            when="call",
        )

    def close(self) -> None:
        """Let the lab power off if all its tests are done; end it if it does not, or if not."""
        if all(_is_complete(self._reports[nodeid]) for nodeid in self._selected):
            self.machine.wait(SHUTDOWN_SECONDS)
        self.machine.end()


LABS = pytest.StashKey[dict[str, LabRun]]()
"""The lab of each test, by its node id."""


def _is_complete(reports: list[pytest.TestReport]) -> bool:
    return bool(reports) and reports[-1].when == "teardown"


def _is_inside(item: pytest.Item) -> bool:
    return INSIDE in item.path.parents


def _address(item: pytest.Item) -> str:
    """Return the item's node id with its file as an absolute path."""
    _, separator, rest = item.nodeid.partition("::")
    return f"{item.path}{separator}{rest}"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that only the lab's tests use."""
    config.addinivalue_line(
        "markers", "second_kernel: runs in a second lab, beside the first, where there are two CPUs"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the lab's tests, so that ``-m 'not lab'`` leaves them out, and move them to the end.

    They have no time-out here, because they wait for their turn inside, where each has one.
    """
    for item in items:
        if _is_inside(item):
            item.add_marker("lab")
            item.add_marker(pytest.mark.timeout(0))
    items.sort(key=_is_inside)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Boot the lab first, so that its tests run at the same time as the others."""
    config = session.config
    if not config.option.collectonly and not hasattr(config, "workerinput"):
        config.stash[LABS] = _boot_labs(session)


def _boot_labs(session: pytest.Session) -> dict[str, LabRun]:
    """Boot one or two kernels for the selected tests; return the lab of each test."""
    # This is what the fixture tmp_path_factory returns; fixtures are not available here.
    folders: pytest.TempPathFactory = vars(session.config)["_tmp_path_factory"]
    cpus = idle_cpus()
    groups: dict[int, list[pytest.Item]] = {}
    for item in filter(_is_inside, session.items):
        second = len(cpus) > 1 and item.get_closest_marker("second_kernel") is not None
        groups.setdefault(int(second), []).append(item)
    labs = {}
    for number, items in sorted(groups.items()):
        lab = LabRun(session.config, folders.mktemp("lab"), cpus[number])
        lab.boot(items)
        labs |= {item.nodeid: lab for item in items}
    return labs


def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Report a test of ``inside/`` from the lab in which it runs."""
    if not _is_inside(item):
        return None
    config = item.config
    if LABS not in config.stash:  # this is the worker that gets the lab's tests
        config.stash[LABS] = _boot_labs(item.session)
    lab = config.stash[LABS][item.nodeid]
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in lab.reports_of(item):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _labs(config: pytest.Config) -> list[LabRun]:
    """Return the labs that were booted."""
    return list(dict.fromkeys(config.stash.get(LABS, {}).values()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the labs, after an interrupt as well."""
    for lab in _labs(session.config):
        lab.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print where the labs' files are; with ``-v`` or ``-s``, print the matrices as well."""
    config = terminalreporter.config
    labs = _labs(config)
    if not labs:
        return
    terminalreporter.section("the lab")
    for lab in labs:
        terminalreporter.line(f"its console, reports and matrices: {lab.machine.run}")
    if config.getoption("verbose") > 0 or config.getoption("capture") == "no":
        for lab in labs:
            for matrix in sorted(lab.machine.run.glob("matrix-*.txt")):
                terminalreporter.line("")
                terminalreporter.line(matrix.read_text().rstrip())
