"""Why a port carries what it carries, as text: the answers to ``nic.show`` and ``port.show``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haas_console.core.text import clean

METHODS = frozenset({"nic.show", "port.show"})


def why_lines(answer: Mapping[str, Any]) -> list[str]:
    """What is staged and applied, who did it, and the lines by which the switch confirmed it."""
    place = f"{answer['switch']} {answer['port']}" if answer.get("port") else "no port"
    rows: list[tuple[str, str]] = []
    if answer.get("node"):
        rows.append(("nic", f"{answer['node']}:{answer['nic']}"))
    rows.append(("port", place))
    rows.append(("project", answer.get("project") or "-"))
    if answer.get("role") == "trunk":
        rows.append(("leads to", _end(answer)))
    if "networks" in answer:
        rows.append(("wanted", _links(answer["networks"])))
    if answer.get("staged_by"):
        rows.append(("staged", f"by {answer['staged_by']} at {instant(answer['staged_at'])}"))
    rows.append(("applied", _applied(answer.get("applied"))))
    if answer.get("drift"):
        rows.append(("drifted", f"now {answer['drift']}"))
    evidence = answer.get("evidence")
    rows += evidence_rows(evidence)
    lines = [f"{name:9}  {clean(text)}" for name, text in rows]
    said = (evidence or {}).get("said")
    if said:
        lines += [f"{answer['switch']} said:", *(f"  {clean(line)}" for line in said)]
    return lines


def evidence_rows(evidence: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """When a port was last confirmed, by which job, and who had staged that."""
    if evidence is None:
        return [("confirmed", "nothing is recorded of that")]
    rows = [("confirmed", instant(evidence["confirmed"]))]
    if evidence["job"] is not None:
        rows.append(("by job", f"{evidence['job']}, started by {evidence['applied_by']}"))
    if evidence["staged_by"]:
        rows.append(
            ("as", f"{evidence['staged_by']} had staged it at {instant(evidence['staged_at'])}")
        )
    return rows


def instant(time: str) -> str:
    """A time of the API's to the second: ``2026-01-31 12:00:00 UTC``."""
    return f"{time[:19].replace('T', ' ')} UTC"


def _end(answer: Mapping[str, Any]) -> str:
    """What a trunk port is declared to lead to, and what LLDP says instead."""
    peer, hypervisor = answer.get("peer"), answer.get("hypervisor")
    if peer is None and hypervisor is None:
        return "anywhere: nothing is declared"
    end = f"{peer['switch']} {peer['port']}" if peer is not None else hypervisor
    return f"{end}, but {answer['wrong']}" if answer.get("wrong") else str(end)


def _links(links: Sequence[Mapping[str, Any]]) -> str:
    words = [
        f"{link['network'] or 'a deleted network'} (VLAN {link['vlan']}"
        f"{', tagged' if link['tagged'] else ''})"
        for link in links
    ]
    return ", ".join(words) or "parked"


def _applied(applied: Any) -> str:
    """What is applied: a nic's networks, or a port's VLANs."""
    if applied is None:
        return "not known: an apply reads it"
    if not isinstance(applied, Mapping):
        return _links(applied)
    untagged, tagged = applied["untagged"], applied["tagged"]
    words = [f"VLAN {untagged}"] if untagged is not None else []
    words += [f"tagged {tagged}"] if tagged else []
    return ", ".join(words) or "parked"
