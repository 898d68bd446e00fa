"""Cabling in words and signs: whether nics are seen where they are registered. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from haas_console.core.facts import Fact
from haas_console.core.objects import Ref
from haas_console.core.whytext import instant

SWAPPED = "✗"
"""The sign of a nic that is seen on another port than its own."""

SIGNS = {"right": "✓", "swapped": SWAPPED, "unknown": "?"}
"""The sign of each state; a nic that was not seen has none, as that is normal on a parked port."""

LOOKS = {"right": "dim", "swapped": "bad", "unknown": "staged"}

WORDS = {
    "right": "cabled as registered",
    "swapped": f"{SWAPPED} not cabled as registered",
    "unknown": "cabling unknown",
    "not_seen": "cabling not seen",
}


def nic_facts(cabling: Mapping[str, Any] | None) -> Iterator[Fact]:
    """What is known of a nic's cabling, and where it was last seen."""
    if cabling is None:
        return
    state = cabling["state"]
    look = "drift" if state == "swapped" else "staged" if state == "unknown" else ""
    word = WORDS[state].removeprefix("cabling ")
    yield Fact("cabling", f"{word}: {cabling['why']}", look=look)
    if (seen := cabling["seen"]) is not None:
        vlan = f", VLAN {seen['vlan']}" if seen["vlan"] is not None else ""
        text = f"{seen['switch']} {seen['port']} at {instant(seen['at'])} ({seen['how']}{vlan})"
        yield Fact("last seen", text, Ref("port", f"{seen['switch']} {seen['port']}"))


def proof_facts(shown: Mapping[str, Any] | None) -> Iterator[Fact]:
    """The last proof of a node's cabling: when, by whom, and what was seen."""
    if shown is None:
        return
    if shown.get("proving") is not None:
        job = str(shown["proving"])
        yield Fact("proof", f"under way, job {job}", Ref("job", job), "staged")
    proof = shown.get("proof")
    if proof is None:
        return
    verdict = "proven" if proof["proven"] else "void" if proof["void"] else "not proven"
    text = f"{verdict}, {instant(proof['at'])}, by {proof['by']}"
    yield Fact("proof", text, Ref("job", str(proof["job"])), "good" if proof["proven"] else "drift")
    if proof["why"]:
        yield Fact("", proof["why"], look="drift")
    for nic in proof["nics"]:
        look = "good" if nic["state"] == "right" else "drift"
        yield Fact("", f"{nic['nic']}  {nic['why']}", look=look)
        for line in nic["said"]:
            yield Fact("", f"│ {line}", look="dim")
    for note in proof["notes"]:
        yield Fact("", note, look="dim")


def report_lines(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The answer to a check, line by line, each with its style: what is wrong comes first."""
    for unread in report["unreachable"]:
        yield f"{unread['device']} could not be read: {unread['message']}", "drift"
    for row in report["nics"]:
        if row["state"] == "swapped":
            yield f"{SWAPPED} {row['node']}:{row['nic']} {row['why']}", "drift"
    for wrong in report.get("wrong_links", ()):
        where = f"{wrong['switch']} {wrong['port']}"
        yield (
            f"{SWAPPED} {where} is declared to lead to {wrong['declared']}: {wrong['why']}",
            "drift",
        )
    for stranger in report["strangers"]:
        what = ", ".join([*stranger["macs"], *filter(None, [stranger["neighbour"]])])
        yield f"stranger on {stranger['switch']} {stranger['port']}: {what}", "staged"
    for proposal in report["proposals"]:
        where = f"{proposal['switch']} {proposal['port']}"
        yield f"{proposal['mac']} is on {where}; to take it:  {proposal['command']}", "staged"
    for link in report.get("link_proposals", ()):
        ends = f"{link['switch']} {link['port']} leads to {link['peer']} {link['peer_port']}"
        yield f"{ends}; to declare it:  {link['command']}", "staged"
    for unread in report["unread"]:
        yield f"not understood of {unread['device']}: {unread['message']}", "staged"
    for link in report["links"]:
        yield f"{link['switch']} {link['port']} leads to {link['peer']} {link['peer_port']}", ""
    for row in report["nics"]:
        if row["state"] != "swapped":
            yield f"{row['node']}:{row['nic']} {row['state'].replace('_', ' ')}: {row['why']}", ""
    for switch in report["without_lldp"]:
        yield f"LLDP is off on {switch}", "dim"


def summary(report: Mapping[str, Any]) -> str:
    """The answer to a check in a sentence."""
    found = [row["state"] for row in report["nics"]]
    counts = [
        f"{found.count(state)} {state.replace('_', ' ')}"
        for state in ("swapped", "right", "unknown", "not_seen")
        if state in found
    ]
    text = ", ".join(counts) or "no nic"
    if wrong := len(report.get("wrong_links", ())):
        text += f"; {wrong} {'link' if wrong == 1 else 'links'} not as declared"
    if report["unreachable"]:
        text += f"; {len(report['unreachable'])} not read"
    return text
