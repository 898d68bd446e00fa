"""Plans and jobs as lines, without a screen: what is shown, folded, marked and cut."""

from __future__ import annotations

import pytest

from haas_console.core import jobtree
from haas_console.core.inventory import Inventory
from haas_console.core.joblist import newest_first
from haas_console.core.plandiff import Plan, difference, read_plan, rows, tally, totals
from haas_console.core.sharedlines import with_below
from haas_console.tui.glyphs import ASCII, UNICODE, glyphs
from haas_schemas.job import Job
from haas_schemas.node import Nic, NicNetwork, Node


def step(device: str, kind: str, target: str, summary: str, *lines: str) -> dict[str, object]:
    return {"device": device, "kind": kind, "target": target, "summary": summary, "lines": lines}


PARK = step("sw1", "port.park", "Gi1/0/2", "park Gi1/0/2", "interface Gi1/0/2", "shutdown")
MAKE = step("sw1", "vlan.create", "101", "make VLAN 101", "vlan 101")
JOIN = step("sw2", "port.set", "Gi1/0/4", "set Gi1/0/4 to access 101", "interface Gi1/0/4")
SAVE = step("sw1", "config.save", "", "save sw1", "write memory")


def plan(*steps: dict[str, object], inventory: Inventory | None = None) -> Plan:
    return read_plan("astro", {"digest": "d", "steps": steps}, inventory or Inventory())


def test_a_plan_is_grouped_by_device_in_the_order_of_its_steps() -> None:
    shown = plan(PARK, JOIN, MAKE, SAVE)
    assert list(shown.devices) == ["sw1", "sw2"]
    assert [s.sign for s in shown.devices["sw1"]] == ["-", "+", "="]
    assert totals(shown) == "4 steps, 5 lines, 2 devices"
    assert tally(shown.steps) == "1 port leaves, 1 port joins, 1 VLAN made, 1 save"


def test_several_steps_of_a_kind_are_counted_in_the_plural() -> None:
    another = step("sw1", "port.park", "Gi1/0/6", "park Gi1/0/6")
    bridge = step("master", "bridge.create", "101", "make br-vlan101")
    power = step("bmc:node-1", "node.power", "node-1", "switch node-1 on")
    shown = plan(PARK, another, JOIN, MAKE, bridge, SAVE, {**SAVE, "device": "sw2"}, power)
    assert tally(shown.steps) == (
        "2 ports leave, 1 port joins, 1 VLAN made, 1 bridge made, 2 saves, 1 change"
    )


def test_a_port_that_goes_from_one_network_to_another_moves() -> None:
    nic = Nic("eth0", "data", None, "sw2", "Gi1/0/4", "staged",
              (NicNetwork("store", 101),), (NicNetwork("lab", 100),))  # fmt: skip
    node = Node("node-1", "allocated", "astro", (), (nic,))
    (moved,) = plan(JOIN, inventory=Inventory(nodes={"node-1": node})).steps
    assert (moved.sign, moved.word, moved.note) == ("~", "moves", "lab -> store")


def test_new_and_vanished_steps_are_marked() -> None:
    before, after = plan(PARK, SAVE), plan(MAKE, SAVE)
    changed = difference(before, after)
    assert changed.sentence == "new: sw1: make VLAN 101; gone: sw1: park Gi1/0/2"
    shown = rows(after, (), changed)
    assert [r.text for r in shown if r.new] == ["make VLAN 101"]
    assert [r.text for r in shown if r.what == "gone"] == ["park Gi1/0/2"]
    assert not difference(before, before)


def test_steps_that_share_lines_say_where_those_are() -> None:
    first = step("sw1", "port.set", "Gi1/0/2", "set Gi1/0/2 to access 101")
    last = step("sw1", "port.set", "Gi1/0/4", "set Gi1/0/4 to access 101", "interface range")
    shown = plan(first, JOIN, {**first, "target": "Gi1/0/3"}, last, SAVE)
    assert [s.below for s in shown.devices["sw1"]] == [2, 1, 0, 0]
    assert [with_below(n) for n in (2, 1, 0)] == [
        "with the steps below", "with the step below", "",
    ]  # fmt: skip
    own = [row for row in rows(shown, ()) if row.what == "step" and row.text.startswith("set Gi1")]
    assert [bool(row.key) for row in own] == [False, False, True, True]  # nothing to fold


def test_steps_without_lines_refer_to_no_others() -> None:
    silent = step("master", "bridge.create", "101", "make br-vlan101")
    assert [s.below for s in plan(silent, PARK).steps] == [0, 0]


def test_folding_hides_lines_or_whole_devices() -> None:
    shown = plan(PARK, MAKE)
    assert [r.what for r in rows(shown, ())] == ["device", "step", "line", "line", "step", "line"]
    assert [r.what for r in rows(shown, {"sw1 vlan.create 101"})][-1] == "step"
    assert [r.what for r in rows(shown, {"sw1"})] == ["device"]


def job_step(number: int, state: str, **more: object) -> dict[str, object]:
    lines = ["interface Gi1/0/2", "shutdown"]
    output = {"step": number, "device": "sw1", "summary": f"step {number}", "lines": lines}
    return {**output, "state": state, "message": None, **more}


def one_part(*steps: dict[str, object]) -> jobtree.Part:
    numbered = dict(enumerate(steps, 1))
    (part,) = jobtree.parts(numbered, {1: 100.0}, {2: 103.5}, 110.0)
    return part


def test_a_device_runs_until_all_its_steps_have_ended() -> None:
    assert one_part(job_step(1, "pending")).state == "waiting"
    running = one_part(job_step(1, "done"), job_step(2, "sending", line="shutdown"))
    assert (running.state, running.done, running.now) == ("running", 1, "shutdown")
    assert running.elapsed == 10.0
    waiting = one_part(job_step(1, "done"), job_step(2, "pending"))
    assert waiting.now == "confirmed: step 1; now it waits for other devices"
    over = one_part(job_step(1, "done"), job_step(2, "done"))
    assert (over.state, over.elapsed) == ("done", 3.5)
    assert one_part(job_step(1, "done"), job_step(2, "cancelled")).state == "cancelled"


def test_the_line_being_sent_is_marked() -> None:
    part = one_part(job_step(1, "sending", line="shutdown"))
    found = jobtree.rows([part], (), 80)
    assert [r.state for r in found if r.what == "line"] == ["sent", "current"]


def test_a_failure_is_shown_in_full_even_when_folded() -> None:
    why = "the switch refused it " * 8
    part = one_part(job_step(1, "done"), job_step(2, "failed", message=why))
    found = jobtree.rows([part], {"sw1"}, 60)
    output = " ".join(row.text for row in found if row.what == "message")
    assert output == why.strip()
    assert all(len(row.text) <= 52 for row in found if row.what == "message")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.42, "0.4 s"), (12.7, "12 s"), (185, "3:05"), (3725, "1:02:05")],
)
def test_durations_are_shown_in_seconds_minutes_and_hours(seconds: float | None, text: str) -> None:
    assert jobtree.clock(seconds) == text


def test_jobs_are_listed_newest_first_and_filtered_by_field() -> None:
    stamp = "2026-01-01T10:00:00.000Z"
    jobs = [
        Job(n, project, "apply", state, "root", 1, 1, stamp, stamp, stamp, None, ())
        for n, project, state in ((1, "astro", "failed"), (2, None, "succeeded"))
    ]
    assert [job.job for job in newest_first(jobs)] == [2, 1]
    assert [job.job for job in newest_first(jobs, "state=failed")] == [1]
    assert [job.job for job in newest_first(jobs, "!project=astro")] == [2]
    with pytest.raises(ValueError, match='no field "colour"'):
        newest_first(jobs, "colour=red")


def test_bars_and_signs_are_ascii_on_an_ascii_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for locale, wanted in (("de_AT.UTF-8", UNICODE), ("de_AT.ISO-8859-1", ASCII)):
        glyphs.cache_clear()
        monkeypatch.setenv("LC_ALL", locale)
        assert glyphs() is wanted
    glyphs.cache_clear()
    assert ASCII.bar(3, 4, 10) == "[######..]"
    assert ASCII.bar(0, 0, 10) == "[........]"
    assert "".join(ASCII.states.values()).isascii()
    assert ASCII.states.keys() == UNICODE.states.keys()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_character_of_a_message_or_a_line_is_cut_at_any_width(width: int) -> None:
    message = "sw1 refused  " + "switchport trunk allowed vlan " * 9 + "THE END"
    line = "switchport trunk allowed vlan " + ",".join(map(str, range(100, 180))) + "END"
    step = {
        "step": 1, "device": "sw1", "kind": "port.set", "summary": "s", "state": "failed",
        "lines": [line], "message": message,
    }  # fmt: skip
    shown = jobtree.rows(jobtree.parts({1: step}, {}, {}, None), (), width)
    texts = [row.text for row in shown if row.what == "message"]
    assert max(map(len, texts)) + jobtree.MESSAGE_INDENT < width
    assert " ".join(texts).split() == message.split()
    pieces = [row.text for row in shown if row.what == "line"]
    assert max(map(len, pieces)) + jobtree.LINE_INDENT < width
    assert "".join(pieces) == line
