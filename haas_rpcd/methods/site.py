"""site.*: imports and exports the whole inventory. For admins."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta

from haas_rpcd import site as site_file
from haas_rpcd.errors import ConflictError, HaasError
from haas_rpcd.methods import bmc as bmc_methods
from haas_rpcd.methods import hypervisor as hypervisor_methods
from haas_rpcd.methods import plugging, site_links, site_tenants
from haas_rpcd.methods import port as port_methods
from haas_rpcd.methods import switch as switch_methods
from haas_rpcd.methods.access import check_not_proved, find_switch
from haas_rpcd.methods.addresses import Addresses, resolve
from haas_rpcd.methods.call import Call, TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.nicplug import NicPlug
from haas_rpcd.registered import RegisteredHypervisor, RegisteredSwitch
from haas_rpcd.site import (
    Site,
    SiteBmc,
    SiteHypervisor,
    SiteNode,
    SiteProject,
    SiteSwitch,
    SiteUser,
    site_project,
)
from haas_rpcd.store import (
    bmcs,
    hypervisors,
    identities,
    nics,
    nodes,
    ports,
    projects,
    switches,
    users,
)
from haas_rpcd.store.database import Tx
from haas_rpcd.store.nodes import NodeRow
from haas_rpcd.store.switches import SwitchRow
from haas_schemas.switch import DEFAULT_PORTS
from haas_schemas.system import SiteChanges, SiteText

SiteParam = Annotated[
    str | dict[str, Any], Meta(description="A site file's text (TOML), or the same as an object.")
]


class _DryRun(Exception):
    """Carries the result out of a transaction that is to be rolled back."""

    def __init__(self, changes: SiteChanges) -> None:
        super().__init__()
        self.changes = changes


@method("site.import", mutates=True, unaudited=("site",))
async def import_(
    call: Call, site: SiteParam, dry_run: bool = False, merge: bool = False
) -> SiteChanges:
    """Create and change what a site file says. Deletes nothing and sends nothing to any device.

    It is done entirely or not at all. With ``dry_run`` nothing is changed, and the answer says what
    would be. ``merge`` is for another site's file: what is here under the same name, but is not the
    same, is a conflict and is not changed. All conflicts are named.
    """
    parsed = await asyncio.to_thread(_read, site)  # a large one takes seconds
    known = await call.context.store.read(switches.hosts)
    addresses = await resolve([*known, *(switch.host for switch in parsed.switches.values())])

    def transaction(tx: Tx) -> SiteChanges:
        importer = _Importer(
            TxCall(context=call.context, caller=call.caller, subscriber=call.subscriber, tx=tx),
            addresses,
            dry_run=dry_run,
            merge=merge,
        )
        changes = importer.run(parsed)
        if dry_run:
            raise _DryRun(changes)
        return changes

    try:
        return await call.context.store.write(transaction)
    except _DryRun as undone:
        return undone.changes


def _read(site: str | dict[str, Any]) -> Site:
    return site_file.parse(site) if isinstance(site, str) else site_file.convert(site)


class _Importer:
    """Changes the inventory to what a site file says, and records what it changed."""

    def __init__(self, call: TxCall, addresses: Addresses, *, dry_run: bool, merge: bool) -> None:
        self._call = call
        self._addresses = addresses
        self._tx = call.tx
        self._dry_run = dry_run
        self._merge = merge
        self._conflicts: list[str] = []
        self._place: list[str] = []
        self._created: list[str] = []
        self._changed: list[str] = []
        self._unchanged = 0

    def run(self, site: Site) -> SiteChanges:
        for name, user in site.users.items():
            with self._step(f"users.{name}"):
                self._user(name, user)
        for name, project in site.projects.items():
            with self._step(f"projects.{name}"):
                self._project(name, project)
        for name, switch in site.switches.items():
            with self._step(f"switches.{name}"):
                self._switch(name, switch)
        for name, hypervisor in site.hypervisors.items():
            with self._step(f"hypervisors.{name}"):
                self._hypervisor(name, hypervisor)
        site_links.import_(self._call, site.switches, self._note, self._step)
        for name, node in site.nodes.items():
            with self._step(f"nodes.{name}"):
                self._node(name, node)
        site_tenants.import_(self._call, site.tenants, self._note, self._step)
        if self._conflicts and not self._dry_run:
            count = len(self._conflicts)
            raise ConflictError(
                f"Nothing was imported, because of {count} conflict{'s' if count > 1 else ''}, the"
                f" first at {self._conflicts[0]}",
                conflicts=self._conflicts,
            )
        if self._created or self._changed:
            self._call.changed("site", "imported", "site")
        return SiteChanges(
            dry_run=self._dry_run,
            created=tuple(self._created),
            changed=tuple(self._changed),
            unchanged=self._unchanged,
            conflicts=tuple(self._conflicts),
        )

    @contextlib.contextmanager
    def _step(self, where: str) -> Iterator[None]:
        """Add a step's place in the file to its error; a merge collects errors and goes on."""
        self._place.append(where)
        try:
            yield
        except HaasError as error:
            if not self._merge:
                error.message = f"{where}: {error.message}"
                inner = str(error.data.get("field", "")).removeprefix("site.")
                error.data["field"] = f"site.{where}.{inner}".rstrip(".")
                raise
            self._conflicts.append(f"{': '.join(self._place)}: {error.message}")
        finally:
            self._place.pop()

    def _note(self, what: str, *, created: bool = False, changed: bool = False) -> None:
        if changed and self._merge:
            raise ConflictError(f"There is a {what} here already, and it differs.")
        if created:
            self._created.append(what)
        elif changed:
            self._changed.append(what)
        else:
            self._unchanged += 1

    def _user(self, name: str, user: SiteUser) -> None:
        row = users.find(self._tx, name)
        changed = row is not None and row.admin != user.admin
        if row is None:
            users.create(self._tx, name, user.admin)
        elif changed:
            users.set_admin(self._tx, name, user.admin)
            self._call.permissions_reduced(name)
        self._note(f"user {name}", created=row is None, changed=changed)

    def _project(self, name: str, project: SiteProject) -> None:
        row = projects.find(self._tx, name)
        project_id = projects.create(self._tx, name) if row is None else row.id
        present = projects.detail(self._tx, project_id).roles
        missing = sorted(project.roles.items() - present.items())
        for member, role in missing:
            user = users.find(self._tx, member)
            if user is None:
                raise ConflictError(f"There is no user {member}: add [users.{member}].")
            projects.set_member(self._tx, project_id, user.id, role)
            if member in present:
                self._call.permissions_reduced(member)
        self._note(f"project {name}", created=row is None, changed=bool(missing))

    def _switch(self, name: str, switch: SiteSwitch) -> None:
        switch_methods.check(self._call, name, switch.dialect, switch.options)
        at = switch.port or DEFAULT_PORTS[switch.transport]
        wanted = RegisteredSwitch(
            name,
            switch.dialect,
            switch.host,
            at,
            switch.transport,
            switch.credential,
            switch.options,
        )
        row = switches.find(self._tx, name)
        changed = row is not None and row.registered != wanted
        if row is None or (row.host, row.port) != (switch.host, at):
            switch_methods.check_address(self._tx, name, switch.host, at, self._addresses)
        if row is None:
            switch_methods.check_name(self._tx, name)
            switches.create(self._tx, wanted)
        elif row.dialect != switch.dialect and row.ports:
            raise ConflictError(
                f"Switch {name} has ports, so its dialect stays {row.dialect}: delete them first."
            )
        elif changed:
            switches.update(self._tx, wanted)
            if (row.host, row.port) != (switch.host, at):
                identities.forget(self._tx, name)  # it may be another machine
        self._note(f"switch {name}", created=row is None, changed=changed)
        for port in switch.trunk:
            if port in switch.access:
                raise ConflictError(f"trunk {port}: it is listed under access too.")
        registered = find_switch(self._tx, name)
        for role, names in (("access", switch.access), ("trunk", switch.trunk)):
            for port in names:
                with self._step(f"{role} {port}"):
                    self._port(registered, port, role)

    def _hypervisor(self, name: str, spec: SiteHypervisor) -> None:
        row = hypervisors.find(self._tx, name)
        wanted = RegisteredHypervisor(name, spec.uri, spec.trunk_nic, spec.ssh, spec.credential)
        if row is not None and row.registered != wanted:
            raise ConflictError(f"Hypervisor {name} is registered with {row.uri}, or otherwise.")
        if row is None:
            hypervisor_methods.register(
                self._call, name, spec.uri, spec.trunk_nic, spec.ssh, spec.credential
            )
        self._note(f"hypervisor {name}", created=row is None)
        if spec.bmc is not None:
            with self._step("bmc"):
                bmc = bmc_methods.registered(name, spec.bmc, of_hypervisor=True)
                known = hypervisors.bmc(self._tx, name)
                if bmc != known:
                    hypervisor_methods.put_bmc(self._tx, bmc)
                self._note(f"bmc {name}", created=known is None, changed=bmc != known)

    def _port(self, switch: SwitchRow, port: str, role: str) -> None:
        row = ports.find(self._tx, switch.name, port)
        changed = row is not None and row.role != role
        if row is None:
            port_methods.create(self._call, switch, port, role)
        elif changed:
            if row.nic_id is not None:
                raise ConflictError(f"{row.node}:{row.nic} is behind it.")
            ports.set_role(self._tx, row.id, role)
        self._note(f"port {switch.name} {port}", created=row is None, changed=changed)

    def _node(self, name: str, node: SiteNode) -> None:
        row = nodes.find(self._tx, name)
        tags = sorted(set(node.tags))
        if row is None:
            node_id = nodes.create(self._tx, name, tags)
            changed = False
        else:
            node_id = row.id
            changed = nodes.tags_of(self._tx, [node_id])[node_id] != tags
            if changed:
                nodes.set_tags(self._tx, node_id, tags)
        self._note(f"node {name}", created=row is None, changed=changed)
        for nic, spec in node.nics.items():
            with self._step(f"nics.{nic}"):
                self._nic(row, node_id, name, nic, spec)
        if node.bmc is not None:
            with self._step("bmc"):
                self._bmc(name, node_id, node.bmc)

    def _bmc(self, name: str, node_id: int, spec: SiteBmc) -> None:
        wanted = bmc_methods.registered(name, spec)
        created = bmcs.find(self._tx, node_id) is None
        changed = bmc_methods.put(self._tx, node_id, wanted)
        self._note(f"bmc {name}", created=created, changed=changed)

    def _nic(self, node: NodeRow | None, node_id: int, name: str, nic: str, spec: NicPlug) -> None:
        what = f"nic {name}:{nic}"
        row = nics.find(self._tx, node_id, nic)
        if row is not None and plugging.is_registered_so(row, spec):
            self._note(what)
            return
        if node is not None and node.project is not None:
            raise ConflictError(
                f"Node {name} is held by project {node.project}; its nics are fixed until it is"
                " free."
            )
        if node is not None:
            check_not_proved(self._tx, node)
        if row is None:
            plugging.add(self._call, self._tx, node_id, name, nic, spec)
        else:
            plugging.change(self._call, self._tx, name, row, spec)
        self._note(what, created=row is None, changed=row is not None)


# --- export ---------------------------------------------------------------------------------------

_ALL = 1_000_000


@method("site.export")
def export(call: TxCall, tenants: bool = False) -> SiteText:
    """Return the inventory as a site file. The same inventory always gives the same bytes.

    With ``tenants``, what projects hold and have staged, in its place: networks with their VLAN
    ids, nodes, connections, headnodes, quotas.
    """
    tx = call.tx
    if tenants:
        return SiteText(site=site_file.render(Site(tenants=site_tenants.export(tx))))
    site = Site(
        users={row.name: SiteUser(admin=row.admin) for row in users.page(tx, _ALL, "")},
        projects={row.name: site_project(row.roles) for row in projects.page(tx, _ALL, "", None)},
        switches={
            row.name: call.context.exported(row.name, _switch(tx, row))
            for row in switches.page(tx, _ALL, "")
        },
        hypervisors={
            row.name: SiteHypervisor(
                row.uri,
                row.trunk_nic,
                row.ssh,
                row.credential,
                bmc_methods.site_bmc(hypervisors.bmc(tx, row.name)),
            )
            for row in hypervisors.everyone(tx)
            if row.retired is None
        },
        nodes=_nodes(tx),
    )
    return SiteText(site=site_file.render(site))


def _switch(tx: Tx, row: SwitchRow) -> SiteSwitch:
    found = ports.page(tx, row.id, _ALL, 0)
    return SiteSwitch(
        dialect=row.dialect,
        host=row.host,
        port=None if row.port == DEFAULT_PORTS.get(row.transport) else row.port,
        transport=row.transport,
        credential=row.credential,
        options=row.options,
        access=[port.name for port in found if port.role == "access" and not port.is_channel],
        trunk=[port.name for port in found if port.role == "trunk"],
        links=site_links.export(tx, row.id),
    )


def _nodes(tx: Tx) -> dict[str, SiteNode]:
    result: dict[str, SiteNode] = {}
    found = {row.node: bmc_methods.site_bmc(row.registered) for row in bmcs.everyone(tx)}
    after = ""
    while rows := nodes.page(tx, 500, after):  # pages, because SQLite limits the length of IN lists
        ids = [row.id for row in rows]
        tags, found_nics = nodes.tags_of(tx, ids), nics.of_nodes(tx, ids)
        for row in rows:
            result[row.name] = SiteNode(
                tags=tags[row.id],
                nics={nic.name: plugging.as_registered(nic) for nic in found_nics[row.id]},
                bmc=found.get(row.name),
            )
        after = rows[-1].name
    return result
