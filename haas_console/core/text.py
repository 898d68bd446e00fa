"""Records as text for people: tables, keys with values, plans. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haas_console.core.sharedlines import lines_below, with_below

_UNSHOWN = {"nics": ("applied",), "steps": ("lines", "kind", "target", "started", "finished")}
"""Members that a nested table omits, by the name of the list; ``--json`` shows them all."""


def clean(text: str) -> str:
    """Escape control characters: some text comes from devices."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )


def brief(value: Any) -> str:
    """A value in a few words, for cells and one-line confirmations."""
    if value is None or value == [] or value == {} or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _brief_record(value)
    if isinstance(value, list):
        return ", ".join(brief(item) for item in value)
    return clean(str(value)).replace("\n", " ")


def carries(vlans: Mapping[str, Any]) -> str:
    """The VLANs of a port in the terms of plans: ``access 104``, ``parked``."""
    untagged, tagged = vlans["untagged"], vlans["tagged"]
    if not tagged:
        return "parked" if untagged is None else f"access {untagged}"
    return f"tagged {tagged}" if untagged is None else f"untagged {untagged}, tagged {tagged}"


def _brief_record(record: Mapping[str, Any]) -> str:
    """A record as its name and networks; as all its members if it has no name."""
    if "network" in record and "vlan" in record:
        name = record["network"] or f"vlan {record['vlan']}"
        return f"{name} tagged" if record.get("tagged") else str(name)
    if {"node", "nic"} <= record.keys() <= {"node", "nic", "tagged"}:
        tagged = " tagged" if record.get("tagged") else ""
        return f"{record['node']}:{record['nic']}{tagged}"
    if record.keys() == {"untagged", "tagged"}:
        return carries(record)
    if "nic" in record:
        on = record.get("networks") or record.get("network")
        return f"{record['nic']} ({brief(on)})" if on else str(record["nic"])
    return " ".join(
        f"{clean(str(key))}={brief(item)}" for key, item in record.items() if item is not None
    )


def _worded(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Show a headnode's ``running``, which is what is wanted, as ``wanted`` beside its state."""
    if "headnode" not in record or not isinstance(record.get("running"), bool):
        return record
    wanted = "running" if record["running"] else "stopped"
    pairs = (("wanted", wanted) if key == "running" else (key, record[key]) for key in record)
    return dict(pairs)


def is_table(value: Any) -> bool:
    """The value is a list of records."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def table(
    records: Sequence[Mapping[str, Any]],
    *,
    width: int | None = None,
    bold: bool = False,
    leave_out: Sequence[str] = ("seq",),
) -> list[str]:
    """Aligned columns under a header, without the empty ones.

    ``width`` is that of the terminal, in columns: longer lines are cut with an ellipsis.
    ``leave_out``: members that are not shown; the number of a job's last event is for programs.
    """
    records = [_worded(record) for record in records]
    keys = dict.fromkeys(key for record in records for key in record if key not in leave_out)
    filled = {key: [brief(record.get(key)) for record in records] for key in keys}
    columns = [(key, cells) for key, cells in filled.items() if set(cells) != {"-"}]
    sizes = _fit([max(len(key), *map(len, cells)) for key, cells in columns], width)
    right = [all(isinstance(r.get(key), int | float | None) for r in records) for key, _ in columns]
    heads = [key.replace("_", " ").upper() for key, _ in columns]
    lines = [_row(heads, sizes, right)]
    if bold:
        lines = [f"\x1b[1m{lines[0]}\x1b[m"]
    lines += [_row([cells[i] for _, cells in columns], sizes, right) for i in range(len(records))]
    return lines


def _fit(sizes: list[int], width: int | None) -> list[int]:
    """Shrink the widest columns until the row fits, but none below 8."""
    while width is not None and sizes and sum(sizes) + 2 * (len(sizes) - 1) > width:
        widest = max(range(len(sizes)), key=sizes.__getitem__)
        if sizes[widest] <= 8:
            break
        sizes[widest] -= 1
    return sizes


def _row(cells: list[str], sizes: list[int], right: list[bool]) -> str:
    parts = []
    for cell, size, to_right in zip(cells, sizes, right, strict=True):
        text = cell if len(cell) <= size else cell[: size - 1] + "…"
        parts.append(text.rjust(size) if to_right else text.ljust(size))
    return "  ".join(parts).rstrip()


def record_lines(
    record: Mapping[str, Any], *, width: int | None = None, bold: bool = False
) -> list[str]:
    """One line for each key and value; lists of records as tables under their name."""
    record = _worded(record)
    plain = {key: value for key, value in record.items() if not is_table(value)}
    size = max(map(len, plain), default=0)
    lines = [f"{key.replace('_', ' '):{size}}  {brief(value)}" for key, value in plain.items()]
    for key, value in record.items():
        if is_table(value):
            inner = table(
                value,
                width=None if width is None else width - 2,
                bold=bold,
                leave_out=_UNSHOWN.get(key, ()),
            )
            lines += [f"{key.replace('_', ' ')}:", *(f"  {line}" for line in inner)]
    return lines


def plan_lines(plan: Mapping[str, Any]) -> list[str]:
    """A plan: each step with the exact lines that will be sent, and at last the digest.

    Before them stand its warnings.
    """
    lines = [f"warning: {clean(warning)}" for warning in plan.get("warnings", ())]
    if plan["empty"]:
        return [*lines, "nothing to do"]
    steps = plan["steps"]
    for number, (step, below) in enumerate(zip(steps, lines_below(steps), strict=True), 1):
        shared = f", {with_below(below)}" if below else ""
        lines.append(f"{number:>3}  {step['device']}: {clean(step['summary'])}{shared}")
        lines += [f"       {clean(line)}" for line in step["lines"]]
    if more := plan.get("more"):
        lines.append(f"     … and {more} more steps; --device NAME shows those on one device")
    return [*lines, f"digest  {plan['digest']}"]


_ASIDE = frozenset(
    {"kind", "mac", "switch", "port", "networks", "applied", "transport", "image", "uuid"}
    | {"user", "started", "finished"}
)
"""Members that a confirmation omits; ``show`` has them."""


def change_text(result: Any, known: Mapping[str, Any]) -> str:
    """What the answer to a change says beyond the command itself, in one line."""
    if not isinstance(result, Mapping):
        return "" if isinstance(result, list | bool | None) else brief(result)
    found = []
    for key, value in _worded(result).items():
        if key in known or key in _ASIDE or not value or is_table(value):
            continue
        if key == "note":
            found.append(brief(value))
        elif value is True:
            found.append(key.replace("_", " "))
        else:
            found.append(f"{key.replace('_', ' ')} {brief(value)}")
    return ", ".join(found)


def site_lines(changes: Mapping[str, Any]) -> list[str]:
    """What an import did or would do, one line for each object."""
    counts = ((len(changes[key]), key) for key in ("created", "changed"))
    kept = f"{changes['unchanged']} kept"
    summary = ", ".join([*(f"{count} {key}" for count, key in counts), kept])
    lines = [f"+ {brief(each)}" for each in changes["created"]]
    lines += [f"~ {brief(each)}" for each in changes["changed"]]
    conflicts = changes.get("conflicts") or ()
    lines += [f"! {brief(each)}" for each in conflicts]
    summary += f", {len(conflicts)} in conflict" if conflicts else ""
    return [*lines, f"{summary} (dry run: nothing was changed)" if changes["dry_run"] else summary]
