"""The details of one object, with links to all that it is connected to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from haas_console.core.cablingtext import WORDS, nic_facts, proof_facts
from haas_console.core.contact import last_contact
from haas_console.core.facts import Fact
from haas_console.core.inventory import Inventory
from haas_console.core.nictext import links_text, network_text
from haas_console.core.objects import Ref, network_ref, nic_ref, port_ref
from haas_console.core.trunktext import end_facts, trunk_facts
from haas_console.core.whytext import evidence_rows, instant
from haas_schemas.headnode import Headnode
from haas_schemas.network import Network
from haas_schemas.node import Nic, Node
from haas_schemas.project import Project, Quota
from haas_schemas.switch import Switch


class Answers(msgspec.Struct):
    """What the daemon was asked for beyond the inventory.

    ``shown`` is the answer to ``nic.show``, ``port.show`` or, of a node, ``cabling.show``;
    ``changed`` the newest audit record about the object. None until they have come.
    """

    shown: Mapping[str, Any] | None = None
    changed: Mapping[str, Any] | None = None


def details(inventory: Inventory, ref: Ref, answers: Answers) -> list[Fact]:
    """Return the lines about an object; one that says so if it is gone."""
    record = record_of(inventory, ref)
    match record:
        case Node():
            facts = _node(inventory, record, answers)
        case Nic():
            facts = _nic(inventory, ref.pair[0], record, answers)
        case Network():
            facts = _network(inventory, record)
        case Headnode():
            facts = _headnode(inventory, record)
        case Switch():
            facts = _switch(inventory, record)
        case Project():
            facts = _project(inventory, record)
        case _ if ref.kind == "port":
            facts = _port(inventory, ref, answers)
        case _:
            return [Fact("", f"There is no {ref.title} any more.", look="dim")]
    return facts + _changed(ref, answers.changed)


def record_of(inventory: Inventory, ref: Ref) -> Any:
    """Return the inventory's record of an object; None if there is none."""
    first, second = ref.pair
    match ref.kind:
        case "node":
            return inventory.nodes.get(ref.name)
        case "nic":
            return inventory.nic(first, second)
        case "port":
            found = (p for p in inventory.ports.get(first, ()) if p.port == second)
            return next(found, None)
        case "network":
            return inventory.networks.get((first, second))
        case "headnode":
            return inventory.headnodes.get((first, second))
        case "switch":
            return inventory.switches.get(ref.name)
        case "project":
            return inventory.projects.get(ref.name)
        case _:
            return None


def audited_as(ref: Ref) -> str:
    """The name under which the audit trail has an object."""
    return ref.pair[0] if ref.kind in ("nic", "port") else ref.name


# --- one function for each kind -------------------------------------------------------------------


def _node(inventory: Inventory, node: Node, answers: Answers) -> list[Fact]:
    facts = [Fact("state", node.state, look=_LOOKS.get(node.state, ""))]
    facts.append(_of_project(inventory, node.project))
    if node.until:
        facts.append(Fact("until", instant(node.until), look="staged"))
    if node.waiting:
        facts.append(Fact("waits", node.waiting, look="leaves"))
    if node.power or node.power_staged:
        facts.append(_power(node))
    facts += proof_facts(answers.shown)
    facts.append(Fact("tags", ", ".join(node.tags) or "-"))
    for nic in node.nics:
        found = inventory.found_on(nic)
        wrong = found or nic.cabling == "swapped"
        look = "drift" if wrong else "staged" if nic.staged else ""
        text = f"{nic.nic}  {network_text(nic, found)}"
        if nic.cabling is not None:
            text += f"  {WORDS[nic.cabling]}"
        facts.append(Fact(nic.kind, text, nic_ref(node.node, nic.nic), look))
        for number, leg in enumerate(nic.legs):
            place = port_ref(leg.switch, leg.port)
            facts.append(Fact("", f"  at {place.name}{'' if number else _mac(nic)}", place, "dim"))
    return facts + _last_job(inventory, node.project)


def _power(node: Node) -> Fact:
    text: str = node.power or "not known"
    if node.power_changed:
        text += f" since {instant(node.power_changed)}"
    if node.power_staged:
        text += f", {node.power_staged} with the next apply"
    return Fact("power", text, look="staged" if node.power_staged else "")


def _nic(inventory: Inventory, node_name: str, nic: Nic, answers: Answers) -> list[Fact]:
    node = inventory.nodes.get(node_name)
    project = node.project if node else None
    facts = [Fact("node", f"{node_name}  {node.state if node else ''}", Ref("node", node_name))]
    facts.append(_of_project(inventory, project))
    facts.append(Fact("kind", f"{nic.kind}{_mac(nic)}"))
    if nic.bond:
        made = f" in {nic.channel}" if nic.channel else ""
        facts.append(Fact("bond", f"{nic.bond}{made}"))
    for leg in nic.legs:
        place = port_ref(leg.switch, leg.port)
        facts.append(Fact("port", place.name, place))
    if not nic.legs:
        facts.append(Fact("port", "plugged into no registered port", look="dim"))
    facts += _links(inventory, "wanted", project, nic)
    applied = "not known: an apply reads it" if nic.applied is None else links_text(nic.applied)
    facts.append(Fact("applied", applied, look="staged" if nic.staged else ""))
    if found := inventory.found_on(nic):
        facts.append(Fact("found", f"≠ {found}", look="drift"))
    shown = answers.shown
    facts += nic_facts((shown or {}).get("cabling"))
    if nic.staged and shown and shown.get("staged_by"):
        facts.append(Fact("staged", f"by {shown['staged_by']} at {instant(shown['staged_at'])}"))
    return facts + _evidence(shown, nic.legs[0].switch if nic.legs else None)


def _links(inventory: Inventory, name: str, project: str | None, nic: Nic) -> list[Fact]:
    if not nic.networks:
        return [Fact(name, "parked")]
    return [
        Fact(
            name if number == 0 else "",
            f"{link.network or 'a deleted network'}  VLAN {link.vlan}"
            f"{', tagged' if link.tagged else ''}",
            network_ref(inventory, project, link.network),
            "staged" if nic.staged else "",
        )
        for number, link in enumerate(nic.networks)
    ]


def _port(inventory: Inventory, ref: Ref, answers: Answers) -> list[Fact]:
    switch, name = ref.pair
    facts = [
        Fact("switch", switch, Ref("switch", switch) if switch in inventory.switches else None)
    ]
    facts.append(Fact("plate", "its face plate", Ref("plate", ref.name)))
    behind = inventory.behind(switch, name)
    known = record_of(inventory, ref)
    if known is not None:
        facts.append(Fact("role", known.role))
        facts += end_facts(known)
    if behind is None:
        facts.append(Fact("nic", "nothing is registered behind it", look="dim"))
    else:
        node, nic = behind
        ref = nic_ref(node.node, nic.nic)
        facts.append(Fact("nic", f"{ref.name}  {network_text(nic)}", ref))
        facts.append(Fact("node", f"{node.node}  {node.state}", Ref("node", node.node)))
        facts.append(_of_project(inventory, node.project))
    if known is not None and known.applied is not None:
        vlans = known.applied
        words = [f"untagged {vlans.untagged}"] if vlans.untagged is not None else []
        words += [f"tagged {vlans.tagged}"] if vlans.tagged else []
        facts.append(Fact("applied", ", ".join(words) or "parked"))
    item = inventory.drift.get((switch, name))
    if item is not None:
        facts.append(Fact("found", f"≠ {item.observed}", look="drift"))
    shown = answers.shown or {}
    if isinstance(state := shown.get("cabling"), str):
        facts.append(Fact("cabling", WORDS[state], look="drift" if state == "swapped" else ""))
    if shown.get("stranger"):
        facts.append(Fact("stranger", shown["stranger"], look="staged"))
    return facts + _evidence(answers.shown, switch)


def _evidence(shown: Mapping[str, Any] | None, switch: str | None) -> list[Fact]:
    """When, how and in which words the switch confirmed what a port carries."""
    if shown is None:
        return [Fact("evidence", "…", look="dim")]
    evidence = shown.get("evidence")
    facts = []
    for name, text in evidence_rows(evidence):
        link = Ref("job", str(evidence["job"])) if name == "by job" and evidence else None
        facts.append(Fact(name, text, link))
    for number, line in enumerate((evidence or {}).get("said") or ()):
        facts.append(Fact(f"{switch} said" if number == 0 else "", f"│ {line}", look="good"))
    return facts


def _network(inventory: Inventory, network: Network) -> list[Fact]:
    facts = [Fact("VLAN", str(network.vlan)), _of_project(inventory, network.project)]
    facts += [
        Fact("shared with", project, _project_ref(inventory, project))
        for project in network.shared_with
    ]
    if network.offered_to:
        facts.append(Fact("offered to", ", ".join(network.offered_to), look="staged"))
    for node in inventory.nodes.values():
        for nic in node.nics:
            now = {link.vlan for link in nic.applied or ()}
            wanted = {link.vlan for link in nic.networks}
            if network.vlan in now | wanted and node.project is not None:
                note = "" if network.vlan in now & wanted else _joins(network.vlan in wanted)
                ref = nic_ref(node.node, nic.nic)
                facts.append(Fact("nic", f"{ref.name}{note}", ref, "staged" if note else ""))
    for headnode in inventory.headnodes.values():
        for own in headnode.nics:
            if network.vlan in (own.vlan, own.applied):
                note = "" if own.vlan == own.applied else _joins(own.vlan == network.vlan)
                ref = Ref("headnode", f"{headnode.project}/{headnode.headnode}")
                facts.append(Fact("headnode", f"{headnode.headnode}{note}", ref))
    return facts + _last_job(inventory, network.project)


def _joins(joins: bool) -> str:
    return "  + joins with the next apply" if joins else "  - leaves with the next apply"


def _headnode(inventory: Inventory, headnode: Headnode) -> list[Fact]:
    wanted = "running" if headnode.running else "stopped"
    note = "" if headnode.state == wanted else f", {wanted} is wanted"
    facts = [Fact("state", f"{headnode.state}{note}", look="staged" if headnode.staged else "")]
    facts.append(_of_project(inventory, headnode.project))
    facts.append(Fact("image", headnode.image))
    moving = f"  → {headnode.moving_to}* with the next apply" if headnode.moving_to else ""
    place = f"{headnode.hypervisor}{moving}"
    facts.append(Fact("hypervisor", place, look="staged" if moving else ""))
    if headnode.observed:
        facts.append(Fact("found", f"≠ {headnode.observed}", look="drift"))
    for nic in headnode.nics:
        note = "" if nic.vlan == nic.applied else "*"
        link = network_ref(inventory, headnode.project, nic.network)
        text = f"{nic.nic}  {nic.network or 'on no network'}{note}  {nic.mac}"
        facts.append(Fact("nic", text, link, "staged" if note else ""))
    facts.append(Fact("uuid", headnode.uuid or "-", look="dim"))
    return facts + _last_job(inventory, headnode.project)


def _switch(inventory: Inventory, switch: Switch) -> list[Fact]:
    answers = {
        True: Fact("answers", "yes"),
        False: Fact("answers", f"no, {last_contact(switch)}", look="drift"),
        None: Fact("answers", "not asked yet"),
    }
    facts = [
        Fact("dialect", switch.dialect),
        Fact("host", f"{switch.host} port {switch.port}, {switch.transport}"),
        answers[switch.reachable],
        Fact("saved", "no: a power cut would undo changes" if switch.unsaved else "yes"),
        Fact("checked", instant(switch.checked) if switch.checked else "never"),
        Fact("plate", f"its {switch.ports} ports", Ref("plate", switch.switch)),
        Fact("VLANs", switch.vlans or "none"),
    ]
    if switch.retired:
        text = f"since {instant(switch.retired)}: nothing is sent to it, and nothing awaited of it"
        facts.append(Fact("retired", text, look="drift"))
    if switch.stranger:
        facts.append(Fact("stranger", switch.stranger, look="drift"))
    facts += trunk_facts(switch)
    drifted = (item for item in inventory.drift.values() if item.device == switch.switch)
    for item in drifted:
        link = port_ref(switch.switch, item.target) if item.kind == "port" else None
        facts.append(Fact("drift", f"≠ {item.target}: {item.observed}", link, "drift"))
    for node in inventory.nodes.values():
        facts += [
            Fact("port", f"{leg.port}  {node.node}:{nic.nic}", port_ref(switch.switch, leg.port))
            for nic in node.nics
            for leg in nic.legs
            if leg.switch == switch.switch
        ]
    return facts


def _project(inventory: Inventory, project: Project) -> list[Fact]:
    facts = [Fact("members", ", ".join(project.members) or "-")]
    facts.append(Fact("may hold", _quota(project)))
    staged = inventory.staged_count(project.project)
    facts.append(
        Fact("staged", str(staged) if staged else "nothing", look="staged" if staged else "")
    )
    for network in inventory.networks_of(project.project):
        name = network.name_for(project.project)
        ref = Ref("network", f"{network.project}/{network.network}")
        facts.append(Fact("network", f"{name}  VLAN {network.vlan}", ref))
    facts += [
        Fact("headnode", f"{h.headnode}  {h.state}", Ref("headnode", f"{h.project}/{h.headnode}"))
        for h in inventory.headnodes_of(project.project)
    ]
    facts += [
        Fact("node", f"{node.node}  {node.state}", Ref("node", node.node))
        for node in inventory.nodes_of(project.project)
    ]
    return facts + _last_job(inventory, project.project)


def _quota(project: Project) -> str:
    """``4 of 8 nodes, 2 networks``: what it holds, with the limits that there are."""
    quota = project.quota or Quota()
    counts = []
    for noun in ("nodes", "networks", "headnodes"):
        held, most = getattr(project, noun), getattr(quota, noun)
        counts.append(f"{held} {noun}" if most is None else f"{held} of {most} {noun}")
    return ", ".join(counts) if project.quota is not None else "no limits"


# --- what several kinds have ----------------------------------------------------------------------

_LOOKS = {"free": "good", "unconfirmed": "leaves", "releasing": "staged"}


def _of_project(inventory: Inventory, project: str | None) -> Fact:
    if project is None:
        return Fact("project", "none", look="dim")
    return Fact("project", project, _project_ref(inventory, project))


def _project_ref(inventory: Inventory, project: str) -> Ref | None:
    return Ref("project", project) if project in inventory.projects else None


def _mac(nic: Nic) -> str:
    return f"  {nic.mac}" if nic.mac else ""


def _last_job(inventory: Inventory, project: str | None) -> list[Fact]:
    jobs: Iterable[Any] = (j for j in inventory.jobs.values() if j.project == project)
    last = max(jobs, key=lambda job: job.created, default=None)
    if project is None or last is None:
        return []
    text = f"{last.job}  {last.state}, {last.done} of {last.total} steps, by {last.user}"
    look = "drift" if last.state == "failed" else ""
    return [Fact("last job", text, Ref("job", str(last.job)), look)]


def _changed(ref: Ref, record: Mapping[str, Any] | None) -> list[Fact]:
    """Who changed the object last, and the way to all changes."""
    link = Ref("audit", audited_as(ref))
    if record is None:
        return [Fact("changes", "who changed it", link, "dim")]
    text = f"{record['user']} at {instant(record['time'])}: {record['method']}"
    return [Fact("changed by", text, link)]
