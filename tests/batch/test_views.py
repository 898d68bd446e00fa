"""How data is shown: formats, columns, exit codes; what is repeated and what is followed."""

from __future__ import annotations

import csv
import io
import json
import select
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from haas_console.batch import views
from haas_console.batch.views import View
from haas_console.core.errors import CommandSyntaxError, ConsoleError

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.batch.conftest import Program

NODES = {
    "items": [
        {"node": "node-1", "state": "free", "project": None, "tags": ["gpu", "big, blue"]},
        {"node": "node-2", "state": "allocated", "project": "astro", "tags": []},
    ],
    "next": None,
}


def shown(text: str, noun: str, result: Any) -> list[str]:
    _, view = views.take(text.split())
    return views.lines(view, noun, result, width=None, bold=False)


# --- the options ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rest", "view"),
    [
        ("node list", "node list", View()),
        ("node list -o json", "node list", View(format="json")),
        ("node list -oyaml", "node list", View(format="yaml")),
        ("node list --output=csv --free", "node list --free", View(format="csv")),
        ("node list --json", "node list", View(format="json")),
        ("node list --columns state,node", "node list", View(columns=("state", "node"))),
        ("node list --watch", "node list", View(watch=2.0)),
        ("node list --watch=0.5", "node list", View(watch=0.5)),
        ("node console node-1 --watch", "node console node-1 --watch", View()),
        ("plan astro --exit-code", "plan astro", View(exit_code=True)),
        ("node show -- --json", "node show -- --json", View()),
    ],
)
def test_they_are_taken_out_of_a_command(text: str, rest: str, view: View) -> None:
    assert views.take(text.split()) == (rest.split(), view)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("node list -o jsn", 'no format "jsn", did you mean "json"'),
        ("node list -o", "-o wants a value"),
        ("node list --watch=never", '--watch wants seconds from 0.1, not "never"'),
        ("node list --watch=nan", "--watch wants seconds"),
    ],
)
def test_wrong_ones_are_named(text: str, sentence: str) -> None:
    with pytest.raises(CommandSyntaxError, match=sentence):
        views.take(text.split())


# --- formats --------------------------------------------------------------------------------------


def test_the_same_data_in_every_format() -> None:
    assert json.loads("\n".join(shown("node list -o json", "node", NODES))) == NODES
    assert yaml.safe_load("\n".join(shown("node list -o yaml", "node", NODES))) == NODES
    assert shown("node list -o name", "node", NODES) == ["node-1", "node-2"]
    rows = list(csv.DictReader(io.StringIO("\n".join(shown("node list -o csv", "node", NODES)))))
    assert rows == [
        {"node": "node-1", "state": "free", "project": "", "tags": "gpu, big, blue"},
        {"node": "node-2", "state": "allocated", "project": "astro", "tags": ""},
    ]
    assert shown("node list --columns state,node", "node", NODES) == [
        "STATE      NODE", "free       node-1", "allocated  node-2",
    ]  # fmt: skip


def test_names_are_those_that_commands_take() -> None:
    def name(noun: str, **record: object) -> str:
        return views.name_of(noun, record)

    assert name("network", network="lab", project="astro", vlan=100) == "astro/lab"
    assert name("headnode", headnode="head", project="astro") == "astro/head"
    assert name("nic", nic="eth0", node="node-1") == "node-1:eth0"
    assert name("job", job=7, project="astro") == "7"


def test_columns_narrow_json_too_and_an_unknown_one_is_named() -> None:
    [line] = shown("node list -o json --columns node", "node", NODES)
    assert json.loads(line) == {"items": [{"node": "node-1"}, {"node": "node-2"}], "next": None}
    with pytest.raises(ConsoleError, match='no column "stat", did you mean "state"'):
        shown("node list --columns stat", "node", NODES)
    assert shown("node list --columns stat", "node", {"items": [], "next": None}) == []


def test_a_plan_has_a_row_for_each_step() -> None:
    steps = [{"device": "sw1", "kind": "vlan.create"}, {"device": "sw1", "kind": "config.save"}]
    plan = {"digest": "0123456789abcdef", "steps": steps, "empty": False}
    assert shown("plan show -o csv", "plan", plan) == [
        "device,kind", "sw1,vlan.create", "sw1,config.save",
    ]  # fmt: skip


# --- the program ----------------------------------------------------------------------------------


def test_the_words_of_a_command_need_no_option(console: Program) -> None:
    """Options of the program go before them, those of the command and its view behind."""
    done = console("--quiet", "node", "list", "--free", "-o", "name")
    assert done.returncode == 0, done.stderr
    assert "node-08" in done.stdout.splitlines()

    before = console("-o", "name", "node", "show", "node-01")
    assert (before.returncode, before.stdout) == (0, "node-01\n")

    wrong = console("node", "shw", "node-01")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith('"node" has no "shw"')
    assert console("node", "list", "-c", "node list").returncode == 2

    missing = console("node", "show", "nobody", "--json")
    assert missing.returncode == 1
    assert json.loads(missing.stdout)["error"]["data"]["kind"] == "not_found"


def test_a_project_with_spaces_stays_one_word(console: Program) -> None:
    wrong = console("project", "create", "two words")
    assert wrong.returncode == 2
    assert "two words" in wrong.stderr


@pytest.mark.slow
def test_a_plan_tells_by_its_exit_code_whether_there_is_something_to_do(console: Program) -> None:
    console.json("project create exitcode", "network create exitcode net")
    node = console.free_node()
    console.json(f"node allocate exitcode {node}")
    assert console("plan", "exitcode", "--exit-code").returncode == 0
    console.json(f"connect {node}:primary-nic exitcode/net")
    assert console("plan", "exitcode", "--exit-code").returncode == 2
    assert console("plan", "exitcode").returncode == 0
    script = console.script(f"plan exitcode --exit-code\nnode show {node} -o name\n")
    assert (script.returncode, script.stdout.splitlines()[-1]) == (2, node)


@pytest.mark.slow
def test_a_list_is_repeated_until_interrupted(console: Program) -> None:
    process = console.start("project", "list", "--watch=0.1", "-o", "json", stdout=subprocess.PIPE)
    assert process.stdout
    before = json.loads(process.stdout.readline())["items"]
    console.json("project create watched")
    while (now := json.loads(process.stdout.readline())["items"]) == before:
        pass
    assert {item["project"] for item in now} - {item["project"] for item in before} == {"watched"}
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    wrong = console("project", "create", "twice", "--watch")
    assert (wrong.returncode, "repeats only what changes nothing" in wrong.stderr) == (2, True)


@pytest.mark.slow
def test_events_and_jobs_are_followed(console: Program) -> None:
    process = console.start("events", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    other = console.start("events", stdout=subprocess.PIPE)
    assert process.stdout
    assert other.stdout
    number = 0
    while not (_has_line(process) and _has_line(other)):  # until both have subscribed
        number += 1
        console.json(f"project create followed-{number}")
    event = json.loads(process.stdout.readline())
    assert (event["noun"], event["verb"]) == ("project", "created")
    assert " project followed-" in other.stdout.readline()
    for each in (process, other):
        each.send_signal(signal.SIGINT)
        assert each.wait(30) == 130

    [started] = console.json("apply start --project followed-1")
    done = console("job", "follow", str(started["job"]))
    assert done.returncode == 0
    assert "there was nothing to do" in done.stdout
    assert console("job", "follow", "99999").returncode == 1
    assert console("job", "follow", "soon").returncode == 2


def _has_line(process: subprocess.Popen[str]) -> bool:
    assert process.stdout
    return bool(select.select([process.stdout], [], [], 0.2)[0])
