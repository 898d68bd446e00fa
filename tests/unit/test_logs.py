"""The log: what each line says, and where its level comes from."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from haas_rpcd import logs
from haas_rpcd.config import LogSettings
from haas_rpcd.tasks import start_apart

log = logging.getLogger("haas_rpcd.engine.engine")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield io.StringIO()
    logs.configure(LogSettings())
    root.handlers[:] = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


async def test_a_line_says_what_it_is_about_in_the_tasks_that_are_started_there_too(
    stream: io.StringIO,
) -> None:
    async def step() -> None:
        with logs.about(step=7):
            log.info("sent")

    logs.configure(LogSettings(), stream=stream)
    with logs.about(job=3):
        task = asyncio.create_task(step())
        log.info("begun")
    log.info("elsewhere")
    await task
    assert lines(stream) == [
        "INFO haas_rpcd.engine.engine: begun [job 3]",
        "INFO haas_rpcd.engine.engine: elsewhere",
        "INFO haas_rpcd.engine.engine: sent [job 3, step 7]",
    ]


async def test_a_task_that_outlives_its_starter_is_not_about_that(stream: io.StringIO) -> None:
    """A device's worker, say, which the first of many jobs starts."""

    async def work() -> None:
        log.info("working")

    logs.configure(LogSettings(), stream=stream)
    with logs.about(request="c0ffee00", job=3):
        await start_apart(work(), "a worker")
    assert lines(stream) == ["INFO haas_rpcd.engine.engine: working"]


def test_json_lines_are_one_object_each_with_the_traceback(stream: io.StringIO) -> None:
    logs.configure(LogSettings(format="json"), stream=stream)
    with logs.about(request="c0ffee00"):
        try:
            raise LookupError("no\nsuch thing")
        except LookupError:
            log.exception("it failed\nbadly")
    [line] = lines(stream)
    found = json.loads(line)
    assert found["time"].endswith("Z")
    assert found["traceback"].startswith("Traceback")
    assert {key: found[key] for key in ("level", "logger", "message", "request")} == {
        "level": "error",
        "logger": "haas_rpcd.engine.engine",
        "message": "it failed\nbadly",
        "request": "c0ffee00",
    }


def test_levels_are_set_as_a_whole_and_for_parts_and_back(stream: io.StringIO) -> None:
    driver = logging.getLogger("haas_rpcd.drivers.switch")
    logs.configure(
        LogSettings(level="warning", levels={"haas_rpcd.drivers": "debug"}), stream=stream
    )
    log.info("not this")
    driver.debug("but this")
    logs.configure(LogSettings(), stream=stream)
    driver.debug("nor this")
    log.info("and this")
    assert [line.split(": ")[1] for line in lines(stream)] == ["but this", "and this"]


@pytest.mark.parametrize(
    "settings", [{"level": "debug"}, {"levels": {"telnetlib3.stream_writer": "debug"}}]
)
def test_what_is_typed_into_a_switch_is_never_logged(
    stream: io.StringIO, settings: dict[str, str]
) -> None:
    logs.configure(LogSettings(**settings), verbose=True, stream=stream)  # type: ignore[arg-type]
    logging.getLogger("telnetlib3.stream_writer").debug("a password")
    logging.getLogger("telnetlib3").warning("a warning")
    assert lines(stream) == ["WARNING telnetlib3: a warning"]


def test_journald_gets_the_priority_of_every_line() -> None:
    program = (
        "import logging, os, sys\n"
        "status = os.fstat(2)\n"
        "os.environ['JOURNAL_STREAM'] = f'{status.st_dev}:{status.st_ino}'\n"
        "from haas_rpcd import logs\n"
        "from haas_rpcd.config import LogSettings\n"
        "logs.configure(LogSettings())\n"
        "logging.error('two\\nlines'); logging.info('one')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        stderr=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ,
    )
    assert done.stderr.splitlines() == ["<3>ERROR root: two", "<3>lines", "<6>INFO root: one"]
