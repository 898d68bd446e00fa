"""Answers of devices as text: drift, probes, host keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from haas_console.core.devicetext import answer_lines, remarks

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.batch.conftest import Program

PORT = {
    "device": "sw1", "kind": "port", "target": "Gi1/0/2", "applied": "access 100",
    "observed": "parked", "project": "red", "behind": "node-1:eth0",
    "since": "2026-01-31T12:00:00.123Z",
}  # fmt: skip
VLAN = {**PORT, "kind": "vlan", "target": "107", "applied": "absent", "observed": "present",
        "project": None, "behind": None}  # fmt: skip
PROBE = {
    "switch": "sw1", "reachable": True, "prompt": "sw1#", "model": "WS-C2960", "version": None,
    "said": ["Cisco IOS"], "vlans": "1,100", "dry_run": False, "warnings": [],
    "ports": [
        {"port": "Gi1/0/1", "carries": {"untagged": None, "tagged": ""}, "managed": True,
         "adopted": False, "open": False, "not_understood": None},
        {"port": "Gi1/0/2", "carries": {"untagged": 5, "tagged": "7-9"}, "managed": False,
         "adopted": False, "open": True, "not_understood": None},
    ],
}  # fmt: skip
KEY = {
    "switch": "sw1", "host": "192.0.2.7", "port": 22, "type": "ssh-ed25519",
    "fingerprint": "SHA256:abc", "state": "unknown", "stored": False, "trusted": [],
    "note": "compare it",
}  # fmt: skip


def test_drift_is_a_table_with_what_is_applied_and_what_is_found() -> None:
    report = {"checked": ["sw1"], "unreachable": [], "items": [PORT, VLAN]}
    assert answer_lines("drift.check", report) == [
        "DEVICE  TARGET    APPLIED     NOW      PROJECT  BEHIND       SINCE",
        "sw1     Gi1/0/2   access 100  parked   red      node-1:eth0  2026-01-31T12:00:00Z",
        "sw1     VLAN 107  absent      present  -        -            2026-01-31T12:00:00Z",
    ]
    assert remarks("drift.check", report) == ["2 drifted; 1 device checked"]


def test_no_drift_is_a_remark_without_data() -> None:
    report = {"checked": ["sw1", "sw2"], "unreachable": [], "items": []}
    assert answer_lines("drift.check", report) == []
    assert remarks("drift.check", report) == ["nothing drifted; 2 devices checked"]


def test_a_probe_shows_the_switch_and_what_its_ports_carry() -> None:
    assert answer_lines("switch.probe", PROBE) == [
        "switch   sw1",
        "model    WS-C2960",
        "version  it does not say",
        "prompt   sw1#",
        "VLANs    1,100",
        "ports    2, 1 of them registered",
        "PORT     CARRIES                 REGISTERED",
        "Gi1/0/1  parked                  yes",
        "Gi1/0/2  untagged 5, tagged 7-9  -",
    ]
    elsewhere = {**PROBE["ports"][1], "unconfigured": "20"}  # type: ignore[index]
    [*_, last] = answer_lines("switch.probe", {**PROBE, "ports": [elsewhere]})
    assert last.endswith("untagged 5, tagged 7-9, but operationally on VLAN 20")
    silent = answer_lines("switch.probe", {**PROBE, "model": None})
    assert "         Cisco IOS" in silent


def test_an_adoption_lists_what_it_adopted_and_what_it_could_not() -> None:
    ports = [{**PROBE["ports"][0], "adopted": True}]  # type: ignore[index]
    would = {**PROBE, "ports": ports, "dry_run": True, "warnings": ["Gi1/0/4: carries VLAN 900"]}
    assert answer_lines("switch.probe", would)[-2:] == [
        "Gi1/0/1  parked   yes         yes",
        "not adopted: Gi1/0/4: carries VLAN 900",
    ]
    assert remarks("switch.probe", would) == [
        "would adopt 1 port (dry run: nothing was taken over)"
    ]
    assert remarks("switch.probe", {**would, "dry_run": False}) == [
        "adopted 1 port: what they carry is taken for applied"
    ]


def test_a_host_key_is_shown_in_a_form_that_can_be_compared() -> None:
    assert answer_lines("switch.trust", KEY) == [
        "switch      sw1 at 192.0.2.7:22",
        "key         ssh-ed25519 SHA256:abc",
        "state       not trusted yet",
    ]
    assert remarks("switch.trust", KEY) == ["compare it"]
    other = {**KEY, "state": "changed", "trusted": ["ssh-rsa SHA256:old"], "note": None}
    assert answer_lines("switch.trust", other)[-2:] == [
        "state       NOT THE ONE THAT IS TRUSTED",
        "trusted     ssh-rsa SHA256:old",
    ]


def test_a_drift_check_succeeds_whether_it_finds_drift_or_not(console: Program) -> None:
    done = console("-c", "drift check", "-c", "switch probe sw1")
    assert done.returncode == 0, done.stderr
    assert "checked" in done.stderr
    assert not set("{}[]'\"") & set(done.stdout)


def test_drift_that_was_never_checked_is_not_said_to_be_none() -> None:
    page = {"items": [], "next": None, "never_checked": ["sw1", "sw2"]}
    assert remarks("drift.list", page) == [
        "nothing is known to have drifted",
        "sw1, sw2 were never checked: drift check",
    ]
    assert remarks("drift.list", page | {"never_checked": []}) == [
        "nothing is known to have drifted"
    ]


def test_a_repair_is_followed_to_its_end(console: Program) -> None:
    done = console("-c", "drift repair")
    assert done.returncode == 0, done.stderr
    assert "there was nothing to do" in done.stdout


def test_a_drift_check_reports_unreachable_devices_and_fails_if_all_are(console: Program) -> None:
    console.json("switch register dead cisco_ios 127.0.0.1 --port 1 --credential any")
    try:
        some = console("--json", "--quiet", "-c", "drift check")
        none = console("--json", "-c", "drift check --switch dead")
    finally:
        console.json("switch delete dead")
    assert some.returncode == 0
    assert some.stderr.startswith("dead was not checked: ")
    assert "sw1" in json.loads(some.stdout)["checked"]
    assert none.returncode == 1
    assert "dead was not checked: " in none.stderr
    assert "error" in json.loads(none.stdout)
