"""The pulse of the site, as figures: faults, work under way, and what is free. Pure.

Everything is counted from what the console knows already, so that a tenant's figures are of its own
projects; only :class:`~haas_schemas.system.Pulse` is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from haas_console.core.cablingtext import SWAPPED
from haas_console.core.contact import last_contact, unread
from haas_console.core.devicetext import target_text
from haas_console.core.facts import Fact
from haas_console.core.inventory import Inventory
from haas_console.core.natural import natural
from haas_console.core.nodecounts import NodeCounts
from haas_console.core.objects import Ref, port_ref
from haas_console.core.sparkline import in_parts
from haas_console.core.times import moment, parsed
from haas_schemas.job import Job

Look = Literal["bad", "warn", "busy", "calm"]
URGENCY: tuple[Look, ...] = ("bad", "warn", "busy", "calm")
"""The looks of figures, the most urgent first."""

SCARCE = 0.1
"""The part of the pool's VLAN ids, or of the nodes, below which few are left."""

LISTED = 12
"""Objects that are listed for each figure; the others are only counted."""


class Figure(msgspec.Struct, frozen=True):
    """One figure: ``short`` and ``text`` say the same in a few and in more words.

    ``series`` counts what happened in each 5 minutes of the last hour, the oldest first, if that
    is known: what was ``counted``. ``facts`` list the objects of the figure.
    """

    name: str
    short: str
    text: str
    look: Look = "calm"
    series: tuple[int, ...] = ()
    facts: tuple[Fact, ...] = ()
    counted: str = ""


def figures(
    inventory: Inventory, nodes: NodeCounts, failed: Sequence[Job], now: datetime | None = None
) -> list[Figure]:
    """Return what is known of the site, in the order of the screen.

    ``failed``: the jobs that failed and were not looked at yet.
    """
    if inventory.info is None:
        return []
    now = now or datetime.now(UTC)
    found = [
        _switches(inventory),
        _hypervisor(inventory),
        _failed(inventory, failed),
        _running(inventory),
        _drift(inventory, now),
        _cabling(inventory),
        _unconfirmed(nodes),
        _free_nodes(inventory, nodes),
        _free_vlans(inventory),
        _leases(nodes),
    ]
    return [figure for figure in found if figure is not None]


def urgent_first(found: Iterable[Figure]) -> list[Figure]:
    """Return figures with the most urgent first; equally urgent ones stay in their order."""
    return sorted(found, key=lambda figure: URGENCY.index(figure.look))


# --- one function for each figure -----------------------------------------------------------------


def _switches(inventory: Inventory) -> Figure | None:
    known = [one for one in inventory.switches.values() if not one.retired]
    if not known:
        return None
    known.sort(key=lambda one: natural(one.switch))
    down = [one for one in known if one.reachable is False]
    never = [one for one in known if one.reachable is None]
    up = len(known) - len(down) - len(never)
    text, short = f"{up} of {len(known)} switches answer", f"switches {up}/{len(known)}"
    look: Look = "calm"
    if never:
        look, short = "warn", f"{short} ?{len(never)}"
        text += f", {len(never)} never asked"
    if down:
        first = f"{down[0].switch} {last_contact(down[0])}"
        look, short = "bad", f"✗ {len(down)} down, {short}"
        text = f"✗ {len(down)} down ({first}{', …' if down[1:] else ''}), {text}"
    facts = [
        Fact("", f"{one.switch}  {last_contact(one)}", Ref("switch", one.switch), look)
        for group, look in ((down, "drift"), (never, "staged"))
        for one in group
    ]
    lost = inventory.pulse.lost if inventory.pulse is not None else ()
    return Figure("switches", short, text, look, _if_any(lost), _some(facts), "lost")


def _hypervisor(inventory: Inventory) -> Figure | None:
    pulse = inventory.pulse
    if pulse is None or (pulse.libvirt is None and pulse.trunk is None):
        return None
    if pulse.libvirt is False:
        return Figure("hypervisor", "✗ libvirt", "✗ libvirt does not answer", "bad")
    if pulse.trunk is False:
        return Figure("hypervisor", "✗ master", "✗ the master's network can't be watched", "bad")
    return Figure("hypervisor", "libvirt ✓", "libvirt ✓")


def _failed(inventory: Inventory, failed: Sequence[Job]) -> Figure | None:
    pulse = inventory.pulse
    series = _if_any(pulse.failed) if pulse is not None else ()
    if not failed:
        return None
    noun = "job" if len(failed) == 1 else "jobs"
    facts = [
        Fact(
            "",
            f"job {job.job} of {job.project or 'the site'}  {job.error or 'failed'}",
            Ref("job", str(job.job)),
            "drift",
        )
        for job in reversed(failed)
    ]
    text = f"✗ {len(failed)} {noun} failed"
    return Figure("failed", text, text, "bad", series, _some(facts), "failed")


def _running(inventory: Inventory) -> Figure:
    jobs = inventory.running_jobs()
    running = sum(job.state == "running" for job in jobs)
    parts = [f"{running} running"] if running else []
    if queued := len(jobs) - running:
        parts.append(f"{queued} queued")
    series = inventory.pulse.ended if inventory.pulse is not None else ()
    short = f"jobs {', '.join(parts)}" if parts else "no job runs"
    facts = [
        Fact(
            "",
            f"job {job.job} of {job.project or 'the site'}  {job.state}, {job.done} of"
            f" {job.total} steps, by {job.user}",
            Ref("job", str(job.job)),
            "staged",
        )
        for job in jobs
    ]
    look: Look = "busy" if jobs else "calm"
    return Figure("jobs", short, short, look, _if_any(series), _some(facts), "ended")


def _drift(inventory: Inventory, now: datetime) -> Figure | None:
    items = sorted(
        inventory.drift.values(), key=lambda i: (natural(i.device), i.kind, natural(i.target))
    )
    if not items:
        if blind := unread(inventory):
            return Figure("drift", "drift ?", f"no drift known, but {blind}", "warn")
        text = "no drift" if inventory.switches else "no drift known"
        return Figure("drift", text, text)
    hour = now - timedelta(hours=1)
    since = [parsed(item.since) for item in items if item.since]
    series = in_parts((when for when in since if when > hour), now)
    facts = [
        Fact(
            "",
            f"{item.device} {target_text(item.kind, item.target)}: {item.applied} was applied, now"
            f" {item.observed}",
            port_ref(item.device, item.target)
            if item.kind == "port"
            else Ref("switch", item.device)
            if item.device in inventory.switches
            else None,
            "drift",
        )
        for item in items
    ]
    text = f"≠ {len(items)} drifted"
    return Figure("drift", text, text, "bad", _if_any(series), _some(facts), "drifted")


def _cabling(inventory: Inventory) -> Figure | None:
    switches = sorted(inventory.switches.values(), key=lambda one: natural(one.switch))
    facts = [
        Fact("", f"{one.switch}  {one.swapped} nics", Ref("switch", one.switch), "drift")
        for one in switches
        if one.swapped
    ]
    ends = [(one.switch, end) for one in switches for end in one.trunks if end.wrong]
    facts += [
        Fact("", f"{switch} {end.port}  {end.wrong}", port_ref(switch, end.port), "drift")
        for switch, end in ends
    ]
    if not facts:
        return None
    count = sum(one.swapped for one in switches) + len(ends)
    noun = ("nic" if count == 1 else "nics") if not ends else "cables" if count > 1 else "cable"
    text = f"{SWAPPED} {count} {noun} not cabled as registered"
    return Figure("cabling", f"{SWAPPED} {count} miscabled", text, "bad", facts=_some(facts))


def _unconfirmed(nodes: NodeCounts) -> Figure | None:
    found = nodes.unconfirmed
    if not found:
        return None
    facts = [
        Fact("", f"{node.node}  {node.waiting or ''}".rstrip(), Ref("node", node.node), "staged")
        for node in found
    ]
    noun = "node" if len(found) == 1 else "nodes"
    text = f"? {len(found)} {noun} unconfirmed"
    return Figure("unconfirmed", f"? {len(found)} unconfirmed", text, "warn", facts=_some(facts))


def _free_nodes(inventory: Inventory, nodes: NodeCounts) -> Figure | None:
    if not nodes.total:
        return None
    noun = "node" if nodes.free == 1 else "nodes"
    look: Look = "calm" if nodes.free else "warn"
    text = f"{nodes.free} {noun} free"
    given = inventory.pulse.allocated if inventory.pulse is not None else ()
    return Figure("nodes", f"{nodes.free} free", text, look, _if_any(given), counted="allocated")


def _if_any(series: tuple[int, ...]) -> tuple[int, ...]:
    """A series, unless nothing is counted in it."""
    return series if any(series) else ()


def _free_vlans(inventory: Inventory) -> Figure | None:
    pulse = inventory.pulse
    if pulse is None or pulse.vlans is None or pulse.vlans_free is None:
        return None
    free, total = pulse.vlans_free, pulse.vlans
    look: Look = "bad" if not free else "warn" if free < SCARCE * total else "calm"
    return Figure("VLANs", f"{free} VLANs", f"{free} of {total} VLANs free", look)


def _leases(nodes: NodeCounts) -> Figure | None:
    ending = nodes.ending
    if not ending:
        return None
    noun = "lease ends" if len(ending) == 1 else "leases end"
    facts = [
        Fact(
            "",
            f"{node.node}  of {node.project} until {moment(node.until or '', exact=False)}",
            Ref("node", node.node),
            "staged",
        )
        for node in ending
    ]
    text = f"{len(ending)} {noun} today"
    return Figure("leases", f"{len(ending)} end today", text, "warn", facts=_some(facts))


def _some(facts: list[Fact]) -> tuple[Fact, ...]:
    if len(facts) <= LISTED + 1:
        return tuple(facts)
    return (*facts[:LISTED], Fact("", f"and {len(facts) - LISTED} more", look="dim"))
