"""What devices answered, as text: drift, cabling, a probe, a host key. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from haas_console.core.cablingtext import report_lines, summary
from haas_console.core.text import brief, carries, clean, table

METHODS = frozenset(
    {"cabling.check", "drift.check", "drift.list", "job.transcript", "switch.probe", "switch.trust"}
)
"""Methods whose answers are formatted here."""


def answer_lines(
    method: str, answer: Any, *, width: int | None = None, bold: bool = False
) -> list[str]:
    """The data of an answer, formatted for people."""
    match method:
        case "cabling.check":
            return [clean(line) for line, _ in report_lines(answer)]
        case "switch.probe":
            return probe_lines(answer, width=width, bold=bold)
        case "switch.trust":
            return trust_lines(answer)
        case "job.transcript":
            return transcript_lines(answer["items"])
        case _:
            return drift_table(answer["items"], width=width, bold=bold)


def transcript_lines(parts: Iterable[Mapping[str, Any]]) -> list[str]:
    """What devices were told, after ``>``, and what they said."""
    lines: list[str] = []
    for part in parts:
        lines += [f"--- {part['device']} {part['time']} ---"]
        lines += [clean(line) for line in part["text"].split("\n")]
    return lines


def remarks(method: str, answer: Any) -> list[str]:
    """The remarks on an answer: what was found, what to do next."""
    match method:
        case "cabling.check":
            return [f"cabling: {summary(answer)}"]
        case "drift.check":
            checked, found = answer["checked"], len(answer["items"])
            devices = f"{len(checked)} device{'s' if len(checked) != 1 else ''} checked"
            return [f"{found or 'nothing'} drifted; {devices}"]
        case "drift.list":
            return _known_drift(answer)
        case "switch.probe":
            return _adoption(answer)
        case "switch.trust" if answer["note"]:
            return [answer["note"]]
    return []


def _known_drift(answer: Mapping[str, Any]) -> list[str]:
    unchecked = answer.get("never_checked") or []  # an older daemon does not say
    said = [] if answer["items"] else ["nothing is known to have drifted"]
    if unchecked:
        were = "was" if len(unchecked) == 1 else "were"
        said.append(f"{', '.join(unchecked)} {were} never checked: drift check")
    return said


# --- drift ----------------------------------------------------------------------------------------


def unreachable(report: Mapping[str, Any]) -> list[str]:
    """A sentence for each device that could not be read."""
    return [f"{one['device']} was not checked: {one['message']}" for one in report["unreachable"]]


def drift_table(
    items: Sequence[Mapping[str, Any]], *, width: int | None = None, bold: bool = False
) -> list[str]:
    """A table of drift; empty if there is none."""
    names = {"observed": "now"}
    shown = [
        {names.get(key, key): value for key, value in item.items() if key != "kind"}
        | {"target": target_text(item["kind"], item["target"]), "since": moment(item["since"])}
        for item in items
    ]
    return table(shown, width=width, bold=bold) if shown else []


def target_text(kind: str, target: str) -> str:
    """What has drifted: ``VLAN 104`` rather than a bare number."""
    return f"VLAN {target}" if kind == "vlan" else target


def moment(stamp: str | None) -> str | None:
    """An RFC 3339 time without fractions of a second: ``2026-01-31T12:00:00Z``."""
    head, dot, _ = (stamp or "").partition(".")
    return f"{head}Z" if dot else stamp


# --- a probe --------------------------------------------------------------------------------------


def probed_state(port: Mapping[str, Any]) -> str:
    """What a probe found on a port, also if it cannot be put in the terms of plans."""
    if port["not_understood"] is not None:
        return f'not understood: "{clean(port["not_understood"])}"'
    state = carries(port["carries"])
    state = "open without a VLAN" if port["open"] and state == "parked" else state
    extra = port.get("unconfigured")
    return f"{state}, but operationally on VLAN {extra}" if extra else state


def probe_fields(answer: Mapping[str, Any]) -> dict[str, str]:
    """What a switch reports about itself."""
    managed = sum(port["managed"] for port in answer["ports"])
    return {
        "switch": answer["switch"],
        "model": clean(answer["model"] or "it does not say"),
        "version": clean(answer["version"] or "it does not say"),
        "prompt": clean(answer["prompt"]),
        "VLANs": answer["vlans"] or "none",
        "ports": f"{len(answer['ports'])}, {managed} of them registered",
    }


def probe_lines(
    answer: Mapping[str, Any], *, width: int | None = None, bold: bool = False
) -> list[str]:
    """The switch, its ports, and what prevents adoption."""
    lines = [f"{name:8} {value}" for name, value in probe_fields(answer).items()]
    if not answer["model"] and not answer["version"]:
        lines += [f"         {clean(line)}" for line in answer["said"]]
    ports = [
        {
            "port": port["port"],
            "carries": probed_state(port),
            "registered": "yes" if port["managed"] else None,
            "adopted": "yes" if port["adopted"] else None,
        }
        for port in answer["ports"]
    ]
    lines += table(ports, width=width, bold=bold) if ports else []
    return lines + [f"not adopted: {clean(warning)}" for warning in answer["warnings"]]


def _adoption(answer: Mapping[str, Any]) -> list[str]:
    adopted = sum(port["adopted"] for port in answer["ports"])
    ports = f"{adopted} port{'s' if adopted != 1 else ''}"
    if answer["dry_run"]:
        return [f"would adopt {ports} (dry run: nothing was taken over)"]
    return [f"adopted {ports}: what they carry is taken for applied"] if adopted else []


# --- a host key -----------------------------------------------------------------------------------

_STATES = {
    "known": "trusted",
    "unknown": "not trusted yet",
    "changed": "NOT THE ONE THAT IS TRUSTED",
    "revoked": "REVOKED",
}


def trust_lines(answer: Mapping[str, Any]) -> list[str]:
    """The host key of a switch, and whether it is trusted."""
    state = "trusted from now on" if answer["stored"] else _STATES[answer["state"]]
    lines = [
        f"switch      {answer['switch']} at {answer['host']}:{answer['port']}",
        f"key         {answer['type']} {answer['fingerprint']}",
        f"state       {state}",
    ]
    word = "before" if answer["stored"] else "trusted"
    return lines + [f"{word:11} {brief(key)}" for key in answer["trusted"]]
