"""Commands of the user's own, ``[commands.NAME]``, run on what is under the cursor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from haas_console.core.config import load_config
from haas_console.core.errors import ConfigError
from haas_console.core.owncommands import read
from haas_console.tui.screens.jobs import JobList
from haas_console.tui.textscreen import Page
from tests.tui.console import Hands, console

TOML = """
[commands.take-in]
about = "Put a node's data nic on the network lab"
key = "f6"
lines = ["node allocate --node {node}", "connect {node}:primary-nic lab"]

[commands.at]
lines = ["port show {port}"]
ask = false

[commands.again]
lines = ["job show {job}"]
ask = false
"""


@pytest.fixture
def own(tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "console.toml"
    file.write_text(TOML)
    return {"commands": load_config(file).commands}


def lines(hands: Hands) -> list[str]:
    return [record.line for record in hands.app.session.sync.log.commands]


async def test_a_key_runs_the_lines_on_the_node_under_the_cursor_after_a_question(
    socket: Path, own: dict[str, Any]
) -> None:
    async with console(socket, project="astro", **own) as hands:
        await hands.given("network create lab")
        await hands.go("node-03", "primary-nic")
        before = lines(hands)
        await hands.press("f6")
        assert "run  node allocate --node node-03 (and 1 more)?" in hands.asked
        await hands.press("escape")
        assert lines(hands) == before
        await hands.press("n", "f6")
        assert "run" not in hands.asked, "the question that is open stays"
        await hands.press("escape")
        await hands.press("f6", "y", "enter")
        await hands.until(lambda: "lab" in hands.row("node-03", "primary-nic"))
        assert lines(hands)[len(before) :] == [
            "node allocate astro --node node-03",
            "connect node-03:primary-nic lab",
        ]


async def test_what_is_missing_under_the_cursor_is_named_and_nothing_is_run(
    socket: Path, own: dict[str, Any]
) -> None:
    async with console(socket, project="astro", **own) as hands:
        await hands.given("network create lab")
        await hands.press("tab")  # to the networks
        before = lines(hands)
        await hands.type(":take-in\r")
        assert "take-in wants a node: put the cursor on one." in hands.bar("message")
        assert lines(hands) == before


async def test_palette_completion_and_help_know_them(socket: Path, own: dict[str, Any]) -> None:
    async with console(socket, project="astro", **own) as hands:
        await hands.go("node-03", "primary-nic")
        await hands.press("ctrl+p")
        await hands.type("data nic on\r")  # of what it is about
        assert "run  node allocate --node node-03" in hands.asked
        await hands.press("escape")
        await hands.type(":take\t\r")
        assert "run  node allocate --node node-03" in hands.asked
        await hands.press("escape", "question_mark")
        page = "\n".join(hands.app.screen.query_one(Page).text)
        assert "f6             Put a node's data nic on the network lab" in page
        assert ":at            at" in page


async def test_a_port_and_a_job_are_put_in_from_their_own_screens(
    socket: Path, own: dict[str, Any]
) -> None:
    async with console(socket, project="astro", **own) as hands:
        await hands.given("node allocate --node node-01")
        await hands.go("node-01", "primary-nic")
        await hands.type(":at\r")
        assert lines(hands)[-1] == "port show sw1 Gi1/0/2"
        await hands.press("escape", "J")
        jobs = hands.app.screen.query_one(JobList)
        await hands.until(lambda: jobs.items)
        await hands.type(":again\r")
        assert lines(hands)[-1] == f"job show {jobs.items[0].job}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("commands = 1", "wants tables such as"),
        ("[commands.Drain]\nlines = ['jobs']", "a name is one word"),
        (
            "[commands.drain]\nline = ['jobs']",
            'unknown key "line", did you mean "lines"?',
        ),
        ("[commands.drain]\nlines = []", "drain: lines is empty"),
        (
            "[commands.drain]\nlines = ['node show {nodes}']",
            'no blank "{nodes}"; there are: {node}',
        ),
    ],
)
def test_what_is_wrong_in_console_toml_is_said(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "console.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_config(file)
    assert str(error.value).startswith(f"{file}: commands: ")
    assert sentence in str(error.value)


async def test_a_key_that_is_none_is_said(socket: Path) -> None:
    commands = read({"drain": {"lines": ["job list"], "key": "no key"}})
    async with console(socket, commands=commands) as hands:
        assert '[commands.drain] key: "no key" is no key' in hands.bar("message")
