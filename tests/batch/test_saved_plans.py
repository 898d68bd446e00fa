"""Plans in files, and applies of a part of a project."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from haas_console.core.commands import Apply, ApplyFile, Call, SavePlan
from haas_console.core.errors import CommandSyntaxError
from haas_console.core.language import Language

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.batch.conftest import Program


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("plan red --out=night.json", SavePlan("night.json", {"project": "red"})),
        ("plan --site --out -", SavePlan("-", {})),
        (
            "plan red --target=node-1 --out=./p",
            SavePlan("./p", {"project": "red", "target": "node-1"}),
        ),
        ("plan red --target=blue/net", Call("plan.show", {"project": "red", "target": "blue/net"})),
        ("apply red --target=node-1", Apply("red", target="node-1")),
        ("apply --target blue/net red", Apply("red", target="blue/net")),
        ("apply ./night.json", ApplyFile("./night.json")),
        ("apply /tmp/p --confirm=60", ApplyFile("/tmp/p", 60)),
        ("apply --confirm 60 -", ApplyFile("-", 60)),
        ("apply night.json", Apply("night.json")),  # a project may have this name
    ],
)
def test_the_words_say_what_is_a_file(released: Language, line: str, command: object) -> None:
    assert released.parse_line(line) == command
    assert isinstance(command, SavePlan | Call | Apply | ApplyFile)
    assert released.parse_line(released.format(command)) == command


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("plan red --out", "--out wants a file; - is stdout"),
        ("apply ./p --target node-1", 'no option "--target"; there are --file, --confirm'),
        ("apply ./p --site", "./p says what it is a plan of, so --site has no place"),
        ("apply ./p 60 red", 'too many words: "red" has no place'),
    ],
)
def test_a_file_says_what_is_applied(released: Language, line: str, why: str) -> None:
    with pytest.raises(CommandSyntaxError) as error:
        released.parse_line(line)
    assert error.value.message == why


@pytest.mark.slow
def test_a_saved_plan_is_applied_as_it_is_or_not_at_all(console: Program) -> None:
    one, two = [node["node"] for node in console.json("node list --free")[0]["items"][:2]]
    console.json(
        "project create saved",
        f"node allocate saved {one}",
        f"node allocate saved {two}",
        "network create saved net",
        f"connect {one}:primary-nic net",
    )
    kept = console("plan", "saved", "--out", "night.json")
    assert kept.returncode == 0, kept.stderr
    assert f"({one}:primary-nic)" in kept.stdout
    assert kept.stderr == "saved; it is applied as it is by  apply ./night.json\n"
    document = json.loads((console.folder / "night.json").read_text())
    assert (document["haas_plan"], document["project"]) == (1, "saved")

    console.json(f"connect {two}:primary-nic net")
    stale = console("apply", "night.json")
    assert (stale.returncode, stale.stdout) == (1, "")
    assert stale.stderr.startswith(
        "night.json is stale, so nothing was applied: what is staged or applied has changed since"
    )
    assert f"({two}:primary-nic)" in stale.stderr
    assert "\n  + " in stale.stderr
    assert "\n  - " not in stale.stderr

    part = console("plan", "saved", "--target", one, "--out", "-", "--exit-code")
    assert (part.returncode, part.stderr) == (2, "")
    assert json.loads(part.stdout)["target"] == one
    done = console("apply", "-", stdin=part.stdout)
    assert done.returncode == 0, done.stderr
    left = console("plan", "saved")
    assert f"({two}:primary-nic)" in left.stdout
    assert f"({one}:primary-nic)" not in left.stdout

    assert console("--json", "plan", "saved", "--out", "now.plan").returncode == 0
    kept = console("apply", "now.plan", "--confirm", "600")
    assert kept.returncode == 0
    assert re.search(r"it goes back at \S+Z unless confirmed: job confirm \d+", kept.stderr)
    assert console("plan", "saved", "--exit-code").stdout == "nothing to do\n"


def test_a_file_that_is_no_plan_is_named(console: Program) -> None:
    (console.folder / "notes").write_text("buy milk\n")
    wrong = console("apply", "./notes")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("./notes is no saved plan (")
    assert wrong.stderr.endswith("one is made by  plan PROJECT --out FILE\n")
    assert console("apply", "Nobody").stderr == "there is neither a project nor a file Nobody\n"
    forced = {**console.environ, "SSH_ORIGINAL_COMMAND": "apply ./notes"}
    console.environ = forced
    assert console().stderr.startswith(
        "-c:1: over SSH no file of the master is opened: take the plan"
    )
