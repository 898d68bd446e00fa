"""Records as text: tables, keys and values, plans."""

from __future__ import annotations

import pytest

from haas_console.core.jobs import JobView
from haas_console.core.text import brief, change_text, clean, plan_lines, record_lines, table

PRIMARY = {
    "nic": "primary-nic",
    "kind": "data",
    "switch": "sw1",
    "port": "Gi1/0/2",
    "state": "staged",
    "networks": [{"network": "net", "vlan": 104, "tagged": True}],
    "applied": None,
}
IPMI = {**PRIMARY, "nic": "ipmi-nic", "kind": "bmc", "port": "Gi1/0/1", "networks": []}
NODE = {"node": "node-1", "state": "free", "project": None, "tags": [], "nics": [IPMI, PRIMARY]}


def test_a_list_is_an_aligned_table_without_empty_columns() -> None:
    networks = [{"network": "net", "vlan": 104, "tag": None}, {"network": "big-net", "vlan": 7}]
    assert table(networks) == ["NETWORK  VLAN", "net       104", "big-net     7"]


def test_a_node_in_a_list_shows_its_nics_and_networks_without_json() -> None:
    lines = table([NODE])
    assert lines[1].split("  ")[-1].strip() == "ipmi-nic, primary-nic (net tagged)"
    assert not set("{}[]'\"") & set("".join(lines))


def test_a_single_node_shows_its_nics_as_a_table() -> None:
    assert record_lines(NODE) == [
        "node     node-1",
        "state    free",
        "project  -",
        "tags     -",
        "nics:",
        "  NIC          KIND  SWITCH  PORT     STATE   NETWORKS",
        "  ipmi-nic     bmc   sw1     Gi1/0/1  staged  -",
        "  primary-nic  data  sw1     Gi1/0/2  staged  net tagged",
    ]


def test_the_widest_column_is_cut_on_a_narrow_terminal_but_not_in_a_pipe() -> None:
    rows = [{"node": "n1", "note": "a very long explanation indeed"}]
    assert table(rows, width=20)[1] == "n1    a very long e…"
    assert table(rows)[1].endswith("indeed")


def test_control_characters_from_devices_are_escaped() -> None:
    assert clean("refused:\x1b[2J\x07 no") == "refused:\\x1b[2J\\x07 no"
    assert brief("two\nlines") == "two lines"


def test_a_confirmation_adds_what_the_command_does_not_contain() -> None:
    answer = {"project": "alpha", "network": "net", "vlan": 104, "shared_with": [], "nics": 0}
    assert change_text(answer, {"project": "alpha", "network": "net"}) == "vlan 104"
    assert change_text(None, {}) == ""
    assert change_text({"deleted": True, "note": None}, {}) == "deleted"


def test_a_plan_shows_the_exact_lines_and_ends_with_its_digest() -> None:
    step = {"device": "sw1", "summary": "Gi1/0/1: access 104", "lines": ["interface Gi1/0/1"]}
    assert plan_lines({"digest": "d1", "steps": [step], "empty": False}) == [
        "  1  sw1: Gi1/0/1: access 104",
        "       interface Gi1/0/1",
        "digest  d1",
    ]
    assert plan_lines({"digest": "d0", "steps": [], "empty": True}) == ["nothing to do"]


def _event(number: int, state: str, done: int, message: str | None = None) -> dict[str, object]:
    step = {"step": number, "device": f"sw{number}", "summary": "parked", "state": state}
    return {
        "job": 7,
        "state": "running",
        "done": done,
        "total": 2,
        "step": {**step, "message": message, "line": "shutdown" if state == "sending" else None},
        "error": None,
    }


def test_a_queued_job_gets_its_steps_from_its_events() -> None:
    view = JobView(7)
    view.replace({"job": 7, "state": "queued", "done": 0, "total": 0, "steps": []})
    assert view.devices() == []
    view.update(_event(1, "sending", 0) | {"seq": 1})
    assert [(part.device, part.current) for part in view.devices()] == [("sw1", "shutdown")]
    view.update(_event(1, "done", 1) | {"seq": 2})
    view.update(_event(2, "failed", 1, "the switch refused") | {"seq": 3})
    view.update(_event(1, "sending", 0) | {"seq": 1})  # late: the step is known to be done
    assert [(p.device, p.done, p.total, p.failed, p.current) for p in view.devices()] == [
        ("sw1", 1, 1, 0, ""),
        ("sw2", 0, 1, 1, "the switch refused"),
    ]
    assert not view.final


def test_a_headnode_s_wanted_state_is_shown_beside_its_actual_one() -> None:
    login = {"project": "astro", "headnode": "login", "state": "running", "running": False}
    assert table([login]) == [
        "PROJECT  HEADNODE  STATE    WANTED",
        "astro    login     running  stopped",
    ]
    assert "wanted    stopped" in record_lines(login)
    assert (
        change_text(login, {"project": "astro"}) == "headnode login, state running, wanted stopped"
    )


@pytest.mark.parametrize(
    ("vlans", "shown"),
    [
        ({"untagged": None, "tagged": ""}, "parked"),
        ({"untagged": 104, "tagged": ""}, "access 104"),
        ({"untagged": None, "tagged": "100-199"}, "tagged 100-199"),
        ({"untagged": 104, "tagged": "105,106"}, "untagged 104, tagged 105,106"),
    ],
)
def test_the_vlans_of_a_port_are_shown_in_the_terms_of_plans(
    vlans: dict[str, object], shown: str
) -> None:
    assert brief(vlans) == shown
