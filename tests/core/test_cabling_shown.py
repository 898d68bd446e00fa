"""Cabling on face plates, on the topology and in words."""

from __future__ import annotations

from msgspec.structs import replace

from haas_console.core.cablingtext import nic_facts, proof_facts, report_lines, summary
from haas_console.core.faceplate import labeller, legend, plate
from haas_console.core.inventory import Inventory
from haas_console.core.objects import port_ref
from haas_console.core.portviews import describe, plugs, views
from haas_console.core.text import plan_lines
from haas_console.core.topology import Picture
from haas_console.core.trunktext import end_facts, trunk_facts
from haas_console.core.whytext import why_lines
from haas_schemas.cabling import CablingState, SwitchLink
from haas_schemas.switch import PeerPort, Port, TrunkEnd
from tests.tui.sites import small_site

STRANGER = {
    "switch": "sw1", "port": "Gi1/0/7", "macs": ["52:54:00:00:00:99"], "neighbour": "laptop",
    "at": "",
}  # fmt: skip
REPORT = {
    "checked": ["sw1"],
    "unreachable": [{"device": "sw2", "message": "sw2 did not answer"}],
    "alarms": 1,
    "nics": [
        {"node": "node-1", "nic": "eth0", "state": "right", "why": "seen on sw1 Gi1/0/2"},
        {"node": "node-2", "nic": "eth0", "state": "swapped", "why": "seen on sw1 Gi1/0/9"},
        {"node": "node-3", "nic": "eth0", "state": "not_seen", "why": "its port is parked"},
    ],
    "strangers": [STRANGER],
    "proposals": [
        {"node": "n", "nic": "e", "mac": "52:54:00:00:00:01", "switch": "sw1", "port": "Gi1/0/8",
         "command": "nic set n e --mac 52:54:00:00:00:01"},
    ],
    "links": [{"switch": "sw1", "port": "Gi1/0/12", "peer": "sw2", "peer_port": "Gi1/0/11"}],
    "without_lldp": ["sw1"],
    "unread": [{"device": "sw1", "message": "a line"}],
}  # fmt: skip


def with_cabling(state: CablingState) -> Inventory:
    """A site where node-1's primary nic, behind sw1 Gi1/0/2, is as this."""
    site = small_site()
    node = site.nodes["node-1"]
    ipmi, primary = node.nics
    site.nodes["node-1"] = replace(node, nics=(ipmi, replace(primary, cabling=state)))
    return site


def test_a_swapped_nic_is_a_sign_of_alarm_on_the_face_plate_and_others_are_none() -> None:
    for state, sign in (("swapped", "✗"), ("right", " "), ("not_seen", " ")):
        site = with_cabling(state)
        ports = views(site, "sw1", plugs(site)["sw1"])
        cells = [cell for line in plate(ports, 40, labeller(site)).lines for cell in line]
        [cell] = [each for each in cells if each.port == "Gi1/0/2"]
        assert cell.text == f"lab   {sign} "[:7], state
        assert (cell.look == "bad") is (state == "swapped")
        explained = "".join(text for text, _ in legend(site, ports))
        assert ("not cabled as registered" in explained) is (state == "swapped")


def test_the_topology_has_a_sign_for_each_state_and_a_wire_of_alarm() -> None:
    lines = {}
    for state in ("right", "swapped", "unknown", "not_seen"):
        picture = Picture(with_cabling(state), "astro", 80)
        lines[state] = "".join(text for text, _ in picture.line(2))
    assert "─] Gi1/0/2✓{104}" in lines["right"]
    assert "✗] Gi1/0/2✗{104}" in lines["swapped"]
    assert "─] Gi1/0/2?{104}" in lines["unknown"]
    assert "─] Gi1/0/2 {104}" in lines["not_seen"]


def test_a_trunk_that_leads_to_another_switch_says_so() -> None:
    site = small_site()
    link = SwitchLink("sw1", "Gi1/0/8", "sw2", "Gi1/0/7", "")
    site.switches["sw1"] = replace(site.switches["sw1"], links=(link,))
    drawn = Picture(site, "astro", 120)
    lines = ["".join(text for text, _ in drawn.line(at)) for at in range(len(drawn))]
    assert any("trunk Gi1/0/8 {100-199} to sw2 Gi1/0/7 [─" in line for line in lines)
    known = {port.port: port for port in site.ports["sw1"]}
    [trunk] = [port for port in views(site, "sw1", plugs(site)["sw1"]) if port.port == "Gi1/0/8"]
    assert known["Gi1/0/8"].role == "trunk"
    assert describe(trunk).endswith("carries 100-199   leads to sw2 Gi1/0/7")


def test_a_trunk_shows_what_is_declared_of_it_and_what_contradicts_that() -> None:
    site = small_site()
    told = SwitchLink("sw1", "Gi1/0/8", "sw3", "Gi1/0/9", "")
    for wrong, sign, look in ((None, "=", "head"), ("its LLDP says otherwise", "✗", "bad")):
        end = TrunkEnd("Gi1/0/8", PeerPort("sw2", "Gi1/0/7"), None, wrong)
        switch = replace(site.switches["sw1"], links=(told,), trunks=(end,), vlans="104-105")
        site.switches["sw1"] = switch
        drawn = Picture(site, "astro", 120)
        lines = [drawn.line(at) for at in range(len(drawn))]
        [trunk] = [part for line in lines for part in line if "Gi1/0/8" in part[0]]
        assert trunk == (
            f"trunk Gi1/0/8 {{100-199}} {sign} sw2 Gi1/0/7 ".rjust(len(trunk[0])),
            look,
        )
        assert any("VLAN 104-105" in text for line in lines for text, _ in line)
        [port] = [each for each in views(site, "sw1", plugs(site)["sw1"]) if each.role == "trunk"]
        assert "declared to lead to sw2 Gi1/0/7" in describe(port)
        assert ("✗ its LLDP says otherwise" in describe(port)) is (wrong is not None)
        facts = [(fact.name, fact.text) for fact in trunk_facts(switch)]
        assert facts[0] == ("trunk", "Gi1/0/8  leads to sw2 Gi1/0/7, as declared")
        assert facts[1:] == ([("", "✗ its LLDP says otherwise")] if wrong else [])


def test_the_details_of_a_trunk_port_say_what_it_leads_to() -> None:
    port = Port("sw1", "Gi1/0/8", "trunk", None, None, None, None)
    [fact] = end_facts(port)
    assert fact.text == "anywhere: nothing is declared"
    [fact] = end_facts(replace(port, hypervisor="master"))
    assert fact.text == "the hypervisor master, as declared"
    [fact] = end_facts(replace(port, peer=PeerPort("sw2", "Gi1/0/7")))
    assert (fact.text, fact.link) == ("sw2 Gi1/0/7, as declared", port_ref("sw2", "Gi1/0/7"))
    assert list(end_facts(replace(port, role="access"))) == []


def test_why_a_trunk_port_carries_what_it_carries_says_what_it_leads_to() -> None:
    port = {"switch": "sw1", "port": "Gi1/0/8", "role": "trunk", "applied": None}
    for more, text in (
        ({}, "anywhere: nothing is declared"),
        ({"hypervisor": "master"}, "master"),
        ({"peer": {"switch": "sw2", "port": "Gi1/0/7"}}, "sw2 Gi1/0/7"),
        ({"hypervisor": "hv2", "wrong": "its LLDP says no"}, "hv2, but its LLDP says no"),
    ):
        assert f"leads to   {text}" in why_lines(port | more)


def test_a_report_tells_links_that_are_wrong_and_how_to_declare_others() -> None:
    wrong = {"switch": "sw1", "port": "Gi1/0/8", "declared": "sw2 Gi1/0/7", "why": "its LLDP …"}
    proposal = {"switch": "sw1", "port": "Gi1/0/9", "peer": "sw3", "peer_port": "Gi1/0/9",
                "command": "port set sw1 Gi1/0/9 --peer …"}  # fmt: skip
    report = {**REPORT, "wrong_links": [wrong], "link_proposals": [proposal]}
    lines = [text for text, _ in report_lines(report)]
    assert "✗ sw1 Gi1/0/8 is declared to lead to sw2 Gi1/0/7: its LLDP …" in lines
    assert (
        "sw1 Gi1/0/9 leads to sw3 Gi1/0/9; to declare it:  port set sw1 Gi1/0/9 --peer …" in lines
    )
    assert "; 1 link not as declared" in summary(report)


def test_a_plan_s_warnings_stand_before_its_steps() -> None:
    answer = {"empty": True, "steps": [], "digest": "d", "warnings": ["Network a/b may be cut."]}
    assert plan_lines(answer) == ["warning: Network a/b may be cut.", "nothing to do"]


def test_a_report_says_first_what_could_not_be_read_and_what_is_wrong() -> None:
    lines = [text for text, _ in report_lines(REPORT)]
    assert lines[:2] == [
        "sw2 could not be read: sw2 did not answer",
        "✗ node-2:eth0 seen on sw1 Gi1/0/9",
    ]
    assert "stranger on sw1 Gi1/0/7: 52:54:00:00:00:99, laptop" in lines
    assert any("to take it:  nic set n e --mac" in line for line in lines)
    assert "sw1 Gi1/0/12 leads to sw2 Gi1/0/11" in lines
    assert summary(REPORT) == "1 swapped, 1 right, 1 not seen; 1 not read"


def test_the_details_say_where_a_nic_was_last_seen_and_how_a_node_was_proven() -> None:
    seen = {"switch": "sw1", "port": "Gi1/0/9", "vlan": 100, "how": "mac table",
            "at": "2026-11-26T03:00:00.000Z"}  # fmt: skip
    row = {"state": "swapped", "why": "seen on sw1 Gi1/0/9", "seen": seen}
    cabling, last = nic_facts(row)
    assert (cabling.look, last.link is not None) == ("drift", True)
    assert last.text.startswith("sw1 Gi1/0/9 at 2026-11-26")
    proof = {
        "proving": None,
        "proof": {
            "job": 7, "by": "ada", "at": "2026-11-26T03:00:00.000Z", "proven": True, "void": False,
            "why": None, "notes": ["no BMC"],
            "nics": [
                {"nic": "eth0", "state": "right", "why": "seen", "said": ["sw1 MAC table: x"]},
            ],
        },
    }  # fmt: skip
    facts = list(proof_facts(proof))
    assert facts[0].text.startswith("proven, 2026-11-26")
    assert facts[0].text.endswith("by ada")
    assert [fact.text for fact in facts[1:]] == ["eth0  seen", "│ sw1 MAC table: x", "no BMC"]
    assert list(proof_facts({"proving": None, "proof": None})) == []
