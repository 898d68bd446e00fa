"""The messages when the lab cannot run or ends before its tests. These tests need no lab."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import uml


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_without_root_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(uml.LabError, match="needs root"):
        uml.check_host()


@pytest.mark.usefixtures("root")
def test_the_error_about_missing_programs_names_their_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(uml, "SEARCH", str(tmp_path))
    with pytest.raises(uml.LabError, match=r"make setup.*busybox-static.*user-mode-linux"):
        uml.check_host()


@pytest.fixture
def machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[uml.Machine]:
    """A machine whose kernel is a shell script, the parameter of the test."""
    kernel = tmp_path / "linux.uml"
    kernel.write_text(f"#!/bin/sh\n{request.param}\n")
    kernel.chmod(0o755)
    monkeypatch.setattr(uml, "check_host", lambda: None)
    monkeypatch.setattr(uml, "SEARCH", f"{tmp_path}:{uml.SEARCH}")
    run = tmp_path / "run"
    run.mkdir()
    made = uml.Machine(run, root=tmp_path, cpu=uml.idle_cpus()[0])
    made.boot([])
    yield made
    made.end()


@pytest.mark.parametrize(
    "machine", ["echo 'Kernel panic - not syncing'"], indirect=True, ids=["panic"]
)
def test_the_reports_end_when_the_kernel_dies(machine: uml.Machine) -> None:
    assert list(machine.report_lines(seconds=10)) == []
    assert machine.console_tail() == "Kernel panic - not syncing"


@pytest.mark.parametrize("machine", ["sleep 60 & wait"], indirect=True, ids=["silence"])
def test_a_silent_kernel_times_out_and_can_be_ended(machine: uml.Machine) -> None:
    with pytest.raises(TimeoutError):
        list(machine.report_lines(seconds=0.2))
    machine.end()
    assert not machine.running
